"""Recorded traces in the tutorial's quantities: P, M and synaptic conductances."""

from __future__ import annotations

import xarray as xr

from analysis.reading.dataset import parameter


def ltp_trace(dataset: xr.Dataset) -> xr.DataArray:
    """Return P = A_plus x_pre: the weight change of each synapse at a postsynaptic spike.

    Parameters
    ----------
    dataset : Dataset
        Results with `x_pre` (..., time, synapse), dimensionless.

    Returns
    -------
    DataArray, (..., time, synapse)
        P, dimensionless, as a fraction of `g_max`.
    """
    trace = parameter(dataset, "stdp.A_plus") * dataset["x_pre"]
    return _named(trace, dataset["x_pre"], r"LTP trace $P = A_+ x_\mathrm{pre}$")


def ltd_trace(dataset: xr.Dataset) -> xr.DataArray:
    """Return M = -A_minus x_post: the weight change of a synapse at its presynaptic spike.

    Parameters
    ----------
    dataset : Dataset
        Results with `x_post` (..., time), dimensionless.

    Returns
    -------
    DataArray, (..., time)
        M, dimensionless, as a fraction of `g_max`.
    """
    trace = -parameter(dataset, "stdp.A_minus") * dataset["x_post"]
    return _named(trace, dataset["x_post"], r"LTD trace $M = -A_- x_\mathrm{post}$")


def synaptic_conductance(dataset: xr.Dataset) -> xr.DataArray:
    """Return g_max w: the increment of the conductance at a presynaptic spike.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight_trace` (..., time, synapse), dimensionless.

    Returns
    -------
    DataArray, (..., time, synapse)
        Conductance relative to the leak, dimensionless.
    """
    conductance = parameter(dataset, "synapse.g_max") * dataset["weight_trace"]
    return _named(conductance, dataset["weight_trace"], r"synaptic conductance $g_\mathrm{max} w$")


def _named(array: xr.DataArray, like: xr.DataArray, long_name: str) -> xr.DataArray:
    return array.transpose(*like.dims).assign_attrs(long_name=long_name)
