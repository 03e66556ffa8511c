"""Output spikes relative to stimuli: trials of bursts, or presentations of a pattern."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.reading.dataset import axes
from analysis.reading.errors import LoadError

#: Dimension of stimuli, and the coordinate with the latency of each synapse.
STIMULUS, LATENCY = "stimulus", "synapse_latency"


def stimulus_responses(
    dataset: xr.Dataset, window: tuple[float, float] | None = None
) -> xr.Dataset:
    """Return the output spikes in a window around each stimulus: the first one, and how many.

    Parameters
    ----------
    dataset : Dataset
        Results with `spike_time` (..., spike) [ms] and `stimulus_time` (..., stimulus) [ms].
    window : tuple of float, optional
        Begin and end of the window relative to the time of the stimulus [ms]; by default from the
        lowest to the highest latency of any synapse, from 0 on at least.

    Returns
    -------
    Dataset, (..., stimulus)
        `first_spike`, the time of the first output spike relative to the stimulus [ms], NaN where
        there is none; `n_spikes`, the number of output spikes, dimensionless, NaN where there is no
        such stimulus.

    Raises
    ------
    LoadError
        If there are no stimuli, or output spikes were not recorded.
    """
    if "spike_time" not in dataset or "stimulus_time" not in dataset:
        raise LoadError(
            "stimulus_time: must be recorded, with stimuli (input=latency or input=patterns) and "
            "record.spike_times=true"
        )
    low, high = latency_range(dataset) if window is None else window
    swept = axes(dataset)
    onsets = dataset["stimulus_time"].transpose(*swept, STIMULUS)
    trains = dataset["spike_time"].transpose(*swept, "spike")
    first = np.full(onsets.shape, np.nan)
    count = np.full(onsets.shape, np.nan)
    for index in np.ndindex(onsets.shape[:-1]):
        times = onsets.values[index]
        known = np.isfinite(times)
        spikes = trains.values[index]
        spikes = spikes[np.isfinite(spikes)]
        begin = np.searchsorted(spikes, times[known] + low)
        end = np.searchsorted(spikes, times[known] + high)
        padded = np.append(spikes, np.nan)
        count[index][known] = end - begin
        first[index][known] = np.where(end > begin, padded[begin] - times[known], np.nan)
    about_first = {"long_name": "first output spike after the stimulus", "units": "ms"}
    about_count = {"long_name": "number of output spikes at the stimulus"}
    return xr.Dataset(
        {
            "first_spike": (onsets.dims, first, about_first),
            "n_spikes": (onsets.dims, count, about_count),
        },
        {name: dataset[name] for name in (*swept, STIMULUS) if name in dataset.coords},
    )


def latency_range(dataset: xr.Dataset) -> tuple[float, float]:
    """Return the lowest and highest latency of any synapse, the lowest at most 0.

    Parameters
    ----------
    dataset : Dataset
        Results with the coordinate `synapse_latency` (..., synapse) [ms].

    Returns
    -------
    tuple of float
        Times relative to the stimulus [ms].

    Raises
    ------
    LoadError
        If no synapse has a latency.
    """
    known = dataset[LATENCY].notnull() if LATENCY in dataset.coords else None
    if known is None or not known.any():
        raise LoadError(f"{LATENCY}: no synapse has a latency; give a window")
    return min(0.0, float(dataset[LATENCY].min())), float(dataset[LATENCY].max())


def around_stimuli(
    spike_time: NDArray[np.float64],
    stimulus_time: NDArray[np.float64],
    window: tuple[float, float],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return all output spikes in a window around each stimulus.

    Parameters
    ----------
    spike_time, stimulus_time : ndarray, (n_spikes,), (n_stimuli,)
        Rising [ms].
    window : tuple of float
        Begin and end relative to the stimulus [ms].

    Returns
    -------
    stimulus : ndarray of int64, (n,)
        Number of the stimulus, dimensionless; a spike near two of them is there twice.
    time : ndarray, (n,)
        Relative to it [ms].
    """
    begin = np.searchsorted(spike_time, stimulus_time + window[0])
    end = np.searchsorted(spike_time, stimulus_time + window[1])
    stimulus = np.repeat(np.arange(stimulus_time.size), end - begin)
    before = np.cumsum(end - begin) - (end - begin)
    spike = np.arange(stimulus.size) + np.repeat(begin - before, end - begin)
    return stimulus, spike_time[spike] - stimulus_time[stimulus]
