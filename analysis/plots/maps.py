"""Plots of variables over two axes: maps with contours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import BboxBase

from analysis.plots import scales, style, text
from analysis.reading.dataset import label

#: Hatches of silent and of unsettled points, and their names.
_HATCHES = {"silent": "////", "not settled": "...."}

#: Contour labels, and the space around each [pixel].
_LABELS: dict[str, Any] = {"fontsize": 6, "fmt": "%.3g"}
_CLEARANCE = 1

#: Levels within this share of the range of the values from its ends have no contour.
_SPECK = 0.02

# An outline keeps white lines and labels legible on yellow.
_OUTLINE: list[patheffects.AbstractPathEffect] = [
    patheffects.withStroke(linewidth=1.6, foreground="black")
]


def phase_diagram(
    numbers: Sequence[xr.DataArray],
    silent: xr.DataArray,
    unsettled: xr.DataArray,
    x: str,
    y: str,
    limits: Sequence[tuple[float, float]],
    contours: Sequence[float | None],
    title: str = "",
    ticks: Sequence[float] = (),
) -> Figure:
    """Draw variables over two swept axes, a panel each, with contours.

    Parameters
    ----------
    numbers : sequence of DataArray, (x, y)
        The variables, such as [Hz]; NaN is drawn grey.
    silent : DataArray of bool, (x, y)
        Where the neuron never fired, dimensionless: hatched.
    unsettled : DataArray of bool, (x, y)
        Where rate and weights have not settled, dimensionless: dotted.
    x, y : str
        The two axes.
    limits : sequence of tuple of float
        Ends of the colour scale of each panel, in its unit.
    contours : sequence of float or None
        The level of the contour in each panel, in its unit; None: about four between the limits.
    title : str
        May have several lines.
    ticks : sequence of float
        With them colour scales are logarithmic, with these ticks in their unit, without contours.

    Returns
    -------
    Figure
        With one panel and colour bar per variable, as wide as a page for several.
    """
    width = style.PAGE if len(numbers) > 1 else style.COLUMN
    title = text.header(title, width)
    height = 2.6 + text.header_height(title)
    figure, grid = plt.subplots(
        1, len(numbers), sharex=True, sharey=True, squeeze=False, figsize=(width, height)
    )
    silent, unsettled = (one.sortby([x, y]).transpose(y, x) for one in (silent, unsettled))
    lined = []
    for axes, number, ends, level in zip(grid[0], numbers, limits, contours, strict=True):
        values = number.sortby([x, y]).transpose(y, x)
        mesh = _pixels(axes, values, x, y, LogNorm(*ends) if ticks else Normalize(*ends))
        levels = [] if ticks else _levels(values, silent, ends, level)
        lined.append((axes, values.where(~silent), levels))
        _hatch(axes, silent, x, y, _HATCHES["silent"])
        _hatch(axes, unsettled, x, y, _HATCHES["not settled"])
        bar = figure.colorbar(mesh, ax=axes, location="top", aspect=18, pad=0.03)
        if ticks:
            bar.set_ticks(ticks, labels=[f"{tick:,g}" for tick in ticks])
            bar.ax.minorticks_off()
        bar.set_label(text.folded(label(number), 1.9))
        axes.set(facecolor=style.PALE)
        for coordinate, scale in ((values[x], axes.set_xscale), (values[y], axes.set_yscale)):
            if scales.are_log_spaced(coordinate):
                scale("log")
    grid[0, 0].set_ylabel(label(silent[y]))
    if len(numbers) > 1:
        figure.supxlabel(label(silent[x]), fontsize=8)
    else:
        grid[0, 0].set_xlabel(label(silent[x]))
    text.set_header(figure, title)
    marked = zip(_HATCHES.items(), (silent, unsettled), strict=True)
    patches = {
        name: Patch(facecolor="none", edgecolor="black", hatch=hatch, lw=0)
        for (name, hatch), where in marked
        if where.any()
    }
    if patches:
        figure.legend(
            [*patches.values()],
            [*patches],
            loc="outside lower right",
            ncols=len(patches),
            handleheight=1.2,
        )
    figure.draw_without_rendering()  # the panels take their sizes, on which labels depend
    for axes, values, levels in lined:
        if levels:
            _contours(axes, values, x, y, levels)
    return figure


def _pixels(axes: Axes, values: xr.DataArray, x: str, y: str, norm: Normalize) -> QuadMesh:
    return axes.pcolormesh(
        scales.edges(values[x].values),
        scales.edges(values[y].values),
        np.ma.masked_invalid(values.values),
        norm=norm,
        cmap="viridis",
        rasterized=True,
    )


def _levels(
    values: xr.DataArray, silent: xr.DataArray, ends: tuple[float, float], level: float | None
) -> list[float]:
    """Return the levels of contours that the values reach; none if too many are missing."""
    fires = values.where(~silent).values
    known = fires[np.isfinite(fires)]
    if min(fires.shape) < 2 or known.size < 0.6 * fires.size:
        return []
    levels = MaxNLocator(4).tick_values(*ends) if level is None else [level]
    # Next to an extreme, a contour is a speck around one point.
    margin = _SPECK * np.ptp(known)
    return [float(one) for one in levels if known.min() + margin < one < known.max() - margin]


def _contours(axes: Axes, values: xr.DataArray, x: str, y: str, levels: Sequence[float]) -> None:
    """Draw contours, with those labels that stand clear of each other and of the edge."""
    across, up, heights = values[x].values, values[y].values, np.ma.masked_invalid(values)
    trial = axes.contour(across, up, heights, levels)
    clear = _clear_of_each_other(axes, trial.clabel(inline=False, **_LABELS))
    trial.remove()
    drawn = axes.contour(across, up, heights, levels, colors="white", linewidths=0.8)
    drawn.set_path_effects(_OUTLINE)
    for label_drawn in drawn.clabel(manual=clear, **_LABELS):
        label_drawn.set_path_effects(_OUTLINE)


def _clear_of_each_other(axes: Axes, labels: Sequence[Text]) -> list[tuple[float, float]]:
    """Return the positions of labels that lie in the panel and on no label before them."""
    frame = axes.get_window_extent()
    kept: list[BboxBase] = []
    positions = []
    for one in labels:
        box = one.get_window_extent().padded(_CLEARANCE)
        inside = frame.x0 < box.x0 and box.x1 < frame.x1 and frame.y0 < box.y0 and box.y1 < frame.y1
        if inside and not box.count_overlaps(kept):
            kept.append(box)
            positions.append(one.get_position())
    return positions


def _hatch(axes: Axes, chosen: xr.DataArray, x: str, y: str, hatch: str) -> None:
    """Hatch pixel by pixel, which covers isolated points as well."""
    across, up = scales.edges(chosen[x].values), scales.edges(chosen[y].values)
    for j, i in np.argwhere(chosen.values):
        corners = ([across[i], across[i + 1]], [up[j]] * 2, [up[j + 1]] * 2)
        axes.fill_between(*corners, facecolor="none", edgecolor="black", hatch=hatch, lw=0)
