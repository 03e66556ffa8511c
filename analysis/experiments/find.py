"""Find experiments below a directory, including those without or with damaged `results.nc`."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from analysis.experiments.shards import folded, is_divided
from analysis.reading.errors import LoadError
from analysis.reading.metadata import RESULTS, SHARDS, Metadata, read_metadata

#: Folders within an experiment directory that are not searched.
_OWN = ("points", "figures", SHARDS)


@dataclass(frozen=True)
class Experiment:
    """An experiment directory.

    Attributes
    ----------
    name : str
        Its path relative to the root of the search.
    metadata : Metadata or None
        Metadata of its `results.nc`, or of all of its shards; None if that is absent or unreadable.
    note : str
        The reason why there are no metadata, or how many shards they are of.
    when : datetime or None
        Start of its last run; without metadata, the time of its last modification.
    """

    name: str
    metadata: Metadata | None
    note: str
    when: datetime | None


def experiments(root: Path) -> Iterator[Experiment]:
    """Yield all experiments below a directory and the directory itself, hidden folders excluded.

    A folder that is reached twice, through symbolic links, is searched once.
    """
    folders, seen = deque([root]), set()
    while folders:
        folder = folders.popleft()
        name = str(folder.relative_to(root))
        try:
            state = folder.stat()
            entries = {entry.name: entry for entry in os.scandir(folder)}
        except OSError as error:
            yield Experiment(name, None, f"cannot be read ({error.strerror})", None)
            continue
        if (state.st_dev, state.st_ino) in seen:
            continue
        seen.add((state.st_dev, state.st_ino))
        found = _experiment(name, folder, entries)
        if found:
            yield found
        for entry in entries.values():
            if not _is_folder(entry) or entry.name.startswith("."):
                continue
            if found and entry.name in _OWN:
                continue
            # Links are searched last, so that an experiment is listed by its own path.
            (folders.append if entry.is_symlink() else folders.appendleft)(folder / entry.name)


def _experiment(
    name: str, folder: Path, entries: Mapping[str, os.DirEntry[str]]
) -> Experiment | None:
    if RESULTS in entries and entries[RESULTS].is_file():
        try:
            metadata = read_metadata(folder / RESULTS)
        except LoadError as error:
            note = str(error).removeprefix(f"{folder / RESULTS}: ")
            return Experiment(name, None, note, _modified(entries[RESULTS]))
        return Experiment(name, metadata, "", metadata.created)
    if SHARDS in entries and is_divided(folder):
        united, note = folded(folder)
        when = united.created if united else _modified(entries[SHARDS])
        return Experiment(name, united, note, when)
    begun = [entries[mark] for mark in ("configuration.yaml", "points") if mark in entries]
    if not any(mark.name != "points" or mark.is_dir() for mark in begun):
        return None
    times = [time for time in map(_modified, begun) if time]
    return Experiment(name, None, f"no {RESULTS} yet", max(times, default=None))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to a folder without permission
        return False


def _modified(entry: os.DirEntry[str]) -> datetime | None:
    try:
        return datetime.fromtimestamp(entry.stat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return None
