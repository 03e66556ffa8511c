"""Whether the weights have settled: if not, their distribution is a moment on the way.

The distribution of weights over the last quarter of a run is compared with that over the quarter
before, by the area between their cumulative distributions (Wasserstein's distance; the mean
distance by which weights would have to move). The answer is

- "yes", if they are the same within `TOLERANCE` although the weights kept moving, or all weights
  went to the bounds and stay there;
- "no", if they differ by more than that and more than by chance, or will in the end, as the change
  is not that much smaller than the one before;
- "too short", if there are too few samples, if the weights hardly moved in all of that time, as in
  a short run or with a neuron that is silent or nearly so, or if the difference may be chance;
- "not recorded", if the file has no history of weights (`record.weight_interval`).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures.chunks import by_pieces
from analysis.measures.seeds import least_over_seeds, swept_axes
from analysis.measures.weights import count_in_bins
from analysis.reading.dataset import parameter

YES, NO, TOO_SHORT, NOT_RECORDED = "yes", "no", "too short", "not recorded"

#: Distance between two distributions of weights that are called the same.
TOLERANCE = 0.01

#: A change counts if it is so many times what chance would do.
_BEYOND_CHANCE = 3

#: Over the last half weights must have moved this far: the root of their mean quadratic variation.
_LEAST_MOVED = 0.15

#: Of what is still to come no more is thought than ten times the last change.
_LARGEST_SHARE = 0.9

#: Weights at the bounds must have come from further away than this.
_FAR = 0.1

_LEAST_SAMPLES = 8
_N_BINS = 25

#: Mean size of a normal deviation of standard deviation 1.
_MEAN_DEVIATION = np.sqrt(2 / np.pi)


def settling(dataset: xr.Dataset) -> xr.Dataset:
    """Tell whether the weights have settled, and since when, seeds pooled.

    Returns
    -------
    Dataset, (...)
        Along the axes of the sweep without `seed`: `settled`, one of the four answers;
        `settling_time` [ms], from which on no sample's distribution differs from that of the last
        quarter by more than `TOLERANCE` and chance, which is less the more weights there are, NaN
        unless settled; `distance` between the last two quarters.
    """
    kept = swept_axes(dataset)
    points = least_over_seeds(dataset["status"])
    if "weight_history" not in dataset:
        nothing = xr.full_like(points, np.nan, dtype=float)
        return _named(xr.full_like(points, NOT_RECORDED, dtype="U12"), nothing, nothing)
    initial = parameter(dataset, "synapse.w_init").broadcast_like(points)
    needed = xr.Dataset({"history": dataset["weight_history"], "initial": initial})
    return by_pieces(lambda part: _judge_all(part, kept), needed, kept)


def _judge_all(part: xr.Dataset, kept: list[str]) -> xr.Dataset:
    history = part["history"].transpose(*kept, "sample_time", ...)
    initial = part["initial"].transpose(*kept)
    times = part["sample_time"].values
    shape = history.shape[: len(kept)]
    pools = history.values.reshape(*shape, times.size, -1)
    answers = np.full(shape, TOO_SHORT, dtype="U12")
    settling_time, distance = np.full(shape, np.nan), np.full(shape, np.nan)
    for place in np.ndindex(shape):
        judged = _judge(pools[place], times, initial.values[place])
        answers[place], settling_time[place], distance[place] = judged
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


def _judge(samples: NDArray, times: NDArray, w_init: float) -> tuple[str, float, float]:
    """Return answer, settling time and distance of one pool, `(n_samples, n_synapses)`."""
    samples = samples[:, np.isfinite(samples).any(axis=0)]  # what is done
    n = int(np.isfinite(samples).all(axis=1).sum()) if samples.size else 0
    if n < _LEAST_SAMPLES:
        return TOO_SHORT, np.nan, np.nan
    samples, times = samples[:n], times[:n]
    quarter = n // 4
    last, before = samples[n - quarter :], samples[n - 2 * quarter : n - quarter]
    change = _cumulative(last.T) - _cumulative(before.T)
    distance = float(_area(change.mean(axis=0)))
    chance = float(_area(_MEAN_DEVIATION * change.std(axis=0) / np.sqrt(len(change))))
    significant = distance > _BEYOND_CHANCE * chance
    earlier = samples[n - 3 * quarter : n - 2 * quarter]
    change_before = _area((_cumulative(before) - _cumulative(earlier)).mean(axis=0))
    if significant and _in_the_end(distance, float(change_before)) > TOLERANCE:
        return NO, np.nan, distance
    if distance > TOLERANCE:
        return TOO_SHORT, np.nan, distance
    at_bounds = np.abs(last - 0.5).mean() > 0.5 - TOLERANCE
    if at_bounds and np.abs(last - w_init).mean() > _FAR:
        return YES, _settling_time(samples, times, quarter), distance
    moved = np.sqrt((np.diff(samples[n - 2 * quarter :], axis=0) ** 2).sum(axis=0).mean())
    if moved < _LEAST_MOVED:
        return TOO_SHORT, np.nan, distance
    return YES, _settling_time(samples, times, quarter), distance


def _in_the_end(change: float, before: float) -> float:
    """Return all that is still to come if each change is a constant share of the one before."""
    share = min(change / before, _LARGEST_SHARE) if before > 0 else _LARGEST_SHARE
    return change / (1 - share)


def _settling_time(samples: NDArray, times: NDArray, quarter: int) -> float:
    """Return the time of the first sample from which on all look like the last quarter."""
    each = _cumulative(samples)
    reference = each[-quarter:].mean(axis=0)
    variance = reference * (1 - reference) / samples.shape[1]
    chance = _area(_MEAN_DEVIATION * np.sqrt(variance))
    unlike = _area(each - reference) > TOLERANCE + _BEYOND_CHANCE * chance
    since = np.flatnonzero(unlike)[-1] + 1 if unlike.any() else 0
    return float(times[min(since, len(times) - 1)])


def _cumulative(rows: NDArray) -> NDArray:
    """Return the cumulative distribution of each row over bins of [0, 1]; `(n_rows, n_bins)`."""
    return count_in_bins(rows, _N_BINS).cumsum(axis=1) / rows.shape[1]


def _area(difference: NDArray) -> NDArray:
    """Return the area between two cumulative distributions, over the last dimension."""
    return np.abs(difference).mean(axis=-1)
