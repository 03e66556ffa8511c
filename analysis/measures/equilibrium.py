"""Theory of the equilibrium applied to results: expected weight histogram, gain, output rate."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures import late_output, theory
from analysis.measures.chunks import by_chunks
from analysis.measures.coverage import theory_gaps
from analysis.measures.pair_rule import PairRule
from analysis.measures.seeds import least_over_seeds, mean_over_seeds, swept_axes
from analysis.measures.settling import settling
from analysis.measures.stationarity import SETTLED
from analysis.measures.weights import N_BINS, silent, weight_histogram
from analysis.reading.dataset import broadcast_to, parameter
from analysis.reading.model import depends_on_weight, pair_rule, parameter_or

#: Fraction of the way from reset to threshold after which the next spike is assumed possible.
_RECOVERED = 0.85

#: Largest product of output rate and dead time, in thousandths, of an output that counts as
#: irregular.
_MAX_DUTY = 900

#: Weights that are more than this many standard deviations of an increment from the bounds are free
#: of them.
_FREE = 4

#: What `expected_histogram` gives of a density beside its shares.
COEFFICIENTS = ("alpha", "beta", "c")

#: Minimum number of free increments for an estimate of c.
_MIN_INCREMENTS = 100

#: Minimum fraction of synapses in the peak at either bound for the two to balance.
_MIN_PEAK = 0.01

#: Variables from which c is computed; those of the rule are not in files of schema version 0.
_NEEDED = (
    "weight_history",
    "rate_history",
    "status",
    "weight_step",
    "trace_time_constant",
    "trace_kind",
)

_KEYS = (
    "simulation.dt",
    "input.rate_hz",
    "neuron.V_th",
    "neuron.E_L",
    "neuron.tau_m",
    "neuron.t_ref",
    "synapse.E_ex",
)

#: Keys of inhibition, which files of earlier versions do not have, and their values in these.
_INHIBITION = {
    "inhibition.n_synapses": 0.0,
    "inhibition.rate_hz": 0.0,
    "inhibition.g": 0.0,
    "inhibition.E_in": 0.0,
    "inhibition.tau_in": 0.0,
}


@dataclass(frozen=True)
class _Point:
    """One combination of swept values, over all seeds.

    Attributes
    ----------
    index : tuple of int
        Its index along the swept axes without `seed`.
    rule : PairRule
        Its plasticity rule, at its rates.
    is_additive : bool
        Whether the steps of the rule do not depend on the weight.
    rate_hz, output_rate : float
        Its input rate and output rate [Hz].
    dead_time : float
        Minimum interval between output spikes [ms].
    """

    index: tuple[int, ...]
    rule: PairRule
    is_additive: bool
    rate_hz: float
    output_rate: float
    dead_time: float


def apart_from(name: str, taken: Container[Hashable]) -> str:
    """Return the name of a coefficient, another one where an axis of a sweep has it.

    Fields of rules may be called alpha and beta, too.
    """
    return f"fitted_{name}" if name in taken else name


def expected_histogram(
    dataset: xr.Dataset,
    settled: xr.DataArray | None = None,
    n_bins: int = N_BINS,
    histogram: xr.DataArray | None = None,
) -> xr.Dataset:
    """Return the weight histogram of the theory at each point that has settled.

    The density has the drift and diffusion of independent input and output at the rates of the
    results, and the causal contribution of the synapse itself, which one coefficient describes. A
    second one is not predicted but fitted to the mean weight, so that the shape is tested:

    - of rules whose steps depend on the weight, the causal contribution c itself;
    - of additive rules, whose density is N exp(-alpha w + beta w^2), alpha. beta, which c
      determines, is that of the theory at the homeostatic output rate, where it equals alpha.

    For a mean weight of 1/2 both are the same in an additive rule. The diffusion is that in time
    steps, and includes the refractoriness of the output.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), `mean_weight` and `spike_count` (...), dimensionless,
        `late_output_rate` (...) [Hz] and, if recorded, `weight_history` (..., sample_time,
        synapse), dimensionless, and `rate_history` (..., sample_time) [Hz].
    settled : DataArray, (...), optional
        The variable `settled` of `settling`, dimensionless, if it has been computed.
    n_bins : int
        Number of bins.
    histogram : DataArray, (..., weight_bin), optional
        `weight_histogram` with as many bins, dimensionless, if it has been computed.

    Returns
    -------
    Dataset, (..., weight_bin)
        Dimensionless, along the axes of the sweep without `seed`: `share`, the fraction of synapses
        in each bin; and without bins, (...): `total_variation` between both histograms; `alpha` as
        fitted and `beta` of additive rules; `c` as fitted of others, as of `spikes_per_input`, each
        named `fitted_alpha` and so on beside an axis of that name. NaN
        where the theory does not cover rule or input (`theory_gaps`), and where the weights have
        not settled or the neuron is silent; of additive rules also for B <= 1, where no rate is
        stationary, and where output spikes follow each other as fast as they can.
    """
    found = weight_histogram(dataset, n_bins) if histogram is None else histogram
    settled = settling(dataset)["settled"] if settled is None else settled
    known = (settled == SETTLED) & ~silent(dataset) & covered(dataset)
    weight = mean_over_seeds(dataset["mean_weight"])
    rate = mean_over_seeds(late_output.output_rate(dataset))
    share = np.full(found.shape, np.nan)
    fitted = {name: np.full(known.shape, np.nan) for name in COEFFICIENTS}
    for point in _points(dataset, known, rate):
        fit = _fit(point, weight.values[point.index])
        if fit is not None:
            density, coefficients = fit
            share[point.index] = theory.shares_in_bins(density, n_bins)
            for name, value in coefficients.items():
                fitted[name][point.index] = value
    along = known.dims
    expected = found.copy(data=share).assign_attrs(long_name="share of synapses in theory")
    names = {
        "alpha": "alpha fitted to the mean weight",
        "beta": "beta = alpha of the theory",
        "c": "c fitted to the mean weight",
        "total_variation": "total variation between histogram and theory",
    }
    fitted["total_variation"] = theory.total_variation(found.values, share)
    numbers = {
        apart_from(name, found.coords): (along, fitted[name], {"long_name": text})
        for name, text in names.items()
    }
    return xr.Dataset({"share": expected, **numbers})


def _fit(point: _Point, weight: float) -> tuple[NDArray, dict[str, float]] | None:
    """Return density and coefficients of a point with some mean weight; None where none hold."""
    rule = point.rule
    if not (0 < weight < 1 and rule.potentiation.any()):
        return None
    if not point.is_additive:
        try:
            c_over_rho = theory.c_of_mean(rule, weight)
        except ValueError:  # no c gives this mean
            return None
        density = theory.equilibrium_density(rule, c_over_rho)
        return density, {"c": c_over_rho * point.output_rate / 1000}
    if rule.ratio <= 1 + 1e-9 or point.output_rate * point.dead_time > _MAX_DUTY:
        return None
    beta = rule.alpha()
    alpha = theory.alpha_of_mean(weight, beta)
    return theory.additive_density(alpha, beta), {"alpha": alpha, "beta": beta}


def spikes_per_input(dataset: xr.Dataset, chosen: xr.DataArray | None = None) -> xr.DataArray:
    """Return c of the theory, the causal contribution of a synapse to the output.

    c is the number of excess postsynaptic spikes per presynaptic spike at w = 1, weighted by
    exp(-lag/tau_plus). It is estimated from the drift of weights far from the bounds in the last
    half of `weight_history`, dw/dt = r rho (A_plus tau_plus - A_minus tau_minus) + r A_plus c w, by
    least squares, with the output rate as recorded.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight_history` (..., sample_time, synapse), dimensionless, `rate_history`
        (..., sample_time) [Hz] and `status` (...), dimensionless.
    chosen : DataArray of bool, (...), optional
        Points for which c is computed, dimensionless, along the axes of the sweep without `seed`;
        all by default.

    Returns
    -------
    DataArray, (...)
        c, dimensionless, along the axes of the sweep without `seed`; NaN without a history, where
        the theory does not cover rule or input (`theory_gaps`) or steps depend on the weight, and
        if samples are so far apart that every weight may have reached a bound in between.
    """
    kept = swept_axes(dataset)
    points = least_over_seeds(dataset["status"])
    chosen = xr.ones_like(points, dtype=bool) if chosen is None else chosen
    chosen = chosen & covered(dataset) & ~depends_on_weight(dataset)
    recorded = "weight_history" in dataset and dataset.sizes["sample_time"] > 1
    if not (recorded and chosen.any()):
        gain = xr.full_like(points, np.nan, dtype=float)
    else:
        needed = dataset[[name for name in _NEEDED if name in dataset]]
        rate = mean_over_seeds(late_output.output_rate(dataset))
        gain = by_chunks(_gains, needed.assign(chosen=chosen, rate=rate), kept)
    gain.attrs = {"long_name": "excess postsynaptic spikes per presynaptic spike at w = 1"}
    return gain


def homeostatic_rate(
    dataset: xr.Dataset,
    settled: xr.DataArray | None = None,
    histogram: xr.DataArray | None = None,
) -> xr.DataArray:
    """Return the stationary output rate of the theory, at which alpha equals beta.

    c is estimated by `spikes_per_input` at the output rate of the results: this tests the balance
    of the two peaks of weights, and is no prediction from parameters alone.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), `weight_history` (..., sample_time, synapse) and
        `status` (...), dimensionless, and `rate_history` (..., sample_time) [Hz].
    settled : DataArray, (...), optional
        The variable `settled` of `settling`, dimensionless, if it has been computed.
    histogram : DataArray, (..., weight_bin), optional
        `weight_histogram`, dimensionless, if it has been computed.

    Returns
    -------
    DataArray, (...)
        Rate [Hz] along the axes of the sweep without `seed`; NaN where the theory does not cover
        rule or input (`theory_gaps`) or steps depend on the weight, c is unknown, the weights have
        not settled or have no peak at one of the bounds, and for B <= 1. B and tau_plus are those
        of the areas of the window in time steps, of nearest spikes at the rates of the results.
    """
    settled = settling(dataset)["settled"] if settled is None else settled
    share = weight_histogram(dataset) if histogram is None else histogram
    ends = [share.isel(weight_bin=end).sum("weight_bin") for end in (slice(2), slice(-2, None))]
    balanced = (ends[0] >= _MIN_PEAK) & (ends[1] >= _MIN_PEAK)
    c = spikes_per_input(dataset, (settled == SETTLED) & balanced)
    rate = np.full(c.shape, np.nan)
    measured = mean_over_seeds(late_output.output_rate(dataset))
    for point in _points(dataset, c.notnull(), measured):
        gain = c.values[point.index]
        rate[point.index] = theory.homeostatic_rate(gain, point.rule.areas[0], point.rule.ratio)
    attributes = {"long_name": "homeostatic output rate", "units": "Hz"}
    return xr.DataArray(rate, c.coords, c.dims, attrs=attributes)


def covered(dataset: xr.Dataset) -> xr.DataArray:
    """Return where the theory covers rule, input and size of the steps; see `theory_gaps`.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray of bool, (...)
        Dimensionless, along the axes that decide.
    """
    return theory_gaps(dataset) == ""


def _gains(part: xr.Dataset) -> xr.DataArray:
    """Return c at the chosen points of a part of a dataset."""
    chosen = part["chosen"]
    gain = np.full(chosen.shape, np.nan)
    if chosen.any():
        history = part["weight_history"].transpose(*chosen.dims, ..., "sample_time", "synapse")
        rates = part["rate_history"].transpose(*chosen.dims, ..., "sample_time")
        times = part["sample_time"].values
        for point in _points(part, chosen, part["rate"]):
            n_samples, n_synapses = history.shape[-2:]
            weights = history.values[point.index].reshape(-1, n_samples, n_synapses)
            output = rates.values[point.index].reshape(-1, n_samples)
            gain[point.index] = _gain(point, times, weights, output)
    return xr.DataArray(gain, chosen.coords, chosen.dims)


def _gain(point: _Point, times: NDArray, history: NDArray, rates: NDArray) -> float:
    """Return c of a point from times [ms], `(n_runs, n_samples, n_synapses)` weights, and rates."""
    rule, r = point.rule, point.rate_hz
    each = [_increments(r, times, *run) for run in zip(history, rates, strict=True)]
    before, change, pairs, intervals = (np.concatenate(some) for some in zip(*each, strict=True))
    spread = np.sqrt(np.nanmax(pairs, initial=0) * rule.diffusion[0])
    free = (np.abs(before - 0.5) < 0.5 - _FREE * spread) & np.isfinite(change)
    if np.count_nonzero(free) < _MIN_INCREMENTS:
        return np.nan
    causal = change[free] - pairs[free] * rule.drift()[0]
    per_gain = r * intervals[free] / 1000 * rule.potentiation[0] * before[free]
    return float((causal * per_gain).sum() / (per_gain**2).sum())


def _increments(
    r: float, times: NDArray, history: NDArray, rates: NDArray
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return weights, their changes to the next sample, pairs of spikes [1/ms] and intervals [ms].

    Of the last half of one run, `(n_samples - 1, n_synapses)` each.
    """
    n = int(np.isfinite(rates).sum())  # the rest is padding
    late = slice(n - np.count_nonzero(times[:n] > times[n - 1] / 2) if n else 0, n)
    history, rates = history[late], rates[late]
    before, change = history[:-1], np.diff(history.astype(float), axis=0)
    intervals = np.broadcast_to(np.diff(times[late])[:, np.newaxis], change.shape)
    pairs = r * rates[1:, np.newaxis] * intervals / 1e6
    return before, change, pairs, intervals


def _points(
    dataset: xr.Dataset, chosen: xr.DataArray, output_rate: xr.DataArray
) -> Iterator[_Point]:
    """Yield the chosen points with their parameters from the file, and their output rate [Hz]."""
    arrays = {key.partition(".")[2]: parameter(dataset, key).astype(float) for key in _KEYS}
    arrays |= {"output_rate": output_rate, "depends": depends_on_weight(dataset)}
    arrays |= {key: parameter_or(dataset, key, value) for key, value in _INHIBITION.items()}
    values = {name: broadcast_to(array, chosen).values for name, array in arrays.items()}
    rule = pair_rule(dataset)
    steps, *traces = (
        broadcast_to(rule[name], chosen, *own).values
        for name, own in (
            ("step", ("side", "weight_grid")),
            ("tau", ("side",)),
            ("kind", ("side",)),
        )
    )
    for index in np.argwhere(chosen.values):
        at = tuple(index.tolist())
        here = {name: float(array[at]) for name, array in values.items()}
        rates, dead_time = (here["rate_hz"], here["output_rate"]), _dead_time(here)
        taus, kinds = (trace[at].tolist() for trace in traces)
        found = PairRule.of(steps[at], taus, here["dt"], rates, list(map(int, kinds)), dead_time)
        yield _Point(at, found, not here["depends"], *rates, dead_time)


def _dead_time(here: dict[str, float]) -> float:
    """Return the approximate minimum interval between output spikes [ms].

    Refractory period, and then the time in which a membrane driven just to threshold returns most
    of the way from reset. Inhibition, at its mean conductance, needs more drive and makes the
    membrane faster. The correction hardly depends on it between 10 and 20 ms.
    """
    per_ms = here["inhibition.n_synapses"] * here["inhibition.rate_hz"] / 1000
    g_in = per_ms * here["inhibition.g"] * here["inhibition.tau_in"]
    needed = here["V_th"] - here["E_L"] + g_in * (here["V_th"] - here["inhibition.E_in"])
    g_ex = needed / (here["E_ex"] - here["V_th"])
    g = g_in + max(g_ex, 0.0) if np.isfinite(g_ex) else g_in
    return here["t_ref"] - here["tau_m"] / (1 + g) * float(np.log(1 - _RECOVERED))
