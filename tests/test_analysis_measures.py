"""Numbers from results, against numbers made by hand; and the window once more."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.measures import mean_over_seeds, silent, spread_over_seeds, weight_histogram
from analysis.theory import stdp_window
from pipeline.plasticity import window


def made(weight, spike_count, status=0):
    """Return a dataset of two rates and two seeds with the given numbers."""
    counts = np.array(spike_count)
    return xr.Dataset(
        {
            "weight": (("rate_hz", "seed", "synapse"), np.array(weight, dtype=np.float32)),
            "spike_count": (("rate_hz", "seed"), counts),
            "status": (("rate_hz", "seed"), np.broadcast_to(status, counts.shape)),
        },
        {"rate_hz": [10.0, 20.0], "seed": [0, 1]},
    )


def test_histogram_pools_seeds_and_sums_to_one():
    """Shares of synapses in bins of 0.05; 0 is in the first bin and 1 in the last."""
    dataset = made([[[0, 0.02], [1, 0.52]], [[0.5, 0.5], [0.5, np.nan]]], [[1, 1], [1, 1]])
    share = weight_histogram(dataset)
    assert share.dims == ("rate_hz", "weight_bin")
    first = share.sel(rate_hz=10)
    assert first.values[[0, 10, 19]].tolist() == [0.5, 0.25, 0.25]
    np.testing.assert_allclose(share.sum("weight_bin"), 1)
    assert share["weight_bin"].values[0] == pytest.approx(0.025)


def test_histogram_of_nothing_is_nan():
    """Where no point is done there is no distribution."""
    dataset = made(np.full((2, 2, 3), np.nan), [[-1, -1], [-1, -1]])
    assert weight_histogram(dataset).isnull().all()


def test_mean_and_spread_over_seeds():
    """Sample standard deviation; a missing seed is left out; one seed has no spread."""
    values = xr.DataArray([[1.0, 3.0], [5.0, np.nan]], dims=("rate_hz", "seed"))
    np.testing.assert_allclose(mean_over_seeds(values), [2, 5])
    np.testing.assert_allclose(spread_over_seeds(values), [np.sqrt(2), np.nan])
    assert spread_over_seeds(values.isel(seed=[0])).isnull().all()
    assert spread_over_seeds(values.isel(seed=0, drop=True)).isnull().all()


def test_silent_means_no_spike_in_any_seed_that_is_done():
    """One spike in one seed is not silence; a point that is not done is not silent."""
    zeros = np.zeros((2, 2, 1))
    assert silent(made(zeros, [[0, 0], [0, 3]])).values.tolist() == [True, False]
    some_missing = made(zeros, [[0, -1], [-1, -1]], status=[[0, 2], [2, 2]])
    assert silent(some_missing).values.tolist() == [True, False]


def test_the_files_window_is_the_models(configure):
    """The window drawn from the file alone is the one that the simulation is made of."""
    swept = {"stdp.A_plus": [0.01, 0.02], "stdp.tau_minus": [10.0, 40.0], "seed": [1]}
    base = configure("simulation.duration=20")
    drawn = stdp_window(pipeline.sweep(base, swept, backend="sequential"))
    assert set(drawn.dims) == {"A_plus", "tau_minus", "time_difference"}
    for A_plus in (0.01, 0.02):
        for tau_minus in (10.0, 40.0):
            stdp = configure(f"stdp.A_plus={A_plus}", f"stdp.tau_minus={tau_minus}").stdp
            curve = drawn.sel(A_plus=A_plus, tau_minus=tau_minus)
            t = curve["time_difference"].values
            away = t != 0
            np.testing.assert_allclose(curve.values[away], window(t[away], stdp), atol=1e-15)
            assert curve.values[t == 0].tolist() == pytest.approx([A_plus, -1.1 * A_plus])
