"""The figures of one run: from a dataset's first seed at each point to figures and their names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from analysis.figures.facets import slices
from analysis.figures.sweep_figures import Figures
from analysis.measures import spike_trains, weights
from analysis.measures.measured import MeasuredDataset, lines, settled_words, words
from analysis.measures.seeds import SEED
from analysis.measures.stationarity import settling
from analysis.measures.traces import ltd_trace, ltp_trace, synaptic_conductance
from analysis.plots import lines as line_plots
from analysis.plots import single_run
from analysis.reading.dataset import parameter

#: So many synapses are drawn with spikes and traces, as in exercise 1B.
FEW = 5

#: Of longer runs only a part is drawn step by step [ms].
MOST_TIME = 1000.0


def weights_in_time(study: MeasuredDataset) -> Figures:
    """Yield weights against time with the histogram at one moment, of one run for each point."""
    yield from _weights_in_time(study, "weights_in_time", None)


def groups(study: MeasuredDataset) -> Figures:
    """Yield the same with groups of synapses apart, such as correlated and uncorrelated ones."""
    yield from _weights_in_time(study, "groups", study.dataset["group"])


def _weights_in_time(study: MeasuredDataset, name: str, group: xr.DataArray | None) -> Figures:
    for suffix, where, run in _runs(study):
        times = run["sample_time"].values
        at = times[-1] if study.at is None else times[np.argmin(np.abs(times - study.at))]
        if group is None:
            share = weights.weight_histogram(run, at=at)
        else:
            shares = [
                weights.weight_histogram(run.isel(synapse=group.values == member), at=at)
                for member in dict.fromkeys(group.values.tolist())
            ]
            names = xr.DataArray(list(dict.fromkeys(group.values.tolist())), dims="group")
            share = xr.concat(shares, "group").assign_coords(group=names)
        title = lines(where, settled_words(settling(run)["settled"].values.ravel()))
        yield (
            f"{name}{suffix}",
            single_run.weights_in_time(run["weight_history"], share, at, group, title),
            "",
        )


def traces(study: MeasuredDataset) -> Figures:
    """Yield input spikes of a few synapses with the traces P and M."""
    for suffix, where, run in _moments(study):
        few = run.isel(synapse=slice(FEW))
        figure = single_run.traces(few["input_spike"], ltp_trace(few), ltd_trace(few), where)
        yield f"traces{suffix}", figure, ""


def run(study: MeasuredDataset) -> Figures:
    """Yield the six panels of the tutorial's exercise 2."""
    for suffix, where, one in _moments(study):
        few = one.isel(synapse=slice(single_run.FEW_SYNAPSES))
        shown = {
            "v": one["v"],
            "M": ltd_trace(one),
            "g_ex": one["g_ex"],
            "P": ltp_trace(few),
            "g": synaptic_conductance(few),
        }
        first, *_, last = one["time"].values
        times = one["spike_time"].values
        times = times[(times >= first) & (times <= last)]
        V_th = float(parameter(one, "neuron.V_th"))
        figure = single_run.exercise(one["input_spike"], shown, times, V_th, where)
        remark = f"P and g of {few.sizes['synapse']} synapses"
        yield f"run{suffix}", figure, remark


def correlogram(study: MeasuredDataset) -> Figures:
    """Yield the input rate around output spikes."""
    for suffix, where, one in _runs(study):
        rate = spike_trains.input_rate_around_output(one)
        n = int(one["spike_count"])
        counted = f"{n:,} output spike{'s' if n != 1 else ''}"
        title = lines(study.heading("Over"), where, counted)
        expected = float(parameter(one, "input.rate_hz"))
        yield f"correlogram{suffix}", line_plots.correlogram(rate, expected, title), ""


def _moments(study: MeasuredDataset) -> Iterator[tuple[str, str, xr.Dataset]]:
    """Yield the same with input spikes; of long runs one second, from `at` on or the first."""
    for suffix, where, one in _runs(study):
        run = one.assign(input_spike=spike_trains.input_spikes(one))
        times = one["time"].values
        if times[-1] - times[0] <= MOST_TIME:
            yield suffix, where, run
            continue
        start = max(0.0, min(study.at or 0.0, times[-1] - MOST_TIME))
        moment = f"{start / 1000:g} to {(start + MOST_TIME) / 1000:g} s of {times[-1] / 1000:.4g} s"
        yield suffix, lines(where, moment), run.sel(time=slice(start, start + MOST_TIME))


def _runs(study: MeasuredDataset) -> Iterator[tuple[str, str, xr.Dataset]]:
    """Yield suffix, words and data of one run at each point: of the first seed that is done."""
    for suffix, where, runs_there in slices(study.dataset, study.swept, by="status"):
        one, seed_words = runs_there, ""
        if study.has_seeds:
            one = runs_there.isel({SEED: int(np.argmax(runs_there["status"].values == 0))})
            seed_words = f"Seed {int(one[SEED])}"
        yield suffix, lines(study.part, words(where.replace("\n", ", "), seed_words)), _its_own(one)


def _its_own(one: xr.Dataset) -> xr.Dataset:
    """Return a run without what pads it to the length of longer ones."""
    for dim, variable in (("sample_time", "rate_history"), ("time", "v")):
        if variable in one:
            n = int(one[variable].notnull().sum())
            one = one.isel({dim: slice(n)})
    return one
