"""Points of which each run ended when it had settled: answers, times, numbers."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.figures.histories import mean_histories
from analysis.measures import stationarity
from analysis.measures.export import tidy_table
from analysis.measures.measured import MeasuredDataset
from analysis.measures.numbers import numbers
from analysis.measures.settling import answer_over_seeds, criterion, settled_since, settling
from analysis.measures.spike_trains import mean_firing_rate
from analysis.measures.stationarity import (
    CANNOT_FIRE,
    FROZEN,
    NO_SPIKE,
    NOT_RECORDED,
    NOT_SETTLED,
    SETTLED,
    UPPER_BOUND,
)
from analysis.reading.errors import LoadError
from pipeline.model.variables import FLAGS
from tests.conftest import numbers_of

#: Sixty synapses that change fast: at ratio 0.9 most have settled after 64 or 128 s.
UNTIL = ("simulation.until=settled", "simulation.duration=130000", "input.n_synapses=60",
         "synapse.g_max=0.12", "synapse.w_init=1", "stdp.A_plus=0.02")  # fmt: skip
AXES = {"input.rate_hz": [0, 2, 20, 30], "stdp.ltd_ratio": [0.9, 1.05], "seed": [0, 1, 2]}


@pytest.fixture(scope="module")
def recorded():
    """Runs with all samples, and output spikes."""
    base = pipeline.configure(*UNTIL, "record=history")
    return pipeline.sweep(base, AXES, backend="sequential")


@pytest.fixture(scope="module")
def plain(recorded):
    """The same runs, of which final weights are recorded."""
    return recorded.drop_dims(["sample_time", "spike"])


def test_histories_give_the_answers_in_the_file(recorded, plain):
    """Of every run: what the run decided, and what `settling` reads from its samples."""
    found = set()
    for seed in AXES["seed"]:
        told = settling(plain.sel(seed=[seed]))["settled"]
        computed = settling(recorded.drop_vars("settled").sel(seed=[seed]))["settled"]
        # That nothing arrives is no matter of samples.
        xr.testing.assert_equal(told.where(told != CANNOT_FIRE, NO_SPIKE), computed)
        flags = plain["settled"].sel(seed=seed).values.ravel()
        assert told.values.ravel().tolist() == [FLAGS[flag] for flag in flags]
        found |= {*told.values.ravel().tolist()}
    assert found == {CANNOT_FIRE, NO_SPIKE, UPPER_BOUND, SETTLED, NOT_SETTLED}
    xr.testing.assert_equal(settling(recorded)["settled"], settling(plain)["settled"])


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([SETTLED, SETTLED], SETTLED),
        ([UPPER_BOUND, UPPER_BOUND], UPPER_BOUND),
        ([UPPER_BOUND, SETTLED, FROZEN], SETTLED),
        ([SETTLED, NOT_SETTLED], NOT_SETTLED),
        ([SETTLED, NO_SPIKE], NOT_SETTLED),
        ([SETTLED, CANNOT_FIRE], NOT_SETTLED),
        ([NO_SPIKE, NO_SPIKE], NO_SPIKE),
        ([CANNOT_FIRE, NO_SPIKE], NO_SPIKE),
        ([CANNOT_FIRE], CANNOT_FIRE),
        ([], NOT_RECORDED),
    ],
)
def test_the_answer_of_a_point_is_that_of_all_its_runs(answers, expected):
    """Unlike equilibria are one; silence is none, and one open run leaves the point open."""
    assert answer_over_seeds(answers) == expected


def test_the_settling_time_is_that_of_each_run(recorded, plain):
    """From samples the latest of the seeds, each over its own time; else the longest run."""
    found, longest = settling(recorded)["settling_time"], settling(plain)["settling_time"]
    answers = settling(plain)["settled"].values
    known = np.isin(answers, stationarity.STATIONARY)
    assert (np.isfinite(found.values) == known).all()
    assert (np.isfinite(longest.values) == known).all()
    np.testing.assert_equal(longest.values[known], plain["run_duration"].max("seed").values[known])
    point = recorded.isel(rate_hz=2, ltd_ratio=0)
    each = []
    for seed in range(3):
        run = point.isel(seed=seed)
        n = int((run["sample_time"] <= run["run_duration"]).sum())
        weights = stationarity.weight_statistics(run["weight_history"].values[:n])
        each.append(settled_since(run["sample_time"][:n], run["rate_history"][:n], weights))
    assert found.isel(rate_hz=2, ltd_ratio=0) == max(each)


def test_a_history_with_fewer_samples_changes_no_answer(plain):
    """The run had all of them; only the settling time is coarser."""
    base = pipeline.configure(*UNTIL, "record.weight_interval=8000")
    found = settling(pipeline.sweep(base, AXES, backend="sequential"))
    xr.testing.assert_equal(found["settled"], settling(plain)["settled"])


def test_runs_that_are_not_done_are_left_out(plain):
    """A point is that of its other seeds; without any, nothing is recorded."""
    open_one = plain["settled"] == FLAGS.index("not settled")
    failed = plain.assign(status=plain["status"].where(~open_one, 1))
    answers = settling(failed)["settled"]
    assert NOT_SETTLED not in answers.values
    all_open = open_one.all("seed")
    assert all_open.any()
    assert (answers.where(all_open, NOT_RECORDED) == NOT_RECORDED).all()


def test_flags_without_meanings_are_refused(plain):
    """In one line that names the attribute."""
    with pytest.raises(LoadError, match="settled: has no attribute 'flag_values'"):
        settling(plain.assign(settled=plain["settled"].drop_attrs()))


def test_the_tolerance_is_that_of_the_file():
    """Bounds are multiples of it, the answer from samples is that of the run, words state it."""
    base = pipeline.configure(*UNTIL, "record=history", "input.rate_hz=20")
    axes = {"settle.tolerance": [0.02, 0.05, 0.4], "seed": [0, 1]}
    dataset = pipeline.sweep(base, axes, backend="sequential")
    found = settling(dataset)
    xr.testing.assert_equal(found["settled"], settling(dataset.drop_vars("settled"))["settled"])
    assert found["settled"].values.tolist() == [NOT_SETTLED, NOT_SETTLED, SETTLED]
    assert found["to_come"].isel(tolerance=0).max() > 1
    assert "less than 160\xa0% (or 1.6\xa0Hz)" in criterion(0.4)
    assert "weights by less than 0.4, their histogram by a total variation of less than 0.8" in (
        criterion(0.4)
    )


def test_statistics_of_the_output_are_over_the_time_of_each_run(recorded):
    """Spikes of a run that ended early are not divided by the limit."""
    rate = mean_firing_rate(recorded)
    np.testing.assert_allclose(rate, recorded["output_rate"])
    halves = recorded["run_duration"] / 2
    late = mean_firing_rate(recorded, t_start=halves)
    np.testing.assert_allclose(late, recorded["late_output_rate"], rtol=1e-3)


def test_the_table_of_numbers_has_the_last_half_once(plain):
    """Means over seeds under the names of the file, with errors; no spread of an error."""
    found = numbers(plain)
    names = [
        f"late_{name}" for name in ("mean_weight", "weak_share", "upper_share", "strong_share")
    ]
    for name in (*names, *(f"{name}_error" for name in names), "run_duration"):
        xr.testing.assert_allclose(found[name], plain[name].mean("seed"), check_dim_order=False)
        assert found[name].attrs["long_name"] == plain[name].attrs["long_name"]
    labels = [found[name].attrs["long_name"] for name in found if "spread" not in name
              and not name.endswith(("_low", "_high")) and name != "settled"]  # fmt: skip
    assert len(labels) == len(set(labels))
    assert "late_mean_weight_error_spread" not in found
    assert found["settled"].values.tolist() == settling(plain)["settled"].values.tolist()


def test_a_table_of_points_has_the_answers_in_words(plain):
    """One row for each run."""
    table = tidy_table(plain)
    flags = plain["settled"].values.ravel()
    assert table["settled"].tolist() == [FLAGS[flag] for flag in flags]


def test_histories_begin_at_zero_and_go_on_with_those_that_do(recorded):
    """After the end of a run the mean is that of the other seeds; after the last one, none."""
    measured = MeasuredDataset(recorded)
    mean, *_ = mean_histories(measured)
    assert mean["sample_time"].values[0] == 0
    point = recorded.isel(rate_hz=2, ltd_ratio=0)
    ended = point["run_duration"]
    assert ended.min() < ended.max()
    after = point["sample_time"].values[(point["sample_time"] > ended.min()).values][0]
    going_on = (
        point["weight_history"].sel(sample_time=after).isel(seed=(ended > ended.min()).values)
    )
    here = mean.isel(rate_hz=2, ltd_ratio=0)
    np.testing.assert_allclose(here.sel(sample_time=after), going_on.astype(float).mean())
    beyond = here.sel(sample_time=here["sample_time"] > ended.max())
    assert np.isnan(beyond).all()


def test_no_figure_is_of_a_time_after_the_longest_run(recorded):
    """`--at` names it, not the limit."""
    longest = float(recorded["run_duration"].max())
    with pytest.raises(ValueError, match=f"must be >= 0 and <= {longest:g} ms"):
        MeasuredDataset.of(recorded, at=longest + 1)


def test_points_of_a_file_can_be_selected_and_turned(plain):
    """Transposed, one seed, one value: the answers stay with their points."""
    whole = settling(plain)["settled"]
    turned = settling(plain.transpose("seed", "ltd_ratio", ...))["settled"]
    xr.testing.assert_equal(turned.transpose(*whole.dims), whole)
    part = settling(plain.isel(rate_hz=2))["settled"]
    assert part.values.tolist() == whole[2].values.tolist()
    one = plain.isel(rate_hz=2, ltd_ratio=0, seed=0)
    assert settling(one)["settled"].item() == UPPER_BOUND
    assert numbers_of(plain)["settled"].dtype == np.int8
