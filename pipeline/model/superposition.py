"""Events of synapses of unlike rates in time order: exact draws, and merging of several trains."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.inputs import CHUNK, Cells
from pipeline.model.streams import Stream, exponentials

#: Intensity of a cell that always has an event: none with a probability of 2**-60.
_ALWAYS = 60 * math.log(2)

#: Parts of the intensity of a step by which the segment of a point is looked up: per segment, and
#: at least.
_PARTS, _FEWEST_PARTS = 8, 256


class CellLookup:
    """Finds the cells of points on the axis of cumulated intensities, see `superposed_cells`.

    Parameters
    ----------
    p : ndarray, (n_synapses,)
        Probability of an event of each synapse in a step, not all 0.
    n_steps : int
        Number of time steps.

    Attributes
    ----------
    floats : ndarray, (3, n_segments)
        End, begin, and inverse intensity of a synapse, of each segment of a step: of neighbouring
        synapses of equal intensity; dimensionless.
    synapses : ndarray of int64, (2, n_segments)
        First and last synapse of each segment, indices.
    parts : ndarray of int64, (n_parts + 1,)
        Segment at the begin of each of the equal parts of a step, indices.
    total : float
        Intensity of a step.
    largest : float
        Largest position within a step.
    """

    def __init__(self, p: NDArray[np.float64], n_steps: int) -> None:
        with np.errstate(divide="ignore"):
            intensity = np.minimum(-np.log1p(-np.minimum(p, 1)), _ALWAYS)
        first = np.flatnonzero(np.diff(intensity, prepend=-1) != 0)
        size = np.diff(first, append=p.size)
        end = np.cumsum(size * intensity[first])
        with np.errstate(divide="ignore"):
            self.floats = np.array([end, [0, *end[:-1]], 1 / intensity[first]])
        self.synapses = np.array([first, first + size - 1])
        self.total = float(end[-1])
        self.largest = float(np.nextafter(self.total, 0))
        self.n_steps, self.n_synapses = n_steps, p.size
        n_parts = max(_FEWEST_PARTS, _PARTS * first.size)
        edges = np.arange(n_parts + 1) * (self.total / n_parts)
        last = np.searchsorted(end, self.total)  # behind it nothing has an event
        self.parts = np.minimum(np.searchsorted(end, edges, "right"), last)

    def events(self, positions: NDArray[np.float64], step: int, last: int) -> Cells:
        """Return the cells that have points, and set the positions to those within their steps.

        Several points in a cell are one event. Rounding may take the first point of a step or a
        segment to the end of the one before, which makes it one of several.

        Parameters
        ----------
        positions : ndarray, (n_points,)
            Rising, from the begin of a step on; dimensionless. Changed.
        step, last : int
            That step, and the last event before.

        Returns
        -------
        ndarray of int64, (n_events,)
            Cells of the lattice, or beyond it, rising from above `last`; indices, dimensionless.
        """
        if _compiled:
            return _compiled[-1](self, positions, step, last)
        passed = np.minimum(np.floor(positions * (1 / self.total)), self.n_steps)
        positions -= passed * self.total
        np.clip(positions, 0, self.largest, out=positions)
        end, begin, inverse = self.floats
        first, final = self.synapses
        segment = self.parts[(positions * ((self.parts.size - 1) / self.total)).astype(np.int64)]
        while (beyond := positions >= end[segment]).any():
            segment += beyond
        within = np.maximum((positions - begin[segment]) * inverse[segment], 0)
        synapse = np.minimum(first[segment] + within.astype(np.int64), final[segment])
        cells = (passed.astype(np.int64) + step) * self.n_synapses + synapse
        np.maximum.accumulate(cells, out=cells)
        return cells[np.diff(cells, prepend=last) > 0]


#: What finds cells in machine code, if anything does; see `use_compiled`.
_compiled: list[Callable[[CellLookup, NDArray[np.float64], int, int], Cells]] = []


def use_compiled(
    find: Callable[[CellLookup, NDArray[np.float64], int, int], Cells] | None,
) -> None:
    """Make `CellLookup.events` call a function with the same results to the last bit, or none.

    Parameters
    ----------
    find : callable or None
        Takes the lookup, the positions, (n_points,), the step, and the last event before.
    """
    _compiled[:] = [] if find is None else [find]


def superposed_cells(stream: Stream, p: NDArray[np.float64], n_steps: int) -> Iterator[Cells]:
    """Draw a Bernoulli trial in every cell, with a probability for each synapse.

    The cells lie one after the other on an axis, each as long as its intensity -log(1 - p). Points
    of a Poisson process of rate 1 fall on it, with exponential gaps; a cell with one or more of
    them has an event: it has the probability p, independently of the others.

    Parameters
    ----------
    stream : Stream
        The random stream.
    p : ndarray, (n_synapses,)
        Probability of a spike of each synapse in a step; dimensionless.
    n_steps : int
        Number of time steps.

    Yields
    ------
    ndarray of int64, (n_events,)
        Cells of the lattice in time order; indices, dimensionless.
    """
    if not (p > 0).any():
        return
    lookup, n_cells = CellLookup(p, n_steps), n_steps * p.size
    step, position, last = 0, 0.0, -1  # the position is relative to the step: it stays exact
    for begin in itertools.count(0, CHUNK):
        positions = exponentials(stream, begin, CHUNK)
        positions[0] += position
        events = lookup.events(np.cumsum(positions, out=positions), step, last)
        last = int(events[-1]) if events.size else last
        if last >= n_cells:
            yield events[: np.searchsorted(events, n_cells)]
            return
        yield events
        step, position = last // p.size, float(positions[-1])


def merged_cells(
    trains: Sequence[Iterator[Cells]], n_cells: int, per_chunk: int
) -> Iterator[Cells]:
    """Merge events of several trains in time order.

    Parameters
    ----------
    trains : sequence of iterator of ndarray of int64, (n_events,)
        Cells of one lattice each in time order, of which no two are the same; indices.
    n_cells : int
        Size of the lattice.
    per_chunk : int
        Cells of the lattice that are merged at a time.

    Yields
    ------
    ndarray of int64, (n_events,)
        Cells in time order; indices, dimensionless.
    """
    if len(trains) == 1:
        yield from trains[0]
        return
    waiting: list[Any] = [np.empty(0, dtype=np.int64) for _ in trains]
    for end in range(per_chunk, n_cells + per_chunk, per_chunk):
        parts = []
        for i, train in enumerate(trains):
            while waiting[i] is not None and not (waiting[i].size and waiting[i][-1] >= end):
                parts.append(waiting[i])
                waiting[i] = next(train, None)
            if waiting[i] is not None:
                n = np.searchsorted(waiting[i], end)
                parts.append(waiting[i][:n])
                waiting[i] = waiting[i][n:]
        cells = np.concatenate([np.empty(0, dtype=np.int64), *parts])
        cells.sort(kind="stable")  # runs that are sorted are merged
        yield cells


def merged_groups(
    trains: Sequence[Iterator[Cells]], sizes: Sequence[int], n_steps: int, n_per_step: float
) -> Iterator[Cells]:
    """Merge events of consecutive groups of synapses, each in a lattice of its own.

    Parameters
    ----------
    trains : sequence of iterator of ndarray of int64, (n_events,)
        Cells of the lattice of each group in time order; indices.
    sizes : sequence of int
        Number of synapses of each.
    n_steps : int
        Number of time steps.
    n_per_step : float
        Mean number of events in a step.

    Returns
    -------
    iterator of ndarray of int64, (n_events,)
        Cells of the lattice of all synapses in time order; indices, dimensionless.
    """
    n, first = sum(sizes), itertools.accumulate(sizes, initial=0)
    moved = [_moved(*group, n) for group in zip(trains, sizes, first, strict=False)]
    per_chunk = max(1, min(n_steps, math.ceil(CHUNK / max(n_per_step, 1e-9))))
    return merged_cells(moved, n_steps * n, per_chunk * n)


def _moved(chunks: Iterator[Cells], size: int, first: int, n_synapses: int) -> Iterator[Cells]:
    """Yield the events of a group of some size as cells of the whole lattice."""
    if size == n_synapses:
        yield from chunks
        return
    for cells in chunks:
        yield cells + (cells // size * (n_synapses - size) + first)
