"""Panels side by side and one below the other: what their figures have in common."""

from __future__ import annotations

from typing import TypeVar

import xarray as xr
from matplotlib.axes import Axes

from analysis.reading.dataset import long_name, value_label

#: One array, or several that belong together.
Arrays = TypeVar("Arrays", xr.DataArray, xr.Dataset)


def along(array: Arrays, dim: str | None) -> list[Arrays]:
    """Return the parts of an array along a dimension, or the array itself."""
    return [array] if dim is None else [array.isel({dim: i}) for i in range(array.sizes[dim])]


def naming(what: str, array: xr.DataArray, dim: str | None, title: str) -> str:
    """Return the title with a line that says what the rows or columns are."""
    return "\n".join(filter(None, [title, f"{what}: {long_name(array[dim])}" if dim else ""]))


def name_row(axes: Axes, value: xr.DataArray) -> None:
    """Write the value of a row at its right, outside of the data."""
    words = value_label(value, value.item())
    axes.text(1.02, 0.5, words, transform=axes.transAxes, va="center", fontsize=7)
