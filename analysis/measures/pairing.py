"""Weight changes by pairing protocols, and by pairs that are far apart, of the steps of a rule."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from analysis.measures.weights import mean_initial_weight
from analysis.reading.dataset import parameter
from analysis.reading.model import (
    POSTSYNAPTIC,
    PRESYNAPTIC,
    arrival_shift,
    processes,
    trace_side,
    trace_time_constant,
    weight_step,
)

#: The input process that pairs spikes, and its axes: time difference and frequency.
PROTOCOL = "pairing_protocol"
DIFFERENCE, FREQUENCY = "post_minus_pre", "rate_hz"

#: Attributes of t_post - t_pre, positive where the input spike comes first.
POST_MINUS_PRE = {
    "long_name": r"time difference $t_\mathrm{post} - t_\mathrm{pre}$",
    "units": "ms",
}

#: More pairs than this are not followed one by one.
_MOST_PAIRS = 10_000


def is_paired(dataset: xr.Dataset) -> bool:
    """Return whether any point has the input of a pairing protocol.

    Parameters
    ----------
    dataset : Dataset
        Results of any dimensions; units are not used.
    """
    return PROTOCOL in processes(dataset)


def pairing_change(dataset: xr.Dataset) -> xr.DataArray:
    """Return the weight change by a pairing protocol relative to the initial weight.

    Parameters
    ----------
    dataset : Dataset
        Results with `mean_weight` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray, (...)
        (w_final - w_init) / w_init, means over synapses, dimensionless, along all swept axes; NaN
        for other input processes, and where the initial weight is 0.
    """
    weight = dataset["mean_weight"]
    found = xr.full_like(weight, np.nan, dtype=float)
    if is_paired(dataset):
        w_init = mean_initial_weight(dataset)
        process = parameter(dataset, "input.process").reset_coords(drop=True)
        change = (weight - w_init) / w_init.where(w_init > 0)
        found = change.where(process == PROTOCOL).transpose(*weight.dims)
    found.attrs = {"long_name": "weight change relative to the initial weight"}
    return found.rename("pairing_change")


def isolated_pairing_change(dataset: xr.Dataset, differences: ArrayLike) -> xr.DataArray:
    """Return the weight change that a pairing protocol makes if its pairs are far apart.

    Pair by pair: the steps of the file at the weight of the moment, times the factor (1 - dt/tau)
    per time step between the arrivals of the two spikes, clipped to [0, 1]. It lacks changes that
    are not proportional to one trace, as by triplets of spikes or by single ones.

    Parameters
    ----------
    dataset : Dataset
        Results of pairing protocols, with `status` (...), dimensionless, along all swept axes.
    differences : array_like, (n_times,)
        Time differences t_post - t_pre [ms].

    Returns
    -------
    DataArray, (..., time_difference)
        (w_final - w_init) / w_init, dimensionless, along the swept axes that change it, and
        t_post - t_pre [ms]. NaN where both arrive in one time step, as it depends on how that
        counts; beyond 10,000 pairs; and where the initial weight is 0.
    """
    dt = parameter(dataset, "simulation.dt")
    shown = xr.DataArray(np.asarray(differences, dtype=float), dims="time_difference")
    difference = (shown - arrival_shift(dataset)).round(9)  # at the synapse
    side, tau = trace_side(dataset), trace_time_constant(dataset)
    last = xr.where(difference > 0, PRESYNAPTIC, POSTSYNAPTIC)  # whose traces are read
    factor = ((1 - dt / tau) ** (abs(difference) / dt)).where(side == last, 0.0)
    step = (weight_step(dataset) * factor).sum("trace", min_count=1).reset_coords(drop=True)
    w_init = parameter(dataset, "synapse.w_init").reset_coords(drop=True).astype(float)
    n_pairs = parameter(dataset, "input.n_pairs").reset_coords(drop=True)
    final = xr.apply_ufunc(
        _after_pairs,
        step,
        w_init,
        n_pairs,
        input_core_dims=[["weight_grid"], [], []],
    )
    change = ((final - w_init) / w_init.where(w_init > 0)).where(difference != 0)
    times = ("time_difference", shown.values, POST_MINUS_PRE)
    return change.transpose(..., "time_difference").assign_coords(time_difference=times)


def _after_pairs(step: NDArray, w: NDArray, n_pairs: NDArray) -> NDArray[np.float64]:
    """Return weights (...) after some pairs, by the steps (..., n_weights) at weights in [0, 1]."""
    last = step.shape[-1] - 1
    _, w, left = np.broadcast_arrays(step[..., 0], w, n_pairs)
    steps = np.broadcast_to(step, (*w.shape, last + 1))
    # NaN: of other processes, and of rules without traces.
    known = (left <= _MOST_PAIRS) & np.isfinite(steps).all(axis=-1)
    steps, left = np.where(known[..., np.newaxis], steps, 0), np.where(known, left, 0)
    while (left > 0).any():
        below = np.minimum((w * last).astype(int), last - 1)[..., np.newaxis]
        low, high = (np.take_along_axis(steps, at, -1)[..., 0] for at in (below, below + 1))
        share = w * last - below[..., 0]
        changed = np.where(left > 0, np.clip(w + low + share * (high - low), 0, 1), w)
        left, w = np.where(changed == w, 0, left - 1), changed
    return np.where(known, w, np.nan)
