"""Figures of single runs: the first seed that is done at each point, with names and titles."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

import numpy as np
import xarray as xr

from analysis.figures import titles
from analysis.figures.facets import Figures, Slice, slices
from analysis.figures.histories import weight_history
from analysis.figures.titles import comma_separated, lines
from analysis.measures import spike_trains, weights
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import SEED
from analysis.measures.synapses import has_groups
from analysis.measures.traces import ltd_trace, ltp_trace, synaptic_conductance
from analysis.plots import lines as line_plots
from analysis.plots import scales, single_run
from analysis.reading.dataset import parameter
from analysis.reading.metadata import DONE
from analysis.reading.model import mean_input_rate
from analysis.reading.until import run_durations
from analysis.reading.values import counted

#: Number of synapses drawn with spikes and traces, as in exercise 1B of the tutorial.
N_SYNAPSES = 5

#: Longest time that is drawn step by step [ms].
MAX_TIME = 1000.0

_STRENGTHS = {
    "weak": f"weak, w \N{LESS-THAN OR EQUAL TO} {spike_trains.STRONG_ABOVE:g}",
    "strong": f"strong, w > {spike_trains.STRONG_ABOVE:g}",
}


def weights_in_time(measured: MeasuredDataset) -> Figures:
    """Yield weights against time, and the histogram at one time, of one run per point."""
    yield from _weights_in_time(measured, "weights_in_time", False)


def groups(measured: MeasuredDataset) -> Figures:
    """Yield weights against time by group of synapses, such as correlated and uncorrelated."""
    yield from _weights_in_time(measured, "groups", True)


def _weights_in_time(measured: MeasuredDataset, name: str, by_group: bool) -> Figures:
    grouped = has_groups(measured.dataset) & measured.done if by_group else None
    for one in single_runs(measured, name, grouped):
        recorded = one.measured.dataset
        group = recorded["group"] if by_group else None
        history = weight_history(recorded)
        times = history["sample_time"].values
        at = times[-1] if measured.at is None else times[np.argmin(np.abs(times - measured.at))]
        share = _share(recorded.drop_dims("sample_time").assign(weight_history=history), group, at)
        answer = titles.settled(one.measured)
        if answer and measured.has_seeds:  # that of all seeds stands in other figures
            answer = f"This run alone: {answer.lower()}"
        title = lines(one.text, answer)
        figure = single_run.weights_in_time(history, share, at, group, title)
        is_log = times[0] == 0 and scales.are_ever_rarer(times)
        remark = scales.LOGARITHMIC_TIME if is_log else ""
        rest = titles.beyond_header(figure, title)
        yield one, figure, titles.caption(rest, remark)


def _share(run: xr.Dataset, group: xr.DataArray | None, at: float) -> xr.DataArray:
    """Return the histogram of weights at a time, `([group], weight_bin)`."""
    if group is None:
        return weights.weight_histogram(run, at=at)
    names = list(dict.fromkeys(group.values.tolist()))
    shares = [
        weights.weight_histogram(run.isel(synapse=group.values == name), at=at) for name in names
    ]
    return xr.concat(shares, "group").assign_coords(group=names)


def traces(measured: MeasuredDataset) -> Figures:
    """Yield input spikes of a few synapses with the traces P and M."""
    for one in _excerpts(measured, "traces"):
        few = one.measured.dataset.isel(synapse=slice(N_SYNAPSES))
        figure = single_run.traces(few["input_spike"], ltp_trace(few), ltd_trace(few), one.text)
        remark = "Spikes and P in one colour per synapse; M of the neuron"
        rest = titles.beyond_header(figure, one.text)
        yield one, figure, titles.caption(rest, remark)


def run(measured: MeasuredDataset) -> Figures:
    """Yield the six panels of exercise 2 of the tutorial."""
    for one in _excerpts(measured, "run"):
        recorded = one.measured.dataset
        few = recorded.isel(synapse=slice(single_run.N_TRACES))
        shown = {
            "v": recorded["v"],
            "M": ltd_trace(recorded),
            "g_ex": recorded["g_ex"],
            "P": ltp_trace(few),
            "g": synaptic_conductance(few),
            **{
                name: recorded[name]
                for name in ("g_in", "theta")
                if name in recorded and recorded[name].notnull().any()  # of this point
            },
        }
        first, last = recorded["time"].values[[0, -1]]
        times = recorded["spike_time"].values
        times = times[(times >= first) & (times <= last)]
        V_th = float(parameter(recorded, "neuron.V_th"))
        figure = single_run.exercise(recorded["input_spike"], shown, times, V_th, one.text)
        rest = titles.beyond_header(figure, one.text)
        yield one, figure, titles.caption(rest, _run_key(few, shown))


def _run_key(few: xr.Dataset, shown: Container[str]) -> str:
    """Return what the colours and lines of `run` mean."""
    n = few.sizes["synapse"]
    synapses = f"the first {n} synapses" if n > 1 else "the first synapse"
    bars = "Bars above the dotted threshold: output spikes"
    if "theta" in shown:
        bars = "Bars: output spikes, which raise the dotted threshold"
    key = f"P and g of {synapses}, in one colour each. {bars}"
    return f"{key}. Lower right: g_ex in grey, g_in in blue" if "g_in" in shown else key


def correlogram(measured: MeasuredDataset) -> Figures:
    """Yield the input rate around output spikes."""
    for one in single_runs(measured, "correlogram"):
        recorded = one.measured.dataset
        rate = spike_trains.input_rate_around_output(recorded)
        n = int(recorded["spike_count"])
        duration = float(run_durations(recorded)) / 1000
        title = lines(one.text, f"Over {duration:,g} s, {counted(n, 'output spike')}")
        expected = float(mean_input_rate(recorded))
        figure = line_plots.correlogram(rate, expected, _STRENGTHS, title)
        remark = "Dotted: mean input rate; vertical line: no time difference"
        rest = titles.beyond_header(figure, title)
        yield one, figure, titles.caption(rest, remark)


def _excerpts(measured: MeasuredDataset, figure: str) -> Iterator[Slice]:
    """Yield runs with their input spikes; of long runs one second, from `at` or from 0."""
    for one in single_runs(measured, figure):
        recorded = one.measured.dataset
        recorded = recorded.assign(input_spike=spike_trains.input_spikes(recorded))
        times, step = recorded["time"].values, float(parameter(recorded, "simulation.dt"))
        text = one.text
        if times[-1] - times[0] > MAX_TIME:
            start = max(times[0], min(measured.at or 0.0, times[-1] - MAX_TIME))
            end = start + MAX_TIME
            whole = (times[-1] + step) / 1000  # the last step ends with the run
            excerpt = f"{start / 1000:,g} to {end / 1000:,g} s of {whole:,g} s"
            # Steps at both ends are included.
            recorded = recorded.sel(time=slice(start - step / 2, end + step / 2))
            text = lines(text, excerpt)
        yield replace(one, text=text, measured=MeasuredDataset(recorded))


def single_runs(
    measured: MeasuredDataset, figure: str, has_data: xr.DataArray | None = None
) -> Iterator[Slice]:
    """Yield one run per point: the first seed that is done; its text names selection and seed.

    Parameters
    ----------
    measured : MeasuredDataset
        The points.
    figure : str
        Name of the figure on the command line.
    has_data : DataArray of bool, (...), optional
        Points that can be drawn, dimensionless; by default those that are done.

    Yields
    ------
    Slice
        Of one run.
    """
    for point in slices(figure, measured, measured.swept, has_data):
        one, seed = point.measured.dataset, ""
        if measured.has_seeds:
            one = one.isel({SEED: int(np.argmax(one["status"].values == DONE))})
            seed = f"Seed {int(one[SEED])}"
        text = comma_separated(titles.selection(point), seed)
        yield replace(point, text=text, measured=MeasuredDataset(_without_padding(one)))


def _without_padding(one: xr.Dataset) -> xr.Dataset:
    """Return a run without the padding to the length of longer runs."""
    for dim, variable in (("sample_time", "rate_history"), ("time", "v")):
        if variable in one:
            n = int(one[variable].notnull().sum())
            one = one.isel({dim: slice(n)})
    return one
