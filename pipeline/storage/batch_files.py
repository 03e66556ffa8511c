"""Files of finished batches: uncompressed `.npz`, of which any column is mapped into memory."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import math
import os
import re
import struct
import zipfile
from collections.abc import Callable, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.execution.batch import Batch
from pipeline.model.state import STATE
from pipeline.system.atomic_files import checksum, replacing

T = TypeVar("T")

#: Length of the fixed part of a member's header, and where the lengths of name and extra field are.
_MEMBER_HEADER, _LENGTHS_AT = 30, 26


class FileColumns(Mapping[str, NDArray]):
    """The columns of a batch by name; each is mapped into memory for as long as it is used.

    Parameters
    ----------
    path : callable
        Returns the path of the file, which changes when its folder is renamed. Where the file was
        compacted, here or by another process, the one that has its rows is read.
    """

    def __init__(self, path: Callable[[], Path]) -> None:
        self.path = path
        self.file = BatchFile(path)
        self._columns: Mapping[str, NDArray] = self.file

    def moved_to(self, columns: Mapping[str, NDArray]) -> None:
        """Read the same columns from another place.

        Parameters
        ----------
        columns : mapping of str to ndarray, (n_rows, ...)
            The same rows by name, units as in `variables.VARIABLES`.
        """
        self._columns = columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._read(list))

    def __contains__(self, name: object) -> bool:
        return self._read(lambda columns: name in columns)

    def __len__(self) -> int:
        return self._read(len)

    def __getitem__(self, name: str) -> NDArray:
        return self._read(lambda columns: columns[name])

    def _read(self, read: Callable[[Mapping[str, NDArray]], T]) -> T:
        try:
            return read(self._columns)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ESTALE):
                raise
            moved = _rows_elsewhere(self.path)
            if moved is None:
                raise
            self.moved_to(moved)
            return read(moved)


def _similar(dtype: np.dtype) -> Callable[[int], int]:
    return int.bit_length if dtype.kind == "f" else int


def _array(content: bytes, dtype: np.dtype, shape: tuple, offset: int, order: Any) -> NDArray:
    values = np.frombuffer(content, dtype, math.prod(shape), offset)
    return values.reshape(shape, order=order)


class BatchFile(Mapping[str, NDArray]):
    """The columns of one file of finished points, by name.

    Parameters
    ----------
    path : callable
        Returns the path of the file.
    """

    def __init__(self, path: Callable[[], Path]) -> None:
        self._path = path

    @functools.cached_property
    def members(self) -> dict[str, dict[str, Any]]:
        """Where each column is in the file, as arguments of `numpy.memmap`, by name."""
        path = self._path()
        try:
            with path.open("rb") as file, zipfile.ZipFile(file) as archive:
                return {
                    member.filename.removesuffix(".npy"): _place_of(member, file)
                    for member in archive.infolist()
                }
        except (OSError, ValueError, zipfile.BadZipFile) as error:  # its checksum was right
            number = getattr(error, "errno", None) or errno.EIO
            raise OSError(number, os.strerror(number), str(path)) from error

    def held(self) -> Mapping[str, NDArray] | None:
        """Return all columns of the file in memory, those about the batch too, None if damaged.

        Returns
        -------
        dict of ndarray, (n_rows, ...), or None
            By name, units as in `variables.VARIABLES`.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        path = self._path()
        content = path.read_bytes()
        if checksum(content) not in path.name:
            return None
        return {name: _array(content, **place) for name, place in self.members.items()}

    def kind(self) -> Hashable:
        """Return what files have in common that can be one: names and types of all columns.

        What was compacted is of another kind than what was not. Lengths that differ from point to
        point may be others: shorter rows are padded, each dimension at most to twice its length.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        return tuple(
            (name, place["dtype"].str, tuple(map(_similar(place["dtype"]), place["shape"][1:])))
            for name, place in sorted(self.members.items())
        )

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.members if name not in _ABOUT_BATCH)

    def __contains__(self, name: object) -> bool:
        return name in self.members

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> NDArray:
        member = self.members[name]
        if not all(member["shape"]):
            return np.empty(member["shape"], member["dtype"])
        path = self._path()
        try:
            return np.memmap(os.fspath(path), mode="r", **member)
        except OSError as error:  # some file systems of FUSE map no files
            if error.errno not in (errno.ENODEV, errno.EINVAL):
                raise
            n_values = math.prod(member["shape"])
            values = np.fromfile(path, member["dtype"], n_values, offset=member["offset"])
            return values.reshape(member["shape"], order=member["order"])


class RowsOf(Mapping[str, NDArray]):
    """Some rows of the columns of a batch: those of a file that was compacted.

    Parameters
    ----------
    columns : mapping of str to ndarray, (n_rows, ...)
        Of all rows.
    start, stop : int
        The first row, and the one after the last.
    """

    def __init__(self, columns: Mapping[str, NDArray], start: int, stop: int) -> None:
        self._columns, self._rows = columns, slice(start, stop)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns and name not in (COMPACTED, COMPACTED_ROWS)

    def __len__(self) -> int:
        return len(self._columns)

    def __getitem__(self, name: str) -> NDArray:
        if name == MADE_BY:
            return self._columns[name]
        if name in NOT_BY_ROW:
            raise KeyError(name)
        if name not in (STATE, STATE_ENDS):
            return self._columns[name][self._rows]
        ends, start = self._columns[STATE_ENDS], self._rows.start
        first = ends[start - 1] if start else 0
        ends = ends[self._rows]
        return ends - first if name == STATE_ENDS else self._columns[STATE][first : ends[-1]]


def _rows_elsewhere(path: Callable[[], Path]) -> Mapping[str, NDArray] | None:
    """Return the columns of a file from the one in its folder into which it was compacted."""
    missing = path()
    for file in batch_files_in(missing.parent):
        with contextlib.suppress(OSError):  # compacted in turn, or damaged
            if rows := _compacted_into(file).get(missing.name):
                beside = functools.partial(_beside, path, file.name)
                return RowsOf(FileColumns(beside), *rows)
    return None


def _beside(path: Callable[[], Path], name: str) -> Path:
    return path().with_name(name)


def compacted_in(columns: Mapping[str, NDArray]) -> dict[str, tuple[int, int]]:
    """Return which rows of a file are those of each file that it was made from.

    Parameters
    ----------
    columns : mapping of str to ndarray, (n_rows, ...)
        All columns of the file, in their units.

    Returns
    -------
    dict of tuple of int
        The first row, and the one after the last, by the name of the file.
    """
    if COMPACTED not in columns:
        return {}
    rows = map(tuple, columns[COMPACTED_ROWS].tolist())
    return dict(zip(columns[COMPACTED].tolist(), rows, strict=True))


@functools.lru_cache(maxsize=256)
def _compacted_into(file: Path) -> dict[str, tuple[int, int]]:
    return compacted_in(BatchFile(lambda: file))


def compacted_names(file: Path) -> set[str]:
    """Return the names of the files that a file was made from; none of a damaged one."""
    try:
        return {*_compacted_into(file)}
    except OSError:
        return set()


def has_all_rows(file: Path, names: set[str]) -> bool:
    """Whether a file was made from others, and those of some names have all of its rows."""
    try:
        parts = _compacted_into(file)
    except OSError:
        return False
    reached = 0
    for start, stop in sorted(rows for name, rows in parts.items() if name in names):
        if start > reached:
            return False
        reached = max(reached, stop)
    return bool(parts) and reached == max(stop for _, stop in parts.values())


def names_of_points(folder: Path) -> set[str]:
    """Return the names of all batch files of a folder, those that were compacted too."""
    names: set[str] = set()
    for file in batch_files_in(folder):
        names.add(file.name)
        with contextlib.suppress(OSError):  # damaged
            names.update(_compacted_into(file))
    return names


def _place_of(member: zipfile.ZipInfo, file: BinaryIO) -> dict[str, Any]:
    file.seek(member.header_offset + _LENGTHS_AT)
    name_and_extra = sum(struct.unpack("<HH", file.read(4)))
    file.seek(member.header_offset + _MEMBER_HEADER + name_and_extra)
    np.lib.format.read_magic(file)
    shape, in_fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    order = "F" if in_fortran_order else "C"
    return {"dtype": dtype, "shape": shape, "offset": file.tell(), "order": order}


#: Where each end state ends in the column `STATE`, which has those of all points in turn.
STATE_ENDS = "state_end"

#: The column with `simulation.duration` of each point [ms], which its key does not tell; batches of
#: earlier versions have none.
DURATION = "duration"

#: The identity of the run that computed all points of a file.
MADE_BY = "made_by"

#: Names of the files that a file was made from, and the first and last row of each, (n_files, 2).
COMPACTED, COMPACTED_ROWS = "compacted", "compacted_rows"

#: Columns that are not variables: content keys, the identity of the run, durations, end states.
_ABOUT_BATCH = ("key", MADE_BY, DURATION, STATE, STATE_ENDS, COMPACTED, COMPACTED_ROWS)

#: Columns that have no row for each point.
NOT_BY_ROW = (MADE_BY, COMPACTED, COMPACTED_ROWS)


#: Name of a batch file: a checksum, before or after which a file manager writes what is a copy.
_NAME = re.compile(r"(?!\.).*[0-9a-f]{32}.*\.npz")


def batch_files_in(folder: Path) -> list[Path]:
    """Return the batch files of a folder; those of other programs have no checksum in their name.

    Hidden ones are left out, as macOS leaves them beside others.

    Raises
    ------
    OSError
        If the folder is there and cannot be read.
    """
    try:
        names = os.listdir(folder)  # noqa: PTH208 - Path.glob finds nothing without permission
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for name in sorted(names) if _NAME.fullmatch(name)]


def write_batch(batch: Batch, made_by: str, folder: Path) -> str:
    """Write finished points to a file named by its checksum; return that name.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    columns: dict[str, Any] = dict(batch.columns)
    if any(batch.states):
        columns[STATE] = np.frombuffer(b"".join(batch.states), dtype=np.uint8)
        columns[STATE_ENDS] = np.cumsum([len(state) for state in batch.states])
    if batch.durations:
        columns[DURATION] = np.array(batch.durations)
    about = {"key": np.array(batch.keys), MADE_BY: np.array(made_by)}
    return write_columns(about | columns, folder)


def write_columns(columns: Mapping[str, NDArray], folder: Path) -> str:
    """Write columns to a file named by its checksum; return that name.

    Parameters
    ----------
    columns : mapping of str to ndarray, (n_points, ...)
        By name, with those about the batch; units as in `variables.VARIABLES`.
    folder : Path
        Where.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    content = io.BytesIO()
    np.savez(content, **dict[str, Any](columns))
    name = f"{checksum(content.getbuffer())}.npz"
    with replacing(folder / name) as temporary:
        temporary.write_bytes(content.getbuffer())
    return name


def read_batch(columns: FileColumns) -> tuple[Batch, str]:
    """Return the points of a file, with columns that are read when used, and who made them."""
    return Batch(columns["key"].tolist(), columns), columns[MADE_BY].item()
