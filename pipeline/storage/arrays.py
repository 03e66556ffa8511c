"""Results of all points of a grid, filled in the order in which points finish."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.looks import last_look
from pipeline.model.variables import (
    COUNTS,
    DONE,
    FAILED,
    MISSING,
    NO_COUNT,
    VARIABLES,
    is_open,
    recorded,
)
from pipeline.request.grid import Grid
from pipeline.request.size import bytes_per_point, lengths
from pipeline.storage.columns import Column, GatheredColumns, GatheredVariable, HeldColumns
from pipeline.storage.labels import LabelledDataset, label
from pipeline.system.memory import memory_limit

#: The variable of the simulated time, where points differ by it.
_DURATION = "run_duration"


class Counts(NamedTuple):
    """Numbers of points by status."""

    done: int
    failed: int
    missing: int


class ResultArrays:
    """Results of all points of a grid, filled batch by batch.

    Parameters
    ----------
    grid : Grid
        The points.
    in_memory : bool
        Whether all variables are held in memory. Otherwise only those with one number for each
        point are; the others stay in the columns that `add` is given, such as files.

    Raises
    ------
    RequestError
        If the results would not fit in memory.
    """

    def __init__(self, grid: Grid, in_memory: bool = True) -> None:
        refuse_larger_than_memory(grid, in_memory)
        self.grid = grid
        n_points = len(grid.points)
        self._status = np.full(n_points, MISSING, dtype=np.int8)
        self._made_by = np.full(n_points, NO_COUNT, dtype=np.int32)
        columns = _columns(grid)
        numbers = {name: column for name, column in columns.items() if not column.shape}
        arrays = {name: column for name, column in columns.items() if column.shape}
        self._numbers = HeldColumns(numbers, n_points)
        self._arrays = (HeldColumns if in_memory else GatheredColumns)(arrays, n_points)
        self._names = list(columns)

    def add(self, keys: Sequence[str], columns: Mapping[str, NDArray], made_by: int = 0) -> None:
        """Fill in finished points, at every index of the grid with their content keys.

        Parameters
        ----------
        keys : sequence of str
            Content keys of the points.
        columns : mapping of str to ndarray, (n_keys, ...)
            Their variables by name, units as in `variables.VARIABLES`.
        made_by : int
            Index of the run that computed them.
        """
        rows, positions = self.grid.keys.find(keys)
        if _DURATION in self._names and len(rows):
            longer = ~(self._numbers.variable(_DURATION)[positions] >= columns[_DURATION][rows])
            rows, positions = rows[longer], positions[longer]
        self._numbers.add(positions, rows, columns)
        self._arrays.add(positions, rows, columns)
        # Last: points that an interruption left incomplete are not done.
        self._made_by[positions] = made_by
        self._status[positions] = DONE

    def has(self, key: str) -> bool:
        """Whether a point is done."""
        return self._status[self.grid.keys.index(key)] == DONE

    def are_done(self, positions: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return whether points are done.

        Parameters
        ----------
        positions : ndarray of int, (n,)
            Flat indices of the points, dimensionless.

        Returns
        -------
        ndarray of bool, (n,)
            True where done, dimensionless.
        """
        return self._status[positions] == DONE

    def are_open(self, positions: NDArray[np.integer], limit: float) -> NDArray[np.bool_]:
        """Return whether runs until they have settled may go on, as they have not.

        Parameters
        ----------
        positions : ndarray of int, (n,)
            Flat indices of points, dimensionless.
        limit : float
            Longest simulated time [ms].

        Returns
        -------
        ndarray of bool, (n,)
            True where done and open, dimensionless.
        """
        if _DURATION not in self._names:
            return np.zeros(len(positions), dtype=bool)
        flags, durations = (self._numbers.variable(n)[positions] for n in ("settled", _DURATION))
        may_go_on = durations < (limit if limit == math.inf else last_look(limit))
        return self.are_done(positions) & is_open(flags) & may_go_on

    def fail(self, key: str) -> None:
        """Mark a point as failed."""
        self._status[self.grid.keys.find([key])[1]] = FAILED

    def counts(self, positions: NDArray[np.integer] | None = None) -> Counts:
        """Return how many points are done, failed and missing: of some, by default of all.

        Parameters
        ----------
        positions : ndarray of int, (n,), optional
            Flat indices of the points, dimensionless.
        """
        status = self._status if positions is None else self._status[positions]
        return Counts(*(int((status == value).sum()) for value in (DONE, FAILED, MISSING)))

    def n_made_by(self, runs: Sequence[int]) -> int:
        """Return how many points are done that runs of some indices computed; -1 is not known."""
        return int(np.isin(self._made_by[self._status == DONE], runs).sum())

    def fingerprint(self) -> str:
        """Return a checksum of the content keys of all points and of what has become of each."""
        keys = hashlib.sha256("".join(self.grid.keys).encode())
        keys.update(self._status.tobytes())
        return keys.hexdigest()[:32]

    def labelled(self, attributes: Mapping[str, Any] | None = None) -> LabelledDataset:
        """Return all results with dimensions, coordinates and attributes, as in `results.nc`.

        Parameters
        ----------
        attributes : mapping, optional
            Further attributes of the dataset.

        Returns
        -------
        LabelledDataset, (axes of the grid, further dimensions of each variable)
            Units [ms, Hz, mV, ...] are in the attribute `units` of each variable, which is missing
            where dimensionless.
        """
        variables = {name: self._variable(name) for name in self._names}
        variables |= {"status": self._status, "made_by": self._made_by}
        return label(self.grid, variables, attributes or {})

    def _variable(self, name: str) -> NDArray | GatheredVariable:
        if not VARIABLES[name].dims:
            return self._numbers.variable(name)
        if isinstance(self._arrays, HeldColumns):
            return self._arrays.variable(name)
        counted = [COUNTS[dim] for dim in VARIABLES[name].dims if dim in COUNTS]
        longest = max((int(self._numbers.variable(one).max()) for one in counted), default=0)
        return self._arrays.variable(name, max(0, longest))


