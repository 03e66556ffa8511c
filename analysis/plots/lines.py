"""Numbers against an axis or against time as figures: arrays in, a figure out, nothing computed."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots import style
from analysis.plots.panels import along
from analysis.reading.dataset import label, long_name

#: More points on a line are drawn small.
_CROWDED = 20

_THEORY = {"ls": (0, (3, 1.5)), "lw": 0.9}


def against_axis(
    shown: xr.Dataset,
    x: str,
    line: str | None = None,
    panel: str | None = None,
    title: str = "",
    from_zero: bool = True,
    theory_name: str = "Theory",
) -> Figure:
    """Draw a variable against a swept axis, with intervals as bars.

    Parameters
    ----------
    shown : Dataset
        `mean` and `expected` (x, [line], [panel]): the variable, and what the theory expects of it:
        dashed, NaN not drawn. `interval` (x, [line], [panel], bound): low and high end of each bar
        (NaN: no bar). `silent` (x, [line]): where the neuron never fired: open markers. `passing`
        (x, [line]): where the weights have not settled although others have: pale markers.
    x, line, panel : str
        Axes drawn along x, as lines, and as panels side by side.
    title : str
        What stands above the axes; may have several lines.
    from_zero : bool
        Whether the variable's axis begins at 0.
    theory_name : str
        How the theory is called in the title.
    """
    mean = shown["mean"]
    if (shown["silent"] & mean.notnull()).any():
        title += "\nOpen markers: silent, no output spike"
    if shown["passing"].any():
        title += "\nPale markers: not settled"
    if shown["expected"].notnull().any():
        title += f"\nDashed: {theory_name}"
    n_panels = mean.sizes[panel] if panel else 1
    title = style.folded_lines(title, style.PAGE - 0.4 if panel else style.COLUMN - 0.6)
    height = 2.2 + 0.13 * title.count("\n") + 0.2 * (n_panels > 1)
    size = (style.COLUMN if n_panels == 1 else style.PAGE, height)
    figure, grid = plt.subplots(1, n_panels, sharey=True, squeeze=False, figsize=size)
    if not style.has_words(mean[x]):
        shown = shown.sortby(x)
    for axes, part in zip(grid[0], along(shown, panel), strict=True):
        lines = _curves(axes, part, x, line)
        style.mark_values(axes, mean[x], style.PAGE / 4 if panel else 2.8)
        if panel:
            axes.set_title(f"{long_name(part[panel])} {part[panel].item()}", loc="center")
    if from_zero:
        drawn = (shown[name] for name in ("mean", "interval", "expected"))
        highest = max(float(np.nanmax(array.values, initial=0)) for array in drawn)
        grid[0, 0].set_ylim(0, 1.08 * highest or 1)
    grid[0, 0].set_ylabel(style.folded(label(mean), 1.8))
    if panel:
        figure.supxlabel(label(mean[x]), fontsize=8)
        style.title_above(figure, title)
    else:
        grid[0, 0].set(xlabel=label(mean[x]), title=title)
    if line:
        style.identify_lines(figure, list(grid[0]), lines, mean[line])
    return figure


def _curves(axes: Axes, shown: xr.Dataset, x: str, line: str | None) -> list[Artist]:
    """Draw the lines of one panel."""
    shades = style.colours(shown[line]) if line else [style.LTD]
    named = style.has_words(shown[x])
    lines = []
    for i, (part, shade) in enumerate(zip(along(shown, line), shades, strict=True)):
        # Named values have room to stand side by side.
        aside = 0.12 * (i - (len(shades) - 1) / 2)
        positions = np.arange(part.sizes[x]) + aside if named else part[x].values
        marks = "o" if named or x == "seed" else "o-"
        mean = part["mean"]
        lines.append(_errorbar(axes, positions, mean, part["interval"], shade, marks))
        for name, face in (("silent", "white"), ("passing", style.paler(shade))):
            chosen = part[name].values
            if chosen.any():  # a line of no points would count as one at the figure's corner
                faces = {"color": shade, "mfc": face, "ms": lines[-1].get_markersize()}
                axes.plot(
                    positions[chosen], mean.values[chosen], "o", zorder=3, clip_on=False, **faces
                )
        _theory(axes, positions, part["expected"], shade if line else "black", named)
    return lines


def trajectories(
    courses: Sequence[xr.DataArray],
    settling_time: xr.DataArray,
    line: str | None = None,
    title: str = "",
) -> Figure:
    """Draw numbers against simulated time, a panel each.

    Parameters
    ----------
    courses : sequence of DataArray, ([line], sample_time)
        What is drawn; of shares (no units), the axis goes from 0 to 1.
    settling_time : DataArray, ([line])
        Time [ms] from which on the weights are settled, marked by a dot (NaN: they are not).
    line : str, optional
        Axis drawn as lines.
    title : str
        What stands above the panels; may have several lines.
    """
    rows = -(-len(courses) // 2)
    height = 1.65 * rows + 0.35 + 0.13 * title.count("\n")
    figure, grid = plt.subplots(rows, 2, sharex=True, squeeze=False, figsize=(style.PAGE, height))
    shades = style.colours(courses[0][line]) if line else [style.LTD]
    ends = [end.item() for end in along(settling_time, line)]
    for axes, course in zip(grid.flat, courses, strict=False):
        times = course["sample_time"].values / 1000
        lines = []
        for part, end, shade in zip(along(course, line), ends, shades, strict=True):
            lines += axes.plot(times, part.values, color=shade, lw=1)
            if np.isfinite(end):
                at = int(np.argmin(np.abs(times - end / 1000)))
                axes.plot(times[at], part.values[at], "o", color=shade, mec="white", zorder=3)
        if times.size and times[-1] >= 20 * times[0] > 0:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
            axes.minorticks_off()
        axes.set_ylabel(style.folded(label(course), 1.2))
        if "units" not in course.attrs:
            axes.set_ylim(0, 1)
        else:
            axes.set_ylim(bottom=0)
    for axes in grid[-1]:
        axes.set_xlabel("Simulated time (s)")
    for axes in grid.flat[len(courses) :]:
        axes.set_visible(False)
    style.title_above(figure, title)
    if line:
        style.identify_lines(figure, list(grid.flat), lines, courses[0][line])
    return figure


def correlogram(rates: xr.DataArray, rate_hz: float, title: str = "") -> Figure:
    """Draw the input rate around output spikes, weak and strong synapses apart.

    Parameters
    ----------
    rates : DataArray, (strength, lag)
        Input rate at t_pre - t_post; NaN: no such synapse, not drawn.
    rate_hz : float
        Input rate over all of the time: dotted.
    title : str
        What stands above the axes; may have several lines.
    """
    figure, axes = plt.subplots(figsize=(style.COLUMN, 2.5 + 0.13 * title.count("\n")))
    axes.axhline(rate_hz, color=style.NEUTRAL, lw=0.7, ls=":")
    axes.axvline(0, color=style.NEUTRAL, lw=0.5, ls=":")
    lines, names = [], []
    for part, colour in zip(along(rates, "strength"), (style.LTD, style.LTP), strict=True):
        if part.notnull().any():
            lines += axes.plot(part["lag"].values, part.values, color=colour, lw=1)
            names.append(f"{part['strength'].item()} synapses".capitalize())
    axes.set(xlabel=label(rates["lag"]), ylabel=label(rates), title=title)
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    if lines:
        style.legend(figure, lines, names)
    return figure


def _errorbar(
    axes: Axes,
    positions: np.ndarray,
    mean: xr.DataArray,
    interval: xr.DataArray,
    shade: style.Colour,
    marks: str,
) -> Artist:
    """Draw one line with its bars, which may be unlike upwards and downwards."""
    low, high = (interval.sel(bound=bound).values for bound in ("low", "high"))
    bars = (
        np.maximum([mean.values - low, high - mean.values], 0) if np.isfinite(low).any() else None
    )
    size = {"markersize": 1.5, "capsize": 0} if mean.size > _CROWDED else {"capsize": 1.5}
    drawn = axes.errorbar(
        positions, mean.values, bars, fmt=marks, color=shade, elinewidth=0.8, **size
    )
    return drawn.lines[0]


def _theory(
    axes: Axes, positions: np.ndarray, expected: xr.DataArray, colour: style.Colour, named: bool
) -> None:
    known = expected.notnull().values
    if not known.any():
        return
    before, after = np.pad(known, 1)[:-2], np.pad(known, 1)[2:]
    alone = known if named else known & ~before & ~after  # no line joins these
    axes.plot(positions[alone], expected.values[alone], "_", color=colour, ms=9, zorder=4)
    if not named:
        axes.plot(positions, expected.values, color=colour, zorder=4, **_THEORY)
