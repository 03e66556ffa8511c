"""Chunked evaluation: bounded memory for variables larger than it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from operator import add
from typing import TypeVar

import xarray as xr

#: Size of a chunk [bytes].
CHUNK_BYTES = 64_000_000

_Result = TypeVar("_Result", xr.DataArray, xr.Dataset)


def by_chunks(
    function: Callable[[xr.Dataset], _Result],
    dataset: xr.Dataset,
    kept: Sequence[str],
    added: bool = False,
) -> _Result:
    """Apply a function to chunks of a dataset, and join the results.

    Chunks are contiguous in the file, which is thus read once.

    Parameters
    ----------
    function : callable
        From some points of the dataset, (*kept, ...), to an array or dataset of the same points,
        (*kept, ...), in any unit.
    dataset : Dataset, (*kept, ...)
        The variables that the function uses and no others, in any unit; may be lazy.
    kept : sequence of str
        Dimensions that the function keeps, along which results are concatenated.
    added : bool
        Whether the results of chunks along other dimensions are added, as counts are; otherwise
        these dimensions are not divided.

    Returns
    -------
    DataArray or Dataset, (*kept, ...)
        As from the function applied to the whole dataset, in the unit of the function.
    """
    variables = dataset.data_vars.values()
    n_bytes = sum(variable.nbytes for variable in variables)
    divisible: list[str] = []
    if n_bytes > CHUNK_BYTES:
        in_file = map(str, max(variables, key=lambda variable: variable.nbytes).dims)
        divisible = [d for d in in_file if dataset.sizes[d] > 1 and (added or d in kept)]
    if not divisible:
        return function(dataset.compute())  # loaded before use: transposing lazy arrays is slow
    along = divisible[0]
    n = dataset.sizes[along]
    step = max(1, int(n * CHUNK_BYTES / n_bytes))
    chunks = (dataset.isel({along: slice(start, start + step)}) for start in range(0, n, step))
    results = (by_chunks(function, chunk, kept, added) for chunk in chunks)
    return xr.concat(list(results), along) if along in kept else functools.reduce(add, results)


def by_blocks(
    function: Callable[[xr.Dataset], xr.DataArray], dataset: xr.Dataset, n_points: int
) -> xr.DataArray:
    """Apply a function to blocks of points along the longest axis, and join the results.

    Parameters
    ----------
    function : callable
        From results to a number or text of each point, in any unit, along the axes that change it.
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes; may be lazy.
    n_points : int
        About the number of points of a block.

    Returns
    -------
    DataArray, (...)
        As from the function applied to the whole dataset, in the unit of the function.
    """
    status = dataset["status"]
    if status.size <= n_points:
        return function(dataset)
    along = str(max(status.dims, key=lambda dim: status.sizes[dim]))
    n = status.sizes[along]
    step = max(1, n * n_points // status.size)
    blocks = (dataset.isel({along: slice(start, start + step)}) for start in range(0, n, step))
    first = function(next(blocks))
    if along not in first.dims:
        return first
    return xr.concat([first, *map(function, blocks)], along, coords="minimal", compat="override")
