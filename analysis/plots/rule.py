"""Plot of a plasticity rule: its steps against the weight, and the STDP window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.plots import style, text
from analysis.reading.dataset import label, value_label

#: Of the windows at several weights: none is like that of theory.
_DASHES = (":", "-", "-.")

_COLOURS = {"LTP": style.LTP, "LTD": style.LTD}

_UNIT = "(fraction of g_max)"


def rule(
    steps: xr.DataArray,
    window: xr.DataArray,
    row: str | None = None,
    line: str | None = None,
    title: str = "",
) -> Figure:
    """Draw the weight change per pair of spikes: against the weight, and against their distance.

    Parameters
    ----------
    steps : DataArray, ([row], [line], order, weight_grid)
        Weight change at no time difference, dimensionless, against the weight; first of pairs with
        the input spike first.
    window : DataArray, ([row], [line], [window_weight], time_difference)
        Weight change, dimensionless, at t_pre - t_post [ms]; the input spike comes first in the
        first half, which is LTP unless the rule is anti-Hebbian. At up to three weights, or at one.
    row, line : str, optional
        Axes drawn as rows, and as lines within a row.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With two panels per row.
    """
    steps = steps.broadcast_like(
        window.isel(time_difference=0, drop=True), exclude=["window_weight"]
    )
    parts = list(zip(style.along(steps, row), style.along(window, row), strict=True))
    title = text.header(title, style.PAGE)
    height = (2.25 if row is None else 0.85 + 0.9 * len(parts)) + text.header_height(title)
    figure, grid = plt.subplots(
        len(parts), 2, sharex="col", sharey=True, squeeze=False, figsize=(style.PAGE, height)
    )
    for (left, right), (step, curve) in zip(grid, parts, strict=True):
        for axes in (left, right):
            axes.axhline(0, color=style.NEUTRAL, lw=0.5)
        right.axvline(0, color=style.NEUTRAL, lw=0.5, ls=":")
        _mark_weights(left, curve)
        handles = _against_weight(left, step, line)
        _windows(right, curve, line)
        if row:
            style.name_row(right, curve[row], window[row])
    text.set_header(figure, title)
    grid[0, 0].set_title("Time difference 0", loc="center")
    if "window_weight" not in window.dims and (
        at := window.attrs["long_name"].partition(" at ")[2]
    ):
        grid[0, 1].set_title(f"At {at}", loc="center")
    grid[-1, 0].set(xlim=(0, 1), xlabel=f"{label(steps['weight_grid'])} {_UNIT}")
    grid[-1, 1].set_xlabel(label(window["time_difference"]))
    figure.supylabel(text.folded(f"{label(steps)} {_UNIT}", 0.9 * height), fontsize=8)
    if line:
        style.identify_lines(figure, grid.ravel().tolist(), handles, window[line])
    else:
        named = [f"{_kind(one)}, {one['order'].item()}" for one in style.along(steps, "order")]
        at_weights = _at_weights(window)
        style.legend(figure, [*handles, *at_weights.values()], [*named, *at_weights])
    return figure


def _against_weight(axes: Axes, steps: xr.DataArray, line: str | None) -> Sequence[Line2D]:
    """Draw steps of LTP and LTD, or of one rule per line; return the legend's handles."""
    w, orders = steps["weight_grid"].values, style.along(steps, "order")
    if line is None:
        return [axes.plot(w, one.values, color=_COLOURS[_kind(one)])[0] for one in orders]
    return [
        [axes.plot(w, one.values, dash, color=colour)[0] for one in style.along(part, "order")][0]
        for part, colour, dash in _lines(steps, line)
    ]


def _windows(axes: Axes, window: xr.DataArray, line: str | None) -> None:
    """Draw the two halves of a window at each of its weights, or of one window per line."""
    t = window["time_difference"].values
    for half in (slice(0, t.size // 2), slice(t.size // 2, None)):
        of_half = window.isel(time_difference=half)
        if line:
            for part, colour, dash in _lines(of_half, line):
                axes.plot(t[half], part.values, dash, color=colour)
        else:
            at = "window_weight" if "window_weight" in window.dims else None
            for one, dash in zip(style.along(of_half, at), _DASHES if at else "-", strict=True):
                axes.plot(t[half], one.values, dash, color=_COLOURS[_kind(of_half)])


def _lines(array: xr.DataArray, line: str) -> list[tuple[xr.DataArray, Any, str]]:
    """Return the part of each line, with its colour and its dash."""
    looks = style.colours(array[line]), style.dashes(array[line])
    return list(zip(style.along(array, line), *looks, strict=True))


def _mark_weights(axes: Axes, window: xr.DataArray) -> None:
    """Mark the weights at which windows are drawn."""
    if "window_weight" in window.dims:
        for w, dash in zip(window["window_weight"].values, _DASHES, strict=True):
            axes.axvline(w, color=style.PALE, lw=0.8, ls=dash)


def _at_weights(window: xr.DataArray) -> dict[str, Line2D]:
    """Return handles of the windows at several weights by their names."""
    if "window_weight" not in window.dims:
        return {}
    weights = window["window_weight"]
    return {
        f"$w$ = {value_label(weights, w)}": Line2D([], [], color=style.NEUTRAL, ls=dash)
        for w, dash in zip(weights.values, _DASHES, strict=True)
    }


def _kind(change: xr.DataArray) -> str:
    """Return whether a change is potentiation or depression, by its sign."""
    return "LTD" if float(change.sum()) < 0 else "LTP"
