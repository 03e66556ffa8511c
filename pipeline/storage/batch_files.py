"""Files of finished batches: uncompressed `.npz`, of which any column is mapped into memory."""

from __future__ import annotations

import errno
import functools
import io
import math
import os
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pipeline.execution.batch import Batch
from pipeline.model.state import STATE
from pipeline.system.atomic_files import checksum, replacing

#: Length of the fixed part of a member's header, and where the lengths of name and extra field are.
_MEMBER_HEADER, _LENGTHS_AT = 30, 26


class FileColumns(Mapping[str, NDArray]):
    """The columns of a batch file by name; each is mapped into memory for as long as it is used.

    Parameters
    ----------
    path : callable
        Returns the path of the file, which changes when its folder is renamed.
    """

    def __init__(self, path: Callable[[], Path]) -> None:
        self._path = path

    @functools.cached_property
    def _members(self) -> dict[str, dict[str, Any]]:
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

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._members if name not in _ABOUT_BATCH)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, name: str) -> NDArray:
        member = self._members[name]
        if not all(member["shape"]):
            return np.empty(member["shape"], member["dtype"])
        path = self._path()
        try:
            return np.memmap(path, mode="r", **member)
        except OSError as error:  # some file systems of FUSE map no files
            if error.errno not in (errno.ENODEV, errno.EINVAL):
                raise
            n_values = math.prod(member["shape"])
            values = np.fromfile(path, member["dtype"], n_values, offset=member["offset"])
            return values.reshape(member["shape"], order=member["order"])


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

#: Columns that are not variables: content keys, the identity of the run, durations, end states.
_ABOUT_BATCH = ("key", "made_by", DURATION, STATE, STATE_ENDS)


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
    content = io.BytesIO()
    columns: dict[str, Any] = dict(batch.columns)
    if any(batch.states):
        columns[STATE] = np.frombuffer(b"".join(batch.states), dtype=np.uint8)
        columns[STATE_ENDS] = np.cumsum([len(state) for state in batch.states])
    if batch.durations:
        columns[DURATION] = np.array(batch.durations)
    np.savez(content, key=np.array(batch.keys), made_by=np.array(made_by), **columns)
    name = f"{checksum(content.getbuffer())}.npz"
    with replacing(folder / name) as temporary:
        temporary.write_bytes(content.getbuffer())
    return name


def read_batch(columns: FileColumns) -> tuple[Batch, str]:
    """Return the points of a file, with columns that are read when used, and who made them."""
    return Batch(columns["key"].tolist(), columns), columns["made_by"].item()
