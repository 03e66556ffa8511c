"""Label results: dimensions, coordinates and attributes, as in `results.nc`."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.arithmetic import multiples
from pipeline.model.looks import sample_times
from pipeline.model.number_lists import value_text
from pipeline.model.parameters import MODEL_VERSION, Configuration, short_name
from pipeline.model.plasticity import Rule
from pipeline.model.quantity import Quantity
from pipeline.model.registry import REGISTRIES
from pipeline.model.variables import (
    DONE,
    FAILED,
    FLAGS,
    MISSING,
    NO_COUNT,
    SCHEMA_VERSION,
    VARIABLES,
    Variable,
)
from pipeline.request.axis import Axis
from pipeline.request.grid import Grid
from pipeline.request.samples import SampleAxis
from pipeline.storage.along_axes import (
    LabelledArray,
    LabelledVariable,
    PointNumber,
    along_axes,
    dimension_name,
)
from pipeline.storage.columns import GatheredVariable
from pipeline.storage.model_labels import (
    model_attributes,
    model_coordinates,
    model_variables,
)
from pipeline.storage.sample_labels import (
    null_somewhere,
    sample_attributes,
    sample_coordinates,
    sample_variables,
)
from pipeline.storage.synapse_labels import list_variables, synapse_coordinates

if TYPE_CHECKING:
    import xarray as xr
    from xarray.indexes import Index

#: Most bytes of a coordinate whose index is kept.
_MOST_BYTES_KEPT = 2**16


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

    variables: Mapping[str, LabelledVariable]
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
        return np.asarray(self.variables[name][1])

    def to_xarray(self) -> xr.Dataset:
        """Convert to xarray.

        Returns
        -------
        xarray.Dataset, (axes, further dimensions of each variable)
            Equal to the file of `netcdf.write_netcdf`; units [ms, Hz, mV, ...] are in the attribute
            `units` of each variable.
        """
        import xarray as xr

        variables = {name: xr.Variable(*array) for name, array in self.variables.items()}
        indexes: dict[Any, Index] = {}
        for name, (dims, values, attributes) in self.coordinates.items():
            if dims == (name,):
                indexes[name], index_variable = _index(name, values)
                variables[name] = index_variable.copy(deep=False)
                variables[name].attrs = dict(attributes)
            else:
                variables[name] = xr.Variable(dims, values, attributes)
        # The public constructor aligns and merges what is aligned already, in ten times the time.
        return xr.Dataset._construct_direct(
            variables, set(self.coordinates), attrs=dict(self.attributes), indexes=indexes
        )


def _index(name: str, values: NDArray) -> tuple[Index, xr.Variable]:
    """Return the index of a dimension and its coordinate without attributes."""
    if values.nbytes > _MOST_BYTES_KEPT:
        return _new_index(name, values)
    return _kept_index(name, values.dtype, values.tobytes())


@functools.lru_cache(maxsize=32)
def _kept_index(name: str, dtype: np.dtype, content: bytes) -> tuple[Index, xr.Variable]:
    """Return the index of few values, made once: to make it takes longer than a short run."""
    return _new_index(name, np.frombuffer(content, dtype))


def _new_index(name: str, values: NDArray) -> tuple[Index, xr.Variable]:
    import xarray as xr
    from xarray.indexes import PandasIndex

    plain = {name: xr.Variable((name,), values)}
    index = PandasIndex.from_variables(plain, options={})
    return index, index.create_variables(plain)[name]


def label(
    grid: Grid, arrays: Mapping[str, NDArray | GatheredVariable], attributes: Mapping[str, Any]
) -> LabelledDataset:
    """Return arrays with the dimensions, coordinates and attributes of a grid.

    Parameters
    ----------
    grid : Grid
        The points.
    arrays : mapping of str to ndarray, (n_points, ...)
        Variables by name, units as in `variables.VARIABLES`, with `status` and possibly `made_by`
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
        name: _on_grid(grid, array, VARIABLES[name].dims, _variable_attributes(name))
        for name, array in arrays.items()
        if name in VARIABLES
    }
    about_points = {
        name: _on_grid(grid, arrays[name], (), own)
        for name, own in _ABOUT_POINTS.items()
        if name in arrays
    }
    following, partial = derived_parameters(grid)
    variables = recorded | partial | about_points | model_variables(grid) | list_variables(grid)
    coordinates: dict[str, LabelledArray] = {
        dimension_name(axis): (
            (dimension_name(axis),),
            np.array(axis.coordinate),
            _axis_attributes(axis),
        )
        for axis in grid.axes
    }
    return LabelledDataset(
        variables,
        coordinates
        | following
        | _own_coordinates(grid, variables)
        | model_coordinates(grid)
        | synapse_coordinates(grid, variables),
        {
            "Conventions": "CF-1.11",
            "title": "STDP of a leaky integrate-and-fire neuron with conductance synapses",
            "configuration": json.dumps(grid.constants()),
            "schema_version": SCHEMA_VERSION,
            "model_version": MODEL_VERSION,
            "coincidence_convention": "spikes in one time step cause what stdp.coincidence says; "
            "by default both LTP and LTD",
            **model_attributes(grid),
            **attributes,
        },
    )


