"""Positions along axes: edges of pixels and bins, ticks at swept values, logarithmic scales."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

from analysis.plots import style
from analysis.reading.values import told_apart

#: What a caption says of `set_logarithmic_time`.
LOGARITHMIC_TIME = "Time is linear up to the first sample, then logarithmic"

#: From this ratio of the longest to the shortest interval on, samples are not equally spaced.
_UNEQUAL = 10


#: Width of a letter of a tick [inch].
_LETTER = 0.058

#: Values are marked if as large a share of them has room for its name.
_LEAST_MARKED = 0.7


def edges(centres: NDArray) -> NDArray[np.float64]:
    """Return the edges of the pixels of a map.

    Parameters
    ----------
    centres : ndarray, (n_values,)
        Rising values in any unit.

    Returns
    -------
    ndarray, (n_values + 1,)
        Midpoints in the same unit, on a logarithmic scale for values that are spaced so; half a
        unit on either side of a single value.
    """
    if centres.size < 2:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    if _are_log_spaced(centres):
        return np.exp(_midpoints(np.log(centres)))
    return _midpoints(centres.astype(float))


def _midpoints(values: NDArray) -> NDArray[np.float64]:
    """Return the midpoints between values, and one beyond either end at the same distance."""
    middles = (values[1:] + values[:-1]) / 2
    return np.concatenate([[2 * values[0] - middles[0]], middles, [2 * values[-1] - middles[-1]]])


def bin_edges(share: xr.DataArray) -> NDArray[np.float64]:
    """Return the edges of the bins of a histogram of weights.

    Parameters
    ----------
    share : DataArray, (..., weight_bin)
        Share of synapses, dimensionless.

    Returns
    -------
    ndarray, (n_bins + 1,)
        Weights from 0 to 1, dimensionless.
    """
    return np.linspace(0, 1, share.sizes["weight_bin"] + 1)


def widened(low: float, high: float, least: float, highest: float) -> tuple[float, float]:
    """Return the ends of a scale that is not stretched over differences that are noise.

    Parameters
    ----------
    low, high : float
        Ends of the values, in any unit.
    least : float
        The least span of the scale, in the same unit.
    highest : float
        The highest possible value; the lowest is 0.

    Returns
    -------
    low, high : float
        The same if they span as much, else around their middle as far as values are possible.
    """
    if high - low < least:
        low = min(max(0.0, (low + high - least) / 2), highest - least)
        high = low + least
    return low, high


def colour_limits(
    number: xr.DataArray, least: float, highest: float = np.inf
) -> tuple[float, float]:
    """Return the ends of a colour scale, which is not stretched over differences that are noise.

    Parameters
    ----------
    number : DataArray, (...)
        What is drawn, >= 0 in any unit; NaN is left out.
    least, highest : float
        Smallest span of the scale, and the highest possible value, in the same unit.

    Returns
    -------
    tuple of float
        Lower and upper end, in the same unit.
    """
    if not number.notnull().any():
        return 0.0, least
    return widened(float(number.min()), float(number.max()), least, highest)


def mark_values(axes: Axes, coordinate: xr.DataArray, inches: float) -> None:
    """Set the ticks of the x axis to the swept values if they fit; set a logarithmic scale if due.

    Parameters
    ----------
    axes : Axes
        The panel.
    coordinate : DataArray, (n_values,)
        Values along x: names, or numbers in any unit.
    inches : float
        Length of the axis [inch].
    """
    if style.is_categorical(coordinate):
        _mark_names(axes, [str(value) for value in coordinate.values], inches)
        return
    whole = coordinate.dtype.kind in "iu"
    values = np.sort(coordinate.values)
    is_log = _are_log_spaced(values)
    positions = np.log(values) if is_log else values.astype(float)
    if is_log:
        axes.set_xscale("log")
    names = _with_room(told_apart(values.tolist()), positions, inches)
    if sum(map(bool, names)) >= _LEAST_MARKED * len(names):
        axes.set_xticks(values, names)
        axes.minorticks_off()
    elif not is_log:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=whole))


def _with_room(names: list[str], positions: NDArray, inches: float) -> list[str]:
    """Return the names of ticks along an axis, empty where one would touch that before it."""
    letter = _LETTER / inches * np.ptp(positions)
    end, kept = -np.inf, []
    for name, position in zip(names, positions, strict=True):
        half = letter * len(name) / 2
        has_room = position - half >= end
        kept.append(name if has_room else "")
        end = position + half + letter if has_room else end
    return kept


def _mark_names(axes: Axes, names: list[str], inches: float) -> None:
    crowded = sum(map(len, names)) > 14 * inches
    tilted: dict[str, Any] = {"rotation": 20, "ha": "right"} if crowded else {}
    axes.set_xticks(np.arange(len(names)), names, **tilted)
    axes.set_xlim(-0.5, len(names) - 0.5)


def are_ever_rarer(times: NDArray[np.float64]) -> bool:
    """Return whether most samples of a history would crowd at one end of a linear axis of time.

    Parameters
    ----------
    times : ndarray, (n_samples,)
        Rising, in any unit; the first may be 0.

    Returns
    -------
    bool
        True where the longest interval after 0 is more than ten times the shortest, as at doubling
        times.
    """
    intervals = np.diff(times[times > 0])
    return bool(intervals.size > 1 and intervals.max() > _UNEQUAL * intervals.min())


def set_logarithmic_time(axes: Axes, seconds: NDArray[np.float64]) -> None:
    """Make the axis of time logarithmic, from the first sample after 0 on, with ticks at decades.

    A single one, beside which an axis looks linear, has others at twice and five times a decade.

    Parameters
    ----------
    axes : Axes
        The panel.
    seconds : ndarray, (n_samples,)
        Times of the samples [s], rising; up to the first after 0 the axis is linear.
    """
    begins_at_zero = seconds[0] == 0
    first, last = seconds[int(begins_at_zero)], seconds[-1]
    if begins_at_zero:
        axes.set_xscale("symlog", linthresh=first, linscale=0.4)
    else:
        axes.set_xscale("log")
    least = 2 * first if begins_at_zero else first  # no tick in the linear part beside 0
    decades = 10.0 ** np.arange(np.floor(np.log10(least)), np.log10(last) + 1e-9)
    inside = [
        [float(f"{step * decade:.6g}") for decade in decades if _within(step * decade, least, last)]
        for step in range(1, 10)
    ]
    steps = (1,) if len(inside[0]) > 1 else (1, 2, 5)
    labelled = sorted(tick for step in steps for tick in inside[step - 1])
    axes.set_xticks([*([0.0] if begins_at_zero else []), *labelled])
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.set_xticks(sorted({*sum(inside, [])} - {*labelled}), minor=True)
    axes.xaxis.set_minor_formatter(NullFormatter())


def _within(tick: float, least: float, last: float) -> bool:
    return least * (1 - 1e-9) <= tick <= last * (1 + 1e-9)


def are_log_spaced(coordinate: xr.DataArray) -> bool:
    """Return whether the values of an axis suit a logarithmic scale.

    Parameters
    ----------
    coordinate : DataArray, (n_values,)
        Names, or numbers in any unit.

    Returns
    -------
    bool
        True for values that span a factor of 20 or more, with ratios more even than differences.
    """
    return not style.is_categorical(coordinate) and _are_log_spaced(np.sort(coordinate.values))


def _are_log_spaced(values: NDArray) -> bool:
    """As `are_log_spaced`, for rising values."""
    if values.size < 3 or values[0] <= 0 or values[-1] < 20 * values[0]:
        return False
    ratios, differences = np.diff(np.log(values)), np.diff(values)
    return bool(ratios.std() / ratios.mean() < differences.std() / differences.mean())
