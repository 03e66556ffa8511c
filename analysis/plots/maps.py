"""Plots of variables over two axes: maps with contours."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.plots import style, text
from analysis.reading.dataset import label

_HATCH = "////"

# An outline keeps white lines and labels legible on yellow.
_OUTLINE: list[patheffects.AbstractPathEffect] = [
    patheffects.withStroke(linewidth=1.6, foreground="black")
]


def phase_diagram(
    numbers: Sequence[xr.DataArray],
    silent: xr.DataArray,
    x: str,
    y: str,
    contours: Sequence[float | None],
    title: str = "",
) -> Figure:
    """Draw variables over two swept axes, a panel each, with contours.

    Parameters
    ----------
    numbers : sequence of DataArray, (x, y)
        The variables, such as [Hz]; NaN is drawn grey.
    silent : DataArray of bool, (x, y)
        Where the neuron never fired, dimensionless: hatched.
    x, y : str
        The two axes.
    contours : sequence of float or None
        The level of the contour in each panel, in its unit; None: about four levels.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With one panel and colour bar per variable.
    """
    title = text.header(title, style.PAGE)
    height = 2.6 + text.header_height(title)
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
        bar.set_label(text.folded(label(number), 1.9))
        axes.set(facecolor=style.PALE)
        for coordinate, scale in ((values[x], axes.set_xscale), (values[y], axes.set_yscale)):
            if style.are_log_spaced(coordinate):
                scale("log")
    grid[0, 0].set_ylabel(label(silent[y]))
    figure.supxlabel(label(silent[x]), fontsize=8)
    text.set_header(figure, title)
    if silent.any():
        patch = Patch(facecolor="none", edgecolor="black", hatch=_HATCH, lw=0)
        figure.legend([patch], ["silent"], loc="outside lower right", handleheight=1.2)
    return figure


def _pixels(axes: Axes, values: xr.DataArray, x: str, y: str) -> QuadMesh:
    return axes.pcolormesh(
        style.edges(values[x].values),
        style.edges(values[y].values),
        np.ma.masked_invalid(values.values),
        cmap="viridis",
        rasterized=True,
    )


def _contours(axes: Axes, values: xr.DataArray, x: str, y: str, level: float | None) -> None:
    """Draw contours, unless too many values are missing or the level is not reached."""
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
    for one in axes.clabel(drawn, fontsize=6, fmt="%.3g"):
        one.set_path_effects(_OUTLINE)


def _hatch(axes: Axes, silent: xr.DataArray, x: str, y: str) -> None:
    """Hatch pixel by pixel, which covers isolated silent points as well."""
    across, up = style.edges(silent[x].values), style.edges(silent[y].values)
    for j, i in np.argwhere(silent.values):
        corners = ([across[i], across[i + 1]], [up[j]] * 2, [up[j + 1]] * 2)
        axes.fill_between(*corners, facecolor="none", edgecolor="black", hatch=_HATCH, lw=0)
