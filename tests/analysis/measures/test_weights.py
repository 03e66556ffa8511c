"""Measures of weights against values computed by hand."""

from statistics import NormalDist

import numpy as np
import pytest
import xarray as xr

from analysis.measures import chunks
from analysis.measures.settling import settling
from analysis.measures.weights import (
    bimodality,
    mean_weight_history,
    shares_of,
    silent,
    weight_histogram,
    weight_shares,
)
from analysis.reading.dataset import open_results


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
    """Fractions of synapses in bins of 0.05; 0 is in the first bin and 1 in the last."""
    dataset = made([[[0, 0.02], [1, 0.52]], [[0.5, 0.5], [0.5, np.nan]]], [[1, 1], [1, 1]])
    share = weight_histogram(dataset)
    assert share.dims == ("rate_hz", "weight_bin")
    first = share.sel(rate_hz=10)
    assert first.values[[0, 10, 19]].tolist() == [0.5, 0.25, 0.25]
    np.testing.assert_allclose(share.sum("weight_bin"), 1)
    assert share["weight_bin"].values[0] == pytest.approx(0.025)


def test_histogram_of_nothing_is_nan():
    """Where no point is done, fractions are NaN."""
    dataset = made(np.full((2, 2, 3), np.nan), [[-1, -1], [-1, -1]])
    share = weight_histogram(dataset)
    assert share.sizes == {"rate_hz": 2, "weight_bin": 20}
    assert share.isnull().all()


def test_histogram_agrees_with_numpys(configure, keep):
    """For any number of bins, it equals numpy's histogram of the weights of all seeds."""
    dataset = open_results(keep("kept", {"input.rate_hz": [30, 60], "seed": [1, 2]}))
    for n_bins in (7, 20):
        share = weight_histogram(dataset, n_bins)
        for rate in (30, 60):
            weights = dataset["weight"].sel(rate_hz=rate).values.ravel()
            counts, edges = np.histogram(weights, n_bins, (0, 1))
            np.testing.assert_allclose(share.sel(rate_hz=rate), counts / 80)
        np.testing.assert_allclose(share["weight_bin"], (edges[1:] + edges[:-1]) / 2)


def test_histogram_at_a_time_is_of_the_nearest_sample():
    """Weights of `weight_history` nearest in time; without a time, the final ones."""
    dataset = made([[[0.9], [0.9]], [[0.1], [0.1]]], [[1, 1], [1, 1]])
    history = np.array([[[0.1, 0.3], [0.3, 0.5]], [[0.7, 0.7], [0.9, np.nan]]], dtype=np.float32)
    dataset["weight_history"] = (("rate_hz", "seed", "sample_time", "synapse"), history[..., None])
    dataset = dataset.assign_coords(sample_time=[100.0, 200.0])
    early, late = (weight_histogram(dataset, 5, at) for at in (140.0, 1e6))
    assert early.values.tolist() == [[0.5, 0.5, 0, 0, 0], [0, 0, 0, 0.5, 0.5]]
    assert late.values.tolist() == [[0, 0.5, 0.5, 0, 0], [0, 0, 0, 1, 0]]
    assert weight_histogram(dataset, 5).values.tolist() == [[0, 0, 0, 0, 1], [1, 0, 0, 0, 0]]
    assert "sample_time" not in early.coords


def test_a_file_read_in_chunks_gives_the_same(keep, monkeypatch):
    """Chunks of a lazily opened file give the same values as the whole in memory."""
    swept = {"seed": [1, 2], "input.rate_hz": [20, 30, 40, 50, 60], "stdp.A_plus": [0.01, 0.1]}
    file = keep("kept", swept, "record=history", "record.weight_interval=20")

    def numbers(dataset):
        return {
            "histogram": weight_histogram(dataset),
            "early": weight_histogram(dataset, at=100.0),
            "course": mean_weight_history(dataset),
            "shares": weight_shares(dataset),
            "bimodality": bimodality(dataset),
            **settling(dataset).data_vars,
        }

    whole = numbers(open_results(file).load())
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 1500)  # less than the final weights at two rates
    parts = numbers(open_results(file))
    for name, expected in whole.items():
        assert expected.notnull().any() or name == "settling_time"
        assert parts[name].dims == expected.dims, name
        xr.testing.assert_allclose(parts[name], expected, rtol=1e-12)


def test_chunks_have_at_most_the_given_size(monkeypatch):
    """Kept axes are divided, the first one in the file first, until chunks are that small."""
    dataset = xr.Dataset({"x": (("seed", "rate_hz", "synapse"), np.ones((2, 10, 5)))})
    seen = []

    def summed(part):
        seen.append(part["x"].nbytes)
        return part["x"].sum("synapse")

    monkeypatch.setattr(chunks, "CHUNK_BYTES", 250)
    joined = chunks.by_chunks(summed, dataset, ["seed", "rate_hz"])
    assert joined.dims == ("seed", "rate_hz")
    np.testing.assert_array_equal(joined, np.full((2, 10), 5.0))
    assert max(seen) <= 250
    assert sum(seen) == dataset["x"].nbytes
    # Without an axis there is one chunk.
    seen.clear()
    chunks.by_chunks(summed, dataset, [])
    assert seen == [800]