def _own_coordinates(
    grid: Grid, variables: Mapping[str, LabelledVariable]
) -> dict[str, LabelledArray]:
    """Return the coordinates of the dimensions that are not axes: synapses, times, spikes."""
    sizes = {
        dim: size
        for dims, values, _ in variables.values()
        for dim, size in zip(dims, values.shape, strict=True)
    }
    time = Quantity("time", "ms")
    dt = grid.points[0].simulation.dt
    # First index, its spacing unless it is the coordinate itself, quantity, and the key that
    # decides the length.
    own: dict[str, tuple[int, float | None, Quantity, str]] = {
        "synapse": (0, None, Quantity("synapse index"), "input.n_synapses"),
        "time": (0, dt, time, "simulation.dt"),
        "sample_time": (1, grid.record.weight_interval, time, "record.weight_interval"),
        "spike": (0, None, Quantity("output spike index"), "record.spike_times"),
        "stimulus": (0, None, Quantity("number of the stimulus"), "record.spike_times"),
        "group_number": (0, None, Quantity("number of the group of synapses"), ""),
    }
    coordinates: dict[str, LabelledArray] = {}
    for name, (first, spacing, quantity, key) in own.items():
        if name in sizes:
            index = first + np.arange(sizes[name])
            values = index if spacing is None else multiples(index, spacing)
            if name == "sample_time" and grid.points[0].simulation.ends_when_settled:
                values = sample_times(grid.points[0].simulation.duration, spacing or 0)
                values = values[: sizes[name]]  # of a single run, up to its end
            coordinates[name] = (name,), values, _attributes(quantity, config_key=key)
    return coordinates


def _attributes(named: Quantity | Variable, **more: str) -> dict[str, str]:
    """Return long name, units and more as attributes, without empty ones."""
    attributes = {"long_name": named.long_name, "units": named.units, **more}
    return {name: text for name, text in attributes.items() if text}


@functools.cache
def _variable_attributes(name: str) -> Mapping[str, Any]:
    variable = VARIABLES[name]
    attributes: dict[str, Any] = _attributes(variable, comment=variable.comment)
    # Not a fill value: xarray would convert counts to floats when it reads the file.
    if variable.dtype.startswith("int"):
        attributes["valid_min"] = np.dtype(variable.dtype).type(0)
    if name == "settled":
        attributes["flag_values"] = np.arange(len(FLAGS), dtype=variable.dtype)
        attributes["flag_meanings"] = " ".join(flag.replace(" ", "_") for flag in FLAGS)
    return attributes


def _axis_attributes(axis: Axis) -> dict[str, str]:
    if isinstance(axis, SampleAxis):
        return _attributes(axis.quantity, config_key=axis.key, **sample_attributes(axis))
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
        "valid_min": np.int32(0),  # of the variable's own type (CF-1.11, section 2.5.1)
    },
}

_RATE_KEY = "input.rate_hz"

_EFFECTIVE_RATIO_KEY = "stdp.effective_ltd_ratio"

_EFFECTIVE_RATIO_ATTRIBUTES = {
    "long_name": "effective LTD ratio",
    "comment": "A_minus tau_minus / (A_plus tau_plus); NaN without LTP",
}

_DISCRETE_RATIO_ATTRIBUTES = {
    "long_name": "LTD ratio in time steps",
    "comment": "ratio of the areas of the STDP window in time steps, which depends on "
    "stdp.coincidence; NaN without LTP",
}


