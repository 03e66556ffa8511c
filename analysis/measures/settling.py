"""Stationarity of the points of a dataset: runs judged one by one, and their mean over seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from analysis.measures import stationarity
from analysis.measures.chunks import by_chunks
from analysis.measures.seeds import SEED, least_over_seeds, swept_axes
from analysis.measures.stationarity import ANSWERS, NOT_RECORDED, QUANTITIES, STATIONARY
from analysis.reading.dataset import broadcast_to
from analysis.reading.model import gross_step_per_spike

#: Parts of a window that are compared for the settling time, and the errors of each allowed.
_N_QUARTERS = 4
_N_ERRORS_OF_A_QUARTER = 3

_ANSWER_TYPE = f"U{max(map(len, ANSWERS))}"


#: It is known to a factor only.
_SETTLING_TIME = {"long_name": "settled after", "units": "ms", "significant_digits": 2}


def settling(dataset: xr.Dataset) -> xr.Dataset:
    """Return whether output rate and weights have settled, since when, and what is still to come.

    The criterion is that of `analysis.measures.stationarity`, applied to each run; the changes and
    sampling errors of the runs of a point are averaged over its seeds.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` (...), dimensionless, `weight_history` (..., sample_time, synapse),
        dimensionless, and `rate_history` (..., sample_time) [Hz], with `sample_time` [ms].

    Returns
    -------
    Dataset, (...)
        Along the axes of the sweep without `seed`: `settled`, dimensionless, one of
        `stationarity.ANSWERS`; `settling_time` [ms], from which on the mean over seeds was as in
        the last half (`settled_since`), NaN where `settled` is none of
        `stationarity.STATIONARY`; `to_come` (..., quantity), the bound on what is still to come of
        each quantity as a multiple of its tolerance, dimensionless, NaN where it was not recorded.
    """
    kept = swept_axes(dataset)
    points = least_over_seeds(dataset["status"])
    if "weight_history" not in dataset:
        return _named(*_nothing_recorded(points), points)
    steps = broadcast_to(gross_step_per_spike(dataset), points)
    histories = {"weight": dataset["weight_history"], "rate": dataset["rate_history"]}
    needed = xr.Dataset(histories | {"step": steps, "status": points})
    return by_chunks(_judge_all, needed, kept)


def settled_since(time: ArrayLike, rate: ArrayLike, weights: NDArray[np.float64]) -> float:
    """Return the time from which on a run was as in its last half.

    Parameters
    ----------
    time : array_like, (n_samples,)
        Times of the samples [ms], rising, equally spaced within each window.
    rate : array_like, (n_samples,)
        Output rate since the sample before [Hz].
    weights : ndarray, (n_samples, n)
        As of `weight_statistics`, dimensionless.

    Returns
    -------
    float
        Time [ms], in quarters of the windows that begin at T/2, T/4, T/8, ... of a run of length T:
        the mean over none of the later quarters differs from that over the last half by more than
        the tolerance and three times its error, in any of `QUANTITIES`. Windows of fewer than four
        samples are not looked at, nor is what is before the first sample.
    """
    time, series = np.asarray(time, dtype=np.float64), np.column_stack([rate, weights])
    last, error = stationarity.batch_means(series[time > time[-1] / 2])
    chance = stationarity.by_quantity(error, stationarity.variation_by_chance)
    end = time[-1]
    while (chosen := np.flatnonzero((time > end / 2) & (time <= end))).size >= _N_QUARTERS:
        # Errors grow as windows get shorter.
        shorter = (_N_QUARTERS * time[-1] / end) ** (stationarity.FALLS / 2)
        allowed = stationarity.tolerances(last) + _N_ERRORS_OF_A_QUARTER * shorter * chance
        for quarter in reversed(np.array_split(chosen, _N_QUARTERS)):
            difference = np.abs(series[quarter].mean(axis=0) - last)
            if (stationarity.by_quantity(difference, stationarity.variation) > allowed).any():
                return float(time[quarter[-1]])
        end /= 2
    return float(max(end, time[0]))


def _nothing_recorded(points: xr.DataArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return answers, settling times and bounds of points without a history."""
    return (
        np.full(points.shape, NOT_RECORDED, dtype=_ANSWER_TYPE),
        np.full(points.shape, np.nan),
        np.full((*points.shape, len(QUANTITIES)), np.nan),
    )


def _judge_all(part: xr.Dataset) -> xr.Dataset:
    points = part["status"]
    settled, time, to_come = _nothing_recorded(points)
    seeds = [SEED] if SEED in part["weight"].dims else []
    weight = part["weight"].transpose(*points.dims, *seeds, "sample_time", "synapse").values
    rate = part["rate"].transpose(*points.dims, *seeds, "sample_time").values
    step = part["step"].transpose(*points.dims).values
    for index in np.ndindex(points.shape):
        n_samples, n_synapses = weight.shape[-2:]
        runs = _runs(
            part["sample_time"].values,
            weight[index].reshape(-1, n_samples, n_synapses),
            rate[index].reshape(-1, n_samples),
        )
        settled[index], time[index], to_come[index] = _judge(list(runs), float(step[index]))
    return _named(settled, time, to_come, points)


@dataclass(frozen=True)
class _Run:
    """The samples of one run: times [ms], output rate [Hz], statistics of the weights."""

    time: NDArray[np.float64]
    rate: NDArray[np.float64]
    weights: NDArray[np.float64]


def _runs(times: NDArray, weight: NDArray, rate: NDArray) -> Iterator[_Run]:
    """Yield the runs of a point that are done, without the padding of shorter ones."""
    for one, its_rate in zip(weight, rate, strict=True):
        synapses = np.isfinite(one[:1]).any(axis=0)
        n = int(np.isfinite(one[:, synapses]).all(axis=1).sum()) if synapses.any() else 0
        if n:
            statistics = stationarity.weight_statistics(one[:n, synapses])
            yield _Run(times[:n], its_rate[:n], statistics)


def _judge(runs: list[_Run], step: float) -> tuple[str, float, NDArray[np.float64]]:
    """Return answer, settling time and bounds of one point."""
    compared = [stationarity.compared(run.time, run.rate, run.weights, step) for run in runs]
    windows = [each for each in compared if each is not None]
    mean = stationarity.mean_of(windows) if windows else None
    judgement = stationarity.judged(mean)
    if mean is None or judgement.answer not in STATIONARY:
        return judgement.answer, np.nan, judgement.to_come
    rate, weights = (
        np.mean([getattr(run, name) for run in runs], axis=0) for name in ("rate", "weights")
    )
    time = settled_since(runs[0].time, rate, weights)
    return judgement.answer, time, judgement.to_come


def _named(settled: NDArray, time: NDArray, to_come: NDArray, points: xr.DataArray) -> xr.Dataset:
    coordinates = {dim: points[dim] for dim in points.dims}
    named = {
        "settled": (points.dims, settled, {"long_name": "whether rate and weights have settled"}),
        "settling_time": (points.dims, time, _SETTLING_TIME),
        "to_come": (
            (*points.dims, "quantity"),
            to_come,
            {"long_name": "bound on the change still to come, relative to its tolerance"},
        ),
    }
    return xr.Dataset(named, coordinates | {"quantity": list(QUANTITIES)})
