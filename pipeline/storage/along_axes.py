"""Labelled arrays along the axes of a grid that set what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import Configuration, short_name
from pipeline.model.variables import FILE_NAMES
from pipeline.request.axis import Axis
from pipeline.request.grid import Grid
from pipeline.storage.columns import GatheredVariable

#: Dimensions, values and attributes of one variable.
LabelledArray = tuple[tuple[str, ...], NDArray, Mapping[str, Any]]

#: The same, where values may be too large for memory.
LabelledVariable = tuple[tuple[str, ...], NDArray | GatheredVariable, Mapping[str, Any]]


def dimension_name(axis: Axis) -> str:
    """Return the name of an axis in the file: its short name, unless that is taken there."""
    return name_in_file(axis.key)


def name_in_file(key: str) -> str:
    """Return the name of a key in the file: its short name, unless that is taken there."""
    name = short_name(key)
    return f"{name}_set" if name in FILE_NAMES else name


@dataclass(frozen=True)
class PointNumber:
    """A number of each point.

    Attributes
    ----------
    keys : tuple of str
        The keys that decide it, such as `stdp.A_plus`, or `stdp.` for all of a section.
    function : callable
        `function(point)` returns the number.
    attributes : mapping
        Attributes of the array.
    """

    keys: tuple[str, ...]
    function: Callable[[Configuration], float]
    attributes: Mapping[str, Any]


def along_axes(grid: Grid, numbers: Mapping[str, PointNumber]) -> dict[str, LabelledArray]:
    """Return numbers by name, each along the axes that set any of its keys.

    Points are made once for all numbers along the same axes.
    """
    together: dict[tuple[int, ...], list[str]] = {}
    for name, number in numbers.items():
        together.setdefault(tuple(grid.axes_of(number.keys)), []).append(name)
    found: dict[str, LabelledArray] = {}
    for along, names in together.items():
        _, points = grid.slice_along(numbers[names[0]].keys)
        functions = [numbers[name].function for name in names]
        values = np.empty((len(points), len(names)))
        for row, point in zip(values, points, strict=True):
            row[:] = [function(point) for function in functions]
        dims, shape = dimensions(grid, along)
        for name, column in zip(names, values.T, strict=True):
            found[name] = dims, column.reshape(shape), numbers[name].attributes
    return {name: found[name] for name in numbers}


def dimensions(grid: Grid, along: Iterable[int]) -> tuple[tuple[str, ...], list[int]]:
    """Return the names of some axes in the file, and their numbers of values.

    Parameters
    ----------
    grid : Grid
        Whose axes.
    along : iterable of int
        Indices of the axes, in their order.
    """
    axes = [grid.axes[i] for i in along]
    return tuple(dimension_name(axis) for axis in axes), [len(axis.values) for axis in axes]
