"""Input events of the user's own, checked, and moved to a lattice.

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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.event_sources import (
    SYNAPSES,
    TEMPORARY,
    TIMES,
    EventArrays,
    EventFile,
    EventSource,
)
from pipeline.model.inputs import Cells

#: Times [ms] and synapses of some events.
Block = tuple[NDArray[np.float64], NDArray[np.int64]]


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
        return _unpickled, (self.digest, source, self.n_events, self.last, self.counts)


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
    return np.ascontiguousarray(synapses, np.int64)


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
    return tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}-")


def _spool_file(name: str) -> Path:
    """Return the path of a file that is removed when the process ends."""
    return Path(_spool().name, f"{TEMPORARY}-{os.getpid()}-{name}")


def received_file(digest: str) -> Path:
    """Return where a process has the events of a file that only another machine can read."""
    return _spool_file(f"{digest}.npz")


def _unpickled(digest: str, source: EventSource, *others: Any) -> EventContent:
    """Return events that another process has read, of the file that this one can read."""
    if isinstance(source, EventFile) and not source.is_here():
        received = received_file(digest)
        source = EventFile.at(received) if received.exists() else source
    return EventContent(digest, source, *others)


def spilled(content: EventContent) -> Path:
    """Return the path of a temporary file with the events, written once."""
    path = received_file(content.digest)
    if not path.exists():  # else its readers would take it for changed
        part = path.with_suffix(f".{threading.get_ident()}")
        write_events(content, part)
        part.replace(path)
    return path
