"""Runs until they have settled, and ten times longer."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

import pipeline
from analysis.measures import stationarity
from analysis.measures.stationarity import (
    QUANTITIES,
    SETTLED,
    STATIONARY,
    batch_means,
    by_quantity,
    tolerances,
    variation,
    variation_by_chance,
)
from analysis.reading.model import gross_step_per_spike

POINTS = Path(__file__).parent / "points.csv"

#: Keys by the columns of `points.csv`.
KEYS = {
    "rate_hz": "input.rate_hz",
    "effective_ltd_ratio": "stdp.effective_ltd_ratio",
    "A_plus": "stdp.A_plus",
    "tau_minus": "stdp.tau_minus",
}

#: The first points are those of a Sobol sequence near the balance of LTP and LTD, of which most
#: have to be answered; the next ones are far below it, where weights drift without end.
N_NEAR, N_FAR = 200, 40

#: Runs are looked at after 64 s times powers of 2, at most after `LIMIT` [ms].
FIRST, LIMIT = 64_000.0, 65_536_000.0

#: Samples of the weights in a run, and how much longer one goes on.
_N_SAMPLES, LONGER = 64, 10

#: Student's t with 7 degrees of freedom, as eight batches have, at 95 %.
_T = 2.365


@dataclass(frozen=True)
class Outcome:
    """What became of a point.

    Attributes
    ----------
    values : dict of str
        Its parameters, as in `points.csv`.
    answer : str
        Of `stationarity.ANSWERS`, by the run of length `time`.
    time : float
        When it was answered, or the limit [ms].
    rate : float
        Output rate over the last half of that run [Hz].
    off : ndarray of bool, (n_quantities,)
        Which of `QUANTITIES` differ after ten times as long by more than the tolerance and the
        errors explain.
    beyond : ndarray of bool, (n_quantities,)
        Which differ by more than the tolerance alone.
    covered : ndarray of bool, (5,), or None
        Whether the 95 % interval of a window as long as the settled one, at the beginning of the
        far half of the longer run, covers the mean of that half, for all but the histogram.
    """

    values: dict[str, str]
    answer: str
    time: float
    rate: float
    off: NDArray[np.bool_]
    beyond: NDArray[np.bool_]
    covered: NDArray[np.bool_] | None = None


def outcomes(n_points: int | None = None, limit: float = LIMIT) -> Iterator[Outcome]:
    """Yield the outcome of each point of `points.csv`, or of the first ones, in their order."""
    with POINTS.open(newline="") as lines:
        points = list(csv.DictReader(lines))[:n_points]
    yield from Parallel(n_jobs=-1, return_as="generator")(
        delayed(_outcome)(values, limit) for values in points
    )


def _outcome(values: dict[str, str], limit: float) -> Outcome:
    configuration = pipeline.configure(*(f"{KEYS[name]}={value}" for name, value in values.items()))
    time = FIRST
    while True:  # the same run, ever longer: it has the events of the shorter one
        run = _recorded(configuration, time, time / _N_SAMPLES)
        settled = stationarity.compared(*run)
        answer = stationarity.judged(settled).answer
        if answer in STATIONARY or 2 * time > limit:
            break
        time *= 2
    none = np.zeros(len(QUANTITIES), dtype=bool)
    rate = float(settled.means[0, 0])
    if answer not in STATIONARY:
        return Outcome(values, answer, time, rate, none, none)
    longer = _recorded(configuration, LONGER * time, time / _N_SAMPLES)
    far = stationarity.compared(*longer)
    change = by_quantity(np.abs(far.means[0] - settled.means[0]), variation)
    explained = 2 * by_quantity(np.hypot(far.error, settled.error), variation_by_chance)
    tolerance = tolerances(settled.means[0])
    off, beyond = change > tolerance + explained, change > tolerance
    if answer != SETTLED:
        return Outcome(values, answer, time, rate, off, beyond)
    first = LONGER * _N_SAMPLES // 2
    series = np.column_stack(longer[1:3])[first : first + _N_SAMPLES // 2]
    mean, error = batch_means(series)
    covered = np.abs(mean - far.means[0])[:5] <= _T * error[:5]
    return Outcome(values, answer, time, rate, off, beyond, covered)


def _recorded(
    configuration: pipeline.Configuration, duration: float, interval: float
) -> tuple[NDArray, NDArray, NDArray, float]:
    """Return the arguments of `stationarity.compared` for one run."""
    run = pipeline.simulate(
        configuration.replaced(
            {"simulation.duration": duration, "record.weight_interval": float(round(interval))}
        )
    )
    weights = stationarity.weight_statistics(run["weight_history"].values)
    step = float(gross_step_per_spike(run))
    return run["sample_time"].values, run["rate_history"].values, weights, step
