"""Where the theory of the equilibrium covers plasticity rule, input and size of the steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures.chunks import by_blocks
from analysis.measures.pair_rule import WEIGHTS, at_weights
from analysis.measures.theory import fokker_planck, standard_deviation
from analysis.reading.dataset import parameter
from analysis.reading.errors import ParameterError
from analysis.reading.model import BEFORE_JUMP, pair_rule, processes, rules, texts_of

#: Largest change by a pair of spikes that counts as diffusion, in standard deviations of the
#: weights in theory; see `relative_step`. Of five rules at 35 amplitudes and ratios each, with
#: independent spikes, simulated histograms in 20 bins are up to this within a total variation of
#: 0.08 from the theory, and beyond 1 from 0.06 to 0.35.
LARGEST_STEP = 0.6

#: Smaller distances between weights are not seen in histograms of 20 bins.
_RESOLUTION = 0.02

_GIVEN_SPIKES = "the theory covers independent input only, and spikes were given by the caller"
_SCALED = "synapse.scaling_target: the theory covers plasticity alone, and weights are scaled too"
_GIVEN_OUTPUT = (
    "the theory covers the neuron's own output only, and spikes were given by the caller"
)

# Reasons by what the steps and traces of a rule are like, after its name; the first that applies.
_REASONS = (
    "",
    ": the theory covers one presynaptic and one postsynaptic trace only",
    ": the theory covers LTP by pre before post, LTD by post before pre",
    ", and pairs of spikes leave some weights unchanged: these do not diffuse",
    f", and a pair of spikes moves a weight by more than {LARGEST_STEP:g} standard deviations of "
    "the theory: the diffusion approximation fails",
)
_COVERED, _N_TRACES, _SIGNS, _UNCHANGED, _LARGE = range(len(_REASONS))

#: Rules that are compared with the theory at once, and the weights at which they are: every fifth
#: of `WEIGHTS`, the middles of cells of 1/400.
_BLOCK, _WEIGHTS = 256, WEIGHTS[2::5]

#: Points of which the steps of the rules are read at once.
_POINTS_AT_ONCE = 20_000


def theory_gaps(dataset: xr.Dataset) -> xr.DataArray:
    """Return why the equilibrium theory does not cover each point.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray of str, (...)
        "stdp.rule=NAME: reason", or the same of `input.process`, dimensionless, along the axes that
        decide; empty where the theory covers rule, process, input and the size of the steps.
    """
    if "input" in dataset.attrs:  # spikes given by the caller
        return xr.DataArray(_GIVEN_SPIKES)
    if "output" in dataset.attrs:
        return xr.DataArray(_GIVEN_OUTPUT)
    of_rule = _gaps(dataset, "stdp.rule", rules(dataset))
    of_process = _gaps(dataset, "input.process", processes(dataset))
    gaps = xr.where(of_rule != "", of_rule, of_process)
    gaps = xr.where((gaps == "") & _is_scaled(dataset), _SCALED, gaps)
    of_steps = xr.apply_ufunc(
        lambda name, reason: f"stdp.rule={name}{_REASONS[reason]}" if reason else "",
        parameter(dataset, "stdp.rule"),
        by_blocks(_reason, dataset, _POINTS_AT_ONCE),
        vectorize=True,
        output_dtypes=[object],
    ).astype(str)
    return xr.where(gaps == "", of_steps, gaps)


def theory_gap(dataset: xr.Dataset) -> list[str]:
    """Return all reasons why the equilibrium theory does not cover some points, each once.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    list of str
        As "stdp.rule=NAME: reason"; empty if the theory covers all points.
    """
    return [gap for gap in _values(theory_gaps(dataset)) if gap]


def relative_step(dataset: xr.Dataset) -> xr.DataArray:
    """Return how far a pair of spikes moves a weight, in standard deviations of the theory.

    Of rules with one trace on either side, for independent spikes of low rates: the root mean
    square of the steps of LTP and LTD, averaged over the density of weights, over the standard
    deviation of this density, to which 0.02 is added as by an independent error: what is nearer
    is not told apart. The theory takes the weights to diffuse, in small steps.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray, (...)
        Dimensionless, along the axes that change steps, traces or time step; NaN where no pair of
        spikes changes some weights.
    """
    rule = pair_rule(dataset)
    return xr.apply_ufunc(
        _relative_steps,
        *(rule[name] for name in ("step", "tau", "kind")),
        parameter(dataset, "simulation.dt").astype(float),
        input_core_dims=[["side", "weight_grid"], ["side"], ["side"], []],
    )


def _reason(dataset: xr.Dataset) -> xr.DataArray:
    """Return the first of `_REASONS` that steps and traces give, by number."""
    rule = pair_rule(dataset)
    signs = xr.DataArray([1, -1], dims="side")
    wrong_sign = (signs * rule["step"] < 0).any(["side", "weight_grid"])
    size = relative_step(dataset)
    reason = xr.where(size > LARGEST_STEP, _LARGE, _COVERED)
    reason = xr.where(size.isnull(), _UNCHANGED, reason)
    reason = xr.where(wrong_sign, _SIGNS, reason)
    return xr.where((rule["n_traces"] == 1).all("side"), reason, _N_TRACES)


def _relative_steps(step: NDArray, tau: NDArray, kind: NDArray, dt: NDArray) -> NDArray[np.float64]:
    """Return `relative_step` (...) of steps (..., side, n), and taus and kinds (..., side)."""
    shape = np.broadcast_shapes(step.shape[:-2], tau.shape[:-1], kind.shape[:-1], np.shape(dt))
    sizes = np.empty(shape or 1)
    arrays = [
        np.broadcast_to(array, sizes.shape + np.shape(array)[np.ndim(array) - n_own :])
        for array, n_own in ((step, 2), (tau, 1), (kind, 1), (dt, 0))
    ]
    for start in range(0, sizes.size, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, sizes.size))
        block = np.unravel_index(rows, sizes.shape)
        with np.errstate(all="ignore"):  # NaN is a result
            sizes[block] = _relative_steps_of_rules(*(array[block] for array in arrays))
    return sizes.reshape(shape)


def _relative_steps_of_rules(
    step: NDArray, tau: NDArray, kind: NDArray, dt: NDArray
) -> NDArray[np.float64]:
    """Return the same (n_rules,) of steps (n_rules, side, n), with `PairRule` at rates of 0."""
    late = np.nan_to_num(kind).astype(int) & BEFORE_JUMP > 0
    decay = 1 - dt[:, np.newaxis] / tau
    first = np.where(late, decay, 1.0)
    area, square = first / (1 - decay), first**2 / (1 - decay**2)
    up, down = np.moveaxis(at_weights(step, _WEIGHTS), 1, 0)  # `down` is negative
    drift = up * area[:, :1] + down * area[:, 1:]
    diffusion = up**2 * square[:, :1] + down**2 * square[:, 1:]
    diffusion += 2 * up * down * ~late.any(axis=1, keepdims=True)  # of spikes in one step
    density = fokker_planck(drift, np.where(diffusion > 0, diffusion, np.nan))
    mean_size = (np.sqrt((up**2 + down**2) / 2) * density).mean(axis=1)
    return mean_size / np.hypot(standard_deviation(density), _RESOLUTION)


def _is_scaled(dataset: xr.Dataset) -> xr.DataArray:
    """Return where weights are scaled towards a target rate, along the axes that decide."""
    try:
        target = parameter(dataset, "synapse.scaling_target")
        gain = parameter(dataset, "synapse.scaling_gain")
    except ParameterError:  # a file of an earlier version
        return xr.DataArray(False)
    return target.notnull() & (gain > 0)


def _gaps(dataset: xr.Dataset, key: str, known: Mapping[str, dict[str, Any]]) -> xr.DataArray:
    """Return the gaps by the rule or process at each point."""
    names = parameter(dataset, key)
    gaps = {name: known.get(name, {}).get("theory_gap", "") for name in _values(names)}
    return texts_of(names, {name: f"{key}={name}: {gap}" for name, gap in gaps.items() if gap})


def _values(names: xr.DataArray) -> list[str]:
    """Return the distinct values in their order."""
    return list(dict.fromkeys(names.values.ravel().tolist()))
