"""Files of input events: npz, netCDF or CSV, read in blocks."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.event_content import EventContent, read_events, spilled
from pipeline.model.event_sources import BLOCK, NOT_READABLE, SYNAPSES, TIMES, EventFile
from pipeline.system.locks import alone_in_hdf5

Blocks = Iterator[tuple[Any, Any]]

#: How a unit of ms is written.
_MS = ("", "ms", "msec", "millisecond", "milliseconds")

#: A column of a CSV file: name, and unit in brackets.
_COLUMN = re.compile(r"\s*\"?(\w+)\s*(?:[\[(]([^\])]*)[\])])?\"?\s*")


def read_event_file(path: Path) -> EventContent:
    """Read and check a file of events.

    Raises
    ------
    RequestError
        If it cannot be read, or has other than events.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise RequestError(f"must be a file {' or '.join(_READERS)}")
    try:
        return read(path)
    except RequestError:
        raise
    except UnicodeDecodeError as error:
        raise RequestError(f"must be text in UTF-8 ({error.reason})") from error
    except NOT_READABLE as error:
        raise RequestError(f"cannot be read ({reason_of(error)})") from error
    except Exception as error:  # damaged archives also raise errors of zlib and struct
        raise RequestError(f"cannot be read ({type(error).__name__}: {error})") from error


def reason_of(error: Exception) -> str:
    """Return why a file cannot be read, in a line; numpy takes any other content for a pickle."""
    reason = " ".join(str(getattr(error, "strerror", None) or error).split())
    return "it has other content than arrays of numbers" if "pickle" in reason else reason


def _read_npz(path: Path) -> EventContent:
    """Read an npz file where it is, as runs do; to uncompress it each time would be slow."""
    # Numpy would leave a damaged file open that it opens itself.
    with path.open("rb") as file, np.load(file) as archive:
        if "units" in archive:
            _refuse_units(str(archive["units"]))
        members = archive.zip.infolist()
    if all(member.compress_type == zipfile.ZIP_STORED for member in members):
        return read_events(EventFile.at(path))
    return _converted(lambda file: EventFile.at(file).blocks())(path)


def _refuse_units(units: str) -> None:
    if units.strip().lower() not in _MS:
        raise RequestError(f"{TIMES} in {units}: must be in ms")


def _csv_blocks(path: Path) -> Blocks:
    """Yield the columns `times` and `synapses` of a CSV file."""
    with path.open(encoding="utf-8-sig") as file:
        first = file.readline()
        columns = [_COLUMN.fullmatch(cell) for cell in first.strip().split(",")]
        names = [column[1] if column else "" for column in columns]
        if not {TIMES, SYNAPSES} <= set(names):
            raise RequestError(
                f"line 1: must name the columns, {TIMES},{SYNAPSES}, and is {first.strip()[:60]!r}"
            )
        used = [names.index(TIMES), names.index(SYNAPSES)]
        if (column := columns[used[0]]) and column[2]:
            _refuse_units(column[2])
        for number in itertools.count(0):
            lines = list(itertools.islice(file, BLOCK))
            if not lines:
                return
            try:
                block = np.loadtxt(lines, delimiter=",", usecols=used, ndmin=2)
            except ValueError:
                raise _bad_line(lines, used, 2 + number * BLOCK) from None
            yield block[:, 0], block[:, 1]


def _bad_line(lines: list[str], used: list[int], first: int) -> RequestError:
    """Return the error for the first line that is no event."""
    for number, line in enumerate(lines, first):
        try:
            [float(line.split(",")[i]) for i in used] if line.strip() else None
        except (ValueError, IndexError):
            return RequestError(
                f"line {number}: must be a time in ms and a synapse, and is {line.strip()[:60]!r}"
            )
    return RequestError("must be lines of a time in ms and a synapse")


def _netcdf_blocks(path: Path) -> Blocks:
    """Yield the variables `times` and `synapses` of a netCDF file."""
    import netCDF4

    with alone_in_hdf5(), netCDF4.Dataset(path) as file:
        for name in (TIMES, SYNAPSES):
            if name not in file.variables:
                there = ", ".join(file.variables) or "nothing"
                raise RequestError(
                    f"must have variables {TIMES} [ms] and {SYNAPSES}; there is {there}"
                )
        times, synapses = file[TIMES], file[SYNAPSES]
        if times.ndim != 1 or times.shape != synapses.shape:
            raise RequestError(
                f"{TIMES} of shape {times.shape} and {SYNAPSES} of shape {synapses.shape}: must be "
                "of one length, (n_events,)"
            )
        _refuse_units(str(getattr(times, "units", "")))
        for first in range(0, times.size, BLOCK):
            part = slice(first, first + BLOCK)
            yield _numbers(times[part]), _numbers(synapses[part])


def _numbers(column: Any) -> NDArray[np.float64]:
    """Return numbers of a file, (n_events,) in their unit, NaN where they are masked."""
    return np.ma.filled(np.ma.asarray(column, np.float64), np.nan)


@dataclass(frozen=True)
class _Copied:
    """Blocks that are written to two files of raw numbers while they are read."""

    original: Blocks
    files: tuple[Any, Any]

    def blocks(self) -> Blocks:
        for block in self.original:
            with np.errstate(invalid="ignore"):  # what is no number is refused when it is checked
                for file, values, dtype in zip(self.files, block, ("<f8", "<i8"), strict=True):
                    file.write(np.asarray(values).astype(dtype).data)
            yield block


@dataclass(frozen=True)
class _Raw:
    """Blocks of two files of raw numbers."""

    files: tuple[Any, Any]

    def blocks(self) -> Blocks:
        for file in self.files:
            file.seek(0)
        while True:
            times, synapses = (
                np.frombuffer(file.read(8 * BLOCK), dtype)
                for file, dtype in zip(self.files, ("<f8", "<i8"), strict=True)
            )
            if not times.size:
                return
            yield times, synapses


def _converted(blocks: Callable[[Path], Blocks]) -> Callable[[Path], EventContent]:
    """Return a reader that copies the events to a temporary npz file: runs read that one."""

    def read(path: Path) -> EventContent:
        with contextlib.ExitStack() as stack:
            first, second = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))
            files = first, second
            content = read_events(_Copied(blocks(path), files))
            copy = spilled(dataclasses.replace(content, source=_Raw(files)))
        return dataclasses.replace(content, source=EventFile.at(copy))

    return read


_READERS: dict[str, Callable[[Path], EventContent]] = {
    ".npz": _read_npz,
    ".nc": _converted(_netcdf_blocks),
    ".csv": _converted(_csv_blocks),
}
