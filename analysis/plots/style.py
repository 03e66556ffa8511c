"""Common style of figures: sizes, colours, axes, panels, legends and titles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib import colors
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from analysis.plots import text
from analysis.reading.dataset import label, long_name, value_label

Colour = str | tuple[float, float, float] | tuple[float, float, float, float]

Array = TypeVar("Array", xr.DataArray, xr.Dataset)

#: Widths of a journal's column and page [inch].
COLUMN, PAGE = 3.4, 7.0

# Okabe & Ito, Color Universal Design.
LTP = "#D55E00"
LTD = "#0072B2"
NEUTRAL = "#4D4D4D"
PALE = "#C8C8C8"
_CATEGORIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

# viridis without its palest end, which has no contrast to white.
_SHADES = np.linspace(0, 0.88, 256)

#: Line style of theory.
THEORY: dict[str, Any] = {"ls": (0, (3, 1.5)), "lw": 0.9}

#: Name of the theory of weights in titles.
SAME_MEAN = "theory with the same mean weight"

#: More lines than this are identified by a colour bar, fewer by a legend.
MAX_LEGEND_ENTRIES = 6

_SETTINGS: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "figure.constrained_layout.use": True,
    "axes.formatter.useoffset": False,
    "pdf.fonttype": 42,  # fonts are embedded as fonts, not as outlines
    "svg.fonttype": "none",
    "savefig.dpi": 200,
    "svg.hashsalt": "stdp",  # the same identifiers at each drawing
}


@contextmanager
def paper(bare: bool = False) -> Iterator[None]:
    """Apply the settings of this module, and matplotlib's defaults for all others, in the block.

    A user's own (LaTeX, colours, layout) would change what the figures rely on. The backend is not
    a setting of the style: it is neither changed nor restored, as the first figure of a notebook
    sets it.

    Parameters
    ----------
    bare : bool
        Whether figures are drawn without header.
    """
    with plt.style.context(["default", _SETTINGS]), text.bare_figures(bare):
        yield


def is_categorical(coordinate: xr.DataArray) -> bool:
    """Return whether the values of an axis are names.

    Parameters
    ----------
    coordinate : DataArray, (n_values,)
        Names, or numbers in any unit.

    Returns
    -------
    bool
        False for numbers.
    """
    return coordinate.dtype.kind in "OUST"


def colours(coordinate: xr.DataArray) -> list[Colour]:
    """Return one colour per value: ordered shades for numbers, distinct ones for names.

    Parameters
    ----------
    coordinate : DataArray, (n_values,)
        Names, or numbers in any unit.

    Returns
    -------
    list of colour
        In the order of the values.
    """
    n = coordinate.size
    if is_categorical(coordinate) and n <= len(_CATEGORIES):
        return list(_CATEGORIES[:n])
    if is_categorical(coordinate):
        return list(plt.get_cmap("turbo")(np.linspace(0.03, 0.97, n)))
    if n == 1:
        return [NEUTRAL]
    if n > MAX_LEGEND_ENTRIES:  # by value, like the colour bar
        position = (coordinate.values - coordinate.values.min()) / np.ptp(coordinate.values)
    else:  # equidistant, in the order of the values
        position = np.argsort(np.argsort(coordinate.values)) / (n - 1)
    return list(plt.get_cmap("viridis")(_SHADES[-1] * position))


def paler(colour: Colour) -> Colour:
    """Return a colour mixed with 65 % of white."""
    red, green, blue = (1 - 0.35 * (1 - part) for part in colors.to_rgb(colour))
    return red, green, blue


def along(array: Array, dim: str | None) -> list[Array]:
    """Split an array along a dimension.

    Parameters
    ----------
    array : DataArray or Dataset, ([dim], ...)
        In any unit.
    dim : str or None
        The dimension; None returns the array as the only part.

    Returns
    -------
    list of DataArray or Dataset, (...)
        One for each value, in the same unit.
    """
    return [array] if dim is None else [array.isel({dim: i}) for i in range(array.sizes[dim])]


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


def marker_of(positions: NDArray) -> str:
    """Return the format of a line: a single point, which no line shows, has a marker.

    Parameters
    ----------
    positions : ndarray, (n_points,)
        Along the line, in any unit.

    Returns
    -------
    str
        As `plot` takes it.
    """
    return "o" if positions.size == 1 else "-"


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
    if is_categorical(coordinate):
        _mark_names(axes, [str(value) for value in coordinate.values], inches)
        return
    whole = coordinate.dtype.kind in "iu"
    values = np.sort(coordinate.values)
    is_log = _are_log_spaced(values)
    positions = np.log(values) if is_log else values.astype(float)
    if is_log:
        axes.set_xscale("log")
    names = [str(value) if whole else f"{value:g}" for value in values]
    # A letter is 0.055 inches wide.
    needed = 0.055 / inches * max(map(len, names)) * np.ptp(positions)
    if np.diff(positions, prepend=-np.inf).min() >= needed:
        axes.set_xticks(values, names)
        axes.minorticks_off()
    elif not is_log:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=whole))


def _mark_names(axes: Axes, names: list[str], inches: float) -> None:
    crowded = sum(map(len, names)) > 14 * inches
    tilted: dict[str, Any] = {"rotation": 20, "ha": "right"} if crowded else {}
    axes.set_xticks(np.arange(len(names)), names, **tilted)
    axes.set_xlim(-0.5, len(names) - 0.5)


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
    return not is_categorical(coordinate) and _are_log_spaced(np.sort(coordinate.values))


def _are_log_spaced(values: NDArray) -> bool:
    """As `are_log_spaced`, for rising values."""
    if values.size < 3 or values[0] <= 0 or values[-1] < 20 * values[0]:
        return False
    ratios, differences = np.diff(np.log(values)), np.diff(values)
    return bool(ratios.std() / ratios.mean() < differences.std() / differences.mean())


def identify_lines(
    figure: Figure, axes: Sequence[Axes], lines: Sequence[Artist], coordinate: xr.DataArray
) -> None:
    """Identify lines by their values: a legend above the axes, or a colour bar for many.

    Parameters
    ----------
    figure, axes : Figure, sequence of Axes
        The figure, and the panels that the colour bar belongs to.
    lines : sequence of Artist
        One for each value.
    coordinate : DataArray, (n_values,)
        The values: names, or numbers in any unit.
    """
    if coordinate.size > MAX_LEGEND_ENTRIES and not is_categorical(coordinate):
        values = coordinate.values.astype(float)
        shades = LinearSegmentedColormap.from_list("values", plt.get_cmap("viridis")(_SHADES))
        scale = ScalarMappable(Normalize(values.min(), values.max()), shades)
        figure.colorbar(scale, ax=axes, label=label(coordinate), aspect=30, pad=0.02)
        return
    names = [value_label(coordinate, value) for value in coordinate.values]
    legend(figure, lines, names, long_name(coordinate))


def name_row(axes: Axes, value: xr.DataArray) -> None:
    """Write the value of a row to the right of its panel.

    Parameters
    ----------
    axes : Axes
        The panel.
    value : DataArray, ()
        Name, or number in any unit.
    """
    named = value_label(value, value.item())
    axes.text(1.02, 0.5, named, transform=axes.transAxes, va="center", fontsize=7)


def name_column(axes: Axes, value: xr.DataArray) -> None:
    """Write the value of a column above its panel.

    Parameters
    ----------
    axes : Axes
        The panel.
    value : DataArray, ()
        Name, or number in any unit.
    """
    axes.set_title(value_label(value, value.item()), loc="center")


def legend(
    figure: Figure,
    handles: Sequence[Artist],
    names: Sequence[str],
    title: str | None = None,
) -> None:
    """Add a legend above the axes and below the header; enlarge the figure.

    Parameters
    ----------
    figure : Figure
        Its height is increased by that of the legend.
    handles, names : sequence of Artist and of str
        The entries.
    title : str, optional
        Title of the legend.
    """
    width, height = figure.get_size_inches()
    columns = max(1, int(14 * width / (max(map(len, names)) + 6)))
    rows = math.ceil(len(handles) / columns)
    below = 0.06 + 0.15 * (rows + (title is not None))
    height += below
    figure.set_size_inches(width, height)
    shown = figure.get_suptitle()
    text.set_header(figure, shown, below)
    figure.legend(
        handles,
        names,
        title=title,
        loc="upper center",
        bbox_to_anchor=(0, 0, 1, 1 - text.header_height(shown) / height),
        borderaxespad=0.2,
        ncols=math.ceil(len(handles) / rows),  # rows of equal length where possible
        handlelength=1.6,
        columnspacing=1.2,
    ).set_in_layout(False)
