"""Plots of a single run: spikes and traces, weights against time."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from analysis.plots import scales, style, text
from analysis.reading.dataset import label

#: Numbers of synapses drawn as lines: of traces, and of weight histories.
N_TRACES, N_HISTORIES = 10, 50

#: Colours of groups of synapses.
_GROUPS = (style.LTP, style.LTD, style.NEUTRAL)


def traces(
    spikes: xr.DataArray,
    P: xr.DataArray,
    M: xr.DataArray,
    title: str = "",  # noqa: N803
) -> Figure:
    """Draw input spikes and the traces of LTP and LTD.

    Parameters
    ----------
    spikes : DataArray of bool, (time, synapse)
        Whether a synapse receives a spike, dimensionless, at `time` [ms].
    P : DataArray, (time, synapse)
        LTP traces of the same synapses, dimensionless.
    M : DataArray, (time)
        LTD trace of the neuron, dimensionless.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With three panels.
    """
    title = text.header(title, style.COLUMN)
    figure, (top, middle, bottom) = plt.subplots(
        3,
        1,
        sharex=True,
        figsize=(style.COLUMN, 3.85 + text.header_height(title)),
        height_ratios=(1, 1.2, 0.8),
    )
    _raster(top, spikes)
    lines = _lines(middle, P)
    _lines(bottom, M, colour=style.LTD)
    text.set_header(figure, title)
    bottom.set_xlabel(label(M["time"]))
    style.legend(figure, lines, _numbers(P), "Synapse")
    return figure


def exercise(
    spikes: xr.DataArray,
    shown: Mapping[str, xr.DataArray],
    spike_time: NDArray[np.float64],
    V_th: float,
    title: str = "",
) -> Figure:
    """Draw the six panels of exercise 2 of the tutorial.

    Parameters
    ----------
    spikes : DataArray of bool, (time, synapse)
        Whether a synapse receives a spike, dimensionless, at `time` [ms], for all synapses.
    shown : mapping of str to DataArray
        `v` [mV], `M` and `g_ex`, dimensionless, (time); `P` and `g`, dimensionless,
        (time, synapse), for the synapses drawn. If they are there, `g_in`, dimensionless, and
        `theta` [mV], (time).
    spike_time : ndarray, (n_spikes,)
        Output spikes [ms].
    V_th : float
        Threshold at rest [mV].
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With three rows and two columns of panels. The dotted threshold rises by `theta`, and
        `g_in` is drawn with `g_ex`.
    """
    title = text.header(title, style.PAGE)
    size = (style.PAGE, 4.45 + text.header_height(title))
    figure, grid = plt.subplots(3, 2, sharex=True, figsize=size)
    v = shown["v"]
    _lines(grid[0, 0], v, colour=style.NEUTRAL)
    if "theta" in shown:
        grid[0, 0].plot(v["time"], V_th + shown["theta"], color=style.NEUTRAL, lw=0.8, ls=":")
    else:
        grid[0, 0].axhline(V_th, color=style.NEUTRAL, lw=0.6, ls=":")
    grid[0, 0].vlines(spike_time, V_th, V_th + 12, color="black", lw=0.8)
    _raster(grid[1, 0], spikes)
    _lines(grid[2, 0], shown["M"], colour=style.LTD)
    lines = _lines(grid[0, 1], shown["P"])
    _lines(grid[1, 1], shown["g"])
    _lines(grid[2, 1], shown["g_ex"], colour=style.NEUTRAL)
    if "g_in" in shown:
        _lines(grid[2, 1], shown["g_in"], colour=style.LTD)
        grid[2, 1].set_ylabel("Conductances relative\nto the leak")
    for axes in grid[-1]:
        axes.set_xlabel(label(v["time"]))
    text.set_header(figure, title)
    style.legend(figure, lines, _numbers(shown["P"]), "Synapse")
    return figure


def weights_in_time(
    history: xr.DataArray,
    share: xr.DataArray,
    at: float,
    group: xr.DataArray | None = None,
    title: str = "",
) -> Figure:
    """Draw weights against time, and the histogram at one time.

    Parameters
    ----------
    history : DataArray, (sample_time, synapse)
        Weights, dimensionless, at `sample_time` [ms], the first at 0; the mean is drawn, and some
        of the synapses. Samples that become ever rarer are drawn over logarithmic time.
    share : DataArray, ([group], weight_bin)
        Share of synapses in each bin at the time, dimensionless.
    at : float
        The time [ms].
    group : DataArray of str or int, (synapse), optional
        Group of each synapse, or its number, below 0 of none; dimensionless. Each group has a
        colour, a mean and a histogram.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With a wide and a narrow panel.
    """
    title = text.header(title, style.PAGE)
    size = (style.PAGE, 2.45 + text.header_height(title))
    figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=size, width_ratios=(3, 1))
    means: list[Artist] = []
    if group is None:
        names = [_mean_and_few(history.sizes["synapse"])]
        means += _histories(left, history, style.NEUTRAL, N_HISTORIES)
        _histogram_sideways(right, share, style.NEUTRAL)
    else:
        groups = list(dict.fromkeys(group.values.tolist()))
        names = [f"{_group_name(name)}, mean".capitalize() for name in groups]
        for i, name in enumerate(groups):
            members = history.isel(synapse=group.values == name)
            colour = _GROUPS[i % len(_GROUPS)]
            means += _histories(left, members, colour, max(1, N_HISTORIES // len(groups)))
            _histogram_sideways(right, share.sel(group=name), colour, opacity=0.5)
    left.axvline(at / 1000, color="black", lw=0.7, ls=":")
    left.set(xlabel="Simulated time (s)", ylabel=label(history), ylim=(-0.02, 1.02))
    seconds = history["sample_time"].values / 1000
    is_logarithmic = scales.are_ever_rarer(seconds)
    if is_logarithmic:
        scales.set_logarithmic_time(left, seconds)
    left.set_xlim(seconds[0] if is_logarithmic else 0, seconds[-1])
    right.set(xlabel=label(share), title=f"At {at / 1000:,g} s")
    right.set_xlim(left=0)
    text.set_header(figure, title)
    style.legend(figure, means, names)
    return figure


def _group_name(group: str | int) -> str:
    """Return the name of a group that may be a number."""
    if isinstance(group, int):
        return f"group {group}" if group >= 0 else "no group"
    return group


def _mean_and_few(n: int) -> str:
    few = f"{N_HISTORIES} of them" if n > N_HISTORIES else "all of them"
    return f"Thick: mean of {n}; thin: {few}"


def _histories(axes: Axes, history: xr.DataArray, colour: str, most: int) -> list[Artist]:
    """Draw some synapses, evenly spread, and the mean of all; return the line of the mean."""
    n = history.sizes["synapse"]
    few = history.isel(synapse=np.unique(np.linspace(0, n - 1, min(n, most)).astype(int)))
    seconds = history["sample_time"].values / 1000
    axes.plot(seconds, few.values, color=colour, lw=0.4, alpha=0.5)
    return [*axes.plot(seconds, history.mean("synapse").values, color=colour, lw=2)]


def _histogram_sideways(axes: Axes, share: xr.DataArray, colour: str, opacity: float = 1) -> None:
    edges = scales.bin_edges(share)
    axes.stairs(
        share.values, edges, orientation="horizontal", color=colour, fill=True, alpha=opacity
    )


def _raster(axes: Axes, spikes: xr.DataArray) -> None:
    n = spikes.sizes["synapse"]
    step, synapse = np.nonzero(spikes.transpose("time", "synapse").values)
    size = 3 if n > N_TRACES else 40
    times = spikes["time"].values[step]
    numbers = spikes["synapse"].values[synapse]
    shades = style.colours(spikes["synapse"]) if n <= N_TRACES else ["black"] * n
    marks = [shades[i] for i in synapse]
    axes.scatter(times, numbers, s=size, marker="|", lw=0.7, c=marks)
    axes.set(ylabel="Synapse", ylim=(-0.5, n - 0.5))
    axes.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))


def _lines(axes: Axes, array: xr.DataArray, colour: style.Colour | None = None) -> list[Line2D]:
    """Draw one line, or one per synapse in the colours of the raster."""
    time = array["time"].values
    if "synapse" not in array.dims:
        lines = axes.plot(time, array.values, style.marker_of(time), color=colour, lw=0.9)
    else:
        lines = []
        parts = style.along(array, "synapse")
        for part, shade in zip(parts, style.colours(array["synapse"]), strict=True):
            lines += axes.plot(time, part.values, style.marker_of(time), color=shade, lw=0.8)
    axes.set_ylabel(text.folded(label(array), 1.3))
    if time.size > 1:
        axes.margins(x=0)
    return lines


def _numbers(array: xr.DataArray) -> list[str]:
    return [str(number) for number in array["synapse"].values]
