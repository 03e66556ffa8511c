"""Line plots: a variable against a swept axis, histories against time, a correlogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from analysis.plots import scales, style, text
from analysis.reading.dataset import label, long_name, value_label

#: With more points than this on a line, markers are small.
_CROWDED = 20

#: Of titles of panels.
_LETTERS_PER_INCH = 12

#: Size of the dots of seeds [points].
_DOT = 1.8


def against_axis(
    shown: xr.Dataset,
    x: str,
    line: str | None = None,
    panel: str | None = None,
    title: str = "",
    least_span: float | None = None,
    logarithmic: bool = False,
    curve: xr.DataArray | None = None,
) -> Figure:
    """Draw a variable against a swept axis, with error bars.

    Parameters
    ----------
    shown : Dataset
        `mean` and `expected` (x, [line], [panel]): the variable, and its value in theory (dashed),
        both in the unit of the variable, such as [Hz]; NaN is not drawn. `interval` (x, [line],
        [panel], bound): low and high end of the error bars, in the same unit; NaN: no bar. `silent`
        (x, [line]): where the neuron never fired, dimensionless: open markers. `unsettled`
        (x, [line]): where weights have not settled, dimensionless: pale markers. `each` (x, [line],
        [panel], seed), if there: the variable of each seed, in its unit: dots.
    x, line, panel : str
        Axes drawn along x, as lines, and as panels side by side.
    title : str
        May have several lines.
    least_span : float, optional
        Of weights and shares: what the y axis spans at least, dimensionless. By default the y axis
        begins at 0, or has a line there if some values are negative.
    logarithmic : bool
        Whether the y axis is logarithmic instead, for positive values.
    curve : DataArray, ([line], time_difference), optional
        The variable in theory, in its unit, at more times than those of a time axis x [ms]: dashed,
        on either side of 0. Markers that it should run through are not joined by lines.

    Returns
    -------
    Figure
        With one panel, or one for each value of `panel`.
    """
    mean = shown["mean"]
    n_panels = mean.sizes[panel] if panel else 1
    title = text.header(title, style.PAGE if panel else style.COLUMN)
    height = 2.05 + text.header_height(title) + 0.2 * (n_panels > 1)
    size = (style.COLUMN if n_panels == 1 else style.PAGE, height)
    figure, grid = plt.subplots(1, n_panels, sharey=True, squeeze=False, figsize=size)
    if not style.is_categorical(mean[x]):
        shown = shown.sortby(x)
    for axes, part in zip(grid[0], style.along(shown, panel), strict=True):
        is_fitted = curve is not None and (line is None or line in curve.dims)
        lines = _curves(axes, part, x, line, joined=not is_fitted)
        scales.mark_values(axes, mean[x], style.PAGE / 4 if panel else 2.8)
        if panel:
            axes.set_title(_panel_name(shown[panel], part[panel]), loc="center")
        if curve is not None:
            _dash(axes, curve, line)
    if logarithmic:
        grid[0, 0].set_yscale("log")
        grid[0, 0].yaxis.set_major_formatter("{x:,g}")
    elif least_span is None:
        names = [name for name in ("mean", "interval", "expected", "each") if name in shown]
        drawn = [shown[name].values for name in names] + ([] if curve is None else [curve.values])
        lowest = min(float(np.nanmin(values, initial=0)) for values in drawn)
        highest = max(float(np.nanmax(values, initial=0)) for values in drawn)
        grid[0, 0].set_ylim(1.08 * lowest, 1.08 * highest or float(lowest == 0))
        for axes in grid[0] if lowest < 0 else ():
            axes.axhline(0, color=style.NEUTRAL, lw=0.5, zorder=1)
    else:
        low, high = grid[0, 0].get_ylim()
        if (ends := scales.widened(low, high, least_span, 1.0)) != (low, high):
            grid[0, 0].set_ylim(ends)
    grid[0, 0].set_ylabel(text.folded(label(mean), 1.5))
    if panel:
        figure.supxlabel(label(mean[x]), fontsize=8)
    else:
        grid[0, 0].set_xlabel(text.folded(label(mean[x]), 2.75))  # else wider than the figure
    text.set_header(figure, title)
    if line:
        style.identify_lines(figure, list(grid[0]), lines, mean[line])
    return figure


def _panel_name(values: xr.DataArray, value: xr.DataArray) -> str:
    """Return the name of the axis with its value, or the value alone where there is no room."""
    named = f"{long_name(value)} {value.item()}"
    has_room = len(named) < _LETTERS_PER_INCH * style.PAGE / max(values.size, 1)
    return named if has_room else str(value_label(values, value.item()))


def _curves(axes: Axes, shown: xr.Dataset, x: str, line: str | None, joined: bool) -> list[Line2D]:
    """Draw the lines of one panel, or their markers alone."""
    shades = style.colours(shown[line]) if line else [style.LTD]
    markers = style.markers(shown[line]) if line else ["o"]
    dashes = style.dashes(shown[line]) if line else ["-"]
    categorical = style.is_categorical(shown[x])
    per_line = line is not None and bool(
        (shown["expected"] != shown["expected"].isel({line: 0})).any()
    )
    lines = []
    for i, part in enumerate(style.along(shown, line)):
        shade = shades[i]
        # Names are far enough apart for markers side by side.
        shift = 0.12 * (i - (len(shades) - 1) / 2)
        positions = np.arange(part.sizes[x]) + shift if categorical else part[x].values
        is_line = joined and not categorical and x != "seed"
        marker = markers[i] + dashes[i] * is_line
        mean = part["mean"]
        if "each" in part:
            _dots(axes, positions, part["each"].transpose(x, ...).values, shade)
        lines.append(_errorbar(axes, positions, mean, part["interval"], shade, marker))
        faces: dict[str, style.Colour] = {"silent": "white", "unsettled": style.paler(shade)}
        for name, face in faces.items():
            chosen = part[name].values
            if chosen.any():  # an empty line would set the data limits
                axes.plot(
                    positions[chosen],
                    mean.values[chosen],
                    markers[i],
                    color=shade,
                    mfc=face,
                    ms=lines[-1].get_markersize(),
                    zorder=3,
                    clip_on=False,
                )
        _theory(axes, positions, part["expected"], shade if per_line else "black", categorical)
    return lines


def _dash(axes: Axes, curve: xr.DataArray, line: str | None) -> None:
    """Draw theory at many times on either side of 0, which has a dotted line."""
    axes.axvline(0, color=style.NEUTRAL, lw=0.5, ls=":", zorder=1)
    along = line if line in curve.dims else None
    shades = style.colours(curve[along]) if along else ["black"]
    times = curve["time_difference"].values
    for part, shade in zip(style.along(curve, along), shades, strict=True):
        for half in (times < 0, times > 0):
            axes.plot(times[half], part.values[half], color=shade, zorder=4, **style.THEORY)


def trajectories(
    histories: Sequence[xr.DataArray],
    settling_time: xr.DataArray,
    line: str | None = None,
    title: str = "",
) -> Figure:
    """Draw variables against simulated time, a panel each.

    Parameters
    ----------
    histories : sequence of DataArray, ([line], sample_time)
        The variables, such as [Hz]; those without units are shares, with limits 0 and 1.
    settling_time : DataArray, ([line])
        Time from which the weights are settled [ms], marked by a dot; NaN: not settled.
    line : str, optional
        Axis drawn as lines.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With two columns of panels.
    """
    rows = -(-len(histories) // 2)
    title = text.header(title, style.PAGE)
    height = 1.65 * rows + 0.2 + text.header_height(title)
    figure, grid = plt.subplots(rows, 2, sharex=True, squeeze=False, figsize=(style.PAGE, height))
    shades = style.colours(histories[0][line]) if line else [style.LTD]
    dashes = style.dashes(histories[0][line]) if line else ["-"]
    ends = [end.item() for end in style.along(settling_time, line)]
    for axes, history in zip(grid.flat, histories, strict=False):
        times = history["sample_time"].values / 1000
        lines = []
        marks = ends, shades, dashes
        for part, end, shade, dash in zip(style.along(history, line), *marks, strict=True):
            form = style.marker_of(times) if times.size == 1 else dash
            # Not clipped: shares of 0 and 1 lie on the frame.
            lines += axes.plot(times, part.values, form, color=shade, lw=1, clip_on=False, zorder=3)
            if np.isfinite(end):
                at = int(np.argmin(np.abs(times - end / 1000)))
                dot = {"color": shade, "mec": "white", "zorder": 4, "clip_on": False}
                axes.plot(times[at], part.values[at], "o", **dot)
        axes.set_ylabel(text.folded(label(history), 1.2))
        if "units" not in history.attrs:
            axes.set_ylim(0, 1)
        else:
            axes.set_ylim(bottom=0)
    if has_logarithmic_time(histories):
        scales.set_logarithmic_time(grid[0, 0], histories[0]["sample_time"].values / 1000)
    grid[0, 0].set_xlim(left=histories[0]["sample_time"].values[0] / 1000)
    for axes in grid[-1]:
        axes.set_xlabel("Simulated time (s)")
    for axes in grid.flat[len(histories) :]:
        axes.set_visible(False)
    text.set_header(figure, title)
    if line:
        style.identify_lines(figure, list(grid.flat), lines, histories[0][line])
    return figure


def has_logarithmic_time(histories: Sequence[xr.DataArray]) -> bool:
    """Return whether `trajectories` has an axis of time that is logarithmic from a sample on.

    Parameters
    ----------
    histories : sequence of DataArray, ([line], sample_time)
        As of `trajectories`, in any unit: the first one begins at t = 0.

    Returns
    -------
    bool
        True where the last time is 20 times the first one after 0, or more.
    """
    times = histories[0]["sample_time"].values
    return bool(times.size > 2 and times[0] == 0 and times[-1] >= 20 * times[1])


def correlogram(
    rates: xr.DataArray, rate_hz: float, names: Mapping[str, str], title: str = ""
) -> Figure:
    """Draw the input rate around output spikes, for weak and strong synapses.

    Parameters
    ----------
    rates : DataArray, (strength, lag)
        Input rate [Hz] at lag t_pre - t_post [ms]; NaN, where there is no such synapse, is not
        drawn.
    rate_hz : float
        Mean input rate [Hz]: dotted.
    names : mapping of str to str
        Entry of the legend for each strength.
    title : str
        May have several lines.

    Returns
    -------
    Figure
        With one panel.
    """
    title = text.header(title, style.COLUMN)
    figure, axes = plt.subplots(figsize=(style.COLUMN, 2.35 + text.header_height(title)))
    axes.axhline(rate_hz, color=style.NEUTRAL, lw=0.7, ls=":")
    axes.axvline(0, color=style.NEUTRAL, lw=0.5, ls=":")
    lines: list[Line2D] = []
    drawn = []
    for part, colour in zip(style.along(rates, "strength"), (style.LTD, style.LTP), strict=True):
        if part.notnull().any():
            lines += axes.plot(part["lag"].values, part.values, color=colour, lw=1)
            drawn.append(names[part["strength"].item()])
    axes.set(xlabel=label(rates["lag"]), ylabel=text.folded(label(rates), 1.7))
    text.set_header(figure, title)
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    if lines:
        style.legend(figure, lines, drawn, "Synapses by weight")
    return figure


def _dots(axes: Axes, positions: NDArray, each: NDArray, shade: style.Colour) -> None:
    """Draw each seed as a dot to the right of its mean; `each` is (n_positions, n_seeds)."""
    aside = axes.transData + ScaledTranslation(3 / 72, 0, axes.figure.dpi_scale_trans)
    axes.plot(
        positions, each, "o", color=shade, ms=_DOT, mew=0, alpha=0.7, clip_on=False, transform=aside
    )


def _errorbar(
    axes: Axes,
    positions: NDArray,
    mean: xr.DataArray,
    interval: xr.DataArray,
    shade: style.Colour,
    marker: str,
) -> Line2D:
    """Draw one line with its error bars, which may be asymmetric."""
    low, high = (interval.sel(bound=bound).values for bound in ("low", "high"))
    bars = (
        np.maximum([mean.values - low, high - mean.values], 0) if np.isfinite(low).any() else None
    )
    crowded = mean.size > _CROWDED
    small = 1.5 if marker[1:] else 2.5  # with and without a line
    size: dict[str, Any] = {"markersize": small, "capsize": 0} if crowded else {"capsize": 1.5}
    drawn = axes.errorbar(
        positions, mean.values, bars, fmt=marker, color=shade, elinewidth=0.8, **size
    )
    return drawn.lines[0]


def _theory(
    axes: Axes, positions: NDArray, expected: xr.DataArray, colour: style.Colour, categorical: bool
) -> None:
    known = expected.notnull().values
    if not known.any():
        return
    if categorical:  # names have no line between them
        axes.plot(positions[known], expected.values[known], "_", color=colour, ms=9, zorder=4)
        return
    values = expected.values
    if len(positions) == 1:
        axes.axhline(values[0], color=colour, zorder=4, **style.THEORY)
        return
    axes.plot(positions, values, color=colour, zorder=4, **style.THEORY)
    # A point without neighbours in theory has no line: it gets a piece of one, half way to them.
    before, after = np.pad(known, 1)[:-2], np.pad(known, 1)[2:]
    halves = scales.edges(positions)
    for i in np.flatnonzero(known & ~before & ~after):
        ends = np.clip(halves[i : i + 2], positions[0], positions[-1])
        axes.plot(ends, [values[i]] * 2, color=colour, zorder=4, **style.THEORY)
