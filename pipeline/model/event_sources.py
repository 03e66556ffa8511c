"""Where input events of the user's own are: arrays, or an npz file that is read in blocks."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.model.errors import RequestError

#: Events in a block.
BLOCK = 16_384

#: Members of a file: times [ms] and indices of synapses.
TIMES, SYNAPSES = "times", "synapses"

#: What the names of temporary files begin with.
TEMPORARY = "stdp-events"

#: What a damaged or missing archive raises, beside errors of the system.
NOT_READABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError)


class EventSource(Protocol):
    """What events are read from, as often as they are needed."""

    def blocks(self) -> Iterator[tuple[Any, Any]]:
        """Yield times [ms] and synapses as they stand there, not checked."""


@dataclass(frozen=True)
class EventArrays:
    """Events in memory.

    Attributes
    ----------
    times, synapses : ndarray, (n_events,)
        Times [ms], and indices, dimensionless.
    """

    times: NDArray
    synapses: NDArray

    @classmethod
    def of(cls, events: Any) -> EventArrays:
        """Return a pair of arrays as it was given from Python.

        Raises
        ------
        RequestError
            If it is no such pair.
        """
        try:
            times, synapses = map(_filled, events)
        except (TypeError, ValueError):
            raise RequestError(
                "events: must be two lists of one length, times in ms and indices of synapses"
            ) from None
        return cls(times, synapses)

    def blocks(self) -> Iterator[tuple[Any, Any]]:
        """Yield parts of both arrays."""
        _refuse_shapes(self.times.shape, self.synapses.shape)
        for first in range(0, self.times.size, BLOCK):
            yield self.times[first : first + BLOCK], self.synapses[first : first + BLOCK]


def _filled(values: ArrayLike) -> NDArray:
    """Return values, (n,) of any unit, as an array, NaN where they are masked."""
    array = np.asanyarray(values)
    if not np.ma.is_masked(array):
        return np.asarray(array)
    return np.where(np.ma.getmaskarray(array), np.nan, np.asarray(array, dtype=np.float64))


@dataclass(frozen=True)
class EventFile:
    """Events in the members `times` and `synapses` of an npz file, compressed or not.

    Attributes
    ----------
    path : Path
        The file.
    state : tuple of int
        Its size and the time of its last change, by which a change is noticed.
    """

    path: Path
    state: tuple[int, int] = (-1, -1)

    @classmethod
    def at(cls, path: Path) -> EventFile:
        """Return a file as it is now."""
        return cls(path.absolute(), _state(path))

    def is_here(self) -> bool:
        """Whether this process can read it, and it is the one that was read first."""
        try:
            return _state(self.path) == self.state
        except OSError:
            return False

    def is_temporary(self) -> bool:
        """Whether it is removed when the process ends."""
        return self.path.name.startswith(f"{TEMPORARY}-")

    def blocks(self) -> Iterator[tuple[Any, Any]]:
        """Yield parts of both members.

        Raises
        ------
        RequestError
            If the file has changed, or members of another form.
        """
        if _state(self.path) != self.state:
            raise RequestError(f"{self.path}: has changed since it was read")
        with zipfile.ZipFile(self.path) as archive:
            _refuse_members(archive.namelist())
            with archive.open(f"{TIMES}.npy") as times, archive.open(f"{SYNAPSES}.npy") as synapses:
                (shape, time_type), (other, synapse_type) = _header(times), _header(synapses)
                _refuse_shapes(shape, other)
                for first in range(0, shape[0], BLOCK):
                    n = min(BLOCK, shape[0] - first)
                    yield _read(times, time_type, n), _read(synapses, synapse_type, n)
                # The end of a member is where its checksum is compared.
                times.read(1), synapses.read(1)


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _refuse_members(names: list[str]) -> None:
    for name in (TIMES, SYNAPSES):
        if f"{name}.npy" not in names:
            there = ", ".join(one.removesuffix(".npy") for one in names) or "nothing"
            raise RequestError(f"must have arrays {TIMES} [ms] and {SYNAPSES}; there is {there}")


def _header(member: Any) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and number type of an array in a file."""
    version = np.lib.format.read_magic(member)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, _, dtype = read[version](member)
    if dtype.hasobject:
        raise RequestError("must have arrays of numbers")
    return shape, dtype


def _read(member: Any, dtype: np.dtype, n: int) -> NDArray:
    content = member.read(n * dtype.itemsize)
    if len(content) < n * dtype.itemsize:
        raise EOFError("it is shorter than its header says")
    return np.frombuffer(content, dtype)


def _refuse_shapes(times: tuple[int, ...], synapses: tuple[int, ...]) -> None:
    if len(times) != 1 or times != synapses:
        raise RequestError(
            f"{TIMES} of shape {times} and {SYNAPSES} of shape {synapses}: must be of one length, "
            "(n_events,)"
        )
