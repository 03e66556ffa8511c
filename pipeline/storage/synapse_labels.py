"""What the file says of groups of synapses: coordinates along `synapse`, and lists on an axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.inputs import InputProcess
from pipeline.model.parameters import Configuration
from pipeline.request.axis import Axis
from pipeline.request.grid import Grid
from pipeline.storage.along_axes import (
    LabelledArray,
    LabelledVariable,
    dimension_name,
    dimensions,
)
from pipeline.storage.rule_tables import changing_axes

#: The group of a synapse that is in none, or that a point does not have.
NO_GROUP = -1

_GROUP_ATTRIBUTES = {
    "long_name": "group of the synapse",
    "comment": f"in the order of input.group_sizes, the other synapses last; {NO_GROUP}: none",
}
_LATENCY_ATTRIBUTES = {
    "long_name": "latency of the synapse",
    "units": "ms",
    "comment": "begin of its burst, or its first spike in the pattern, relative to stimulus_time; "
    "NaN where it has none",
}
_RATE_ATTRIBUTES = {"long_name": "input rate of the synapse", "units": "Hz"}
_PHASE_ATTRIBUTES = {
    "long_name": "phase of the input rate of the synapse (cycles)",
    "comment": "0 where the rate does not oscillate",
}

#: Largest coordinate [values]; beyond that it is left out.
_MOST_VALUES = 20_000_000


def synapse_coordinates(
    grid: Grid, variables: Mapping[str, LabelledVariable]
) -> dict[str, LabelledArray]:
    """Return group, input rate, its phase, and latency of each synapse, where a process has them.

    They are along the axes that change them, and the synapse.
    """
    n_synapses = max(
        (
            values.shape[dims.index("synapse")]
            for dims, values, _ in variables.values()
            if "synapse" in dims
        ),
        default=0,
    )
    processes = {type(point.input) for point in grid.unlike_models}
    coordinates = {}
    if n_synapses and any(one.groups is not InputProcess.groups for one in processes):
        coordinates["group"] = _along_synapses(grid, n_synapses, _groups_at, _GROUP_ATTRIBUTES)
    if n_synapses and any(one.rates is not InputProcess.rates for one in processes):
        coordinates["synapse_rate"] = _along_synapses(grid, n_synapses, _rates_at, _RATE_ATTRIBUTES)
    if n_synapses and any(
        one.synapse_phases is not InputProcess.synapse_phases for one in processes
    ):
        coordinates["synapse_phase"] = _along_synapses(
            grid, n_synapses, _phases_at, _PHASE_ATTRIBUTES
        )
    if n_synapses and any(one.has_stimuli() for one in processes):
        coordinates["synapse_latency"] = _along_synapses(
            grid, n_synapses, _latencies_at, _LATENCY_ATTRIBUTES
        )
    return {name: one for name, one in coordinates.items() if one[1].size <= _MOST_VALUES}


def _groups_at(point: Configuration) -> NDArray:
    groups = point.input.groups()
    return np.full(point.input.n_synapses, NO_GROUP) if groups is None else groups


def _rates_at(point: Configuration) -> NDArray:
    rates = point.input.rates(point.input_seed)
    return np.full(point.input.n_synapses, point.input.rate_hz) if rates is None else rates


def _phases_at(point: Configuration) -> NDArray:
    phases = point.input.synapse_phases()
    return np.zeros(point.input.n_synapses) if phases is None else phases


def _latencies_at(point: Configuration) -> NDArray:
    latencies = point.input.latencies(point.simulation.dt, point.input_seed)
    return np.full(point.input.n_synapses, np.nan) if latencies is None else latencies


#: Keys that change the values, where not those of the input alone, and the fill, where not 0.
_KEYS: dict[Any, list[str]] = {
    _rates_at: ["input.", "seed"],
    _latencies_at: ["input.", "seed", "simulation.dt"],
}
_FILL: dict[Any, float] = {_latencies_at: np.nan}


def _along_synapses(
    grid: Grid,
    n_synapses: int,
    values_at: Callable[[Configuration], NDArray],
    attributes: Mapping[str, str],
) -> LabelledArray:
    """Return values of the synapses of each point, along the axes that change them."""
    keys = _KEYS.get(values_at, ["input."])
    along, points = grid.slice_along(keys)
    number_of: dict[bytes, int] = {}
    rows: list[NDArray] = []
    numbers = np.empty(len(points))  # of the rows
    for i, point in enumerate(points):
        values = values_at(point)
        number = numbers[i] = number_of.setdefault(values.tobytes(), len(rows))
        if number == len(rows):
            # Beyond the synapses of a point: no group, no input, and no latency.
            fill = NO_GROUP if values.dtype.kind == "i" else _FILL.get(values_at, 0.0)
            padded = np.full(n_synapses, fill, dtype=values.dtype)
            padded[: values.size] = values
            rows.append(padded)
    _, shape = dimensions(grid, along)
    changing = changing_axes(lambda positions: numbers[positions], shape)
    first = tuple(slice(None) if i in changing else 0 for i in range(len(shape)))
    dims, _ = dimensions(grid, [along[i] for i in changing])
    return (
        (*dims, "synapse"),
        np.array(rows)[numbers.reshape(shape)[first].astype(np.int64)],
        attributes,
    )


def list_variables(grid: Grid) -> dict[str, LabelledArray]:
    """Return the numbers of the lists on each axis, by group; NaN beyond the end of a list."""
    swept = [axis for axis in grid.axes if axis.has_lists]
    longest = max(
        (len(v) for axis in swept for v in axis.values if isinstance(v, tuple)), default=0
    )
    return {
        f"{dimension_name(axis)}_by_group": (
            (dimension_name(axis), "group_number"),
            _by_group(axis, longest),
            _attributes(axis),
        )
        for axis in swept
    }


def _by_group(axis: Axis, longest: int) -> NDArray[np.float64]:
    """Return the numbers of an axis, (n_values, longest); one number is that of all groups."""
    numbers = np.full((len(axis.values), longest), np.nan)
    for row, value in zip(numbers, axis.values, strict=True):
        if isinstance(value, tuple):
            row[: len(value)] = value
        else:
            row[:] = value
    return numbers


def _attributes(axis: Axis) -> dict[str, Any]:
    attributes = {"long_name": axis.quantity.long_name, "units": axis.quantity.units}
    attributes["config_key"] = axis.key
    return {name: text for name, text in attributes.items() if text}
