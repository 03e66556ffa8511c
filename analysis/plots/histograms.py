"""Distributions of weights as figures: arrays in, a figure out, nothing computed."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots import style
from analysis.plots.panels import along, naming
from analysis.reading.dataset import label, value_label

#: With more values than this on its first axis, the weight distribution is drawn as a map.
MOST_RIDGES = 10

#: Heights in distances between two ridges: of the tallest bar, of a middling ridge where one bar
#: is far taller than the others, and how tall that may be.
_TALLEST, _MIDDLING, _OUTSTANDING = 1.15, 0.8, 2.5

_SAME_MEAN = "theory with the same mean weight"

_THEORY = {"color": "black", "lw": 0.9, "ls": (0, (3, 1.5))}


def histogram(
    share: xr.DataArray, expected: xr.DataArray, note: str = "", final: bool = True, title: str = ""
) -> Figure:
    """Draw one histogram of weights.

    Parameters
    ----------
    share, expected : DataArray, (weight_bin)
        Share of synapses in each bin as found, and in theory (NaN: not drawn).
    note : str
        What is said of the theory.
    final : bool
        Whether the weights have settled: filled, else pale.
    title : str
        What stands above the axes; may have several lines.
    """
    if expected.notnull().any():
        title += f"\nDashed: {_SAME_MEAN}\n{note}"
    title = style.folded_lines(title, style.COLUMN - 0.6)
    figure, axes = plt.subplots(figsize=(style.COLUMN, 2.4 + 0.13 * title.count("\n")))
    _bars(axes, share, 0.0, 1.0, style.NEUTRAL, final)
    if expected.notnull().any():
        axes.stairs(expected.values, _edges(expected), **_THEORY)
    axes.set(xlim=(0, 1), xlabel=label(share["weight_bin"]), ylabel=label(share), title=title)
    axes.set_ylim(bottom=0)
    return figure


def ridgelines(
    share: xr.DataArray,
    expected: xr.DataArray,
    final: xr.DataArray,
    notes: xr.DataArray,
    row: str,
    column: str | None = None,
    title: str = "",
) -> Figure:
    """Draw a histogram of weights for each value of an axis, one above the other.

    Parameters
    ----------
    share, expected : DataArray, (row, [column], weight_bin)
        Share of synapses in each bin as found, and in theory (NaN: not drawn).
    final : DataArray of bool, (row, [column])
        Whether the weights have settled: filled, else pale.
    notes : DataArray of str, (row, [column])
        What is said of each histogram beside it.
    row, column : str
        Axes whose values are ridges, from below, and panels.
    title : str
        What stands above the panels; may have several lines.
    """
    if not style.has_words(share[row]):
        share, expected, final, notes = (
            array.sortby(row) for array in (share, expected, final, notes)
        )
    if expected.notnull().any():
        title += f"\nDashed: {_SAME_MEAN}"
    title = style.folded_lines(title, style.COLUMN - 0.2)
    n_rows, n_columns = share.sizes[row], share.sizes[column] if column else 1
    width = style.COLUMN if n_columns == 1 else min(style.PAGE, 0.9 + 1.35 * n_columns)
    height = 1.25 + 0.36 * n_rows + 0.13 * title.count("\n")
    figure, grid = plt.subplots(
        1, n_columns, sharex=True, sharey=True, squeeze=False, figsize=(width, height)
    )
    # Silence is one tall bar at the initial weight: it is told in words and cut off.
    spoken = share.where(notes != "silent")
    top = float(spoken.max()) if spoken.notnull().any() else 1.0
    middle = float(spoken.max("weight_bin").median()) if spoken.notnull().any() else 1.0
    scale = max(_TALLEST / top, min(_MIDDLING / middle, _OUTSTANDING / top))
    parts = (along(array, column) for array in (share, expected, final, notes))
    for axes, *panel in zip(grid[0], *parts, strict=True):
        _ridges(axes, *panel, row, scale)
        if column:
            _name_column(axes, panel[0][column])
    grid[0, 0].set_yticks(np.arange(n_rows), _names(share[row]))
    grid[0, 0].set_ylabel(label(share[row]))
    highest = max(n_rows + 0.5, *(axes.dataLim.y1 for axes in grid[0]))
    grid[0, 0].set_ylim(-0.1, highest + 0.1)
    _scale_bar(grid[0, -1], top, scale, n_rows)
    figure.supxlabel(label(share["weight_bin"]), fontsize=8)
    style.title_above(figure, naming("Columns", share, column, title))
    return figure


def weight_map(share: xr.DataArray, row: str, column: str | None, title: str = "") -> Figure:
    """Draw the distribution as a map, weight against the axis `row`, a panel per `column`.

    Parameters
    ----------
    share : DataArray, (row, [column], weight_bin)
        Share of synapses in each bin; NaN: grey.
    row, column : str
        Axes whose values are rows of pixels, and panels.
    title : str
        What stands above the panels; may have several lines.
    """
    words = style.has_words(share[row])
    share = share if words else share.sortby(row)
    parts = along(share, column)
    figure, grid = plt.subplots(
        1,
        len(parts),
        sharey=True,
        squeeze=False,
        figsize=(min(style.PAGE, style.COLUMN * max(1, len(parts) / 2)), 2.8),
    )
    y = share[row]
    edges = style.edges(np.arange(y.size) if words else y.values)
    for axes, part in zip(grid[0], parts, strict=True):
        mesh = axes.pcolormesh(
            _edges(share),
            edges,
            part.transpose(row, ...),
            vmin=0,
            vmax=float(share.max()) if share.notnull().any() else 1,
            cmap="viridis",
            rasterized=True,
        )
        axes.set(xlim=(0, 1), facecolor=style.PALE)
        if style.are_log_spaced(y):
            axes.set_yscale("log")
        if column:
            _name_column(axes, part[column])
    if words:
        grid[0, 0].set_yticks(np.arange(y.size), y.values)
    grid[0, 0].set_ylabel(label(y))
    figure.supxlabel(label(share["weight_bin"]), fontsize=8)
    if share.isnull().any():
        title += "\nGrey: silent or not done"
    style.title_above(figure, naming("Columns", share, column, title))
    figure.colorbar(mesh, ax=list(grid[0]), label=label(share))
    return figure


def _ridges(
    axes: Axes,
    share: xr.DataArray,
    expected: xr.DataArray,
    final: xr.DataArray,
    notes: xr.DataArray,
    row: str,
    scale: float,
) -> None:
    shades = style.colours(share[row])
    parts = zip(*(along(array, row) for array in (share, expected, final, notes)), strict=True)
    for i, (found, theory, settled, note) in enumerate(parts):
        front = 2 * (share.sizes[row] - i)  # the lower ridge is nearer
        words = note.item()
        if words == "silent":
            axes.axhline(i, color=style.PALE, lw=0.8, zorder=front)
        elif found.notnull().any():
            _bars(axes, found, i, scale, shades[i], settled.item(), front)
            if theory.notnull().any():
                values = i + scale * theory.values
                axes.stairs(values, _edges(theory), baseline=None, zorder=front + 1, **_THEORY)
        axes.text(1.02, i, words, transform=axes.get_yaxis_transform(), va="bottom", fontsize=6)
    axes.set(xlim=(0, 1), xticks=[0, 0.5, 1])
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)


def _bars(
    axes: Axes,
    share: xr.DataArray,
    base: float,
    scale: float,
    colour: style.Colour,
    settled: bool,
    front: float = 1,
) -> None:
    values, edges = base + scale * share.values, _edges(share)
    fill = colour if settled else style.paler(colour)
    axes.stairs(values, edges, baseline=base, fill=True, color=fill, zorder=front)
    edge = "white" if settled else colour
    axes.stairs(values, edges, baseline=base, color=edge, lw=0.7, zorder=front + 0.5)


def _scale_bar(axes: Axes, top: float, scale: float, n_rows: int) -> None:
    """Say how high a share is, by a bar at the upper right."""
    share = float(f"{min(top / 2, 1 / scale):.0e}")
    foot = n_rows - 1 + 0.35
    place = axes.get_yaxis_transform()
    axes.plot(
        [1.03, 1.03], [foot, foot + scale * share], color="black", transform=place, clip_on=False
    )
    words = f"{share:g} of\nsynapses"
    axes.text(1.06, foot + scale * share / 2, words, transform=place, va="center", fontsize=6)


def _name_column(axes: Axes, value: xr.DataArray) -> None:
    axes.set_title(value_label(value, value.item()), loc="center")


def _names(coordinate: xr.DataArray) -> list[str]:
    words = style.has_words(coordinate)
    return [str(value) if words else f"{value:g}" for value in coordinate.values]


def _edges(share: xr.DataArray) -> np.ndarray:
    return np.linspace(0, 1, share.sizes["weight_bin"] + 1)
