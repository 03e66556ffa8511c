"""Plot of the STDP window."""

from __future__ import annotations

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.plots import style, text
from analysis.reading.dataset import label


def stdp_window(
    window: xr.DataArray, row: str | None = None, line: str | None = None, title: str = ""
) -> Figure:
    """Draw the weight change per pair of spikes against their time difference.

    Parameters
    ----------
    window : DataArray, ([row], [line], time_difference)
        Weight change, dimensionless, at t_pre - t_post [ms]; the input spike comes first in the
        first half, which is LTP unless the rule is anti-Hebbian.
    row, line : str, optional
        Axes drawn as rows, and as lines within a row.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With one panel per row.
    """
    parts = style.along(window, row)
    title = text.header(title, style.COLUMN)
    height = (2.25 if row is None else 0.85 + 0.9 * len(parts)) + text.header_height(title)
    figure, grid = plt.subplots(
        len(parts), sharex=True, sharey=True, squeeze=False, figsize=(style.COLUMN, height)
    )
    column = list(grid[:, 0])
    for axes, part in zip(column, parts, strict=True):
        axes.axhline(0, color=style.NEUTRAL, lw=0.5)
        axes.axvline(0, color=style.NEUTRAL, lw=0.5, ls=":")
        lines = _curves(axes, part, line)
        if row:
            style.name_row(axes, part[row], window[row])
    text.set_header(figure, title)
    column[-1].set_xlabel(label(window["time_difference"]))
    figure.supylabel(label(window), fontsize=8)
    if line:
        style.identify_lines(figure, column, lines, window[line])
    else:
        style.legend(figure, lines, [_kind(window, half) for half in _halves(window)])
    return figure


def _curves(axes: Axes, window: xr.DataArray, line: str | None) -> list[Line2D]:
    """Draw the two halves of a window, or of one window per line; return the legend's handles."""
    t = window["time_difference"].values
    halves = _halves(window)
    if line is None:
        colours = {"LTP": style.LTP, "LTD": style.LTD}
        return [
            axes.plot(t[half], window.values[half], color=colours[_kind(window, half)])[0]
            for half in halves
        ]
    lines: list[Line2D] = []
    marks = style.colours(window[line]), style.dashes(window[line])
    for part, colour, dash in zip(style.along(window, line), *marks, strict=True):
        ltp, _ = (axes.plot(t[half], part.values[half], dash, color=colour)[0] for half in halves)
        lines.append(ltp)
    return lines


def _halves(window: xr.DataArray) -> list[slice]:
    """Return the two halves of a window: input spike first, output spike first."""
    n = window.sizes["time_difference"]
    return [slice(0, n // 2), slice(n // 2, None)]


def _kind(window: xr.DataArray, half: slice) -> str:
    """Return whether a half is potentiation or depression, by its sign."""
    return "LTD" if float(window.isel(time_difference=half).sum()) < 0 else "LTP"