def test_chunks_of_counts_are_added_along_axes_that_are_not_kept(monkeypatch):
    """A file of many seeds is read once, in its own order, not once for each value of an axis."""
    x = np.arange(600.0).reshape(20, 3, 10)
    dataset = xr.Dataset({"x": (("seed", "rate_hz", "synapse"), x)})
    seen = []

    def summed(part):
        seen.append(dict(part.sizes))
        return part["x"].sum(["seed", "synapse"])

    monkeypatch.setattr(chunks, "CHUNK_BYTES", 1000)
    joined = chunks.by_chunks(summed, dataset, ["rate_hz"], added=True)
    np.testing.assert_array_equal(joined, x.sum(axis=(0, 2)))
    assert seen == [{"seed": 4, "rate_hz": 3, "synapse": 10}] * 5
    seen.clear()
    np.testing.assert_array_equal(chunks.by_chunks(summed, dataset, ["rate_hz"]), x.sum((0, 2)))
    assert {part["seed"] for part in seen} == {20}


def test_shares_count_weights_near_the_bounds_and_above_the_middle():
    """Strictly below 0.1, above 0.5 and above 0.9; NaN is not counted."""
    weight = [[[0, 0.1, 0.5, 0.95], [0.05, 0.2, 0.6, 1]], [[1] * 4, [np.nan] * 4]]
    share = weight_shares(made(weight, [[1, 1], [1, -1]], status=[[0, 0], [0, 1]]))
    assert share.dims == ("rate_hz", "seed", "range")
    assert share["range"].values.tolist() == ["below 0.1", "above 0.5", "above 0.9"]
    assert share.sel(rate_hz=10).values.tolist() == [[0.25, 0.25, 0.25], [0.25, 0.5, 0.25]]
    assert share.sel(rate_hz=20, seed=0).values.tolist() == [0, 1, 1]
    assert share.sel(rate_hz=20, seed=1).isnull().all()


def test_shares_of_any_weights_keep_their_axes():
    """Histories have fractions in every sample; NaN is not counted."""
    history = xr.DataArray([[0.05, 0.95, np.nan], [0.6, 0.7, 0.8]], dims=("sample_time", "synapse"))
    share = shares_of(history, ["sample_time"])
    assert share.dims == ("sample_time", "range")
    np.testing.assert_allclose(share, [[0.5, 0.5, 0.5], [0, 1, 0]])


def test_the_course_of_the_mean_weight_averages_seeds_and_synapses():
    """One mean per sample; points that are not done are left out."""
    dataset = made(np.zeros((2, 2, 2)), [[1, 1], [1, -1]], status=[[0, 0], [0, 1]])
    history = np.array(
        [[[[0, 1], [1, 1]], [[0, 0.2], [0, 0]]], [[[0.1, 0.3], [0, 1]], [[np.nan] * 2] * 2]]
    )
    dataset["weight_history"] = (("rate_hz", "seed", "sample_time", "synapse"), history)
    course = mean_weight_history(dataset)
    assert course.dims == ("rate_hz", "sample_time")
    np.testing.assert_allclose(course, [[0.3, 0.5], [0.2, 0.5]])


def test_bimodality_of_known_distributions():
    """1 for any two values, 5/9 for the uniform distribution, 1/3 for the normal one."""
    quantiles = (np.arange(4000) + 0.5) / 4000
    weight = [
        [np.where(quantiles < 0.5, 0, 1), np.where(quantiles < 0.2, 0.1, 0.7)],
        [quantiles, [NormalDist(0.5, 0.1).inv_cdf(q) for q in quantiles]],
    ]
    found = bimodality(made(weight, [[1, 1], [1, 1]]))
    assert found.dims == ("rate_hz", "seed")
    np.testing.assert_allclose(found.values.ravel(), [1, 1, 5 / 9, 1 / 3], rtol=4e-3)


def test_bimodality_of_equal_weights_is_nan():
    """Skewness and kurtosis of equal weights are undefined, as of a point that is not done."""
    weight = [[[0.583333] * 5, [0] * 5], [[1] * 5, [np.nan] * 5]]
    assert bimodality(made(weight, [[0, 0], [0, -1]], status=[[0, 0], [0, 1]])).isnull().all()


def test_silent_means_no_spike_in_any_seed_that_is_done():
    """One spike in any seed is enough; a point that is not done is not silent."""
    zeros = np.zeros((2, 2, 1))
    assert silent(made(zeros, [[0, 0], [0, 3]])).values.tolist() == [True, False]
    some_missing = made(zeros, [[0, -1], [-1, -1]], status=[[0, 2], [2, 2]])
    assert silent(some_missing).values.tolist() == [True, False]
