"""Find experiments below a directory, also those that were never gathered or are damaged."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from analysis.reading.errors import LoadError
from analysis.reading.metadata import RESULTS, Metadata, read_metadata

#: What an experiment keeps in folders of its own; no experiment is looked for in there.
_OWN = ("points", "figures")


@dataclass(frozen=True)
class Experiment:
    """A directory in which an experiment was begun.

    Attributes
    ----------
    name : str
        Its path from where the search began.
    metadata : Metadata or None
        What its results tell of it, if there are any.
    note : str
        Why there is none.
    when : datetime or None
        When its last run began; without a metadata, when anything was last written there.
    """

    name: str
    metadata: Metadata | None
    note: str
    when: datetime | None


def experiments(root: Path) -> Iterator[Experiment]:
    """Yield every experiment below a directory, or that directory itself; hidden ones left out."""
    places, seen = deque([root]), set()
    while places:
        place = places.popleft()
        name = str(place.relative_to(root))
        try:
            state = place.stat()
            inside = {entry.name: entry for entry in os.scandir(place)}
        except OSError as error:
            yield Experiment(name, None, f"cannot be read ({error.strerror})", None)
            continue
        if (state.st_dev, state.st_ino) in seen:
            continue  # a symbolic link led here again
        seen.add((state.st_dev, state.st_ino))
        own = ()
        if found := _experiment(name, place, inside):
            yield found
            own = _OWN
        for entry in inside.values():
            if _is_folder(entry) and entry.name not in own and not entry.name.startswith("."):
                # Links come last, so that what they lead to goes by its own name.
                (places.append if entry.is_symlink() else places.appendleft)(place / entry.name)


def _experiment(name: str, place: Path, inside: dict[str, os.DirEntry]) -> Experiment | None:
    if RESULTS in inside and inside[RESULTS].is_file():
        try:
            metadata = read_metadata(place / RESULTS)
        except LoadError as error:
            note = str(error).removeprefix(f"{place / RESULTS}: ")
            return Experiment(name, None, note, _changed(inside[RESULTS]))
        return Experiment(name, metadata, "", metadata.created)
    begun = [inside[mark] for mark in ("configuration.yaml", "points") if mark in inside]
    if not any(mark.name != "points" or mark.is_dir() for mark in begun):
        return None
    times = [time for time in map(_changed, begun) if time]
    return Experiment(name, None, "not gathered yet", max(times, default=None))


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to where this user may not look
        return False


def _changed(entry: os.DirEntry) -> datetime | None:
    try:
        return datetime.fromtimestamp(entry.stat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return None
