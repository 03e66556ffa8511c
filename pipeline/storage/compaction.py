"""Many small files of finished batches are written anew as one, while a sweep goes on.

A batch is about a second of work, so that a long sweep of long runs would leave more files than a
file system likes. Nothing is lost at any moment: the new file is complete before others are
removed, and rows that are in two files are the same.
"""

from __future__ import annotations

import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.batch_files import (
    COMPACTED,
    COMPACTED_ROWS,
    MADE_BY,
    NOT_BY_ROW,
    STATE_ENDS,
    FileColumns,
    RowsOf,
    compacted_in,
    write_columns,
)
from pipeline.system.atomic_files import StorageError

log = logging.getLogger("pipeline")

#: Largest size of a file that is compacted [bytes].
SMALL = 1_000_000

#: As many files of one run become one, or fewer that have this size together [bytes].
MANY, TOGETHER = 256, 32_000_000


class Compaction:
    """The small batch files of a directory, of which some become one whenever they are many.

    Parameters
    ----------
    folder : callable
        Returns the folder of the files, which may be renamed.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._small: defaultdict[Hashable, list[FileColumns]] = defaultdict(list)
        self._size: defaultdict[Hashable, int] = defaultdict(int)
        self._has_warned = False

    def note(self, columns: FileColumns, made_by: str) -> None:
        """Take note of a file of a run; compact it with others like it where these are many."""
        try:
            size = columns.path().stat().st_size
            if size > SMALL:
                return
            kind = (made_by, columns.file.kind())
        except OSError:  # removed, or unreadable: it stays as it is
            return
        self._small[kind].append(columns)
        self._size[kind] += size
        if len(self._small[kind]) >= MANY or self._size[kind] >= TOGETHER:
            del self._size[kind]
            self._compact(self._small.pop(kind), made_by)

    def _compact(self, small: Sequence[FileColumns], made_by: str) -> None:
        """Write one file with the rows of several, let these be read there, and remove them."""
        parts = _readable(small)
        if len(parts) < 2:
            return
        try:
            name = write_columns(_joined(parts), self._folder())
        except StorageError as error:
            if not self._has_warned:  # a disk that is full stays so
                log.warning("small files of finished points stay as they are: %s", error)
            self._has_warned = True
            return
        joined = FileColumns(lambda: self._folder() / name)
        for part in parts:
            file = part.file.path()
            part.file.moved_to(RowsOf(joined, part.start, part.stop))
            with contextlib.suppress(OSError):
                file.unlink()
        self.note(joined, made_by)


class _Part(NamedTuple):
    """A file, its columns, and the first row and the one after the last that it has in another."""

    file: FileColumns
    columns: Mapping[str, NDArray]
    start: int
    stop: int


def _readable(files: Sequence[FileColumns]) -> list[_Part]:
    """Return the files that are whole, with their columns."""
    parts: list[_Part] = []
    start = 0
    for file in files:
        try:
            columns = file.file.held()
        except OSError:
            continue
        if columns is not None:
            stop = start + len(columns["key"])
            parts.append(_Part(file, columns, start, stop))
            start = stop
    return parts


def _joined(parts: Sequence[_Part]) -> dict[str, NDArray]:
    """Return the columns of all rows, and which rows are of which file."""
    first = parts[0].columns
    rowwise = [name for name in first if name not in NOT_BY_ROW and name != STATE_ENDS]
    joined = {name: _concatenated([part.columns[name] for part in parts]) for name in rowwise}
    joined[MADE_BY] = first[MADE_BY]
    if STATE_ENDS in first:
        lengths = [np.diff(part.columns[STATE_ENDS], prepend=0) for part in parts]
        joined[STATE_ENDS] = np.cumsum(np.concatenate(lengths))
    rows = {part.file.path().name: (part.start, part.stop) for part in parts}
    for part in parts:
        earlier = compacted_in(part.columns).items()
        rows |= {name: (part.start + i, part.start + j) for name, (i, j) in earlier}
    joined[COMPACTED], joined[COMPACTED_ROWS] = np.array([*rows]), np.array([*rows.values()])
    return joined


def _concatenated(columns: Sequence[NDArray]) -> NDArray:
    """Return the rows of all columns, shorter ones padded with NaN."""
    shape = tuple(max(lengths) for lengths in zip(*(one.shape[1:] for one in columns), strict=True))
    if all(one.shape[1:] == shape for one in columns):
        return np.concatenate(columns)
    whole = np.full((sum(map(len, columns)), *shape), np.nan, columns[0].dtype)
    start = 0
    for one in columns:
        index = (slice(start, start + len(one)), *map(slice, one.shape[1:]))
        whole[index] = one
        start += len(one)
    return whole
