"""What a run's traces say in the tutorial's terms: P, M and the synapses' conductances."""

from __future__ import annotations

import xarray as xr

from analysis.reading.dataset import parameter


def ltp_trace(dataset: xr.Dataset) -> xr.DataArray:
    """Return P = A_plus x_pre of each synapse: what its weight gains at an output spike."""
    trace = parameter(dataset, "stdp.A_plus") * dataset["x_pre"]
    return _named(trace, dataset["x_pre"], r"LTP trace $P = A_+ x_\mathrm{pre}$")


def ltd_trace(dataset: xr.Dataset) -> xr.DataArray:
    """Return M = -A_minus x_post: what a synapse's weight gains at an input spike."""
    trace = -parameter(dataset, "stdp.A_minus") * dataset["x_post"]
    return _named(trace, dataset["x_post"], r"LTD trace $M = -A_- x_\mathrm{post}$")


def synaptic_conductance(dataset: xr.Dataset) -> xr.DataArray:
    """Return g_max w: the jump that an input spike makes in the conductance."""
    conductance = parameter(dataset, "synapse.g_max") * dataset["weight_trace"]
    return _named(conductance, dataset["weight_trace"], r"synaptic conductance $g_\mathrm{max} w$")


def _named(array: xr.DataArray, like: xr.DataArray, long_name: str) -> xr.DataArray:
    return array.transpose(*like.dims).assign_attrs(long_name=long_name)
