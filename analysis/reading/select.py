"""Select the points of a dataset at given parameter values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.reading.dataset import axes, long_name, value_label, with_named_choices
from analysis.reading.errors import ConditionError
from analysis.reading.samples import sampled_keys, tied_keys
from analysis.reading.values import allowed_text, range_of, stands_for, written


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
        `KEY=VALUE`, one value per axis in the unit of the key, such as [Hz], or `KEY=FROM:TO`, the
        points in a range of numbers with both ends. The key may be given in full
        (`input.rate_hz`) or by its short name (`rate_hz`). Of a key that is sampled, or follows
        an axis by `${...}`, all points with the value are selected.

    Returns
    -------
    Part
        Its dataset lacks the axes of which one value is left; units are unchanged.

    Raises
    ------
    ConditionError
        If there is no such axis, no such value on it, or an axis is given twice.
    """
    whole = dataset = with_named_choices(dataset)
    descriptions, suffix = [], ""
    single: set[str] = set()
    for condition in where:
        key, equals, text = condition.partition("=")
        name = _along_axis(whole, key if equals else "", f"--where {condition}")
        if not _is_range(dataset[name], text):
            if name in single and name in axes(whole):
                raise ConditionError(f"--where {condition}: {name} was given twice; one value each")
            single.add(name)
        index = _indices(dataset[name], text, condition)
        description, end = _described(dataset[name], text, index[0])
        descriptions.append(description)
        suffix += end
        for axis in dataset[name].dims:  # one, or none where a condition before has left one value
            dataset = dataset.isel({axis: index[0] if len(index) == 1 else index})
    return Part(dataset, ", ".join(descriptions), suffix)


def _is_range(coordinate: xr.DataArray, text: str) -> bool:
    """Return whether a text is a range of the values, which are numbers."""
    return coordinate.dtype.kind in "iuf" and range_of(text) is not None


def _indices(coordinate: xr.DataArray, text: str, condition: str) -> list[int]:
    """Return the indices of the values that a text stands for."""
    values = np.atleast_1d(coordinate.values).tolist()
    index = [i for i, value in enumerate(values) if stands_for(text, value)]
    if not index:
        name = str(coordinate.name)
        raise ConditionError(f"--where {condition}: {name} must be {allowed_text(name, values)}")
    return index


def _described(coordinate: xr.DataArray, text: str, first: int) -> tuple[str, str]:
    """Return what a condition selects, for titles and for names of files."""
    name = long_name(coordinate)
    if not _is_range(coordinate, text):
        value = np.atleast_1d(coordinate.values).tolist()[first]
        return f"{name} {value_label(coordinate, value)}", f"_{coordinate.name}={value}"
    low, high = (written(float(end)) if end else "" for end in text.split(":"))
    ends = f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}"
    in_name = ends.replace(" ", "_")
    return (
        f"{name} {ends} {coordinate.attrs.get('units', '')}".strip(),
        f"_{coordinate.name}={in_name}",
    )


def _along_axis(dataset: xr.Dataset, key: str, condition: str) -> str:
    """Return the name of an axis, or of what is set along one, by that or by its key.

    These are the keys that are sampled, and those that follow an axis by `${...}`.
    """
    swept = axes(dataset)
    along = [str(one.name) for one in dataset.coords.values() if one.dims in [(a,) for a in swept]]
    for name in (*swept, *along):
        if key in (name, dataset[name].attrs.get("config_key")):
            return name
    named = [dataset[axis].attrs.get("config_key", axis) for axis in swept]
    keys = ", ".join([*named, *sampled_keys(dataset), *tied_keys(dataset)])
    raise ConditionError(
        f"{condition}: must be KEY=VALUE with one of the axes {keys or '(none here)'}"
    )