def _on_grid(
    grid: Grid,
    array: NDArray | GatheredVariable,
    dims: tuple[str, ...],
    attributes: Mapping[str, Any],
) -> LabelledVariable:
    """Return an array with the axes of the grid in place of its first dimension."""
    names = tuple(dimension_name(axis) for axis in grid.axes)
    return (*names, *dims), array.reshape((*grid.shape, *array.shape[1:])), attributes


def derived_parameters(
    grid: Grid,
) -> tuple[dict[str, LabelledArray], dict[str, LabelledArray]]:
    """Return what points have instead of null, or by the value of an axis, along those axes.

    Returns
    -------
    coordinates, variables : dict
        Fields that the rules of all points have, and keys that follow an axis by `${...}`; fields
        of only some rules, NaN elsewhere, and the effective LTD ratio, NaN where a rule has none.
    """
    in_all, in_some = _resolved_fields(grid)
    swept = _swept(grid)
    if any(point.input.rate_hz is None for point in grid.unlike_models):
        in_all[short_name(_RATE_KEY)] = PointNumber(
            ("input.", "simulation.duration"),
            lambda point: point.input.rate_in(point.simulation.duration),
            _attributes(grid.quantity_of(_RATE_KEY), config_key=_RATE_KEY),
        )
    if _EFFECTIVE_RATIO_KEY not in swept:
        in_some["effective_ltd_ratio"] = PointNumber(
            ("stdp.",), lambda point: point.stdp.area_ratio(), _EFFECTIVE_RATIO_ATTRIBUTES
        )
    in_some["discrete_ltd_ratio"] = PointNumber(
        ("stdp.", "simulation.dt"),
        lambda point: point.stdp.discrete_area_ratio(point.simulation.dt),
        _DISCRETE_RATIO_ATTRIBUTES,
    )
    arrays = along_axes(grid, in_all | in_some)
    everywhere = {name: arrays[name] for name in in_all}
    somewhere = {name: arrays[name] for name in in_some}
    taken = {*everywhere, *somewhere, *map(dimension_name, grid.axes)}
    everywhere |= sample_coordinates(grid, taken)
    somewhere |= sample_variables(grid, {*taken, *everywhere})
    for axis in grid.axes:
        if isinstance(axis, SampleAxis):
            continue
        # Of an axis of rules, `settings` has what each of them sets.
        for key in () if axis.is_choice or axis.key in REGISTRIES else sorted(axis.keys - swept):
            values = [setting.get(key) for setting in axis.settings]
            if any(isinstance(value, list) for value in values):
                values = [value_text(value) for value in values]
            name = short_name(key)
            if None not in values and name not in taken:
                attributes = _attributes(grid.quantity_of(key), config_key=key)
                everywhere[name] = (dimension_name(axis),), np.array(values), attributes
    return everywhere, somewhere


def _swept(grid: Grid) -> set[str]:
    """Return the keys that the axes set themselves: swept, or sampled."""
    return {key for axis in grid.axes for key in axis.own_keys}


def _resolved_fields(grid: Grid) -> tuple[dict[str, PointNumber], dict[str, PointNumber]]:
    """Return the fields that are derived from others when null.

    Returns
    -------
    in_all, in_some : dict
        Fields that the rules of all points have, and fields of only some, NaN elsewhere.
    """
    swept = _swept(grid) - null_somewhere(grid)
    rules = [type(point.stdp) for point in grid.unlike_models]
    in_all: dict[str, PointNumber] = {}
    in_some: dict[str, PointNumber] = {}
    for rule in rules:
        for name in rule.followers:
            if rule.key(name) not in swept:
                everywhere = all(name in other.quantities() for other in rules)
                (in_all if everywhere else in_some)[name] = PointNumber(
                    (rule.key(rule.chosen_by), rule.key(name), *_followed(grid, rule, name)),
                    functools.partial(_resolved, name),
                    _attributes(rule.quantities()[name], config_key=rule.key(name)),
                )
    return in_all, in_some


def _followed(grid: Grid, rule: type[Rule], name: str) -> set[str]:
    """Return the keys that a field of a rule is derived from, at any point."""
    _, points = grid.slice_along([rule.key(rule.chosen_by), *map(rule.key, rule.replaces)])
    rules = [point.stdp for point in points if type(point.stdp) is rule]
    return {rule.key(other) for one in rules for other in one.followed(name)}


def _resolved(name: str, point: Configuration) -> float:
    return getattr(point.stdp.resolved(), name, np.nan)
