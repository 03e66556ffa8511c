"""Data-quality warnings: failed and missing points, unstable steps, silence, transients, code."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis.measures.coverage import theory_gap
from analysis.measures.measured import N_WITHOUT_SPIKE, MeasuredDataset
from analysis.measures.settling import criterion
from analysis.measures.stationarity import (
    ANSWERS,
    CANNOT_FIRE,
    NO_SPIKE,
    NOT_RECORDED,
    NOT_SETTLED,
    TOLERANCE,
)
from analysis.reading.dataset import parameter
from analysis.reading.metadata import DONE, FAILED, MISSING, Metadata
from analysis.reading.model import has_equilibrium, parameter_or
from analysis.reading.until import answers_of_runs, tolerances_of_runs
from analysis.reading.values import canonical, written
from analysis.report.point_names import MAX_NAMED, all_named, indices, named, shortened
from analysis.report.provenance import n_points_made, runs_of

FAILURES = "failures.csv"

#: Ratio of the time step to the shortest time constant of the potential's equations from which on
#: it is coarse. A factor (1 - dt/tau) per step is a decay with -dt / log(1 - dt/tau), about
#: tau - dt/2: at this ratio 5 % below tau. At 0.2 the tutorial's rates at equilibrium are 10 to
#: 17 % too low.
COARSE_STEP = 0.1

#: Keys of the time constants, what each is of, and a key that is above 0 where it has an effect.
_TIME_CONSTANTS = (
    ("neuron.tau_m", "the membrane", None),
    ("synapse.tau_ex", "the synapses", None),
    ("inhibition.tau_in", "inhibition", "inhibition.n_synapses"),
    ("neuron.tau_theta", "the threshold", "neuron.theta_plus"),
)

#: Reason by the values of a point on all axes of its file.
Reasons = Mapping[tuple[str, ...], str]


@dataclass(frozen=True)
class QualityWarning:
    """A warning, and the points or runs that it concerns."""

    text: str
    about: Sequence[str] = ()

    @property
    def paragraph(self) -> str:
        """Text and points, one sentence after the other."""
        return self.text + "".join(f" {about}." for about in self.about)


def quality_warnings(
    measured: MeasuredDataset, metadata: Metadata, folder: Path
) -> list[QualityWarning]:
    """Return the data-quality warnings of an experiment, the most serious ones first.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are reported.
    metadata : Metadata
        Of the whole file.
    folder : path
        Directory of the results and of `failures.csv`, if there is one.
    """
    found = [*_not_done(measured.dataset, metadata, folder)]
    found += warnings_of_points(measured)
    return [*found, *_code(measured.dataset, metadata)]


def warnings_of_points(measured: MeasuredDataset) -> list[QualityWarning]:
    """Return the warnings of the points that are done: integration, behaviour, time step.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are reported.
    """
    if not measured.done.any():
        return []
    dataset = measured.dataset
    return [*_integration(dataset), *_behaviour(measured), *_time_step(dataset)]


def _not_done(dataset: xr.Dataset, metadata: Metadata, folder: Path) -> Iterator[QualityWarning]:
    status = dataset["status"]
    n = status.size
    if not (status == DONE).any():
        yield QualityWarning("No point is done: there is nothing to draw.")
    failed = indices(status == FAILED)
    if failed:
        reasons = _reasons(folder / FAILURES, metadata)
        points = [
            f"{named(status, index)}: {_reason(status.isel(index), metadata, reasons)}"
            for index in failed[:MAX_NAMED]
        ]
        text = f"Failed: {len(failed):,} of {n:,} points."
        yield QualityWarning(text, shortened(points, len(failed)))
    missing = status == MISSING
    if missing.any():
        why = "not run yet or not requested"
        if shard := dataset.attrs.get("shard"):
            why += f", or of other shards than {shard}, which is all that the file holds"
        text = f"Missing, {why}: {int(missing.sum()):,} of {n:,} points."
        yield QualityWarning(text, all_named(missing))


def _reasons(file: Path, metadata: Metadata) -> Reasons:
    """Return the reasons of failed points; none if the table is missing or damaged."""
    try:
        with file.open(newline="") as lines:
            return {
                tuple(_comparable(row[axis.key]) for axis in metadata.axes): row["reason"]
                for row in csv.DictReader(lines)
            }
    except (OSError, ValueError, KeyError, csv.Error):
        return {}


def _reason(point: xr.DataArray, metadata: Metadata, reasons: Reasons) -> str:
    """Return the reason of a failed point, by its values on all axes of the file."""
    values = tuple(_comparable(point[axis.name].item()) for axis in metadata.axes)
    return reasons.get(values, f"no reason in {FAILURES}")


def _comparable(value: Any) -> str:
    """Return a value as text in which equal numbers are equal."""
    try:
        return written(canonical(float(value)))
    except ValueError:
        return str(value)


def _integration(dataset: xr.Dataset) -> Iterator[QualityWarning]:
    """Yield a warning of points at which the Euler step was unstable, or may have been."""
    done = dataset["status"] == DONE
    overshoot = dataset.get("euler_overshoot", xr.full_like(done, float("nan"), dtype=float))
    unstable = done & (overshoot > 0)
    if unstable.any():
        text = "Unstable integration, a smaller simulation.dt is needed: it is up to "
        text += f"{1 + float(overshoot.max()):.3g} times the effective membrane time constant"
        yield _counted(f"{text} tau_m / (1 + g)", unstable)
    if (done & overshoot.isnull()).any():
        yield QualityWarning("Stability of the integration not recorded, by an earlier version.")


def _time_step(dataset: xr.Dataset) -> Iterator[QualityWarning]:
    """Yield a warning of points whose time step is coarse."""
    dt = parameter(dataset, "simulation.dt")
    coarse, found = xr.DataArray(False), []
    for key, name, present in _TIME_CONSTANTS:
        short = dt >= COARSE_STEP * parameter_or(dataset, key, np.inf)
        if present:  # not in place: the one may be an axis that the other is not
            short = short & (parameter_or(dataset, present, 0) > 0)
        found += [name] if short.any() else []
        coarse = coarse | short
    text = (
        f"Coarse time step, at least a tenth of the time constant of {' and '.join(found)}, which "
        "acts at least 5 % shorter: rates may be biased; compare with a smaller simulation.dt"
    )
    if coarse.ndim and coarse.any():
        yield _counted(text, (dataset["status"] == DONE) & coarse)
    elif coarse.any():
        yield QualityWarning(f"{text}.")


def _behaviour(measured: MeasuredDataset) -> Iterator[QualityWarning]:
    """Yield warnings of silent points, and of weights that are not known to have settled."""
    if measured.until_settled:
        yield from _of_runs_until_settled(measured)
    else:
        yield from _of_given_durations(measured)
    for gap in theory_gap(measured.dataset):
        yield QualityWarning(f"No theory is drawn where {gap}.")


def _of_given_durations(measured: MeasuredDataset) -> Iterator[QualityWarning]:
    if measured.silent.any():
        text = "Silent, the neuron never fired and no weight increased"
        yield _counted(text, measured.silent, measured.has_seeds)
    if not has_equilibrium(measured.dataset):
        return
    answers = measured.settling["settled"].where(measured.done & ~measured.silent, "")
    if (answers == NOT_RECORDED).any():
        yield QualityWarning(
            "Weight history not recorded (record=history): equilibrium cannot be assessed."
        )
    for answer in (NOT_SETTLED, NO_SPIKE):
        if (answers == answer).any():
            text = f"{answer.capitalize()}, {ANSWERS[answer]}"
            yield _counted(text, answers == answer, measured.has_seeds)
    if (answers == NOT_SETTLED).any():
        yield _what_is_settled(measured)


def _of_runs_until_settled(measured: MeasuredDataset) -> Iterator[QualityWarning]:
    """Yield warnings of points without an equilibrium: what is known of them, and what to do."""
    answers = measured.settling["settled"].where(measured.done, "")
    texts = {CANNOT_FIRE: _cannot_fire, NO_SPIKE: _within_the_limit, NOT_SETTLED: _go_on}
    for answer, text in texts.items():
        chosen = answers == answer
        if chosen.any():
            yield _counted(text(measured, chosen), chosen, measured.has_seeds)
    if (answers == NOT_SETTLED).any():
        yield _what_is_settled(measured)


def _cannot_fire(measured: MeasuredDataset, chosen: xr.DataArray) -> str:
    return f"Cannot fire, {ANSWERS[CANNOT_FIRE]}"


def _within_the_limit(measured: MeasuredDataset, chosen: xr.DataArray) -> str:
    half = float(measured.last_halves.where(chosen).min())
    return (
        f"No output spike within the limit, none in the last half of the run, T = {half:,g} s: the "
        f"rate there is below 3/T = {N_WITHOUT_SPIKE / half:.2g} Hz (95 % confidence), "
        "no equilibrium"
    )


def _go_on(measured: MeasuredDataset, chosen: xr.DataArray) -> str:
    # Of the runs that had not: others of the same combination may have settled long before.
    each = answers_of_runs(measured.dataset)
    is_open = chosen if each is None else chosen & each.isin([NOT_SETTLED, NO_SPIKE])
    last = float(measured.run_duration.where(is_open).max())
    return (
        f"Not settled within the limit, when last looked at after {last:,g} s: with "
        f"simulation.duration={2000 * last:.0f} [ms] or more the same command lets them go on"
    )


def _what_is_settled(measured: MeasuredDataset) -> QualityWarning:
    known = np.unique(tolerances_of_runs(measured.dataset, TOLERANCE)).tolist()
    least, *more = known
    smaller = " (of the smallest settle.tolerance)" if more else ""
    return QualityWarning(f"Settled are those of which, {criterion(least)}{smaller}.")


def _counted(text: str, chosen: xr.DataArray, over_seeds: bool = False) -> QualityWarning:
    """Return a warning with the number and the names of the points that it concerns.

    What is judged over several seeds is a parameter combination, not a point, which is one run.
    """
    if not chosen.ndim:
        return QualityWarning(f"{text}.")
    n, noun = int(chosen.sum()), "parameter combination" if over_seeds else "point"
    points = noun if chosen.size == 1 else f"{noun}s"
    return QualityWarning(f"{text}: {n:,} of {chosen.size:,} {points}.", all_named(chosen))


def _code(dataset: xr.Dataset, metadata: Metadata) -> Iterator[QualityWarning]:
    """Yield warnings of uncommitted changes, and of several commits."""
    runs = runs_of(metadata)
    numbers = n_points_made(dataset, len(runs))
    shown = [i for i, n in enumerate(numbers) if n != 0]  # all runs if `made_by` is not recorded
    dirty = [
        f"run {i + 1}, on top of {str(runs[i].get('git_commit', ''))[:10]}"
        for i in shown
        if str(runs[i].get("git_dirty")) == "true"
    ]
    if dirty:
        text = "Made by code with uncommitted changes, which are kept in provenance.json."
        yield QualityWarning(text, shortened(dirty, len(dirty)))
    commits = list(dict.fromkeys(str(runs[i].get("git_commit", "unknown")) for i in shown))
    if len(commits) > 1:
        text = f"Made by {len(commits)} commits of the code."
        yield QualityWarning(text, shortened(commits, len(commits)))
