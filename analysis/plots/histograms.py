"""Plots of distributions of weights: a histogram, ridgelines, a map."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.plots import scales, style, text
from analysis.reading.dataset import label
from analysis.reading.samples import SAMPLE
from analysis.reading.values import told_apart

#: Up to this many histograms are drawn as ridgelines, more as a map.
MAX_RIDGES = 10

# Heights of histograms in distances between ridges: the highest is drawn with `_HIGHEST`; if it is
# an outlier, the median one with `_MEDIAN` as long as the highest stays below `_OUTLIER`.
_HIGHEST, _MEDIAN, _OUTLIER = 1.15, 0.8, 2.5

_THEORY = style.THEORY | {"color": "black"}

#: Ends of the bar beside a row of a map that has not settled, as shares of the width of the panel.
_BAR = (1.01, 1.03)


def histogram(
    share: xr.DataArray,
    expected: xr.DataArray,
    settled: bool = True,
    title: str = "",
) -> Figure:
    """Draw one histogram of weights.

    Parameters
    ----------
    share, expected : DataArray, (weight_bin)
        Share of synapses in each bin, measured and in theory, dimensionless; NaN is not drawn.
    settled : bool
        Whether the weights have settled: else drawn pale.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With one panel.
    """
    title = text.header(title, style.COLUMN)
    figure, axes = plt.subplots(figsize=(style.COLUMN, 2.25 + text.header_height(title)))
    _bars(axes, share, 0.0, 1.0, style.NEUTRAL, settled)
    if expected.notnull().any():
        axes.stairs(expected.values, scales.bin_edges(expected), **_THEORY)
    axes.set(xlim=(0, 1), xlabel=label(share["weight_bin"]), ylabel=label(share))
    text.set_header(figure, title)
    axes.set_ylim(bottom=0)
    return figure


def ridgelines(
    share: xr.DataArray,
    expected: xr.DataArray,
    settled: xr.DataArray,
    notes: xr.DataArray,
    row: str,
    column: str | None = None,
    title: str = "",
) -> Figure:
    """Draw a histogram of weights for each value of an axis, one above the other.

    Parameters
    ----------
    share, expected : DataArray, (row, [column], weight_bin)
        Share of synapses in each bin, measured and in theory, dimensionless; NaN is not drawn.
    settled : DataArray of bool, (row, [column])
        Whether the weights have settled, dimensionless: else drawn pale.
    notes : DataArray of str, (row, [column])
        Text beside each histogram, dimensionless; "silent" replaces it.
    row, column : str
        Axes whose values are ridges, from bottom to top, and panels.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With one panel per column.
    """
    if not style.is_categorical(share[row]):
        share, expected, settled, notes = (
            array.sortby(row) for array in (share, expected, settled, notes)
        )
    n_rows, n_columns = share.sizes[row], share.sizes[column] if column else 1
    width = style.COLUMN if n_columns == 1 else min(style.PAGE, 0.9 + 1.35 * n_columns)
    title = text.header(title, width)
    height = 1.1 + 0.36 * n_rows + text.header_height(title)
    figure, grid = plt.subplots(
        1, n_columns, sharex=True, sharey=True, squeeze=False, figsize=(width, height)
    )
    highest_share, scale = _scale(share.where(notes != "silent"))
    arrays = (share, expected, settled, notes)
    for axes, *part in zip(grid[0], *(style.along(array, column) for array in arrays), strict=True):
        _ridges(axes, part, row, scale)
        if column:
            style.name_column(axes, part[0][column], share[column])
    grid[0, 0].set_yticks(np.arange(n_rows), _names(share[row]))
    grid[0, 0].set_ylabel(text.folded(label(share[row]), 0.4 + 0.36 * n_rows))
    top = max(n_rows + 0.5, *(axes.dataLim.y1 for axes in grid[0]))
    grid[0, 0].set_ylim(-0.1, top + 0.1)
    _scale_bar(grid[0, -1], highest_share, scale, n_rows)
    figure.supxlabel(label(share["weight_bin"]), fontsize=8)
    text.set_header(figure, title)
    return figure


def _scale(share: xr.DataArray) -> tuple[float, float]:
    """Return the highest share, and the height of a share of 1 in distances between ridges.

    Silent points are not counted: their one bar at the initial weight is not drawn.
    """
    if not share.notnull().any():
        return 1.0, _HIGHEST
    highest, median = float(share.max()), float(share.max("weight_bin").median())
    return highest, max(_HIGHEST / highest, min(_MEDIAN / median, _OUTLIER / highest))


def weight_map(
    share: xr.DataArray,
    unsettled: xr.DataArray,
    row: str,
    column: str | None,
    title: str = "",
    highest: float = np.nan,
) -> Figure:
    """Draw the distribution of weights as a map, against the axis `row`.

    Parameters
    ----------
    share : DataArray, (row, [column], weight_bin)
        Share of synapses in each bin, dimensionless; NaN is drawn grey.
    unsettled : DataArray of bool, (row, [column])
        Where rate and weights have not settled, dimensionless: a bar to the right of the row.
    row, column : str
        Axes whose values are rows of pixels, and panels.
    title : str
        May have several lines.
    highest : float
        End of the colour scale, dimensionless; NaN: 1.

    Returns
    -------
    Figure
        With one panel per column, and a colour bar.
    """
    categorical = style.is_categorical(share[row])
    if not categorical:
        share, unsettled = share.sortby(row), unsettled.sortby(row)
    parts = style.along(share, column)
    width = min(style.PAGE, style.COLUMN * max(1, len(parts) / 2))
    title = text.header(title, width)
    size = (width, 2.45 + text.header_height(title))
    figure, grid = plt.subplots(1, len(parts), sharey=True, squeeze=False, figsize=size)
    y = share[row]
    edges = scales.edges(np.arange(y.size) if categorical else y.values)
    for axes, part, bars in zip(grid[0], parts, style.along(unsettled, column), strict=True):
        mesh = axes.pcolormesh(
            scales.bin_edges(share),
            edges,
            part.transpose(row, ...),
            vmin=0,
            vmax=highest if np.isfinite(highest) else 1,
            cmap="viridis",
            rasterized=True,
        )
        beside = {"transform": axes.get_yaxis_transform(), "clip_on": False, "lw": 0}
        for i in np.flatnonzero(bars.values):
            axes.fill_between(_BAR, edges[i], edges[i + 1], color=style.NEUTRAL, **beside)
        axes.set(xlim=(0, 1), facecolor=style.PALE)
        if scales.are_log_spaced(y):
            axes.set_yscale("log")
        if column:
            style.name_column(axes, part[column], share[column])
    if categorical:
        grid[0, 0].set_yticks(np.arange(y.size), y.values)
    grid[0, 0].set_ylabel(label(y))
    figure.supxlabel(label(share["weight_bin"]), fontsize=8)
    text.set_header(figure, title)
    figure.colorbar(mesh, ax=list(grid[0]), label=label(share))
    return figure


def _ridges(axes: Axes, arrays: list[xr.DataArray], row: str, scale: float) -> None:
    """Draw share, theory, whether settled, and note of each ridge of one panel."""
    share = arrays[0]
    # The number of a sample says nothing.
    shades = [style.NEUTRAL] * share.sizes[row] if row == SAMPLE else style.colours(share[row])
    parts = zip(*(style.along(array, row) for array in arrays), strict=True)
    for i, (found, theory, settled, note) in enumerate(parts):
        front = 2 * (share.sizes[row] - i)  # lower ridges cover higher ones
        remark = note.item()
        if remark == "silent":
            axes.axhline(i, color=style.PALE, lw=0.8, zorder=front)
        elif found.notnull().any():
            _bars(axes, found, i, scale, shades[i], settled.item(), front)
            if theory.notnull().any():
                values, edges = i + scale * theory.values, scales.bin_edges(theory)
                axes.stairs(values, edges, baseline=None, zorder=front + 1, **_THEORY)
        axes.text(1.02, i, remark, transform=axes.get_yaxis_transform(), va="bottom", fontsize=6)
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
    values, edges = base + scale * share.values, scales.bin_edges(share)
    fill = colour if settled else style.paler(colour)
    axes.stairs(values, edges, baseline=base, fill=True, color=fill, zorder=front)
    outline = "white" if settled else colour
    axes.stairs(values, edges, baseline=base, color=outline, lw=0.7, zorder=front + 0.5)


def _scale_bar(axes: Axes, highest: float, scale: float, n_rows: int) -> None:
    """Draw a bar at the upper right, as high as the share written beside it."""
    share = float(f"{min(highest / 2, 1 / scale):.0e}")
    foot = n_rows - 1 + 0.35
    top = foot + scale * share
    transform = axes.get_yaxis_transform()
    axes.plot([1.03, 1.03], [foot, top], color="black", transform=transform, clip_on=False)
    meaning = f"{share:g} of\nsynapses"
    axes.text(1.06, (foot + top) / 2, meaning, transform=transform, va="center", fontsize=6)


def _names(coordinate: xr.DataArray) -> list[str]:
    return told_apart(coordinate.values.tolist())
