"""Stationarity of the points of a dataset: runs judged one by one, then summarised over seeds.

Runs of a duration that was given are of one length: their changes are averaged over seeds. Runs
that ended on their own were judged one by one, and their answers are in the file; each history is
looked at over its own time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from analysis.measures import stationarity
from analysis.measures.chunks import by_chunks
from analysis.measures.seeds import SEED, least_over_seeds, swept_axes
from analysis.measures.stationarity import (
    ANSWERS,
    CANNOT_FIRE,
    NO_SPIKE,
    NOT_RECORDED,
    NOT_SETTLED,
    QUANTITIES,
    SETTLED,
    STATIONARY,
    TOLERANCE,
)
from analysis.reading.dataset import broadcast_to
from analysis.reading.metadata import DONE
from analysis.reading.model import gross_step_per_spike
from analysis.reading.until import (
    answers_of_runs,
    ends_when_settled,
    run_durations,
    tolerances_of_runs,
)

#: Parts of a window that are compared for the settling time, and the errors of each allowed.
_N_QUARTERS = 4
_N_ERRORS_OF_A_QUARTER = 3

#: What there is of each run that ended on its own, beside its history.
_OF_RUNS = ("done", "ended", "allowed", "answer")

_ANSWER_TYPE = f"U{max(map(len, ANSWERS))}"


#: It is known to a factor only.
_SETTLING_TIME = {"long_name": "settled after", "units": "ms", "significant_digits": 2}


def settling(dataset: xr.Dataset) -> xr.Dataset:
    """Return whether output rate and weights have settled, since when, and what is still to come.

    The criterion is that of `analysis.measures.stationarity`, applied to each run; the changes and
    sampling errors of the runs of a point are averaged over its seeds. Of runs that ended when they
    had settled, the answers are those in the file, and that of a point is `answer_over_seeds`.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` (...), dimensionless, `weight_history` (..., sample_time, synapse),
        dimensionless, and `rate_history` (..., sample_time) [Hz], with `sample_time` [ms]; or, of
        runs until they have settled, with the flags `settled` (...), dimensionless, and
        `run_duration` (...) [ms], with or without histories.

    Returns
    -------
    Dataset, (...)
        Along the axes of the sweep without `seed`: `settled`, dimensionless, one of
        `stationarity.ANSWERS`; `settling_time` [ms], from which on the mean over seeds was as in
        the last half (`settled_since`), NaN where `settled` is none of
        `stationarity.STATIONARY`; `to_come` (..., quantity), the bound on what is still to come of
        each quantity as a multiple of its tolerance, dimensionless, NaN where it was not recorded.
        Of runs until they have settled, the latest time and the largest bound of any seed; without
        histories, the time is that of the longest run.
    """
    kept = swept_axes(dataset)
    points = least_over_seeds(dataset["status"])
    until, has_history = ends_when_settled(dataset), "weight_history" in dataset
    if not has_history and not until:
        return _named(*_nothing_recorded(points), points)
    needed = {"step": broadcast_to(gross_step_per_spike(dataset), points), "status": points}
    if has_history:
        needed |= {"weight": dataset["weight_history"], "rate": dataset["rate_history"]}
    if until:
        needed |= {"ended": run_durations(dataset), "done": dataset["status"] == DONE}
        needed |= {"allowed": tolerances_of_runs(dataset, TOLERANCE)}
        answers = answers_of_runs(dataset)
        needed |= {} if answers is None else {"answer": answers}
    return by_chunks(_judge_each if until else _judge_all, xr.Dataset(needed), kept)


def answer_over_seeds(answers: Collection[str]) -> str:
    """Return the answer of a point from those of its runs, which were judged one by one.

    Parameters
    ----------
    answers : collection of str
        Of `stationarity.ANSWERS`, of the runs that are done.

    Returns
    -------
    str
        That of all; `SETTLED` where all are stationary but unlike; `NO_SPIKE` where none fired;
        else `NOT_SETTLED`. `NOT_RECORDED` without any run.
    """
    given = set(answers)
    if len(given) <= 1:
        return next(iter(given), NOT_RECORDED)
    if given <= {*STATIONARY}:
        return SETTLED
    return NO_SPIKE if given <= {CANNOT_FIRE, NO_SPIKE} else NOT_SETTLED


def criterion(tolerance: float = TOLERANCE) -> str:
    """Return the criterion in words.

    Parameters
    ----------
    tolerance : float
        Of the mean weight and the shares, dimensionless; the others are in proportion to it.
    """
    times = tolerance / TOLERANCE
    rate, floor, histogram = (
        f"{times * one:.3g}"
        for one in (
            100 * stationarity.RATE_TOLERANCE,
            stationarity.RATE_FLOOR,
            stationarity.HISTOGRAM_TOLERANCE,
        )
    )
    return (
        f"over {2**stationarity.DOUBLINGS} times the run, the output rate will change by less than "
        f"{rate}\xa0% (or {floor}\xa0Hz), "
        f"the mean weight and the shares of weak and strong weights by less than {tolerance:g}, "
        f"their histogram by a total variation of less than {histogram}"
    )


def settled_since(
    time: ArrayLike,
    rate: ArrayLike,
    weights: NDArray[np.float64],
    tolerance: float = TOLERANCE,
) -> float:
    """Return the time from which on a run was as in its last half.

    Parameters
    ----------
    time : array_like, (n_samples,)
        Times of the samples [ms], rising, equally spaced within each window.
    rate : array_like, (n_samples,)
        Output rate since the sample before [Hz].
    weights : ndarray, (n_samples, n)
        As of `weight_statistics`, dimensionless.
    tolerance : float
        Of the mean weight and the shares, dimensionless; the others are in proportion to it.

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
        allowed = stationarity.tolerances(last) * (tolerance / TOLERANCE)
        allowed += _N_ERRORS_OF_A_QUARTER * shorter * chance
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


def _judge_each(part: xr.Dataset) -> xr.Dataset:
    """As `_judge_all`, of runs that ended on their own."""
    points = part["status"]
    settled, time, to_come = _nothing_recorded(points)
    leading = (*points.dims, *([SEED] if SEED in part["done"].dims else []))
    values = {
        str(name): one.transpose(*(dim for dim in leading if dim in one.dims), ...).values
        for name, one in part.data_vars.items()
    }
    each = {
        name: one.reshape(*points.shape, -1) for name, one in values.items() if name in _OF_RUNS
    }
    for index in np.ndindex(points.shape):
        found = []
        for seed in np.flatnonzero(each["done"][index]):
            run = (*index, seed)
            samples = _samples_of(part, values, run[: len(leading)])
            ended, allowed = (float(each[name][run]) for name in ("ended", "allowed"))
            answer = str(each["answer"][run]) if "answer" in each else None
            step = float(values["step"][index])
            found.append(_judge_one(samples, step, ended, allowed, answer))
        settled[index] = answer_over_seeds([answer for answer, _, _ in found])
        if settled[index] in STATIONARY:
            time[index] = max(since for _, since, _ in found)
        for _, _, bounds in found:
            to_come[index] = np.fmax(to_come[index], bounds)
    return _named(settled, time, to_come, points)


def _samples_of(part: xr.Dataset, values: dict[str, NDArray], run: tuple[int, ...]) -> _Run | None:
    """Return the samples of one run without padding; None if there is no history."""
    if "weight" not in values:
        return None
    times = part["sample_time"].values
    return next(
        _runs(times, values["weight"][run][np.newaxis], values["rate"][run][np.newaxis]), None
    )


def _judge_one(
    run: _Run | None, step: float, ended: float, tolerance: float, answer: str | None
) -> tuple[str, float, NDArray[np.float64]]:
    """Return answer, settling time and bounds of one run that ended on its own."""
    windows = None
    if run is not None:
        windows = stationarity.compared(run.time, run.rate, run.weights, step)
    judgement = stationarity.judged(windows, tolerance)
    # The run had all samples in full precision, its history may have fewer.
    answer = judgement.answer if answer is None else answer
    if run is not None and windows is not None and answer in STATIONARY:
        ended = settled_since(run.time, run.rate, run.weights, tolerance)
    return answer, ended, judgement.to_come


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
