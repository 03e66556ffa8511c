"""Select the points of a dataset at given parameter values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.reading.dataset import axes, long_name, value_label, with_named_choices
from analysis.reading.errors import ConditionError
from analysis.reading.values import span, stands_for

#: The dimension of samples, and its coordinate.
SAMPLE = "sample"


@dataclass(frozen=True)
class Part:
    """A selection of the points of a dataset.

    Attributes
    ----------
    dataset : Dataset
        The selected points; scalar coordinates hold the values they were selected by.
    description : str
        The values for a title: "Input rate 20 Hz, Random seed 2".
    suffix : str
        The values for a file name: "_rate_hz=20.0_seed=2".
    """

    dataset: xr.Dataset
    description: str = ""
    suffix: str = ""


def part_of(dataset: xr.Dataset, where: Sequence[str]) -> Part:
    """Select the points at given values.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.
    where : sequence of str
        `KEY=VALUE`, one value per axis in the unit of the key, such as [Hz]. The key may be given
        in full (`input.rate_hz`) or by its short name (`rate_hz`). Of a key that is sampled, all
        samples with the value are selected.

    Returns
    -------
    Part
        Its dataset lacks the axes that were given, and that of samples where one is left; units
        are unchanged.

    Raises
    ------
    ConditionError
        If there is no such axis, no such value on it, or an axis is given twice.
    """
    whole = dataset = with_named_choices(dataset)
    descriptions, suffix = [], ""
    for condition in where:
        key, equals, text = condition.partition("=")
        if equals and (sampled := _sampled(dataset, key)):
            description, end, dataset = _samples_at(dataset, sampled, text, condition)
            descriptions.append(description)
            suffix += end
            continue
        axis = _axis(whole, key if equals else "", f"--where {condition}")
        if axis not in axes(dataset):
            raise ConditionError(f"--where {condition}: {axis} was given twice; one value each")
        coordinate = dataset[axis]
        values = coordinate.values.tolist()
        index = next((i for i, value in enumerate(values) if stands_for(text, value)), None)
        if index is None:
            raise ConditionError(f"--where {condition}: {axis} must be one of {span(values)}")
        descriptions.append(f"{long_name(coordinate)} {value_label(coordinate, values[index])}")
        suffix += f"_{axis}={values[index]}"
        dataset = dataset.isel({axis: index})
    return Part(dataset, ", ".join(descriptions), suffix)


def _sampled(dataset: xr.Dataset, key: str) -> str:
    """Return the name of a coordinate along samples, by that or by its key; empty if there is none.

    Also where an earlier condition has left one of them.
    """
    if SAMPLE not in dataset.coords or key == SAMPLE:
        return ""
    dims = dataset[SAMPLE].dims
    named = [str(one.name) for one in dataset.coords.values() if one.dims == dims]
    keyed = {dataset[name].attrs.get("config_key"): name for name in named if name not in dims}
    return keyed.get(key) or (key if key in keyed.values() else "")


def _samples_at(
    dataset: xr.Dataset, name: str, text: str, condition: str
) -> tuple[str, str, xr.Dataset]:
    """Return description, suffix and the samples with a value, without their axis if it is one."""
    coordinate = dataset[name]
    values = np.atleast_1d(coordinate.values).tolist()
    index = [i for i, value in enumerate(values) if stands_for(text, value)]
    if not index:
        raise ConditionError(f"--where {condition}: {name} must be one of {span(values)}")
    value = values[index[0]]
    description = f"{long_name(coordinate)} {value_label(coordinate, value)}"
    if coordinate.ndim:
        dataset = dataset.isel({SAMPLE: index[0] if len(index) == 1 else index})
    return description, f"_{name}={value}", dataset


def _axis(dataset: xr.Dataset, key: str, condition: str) -> str:
    swept = axes(dataset)
    for axis in swept:
        if key in (axis, dataset[axis].attrs.get("config_key")):
            return axis
    named = [dataset[axis].attrs.get("config_key", axis) for axis in swept]
    named += json.loads(dataset[SAMPLE].attrs.get("sampled", "[]")) if SAMPLE in swept else []
    keys = ", ".join(named)
    raise ConditionError(
        f"{condition}: must be KEY=VALUE with one of the axes {keys or '(none here)'}"
    )
