"""Records of points in any order, one labelled dataset out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pipeline.grid import Axis, Grid
from pipeline.parameters import Configuration, Stdp, steps
from pipeline.plasticity import effective_ltd_ratio
from pipeline.variables import (
    COUNTS,
    DIMENSIONS,
    DONE,
    FAILED,
    MISSING,
    NO_COUNT,
    VARIABLES,
    Record,
    recorded,
)


class Gather:
    """The results of a grid, filled point by point.

    Parameters
    ----------
    grid : Grid
        The points that are wanted.
    dtype : str, optional
        Number type of weights and traces; `record.dtype` when not given.
    """

    def __init__(self, grid: Grid, dtype: str | None = None) -> None:
        self.grid = grid
        self._dtype = dtype or grid.base.record.dtype
        self._positions: dict[str, list[int]] = defaultdict(list)
        for position, key in enumerate(grid.keys):
            self._positions[key].append(position)
        self._status = np.full(len(grid.points), MISSING, dtype=np.int8)
        self._sizes = {
            "synapse": max(point.input.n_synapses for point in grid.points),
            "time": max(point.simulation.n_steps for point in grid.points),
            "sample_time": max(map(_n_samples, grid.points)),
        }
        self._arrays = {
            name: self._allocate(name) for name in recorded(grid.base) if name != "spike_time"
        }
        self._spike_times: dict[int, NDArray] = {}

    def add(self, key: str, record: Record) -> None:
        """Fill in a finished point, wherever on the grid it stands."""
        for position in self._positions.get(key, ()):
            self._status[position] = DONE
            for name, value in record.items():
                if name == "spike_time":
                    self._spike_times[position] = value[~np.isnan(value)]
                else:
                    place = tuple(slice(length) for length in np.shape(value))
                    self._arrays[name][(position, *place)] = value

    def has(self, key: str) -> bool:
        """Whether a point is done."""
        return self._status[self._positions[key][0]] == DONE

    def fail(self, key: str) -> None:
        """Mark a point as failed."""
        self._status[self._positions[key]] = FAILED

    def count(self, status: int) -> int:
        """Return how many points are done, failed or missing."""
        return int((self._status == status).sum())

    def dataset(self, attributes: Mapping[str, Any] | None = None) -> xr.Dataset:
        """Label everything and return the dataset of `results.nc`."""
        grid = self.grid
        names = [dimension_name(axis) for axis in grid.axes]
        arrays = dict(self._arrays)
        if grid.base.record.spike_times:
            arrays["spike_time"] = self._padded_spike_times()
        variables = {
            name: (
                (*names, *VARIABLES[name].dims),
                array.reshape((*grid.shape, *array.shape[1:])),
                VARIABLES[name].attributes(),
            )
            for name, array in arrays.items()
        }
        variables["status"] = (names, self._status.reshape(grid.shape), _STATUS_ATTRIBUTES)
        coordinates = {
            name: (name, np.array(axis.values), _axis_attributes(axis))
            for name, axis in zip(names, grid.axes, strict=True)
        }
        return xr.Dataset(
            variables,
            coordinates | self._own_coordinates(variables) | _derived_coordinates(grid, names),
            {
                "Conventions": "CF-1.11",
                "title": "STDP of a leaky integrate-and-fire neuron with conductance synapses",
                "configuration": json.dumps(grid.constants()),
                "coincidence_convention": "spikes in one time step count as both LTP and LTD",
                **(attributes or {}),
            },
        )

    def _allocate(self, name: str) -> NDArray:
        variable = VARIABLES[name]
        shape = (len(self.grid.points), *(self._sizes[dim] for dim in variable.dims))
        if name in COUNTS:
            return np.full(shape, NO_COUNT, dtype=np.int64)
        return np.full(shape, np.nan, dtype=self._dtype if variable.bulky else "float64")

    def _padded_spike_times(self) -> NDArray[np.float64]:
        longest = max((times.size for times in self._spike_times.values()), default=0)
        padded = np.full((len(self.grid.points), longest), np.nan)
        for position, times in self._spike_times.items():
            padded[position, : times.size] = times
        return padded

    def _own_coordinates(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Coordinates of the dimensions that are no axes: synapses, times, spikes."""
        used = {dim for dims, _, _ in variables.values() for dim in dims}
        base = self.grid.base
        dt, interval = base.simulation.dt, base.record.weight_interval or 0.0
        n_spikes = variables["spike_time"][1].shape[-1] if "spike" in used else 0
        values = {
            "synapse": (np.arange(self._sizes["synapse"]), "synapse index", "", "input.n_synapses"),
            "time": (np.arange(self._sizes["time"]) * dt, "time", "ms", "simulation.dt"),
            "sample_time": (
                (1 + np.arange(self._sizes["sample_time"])) * interval,
                "time",
                "ms",
                "record.weight_interval",
            ),
            "spike": (np.arange(n_spikes), "output spike index", "", "record.spike_times"),
        }
        return {
            name: (name, array, _attributes(long_name, units, key))
            for name, (array, long_name, units, key) in values.items()
            if name in used
        }


def dimension_name(axis: Axis) -> str:
    """Return the name of an axis in the file: its leaf, unless the file needs that word itself."""
    taken = axis.leaf in DIMENSIONS or axis.leaf in VARIABLES
    return f"{axis.leaf}_set" if taken else axis.leaf


def _n_samples(point: Configuration) -> int:
    interval, simulation = point.record.weight_interval, point.simulation
    return 0 if interval is None else simulation.n_steps // steps(interval, simulation.dt)


def _attributes(long_name: str, units: str, key: str) -> dict[str, str]:
    named = {"long_name": long_name, "units": units, "config_key": key}
    return {name: text for name, text in named.items() if text}


def _axis_attributes(axis: Axis) -> dict[str, str]:
    attributes = _attributes(axis.quantity.long_name, axis.quantity.units, axis.key)
    if axis.is_choice:
        attributes["settings"] = json.dumps(dict(zip(axis.values, axis.settings, strict=True)))
    return attributes


_STATUS_ATTRIBUTES = {
    "long_name": "status of the point",
    "flag_values": np.array([DONE, FAILED, MISSING], dtype=np.int8),
    "flag_meanings": "done failed missing",
}


_EFFECTIVE_RATIO_ATTRIBUTES = {
    "long_name": "effective LTD ratio",
    "comment": "A_minus tau_minus / (A_plus tau_plus)",
}


def _derived_coordinates(grid: Grid, names: list[str]) -> dict[str, Any]:
    """Return what the rule implies but no key says, along the axes on which it depends."""
    rule = {"effective_ltd_ratio": (["stdp."], effective_ltd_ratio, _EFFECTIVE_RATIO_ATTRIBUTES)}
    for name, followed in Stdp.followers.items():
        key, quantity = Stdp.key(name), Stdp.quantities()[name]
        attributes = _attributes(quantity.long_name, quantity.units, key)
        rule[name] = ([key, *map(Stdp.key, followed)], _resolved(name), attributes)
    derived = {}
    for name, (keys, function, attributes) in rule.items():
        if name not in names:
            along, points = grid.slice_along(keys)
            values = np.array([function(point.stdp) for point in points])
            values = values.reshape([grid.shape[i] for i in along])
            derived[name] = ([names[i] for i in along], values, attributes)
    return derived


def _resolved(name: str) -> Callable[[Stdp], float]:
    return lambda stdp: getattr(stdp.resolved(), name)
