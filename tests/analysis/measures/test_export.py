"""Results in other forms: a row for each point, spike trains as Neo's."""

import numpy as np
import pytest

import pipeline
from analysis import open_results, tidy_table, to_neo
from analysis.reading.errors import LoadError
from analysis.reading.select import part_of

neo = pytest.importorskip("neo", reason="spike trains are given to Neo's classes")
statistics = pytest.importorskip("elephant.statistics", reason="Elephant takes Neo's classes")


@pytest.fixture
def dataset(keep):
    """Six points with spikes, on two axes."""
    axes = {"input.rate_hz": [20, 40, 60], "seed": [4, 5]}
    with open_results(keep("points", axes, "record.spike_times=true")) as opened:
        yield opened


def test_a_table_has_a_row_for_each_point_with_its_values(dataset):
    """Axes first; a value of the file stands in the row of its point."""
    table = tidy_table(dataset)
    assert table.columns[:2].tolist() == ["rate_hz", "seed"]
    assert len(table) == 6
    for _, row in table.iterrows():
        point = dataset.sel(rate_hz=row["rate_hz"], seed=row["seed"])
        assert row["mean_weight"] == point["mean_weight"].item()
        assert row["spike_count"] == point["spike_count"].item()
    assert set(table["status"]) == {"done"}
    assert not {"weight", "spike_time", "made_by"} & set(table.columns)


def test_a_table_says_the_unit_and_meaning_of_each_column(dataset):
    """Those of the file."""
    table = tidy_table(dataset)
    assert set(table.attrs["units"]) == set(table.attrs["long_names"]) == set(table.columns)
    assert table.attrs["units"]["output_rate"] == "Hz"
    assert table.attrs["long_names"]["rate_hz"] == "input rate"


def test_a_single_point_and_a_slice_are_tables(dataset, configure):
    """One row without axes; the value of the slice is a column."""
    alone = tidy_table(pipeline.simulate(configure()))
    assert len(alone) == 1
    assert alone["status"].tolist() == ["done"]
    part = tidy_table(part_of(dataset, ["seed=5"]).dataset)
    assert part["rate_hz"].tolist() == [20, 40, 60]
    assert part["seed"].tolist() == [5, 5, 5]


def test_a_point_that_is_not_done_has_a_row(sweep, fail_for_seed):
    """Its status says so, and its results are missing."""
    fail_for_seed(2, RuntimeError("no"))
    table = tidy_table(sweep({"seed": [1, 2]}))
    assert table["status"].tolist() == ["done", "failed"]
    assert np.isnan(table["output_rate"]).tolist() == [False, True]


def test_choices_and_values_in_step_are_columns(sweep):
    """The name of a choice, and what goes with the values of an axis."""
    table = tidy_table(sweep({"input": ["poisson", "notebook"], "stdp.tau_plus": [10, 20]}))
    assert table["input"].tolist() == ["poisson", "poisson", "notebook", "notebook"]
    assert table["tau_minus"].tolist() == [10, 20, 10, 20]


def test_elephant_takes_the_trains_of_neo(dataset):
    """Its rate is that of the file; the segment has the values of its point."""
    block = to_neo(dataset)
    assert len(block.segments) == 6
    for segment in block.segments:
        point = dataset.sel(segment.annotations)
        (train,) = segment.spiketrains
        times = point["spike_time"].values
        assert (train.magnitude == times[np.isfinite(times)]).all()
        rate = statistics.mean_firing_rate(train).rescale("Hz").item()
        assert rate == pytest.approx(point["output_rate"].item())


def test_trains_end_with_the_run_where_durations_differ(sweep, fail_for_seed):
    """And points that are not done have no segment."""
    fail_for_seed(2, RuntimeError("no"))
    axes = {"simulation.duration": [300, 500], "seed": [1, 2]}
    block = to_neo(sweep(axes, "record.spike_times=true"))
    assert [segment.spiketrains[0].t_stop.item() for segment in block.segments] == [300, 500]
    assert [segment.annotations["seed"] for segment in block.segments] == [1, 1]


def test_a_single_run_is_one_segment(configure):
    """Without annotations."""
    (segment,) = to_neo(pipeline.simulate(configure("record.spike_times=true"))).segments
    assert segment.annotations == {}
    assert len(segment.spiketrains[0]) > 0


def test_results_without_spike_times_are_refused(sweep):
    """The message says what to set."""
    with pytest.raises(LoadError, match="record.spike_times=true"):
        to_neo(sweep({"seed": [1]}))


def test_segments_of_samples_are_annotated_with_what_they_set(configure):
    """Also of a selection, in which positions are not the numbers of samples."""
    samples = {"stdp": ["notebook", "multiplicative"], "input.rate_hz": [50, 60]}
    dataset = pipeline.sweep(
        configure("record.spike_times=true"), {}, samples=samples, backend="sequential"
    )
    (segment,) = to_neo(dataset.isel(sample=[1])).segments
    assert segment.name == "sample=1"
    assert segment.annotations == {"sample": 1, "stdp": "multiplicative", "rate_hz": 60.0}
