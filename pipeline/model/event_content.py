"""Input events of the user's own: times and synapses in blocks, checked, and moved to a lattice.

A file is read block by block and never held in memory.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.model.errors import RequestError
from pipeline.model.inputs import Cells

#: Times [ms] and synapses of some events.
Block = tuple[NDArray[np.float64], NDArray[np.int64]]

#: Events in a block.
BLOCK = 16_384

#: Members of a file: times [ms] and indices of synapses.
TIMES, SYNAPSES = "times", "synapses"

#: What the names of temporary files begin with.
_TEMPORARY = "stdp-events"

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

    def is_temporary(self) -> bool:
        """Whether it is removed when the process ends."""
        return self.path.name.startswith(f"{_TEMPORARY}-")

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


@dataclass(frozen=True)
class EventContent:
    """Events that were read and checked once.

    Attributes
    ----------
    digest : str
        Hash of all times and synapses, whatever the format of the file.
    source : EventSource
        Where they are read again.
    n_events : int
        Their number.
    last : float
        Time of the last one [ms]; 0 without events.
    counts : ndarray of int64, (n_synapses,)
        Number of events of each synapse up to the highest one, dimensionless.
    """

    digest: str
    source: EventSource = field(compare=False)
    n_events: int
    last: float
    counts: NDArray[np.int64] = field(compare=False, repr=False)
    _duplicates: dict[float, tuple[float, int] | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    def blocks(self) -> Iterator[Block]:
        """Yield the events, which were checked when they were read first."""
        for times, synapses in self.source.blocks():
            if times.size:
                yield times.astype(np.float64, copy=False), synapses.astype(np.int64, copy=False)

    def cells(self, dt: float, n_synapses: int, n_steps: int) -> Iterator[Cells]:
        """Yield the events as cells of a lattice.

        Parameters
        ----------
        dt : float
            Time step [ms]; an event is in the step nearest to its time.
        n_synapses, n_steps : int
            Size of the lattice; events beyond its end are left out.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells in time order; indices, dimensionless. Those of one step are in one chunk.
        """
        waiting = np.empty(0, dtype=np.int64)
        for times, synapses in self.blocks():
            steps = np.minimum(np.rint(times / dt), n_steps).astype(np.int64)
            steps *= n_synapses
            cells = np.concatenate([waiting, steps + synapses])
            if (cells[1:] < cells[:-1]).any():  # within a step, in any order
                cells.sort(kind="stable")
            complete = np.searchsorted(cells, steps[-1])
            if steps[-1] == n_steps * n_synapses:
                yield cells[:complete]
                return
            yield cells[:complete]
            waiting = cells[complete:]
        yield waiting

    def first_duplicate(self, dt: float) -> tuple[float, int] | None:
        """Return time [ms] and synapse of two events in one time step [ms], None without any."""
        if dt not in self._duplicates:
            self._duplicates[dt] = self._found_duplicate(dt)
        return self._duplicates[dt]

    def _found_duplicate(self, dt: float) -> tuple[float, int] | None:
        n = max(1, self.counts.size)
        for cells in self.cells(dt, n, 2**62 // n):
            same = np.flatnonzero(cells[1:] == cells[:-1])
            if same.size:
                step, synapse = divmod(int(cells[same[0]]), n)
                return step * dt, synapse
        return None

    def up_to(self, duration: float) -> EventContent:
        """Return the events before a time [ms], in memory."""
        parts = [(t[t < duration], s[t < duration]) for t, s in self._before(duration)]
        times, synapses = zip(*parts, strict=True) if parts else ((), ())
        empty = np.empty(0)
        return read_events(
            EventArrays(
                np.concatenate([empty, *times]),
                np.concatenate([empty.astype(np.int64), *synapses]),
            )
        )

    def _before(self, duration: float) -> Iterator[Block]:
        for times, synapses in self.blocks():
            yield times, synapses
            if times[-1] >= duration:
                return

    def __reduce__(self) -> Any:
        """Pickle the path of a file in place of the events, which every worker would hold."""
        source = self.source
        if isinstance(source, EventArrays):
            source = EventFile.at(spilled(self))
        return EventContent, (self.digest, source, self.n_events, self.last, self.counts)


def read_events(source: EventSource) -> EventContent:
    """Read and check all events once.

    Raises
    ------
    RequestError
        If they are no events: not numbers, not finite, not rising in time, of negative times or
        synapses.
    """
    times_hash, synapses_hash = hashlib.blake2b(), hashlib.blake2b()
    n_events, last, counts = 0, 0.0, np.zeros(0, dtype=np.int64)
    for times, synapses in _checked(source.blocks()):
        times_hash.update(times.astype("<f8", copy=False).data)
        synapses_hash.update(synapses.astype("<i8", copy=False).data)
        more = np.bincount(synapses, minlength=counts.size)
        more[: counts.size] += counts
        n_events, last, counts = n_events + times.size, float(times[-1]), more
    both = times_hash.digest() + synapses_hash.digest()
    digest = hashlib.blake2b(both, digest_size=16).hexdigest()
    return EventContent(digest, source, n_events, last, counts)


#: The highest index that a synapse may have; as of `input.n_synapses`.
_HIGHEST = 10_000_000


def _checked(blocks: Iterable[tuple[Any, Any]]) -> Iterator[Block]:
    """Yield blocks that are not empty, as floats and integers.

    Raises
    ------
    RequestError
        As `read_events`.
    """
    before = 0.0
    for times, synapses in blocks:
        if times.dtype.kind not in "iuf":
            raise RequestError(f"{TIMES} must be numbers, in ms")
        if synapses.dtype.kind not in "iuf":
            raise RequestError(f"{SYNAPSES} must be whole numbers, indices of synapses")
        if not times.size:
            continue
        times = times.astype(np.float64, copy=False) + 0.0  # no -0.0  # noqa: PLW2901
        _refuse_times(times, before)
        whole = _whole(synapses)
        before = float(times[-1])
        yield times, whole


def _refuse_times(times: NDArray[np.float64], before: float) -> None:
    """Refuse times, (n_events,) [ms], of which one is not finite, negative or not after others."""
    if not np.isfinite(times).all():
        wrong = times[~np.isfinite(times)][0]
        raise RequestError(f"an event at {wrong:g}: every time must be a finite number of ms")
    if times[0] < 0:
        raise RequestError(f"an event at {times[0]:.15g} ms: must be at >= 0 ms")
    earlier_ones = np.append(before, times[:-1])
    falls = np.flatnonzero(times < earlier_ones)
    if falls.size:
        i = int(falls[0])
        earlier = earlier_ones[i]
        raise RequestError(
            f"an event at {times[i]:.15g} ms comes after one at {earlier:.15g} ms; times must rise"
        )


def _whole(synapses: NDArray) -> NDArray[np.int64]:
    """Return indices of synapses, (n_events,), dimensionless, as integers."""
    if synapses.dtype.kind == "f":
        wrong = synapses[synapses != np.rint(synapses)]
        if wrong.size:
            raise RequestError(f"synapse {wrong[0]:.15g} of an event: must be a whole number")
    low, high = synapses.min(), synapses.max()
    if low < 0 or high >= _HIGHEST:
        raise RequestError(
            f"synapse {low if low < 0 else high:.15g} of an event: must be an index from 0 to "
            "below input.n_synapses"
        )
    return synapses.astype(np.int64, copy=False)


def write_events(content: EventContent, path: Path) -> None:
    """Write events to an npz file that is read without holding it in memory.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    columns: list[tuple[str, str, Callable[[Block], NDArray]]] = [
        (TIMES, "<f8", lambda block: block[0]),
        (SYNAPSES, "<i4", lambda block: block[1]),
    ]
    with zipfile.ZipFile(path, "w") as archive:
        for name, dtype, column in columns:
            header = {"descr": dtype, "fortran_order": False, "shape": (content.n_events,)}
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(member, header)
                for block in content.blocks():
                    member.write(column(block).astype(dtype).tobytes())


@functools.cache
def _spool() -> tempfile.TemporaryDirectory[str]:
    """Return a folder that is removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix=f"{_TEMPORARY}-")


def _spool_file(name: str) -> Path:
    """Return the path of a file that is removed when the process ends."""
    return Path(_spool().name, f"{_TEMPORARY}-{os.getpid()}-{name}")


def spilled(content: EventContent) -> Path:
    """Return the path of a temporary file with the events, written once."""
    path = _spool_file(f"{content.digest}.npz")
    if not path.exists():  # else its readers would take it for changed
        part = path.with_suffix(f".{threading.get_ident()}")
        write_events(content, part)
        part.replace(path)
    return path
