"""Rate, CV and Fano factor of the output over the last half of each run."""

import numpy as np
import pytest
import xarray as xr

from analysis import cv, fanofactor, mean_firing_rate
from analysis.measures import late_output, spike_trains
from analysis.measures.export import tidy_table

LATE = ["late_output_rate", "late_isi_cv", "late_fano_factor"]
STATISTICS = {
    "late_output_rate": late_output.output_rate,
    "late_isi_cv": late_output.isi_cv,
    "late_fano_factor": late_output.fano_factor,
}


@pytest.fixture
def swept(sweep):
    """Runs of two durations, an odd number of samples in the longer one."""
    axes = {"simulation.duration": [20000, 25500], "input.rate_hz": [40, 60], "seed": [1, 2]}
    return sweep(axes, "record=history", "record.weight_interval=500")


@pytest.mark.parametrize("name", LATE)
def test_the_variables_of_the_file_are_computed_from_the_spike_times(swept, name):
    """Without them, as in files of earlier versions, the values are the same; so are the names."""
    found = STATISTICS[name](swept)
    xr.testing.assert_identical(found, swept[name])
    assert found.notnull().all()
    again = STATISTICS[name](swept.drop_vars(LATE))
    np.testing.assert_allclose(again, found, rtol=1e-12)
    assert again.attrs["long_name"] == found.attrs["long_name"]
    assert again.attrs["long_name"].endswith("last half of the run")


def test_the_last_half_is_that_of_each_run(swept):
    """Of a run of 20 s from 10 s on, of one of 25.5 s from 12.75 s on, whatever the longest."""
    for duration in (20000, 25500):
        run = swept.sel(duration=duration)
        for name, function in (("late_output_rate", mean_firing_rate), ("late_isi_cv", cv)):
            np.testing.assert_allclose(run[name], function(run, t_start=duration / 2))


def test_the_rate_is_computed_from_its_history_where_there_are_no_spike_times(swept):
    """Over the intervals that lie in the last half: those from 10 s, those from 13 s on."""
    found = late_output.output_rate(swept.drop_vars([*LATE, "spike_time"]))
    for duration, start in ((20000, 10000), (25500, 13000)):
        expected = mean_firing_rate(swept.sel(duration=duration), t_start=start)
        np.testing.assert_allclose(found.sel(duration=duration), expected)


def test_statistics_of_the_whole_run_say_so(sweep):
    """Where an earlier file has neither spike times nor a history; it has no Fano factor."""
    dataset = sweep({"seed": [1, 2]}).drop_vars(LATE)
    for found, name in (
        (late_output.output_rate(dataset), "output_rate"),
        (late_output.isi_cv(dataset), "isi_cv"),
    ):
        np.testing.assert_array_equal(found, dataset[name])
        assert found.attrs["long_name"].endswith(", whole run, transient included")
    assert late_output.fano_factor(dataset) is None


@pytest.mark.parametrize("name", LATE)
def test_points_of_earlier_versions_are_completed(swept, name):
    """Of a file that has them of some points only, the others are computed."""
    mixed = swept.copy(deep=True)
    for late in LATE:
        mixed[late][0, 0] = np.nan
    np.testing.assert_allclose(STATISTICS[name](mixed), swept[name], rtol=1e-12)
    # Without spike times they stay unknown, and the others are as recorded.
    found = STATISTICS[name](mixed.drop_vars(["spike_time", "rate_history"]))
    np.testing.assert_array_equal(found, mixed[name])


def test_a_run_that_ends_before_the_start_has_no_rate(swept):
    """NaN, where 0 spikes over a negative time would be -0."""
    rate = mean_firing_rate(swept, t_start=21000)
    assert rate.sel(duration=20000).isnull().all()
    assert (rate.sel(duration=25500) > 0).all()
    assert cv(swept, t_start=21000).sel(duration=20000).isnull().all()


def test_a_fano_factor_of_few_windows_is_not_known(sweep):
    """Below ten, in 19.9 s, as in files without the variable; the table of points agrees."""
    axes = {"simulation.duration": [4000, 19900, 20000], "seed": [1, 2]}
    dataset = sweep(axes, "record.spike_times=true")
    assert dataset["late_fano_factor"].notnull().all()
    for one in (dataset, dataset.drop_vars(LATE)):
        factor = late_output.fano_factor(one)
        np.testing.assert_array_equal(factor.notnull().all("seed"), [False, False, True])
        np.testing.assert_array_equal(factor.isnull().all("seed"), [True, True, False])
    table = tidy_table(dataset)
    known = table["duration"] == 20000
    np.testing.assert_array_equal(table["late_fano_factor"].notna(), known)


def test_the_fano_factor_of_short_poisson_trains_is_1_on_average():
    """Of 10 Hz for 2 and 3 s, 2,000 trains each: where division by n gives 1/2 and 2/3."""
    random = np.random.default_rng(3)
    for duration in (2000, 3000):
        spikes = random.random((2000, duration)) < 0.01
        longest = spikes.sum(axis=1).max()
        times = np.full((len(spikes), longest), np.nan)
        for row, train in zip(times, spikes, strict=True):
            row[: train.sum()] = np.flatnonzero(train)
        dataset = xr.Dataset(
            {"spike_time": (("seed", "spike"), times), "status": ("seed", np.zeros(2000, int))},
            {"seed": ("seed", np.arange(2000), {"config_key": "seed"})},
            {"configuration": f'{{"simulation": {{"duration": {duration}, "dt": 1.0}}}}'},
        )
        factor = fanofactor(dataset)
        error = float(factor.std()) / np.sqrt(factor.size)
        assert float(factor.mean()) == pytest.approx(0.99, abs=4 * error)


def test_the_correlogram_of_a_constant_input_is_flat(configure):
    """An input spike in every step: 1,000 Hz at each lag, also where lags reach step 0."""
    import pipeline

    spikes = np.ones((2, 30), dtype=int)
    strong = ("input.n_synapses=2", "simulation.duration=30", "synapse.g_max=1", "neuron.t_ref=5")
    run = pipeline.simulate(configure("record=everything", *strong), spikes)
    assert run["spike_count"] > 1
    rate = spike_trains.input_rate_around_output(run, max_lag=10)
    known = rate.sel(strength="strong").dropna("lag")
    assert known.size == 21
    np.testing.assert_allclose(known, 1000)
