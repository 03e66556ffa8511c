"""One run as figures: arrays in, a figure out, nothing computed."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots import style
from analysis.plots.panels import along
from analysis.reading.dataset import label

#: How many synapses are drawn as lines: in traces, and against long times.
FEW_SYNAPSES, MANY_SYNAPSES = 10, 50

#: Colours of groups of synapses.
_GROUPS = (style.LTP, style.LTD, style.NEUTRAL)


def traces(
    spikes: xr.DataArray,
    P: xr.DataArray,
    M: xr.DataArray,
    title: str = "",  # noqa: N803
) -> Figure:
    """Draw input spikes and the two traces that they and the output leave.

    Parameters
    ----------
    spikes : DataArray of bool, (time, synapse)
        Input spikes of the synapses that are drawn.
    P : DataArray, (time, synapse)
        LTP traces of the same synapses.
    M : DataArray, (time)
        LTD trace of the neuron.
    title : str
        What stands above the panels; may have several lines.
    """
    figure, (top, middle, bottom) = plt.subplots(
        3, 1, sharex=True, figsize=(style.COLUMN, 4.0), height_ratios=(1, 1.2, 0.8)
    )
    _raster(top, spikes)
    _lines(middle, P)
    _lines(bottom, M, colour=style.LTD)
    top.set_title(title)
    bottom.set_xlabel(label(M["time"]))
    return figure


def exercise(
    spikes: xr.DataArray,
    shown: Mapping[str, xr.DataArray],
    spike_time: np.ndarray,
    V_th: float,
    title: str = "",
) -> Figure:
    """Draw the six panels of the tutorial's exercise 2.

    Parameters
    ----------
    spikes : DataArray of bool, (time, synapse)
        Input spikes of all synapses.
    shown : mapping of str to DataArray
        `v`, `M`, `g_ex` (time), `P`, `g` (time, synapse): what is drawn.
    spike_time : ndarray
        Output spikes [ms].
    V_th : float
        Threshold [mV].
    title : str
        What stands above the panels; may have several lines.
    """
    figure, grid = plt.subplots(
        3, 2, sharex=True, figsize=(style.PAGE, 4.6 + 0.13 * title.count("\n"))
    )
    v = shown["v"]
    _lines(grid[0, 0], v, colour=style.NEUTRAL)
    grid[0, 0].axhline(V_th, color=style.NEUTRAL, lw=0.6, ls=":")
    grid[0, 0].vlines(spike_time, V_th, V_th + 12, color="black", lw=0.8)
    _raster(grid[1, 0], spikes)
    _lines(grid[2, 0], shown["M"], colour=style.LTD)
    _lines(grid[0, 1], shown["P"])
    _lines(grid[1, 1], shown["g"])
    _lines(grid[2, 1], shown["g_ex"], colour=style.NEUTRAL)
    for axes in grid[-1]:
        axes.set_xlabel(label(v["time"]))
    style.title_above(figure, title)
    return figure


def weights_in_time(
    history: xr.DataArray,
    share: xr.DataArray,
    at: float,
    group: xr.DataArray | None = None,
    title: str = "",
) -> Figure:
    """Draw weights against time, and beside them the histogram at one moment.

    Parameters
    ----------
    history : DataArray, (sample_time, synapse)
        Weights; some synapses are drawn, and the mean of all.
    share : DataArray, ([group], weight_bin)
        Share of synapses in each bin at the moment, of each group.
    at : float
        The moment [ms].
    group : DataArray of str, (synapse), optional
        The group of each synapse: drawn in colours, with a mean and a histogram for each.
    title : str
        What stands above the panels; may have several lines.
    """
    figure, (left, right) = plt.subplots(
        1,
        2,
        sharey=True,
        figsize=(style.PAGE, 2.6 + 0.13 * title.count("\n")),
        width_ratios=(3, 1),
    )
    seconds = history["sample_time"].values / 1000
    edges = np.linspace(0, 1, share.sizes["weight_bin"] + 1)
    names = [None] if group is None else list(dict.fromkeys(group.values.tolist()))
    handles = []
    for i, name in enumerate(names):
        members = history if name is None else history.isel(synapse=group.values == name)
        colour = style.NEUTRAL if name is None else _GROUPS[i % len(_GROUPS)]
        few = members.isel(synapse=_spread_evenly(members.sizes["synapse"], MANY_SYNAPSES, names))
        left.plot(seconds, few.values, color=colour, lw=0.4, alpha=0.5)
        handles += left.plot(seconds, members.mean("synapse"), color=colour, lw=2)
        part = share if name is None else share.sel(group=name)
        seen_through = 1 if name is None else 0.5
        right.stairs(
            part.values,
            edges,
            orientation="horizontal",
            color=colour,
            fill=True,
            alpha=seen_through,
        )
    left.axvline(at / 1000, color="black", lw=0.7, ls=":")
    left.set(xlabel="Simulated time (s)", ylabel=label(history), ylim=(-0.02, 1.02), title=title)
    left.set_xlim(0, seconds[-1])
    right.set(xlabel=label(share), title=f"At {at / 1000:g} s")
    right.set_xlim(left=0)
    n = history.sizes["synapse"]
    few = f", {MANY_SYNAPSES} of them drawn" if n > MANY_SYNAPSES else ""
    mean = [
        f"Mean of all {n}{few}" if group is None else f"{name}, mean".capitalize() for name in names
    ]
    style.legend(figure, handles, mean)
    return figure


def _spread_evenly(n: int, most: int, names: list) -> np.ndarray:
    most = max(1, most // len(names))
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


def _raster(axes: Axes, spikes: xr.DataArray) -> None:
    n = spikes.sizes["synapse"]
    step, synapse = np.nonzero(spikes.transpose("time", "synapse").values)
    size = 3 if n > FEW_SYNAPSES else 40
    times = spikes["time"].values[step]
    numbers = spikes["synapse"].values[synapse]
    shades = style.colours(spikes["synapse"]) if n <= FEW_SYNAPSES else ["black"] * n
    marks = [shades[i] for i in synapse]
    axes.scatter(times, numbers, s=size, marker="|", lw=0.7, c=marks)
    axes.set(ylabel="Synapse", ylim=(-0.5, n - 0.5))
    axes.yaxis.get_major_locator().set_params(integer=True)


def _lines(axes: Axes, array: xr.DataArray, colour: style.Colour | None = None) -> None:
    """Draw one line, or one for each synapse in colours that go with its number."""
    time = array["time"].values
    if "synapse" not in array.dims:
        axes.plot(time, array.values, color=colour, lw=0.9)
    else:
        for part, shade in zip(
            along(array, "synapse"), style.colours(array["synapse"]), strict=True
        ):
            axes.plot(time, part.values, color=shade, lw=0.8)
    axes.set_ylabel(style.folded(label(array), 1.3))
    axes.margins(x=0)
