"""Labelled arrays along the axes of a grid that set what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


def along_axes(
    grid: Grid,
    keys: Iterable[str],
    function: Callable[[Configuration], float],
    attributes: Mapping[str, Any],
) -> LabelledArray:
    """Return a number of each point along the axes that set any of the keys."""
    along, points = grid.slice_along(keys)
    values = np.fromiter((function(point) for point in points), dtype=float, count=len(points))
    dims, shape = dimensions(grid, along)
    return dims, values.reshape(shape), attributes


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
