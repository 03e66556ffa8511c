"""Plasticity rules and input processes of a dataset: their traces and weight steps.

All of it is read from the file, so that it is known of a user's own rules too. Files of schema
version 0 hold additive rules only, whose steps and time constants follow from their parameters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from analysis.reading.dataset import parameter
from analysis.reading.errors import ParameterError
from analysis.reading.metadata import FIRST_RULE

PRESYNAPTIC, POSTSYNAPTIC = "presynaptic", "postsynaptic"

#: Bits of the kind of a trace: see `trace_kind`.
SETS, BEFORE_JUMP = 1, 2

#: The weight at which steps are shown where they depend on it.
SHOWN_WEIGHT = 0.5

#: Largest difference between the steps at two weights that counts as rounding.
_ROUNDING = 1e-12

#: Rules and processes of files of schema version 0; all processes of these drew independent spikes.
_FIRST_TRACES = {"x_pre": PRESYNAPTIC, "x_post": POSTSYNAPTIC}
_FIRST_RULES = {FIRST_RULE: {"traces": {n: {"side": side} for n, side in _FIRST_TRACES.items()}}}


def rules(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Return what the file says of each plasticity rule, by the value of `stdp.rule`.

    Parameters
    ----------
    dataset : Dataset
        Results of any dimensions; units are not used.

    Returns
    -------
    dict
        `traces` (of each its `side`, PRESYNAPTIC or POSTSYNAPTIC), `theory_gap`, `stationary`,
        `source`; of files of schema version 0 the sides only.
    """
    return json.loads(dataset.attrs["rules"]) if "rules" in dataset.attrs else _FIRST_RULES


def arrival_shift(dataset: xr.Dataset) -> xr.DataArray:
    """Return by how much delays move t_pre - t_post between a pair of spikes and its arrivals.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray, (...)
        Axonal minus dendritic delay [ms], along the axes that set them; 0 in files without.
    """
    try:
        axonal = parameter(dataset, "synapse.axonal_delay").astype(float)
        dendritic = parameter(dataset, "synapse.dendritic_delay").astype(float)
    except ParameterError:
        return xr.DataArray(0.0)
    return axonal - dendritic


def parameter_or(dataset: xr.Dataset, key: str, default: float) -> xr.DataArray:
    """Return a parameter that files of earlier versions do not have.

    Parameters
    ----------
    dataset : Dataset
        Results, as of `parameter`.
    key : str
        Such as `inhibition.g`.
    default : float
        Its value in a file without it, in the unit of the key.

    Returns
    -------
    DataArray, (...)
        Along the axes that set it, in the unit of the key.
    """
    try:
        return parameter(dataset, key).astype(float)
    except ParameterError:
        return xr.DataArray(float(default))


