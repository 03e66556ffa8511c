"""Measures of spike trains, with the names and definitions of Elephant where it has them.

Elephant (Denker, Yegenoglu & Gruen 2018): https://elephant.readthedocs.io
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.reading.dataset import parameter

#: Lags of the correlogram [ms] on either side of an output spike, unless told otherwise.
MOST_LAG = 50.0

#: Length of the windows in which spikes are counted [ms], unless told otherwise.
WINDOW = 1000.0


def isi(spike_time: NDArray) -> NDArray:
    """Interspike intervals of one train of spike times, padded with NaN or not."""
    return np.diff(spike_time[np.isfinite(spike_time)])


def mean_firing_rate(dataset: xr.Dataset, t_start: float = 0.0) -> xr.DataArray:
    """Output spikes per second from `t_start` [ms] to the end, at each point."""
    duration = parameter(dataset, "simulation.duration")

    def rate(train: NDArray, end: float) -> float:
        return 1000 * np.count_nonzero(train >= t_start) / (end - t_start)

    attributes = {"long_name": "output firing rate", "units": "Hz"}
    return _of_each_train(rate, dataset, duration, attributes)


def cv(dataset: xr.Dataset, t_start: float = 0.0) -> xr.DataArray:
    """Coefficient of variation of the output interspike intervals from `t_start` [ms] on.

    Standard deviation of the population over the mean; NaN below two intervals. The file's `isi_cv`
    is the same over all of the run.
    """

    def variation(train: NDArray, end: float) -> float:
        intervals = isi(train[train >= t_start])
        return intervals.std() / intervals.mean() if intervals.size > 1 else np.nan

    attributes = {"long_name": "coefficient of variation of output interspike intervals"}
    return _of_each_train(variation, dataset, xr.DataArray(np.nan), attributes)


def fanofactor(dataset: xr.Dataset, window: float = WINDOW, t_start: float = 0.0) -> xr.DataArray:
    """Variance over mean of the output spike counts in windows of one length, at each point.

    1 for a Poisson process. Elephant counts over trials; here a trial is a window [ms] of the one
    train, the part of a window at the end left out. NaN below two windows and without a spike. A
    rate that drifts makes it larger: see `settling`.
    """
    duration = parameter(dataset, "simulation.duration")

    def factor(train: NDArray, end: float) -> float:
        n_windows = int((end - t_start) / window * (1 + 1e-12))
        edges = t_start + window * np.arange(n_windows + 1)
        counts = np.histogram(train[train < edges[-1]], edges)[0] if n_windows > 1 else np.zeros(1)
        return counts.var() / counts.mean() if counts.any() else np.nan

    attributes = {"long_name": f"Fano factor of output spike counts in {window / 1000:g} s"}
    return _of_each_train(factor, dataset, duration, attributes)


def _of_each_train(
    function: Callable[[NDArray, float], float],
    dataset: xr.Dataset,
    end: xr.DataArray,
    attributes: dict[str, str],
) -> xr.DataArray:
    """Apply a function to the spike times of each point and its end; NaN where it is not done."""
    trains, status = dataset["spike_time"], dataset["status"]
    ends = end.broadcast_like(status).transpose(*status.dims).values
    values = np.full(status.shape, np.nan)
    for place in np.argwhere(status.values == 0):
        train = trains.isel(dict(zip(status.dims, place, strict=True))).values
        values[tuple(place)] = function(train[np.isfinite(train)], ends[tuple(place)])
    return xr.DataArray(values, status.coords, status.dims, attrs=attributes)


def input_spikes(dataset: xr.Dataset) -> xr.DataArray:
    """Input spikes in each step, from the presynaptic traces of `record.traces`.

    A trace jumps by 1 at a spike and decays by (1 - dt / tau_plus) a step. A spike in step 0 leaves
    no trace.

    Returns
    -------
    DataArray of bool, (..., time, synapse)
    """
    tau, dt = parameter(dataset, "stdp.tau_plus"), parameter(dataset, "simulation.dt")
    x = dataset["x_pre"]
    jump = x - (1 - dt / tau) * x.shift(time=1, fill_value=0.0)
    spikes = (jump > 0.5).transpose(*x.dims)
    return spikes.assign_attrs(long_name="input spikes")


def cross_correlation_histogram(
    dataset: xr.Dataset, max_lag: float = MOST_LAG, among: xr.DataArray | None = None
) -> xr.DataArray:
    """Count pairs of an output and an input spike by their time difference, all synapses together.

    Parameters
    ----------
    dataset : Dataset
        With traces (`record.traces`) and spike times, at one time step.
    max_lag : float
        Lags reach so far on either side [ms].
    among : DataArray of bool, (..., time, synapse), optional
        Which input spikes count, by the step they fall in; all by default.

    Returns
    -------
    DataArray, (..., lag)
        Of `lag` t_pre - t_post [ms], a time step apart: negative where the input came first.
        Without correction at the borders, as Elephant does by default; NaN where not done.
    """
    spikes = input_spikes(dataset)
    counted = spikes if among is None else spikes & among
    counts = _sums_around_output(counted.sum("synapse"), dataset, max_lag)
    counts = counts.where(dataset["status"] == 0)
    return counts.assign_attrs(long_name="pairs of an input and an output spike")


def _sums_around_output(steps: xr.DataArray, dataset: xr.Dataset, max_lag: float) -> xr.DataArray:
    """Sum what is counted in each time step over all output spikes, by the lag from them."""
    dt = float(parameter(dataset, "simulation.dt"))
    n_lags = round(max_lag / dt)
    steps = steps.transpose(..., "time")
    along = steps.dims[:-1]
    trains = dataset["spike_time"].transpose(*along, "spike").values
    sums = np.zeros((*steps.shape[:-1], 2 * n_lags + 1), dtype=np.int64)
    for place in np.ndindex(steps.shape[:-1]):
        padded = np.pad(steps.values[place], n_lags)
        train = trains[place]
        for k in np.round(train[np.isfinite(train)] / dt).astype(int):
            sums[place] += padded[k : k + 2 * n_lags + 1]  # entry k + n_lags is step k
    lags = dt * np.arange(-n_lags, n_lags + 1)
    attributes = {"long_name": r"time difference $t_\mathrm{pre} - t_\mathrm{post}$", "units": "ms"}
    coordinates = {dim: steps[dim] for dim in along} | {"lag": ("lag", lags, attributes)}
    return xr.DataArray(sums, coordinates, [*along, "lag"])


def input_rate_around_output(dataset: xr.Dataset, max_lag: float = MOST_LAG) -> xr.DataArray:
    """Input rate of a synapse around an output spike [Hz], weak and strong synapses apart.

    The correlogram over the number of time steps in which such a synapse could have spiked. A
    synapse is strong while its weight is above 1/2.

    Returns
    -------
    DataArray, (..., strength, lag)
        Strength "weak" or "strong"; NaN without output spikes, or without such a synapse.
    """
    dt = float(parameter(dataset, "simulation.dt"))
    weight = dataset["weight_trace"]  # NaN, of a shorter run's padding, is neither
    rates = []
    for among in (weight <= 0.5, weight > 0.5):
        pairs = cross_correlation_histogram(dataset, max_lag, among)
        chances = _sums_around_output(among.sum("synapse"), dataset, max_lag)
        rates.append(1000 / dt * pairs / chances.where(chances > 0))
    joined = xr.concat(rates, "strength").transpose(..., "strength", "lag")
    strengths = ("strength", ["weak", "strong"], {"long_name": "synapses"})
    joined = joined.assign_coords(strength=strengths)
    joined.attrs = {"long_name": "input rate around output spikes", "units": "Hz"}
    return joined
