"""Runs until they have settled, and ten times longer."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
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
from pipeline.model.looks import SAMPLE_SPACING, SAMPLES_PER_LOOK
from pipeline.model.variables import FLAGS

POINTS = Path(__file__).parent / "points.csv"

#: Keys by the columns of `points.csv`.
KEYS = {
    "rate_hz": "input.rate_hz",
    "effective_ltd_ratio": "stdp.effective_ltd_ratio",
    "A_plus": "stdp.A_plus",
    "tau_minus": "stdp.tau_minus",
}

#: The column of the choice of the group `stdp`, with further overrides; empty for the notebook's.
CHOICE = "stdp"

#: The first points are those of a Sobol sequence near the balance of LTP and LTD, of which most
#: have to be answered; the next ones are far below it, where weights drift without end; then two
#: hard ones, those of other rules, and those of other input processes and with inhibition.
N_NEAR, N_FAR, N_HARD, N_RULES, N_INPUTS = 200, 40, 2, 40, 40

#: Longest time of a run [ms], which is looked at after 64 s times powers of 2.
LIMIT = 50_000_000.0

#: How many times as long a run with an answer then takes.
LONGER = 10

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


def points_listed() -> list[dict[str, str]]:
    """Return the parameters of all points of `points.csv`, in their order."""
    with POINTS.open(newline="") as lines:
        return list(csv.DictReader(lines))


def overrides_of(values: dict[str, str]) -> list[str]:
    """Return the overrides that set the parameters of a point."""
    choice, *further = values[CHOICE].split() or ["notebook"]
    numbers = [f"{key}={values[name]}" for name, key in KEYS.items() if values[name]]
    return [f"stdp={choice}", *further, *numbers]


def outcomes(
    points: Sequence[dict[str, str]], limit: float = LIMIT, n_jobs: int = -1
) -> Iterator[Outcome]:
    """Yield the outcome of each of some points of `points.csv`, in their order."""
    yield from Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_outcome)(values, limit) for values in points
    )


def _outcome(values: dict[str, str], limit: float) -> Outcome:
    configuration = pipeline.configure(
        *overrides_of(values),
        "simulation.until=settled",
        f"simulation.duration={limit}",
        "record=history",
        f"record.weight_interval={SAMPLE_SPACING}",
    )
    run = pipeline.simulate(configuration)
    answer, time = FLAGS[int(run["settled"])], float(run["run_duration"])
    settled = stationarity.compared(
        run["sample_time"].values,
        run["rate_history"].values,
        stationarity.weight_statistics(run["weight_history"].values),
        float(gross_step_per_spike(run)),
    )
    assert settled is not None
    assert answer == stationarity.judged(settled).answer  # of the file, by the analysis
    none = np.zeros(len(QUANTITIES), dtype=bool)
    rate = float(settled.means[0, 0])
    if answer not in STATIONARY:
        return Outcome(values, answer, time, rate, none, none)
    far_half = _last_samples(configuration, run, time, LONGER * SAMPLES_PER_LOOK)
    far_mean, far_error = batch_means(far_half)
    change = by_quantity(np.abs(far_mean - settled.means[0]), variation)
    explained = 2 * by_quantity(np.hypot(far_error, settled.error), variation_by_chance)
    tolerance = tolerances(settled.means[0])
    off, beyond = change > tolerance + explained, change > tolerance
    if answer != SETTLED:
        return Outcome(values, answer, time, rate, off, beyond)
    mean, error = batch_means(far_half[:SAMPLES_PER_LOOK])
    covered = np.abs(mean - far_mean)[:5] <= _T * error[:5]
    return Outcome(values, answer, time, rate, off, beyond, covered)


def _last_samples(
    configuration: pipeline.Configuration, run: xr.Dataset, time: float, n_samples: int
) -> NDArray[np.float64]:
    """Return the last samples of a run that goes on until it is `LONGER` times as long.

    They have the spacing of those of the last half of the earlier run, of `time` [ms]: rates [Hz]
    and weight statistics, (n_samples, n_statistics).
    """
    longer = configuration.replaced(
        {
            "simulation.until": "duration",
            "simulation.duration": (LONGER - 1) * time,
            "record.weight_interval": time / (2 * SAMPLES_PER_LOOK),
            "record.state": False,
        }
    )
    further = pipeline.simulate(longer, state=run)
    weights = stationarity.weight_statistics(further["weight_history"].values[-n_samples:])
    return np.column_stack([further["rate_history"].values[-n_samples:], weights])
