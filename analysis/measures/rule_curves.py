"""Curves of a plasticity rule: its steps against the weight, and the STDP window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from analysis.measures.spike_trains import TIME_DIFFERENCE
from analysis.reading.model import (
    POSTSYNAPTIC,
    PRESYNAPTIC,
    arrival_shift,
    shown_steps,
    trace_side,
    trace_time_constant,
    weight_step,
)

#: What is drawn of a pair of spikes, whose order the sign of the time difference gives.
CHANGE = "weight change per pair of spikes"

#: Orders of a pair of spikes, by the side of the traces through which it acts.
ORDERS = {PRESYNAPTIC: "input before output", POSTSYNAPTIC: "output before input"}


def pair_steps(dataset: xr.Dataset) -> xr.DataArray:
    """Return the weight change per isolated pair of spikes at no distance, against the weight.

    The sum over presynaptic traces of their steps, and that over postsynaptic ones: the values of
    `stdp_window` on both sides of 0.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray, (..., order, weight_grid)
        Weight change, fraction of `g_max`, dimensionless, along the swept axes that change it, for
        either of `ORDERS`; NaN where a rule has no trace of a side.
    """
    steps, side = weight_step(dataset).reset_coords(drop=True), trace_side(dataset)
    found = [steps.where(side == one).sum("trace", min_count=1) for one in ORDERS]
    order = xr.DataArray(list(ORDERS.values()), dims="order", name="order")
    joined = xr.concat(found, order, coords="minimal", compat="override")
    return joined.transpose(..., "order", "weight_grid").assign_attrs(long_name=CHANGE)


def stdp_window(
    dataset: xr.Dataset, n_points: int = 400, weights: Sequence[float] | None = None
) -> xr.DataArray:
    """Return the STDP window: the weight change per isolated pair of spikes.

    The sum over presynaptic traces of step exp(t / tau) for t = t_pre - t_post <= 0, and over
    postsynaptic traces of step exp(-t / tau) for t > 0, with the steps of the file, at w = 0.5 if
    they depend on the weight. Of the additive rule it is A_plus exp(t / tau_plus) and -A_minus
    exp(-t / tau_minus) (Song, Miller & Abbott 2000, Nat. Neurosci. 3:919). It lacks changes that
    are not proportional to one trace, as by triplets of spikes.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` (...), dimensionless, along all swept axes.
    n_points : int
        Number of time differences; half of them on either side.
    weights : sequence of float, optional
        Weights in place of 0.5, rounded to a hundredth.

    Returns
    -------
    DataArray, (..., [window_weight], time_difference)
        Weight change, dimensionless, along the swept axes that the window depends on and
        `time_difference` [ms] up to five times the longest time constant of a trace with a step. 0
        occurs twice, as the window is discontinuous there. Delays shift all of it, by the dendritic
        minus the axonal one; where they differ between points the times are those at the synapse,
        as the long name says. Without `weights` the long name says the
        weight where steps depend on it; with them they are the dimension `window_weight`.
    """
    side, tau = trace_side(dataset), trace_time_constant(dataset)
    if weights is None:
        steps, at = shown_steps(dataset)
    else:
        steps, at = _steps_at(dataset, weights), ""
    reach = 5 * float(tau.where(steps != 0).max())
    reach = reach if np.isfinite(reach) else 5 * float(tau.max())
    before = np.linspace(-reach, 0, n_points // 2)
    halves = [
        (steps * np.exp(-abs(xr.DataArray(t, dims="time_difference")) / tau))
        .where(side == of_side)
        .sum("trace")
        for t, of_side in ((before, PRESYNAPTIC), (-before[::-1], POSTSYNAPTIC))
    ]
    window = xr.concat(halves, "time_difference", coords="minimal", compat="override")
    own = ["time_difference"] if weights is None else ["window_weight", "time_difference"]
    window = window.drop_vars([name for name in window.coords if name not in window.dims])
    window = window.transpose(..., *own)
    times = ("time_difference", *_shown_times(dataset, np.concatenate([before, -before[::-1]])))
    window.attrs = {"long_name": f"{CHANGE}{at}"}
    return window.assign_coords(time_difference=times)


def _shown_times(dataset: xr.Dataset, times: np.ndarray) -> tuple[np.ndarray, dict[str, str]]:
    """Return times at the synapse (n_times,) [ms] as those of the spikes, and their attributes."""
    shift = np.unique(arrival_shift(dataset))
    if shift.size == 1:
        return times - shift.item(), TIME_DIFFERENCE
    return times, {**TIME_DIFFERENCE, "long_name": f"{TIME_DIFFERENCE['long_name']} at the synapse"}


def _steps_at(dataset: xr.Dataset, weights: Sequence[float]) -> xr.DataArray:
    """Return the steps at some weights, (..., trace, window_weight)."""
    steps = weight_step(dataset).reset_coords(drop=True)
    at = xr.DataArray(list(weights), dims="window_weight")
    chosen = steps.sel(weight_grid=at, method="nearest").drop_vars("weight_grid")
    return chosen.assign_coords(
        window_weight=("window_weight", list(weights), steps["weight_grid"].attrs)
    )
