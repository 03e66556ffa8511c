"""Chunked evaluation: bounded memory for variables larger than it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import xarray as xr

#: Size of a chunk [bytes].
CHUNK_BYTES = 64_000_000

_Result = TypeVar("_Result", xr.DataArray, xr.Dataset)


def by_chunks(
    function: Callable[[xr.Dataset], _Result], dataset: xr.Dataset, kept: Sequence[str]
) -> _Result:
    """Apply a function to chunks of a dataset, and concatenate the results.

    Parameters
    ----------
    function : callable
        From some points of the dataset, (*kept, ...), to an array or dataset of the same points,
        (*kept, ...), in any unit.
    dataset : Dataset, (*kept, ...)
        The variables that the function uses and no others, in any unit; may be lazy.
    kept : sequence of str
        Dimensions that the function keeps; the dataset is divided along the longest.

    Returns
    -------
    DataArray or Dataset, (*kept, ...)
        As from the function applied to the whole dataset, in the unit of the function.
    """
    along = max(kept, key=lambda dim: dataset.sizes[dim], default=None)
    n_bytes = sum(variable.nbytes for variable in dataset.data_vars.values())
    if along is None or n_bytes <= CHUNK_BYTES:
        return function(dataset.compute())  # loaded before use: transposing lazy arrays is slow
    n = dataset.sizes[along]
    step = max(1, int(n * CHUNK_BYTES / n_bytes))
    chunks = (dataset.isel({along: slice(start, start + step)}) for start in range(0, n, step))
    return xr.concat([function(chunk.compute()) for chunk in chunks], along)
