"""Labelled arrays along the axes of a grid that set what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import Configuration
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
    return f"{axis.short_name}_set" if axis.short_name in FILE_NAMES else axis.short_name


def along_axes(
    grid: Grid,
    keys: Iterable[str],
    function: Callable[[Configuration], float],
    attributes: Mapping[str, Any],
) -> LabelledArray:
    """Return a number of each point along the axes that set any of the keys."""
    along, points = grid.slice_along(keys)
    values = np.array([function(point) for point in points])
    return on_axes(grid, along, values, (), attributes)


def on_axes(
    grid: Grid,
    along: Iterable[int],
    values: NDArray,
    own_dims: tuple[str, ...],
    attributes: Mapping[str, Any],
) -> LabelledArray:
    """Label values with a row for each combination of some axes.

    Parameters
    ----------
    grid : Grid
        Whose axes.
    along : iterable of int
        Indices of the axes, in their order.
    values : ndarray, (n_combinations, ...)
        The last axis fastest, units as in `attributes`.
    own_dims : tuple of str
        Names of the further dimensions.
    attributes : mapping
        Those of the variable.

    Returns
    -------
    tuple of dims, ndarray (n_values_of_each_axis..., ...), attributes
        Units as given.
    """
    along = list(along)
    dims = tuple(dimension_name(grid.axes[i]) for i in along)
    shape = [grid.shape[i] for i in along]
    return (*dims, *own_dims), values.reshape([*shape, *values.shape[1:]]), attributes
