"""What a reader should know before trusting an experiment: holes, silence, transients, origin."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from analysis.measures.measured import MeasuredDataset
from analysis.measures.stationarity import NO, NOT_RECORDED, TOO_SHORT
from analysis.reading.metadata import Metadata
from analysis.reading.values import canonical, written
from analysis.report.point_names import MOST_NAMED, all_named, named, places, shortened
from analysis.report.provenance import n_points_made, runs_of

FAILURES = "failures.csv"

#: Values of `status`.
_FAILED, _MISSING = 1, 2

#: Reason by the values of a point on all axes of its file.
Reasons = Mapping[tuple[str, ...], str]


@dataclass(frozen=True)
class Caution:
    """Something to know, and which points or runs it is about."""

    words: str
    about: Sequence[str] = ()


def cautions(study: MeasuredDataset, metadata: Metadata, folder: Path) -> list[Caution]:
    """Return what a reader of an experiment should know, the gravest first.

    Parameters
    ----------
    study : MeasuredDataset
        The experiment, or a part of it.
    metadata : Metadata
        Of its file.
    folder : path
        Where its file lies, and `failures.csv` if there is one.
    """
    found = [*_holes(study.dataset, metadata, folder)]
    if study.done.any():
        found += [*_behaviour(study)]
    return [*found, *_origin(study.dataset, metadata)]


def _holes(dataset: xr.Dataset, metadata: Metadata, folder: Path) -> Iterator[Caution]:
    status = dataset["status"]
    n = status.size
    if not (status == 0).any():
        yield Caution("No point is done: there is nothing to draw.")
    failed = places(status == _FAILED)
    if failed:
        reasons = _reasons(folder / FAILURES, metadata)
        words = [
            f"{named(status, place)}: {_reason(status.isel(place), metadata, reasons)}"
            for place in failed[:MOST_NAMED]
        ]
        yield Caution(f"Failed: {len(failed):,} of {n:,} points.", shortened(words, len(failed)))
    missing = status == _MISSING
    if missing.any():
        words = f"Missing, not run yet or nobody asked for them: {int(missing.sum()):,} of {n:,}"
        yield Caution(f"{words} points.", all_named(missing))


def _reasons(file: Path, metadata: Metadata) -> Reasons:
    """Return why points failed; of a table that is missing or damaged, nothing."""
    try:
        with file.open(newline="") as lines:
            return {
                tuple(_comparable(row[axis.key]) for axis in metadata.axes): row["reason"]
                for row in csv.DictReader(lines)
            }
    except (OSError, ValueError, KeyError, csv.Error):
        return {}


def _reason(point: xr.DataArray, metadata: Metadata, reasons: Reasons) -> str:
    """Return why a point failed, which has a value on all axes of the file, also those cut off."""
    values = tuple(_comparable(point[axis.name].item()) for axis in metadata.axes)
    return reasons.get(values, f"no reason in {FAILURES}")


def _comparable(value: object) -> str:
    """Return a value as text that is the same however the number was written."""
    try:
        return written(canonical(float(value)))
    except ValueError:
        return str(value)


def _behaviour(study: MeasuredDataset) -> Iterator[Caution]:
    """Yield what the neuron and its weights did that a figure of equilibrium would not show."""
    if study.silent.any():
        yield _counted("Silent, the neuron never fired and no weight rose", study.silent)
    answers = study.settling["settled"].where(study.done & ~study.silent, "")
    if (answers == NOT_RECORDED).any():
        yield Caution(
            "Equilibrium or a moment on the way to it: nothing tells, as no history of weights was "
            "recorded (record=history)."
        )
    for answer, words in (
        (NO, "Not settled, the weights were still on the way to equilibrium"),
        (TOO_SHORT, "Too short to tell whether the weights have settled"),
    ):
        if (answers == answer).any():
            yield _counted(words, answers == answer)


def _counted(words: str, chosen: xr.DataArray) -> Caution:
    """Say of how many cells something is true, and of which."""
    if not chosen.ndim:
        return Caution(f"{words}.")
    n, several = int(chosen.sum()), "points" if chosen.size > 1 else "point"
    return Caution(f"{words}: {n:,} of {chosen.size:,} {several}.", all_named(chosen))


def _origin(dataset: xr.Dataset, metadata: Metadata) -> Iterator[Caution]:
    """Yield what is odd about the code that made these points."""
    runs = runs_of(metadata)
    numbers = n_points_made(dataset, len(runs))
    shown = [i for i, n in enumerate(numbers) if n != 0]  # all, where nothing tells who made what
    dirty = [
        f"run {i + 1}, on top of {str(runs[i].get('git_commit', ''))[:10]}"
        for i in shown
        if str(runs[i].get("git_dirty")) == "true"
    ]
    if dirty:
        yield Caution(
            "Made by code that was changed and not committed; provenance.json keeps the changes.",
            shortened(dirty, len(dirty)),
        )
    commits = list(dict.fromkeys(str(runs[i].get("git_commit", "unknown")) for i in shown))
    if len(commits) > 1:
        yield Caution(
            f"Made by {len(commits)} commits of the code.", shortened(commits, len(commits))
        )
