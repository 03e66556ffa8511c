"""Measures of spike trains, under the names and definitions of Elephant where it has them.

A spike in the time step at an edge counts as after the edge, however both were computed: a spike at
2.7 ms is not before 9 * 0.3 ms nor the one at 9 * 0.3 ms in a file of an earlier version, whose
times are not decimals, before 2.7 ms. So an edge is moved back by a millionth of a time step, or by
1e-12 of itself where that is more or the dataset does not state its time step.

Elephant (Denker, Yegenoglu & Gruen 2018): https://elephant.readthedocs.io
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.reading.dataset import broadcast_to, parameter
from analysis.reading.errors import LoadError
from analysis.reading.metadata import DONE
from analysis.reading.model import trace_time_constant
from analysis.reading.until import run_durations
from analysis.reading.values import canonical

#: Weights above it are strong, others weak, in `input_rate_around_output`.
STRONG_ABOVE = 0.5

#: Largest lag of the correlogram [ms] before and after an output spike, by default.
MAX_LAG = 50.0

#: Length of the windows in which spikes are counted [ms], by default.
WINDOW = 1000.0

#: Tolerance of the comparison of a spike time with an edge, in time steps and relative to the edge.
_STEP_TOLERANCE, _RELATIVE_TOLERANCE = 1e-6, 1e-12

#: Time from which on spikes count [ms], of all points or of each.
Start = float | xr.DataArray

#: Attributes of t_pre - t_post, negative where the input spike comes first.
TIME_DIFFERENCE = {
    "long_name": r"time difference $t_\mathrm{pre} - t_\mathrm{post}$",
    "units": "ms",
}


def isi(spike_time: NDArray) -> NDArray:
    """Return the interspike intervals of one spike train.

    Parameters
    ----------
    spike_time : ndarray, (n_spikes,)
        Sorted spike times [ms]; NaN, as padding, is left out.

    Returns
    -------
    ndarray, (n_spikes - 1,)
        Intervals [ms].
    """
    return np.diff(spike_time[np.isfinite(spike_time)])


def mean_firing_rate(dataset: xr.Dataset, t_start: Start = 0.0) -> xr.DataArray:
    """Return the output firing rate from a time to the end, at each point.

    Parameters
    ----------
    dataset : Dataset
        Results with `spike_time` (..., spike) [ms] and `status` (...), dimensionless.
    t_start : float or DataArray (...)
        Time from which on spikes count [ms], of each point where they differ.

    Returns
    -------
    DataArray, (...)
        Rate [Hz] along all axes of the sweep; NaN where a point is not done or ends before.
    """

    def rate(train: NDArray, start: float, end: float, dt: float) -> float:
        return 1000 * train.size / (end - start) if end > start else np.nan

    attributes = {"long_name": "output firing rate", "units": "Hz"}
    end = run_durations(dataset)
    return _per_train(rate, dataset, t_start, end, attributes)


def cv(dataset: xr.Dataset, t_start: Start = 0.0) -> xr.DataArray:
    """Return the coefficient of variation of the output interspike intervals, at each point.

    Population standard deviation over mean. The variable `isi_cv` of the file is the same over the
    whole run.

    Parameters
    ----------
    dataset : Dataset
        Results with `spike_time` (..., spike) [ms] and `status` (...), dimensionless.
    t_start : float or DataArray (...)
        Time from which on spikes count [ms], of each point where they differ.

    Returns
    -------
    DataArray, (...)
        Dimensionless, along all axes of the sweep; NaN for fewer than two intervals and where a
        point is not done.
    """

    def variation(train: NDArray, start: float, end: float, dt: float) -> float:
        intervals = isi(train)
        return intervals.std() / intervals.mean() if intervals.size > 1 else np.nan

    attributes = {"long_name": "coefficient of variation of output interspike intervals"}
    return _per_train(variation, dataset, t_start, xr.DataArray(np.nan), attributes)


def fanofactor(dataset: xr.Dataset, window: float = WINDOW, t_start: Start = 0.0) -> xr.DataArray:
    """Return the Fano factor of the output spike counts in consecutive windows, at each point.

    Unbiased variance over mean of the counts, whose expectation is 1 for a Poisson process however
    few the windows: given their sum, the counts are multinomial. Elephant divides by the number n
    of counts, which makes its factor (n - 1)/n of this one, and counts over trials; here the trials
    are windows of one train, an incomplete one at the end left out. A non-stationary rate increases
    it: see `settling`.

    Parameters
    ----------
    dataset : Dataset
        Results with `spike_time` (..., spike) [ms] and `status` (...), dimensionless.
    window : float
        Length of the windows [ms].
    t_start : float or DataArray (...)
        Start of the first window [ms], of each point where they differ.

    Returns
    -------
    DataArray, (...)
        Dimensionless, along all axes of the sweep; NaN for fewer than two windows, without a spike
        and where a point is not done.
    """

    def factor(train: NDArray, start: float, end: float, dt: float) -> float:
        n = int(n_windows(start, end, dt, window))
        if n < 2:
            return np.nan
        edges = start + window * np.arange(n + 1)
        counts = np.diff(np.searchsorted(train, _just_before(edges, dt)))
        return counts.var(ddof=1) / counts.mean() if counts.any() else np.nan

    attributes = {"long_name": f"Fano factor of output spike counts in {window / 1000:g} s"}
    end = run_durations(dataset)
    return _per_train(factor, dataset, t_start, end, attributes)


def n_windows(start: Start, end: Start, dt: Start, window: float) -> Start:
    """Return how many windows lie between two times, an incomplete one left out.

    Parameters
    ----------
    start, end, dt : float or DataArray (...)
        First and last time and time step [ms].
    window : float
        Length of the windows [ms].

    Returns
    -------
    float or DataArray (...)
        Whole numbers, dimensionless.
    """
    return np.floor((end - start + _rounding(end, dt)) / window)


def _per_train(
    function: Callable[[NDArray, float, float, float], float],
    dataset: xr.Dataset,
    t_start: Start,
    end: xr.DataArray,
    attributes: dict[str, str],
) -> xr.DataArray:
    """Apply a function to each point's spike times from its start on, start, end and time step.

    NaN where a point is not done.
    """
    trains, status = dataset["spike_time"], dataset["status"]
    starts, ends, steps = (
        broadcast_to(one, status).values for one in (xr.DataArray(t_start), end, time_step(dataset))
    )
    values = np.full(status.shape, np.nan)
    for index in map(tuple, np.argwhere(status.values == DONE)):
        train = trains.isel(dict(zip(status.dims, index, strict=True))).values
        start, dt = starts[index], steps[index]
        late = train[train >= _just_before(start, dt)]  # NaN, the padding, is not
        values[index] = function(late, start, ends[index], dt)
    return xr.DataArray(values, status.coords, status.dims, attrs=attributes)


def time_step(dataset: xr.Dataset) -> xr.DataArray:
    """Return the time step of each point; 0 if the dataset does not state it.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    DataArray, (...)
        Time step [ms], along the axes that set it.
    """
    try:
        return parameter(dataset, "simulation.dt")
    except KeyError:
        return xr.DataArray(0.0)


def _just_before(edge: NDArray | float, dt: float) -> NDArray:
    """Return a time before an edge [ms] by less than a step, but by more than any rounding."""
    return edge - _rounding(edge, dt)


def _rounding(time: Any, dt: Any) -> Any:
    """Return an upper bound of the error [ms] of a time that was computed from others."""
    return np.maximum(_STEP_TOLERANCE * dt, _RELATIVE_TOLERANCE * np.abs(time))


def input_spikes(dataset: xr.Dataset) -> xr.DataArray:
    """Recover the input spikes in each time step from the recorded presynaptic traces.

    A trace jumps by 1 at a spike and decays by (1 - dt / tau) per step. Spikes in step 0 leave no
    trace and are not recovered, nor are those in the first step of a dataset cut in time.

    Parameters
    ----------
    dataset : Dataset
        Results with `x_pre` (..., time, synapse), dimensionless (`record.traces`).

    Returns
    -------
    DataArray of bool, (..., time, synapse)
        Dimensionless.

    Raises
    ------
    LoadError
        If the time steps of the dataset are not consecutive.
    """
    x, dt = dataset["x_pre"], parameter(dataset, "simulation.dt")
    first_step(dataset)
    tau = trace_time_constant(dataset).sel(trace="x_pre", drop=True).reset_coords(drop=True)
    jump = x - (1 - dt / tau) * x.shift(time=1)  # NaN in the first step, whose spikes are not known
    spikes = (jump > 0.5).transpose(*x.dims)
    return spikes.assign_attrs(long_name="input spikes")


def first_step(dataset: xr.Dataset) -> int:
    """Return the first time step that a dataset has, which may be cut in time.

    Parameters
    ----------
    dataset : Dataset
        Results with `time` (time) [ms], at one time step.

    Returns
    -------
    int
        Its index, dimensionless.

    Raises
    ------
    LoadError
        If the time steps are not consecutive, or there are none.
    """
    if "time" not in dataset.coords:
        return 0
    steps = np.round(dataset["time"].values / float(parameter(dataset, "simulation.dt")))
    if not steps.size or (np.diff(steps) != 1).any():
        raise LoadError(
            "time: must be consecutive steps of simulation.dt, as of sel(time=slice(FROM, TO))"
        )
    return int(steps[0])


def cross_correlation_histogram(
    dataset: xr.Dataset, max_lag: float = MAX_LAG, among: xr.DataArray | None = None
) -> xr.DataArray:
    """Count pairs of an output and an input spike by their time difference, over all synapses.

    Without border correction, as is Elephant's default. Of a dataset cut in time, pairs of spikes
    within the time that is left.

    Parameters
    ----------
    dataset : Dataset
        Results with `x_pre` (..., time, synapse), dimensionless, and `spike_time` (..., spike)
        [ms], all at one time step.
    max_lag : float
        Largest lag on either side [ms].
    among : DataArray of bool, (..., time, synapse), optional
        Which input spikes count, by their time step, dimensionless; all by default.

    Returns
    -------
    DataArray, (..., lag)
        Counts, dimensionless, along all axes of the sweep and `lag` t_pre - t_post [ms] in time
        steps, negative where the input spike comes first; NaN where a point is not done.
    """
    spikes = input_spikes(dataset)
    counted = spikes if among is None else spikes & among
    counts = _sums_around_output(counted.sum("synapse"), dataset, max_lag)
    counts = counts.where(dataset["status"] == DONE)
    return counts.assign_attrs(long_name="pairs of an input and an output spike")


def _sums_around_output(steps: xr.DataArray, dataset: xr.Dataset, max_lag: float) -> xr.DataArray:
    """Sum counts per time step over all output spikes, by the lag from the spike."""
    dt = float(parameter(dataset, "simulation.dt"))
    n_lags, first, n_steps = round(max_lag / dt), first_step(dataset), steps.sizes["time"]
    steps = steps.transpose(..., "time")
    along = steps.dims[:-1]
    trains = dataset["spike_time"].transpose(*along, "spike").values
    sums = np.zeros((*steps.shape[:-1], 2 * n_lags + 1), dtype=np.int64)
    for index in np.ndindex(steps.shape[:-1]):
        padded = np.pad(steps.values[index], n_lags)
        train = trains[index]
        at = np.round(train[np.isfinite(train)] / dt).astype(int) - first
        for k in at[(at >= 0) & (at < n_steps)]:  # others were cut off
            sums[index] += padded[k : k + 2 * n_lags + 1]  # entry k + n_lags is step k
    lags = np.array([canonical(dt * n) for n in range(-n_lags, n_lags + 1)])  # as decimals
    coordinates = {dim: steps[dim] for dim in along} | {"lag": ("lag", lags, TIME_DIFFERENCE)}
    return xr.DataArray(sums, coordinates, [*along, "lag"])


def input_rate_around_output(dataset: xr.Dataset, max_lag: float = MAX_LAG) -> xr.DataArray:
    """Return the input rate of a synapse around output spikes, weak and strong synapses apart.

    The cross-correlation histogram over the number of time steps in which such synapses could have
    spiked. A synapse is strong while its weight is above 1/2.

    Parameters
    ----------
    dataset : Dataset
        Results with `x_pre` and `weight_trace` (..., time, synapse), dimensionless, and
        `spike_time` (..., spike) [ms], all at one time step.
    max_lag : float
        Largest lag on either side [ms].

    Returns
    -------
    DataArray, (..., strength, lag)
        Rate [Hz] of "weak" and "strong" synapses by `lag` t_pre - t_post [ms]; NaN without output
        spikes, or without such a synapse.
    """
    dt = float(parameter(dataset, "simulation.dt"))
    weight = dataset["weight_trace"]  # NaN, the padding of shorter runs, is neither weak nor strong
    # An input spike in the first step is not recovered: it is no chance.
    traced = dataset["time"] > dataset["time"][0]
    rates = []
    for among in (traced & (weight <= STRONG_ABOVE), traced & (weight > STRONG_ABOVE)):
        pairs = cross_correlation_histogram(dataset, max_lag, among)
        chances = _sums_around_output(among.sum("synapse"), dataset, max_lag)
        rates.append(1000 / dt * pairs / chances.where(chances > 0))
    joined = xr.concat(rates, "strength").transpose(..., "strength", "lag")
    strengths = ("strength", ["weak", "strong"], {"long_name": "synapses"})
    joined = joined.assign_coords(strength=strengths)
    joined.attrs = {"long_name": "input rate around output spikes", "units": "Hz"}
    return joined
