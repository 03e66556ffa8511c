"""Directories that are merged into another: read, and never written."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.composition.shard import Shard
from pipeline.model.errors import RequestError
from pipeline.storage.batch_files import batch_files_in, has_all_rows, names_of_points
from pipeline.storage.content import is_experiment
from pipeline.storage.directory import Directory
from pipeline.storage.shards import SHARDS, Division, division_of
from pipeline.system.atomic_files import copy_file, file_checksum, link_file

log = logging.getLogger("pipeline")


@dataclass(frozen=True)
class Divided:
    """An experiment with shards that is merged.

    Attributes
    ----------
    path : Path
        The directory of the experiment, `outputs/NAME`.
    division : Division
        How it is divided.
    never_came : tuple of int
        The numbers of the shards that have no directory.
    """

    path: Path
    division: Division
    never_came: tuple[int, ...]

    def shards(self) -> Iterable[Shard]:
        """Return all shards, those that never came too."""
        return (Shard(i, self.division.total) for i in range(1, self.division.total + 1))


def sources_of(path: Path) -> tuple[list[Directory], Divided | None]:
    """Return the directories with points that an experiment consists of, and how it is divided.

    Parameters
    ----------
    path : Path
        The directory of the experiment; its own points come first, then those of its shards.

    Raises
    ------
    RequestError
        If it is no experiment, or another process writes in one of them.
    """
    division = division_of(path) if path.is_dir() else None
    folders = [path] if path.is_dir() and is_experiment(path) else []
    if division is None and not folders:
        raise RequestError(f"{path}: must be the directory of an experiment")
    divided = None
    if division is not None:
        shards = {i: path / SHARDS / str(i) for i in range(1, division.total + 1)}
        there = {i: shard for i, shard in shards.items() if is_experiment(shard)}
        folders += there.values()
        divided = Divided(path, division, tuple(shards.keys() - there.keys()))
    for folder in folders:
        _refuse_in_use(folder)
    return [Directory(folder) for folder in folders], divided


def _refuse_in_use(folder: Path) -> None:
    """Refuse a directory in which another process writes; one that cannot be locked is read."""
    try:
        with (folder / ".lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = lock.read().strip() or "another sweep"
                raise RequestError(
                    f"{folder}: {holder} is writing there; merge it when that has ended"
                ) from None
    except OSError:  # never locked, or on a file system without locks
        return


def take_points(source: Directory, target: Directory, linked: bool) -> tuple[int, int]:
    """Give a directory the batch files of another; return how many were new, and how many damaged.

    Files are taken one after the other, each whole: after an interruption the rest is taken.

    Parameters
    ----------
    source, target : Directory
        From where, and to where; the target is held.
    linked : bool
        Whether the files may be links to those of the source, which nothing ever changes. Else, and
        where there are no links from one to the other, they are copies.

    Raises
    ------
    RequestError
        If a file cannot be read.
    StorageError
        If one cannot be written.
    """
    n_new = n_damaged = 0
    there = names_of_points(target.points)
    for file in batch_files_in(source.points):
        if file.name in there or has_all_rows(file, there):
            continue
        try:
            found = file_checksum(file)
        except OSError as error:
            raise RequestError(f"{file}: cannot be read ({error.strerror})") from error
        if found not in file.name:
            log.warning("%s is damaged; its points are left out", file)
            n_damaged += 1
            continue
        placed = target.points / f"{found}.npz"
        if placed.name not in there:
            (link_file if linked else copy_file)(file, placed)
            there.add(placed.name)
            n_new += 1
    return n_new, n_damaged


def is_same_folder(one: Path, other: Path) -> bool:
    """Whether two paths are of one folder; False where one of them does not exist."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def refuse_itself(sources: Iterable[Directory], target: Path) -> None:
    """Refuse to merge a directory into itself.

    Raises
    ------
    RequestError
        If the target is one of the sources.
    """
    if any(is_same_folder(source.path, target) for source in sources):
        raise RequestError(f"--into {target}: must be another directory than those that are merged")
