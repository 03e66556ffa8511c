"""Text of datasets."""

from __future__ import annotations

import xarray as xr


def with_words(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset with text as numpy's, which xarray reads as objects from characters.

    Parameters
    ----------
    dataset : Dataset
        Of any dimensions and units.

    Returns
    -------
    Dataset
        The same, of the same dimensions and units; text is of the type `str_`, and is saved with
        the length that it has then.
    """
    words = {
        name: array.astype(str).drop_encoding()
        for name, array in dataset.variables.items()
        if array.dtype == object and all(isinstance(value, str) for value in array.values.flat)
    }
    return dataset.assign(words) if words else dataset
