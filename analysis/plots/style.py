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

# Of more names than colours: neighbours differ in both, and no line is dashed like theory.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ("-", ":", "-.")

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


def markers(coordinate: xr.DataArray) -> list[str]:
    """Return one marker per value: shapes that differ where colours are many and alike.

    Parameters
    ----------
    coordinate : DataArray, (n_values,)
        Names, or numbers in any unit.

    Returns
    -------
    list of str
        In the order of the values.
    """
    return _in_turn(coordinate, _MARKERS)


def dashes(coordinate: xr.DataArray) -> list[str]:
    """Return one line style per value: they differ where colours are many and alike.

    Parameters
    ----------
    coordinate : DataArray, (n_values,)
        Names, or numbers in any unit.

    Returns
    -------
    list of str
        In the order of the values.
    """
    return _in_turn(coordinate, _DASHES)


def _in_turn(coordinate: xr.DataArray, kinds: Sequence[str]) -> list[str]:
    """Return the kinds in turn for more names than there are distinct colours, else the first."""
    many = is_categorical(coordinate) and coordinate.size > len(_CATEGORIES)
    return [kinds[i % len(kinds) if many else 0] for i in range(coordinate.size)]


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


def name_row(axes: Axes, value: xr.DataArray, among: xr.DataArray) -> None:
    """Write the value of a row to the right of its panel.

    Parameters
    ----------
    axes : Axes
        The panel.
    value : DataArray, ()
        Name, or number in any unit.
    among : DataArray, (n_values,)
        All values of the rows, in the same unit.
    """
    named = value_label(among, value.item())
    axes.text(1.02, 0.5, named, transform=axes.transAxes, va="center", fontsize=7)


def name_column(axes: Axes, value: xr.DataArray, among: xr.DataArray) -> None:
    """Write the value of a column above its panel.

    Parameters
    ----------
    axes : Axes
        The panel.
    value : DataArray, ()
        Name, or number in any unit.
    among : DataArray, (n_values,)
        All values of the columns, in the same unit.
    """
    axes.set_title(value_label(among, value.item()), loc="center")


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
    title = text.folded(title, width - 0.3) if title else title
    below = 0.06 + 0.15 * (rows + (title.count("\n") + 1 if title else 0))
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
