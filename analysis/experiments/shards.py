"""Shards of an experiment that are not merged, as one experiment."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

from analysis.reading.errors import LoadError
from analysis.reading.metadata import DIVISION, RESULTS, SHARDS, Metadata, read_metadata


def is_divided(folder: Path) -> bool:
    """Whether the directory of an experiment has shards."""
    return (folder / SHARDS / DIVISION).is_file()


def folded(folder: Path) -> tuple[Metadata | None, str]:
    """Return the metadata of all shards of an experiment as those of one file, and what they are.

    Points of shards without results count as missing.

    Parameters
    ----------
    folder : Path
        The directory of the experiment.

    Returns
    -------
    metadata : Metadata or None
        None if no shard has results yet.
    note : str
        Of how many shards, as "3 of 4 shards, not merged".
    """
    found = []
    for file in sorted((folder / SHARDS).glob(f"*/{RESULTS}")):
        try:
            found.append(read_metadata(file))
        except LoadError:  # it says so where it is listed itself
            continue
    number = _number_of(folder)
    note = f"{len(found)} of {number} shard{'s' if number != '1' else ''}, not merged"
    if not found:
        return None, note
    newest = max(found, key=lambda one: one.created.timestamp() if one.created else 0.0)
    done, failed = (sum(one.points[state] for one in found) for state in (0, 1))
    n_points = math.prod(len(axis.values) for axis in newest.axes)
    seconds = [one.seconds for one in found if one.seconds is not None]
    return dataclasses.replace(
        newest,
        points=(done, failed, max(0, n_points - done - failed)),
        n_not_settled=sum(one.n_not_settled for one in found),
        runs=[run for one in found if one is not newest for run in one.runs] + newest.runs,
        seconds=sum(seconds) if seconds else None,
    ), note


def _number_of(folder: Path) -> str:
    """Return the number of shards, "?" where the file that says so cannot be read."""
    try:
        return str(json.loads((folder / SHARDS / DIVISION).read_text())["shards"])
    except (OSError, ValueError, KeyError, TypeError):
        return "?"
