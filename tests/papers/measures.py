"""Measures that several papers have in common."""

from __future__ import annotations

import xarray as xr

from analysis import weight_by_group

#: Weights above it are strong, as fraction of `g_max`.
STRONG = 0.5


def at(dataset: xr.Dataset, **values: object) -> xr.Dataset:
    """Return the points at some values of axes; an axis that there is not is left out.

    A change of an experiment may replace an axis by one value.

    Parameters
    ----------
    dataset : Dataset
        Results of any dimensions; units are not used.
    **values
        Of axes, in their units.
    """
    return dataset.sel({name: value for name, value in values.items() if name in dataset.dims})


def strong_share(dataset: xr.Dataset) -> xr.DataArray:
    """Return the share of strong synapses.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless.

    Returns
    -------
    DataArray, (...)
        Dimensionless.
    """
    return (dataset["weight"] > STRONG).mean("synapse")


def group(dataset: xr.Dataset, number: int) -> xr.DataArray:
    """Return the mean weight of one group of synapses.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless, in groups.
    number : int
        Of the group, from 0 on.

    Returns
    -------
    DataArray, (...)
        Fraction of `g_max`, dimensionless.
    """
    return weight_by_group(dataset).sel(group=number, drop=True)


def spread(dataset: xr.Dataset) -> xr.DataArray:
    """Return the standard deviation of weights over synapses.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless.

    Returns
    -------
    DataArray, (...)
        Fraction of `g_max`, dimensionless.
    """
    return dataset["weight"].astype(float).std("synapse")


def at_bounds(dataset: xr.Dataset, margin: float = 0.1) -> xr.DataArray:
    """Return the share of weights near either bound.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless.
    margin : float
        What is near, dimensionless.

    Returns
    -------
    DataArray, (...)
        Dimensionless.
    """
    weight = dataset["weight"]
    return ((weight < margin) | (weight > 1 - margin)).mean("synapse")
