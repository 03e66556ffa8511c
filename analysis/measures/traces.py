"""Recorded traces in the tutorial's quantities: P, M and synaptic conductances."""

from __future__ import annotations

import xarray as xr

from analysis.reading.dataset import parameter
from analysis.reading.model import shown_steps


def ltp_trace(dataset: xr.Dataset) -> xr.DataArray:
    """Return P, the weight change of each synapse at a postsynaptic spike.

    A_plus x_pre; of a rule whose steps depend on the weight, that at w = 0.5.

    Parameters
    ----------
    dataset : Dataset
        Results with `x_pre` (..., time, synapse), dimensionless.

    Returns
    -------
    DataArray, (..., time, synapse)
        P, dimensionless, as a fraction of `g_max`.
    """
    return _change(dataset, "x_pre", "LTP trace $P", r"A_+ x_\mathrm{pre}")


def ltd_trace(dataset: xr.Dataset) -> xr.DataArray:
    """Return M, the weight change of a synapse at its presynaptic spike.

    -A_minus x_post; of a rule whose steps depend on the weight, that at w = 0.5.

    Parameters
    ----------
    dataset : Dataset
        Results with `x_post` (..., time), dimensionless.

    Returns
    -------
    DataArray, (..., time)
        M, dimensionless, as a fraction of `g_max`.
    """
    return _change(dataset, "x_post", "LTD trace $M", r"-A_- x_\mathrm{post}")


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


def _change(dataset: xr.Dataset, trace: str, symbol: str, formula: str) -> xr.DataArray:
    """Return the weight change by a trace, named by a formula unless steps depend on the weight."""
    steps, at = shown_steps(dataset)
    name = f"{symbol}${at}" if at else f"{symbol} = {formula}$"
    return _named(steps.sel(trace=trace, drop=True) * dataset[trace], dataset[trace], name)


def _named(array: xr.DataArray, like: xr.DataArray, long_name: str) -> xr.DataArray:
    return array.transpose(*like.dims).assign_attrs(long_name=long_name)
