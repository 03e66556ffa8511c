"""Results of points in any order, one labelled dataset out."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.parameters import MODEL_VERSION, Configuration, Stdp, steps, unlike_in_size
from pipeline.model.plasticity import effective_ltd_ratio
from pipeline.model.quantity import Quantity
from pipeline.model.variables import (
    DIMENSIONS,
    DONE,
    FAILED,
    MISSING,
    NO_COUNT,
    VARIABLES,
    Columns,
    Variable,
    recorded,
)
from pipeline.request.grid import Axis, Grid
from pipeline.storage.labelled import LabelledArray, LabelledDataset


class Counts(NamedTuple):
    """How many points are in which state."""

    done: int
    failed: int
    missing: int


class ResultArrays:
    """The results of a grid, filled batch by batch.

    Parameters
    ----------
    grid : Grid
        The points that are wanted.

    Raises
    ------
    RequestError
        If the results would not fit in memory.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._status = np.full(len(grid.points), MISSING, dtype=np.int8)
        self._made_by = np.full(len(grid.points), NO_COUNT, dtype=np.int32)
        refuse_what_does_not_fit(grid)
        self._sizes = _sizes(grid)
        self._arrays = {
            name: self._allocate(name, dtype)
            for name, dtype in recorded(grid.record).items()
            if name != "spike_time"
        }
        self._spike_times: dict[int, NDArray] = {}

    def add(self, keys: Sequence[str], columns: Columns, made_by: int = 0) -> None:
        """Fill in points that a run has finished, wherever on the grid they stand."""
        places = [self.grid.positions[key] for key in keys]
        positions = np.array([position for place in places for position in place], dtype=int)
        if len(positions) > len(keys):  # some runs stand in several places
            rows = np.repeat(np.arange(len(keys)), [len(place) for place in places])
            columns = {name: column[rows] for name, column in columns.items()}
        for name, column in columns.items():
            if name == "spike_time":
                self._spike_times |= zip(positions.tolist(), column, strict=True)
            else:
                place = tuple(slice(length) for length in column.shape[1:])
                self._arrays[name][(positions, *place)] = column
        # Last, so that what an interruption left half filled in is not called done.
        self._made_by[positions] = made_by
        self._status[positions] = DONE

    def has(self, key: str) -> bool:
        """Whether a point is done."""
        return self._status[self.grid.positions[key][0]] == DONE

    def fail(self, key: str) -> None:
        """Mark a point as failed."""
        self._status[self.grid.positions[key]] = FAILED

    def counts(self, keys: Iterable[str] | None = None) -> Counts:
        """Return how many points are done, failed and missing: of all, or of some."""
        status = self._status
        if keys is not None:
            status = status[[self.grid.positions[key][0] for key in keys]]
        return Counts(*(int((status == value).sum()) for value in (DONE, FAILED, MISSING)))

    def labelled(self, attributes: Mapping[str, Any] | None = None) -> LabelledDataset:
        """Label everything, as in `results.nc`."""
        grid = self.grid
        names = [dimension_name(axis) for axis in grid.axes]
        arrays = dict(self._arrays)
        if grid.record.spike_times:
            arrays["spike_time"] = self._padded_spike_times()
        variables: dict[str, LabelledArray] = {
            name: (
                (*names, *VARIABLES[name].dims),
                array.reshape((*grid.shape, *array.shape[1:])),
                _variable_attributes(VARIABLES[name]),
            )
            for name, array in arrays.items()
        }
        variables["effective_ltd_ratio"] = _along_its_axes(
            grid, ["stdp."], effective_ltd_ratio, _EFFECTIVE_RATIO_ATTRIBUTES
        )
        for name, array, own in (
            ("status", self._status, _STATUS_ATTRIBUTES),
            ("made_by", self._made_by, _MADE_BY_ATTRIBUTES),
        ):
            variables[name] = tuple(names), array.reshape(grid.shape), own
        coordinates: dict[str, LabelledArray] = {
            name: ((name,), np.array(axis.values), _axis_attributes(axis))
            for name, axis in zip(names, grid.axes, strict=True)
        }
        return LabelledDataset(
            variables,
            coordinates | self._own_coordinates(variables) | _followers(grid),
            {
                "Conventions": "CF-1.11",
                "title": "STDP of a leaky integrate-and-fire neuron with conductance synapses",
                "configuration": json.dumps(grid.constants()),
                "model_version": MODEL_VERSION,
                "coincidence_convention": "spikes in one time step count as both LTP and LTD",
                **(attributes or {}),
            },
        )

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

    def _own_coordinates(self, variables: Mapping[str, LabelledArray]) -> dict[str, LabelledArray]:
        """Coordinates of the dimensions that are no axes: synapses, times, spikes."""
        sizes = {
            dim: size
            for dims, values, _ in variables.values()
            for dim, size in zip(dims, values.shape, strict=True)
        }
        time = Quantity("time", "ms")
        dt = self.grid.points[0].simulation.dt
        interval = self.grid.record.weight_interval or 0.0
        # First index, distance, what it is, and the key that sets how many there are.
        own = {
            "synapse": (0, 1, Quantity("synapse index"), "input.n_synapses"),
            "time": (0, dt, time, "simulation.dt"),
            "sample_time": (1, interval, time, "record.weight_interval"),
            "spike": (0, 1, Quantity("output spike index"), "record.spike_times"),
        }
        return {
            name: (
                (name,),
                (first + np.arange(sizes[name])) * distance,
                _attributes(quantity, config_key=key),
            )
            for name, (first, distance, quantity, key) in own.items()
            if name in sizes
        }


