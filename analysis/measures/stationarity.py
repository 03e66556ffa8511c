"""Stationarity of the weight distribution.

The distribution of weights over the last quarter of a run is compared with that over the quarter
before, by the area between their cumulative distributions: Wasserstein's distance, the mean
displacement that turns one into the other. The answer is

- "yes" if they are equal within `TOLERANCE` although the weights kept moving, or if all weights
  reached the bounds and stay there;
- "no" if they differ by more than `TOLERANCE` and more than by chance, or are extrapolated to do
  so, as the change between quarters decays too slowly;
- "too short" if there are too few samples, if the weights hardly moved in the second half, as in a
  short run or with a neuron that is silent or nearly so, or if the difference may be chance;
- "not recorded" if the file has no history of weights (`record.weight_interval`).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures.chunks import by_chunks
from analysis.measures.seeds import least_over_seeds, swept_axes
from analysis.measures.weights import count_in_bins
from analysis.reading.dataset import broadcast_to, parameter

YES, NO, TOO_SHORT, NOT_RECORDED = "yes", "no", "too short", "not recorded"

#: Largest distance between two weight distributions that count as equal.
TOLERANCE = 0.01

#: A change is significant if it exceeds that expected by chance by this factor.
_CHANCE_FACTOR = 3

#: Minimum root mean quadratic variation of the weights over the second half.
_MIN_MOVED = 0.15

#: Largest ratio of successive changes that is extrapolated: at most ten times the last change.
_MAX_RATIO = 0.9

#: Minimum mean distance between the initial weights and the bounds that they have reached.
_MIN_DISPLACEMENT = 0.1

_MIN_SAMPLES = 8
_N_BINS = 25

#: Mean absolute deviation of the standard normal distribution.
_MEAN_DEVIATION = np.sqrt(2 / np.pi)


def settling(dataset: xr.Dataset) -> xr.Dataset:
    """Test whether the weight distribution is stationary, and since when, seeds pooled.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` (...), dimensionless, and `weight_history` (..., sample_time,
        synapse), dimensionless, with `sample_time` [ms].

    Returns
    -------
    Dataset, (...)
        Along the axes of the sweep without `seed`: `settled`, dimensionless, one of the four
        answers; `settling_time` [ms], the first sample after which no sample's distribution differs
        from that of the last quarter by more than `TOLERANCE` and chance (which decreases with the
        number of weights), NaN unless settled; `distance`, dimensionless, between the last two
        quarters.
    """
    kept = swept_axes(dataset)
    points = least_over_seeds(dataset["status"])
    if "weight_history" not in dataset:
        nothing = xr.full_like(points, np.nan, dtype=float)
        return _named(xr.full_like(points, NOT_RECORDED, dtype="U12"), nothing, nothing)
    initial = broadcast_to(parameter(dataset, "synapse.w_init"), points)
    needed = xr.Dataset({"history": dataset["weight_history"], "initial": initial})
    return by_chunks(lambda part: _judge_all(part, kept), needed, kept)


def _judge_all(part: xr.Dataset, kept: list[str]) -> xr.Dataset:
    history = part["history"].transpose(*kept, "sample_time", ...)
    initial = part["initial"].transpose(*kept)
    times = part["sample_time"].values
    shape = history.shape[: len(kept)]
    pools = history.values.reshape(*shape, times.size, -1)
    answers = np.full(shape, TOO_SHORT, dtype="U12")
    settling_time, distance = np.full(shape, np.nan), np.full(shape, np.nan)
    for index in np.ndindex(shape):
        judged = _judge(pools[index], times, np.float64(initial.values[index]))
        answers[index], settling_time[index], distance[index] = judged
    coordinates = {dim: part[dim] for dim in kept}
    arrays = (answers, settling_time, distance)
    return _named(*(xr.DataArray(array, coordinates, kept) for array in arrays))


def _named(settled: xr.DataArray, time: xr.DataArray, distance: xr.DataArray) -> xr.Dataset:
    return xr.Dataset(
        {
            "settled": settled.assign_attrs(long_name="whether the weights have settled"),
            "settling_time": time.assign_attrs(long_name="settled after", units="ms"),
            "distance": distance.assign_attrs(long_name="change between the last two quarters"),
        }
    )


def _judge(samples: NDArray, times: NDArray, w_init: np.float64) -> tuple[str, float, float]:
    """Return answer, settling time and distance of one pool, `(n_samples, n_synapses)`."""
    samples = samples[:, np.isfinite(samples).any(axis=0)]  # of points that are done
    n = int(np.isfinite(samples).all(axis=1).sum()) if samples.size else 0
    if n < _MIN_SAMPLES:
        return TOO_SHORT, np.nan, np.nan
    samples, times = samples[:n], times[:n]
    quarter = n // 4
    last, before = samples[n - quarter :], samples[n - 2 * quarter : n - quarter]
    change = _cumulative(last.T) - _cumulative(before.T)
    distance = float(_area(change.mean(axis=0)))
    chance = float(_area(_MEAN_DEVIATION * change.std(axis=0) / np.sqrt(len(change))))
    significant = distance > _CHANCE_FACTOR * chance
    earlier = samples[n - 3 * quarter : n - 2 * quarter]
    change_before = _area((_cumulative(before) - _cumulative(earlier)).mean(axis=0))
    if significant and _extrapolated(distance, float(change_before)) > TOLERANCE:
        return NO, np.nan, distance
    if distance > TOLERANCE:
        return TOO_SHORT, np.nan, distance
    at_bounds = np.abs(last - 0.5).mean() > 0.5 - TOLERANCE
    if at_bounds and np.abs(last - w_init).mean() > _MIN_DISPLACEMENT:
        return YES, _settling_time(samples, times, quarter), distance
    moved = np.sqrt((np.diff(samples[n - 2 * quarter :], axis=0) ** 2).sum(axis=0).mean())
    if moved < _MIN_MOVED:
        return TOO_SHORT, np.nan, distance
    return YES, _settling_time(samples, times, quarter), distance


def _extrapolated(change: float, before: float) -> float:
    """Return the sum of all further changes if they decay as a geometric series."""
    ratio = min(change / before, _MAX_RATIO) if before > 0 else _MAX_RATIO
    return change / (1 - ratio)


def _settling_time(samples: NDArray, times: NDArray, quarter: int) -> float:
    """Return the time of the first sample after which all are like the last quarter."""
    each = _cumulative(samples)
    reference = each[-quarter:].mean(axis=0)
    variance = reference * (1 - reference) / samples.shape[1]
    chance = _area(_MEAN_DEVIATION * np.sqrt(variance))
    unlike = _area(each - reference) > TOLERANCE + _CHANCE_FACTOR * chance
    since = np.flatnonzero(unlike)[-1] + 1 if unlike.any() else 0
    return float(times[min(since, len(times) - 1)])


def _cumulative(rows: NDArray) -> NDArray:
    """Return the cumulative distribution of each row over bins of [0, 1]; `(n_rows, n_bins)`."""
    return count_in_bins(rows, _N_BINS).cumsum(axis=1) / rows.shape[1]


def _area(difference: NDArray) -> NDArray:
    """Return the area between two cumulative distributions, over the last dimension."""
    return np.abs(difference).mean(axis=-1)
