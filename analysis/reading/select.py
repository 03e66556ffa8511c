"""A part of a dataset: the points at which parameters have some values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import xarray as xr

from analysis.reading.dataset import axes, long_name, value_label
from analysis.reading.errors import ConditionError
from analysis.reading.values import canonical, span, written


@dataclass(frozen=True)
class Part:
    """Some points of a dataset.

    Attributes
    ----------
    dataset : Dataset
        These points.
    words : str
        By what they were chosen: "Input rate 20 Hz, Random seed 2".
    suffix : str
        The same as part of a file's name: "_rate_hz=20.0_seed=2".
    """

    dataset: xr.Dataset
    words: str = ""
    suffix: str = ""


def part_of(dataset: xr.Dataset, where: Sequence[str]) -> Part:
    """Return the points at some values.

    Parameters
    ----------
    dataset : Dataset
        An experiment.
    where : sequence of str
        `KEY=VALUE`, with the key of an axis as `input.rate_hz` or its last word; one value each.

    Raises
    ------
    ConditionError
        If there is no such axis, no such value on it, or an axis is given twice.
    """
    words, suffix, whole = [], "", dataset
    for condition in where:
        key, equals, value = condition.partition("=")
        axis = _axis(whole, key if equals else "", f"--where {condition}")
        if axis not in axes(dataset):
            raise ConditionError(f"--where {condition}: {axis} was given twice; one value each")
        coordinate = dataset[axis]
        values = coordinate.values.tolist()
        places = [i for i, other in enumerate(values) if _same(other, value)]
        if not places:
            raise ConditionError(f"--where {condition}: {axis} must be one of {span(values)}")
        words.append(f"{long_name(coordinate)} {value_label(coordinate, values[places[0]])}")
        suffix += f"_{axis}={values[places[0]]}"
        dataset = _at(dataset, axis, places[0])
    return Part(dataset, ", ".join(words), suffix)


def _at(dataset: xr.Dataset, axis: str, place: int) -> xr.Dataset:
    """Return the points at one value, whose coordinate knows what this value alone sets."""
    settings = json.loads(dataset[axis].attrs.get("settings", "[]"))
    dataset = dataset.isel({axis: place})
    if settings:
        coordinate = dataset[axis]
        chosen = coordinate.attrs | {"settings": json.dumps(settings[place : place + 1])}
        dataset = dataset.assign_coords({axis: coordinate.assign_attrs(chosen)})
    return dataset


def _axis(dataset: xr.Dataset, key: str, asked: str) -> str:
    swept = axes(dataset)
    for axis in swept:
        if key in (axis, dataset[axis].attrs.get("config_key")):
            return axis
    keys = ", ".join(dataset[axis].attrs.get("config_key", axis) for axis in swept)
    raise ConditionError(f"{asked}: must be KEY=VALUE with one of the axes {keys or '(none here)'}")


def _same(value: object, asked: str) -> bool:
    if isinstance(value, str):
        return value == asked
    try:
        return canonical(value) == canonical(float(asked))
    except ValueError:
        return written(value) == asked