def _columns(grid: Grid) -> dict[str, Column]:
    """Return the variables of a grid by name; lengths that are not known yet are 0."""
    sizes = lengths(grid)
    return {
        name: Column(dtype, tuple(sizes[dim] for dim in VARIABLES[name].dims))
        for name, dtype in _recorded_at_some_point(grid).items()
        if _exists(name, grid)
    }


def _recorded_at_some_point(grid: Grid) -> dict[str, np.dtype]:
    """Return the number types of what is recorded; initial weights may be at some points only."""
    _, points = grid.slice_along(["synapse.w_init_spread", "synapse.w_content"])
    return {name: dtype for point in points for name, dtype in recorded(point).items()}


def _exists(name: str, grid: Grid) -> bool:
    """Whether a variable exists: a trace only where a rule has one of its name."""
    return name not in ("x_pre", "x_post") or any(
        name in point.stdp.traces for point in grid.unlike_models
    )


def refuse_larger_than_memory(grid: Grid, in_memory: bool) -> None:
    """Refuse a grid whose results would be larger than the memory of this machine.

    Parameters
    ----------
    grid : Grid
        The points.
    in_memory : bool
        Whether all results are held in memory at once, or only those of a point.

    Raises
    ------
    RequestError
        If they would.
    """
    memory, of = memory_limit()
    per_point = bytes_per_point(grid)
    if per_point * (len(grid.points) if in_memory else 1) > memory:
        held, fewer = ("results", "points, ") if in_memory else ("those of a point", "")
        raise RequestError(
            f"{len(grid.points)} points of {per_point / 1e9:.3g} GB each: {held} must be "
            f"<= {memory / 1e9:.3g} GB, {of}; request fewer {fewer}synapses or recordings"
        )
