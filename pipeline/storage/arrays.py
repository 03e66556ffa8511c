"""Results in memory: one array per variable, filled in the order in which points finish."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.parameters import Configuration, steps, unlike_in_size
from pipeline.model.variables import (
    DONE,
    FAILED,
    MISSING,
    NO_COUNT,
    VARIABLES,
    Columns,
    recorded,
)
from pipeline.request.grid import Grid
from pipeline.storage.labels import LabelledDataset, label


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

    Raises
    ------
    RequestError
        If the results would not fit in memory.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._status = np.full(len(grid.points), MISSING, dtype=np.int8)
        self._made_by = np.full(len(grid.points), NO_COUNT, dtype=np.int32)
        refuse_larger_than_memory(grid)
        self._sizes = _sizes(grid)
        self._arrays = {
            name: self._allocate(name, dtype)
            for name, dtype in recorded(grid.record).items()
            if name != "spike_time" and _exists(name, grid)
        }
        self._spike_times: dict[int, NDArray] = {}

    def add(self, keys: Sequence[str], columns: Columns, made_by: int = 0) -> None:
        """Fill in finished points, at every index of the grid with their content keys.

        Parameters
        ----------
        keys : sequence of str
            Content keys of the points.
        columns : dict of ndarray, (n_keys, ...)
            Their variables by name, units as in `variables.VARIABLES`.
        made_by : int
            Index of the run that computed them.
        """
        indices = [self.grid.positions[key] for key in keys]
        positions = np.array([position for some in indices for position in some], dtype=int)
        if len(positions) > len(keys):  # some points of the grid are the same run
            rows = np.repeat(np.arange(len(keys)), [len(some) for some in indices])
            columns = {name: column[rows] for name, column in columns.items()}
        for name, column in columns.items():
            if name == "spike_time":
                self._spike_times |= zip(positions.tolist(), column, strict=True)
            else:
                index: tuple[Any, ...] = tuple(slice(length) for length in column.shape[1:])
                self._arrays[name][(positions, *index)] = column
        # Last: points that an interruption left incomplete are not done.
        self._made_by[positions] = made_by
        self._status[positions] = DONE

    def has(self, key: str) -> bool:
        """Whether a point is done."""
        return self._status[self.grid.positions[key][0]] == DONE

    def fail(self, key: str) -> None:
        """Mark a point as failed."""
        self._status[self.grid.positions[key]] = FAILED

    def counts(self, keys: Iterable[str] | None = None) -> Counts:
        """Return how many points are done, failed and missing: of some, by default of all."""
        status = self._status
        if keys is not None:
            status = status[[self.grid.positions[key][0] for key in keys]]
        return Counts(*(int((status == value).sum()) for value in (DONE, FAILED, MISSING)))

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
        arrays = dict(self._arrays)
        if self.grid.record.spike_times:
            arrays["spike_time"] = self._padded_spike_times()
        arrays |= {"status": self._status, "made_by": self._made_by}
        return label(self.grid, arrays, attributes or {})

    def _allocate(self, name: str, dtype: np.dtype) -> NDArray:
        variable = VARIABLES[name]
        shape = (len(self.grid.points), *(self._sizes[dim] for dim in variable.dims))
        empty = NO_COUNT if variable.dtype == "int64" else np.nan
        return np.full(shape, empty, dtype)

    def _padded_spike_times(self) -> NDArray[np.float64]:
        longest = max(0, self._arrays["spike_count"].max())
        padded = np.full((len(self.grid.points), longest), np.nan)
        for position, times in self._spike_times.items():
            count = self._arrays["spike_count"][position]
            padded[position, :count] = times[:count]
        return padded


def _exists(name: str, grid: Grid) -> bool:
    """Whether a variable exists: a trace only where a rule has one of its name."""
    rules = [point.stdp for point in grid.unlike_models]
    return name not in ("x_pre", "x_post") or any(name in rule.traces for rule in rules)


def bytes_per_point(grid: Grid) -> int:
    """Return the size of a point's results in memory [bytes], without its spike times.

    The number of spikes is not known in advance. The file has this size before compression.
    """
    sizes = _sizes(grid) | {"spike": 0}
    return sum(
        dtype.itemsize * math.prod(sizes[dim] for dim in VARIABLES[name].dims)
        for name, dtype in recorded(grid.record).items()
    )


def refuse_larger_than_memory(grid: Grid) -> None:
    """Refuse a grid whose results would be larger than the memory of this machine.

    Raises
    ------
    RequestError
        If they would.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    per_point = bytes_per_point(grid)
    if per_point * len(grid.points) > memory:
        raise RequestError(
            f"{len(grid.points)} points of {per_point / 1e9:.3g} GB each: results must be "
            f"<= {memory / 1e9:.3g} GB, this machine's memory; request fewer points, synapses "
            "or recordings"
        )


def _sizes(grid: Grid) -> dict[str, int]:
    """Return the lengths of the dimensions of a point's variables."""
    unlike = unlike_in_size(grid.points)
    return {
        "synapse": max(point.input.n_synapses for point in unlike),
        "time": max(point.simulation.n_steps for point in unlike),
        "sample_time": max(map(_n_samples, unlike)),
    }


def _n_samples(point: Configuration) -> int:
    interval, simulation = point.record.weight_interval, point.simulation
    return 0 if interval is None else simulation.n_steps // steps(interval, simulation.dt)
