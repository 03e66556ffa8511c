"""Figures of output spikes around stimuli: onsets of trials, presentations of a pattern."""

from __future__ import annotations

import numpy as np

from analysis.figures import titles
from analysis.figures.facets import Figures
from analysis.figures.run_figures import single_runs
from analysis.figures.titles import lines
from analysis.measures.measured import MeasuredDataset
from analysis.measures.stimuli import around_stimuli, latency_range, stimulus_responses
from analysis.plots import stimuli

#: Share of the stimuli at either end of the run that the histograms are of.
_PART = 10

#: Margins of the window around the latencies of synapses, as shares of their range.
_BEFORE, _AFTER = 0.25, 0.75


def response(measured: MeasuredDataset) -> Figures:
    """Yield output spikes around each stimulus, and their rate at the first and last tenth of them.

    A stimulus is a trial of `input=latency`, or a presentation of the pattern of `input=patterns`.
    The first stimulus is at the bottom. The caption has the median time of the first output spike
    between the lowest and the highest latency of a synapse.
    """
    for one in single_runs(measured, "response"):
        recorded = one.measured.dataset
        times = recorded["stimulus_time"].values
        times = times[np.isfinite(times)]
        spikes = recorded["spike_time"].values
        spikes = spikes[np.isfinite(spikes)]
        if not times.size:
            continue
        low, high = latency_range(recorded)
        window = low - _BEFORE * (high - low), high + _AFTER * (high - low)
        n = max(1, times.size // _PART)
        parts = [(f"first {n:,}", 0, n), (f"last {n:,}", times.size - n, times.size)]
        number, time = around_stimuli(spikes, times, window)
        title = lines(one.text, f"{times.size:,} stimuli, {spikes.size:,} output spikes")
        figure = stimuli.raster(number, time, window, parts, times.size, title)
        responses = stimulus_responses(recorded, (low, high))
        first = responses["first_spike"].values[: times.size]
        count = responses["n_spikes"].values[: times.size]
        said = lines(*(_said(name, first[a:b], count[a:b]) for name, a, b in parts))
        yield one, figure, titles.caption(titles.beyond_header(figure, title), said)


def _said(name: str, first: np.ndarray, count: np.ndarray) -> str:
    """Return how a part of the stimuli is responded to."""
    share = f"{100 * np.mean(count > 0):.0f} % with an output spike"
    median = f", median of the first {np.nanmedian(first):.1f} ms" if (count > 0).any() else ""
    return f"{name.capitalize()} stimuli: {share}{median}"
