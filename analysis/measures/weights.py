"""Numbers from weights: `Dataset` in, `DataArray` out, nothing drawn.

Everything is read in pieces, so that files larger than memory can be measured.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures.chunks import by_pieces
from analysis.measures.seeds import SEED, swept_axes
from analysis.reading.dataset import axes

#: The notebook's bins: 0.05 of the maximum.
N_BINS = 20

#: Bimodality of the uniform distribution: above it there are two piles, or a long tail.
UNIFORM_BIMODALITY = 5 / 9


def weight_histogram(
    dataset: xr.Dataset, n_bins: int = N_BINS, at: float | None = None
) -> xr.DataArray:
    """Share of synapses in equal bins of the weight over [0, 1], seeds pooled.

    Parameters
    ----------
    dataset : Dataset
        An experiment.
    n_bins : int
        Number of bins; 0 is in the first one and 1 in the last.
    at : float, optional
        Time [ms] of which the nearest sample of `weight_history` is taken; the end by default.

    Returns
    -------
    DataArray, (..., weight_bin)
        The axes of the sweep without `seed`, then the bins at their centres; sums to 1 over the
        bins, NaN where no point is done.
    """
    weight = dataset["weight"] if at is None else _history_at(dataset, at)
    kept = swept_axes(dataset)
    centres = (np.arange(n_bins) + 0.5) / n_bins

    def shares(part: xr.Dataset) -> xr.DataArray:
        pooled = [dim for dim in part["weight"].dims if dim not in kept]
        stacked = part["weight"].transpose(*kept, *pooled)
        rows = stacked.values.reshape(int(np.prod([part.sizes[dim] for dim in kept])), -1)
        counts = count_in_bins(rows, n_bins)
        with np.errstate(invalid="ignore"):  # 0 / 0 where no point is done
            shares = counts / counts.sum(axis=1, keepdims=True)
        return xr.DataArray(
            shares.reshape(*(part.sizes[dim] for dim in kept), n_bins),
            dims=[*kept, "weight_bin"],
            coords={dim: part[dim] for dim in kept if dim in part.coords}
            | {"weight_bin": ("weight_bin", centres, weight.attrs)},
            name="share",
            attrs={"long_name": "share of synapses"},
        )

    return by_pieces(shares, weight.to_dataset(name="weight"), kept)


def count_in_bins(rows: NDArray, n_bins: int) -> NDArray[np.int64]:
    """Count the values of each row in equal bins over [0, 1]; `(n_rows, n_bins)`, NaN left out."""
    finite = np.isfinite(rows)
    whole = finite.all()
    bins = ((rows if whole else np.where(finite, rows, 0)) * n_bins).astype(np.int64)
    np.minimum(bins, n_bins - 1, out=bins)
    bins += n_bins * np.arange(len(rows))[:, np.newaxis]
    places = bins.ravel() if whole else bins[finite]
    return np.bincount(places, minlength=len(rows) * n_bins).reshape(len(rows), n_bins)


def weight_shares(dataset: xr.Dataset) -> xr.DataArray:
    """Share of weights at both ends and in the upper half, at each point.

    Returns
    -------
    DataArray, (..., range)
        The axes of the sweep, then "below 0.1", "above 0.5" and "above 0.9".
    """
    return shares_of(dataset["weight"], axes(dataset))


def shares_of(weight: xr.DataArray, kept: list[str]) -> xr.DataArray:
    """Share of any weights, `(..., synapse)`, in the three ranges of `weight_shares`."""
    ranges = {
        "below 0.1": lambda weight: weight < 0.1,
        "above 0.5": lambda weight: weight > 0.5,
        "above 0.9": lambda weight: weight > 0.9,
    }

    def shares(part: xr.Dataset) -> xr.DataArray:
        weight = part["weight"]
        done = weight.notnull().any("synapse")
        n = weight.notnull().sum("synapse")
        counts = [is_in(weight).sum("synapse") for is_in in ranges.values()]
        joined = xr.concat([count / n.where(done) for count in counts], "range")
        return joined.transpose(..., "range")

    shared = by_pieces(shares, weight.to_dataset(name="weight"), kept)
    shared = shared.assign_coords(range=("range", list(ranges), {"long_name": "weights"}))
    shared.attrs = {"long_name": "share of synapses"}
    return shared


def mean_weight_history(dataset: xr.Dataset) -> xr.DataArray:
    """Mean weight at each sample of the history, seeds averaged; `(..., sample_time)`."""
    kept = swept_axes(dataset)

    def mean(part: xr.Dataset) -> xr.DataArray:
        history = part["history"].astype(float)
        return history.mean([dim for dim in history.dims if dim not in (*kept, "sample_time")])

    history = dataset["weight_history"].to_dataset(name="history")
    course = by_pieces(mean, history, [*kept, "sample_time"])
    return course.assign_attrs(long_name="mean weight")


def bimodality(dataset: xr.Dataset) -> xr.DataArray:
    """Bimodality coefficient of the final weights, at each point.

    (skewness^2 + 1) / kurtosis: 1 for two values, 5/9 for the uniform distribution, 1/3 for the
    normal one (Sarle; Pfister et al. 2013, Frontiers in Psychology 4:700, for populations). NaN
    where all weights are the same.
    """

    def coefficient(part: xr.Dataset) -> xr.DataArray:
        weight = part["weight"].astype(float)
        deviation = weight - weight.mean("synapse")
        second, third, fourth = ((deviation**n).mean("synapse") for n in (2, 3, 4))
        spread = second.where(second > 1e-12)
        skewness, kurtosis = third / spread**1.5, fourth / spread**2
        return (skewness**2 + 1) / kurtosis

    result = by_pieces(coefficient, dataset[["weight"]].reset_coords(drop=True), axes(dataset))
    result.attrs = {"long_name": "bimodality coefficient of weights"}
    return result


def n_not_done(dataset: xr.Dataset) -> int:
    """Return the number of points that failed or are missing."""
    return int((dataset["status"] != 0).sum())


def silent(dataset: xr.Dataset) -> xr.DataArray:
    """Whether the neuron never fired, in all seeds that are done."""
    silent = dataset["spike_count"] == 0
    done = dataset["status"] == 0
    if SEED in silent.dims:
        return (silent | ~done).all(SEED) & done.any(SEED)
    return silent & done


def _history_at(dataset: xr.Dataset, time: float) -> xr.DataArray:
    history = dataset["weight_history"].sel(sample_time=time, method="nearest")
    return history.reset_coords("sample_time", drop=True)
