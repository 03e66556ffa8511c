"""The theory beside a file: what it expects of the weights and the output rate that were found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures import theory
from analysis.measures.chunks import by_pieces
from analysis.measures.seeds import least_over_seeds, mean_over_seeds, swept_axes
from analysis.measures.stationarity import YES, settling
from analysis.measures.weights import N_BINS, silent, weight_histogram
from analysis.reading.dataset import parameter

#: Share of the way from reset to threshold after which the next spike is thought possible.
_RECOVERED = 0.85

#: Output spikes in a dead time, in thousandths, above which the output is not irregular any more.
_FASTEST = 900

#: Increments of weights further than this many standard deviations from the bounds are free.
_FREE = 4

#: With fewer free increments c is not told.
_LEAST_INCREMENTS = 100

#: Share of synapses below which there is no pile at an end: nothing balances the other one.
_LEAST_PILE = 0.01

_KEYS = (
    "stdp.A_plus",
    "stdp.A_minus",
    "stdp.tau_plus",
    "stdp.tau_minus",
    "simulation.dt",
    "input.rate_hz",
    "neuron.V_th",
    "neuron.E_L",
    "neuron.tau_m",
    "neuron.t_ref",
    "synapse.E_ex",
)


@dataclass(frozen=True)
class _Point:
    """A combination of the swept values, seeds apart.

    Attributes
    ----------
    place : tuple of int
        Where it stands along the axes.
    rule : PairRule
        Its plasticity.
    rate_hz : float
        Its input rate [Hz].
    dead_time : float
        Time after an output spike in which no other can follow [ms].
    """

    place: tuple[int, ...]
    rule: theory.PairRule
    rate_hz: float
    dead_time: float


def expected_histogram(
    dataset: xr.Dataset, settled: xr.DataArray | None = None, n_bins: int = N_BINS
) -> xr.Dataset:
    """Return the additive theory's histogram of weights at each point that has settled.

    The density is N exp(-alpha w + beta w^2). beta is the theory's at the homeostatic output rate,
    where it equals alpha; alpha is then set so that the mean weight is the one found. The diffusion
    is corrected for time steps and for the distance that output spikes keep.

    Parameters
    ----------
    dataset : Dataset
        An experiment.
    settled : DataArray, optional
        The answers of `settling`, if they are known already.
    n_bins : int
        Number of bins.

    Returns
    -------
    Dataset, (..., weight_bin)
        Along the axes of the sweep without `seed`: `share` of synapses, `alpha` as set, `beta`, the
        theory's own alpha, and `total_variation` from the histogram found. NaN where the weights
        have not settled or the neuron is silent, for B <= 1, where there is no balance, and where
        the output is so fast that one spike follows the other as soon as it can.
    """
    found = weight_histogram(dataset, n_bins)
    settled = settling(dataset)["settled"] if settled is None else settled
    known = (settled == YES) & ~silent(dataset) & _covered(dataset)
    weight = mean_over_seeds(dataset["mean_weight"])
    rate = mean_over_seeds(late_rate(dataset))
    share = np.full(found.shape, np.nan)
    alpha, beta = np.full(known.shape, np.nan), np.full(known.shape, np.nan)
    for point in _points(dataset, known):
        w, rho = weight.values[point.place], rate.values[point.place]
        if point.rule.A_plus <= 0 or point.rule.ratio <= 1 + 1e-9 or not 0 < w < 1:
            continue
        if rho * point.dead_time > _FASTEST:
            continue
        left = theory.refractory_share(point.rule, rho, point.dead_time)
        beta[point.place] = point.rule.alpha() / left
        alpha[point.place] = theory.alpha_of_mean(w, beta[point.place])
        density = theory.additive_density(alpha[point.place], beta[point.place])
        share[point.place] = theory.shares_in_bins(density, n_bins)
    along = known.dims
    expected = found.copy(data=share)
    return xr.Dataset(
        {
            "share": expected.assign_attrs(long_name="share of synapses in theory"),
            "alpha": (along, alpha, {"long_name": "alpha that gives the mean weight"}),
            "beta": (along, beta, {"long_name": "beta = alpha of the theory"}),
            "total_variation": (
                along,
                theory.total_variation(found.values, share),
                {"long_name": "total variation between histogram and theory"},
            ),
        }
    )


def spikes_per_input(dataset: xr.Dataset, chosen: xr.DataArray | None = None) -> xr.DataArray:
    """Return c of the theory: output spikes that an input spike adds at w = 1, near in time.

    From the drift of weights far from the bounds, in the last half of `weight_history`: dw/dt = r
    rho (A_plus tau_plus - A_minus tau_minus) + r A_plus c w, least squares for c, output rate as
    recorded. NaN where nothing is recorded, or the samples are so far apart that no weight stays
    away from the bounds in between.

    Parameters
    ----------
    dataset : Dataset
        An experiment.
    chosen : DataArray of bool, (...), optional
        Where it is wanted; everywhere by default.

    Returns
    -------
    DataArray, (...)
        Along the axes of the sweep without `seed`.
    """
    kept = swept_axes(dataset)
    points = least_over_seeds(dataset["status"])
    chosen = xr.ones_like(points, dtype=bool) if chosen is None else chosen
    recorded = "weight_history" in dataset and dataset.sizes["sample_time"] > 1
    if not (recorded and chosen.any()):
        gain = xr.full_like(points, np.nan, dtype=float)
    else:
        needed = dataset[["weight_history", "rate_history", "status"]]
        gain = by_pieces(_gains, needed.assign(chosen=chosen), kept)
    gain.attrs = {"long_name": "output spikes that an input spike adds at w = 1"}
    return gain


def homeostatic_rate(dataset: xr.Dataset, settled: xr.DataArray | None = None) -> xr.DataArray:
    """Return the output rate that the theory expects in equilibrium [Hz]; see `spikes_per_input`.

    c is taken from the drift of the weights at the output rate found: this is a check of the
    balance between the piles, and no prediction from parameters alone. NaN where c is not known,
    the weights have not settled (the answers of `settling`, if they are known already), one of the
    two piles of weights is empty, and for B <= 1.
    """
    settled = settling(dataset)["settled"] if settled is None else settled
    share = weight_histogram(dataset)
    ends = [share.isel(weight_bin=end).sum("weight_bin") for end in (slice(2), slice(-2, None))]
    balanced = (ends[0] >= _LEAST_PILE) & (ends[1] >= _LEAST_PILE)
    c = spikes_per_input(dataset, (settled == YES) & balanced & _covered(dataset))
    rate = np.full(c.shape, np.nan)
    for point in _points(dataset, c.notnull()):
        gain = c.values[point.place]
        rate[point.place] = theory.homeostatic_rate(gain, point.rule.tau_plus, point.rule.ratio)
    attributes = {"long_name": "homeostatic output rate", "units": "Hz"}
    return xr.DataArray(rate, c.coords, c.dims, attrs=attributes)


def late_rate(dataset: xr.Dataset) -> xr.DataArray:
    """Return the output rate over the last half of each run [Hz], of all of it without history.

    Shorter runs of a swept duration, whose history is padded, have theirs in their own last half.
    """
    if "rate_history" not in dataset:
        return dataset["output_rate"]
    history = dataset["rate_history"]
    n = history.notnull().sum("sample_time")
    number = xr.DataArray(np.arange(history.sizes["sample_time"]), dims="sample_time")
    rate = history.where(number >= n // 2).mean("sample_time")
    return rate.transpose(*dataset["status"].dims).assign_attrs(history.attrs)


def _covered(dataset: xr.Dataset) -> bool:
    """Whether the input is the independent one of which the theory speaks."""
    return "input" not in dataset.attrs  # spikes that were given may be of any kind


def _gains(part: xr.Dataset) -> xr.DataArray:
    """Return c at the chosen points of a part of a dataset."""
    chosen = part["chosen"]
    gain = np.full(chosen.shape, np.nan)
    if chosen.any():
        history = part["weight_history"].transpose(*chosen.dims, ..., "sample_time", "synapse")
        rates = part["rate_history"].transpose(*chosen.dims, ..., "sample_time")
        interval = float(part["sample_time"].diff("sample_time")[0])
        for point in _points(part, chosen):
            found = history.values[point.place], rates.values[point.place]
            gain[point.place] = _gain(point, *found, interval)
    return xr.DataArray(gain, chosen.coords, chosen.dims)


def _gain(point: _Point, history: NDArray, rates: NDArray, interval: float) -> float:
    """Return c of one point from `(..., n_samples, n_synapses)` weights and output rates."""
    n = int(np.isfinite(rates).any(axis=tuple(range(rates.ndim - 1))).sum())  # less is padding
    history, rates = history[..., n // 2 : n, :], rates[..., n // 2 : n]
    rule, r = point.rule, point.rate_hz
    before, change = history[..., :-1, :], np.diff(history.astype(float), axis=-2)
    pairs = np.broadcast_to(r * rates[..., 1:, np.newaxis] * interval / 1e6, change.shape)  # 1/ms
    spread = np.sqrt(np.nanmax(pairs, initial=0) * float(rule.diffusion(0.5)))
    free = (np.abs(before - 0.5) < 0.5 - _FREE * spread) & np.isfinite(change)
    if np.count_nonzero(free) < _LEAST_INCREMENTS:
        return np.nan
    caused = change[free] - pairs[free] * float(rule.drift(0.0))
    due = r * interval / 1000 * rule.A_plus * before[free]
    return float((caused * due).sum() / (due**2).sum())


def _points(dataset: xr.Dataset, chosen: xr.DataArray) -> Iterator[_Point]:
    """Yield the chosen points, from their parameters in the file."""
    values = {
        key.partition(".")[2]: parameter(dataset, key)
        .astype(float)
        .broadcast_like(chosen)
        .transpose(*chosen.dims)
        .values
        for key in _KEYS
    }
    for place in np.ndindex(chosen.shape):
        if not chosen.values[place]:
            continue
        here = {name: float(array[place]) for name, array in values.items()}
        window = (here[name] for name in ("A_plus", "A_minus", "tau_plus", "tau_minus", "dt"))
        rule = theory.PairRule.in_steps(*window)
        yield _Point(place, rule, here["rate_hz"], _dead_time(here))


def _dead_time(here: dict[str, float]) -> float:
    """Return how long an output spike keeps the next one away [ms], roughly.

    Refractory period, and then the time in which a membrane that is driven just to threshold comes
    most of the way back from reset. The correction hardly depends on it between 10 and 20 ms.
    """
    drive = (here["V_th"] - here["E_L"]) / (here["E_ex"] - here["V_th"])
    tau = here["tau_m"] / (1 + max(drive, 0.0)) if np.isfinite(drive) else here["tau_m"]
    return here["t_ref"] - tau * float(np.log(1 - _RECOVERED))
