"""The figures: arrays in, a figure out, nothing computed. Labels come from the arrays' attributes.

`line` names the axis whose values are drawn as lines, `row` the one drawn as rows of axes.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import style
from analysis.load import label, long_name, value_label
from analysis.measures import SEED

#: With more values than this on its first axis, the weight distribution is drawn as a map.
MOST_ROWS = 8


def weight_distribution(
    share: xr.DataArray,
    silent: xr.DataArray,
    row: str | None = None,
    line: str | None = None,
    title: str = "",
) -> Figure:
    """Draw the histogram of final weights, one row per value of an axis.

    Parameters
    ----------
    share : DataArray, ([row], [line], weight_bin)
        Share of synapses in each bin.
    silent : DataArray, ([row], [line])
        Where the neuron never fired: drawn pale and cut off, as no weight has risen there.
    row, line : str, optional
        Axes drawn as rows, and as lines within a row.
    title : str
        What stands above the axes; may have several lines.
    """
    spoken = share.where(~silent)
    top = float(spoken.max()) if spoken.notnull().any() else 1.0
    if row is not None and share.sizes[row] > MOST_ROWS:
        return _weight_map(share.where(~silent), row, line, top, title)
    parts = _along(share, row)
    height = 2.4 if row is None else 1.1 + 0.6 * len(parts) + 0.3 * (line is not None)
    figure, grid = plt.subplots(
        len(parts), sharex=True, sharey=True, squeeze=False, figsize=(style.COLUMN, height)
    )
    column = grid[:, 0]
    shades = style.colours(share[row]) if row else [style.NEUTRAL]
    for axes, part, still, shade in zip(column, parts, _along(silent, row), shades, strict=True):
        lines = _histogram(axes, part, still, line, shade)
        if row:
            _name_row(axes, part[row], still)
    if silent.any():
        title += "\nGrey: silent, bars cut off"
    column[0].set(xlim=(0, 1), ylim=(0, 1.1 * top), title=_naming("Rows", share, row, title))
    column[-1].set_xlabel(label(share["weight_bin"]))
    figure.supylabel(label(share), fontsize=8)
    if line:
        style.identify_lines(figure, list(column), lines, share[line])
    return figure


def against_axis(
    mean: xr.DataArray,
    spread: xr.DataArray,
    silent: xr.DataArray,
    x: str,
    line: str | None = None,
    title: str = "",
    from_zero: bool = True,
) -> Figure:
    """Draw a variable against a swept axis, with its spread as bars.

    Parameters
    ----------
    mean, spread, silent : DataArray, (x, [line])
        The variable, its standard deviation (NaN: no bar), and where the neuron never fired: drawn
        with open markers.
    x, line : str
        Axes drawn along x, and as lines.
    title : str
        What stands above the axes; may have several lines.
    from_zero : bool
        Whether the variable's axis begins at 0.
    """
    if silent.any():
        title += "\nOpen markers: silent, no output spike"
    height = 2.3 + 0.13 * title.count("\n") + 0.4 * (line is not None)
    figure, axes = plt.subplots(figsize=(style.COLUMN, height))
    named = style.has_words(mean[x])
    if not named:
        mean, spread, silent = (array.sortby(x) for array in (mean, spread, silent))
    parts = zip(_along(mean, line), _along(spread, line), _along(silent, line), strict=True)
    shades = style.colours(mean[line]) if line else [style.LTD]
    lines = []
    for i, ((part, bars, still), shade) in enumerate(zip(parts, shades, strict=True)):
        # Named values have room to stand side by side.
        aside = 0.12 * (i - (len(shades) - 1) / 2)
        positions = np.arange(part.size) + aside if named else part[x].values
        marks = "o" if named or x == SEED else "o-"
        lines.append(_errorbar(axes, positions, part, bars, shade, marks))
        axes.plot(
            positions[still], part[still], "o", color=shade, mfc="white", zorder=3, clip_on=False
        )
    style.mark_values(axes, mean[x])
    if from_zero:
        highest = float(np.nanmax((mean + spread.fillna(0)).values, initial=0))
        axes.set_ylim(0, 1.08 * highest or 1)
    axes.set(xlabel=label(mean[x]), ylabel=label(mean), title=title)
    if line:
        style.identify_lines(figure, axes, lines, mean[line])
    return figure


def stdp_window(
    window: xr.DataArray, row: str | None = None, line: str | None = None, title: str = ""
) -> Figure:
    """Draw the weight change per pair of spikes against their time difference.

    Parameters
    ----------
    window : DataArray, ([row], [line], time_difference)
        Weight change; LTP at negative differences.
    row, line : str, optional
        Axes drawn as rows, and as lines within a row.
    title : str
        What stands above the axes; may have several lines.
    """
    parts = _along(window, row)
    height = 2.4 if row is None else 1.0 + 0.9 * len(parts)
    figure, grid = plt.subplots(
        len(parts), sharex=True, sharey=True, squeeze=False, figsize=(style.COLUMN, height)
    )
    column = grid[:, 0]
    for axes, part in zip(column, parts, strict=True):
        axes.axhline(0, color=style.NEUTRAL, lw=0.5)
        axes.axvline(0, color=style.NEUTRAL, lw=0.5, ls=":")
        lines = _window_lines(axes, part, line)
        if row:
            _name_row(axes, part[row])
    column[0].set_title(_naming("Rows", window, row, title))
    column[-1].set_xlabel(label(window["time_difference"]))
    figure.supylabel(label(window), fontsize=8)
    if line:
        style.identify_lines(figure, list(column), lines, window[line])
    else:
        style.legend_above(figure, lines, ["LTP", "LTD"])
    return figure


def _along(array: xr.DataArray, dim: str | None) -> list[xr.DataArray]:
    return [array] if dim is None else [array.isel({dim: i}) for i in range(array.sizes[dim])]


def _naming(what: str, array: xr.DataArray, dim: str | None, title: str) -> str:
    """Return the title with a line that says what the rows or columns are."""
    return "\n".join(filter(None, [title, f"{what}: {long_name(array[dim])}" if dim else ""]))


def _name_row(axes: Axes, value: xr.DataArray, still: xr.DataArray | None = None) -> None:
    """Write the value of a row at its right, outside of the data."""
    words = value_label(value, value.item())
    if still is not None and still.all():
        words += "\nsilent"
    axes.text(1.02, 0.5, words, transform=axes.transAxes, va="center", fontsize=7)


def _histogram(
    axes: Axes, share: xr.DataArray, silent: xr.DataArray, line: str | None, shade: style.Colour
) -> list[Artist]:
    centres = share["weight_bin"].values
    half = (centres[1] - centres[0]) / 2
    edges = np.append(centres - half, centres[-1] + half)
    if line is None:
        colour = style.PALE if silent.item() else shade
        return [axes.stairs(share.values, edges, fill=True, color=colour)]
    parts = zip(_along(share, line), _along(silent, line), style.colours(share[line]), strict=True)
    lines = []
    for part, still, colour in parts:
        if still:
            axes.stairs(part.values, edges, fill=True, color=style.PALE)
        values = np.full(part.size, np.nan) if still else part.values
        lines.append(axes.stairs(values, edges, color=colour, lw=1.2))
    return lines


def _weight_map(share: xr.DataArray, row: str, line: str | None, top: float, title: str) -> Figure:
    """Draw the distribution as a map, weight against the axis, one column of axes per line."""
    words = style.has_words(share[row])
    share = share if words else share.sortby(row)
    parts = _along(share, line)
    figure, grid = plt.subplots(
        1,
        len(parts),
        sharey=True,
        squeeze=False,
        figsize=(style.COLUMN * max(1, len(parts) / 2), 2.8),
    )
    y = share[row]
    for axes, part in zip(grid[0], parts, strict=True):
        rows = np.arange(y.size) if words else y.values
        mesh = axes.pcolormesh(
            part["weight_bin"], rows, part.transpose(row, ...), vmin=0, vmax=top, cmap="viridis"
        )
        axes.set(xlim=(0, 1), facecolor=style.PALE)
        if line:
            axes.set_title(value_label(part[line], part[line].item()))
    if words:
        grid[0, 0].set_yticks(np.arange(y.size), y.values)
    grid[0, 0].set_ylabel(label(y))
    figure.supxlabel(label(share["weight_bin"]), fontsize=8)
    if share.isnull().any():
        title += "\nGrey: silent or not done"
    figure.suptitle(_naming("Columns", share, line, title), fontsize=8)
    figure.colorbar(mesh, ax=list(grid[0]), label=label(share))
    return figure


def _errorbar(
    axes: Axes,
    positions: np.ndarray,
    mean: xr.DataArray,
    spread: xr.DataArray,
    shade: style.Colour,
    marks: str,
) -> Artist:
    bars = spread.values if spread.notnull().any() else None
    drawn = axes.errorbar(
        positions, mean.values, bars, fmt=marks, color=shade, capsize=1.5, elinewidth=0.8
    )
    return drawn.lines[0]


def _window_lines(axes: Axes, window: xr.DataArray, line: str | None) -> list[Artist]:
    t = window["time_difference"].values
    halves = [slice(0, t.size // 2), slice(t.size // 2, None)]
    if line is None:
        return [
            axes.plot(t[half], window.values[half], color=colour)[0]
            for half, colour in zip(halves, (style.LTP, style.LTD), strict=True)
        ]
    lines = []
    for part, colour in zip(_along(window, line), style.colours(window[line]), strict=True):
        ltp, _ = (axes.plot(t[half], part.values[half], color=colour)[0] for half in halves)
        lines.append(ltp)
    return lines
