"""Large variables piece by piece: memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import xarray as xr

#: So many bytes are read at a time.
PIECE = 64_000_000


def by_pieces(
    function: Callable[[xr.Dataset], xr.DataArray | xr.Dataset],
    dataset: xr.Dataset,
    kept: Sequence[str],
) -> xr.DataArray | xr.Dataset:
    """Apply a function to parts of a dataset, and join what it returns.

    Parameters
    ----------
    function : callable
        From some points of the dataset to numbers of these points.
    dataset : Dataset
        The variables that the function reads, and no other.
    kept : sequence of str
        Axes that the function keeps; the dataset is cut along the longest.
    """
    along = max(kept, key=lambda dim: dataset.sizes[dim], default=None)
    n_bytes = sum(variable.nbytes for variable in dataset.data_vars.values())
    if along is None or n_bytes <= PIECE:
        return function(dataset.compute())  # first of all: lazy arrays are slow to turn
    n = dataset.sizes[along]
    step = max(1, int(n * PIECE / n_bytes))
    parts = (dataset.isel({along: slice(start, start + step)}) for start in range(0, n, step))
    return xr.concat([function(part.compute()) for part in parts], along)
