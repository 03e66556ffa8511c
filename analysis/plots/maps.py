"""Numbers over two axes as maps: arrays in, a figure out, nothing computed."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.plots import style
from analysis.reading.dataset import label

_HATCH = "////"

#: White lines and words are seen on yellow too.
_OUTLINE = [patheffects.withStroke(linewidth=1.6, foreground="black")]


def phase_diagram(
    numbers: Sequence[xr.DataArray],
    silent: xr.DataArray,
    x: str,
    y: str,
    contours: Sequence[float | None],
    title: str = "",
) -> Figure:
    """Draw numbers over two swept axes, a panel each, with contours.

    Parameters
    ----------
    numbers : sequence of DataArray, (x, y)
        What is drawn; NaN: grey.
    silent : DataArray of bool, (x, y)
        Where the neuron never fired: hatched.
    x, y : str
        The two axes.
    contours : sequence of float or None
        The one level that matters in each panel, or None: some round ones.
    title : str
        What stands above the panels; may have several lines.
    """
    height = 2.75 + 0.13 * title.count("\n")
    figure, grid = plt.subplots(
        1, len(numbers), sharex=True, sharey=True, squeeze=False, figsize=(style.PAGE, height)
    )
    silent = silent.sortby([x, y]).transpose(y, x)
    for axes, number, level in zip(grid[0], numbers, contours, strict=True):
        values = number.sortby([x, y]).transpose(y, x)
        mesh = _pixels(axes, values, x, y)
        _contours(axes, values.where(~silent), x, y, level)
        _hatch(axes, silent, x, y)
        bar = figure.colorbar(mesh, ax=axes, location="top", aspect=18, pad=0.03)
        bar.set_label(style.folded(label(number), 1.9))
        axes.set(facecolor=style.PALE)
        for coordinate, scale in ((values[x], axes.set_xscale), (values[y], axes.set_yscale)):
            if style.are_log_spaced(coordinate):
                scale("log")
    grid[0, 0].set_ylabel(label(silent[y]))
    figure.supxlabel(label(silent[x]), fontsize=8)
    style.title_above(figure, title)
    if silent.any():
        patch = Patch(facecolor="none", edgecolor="black", hatch=_HATCH, lw=0)
        figure.legend([patch], ["silent"], loc="outside lower right", handleheight=1.2)
    return figure


def _pixels(axes: Axes, values: xr.DataArray, x: str, y: str) -> object:
    return axes.pcolormesh(
        style.edges(values[x].values),
        style.edges(values[y].values),
        np.ma.masked_invalid(values.values),
        cmap="viridis",
        rasterized=True,
    )


def _contours(axes: Axes, values: xr.DataArray, x: str, y: str, level: float | None) -> None:
    known = values.values[np.isfinite(values.values)]
    if min(values.shape) < 2 or known.size < 0.6 * values.size or np.ptp(known) == 0:
        return
    if level is not None and not known.min() < level < known.max():
        return
    levels = 4 if level is None else [level]
    drawn = axes.contour(
        values[x], values[y], np.ma.masked_invalid(values), levels, colors="white", linewidths=0.8
    )
    drawn.set_path_effects(_OUTLINE)
    for words in axes.clabel(drawn, fontsize=6, fmt="%.3g"):
        words.set_path_effects(_OUTLINE)


def _hatch(axes: Axes, silent: xr.DataArray, x: str, y: str) -> None:
    """Hatch pixel by pixel, so that single silent points are hatched too."""
    across, up = style.edges(silent[x].values), style.edges(silent[y].values)
    for j, i in np.argwhere(silent.values):
        corners = ([across[i], across[i + 1]], [up[j]] * 2, [up[j + 1]] * 2)
        axes.fill_between(*corners, facecolor="none", edgecolor="black", hatch=_HATCH, lw=0)