def processes(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Return what the file says of each input process, by the value of `input.process`.

    Parameters
    ----------
    dataset : Dataset
        Results of any dimensions; units are not used.

    Returns
    -------
    dict
        `theory_gap`, `stationary`, `source`; nothing of files of schema version 0.
    """
    return json.loads(dataset.attrs.get("processes", "{}"))


def has_equilibrium(dataset: xr.Dataset) -> bool:
    """Return whether any rule and any process of a dataset are constant in time.

    Parameters
    ----------
    dataset : Dataset
        Results of any dimensions; units are not used.

    Returns
    -------
    bool
        False as of pairing protocols alone: whether their weights have settled is no question.
    """
    both = [rules(dataset).values(), processes(dataset).values()]
    return all(not one or any(known.get("stationary", True) for known in one) for one in both)


def weight_step(dataset: xr.Dataset) -> xr.DataArray:
    """Return the weight change by a spike when one trace is 1 and all others are 0.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray, (..., trace, weight_grid)
        Fraction of `g_max`, dimensionless, along the axes that change it; at an output spike for
        presynaptic traces, at an input spike for postsynaptic ones. NaN where the rule of a point
        has no such trace.
    """
    if "weight_step" in dataset:
        return dataset["weight_step"]
    steps = [parameter(dataset, "stdp.A_plus"), -1.0 * parameter(dataset, "stdp.A_minus")]
    grid = xr.DataArray(np.linspace(0, 1, 101), dims="weight_grid")
    return _by_first_trace(steps) * xr.ones_like(grid).assign_coords(weight_grid=grid)


def trace_time_constant(dataset: xr.Dataset) -> xr.DataArray:
    """Return the time constant of each trace.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray, (..., trace)
        Time constants [ms], along the axes that change them; NaN where the rule of a point has no
        such trace.
    """
    if "trace_time_constant" in dataset:
        return dataset["trace_time_constant"]
    names = ("stdp.tau_plus", "stdp.tau_minus")
    return _by_first_trace([parameter(dataset, name) for name in names])


def trace_kind(dataset: xr.Dataset) -> xr.DataArray:
    """Return the kind of each trace.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray, (..., trace)
        Sums of `SETS`, where a spike sets the trace to 1 (else it adds 1), and `BEFORE_JUMP`, where
        it is read before its jump in the step of its own spike (else after), dimensionless; NaN
        where the rule of a point has no such trace. 0 in files of earlier versions.
    """
    if "trace_kind" in dataset:
        return dataset["trace_kind"]
    return 0.0 * trace_time_constant(dataset)


def _by_first_trace(values: list[xr.DataArray]) -> xr.DataArray:
    """Return values of the presynaptic and the postsynaptic trace, `(..., trace)`, of version 0."""
    traces = xr.DataArray(list(_FIRST_TRACES), dims="trace", name="trace")
    values = [value.astype(float) for value in values]
    joined = xr.concat(xr.broadcast(*values), traces, coords="minimal", compat="override")
    return joined.transpose(..., "trace")


def trace_side(dataset: xr.Dataset) -> xr.DataArray:
    """Return the side of each trace.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray of str, (..., trace)
        PRESYNAPTIC or POSTSYNAPTIC, dimensionless. Along the axes that set the rule only if a trace
        of one name is on unlike sides in two rules; empty then where a rule has no such trace.
    """
    known = rules(dataset)
    traces = weight_step(dataset)["trace"]
    sides: dict[str, dict[str, str]] = {  # by trace, then by rule
        trace: {
            rule: known[rule]["traces"][trace]["side"]
            for rule in known
            if trace in known[rule]["traces"]
        }
        for trace in traces.values.tolist()
    }
    if all(len(set(by_rule.values())) <= 1 for by_rule in sides.values()):
        found = [next(iter(by_rule.values()), "") for by_rule in sides.values()]
        return xr.DataArray(found, {"trace": traces}, ["trace"])
    rule = parameter(dataset, "stdp.rule")
    return xr.concat(
        [texts_of(rule, by_rule) for by_rule in sides.values()], traces, coords="minimal"
    ).transpose(..., "trace")


def depends_on_weight(dataset: xr.Dataset) -> xr.DataArray:
    """Return where any step of the rule depends on the weight, beyond rounding.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray of bool, (...)
        Dimensionless, along the axes that change the steps.
    """
    steps = weight_step(dataset).reset_coords(drop=True)
    spread = steps.max("weight_grid") - steps.min("weight_grid")
    return (spread > _ROUNDING).any("trace")


def shown_steps(dataset: xr.Dataset) -> tuple[xr.DataArray, str]:
    """Return the step of each trace at one weight, and a text that says this weight.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    steps : DataArray, (..., trace)
        `weight_step` at w = 0.5 if any step depends on the weight, dimensionless; else at 0, where
        none has a rounding error.
    at : str
        " at w = 0.5", or nothing if no step depends on the weight.
    """
    steps = weight_step(dataset).reset_coords(drop=True)
    if not depends_on_weight(dataset).any():
        return steps.isel(weight_grid=0, drop=True), ""
    shown = steps.sel(weight_grid=SHOWN_WEIGHT, method="nearest", drop=True)
    return shown, f" at w\xa0=\xa0{SHOWN_WEIGHT:g}"  # no line break within


def gross_step_per_spike(dataset: xr.Dataset) -> xr.DataArray:
    """Return the sizes of all weight changes per synapse and output spike, added up.

    The mean of a trace is the rate of its spikes times its time constant. A presynaptic trace is
    read at each output spike; a postsynaptic one at each input spike, but as it is proportional to
    the output rate, both contribute rate tau |step| per output spike, with the mean input rate.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray, (...)
        Fraction of `g_max`, dimensionless, along the axes that change it: of steps that depend on
        the weight their mean over all weights. NaN for spikes that were given by the caller.
    """
    if "input" in dataset.attrs:
        return xr.DataArray(np.nan)
    size = abs(weight_step(dataset)).mean("weight_grid")
    per_rate = (size * trace_time_constant(dataset)).sum("trace").reset_coords(drop=True)
    return mean_input_rate(dataset) / 1000 * per_rate


def mean_input_rate(dataset: xr.Dataset) -> xr.DataArray:
    """Return the mean input rate of the synapses that have any input.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes, and the coordinate
        `synapse_rate` (..., synapse) [Hz] where rates are not all `input.rate_hz`.

    Returns
    -------
    DataArray, (...)
        Rate [Hz], along the axes that change it without `seed`.
    """
    if "synapse_rate" not in dataset.coords or "synapse" not in dataset["synapse_rate"].dims:
        return parameter(dataset, "input.rate_hz")
    rates = dataset["synapse_rate"].reset_coords(drop=True)
    pooled = [dim for dim in ("synapse", "seed") if dim in rates.dims]
    return rates.where(rates > 0).mean(pooled).fillna(0.0)


def pair_rule(dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return steps and traces by the side of the spikes, of rules with one trace on either side.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    dict of DataArray
        No dataset, as an axis may have one of the names. With the sides PRESYNAPTIC and
        POSTSYNAPTIC, along the axes that change them: `n_traces` (..., side), dimensionless; `step`
        (..., side, weight_grid), as of `weight_step`; `tau` (..., side) [ms] and `kind` (...,
        side), as of `trace_kind`. NaN without a trace, without meaning with several.
    """
    side, taus = trace_side(dataset), trace_time_constant(dataset)
    sides = xr.DataArray([PRESYNAPTIC, POSTSYNAPTIC], dims="side", name="side")

    def on_sides(values: xr.DataArray) -> xr.DataArray:
        # At most one trace of a side is not NaN, so that its value is the sum, exactly.
        each = [values.where(side == one).sum("trace", min_count=1) for one in sides.values]
        return xr.concat([one.reset_coords(drop=True) for one in each], sides)

    return {
        "step": on_sides(weight_step(dataset)).transpose(..., "side", "weight_grid"),
        "tau": on_sides(taus).transpose(..., "side"),
        "kind": on_sides(trace_kind(dataset)).transpose(..., "side"),
        "n_traces": on_sides(xr.ones_like(taus).where(taus.notnull())).transpose(..., "side"),
    }


def texts_of(names: xr.DataArray, by_name: Mapping[str, str]) -> xr.DataArray:
    """Return the text that belongs to each name.

    Parameters
    ----------
    names : DataArray of str, (...)
        Such as the rule of each point, dimensionless.
    by_name : mapping of str to str
        The texts.

    Returns
    -------
    DataArray of str, (...)
        Dimensionless; empty where a name has no text.
    """
    texts = [by_name.get(name, "") for name in names.values.ravel().tolist()]
    values = np.array(texts, dtype=str).reshape(names.shape)
    return xr.DataArray(values, names.coords, names.dims)
