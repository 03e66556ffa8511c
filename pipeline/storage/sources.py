"""Directories that are merged into another: read, and never written."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.composition.shard import Shard
from pipeline.model.errors import RequestError
from pipeline.request.spec import Request
from pipeline.storage.batch_files import batch_files_in, has_all_rows, names_of_points
from pipeline.storage.content import is_experiment
from pipeline.storage.directory import Directory
from pipeline.storage.lock import read_locked
from pipeline.storage.provenance import RunRecord
from pipeline.storage.shards import Division, division_of, refuse_not_merged, shards_in
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


class Source(Directory):
    """A directory that is merged: read, and never written.

    Parameters
    ----------
    path : Path
        The directory.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._seen: dict[str, bytes | None] = {}

    def request(self) -> Request | None:
        """Return the request, as `Directory.request` does, and note what it was read from."""
        self._note("configuration.yaml")
        return super().request()

    def runs(self) -> list[RunRecord]:
        """Return the runs, as `Directory.runs` does, and note what they were read from."""
        self._note("provenance.json")
        return super().runs()

    def _note(self, name: str) -> None:
        self._seen[name] = _content_of(self.path / name)

    def refuse_changed(self) -> None:
        """Refuse a directory in which a sweep has begun since its request and runs were read.

        A sweep writes both before its points: files of points that were listed before this check
        are of the request and of the runs that are known, also where nothing can be locked.

        Raises
        ------
        RequestError
            If one of the two files is another one now.
        """
        if any(_content_of(self.path / name) != seen for name, seen in self._seen.items()):
            raise RequestError(self.changed_meanwhile)

    @property
    def changed_meanwhile(self) -> str:
        """Why it cannot be merged now."""
        return f"{self.path}: was changed meanwhile; repeat the command"


def _content_of(file: Path) -> bytes | None:
    """Return the content of a file, None where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError:
        return None


def sources_of(path: Path) -> tuple[list[Source], Divided | None]:
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
        there = {i: shard for i, shard in shards_in(path).items() if is_experiment(shard)}
        folders += there.values()  # those of another number of shards too
        never_came = set(range(1, division.total + 1)) - there.keys()
        divided = Divided(path, division, tuple(never_came))
    for folder in folders:
        with read_locked(folder):  # refused at once where it is in use
            pass
    return [Source(folder) for folder in folders], divided


def take_points(source: Source, target: Directory, linked: bool) -> tuple[int, int]:
    """Give a directory the batch files of another; return how many were new, and how many damaged.

    Files are taken one after the other, each whole: after an interruption the rest is taken.

    Parameters
    ----------
    source : Source
        From where.
    target : Directory
        To where; it is held.
    linked : bool
        Whether the files may be links to those of the source, which nothing ever changes. Else, and
        where there are no links from one to the other, they are copies.

    Raises
    ------
    RequestError
        If a file cannot be read, or the source is changed meanwhile.
    StorageError
        If one cannot be written.
    """
    with read_locked(source.path):
        return _take_points(source, target, linked)


def _take_points(source: Source, target: Directory, linked: bool) -> tuple[int, int]:
    n_new = n_damaged = 0
    there = names_of_points(target.points)
    try:
        files = batch_files_in(source.points)
    except OSError as error:
        raise RequestError(f"{source.points}: cannot be read ({error.strerror})") from error
    source.refuse_changed()
    for file in files:
        if file.name in there or has_all_rows(file, there):
            continue
        try:
            found = file_checksum(file)
        except FileNotFoundError as error:  # compacted, where nothing can be locked
            raise RequestError(source.changed_meanwhile) from error
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


def refuse_hidden_shards(sources: Iterable[Directory], target: Path) -> None:
    """Refuse to merge into an experiment that has shards alone, unless these are merged.

    Raises
    ------
    RequestError
        If there is a shard that is none of the sources.
    """
    merged = {source.path.resolve() for source in sources}
    for shard in shards_in(target).values():
        if shard.resolve() not in merged and is_experiment(shard):
            refuse_not_merged(target)
