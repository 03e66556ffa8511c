"""Label results: dimensions, coordinates and attributes, as in `results.nc`."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import MODEL_VERSION, Stdp
from pipeline.model.plasticity import effective_ltd_ratio
from pipeline.model.quantity import Quantity
from pipeline.model.variables import (
    DIMENSIONS,
    DONE,
    FAILED,
    MISSING,
    NO_COUNT,
    VARIABLES,
    Variable,
)
from pipeline.request.axis import Axis
from pipeline.request.grid import Grid

if TYPE_CHECKING:
    import xarray as xr

#: Dimensions, values and attributes of one variable.
LabelledArray = tuple[tuple[str, ...], NDArray, Mapping[str, Any]]


@dataclass(frozen=True)
class LabelledDataset:
    """Arrays with dimensions, coordinates and attributes, without a dependency on xarray.

    Attributes
    ----------
    variables, coordinates : dict
        Dimensions, values and attributes by name.
    attributes : dict
        Attributes of the dataset.
    """

    variables: Mapping[str, LabelledArray]
    coordinates: Mapping[str, LabelledArray]
    attributes: Mapping[str, Any]

    def values(self, name: str) -> NDArray:
        """Return the values of a variable.

        Parameters
        ----------
        name : str
            Name of the variable.

        Returns
        -------
        ndarray, (n_axis_1, n_axis_2, ..., further dimensions of the variable)
            In the unit of the variable's attribute `units`, dimensionless without one.
        """
        return self.variables[name][1]

    def to_xarray(self) -> xr.Dataset:
        """Convert to xarray.

        Returns
        -------
        xarray.Dataset, (axes, further dimensions of each variable)
            Equal to the file of `netcdf.write_netcdf`; units [ms, Hz, mV, ...] are in the attribute
            `units` of each variable.
        """
        import xarray as xr

        return xr.Dataset(dict(self.variables), dict(self.coordinates), dict(self.attributes))


def label(
    grid: Grid, arrays: Mapping[str, NDArray], attributes: Mapping[str, Any]
) -> LabelledDataset:
    """Return arrays with the dimensions, coordinates and attributes of a grid.

    Parameters
    ----------
    grid : Grid
        The points.
    arrays : mapping of str to ndarray, (n_points, ...)
        Variables by name, units as in `variables.VARIABLES`, with `status` and `made_by`
        [dimensionless]; the first dimension is the point, in the order of the grid.
    attributes : mapping
        Further attributes of the dataset.

    Returns
    -------
    LabelledDataset, (axes of the grid, ...)
        The variables with the axes in place of their first dimension, the effective LTD ratio
        [dimensionless], and the coordinates of all dimensions.
    """
    recorded = {
        name: _on_grid(grid, array, VARIABLES[name].dims, _variable_attributes(VARIABLES[name]))
        for name, array in arrays.items()
        if name in VARIABLES
    }
    effective_ratio = _along_its_axes(
        grid, ["stdp."], effective_ltd_ratio, _EFFECTIVE_RATIO_ATTRIBUTES
    )
    about_points = {
        name: _on_grid(grid, arrays[name], (), own) for name, own in _ABOUT_POINTS.items()
    }
    variables = recorded | {"effective_ltd_ratio": effective_ratio} | about_points
    coordinates: dict[str, LabelledArray] = {
        dimension_name(axis): (
            (dimension_name(axis),),
            np.array(axis.values),
            _axis_attributes(axis),
        )
        for axis in grid.axes
    }
    return LabelledDataset(
        variables,
        coordinates | _own_coordinates(grid, variables) | _followers(grid),
        {
            "Conventions": "CF-1.11",
            "title": "STDP of a leaky integrate-and-fire neuron with conductance synapses",
            "configuration": json.dumps(grid.constants()),
            "model_version": MODEL_VERSION,
            "coincidence_convention": "spikes in one time step count as both LTP and LTD",
            **attributes,
        },
    )


def dimension_name(axis: Axis) -> str:
    """Return the dimension of an axis: its short name, with `_set` if the file uses that name."""
    taken = axis.short_name in DIMENSIONS or axis.short_name in VARIABLES
    return f"{axis.short_name}_set" if taken else axis.short_name


def _own_coordinates(
    grid: Grid, variables: Mapping[str, LabelledArray]
) -> dict[str, LabelledArray]:
    """Return the coordinates of the dimensions that are no axes: synapses, times, spikes."""
    sizes = {
        dim: size
        for dims, values, _ in variables.values()
        for dim, size in zip(dims, values.shape, strict=True)
    }
    time = Quantity("time", "ms")
    dt = grid.points[0].simulation.dt
    interval = grid.record.weight_interval or 0.0
    # First index, spacing, quantity, and the key that decides the length.
    own = {
        "synapse": (0, 1, Quantity("synapse index"), "input.n_synapses"),
        "time": (0, dt, time, "simulation.dt"),
        "sample_time": (1, interval, time, "record.weight_interval"),
        "spike": (0, 1, Quantity("output spike index"), "record.spike_times"),
    }
    return {
        name: (
            (name,),
            (first + np.arange(sizes[name])) * spacing,
            _attributes(quantity, config_key=key),
        )
        for name, (first, spacing, quantity, key) in own.items()
        if name in sizes
    }


def _attributes(named: Quantity | Variable, **more: str) -> dict[str, str]:
    """Return long name, units and more as attributes, without empty ones."""
    attributes = {"long_name": named.long_name, "units": named.units, **more}
    return {name: text for name, text in attributes.items() if text}


def _variable_attributes(variable: Variable) -> dict[str, Any]:
    attributes = _attributes(variable, comment=variable.comment)
    # Not a fill value: xarray would convert counts to floats when it reads the file.
    return attributes | ({"valid_min": 0} if variable.dtype == "int64" else {})


def _axis_attributes(axis: Axis) -> dict[str, str]:
    settings = json.dumps(axis.settings) if axis.sets_more else ""
    return _attributes(axis.quantity, config_key=axis.key, settings=settings)


_ABOUT_POINTS: dict[str, dict[str, Any]] = {
    "status": {
        "long_name": "status of the point",
        "flag_values": np.array([DONE, FAILED, MISSING], dtype=np.int8),
        "flag_meanings": "done failed missing",
    },
    "made_by": {
        "long_name": "run that computed the point",
        "comment": f"index in the attribute runs, from 0; {NO_COUNT} where not done or not known",
        "valid_min": 0,
    },
}

_EFFECTIVE_RATIO_ATTRIBUTES = {
    "long_name": "effective LTD ratio",
    "comment": "A_minus tau_minus / (A_plus tau_plus); NaN without LTP",
}


def _on_grid(
    grid: Grid, array: NDArray, dims: tuple[str, ...], attributes: Mapping[str, Any]
) -> LabelledArray:
    """Return an array with the axes of the grid in place of its first dimension."""
    names = tuple(dimension_name(axis) for axis in grid.axes)
    return (*names, *dims), array.reshape((*grid.shape, *array.shape[1:])), attributes


def _followers(grid: Grid) -> dict[str, LabelledArray]:
    """Return parameters that may be null and follow others as coordinates, with their values."""
    swept = {axis.key for axis in grid.axes}
    return {
        name: _along_its_axes(
            grid,
            [Stdp.key(name), *map(Stdp.key, followed)],
            functools.partial(_resolved, name),
            _attributes(Stdp.quantities()[name], config_key=Stdp.key(name)),
        )
        for name, followed in Stdp.followers.items()
        if Stdp.key(name) not in swept
    }


def _resolved(name: str, stdp: Stdp) -> float:
    return getattr(stdp.resolved(), name)


def _along_its_axes(
    grid: Grid,
    keys: list[str],
    function: Callable[[Stdp], float],
    attributes: Mapping[str, str],
) -> LabelledArray:
    """Return a number of the plasticity rule along the axes that set any of the keys."""
    along, points = grid.slice_along(keys)
    values = np.array([function(point.stdp) for point in points])
    dims = tuple(dimension_name(grid.axes[i]) for i in along)
    return dims, values.reshape([grid.shape[i] for i in along]), attributes
