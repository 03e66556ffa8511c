"""Measures of synaptic weights: distributions, fractions in ranges, bimodality.

Variables are read in chunks, so that files may be larger than memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures.chunks import by_chunks
from analysis.measures.seeds import SEED, swept_axes
from analysis.reading.dataset import axes, parameter
from analysis.reading.metadata import DONE

#: Bins of width 0.05, as in the tutorial's notebook.
N_BINS = 20

#: Bimodality coefficient of the uniform distribution; larger values suggest two modes or a tail.
UNIFORM_BIMODALITY = 5 / 9


def weight_histogram(
    dataset: xr.Dataset, n_bins: int = N_BINS, at: float | None = None
) -> xr.DataArray:
    """Return the fraction of synapses in equal bins of the weight over [0, 1], seeds pooled.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless, and for `at` also `weight_history`
        (..., sample_time, synapse), dimensionless.
    n_bins : int
        Number of bins; 0 is in the first one and 1 in the last.
    at : float, optional
        Time [ms] of which the nearest sample of `weight_history` is used; the end by default.

    Returns
    -------
    DataArray, (..., weight_bin)
        Fractions, dimensionless, along the axes of the sweep without `seed` and the centres of the
        bins; their sum over the bins is 1, NaN where no point is done.
    """
    weight = dataset["weight"] if at is None else _history_at(dataset, at)
    kept = swept_axes(dataset)
    centres = (np.arange(n_bins) + 0.5) / n_bins

    def counts(part: xr.Dataset) -> xr.DataArray:
        pooled = [dim for dim in part["weight"].dims if dim not in kept]
        stacked = part["weight"].transpose(*kept, *pooled)
        rows = stacked.values.reshape(int(np.prod([part.sizes[dim] for dim in kept])), -1)
        return xr.DataArray(
            count_in_bins(rows, n_bins).reshape(*(part.sizes[dim] for dim in kept), n_bins),
            dims=[*kept, "weight_bin"],
            coords={dim: part[dim] for dim in kept if dim in part.coords},
        )

    counted = by_chunks(counts, weight.to_dataset(name="weight"), kept, added=True)
    with np.errstate(invalid="ignore"):  # 0 / 0 where no point is done
        share = counted / counted.sum("weight_bin")
    share = share.assign_coords(weight_bin=("weight_bin", centres, weight.attrs))
    return share.rename("share").assign_attrs(long_name="share of synapses")


def count_in_bins(rows: NDArray, n_bins: int) -> NDArray[np.int64]:
    """Count the values of each row in equal bins over [0, 1].

    Parameters
    ----------
    rows : ndarray, (n_rows, n_values)
        Weights in [0, 1], dimensionless; NaN is not counted.
    n_bins : int
        Number of bins; 1 is in the last one.

    Returns
    -------
    ndarray of int, (n_rows, n_bins)
        Counts, dimensionless.
    """
    finite = np.isfinite(rows)
    all_finite = finite.all()
    bins = ((rows if all_finite else np.where(finite, rows, 0)) * n_bins).astype(np.int64)
    np.minimum(bins, n_bins - 1, out=bins)
    bins += n_bins * np.arange(len(rows))[:, np.newaxis]
    indices = bins.ravel() if all_finite else bins[finite]
    return np.bincount(indices, minlength=len(rows) * n_bins).reshape(len(rows), n_bins)


def weight_shares(dataset: xr.Dataset) -> xr.DataArray:
    """Return the fractions of weights near both bounds and in the upper half, at each point.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless.

    Returns
    -------
    DataArray, (..., range)
        Fractions, dimensionless, along all axes of the sweep and the ranges "below 0.1",
        "above 0.5" and "above 0.9"; NaN where a point is not done.
    """
    return shares_of(dataset["weight"], axes(dataset))


def shares_of(weight: xr.DataArray, kept: Sequence[str]) -> xr.DataArray:
    """Return the fractions of any weights in the three ranges of `weight_shares`.

    Parameters
    ----------
    weight : DataArray, (..., synapse)
        Weights in [0, 1], dimensionless; NaN is not counted.
    kept : sequence of str
        Its dimensions other than `synapse`.

    Returns
    -------
    DataArray, (..., range)
        Fractions, dimensionless; NaN where all weights are NaN.
    """
    ranges = {
        "below 0.1": lambda weight: weight < 0.1,
        "above 0.5": lambda weight: weight > 0.5,
        "above 0.9": lambda weight: weight > 0.9,
    }

    def fractions(part: xr.Dataset) -> xr.DataArray:
        weight = part["weight"]
        done = weight.notnull().any("synapse")
        n = weight.notnull().sum("synapse")
        counts = [is_in(weight).sum("synapse") for is_in in ranges.values()]
        joined = xr.concat([count / n.where(done) for count in counts], "range")
        return joined.transpose(..., "range")

    joined = by_chunks(fractions, weight.to_dataset(name="weight"), kept)
    joined = joined.assign_coords(range=("range", list(ranges), {"long_name": "weights"}))
    joined.attrs = {"long_name": "share of synapses"}
    return joined


def mean_weight_history(dataset: xr.Dataset) -> xr.DataArray:
    """Return the mean weight at each sample of the history, over synapses and seeds.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight_history` (..., sample_time, synapse), dimensionless.

    Returns
    -------
    DataArray, (..., sample_time)
        Mean weight, dimensionless, along the axes of the sweep without `seed`.
    """
    kept = swept_axes(dataset)

    def mean(part: xr.Dataset) -> xr.DataArray:
        history = part["history"].astype(float)
        return history.mean([dim for dim in history.dims if dim not in (*kept, "sample_time")])

    history = dataset["weight_history"].to_dataset(name="history")
    course = by_chunks(mean, history, [*kept, "sample_time"])
    return course.assign_attrs(long_name="mean weight")


def initial_weight(dataset: xr.Dataset) -> xr.DataArray:
    """Return the initial weights.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes; `initial_weight` (...,
        synapse), dimensionless, where weights were drawn.

    Returns
    -------
    DataArray, (...) or (..., synapse)
        Fraction of `g_max`, dimensionless: `synapse.w_init` where all synapses have it.
    """
    mean = parameter(dataset, "synapse.w_init").reset_coords(drop=True).astype(float)
    drawn = dataset.get("initial_weight")
    return mean if drawn is None else drawn.fillna(mean).reset_coords(drop=True)


def mean_initial_weight(dataset: xr.Dataset) -> xr.DataArray:
    """Return the mean over synapses of the initial weights.

    Parameters
    ----------
    dataset : Dataset
        As of `initial_weight`.

    Returns
    -------
    DataArray, (...)
        Fraction of `g_max`, dimensionless.
    """
    weight = initial_weight(dataset)
    return weight.mean("synapse") if "synapse" in weight.dims else weight


def bimodality(dataset: xr.Dataset) -> xr.DataArray:
    """Return the bimodality coefficient of the final weights, at each point.

    (skewness^2 + 1) / kurtosis: 1 for two values, 5/9 for the uniform distribution, 1/3 for the
    normal one (Sarle; Pfister et al. 2013, Frontiers in Psychology 4:700, for populations).

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless.

    Returns
    -------
    DataArray, (...)
        Coefficient, dimensionless, along all axes of the sweep; NaN where all weights are equal or
        a point is not done.
    """

    def coefficient(part: xr.Dataset) -> xr.DataArray:
        weight = part["weight"].astype(float)
        deviation = weight - weight.mean("synapse")
        second, third, fourth = ((deviation**n).mean("synapse") for n in (2, 3, 4))
        spread = second.where(second > 1e-12)
        skewness, kurtosis = third / spread**1.5, fourth / spread**2
        return (skewness**2 + 1) / kurtosis

    result = by_chunks(coefficient, dataset[["weight"]].reset_coords(drop=True), axes(dataset))
    result.attrs = {"long_name": "bimodality coefficient of weights"}
    return result


def n_not_done(dataset: xr.Dataset) -> int:
    """Return the number of points that failed or are missing.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` (...), dimensionless.

    Returns
    -------
    int
        Number of points.
    """
    return int((dataset["status"] != DONE).sum())


def silent(dataset: xr.Dataset) -> xr.DataArray:
    """Return where the neuron never fired, in any of the seeds that are done.

    Parameters
    ----------
    dataset : Dataset
        Results with `spike_count` and `status`, both (...), dimensionless.

    Returns
    -------
    DataArray of bool, (...)
        Dimensionless, along the axes of the sweep without `seed`; False where no seed is done.
    """
    silent = dataset["spike_count"] == 0
    done = dataset["status"] == DONE
    if SEED in silent.dims:
        return (silent | ~done).all(SEED) & done.any(SEED)
    return silent & done


def _history_at(dataset: xr.Dataset, time: float) -> xr.DataArray:
    history = dataset["weight_history"].sel(sample_time=time, method="nearest")
    return history.reset_coords("sample_time", drop=True)
