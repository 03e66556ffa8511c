"""Averages over samples that are alike in one parameter."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures.seeds import mean_over_seeds
from analysis.reading.samples import SAMPLE

#: Dimension of `means_in_bins`.
BIN = "bin"

#: Fewer samples than this in a bin tell nothing of its mean.
_LEAST_IN_BIN = 8

#: Largest number of bins.
_MOST_BINS = 20


def means_in_bins(variable: xr.DataArray, parameter: str) -> xr.Dataset | None:
    """Return the mean of a variable over samples that are alike in one parameter.

    What the other parameters do is averaged over, as the samples have them: the main effect of the
    parameter, if they are independent of it.

    Parameters
    ----------
    variable : DataArray, (sample, ..., [seed])
        In any unit; NaN is left out.
    parameter : str
        A coordinate (sample) of numbers in any unit, or of names.

    Returns
    -------
    Dataset, (bin, ...), or None
        `mean` in the unit of the variable, and `centre` (bin), the mean of the parameter in its
        unit, of bins with equal numbers of samples; None for names, and for too few samples to
        have three bins.
    """
    if variable[parameter].dtype.kind not in "iuf":
        return None
    values = mean_over_seeds(variable)
    positions = values[parameter].values
    order = np.argsort(positions, kind="stable")
    order = order[np.isfinite(positions[order])]
    n_bins = min(_MOST_BINS, order.size // _LEAST_IN_BIN, np.unique(positions[order]).size // 2)
    if n_bins < 3:
        return None
    parts = np.array_split(order, n_bins)
    means = [values.isel({SAMPLE: part}).mean(SAMPLE) for part in parts]
    centres = [float(positions[part].mean()) for part in parts]
    mean = xr.concat([one.reset_coords(drop=True) for one in means], BIN)
    return xr.Dataset({"mean": mean, "centre": (BIN, centres)})


def by_rank(values: xr.DataArray) -> NDArray[np.intp]:
    """Return the indices of samples in rising order of a variable; those without it come last.

    Parameters
    ----------
    values : DataArray, (sample, ...)
        In any unit; the mean over other dimensions decides.

    Returns
    -------
    ndarray of int, (n_samples,)
        Indices, dimensionless.
    """
    others = [dim for dim in values.dims if dim != SAMPLE]
    return np.argsort(values.mean(others).values, kind="stable")
