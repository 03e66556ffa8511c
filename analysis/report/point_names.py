"""Descriptions of points by their values on the axes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import xarray as xr

from analysis.reading.samples import SAMPLE, sampled_parameters
from analysis.reading.values import written

#: Up to this many points are listed by name.
MAX_NAMED = 10


def named(array: xr.DataArray, index: Mapping[Hashable, int]) -> str:
    """Return the values of a point: "rate_hz = 10 Hz, seed = 3".

    Parameters
    ----------
    array : DataArray, (...)
        With the coordinates of the axes, in any unit.
    index : mapping of str to int
        Index of the point along each axis.

    Returns
    -------
    str
        Name and value of each axis, and of what a sample sets; "this run" if nothing is swept.
    """
    values = [f"{dim} = {value_text(array[dim], i)}" for dim, i in index.items()]
    if SAMPLE in index:
        parameters = sampled_parameters(array)
        values += [f"{name} = {value_text(array[name], index[SAMPLE])}" for name in parameters]
    return ", ".join(values) or "this run"


def value_text(coordinate: xr.DataArray, i: int) -> str:
    """Return one value of an axis with all its digits and its unit: "10 Hz".

    Parameters
    ----------
    coordinate : DataArray, (n_values,)
        The axis, with the attribute `units` unless it is dimensionless.
    i : int
        Index of the value.

    Returns
    -------
    str
        Value and unit.
    """
    units = coordinate.attrs.get("units", "")
    return f"{written(coordinate.values.tolist()[i])} {units}".strip()


def indices(chosen: xr.DataArray) -> list[dict[Hashable, int]]:
    """Return the indices of the elements that are true.

    Parameters
    ----------
    chosen : DataArray of bool, (...)
        Dimensionless.

    Returns
    -------
    list of dict
        Index along each dimension, in the order of the sweep; without dimensions, one empty dict
        if true.
    """
    if not chosen.ndim:
        return [{}] if chosen else []
    found = np.argwhere(chosen.values).tolist()
    return [dict(zip(chosen.dims, index, strict=True)) for index in found]


def all_named(chosen: xr.DataArray) -> list[str]:
    """Return the values of the points that are true.

    Parameters
    ----------
    chosen : DataArray of bool, (...)
        Dimensionless, with the coordinates of the axes in any unit.

    Returns
    -------
    list of str
        The first `MAX_NAMED` points, and how many more there are.
    """
    found = indices(chosen)
    return shortened([named(chosen, index) for index in found[:MAX_NAMED]], len(found))


def shortened(items: Sequence[str], n: int) -> list[str]:
    """Return the first `MAX_NAMED` of n items, and how many more there are."""
    more = [f"and {n - MAX_NAMED:,} more"] if n > MAX_NAMED else []
    return [*items[:MAX_NAMED], *more]