def bytes_per_point(grid: Grid) -> int:
    """Return the memory that a point takes, and the file too unless it can be compressed.

    Spikes, of which nobody knows how many there will be, are not counted in.
    """
    sizes = _sizes(grid) | {"spike": 0}
    return sum(
        dtype.itemsize * math.prod(sizes[dim] for dim in VARIABLES[name].dims)
        for name, dtype in recorded(grid.record).items()
    )


def refuse_what_does_not_fit(grid: Grid) -> None:
    """Raise `RequestError` if the results would be larger than this machine's memory."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    per_point = bytes_per_point(grid)
    if per_point * len(grid.points) > memory:
        raise RequestError(
            f"{len(grid.points)} points of {per_point / 1e9:.3g} GB each: results must be "
            f"<= {memory / 1e9:.3g} GB, this machine's memory; ask for fewer points, synapses "
            "or records"
        )


def _sizes(grid: Grid) -> dict[str, int]:
    """Return the lengths of the dimensions that each point has for itself."""
    unlike = unlike_in_size(grid.points)
    return {
        "synapse": max(point.input.n_synapses for point in unlike),
        "time": max(point.simulation.n_steps for point in unlike),
        "sample_time": max(map(_n_samples, unlike)),
    }


def dimension_name(axis: Axis) -> str:
    """Return the name of an axis in the file: its leaf, unless the file needs that word itself."""
    taken = axis.short_name in DIMENSIONS or axis.short_name in VARIABLES
    return f"{axis.short_name}_set" if taken else axis.short_name


def _n_samples(point: Configuration) -> int:
    interval, simulation = point.record.weight_interval, point.simulation
    return 0 if interval is None else simulation.n_steps // steps(interval, simulation.dt)


def _attributes(named: Quantity | Variable, **more: str) -> dict[str, str]:
    """Return long name, units and more as attributes, what is empty left out."""
    attributes = {"long_name": named.long_name, "units": named.units, **more}
    return {name: text for name, text in attributes.items() if text}


def _variable_attributes(variable: Variable) -> dict[str, Any]:
    attributes = _attributes(variable, comment=variable.comment)
    # A fill value would turn counts into floats when the file is read.
    return attributes | ({"valid_min": 0} if variable.dtype == "int64" else {})


def _axis_attributes(axis: Axis) -> dict[str, str]:
    settings = json.dumps(axis.settings) if axis.sets_more else ""
    return _attributes(axis.quantity, config_key=axis.key, settings=settings)


_STATUS_ATTRIBUTES = {
    "long_name": "status of the point",
    "flag_values": np.array([DONE, FAILED, MISSING], dtype=np.int8),
    "flag_meanings": "done failed missing",
}

_MADE_BY_ATTRIBUTES = {
    "long_name": "run that made the point",
    "comment": f"its place in the attribute runs, from 0; {NO_COUNT} where not done or not known",
    "valid_min": 0,
}

_EFFECTIVE_RATIO_ATTRIBUTES = {
    "long_name": "effective LTD ratio",
    "comment": "A_minus tau_minus / (A_plus tau_plus); NaN without LTP",
}


def _followers(grid: Grid) -> dict[str, LabelledArray]:
    """Return as coordinates what follows other parameters when null, along the axes it follows."""
    swept = {axis.key for axis in grid.axes}
    return {
        name: _along_its_axes(
            grid,
            [Stdp.key(name), *map(Stdp.key, followed)],
            lambda stdp, name=name: getattr(stdp.resolved(), name),
            _attributes(Stdp.quantities()[name], config_key=Stdp.key(name)),
        )
        for name, followed in Stdp.followers.items()
        if Stdp.key(name) not in swept
    }


def _along_its_axes(
    grid: Grid,
    keys: list[str],
    function: Callable[[Stdp], float],
    attributes: Mapping[str, str],
) -> LabelledArray:
    """Return a number of the rule along the axes that set any of the keys."""
    along, points = grid.slice_along(keys)
    values = np.array([function(point.stdp) for point in points])
    dims = tuple(dimension_name(grid.axes[i]) for i in along)
    return dims, values.reshape([grid.shape[i] for i in along]), attributes
