"""Plots of samples: a variable against each parameter, and over each pair of parameters."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from analysis.plots import scales, style, text
from analysis.reading.dataset import label, value_label

#: Panels side by side.
_COLUMNS = 3

#: Height of a row of panels with its labels [inch].
_HEIGHT = 2.5

#: Up to this many samples have error bars and marks of theory, which else hide each other.
_FEW = 100

#: Space around the values of a parameter, as a share of their range.
_MARGIN = 0.04


def against_parameters(
    shown: xr.Dataset,
    parameters: Sequence[str],
    means: Mapping[str, xr.Dataset | None],
    colour: str | None = None,
    title: str = "",
    least_span: float | None = None,
    logarithmic: bool = False,
) -> Figure:
    """Draw a variable of samples against each of their parameters, a panel each.

    Parameters
    ----------
    shown : Dataset
        As of `lines.against_axis`, with x = `sample` and line = `colour`: `mean`, `expected`,
        `interval` in the unit of the variable, `silent` and `unsettled`, dimensionless.
    parameters : sequence of str
        Coordinates (sample): numbers in any unit, or names.
    means : mapping of str to Dataset or None
        By parameter, as from `means_in_bins`: a line, in the unit of the variable.
    colour : str, optional
        An axis of few values, each of which has a colour.
    title : str
        May have several lines.
    least_span : float, optional
        What the y axis spans at least, in the unit of the variable; by default it begins at 0.
    logarithmic : bool
        Whether the y axis is logarithmic instead, for positive values.

    Returns
    -------
    Figure
        With a panel for each parameter.
    """
    mean = shown["mean"]
    n_columns = min(_COLUMNS, len(parameters))
    n_rows = -(-len(parameters) // n_columns)
    width = style.COLUMN if n_columns == 1 else style.PAGE
    title = text.header(title, width)
    size = (width, _HEIGHT * n_rows + 0.1 + text.header_height(title))
    figure, grid = plt.subplots(n_rows, n_columns, sharey=True, squeeze=False, figsize=size)
    shades = style.colours(shown[colour]) if colour else [style.LTD]
    for axes, parameter in zip(grid.flat, parameters, strict=False):
        coordinate = shown[parameter]
        positions = _positions(coordinate)
        binned = means[parameter]
        parts = zip(style.along(shown, colour), shades, strict=True)
        handles = [_points(axes, positions, part, shade) for part, shade in parts]
        if binned is not None:
            for part, shade in zip(style.along(binned["mean"], colour), shades, strict=True):
                form = {"color": shade if colour else "black", "lw": 1.2, "zorder": 4}
                axes.plot(binned["centre"].values, part.values, **form)
        mark_parameter(axes, coordinate, width / n_columns - 0.3)
        axes.set_xlabel(text.folded(label(coordinate), width / n_columns - 0.4))
    for axes in grid.flat[len(parameters) :]:
        axes.set_visible(False)
    if logarithmic:
        grid[0, 0].set_yscale("log")
        grid[0, 0].yaxis.set_major_formatter("{x:,g}")
    else:
        _limit(grid[0, 0], shown, least_span)
    for axes in grid[:, 0]:
        axes.set_ylabel(text.folded(label(mean), _HEIGHT - 0.25))
    text.set_header(figure, title)
    if colour:
        style.identify_lines(figure, list(grid.flat), handles, shown[colour])
    return figure


def _limit(axes: Axes, shown: xr.Dataset, least_span: float | None) -> None:
    """Set the ends of the y axis, which is that of all panels."""
    low, high = axes.get_ylim()
    if least_span is not None:
        axes.set_ylim(scales.widened(low, high, least_span, 1.0))
        return
    names = [name for name in ("mean", "interval", "expected") if name in shown]
    lowest = min(float(np.nanmin(shown[name].values, initial=0)) for name in names)
    highest = max(float(np.nanmax(shown[name].values, initial=0)) for name in names)
    axes.set_ylim(1.08 * lowest, 1.08 * highest or float(lowest == 0))


def _points(axes: Axes, positions: NDArray, part: xr.Dataset, shade: style.Colour) -> Line2D:
    """Draw the samples of one colour, silent ones open and unsettled ones pale."""
    values = part["mean"].values
    n_drawn = int(np.isfinite(values).sum())
    size = 3.5 if n_drawn <= _FEW else 2.5 if n_drawn <= 10 * _FEW else 1.5
    if n_drawn <= _FEW:
        low, high = (part["interval"].sel(bound=bound).values for bound in ("low", "high"))
        axes.vlines(positions, low, high, color=shade, lw=0.8, zorder=2)
        _mark_theory(axes, positions, part["expected"].values)
    quiet, unsettled = part["silent"].values, part["unsettled"].values
    faces: list[tuple[NDArray, style.Colour]] = [
        (~quiet & ~unsettled, shade),
        (unsettled & ~quiet, style.paler(shade)),
        (quiet, "white"),
    ]
    for chosen, face in faces:
        if chosen.any():
            form: dict[str, Any] = {"mfc": face, "mec": shade, "ms": size, "mew": 0.5}
            form |= {"rasterized": True, "clip_on": False, "zorder": 3}
            axes.plot(positions[chosen], values[chosen], "o", **form)
    return Line2D([], [], marker="o", ls="", color=shade, ms=3.5)


def _mark_theory(axes: Axes, positions: NDArray, expected: NDArray) -> None:
    """Draw theory as a short dash at each sample, or as one line where it is the same for all."""
    known = np.unique(expected[np.isfinite(expected)])
    if known.size == 1:
        axes.axhline(known[0], color="black", zorder=2, **style.THEORY)
    else:
        axes.plot(positions, expected, "_", color="black", ms=6, zorder=4)


def _positions(coordinate: xr.DataArray) -> NDArray:
    """Return where samples are on the axis of a parameter: numbers, or one place for each name."""
    if not style.is_categorical(coordinate):
        return coordinate.values.astype(float)
    return np.unique(coordinate.values, return_inverse=True)[1].astype(float)


def mark_parameter(axes: Axes, coordinate: xr.DataArray, inches: float) -> None:
    """Set scale, limits and ticks of the x axis for the values of a sampled parameter.

    Parameters
    ----------
    axes : Axes
        The panel.
    coordinate : DataArray, (sample)
        Values in any unit, or names.
    inches : float
        Length of the axis [inch].
    """
    values = np.unique(coordinate.values)
    if style.is_categorical(coordinate) or values.size <= 4:
        scales.mark_values(axes, coordinate[np.unique(coordinate.values, True)[1]], inches)
        if style.is_categorical(coordinate):
            return
    is_log = spans_decades(coordinate)
    ends = np.log(values[[0, -1]]) if is_log else values[[0, -1]].astype(float)
    margin = _MARGIN * np.ptp(ends) or 0.5
    low, high = ends[0] - margin, ends[1] + margin
    if is_log:
        axes.set_xscale("log")
        low, high = np.exp([low, high])
    axes.set_xlim(low, high)
    ticks: dict[str, Any] = {"numticks": 4} if is_log else {"nbins": 5}
    axes.locator_params(axis="x", **ticks)


def spans_decades(coordinate: xr.DataArray) -> bool:
    """Return whether samples of a parameter suit a logarithmic scale.

    Parameters
    ----------
    coordinate : DataArray, (sample)
        Numbers in any unit, or names.

    Returns
    -------
    bool
        True for positive numbers over a decade or more, half of which lie below their geometric
        rather than their arithmetic middle.
    """
    if style.is_categorical(coordinate):
        return False
    values = coordinate.values.astype(float)
    low, high, median = np.min(values), np.max(values), np.median(values)
    if low <= 0 or high < 10 * low:
        return False
    return bool(
        abs(np.log(median / np.sqrt(low * high))) < abs(np.log(median / ((low + high) / 2)))
    )


def over_pairs(
    number: xr.DataArray,
    silent: xr.DataArray,
    parameters: Sequence[str],
    limits: tuple[float, float],
    title: str = "",
) -> Figure:
    """Draw a variable of samples as colour over each pair of their parameters.

    Parameters
    ----------
    number : DataArray, (sample)
        The variable in any unit; NaN is not drawn.
    silent : DataArray of bool, (sample)
        Where the neuron never fired, dimensionless: open markers.
    parameters : sequence of str
        Two or more coordinates (sample): numbers in any unit, or names.
    limits : tuple of float
        Ends of the colour scale, in the unit of the variable.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        A triangle of panels: the first parameters along x, the last ones along y.
    """
    n = len(parameters) - 1
    width = style.COLUMN if n == 1 else style.PAGE
    title = text.header(title, width)
    each = (width - 0.9) / n
    size = (width, min(each, 2.2) * n + 0.6 + text.header_height(title))
    figure, grid = plt.subplots(n, n, sharex="col", sharey="row", squeeze=False, figsize=size)
    size_of_dot = 14 if number.size <= _FEW else 7 if number.size <= 10 * _FEW else 2
    norm = Normalize(*limits)
    order = np.argsort(number.values, kind="stable")
    for i, j in itertools.product(range(n), repeat=2):
        axes: Axes = grid[i, j]
        if j > i:
            axes.set_visible(False)
            continue
        across, up = number[parameters[j]], number[parameters[i + 1]]
        at = (_positions(across)[order], _positions(up)[order])
        quiet = silent.values[order]
        edge = np.where(quiet, style.NEUTRAL, "none").tolist()
        mesh = axes.scatter(
            *at, c=number.values[order], s=size_of_dot, norm=norm, cmap="viridis",
            edgecolors=edge, lw=0.5, rasterized=True,
        )  # fmt: skip
        _mark_pair(axes, across, up, min(each, 2.2))
        if i == n - 1:
            axes.set_xlabel(text.folded(label(across), each))
        if j == 0:
            axes.set_ylabel(text.folded(label(up), min(each, 2.2)))
    bar = figure.colorbar(mesh, ax=list(grid.flat), aspect=30, pad=0.02)
    bar.set_label(label(number))
    text.set_header(figure, title)
    return figure


def _mark_pair(axes: Axes, across: xr.DataArray, up: xr.DataArray, inches: float) -> None:
    mark_parameter(axes, across, inches)
    if style.is_categorical(up):
        names = np.unique(up.values)
        axes.set_yticks(np.arange(names.size), [value_label(up, str(name)) for name in names])
    elif spans_decades(up):
        axes.set_yscale("log")
