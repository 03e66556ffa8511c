"""How figures look: column width, 8 point, colours that the colour-blind can tell apart."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
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

from analysis.reading.dataset import label, long_name, value_label

Colour = str | tuple[float, ...]

#: Widths of a journal's column and page [inch].
COLUMN, PAGE = 3.4, 7.0

# Okabe & Ito, Color Universal Design.
LTP = "#D55E00"
LTD = "#0072B2"
NEUTRAL = "#4D4D4D"
PALE = "#C8C8C8"
_CATEGORIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

# viridis without its palest end, which is lost on white.
_SHADES = np.linspace(0, 0.88, 256)

#: More lines than this are told apart by a colour bar, fewer by a legend.
MOST_LEGEND_ENTRIES = 6

_SETTINGS = {
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
    "pdf.fonttype": 42,  # text stays text
    "svg.fonttype": "none",
    "savefig.dpi": 200,
}


@contextmanager
def paper() -> Iterator[None]:
    """Draw in the style of this module within the block.

    Nothing else is put back: in a notebook the first figure chooses where figures are shown.
    """
    before = {name: mpl.rcParams[name] for name in _SETTINGS}
    mpl.rcParams.update(_SETTINGS)
    try:
        yield
    finally:
        mpl.rcParams.update(before)


def has_words(coordinate: xr.DataArray) -> bool:
    """Whether an axis runs over words, not numbers."""
    return coordinate.dtype.kind in "OUST"


def colours(coordinate: xr.DataArray) -> list[Colour]:
    """Return a colour per value: ordered shades for numbers, distinct ones for words."""
    n = coordinate.size
    if has_words(coordinate):
        return [_CATEGORIES[i % len(_CATEGORIES)] for i in range(n)]
    if n == 1:
        return [NEUTRAL]
    if n > MOST_LEGEND_ENTRIES:  # as the colour bar reads: by value
        position = (coordinate.values - coordinate.values.min()) / np.ptp(coordinate.values)
    else:  # evenly, in the order of the values
        position = np.argsort(np.argsort(coordinate.values)) / (n - 1)
    return list(plt.get_cmap("viridis")(_SHADES[-1] * position))


def paler(colour: Colour) -> Colour:
    """Return a colour, mostly white."""
    return tuple(1 - 0.35 * (1 - part) for part in colors.to_rgb(colour))


def edges(centres: np.ndarray) -> np.ndarray:
    """Return the borders of the pixels of a map, half-way between rising values."""
    if centres.size < 2:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    if _are_log_spaced(centres):
        return np.exp(_between(np.log(centres)))
    return _between(centres.astype(float))


def _between(centres: np.ndarray) -> np.ndarray:
    """Return the middles between values, and as far beyond the first and the last."""
    middles = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middles[0]], middles, [2 * centres[-1] - middles[-1]]])


def folded(label: str, inches: float) -> str:
    """Return a label in as many lines as it needs along an axis of some length."""
    words = re.sub(r"\$.*?\$", lambda formula: formula[0].replace(" ", "\0"), label)
    folded = textwrap.wrap(words, int(16 * inches), break_long_words=False, break_on_hyphens=False)
    return "\n".join(folded).replace("\0", " ")


def folded_lines(title: str, inches: float) -> str:
    """Return a title of several lines, each in as many lines as it needs."""
    return "\n".join(folded(line, 1.1 * inches) for line in title.splitlines())


def mark_values(axes: Axes, coordinate: xr.DataArray, inches: float) -> None:
    """Put the ticks of x where the swept values are, if there is room; log-spaced values apart.

    `inches` is how long the axis is.
    """
    if has_words(coordinate):
        names = [str(value) for value in coordinate.values]
        crowded = sum(map(len, names)) > 14 * inches
        tilted = {"rotation": 20, "ha": "right"} if crowded else {}
        axes.set_xticks(np.arange(coordinate.size), names, **tilted)
        axes.set_xlim(-0.5, coordinate.size - 0.5)
        return
    whole = coordinate.dtype.kind in "iu"
    values = np.sort(coordinate.values)
    in_decades = _are_log_spaced(values)
    places = np.log(values) if in_decades else values.astype(float)
    if in_decades:
        axes.set_xscale("log")
    names = [str(value) if whole else f"{value:g}" for value in values]
    # A letter is 0.055 inches wide.
    needed = 0.055 / inches * max(map(len, names)) * np.ptp(places)
    room = np.diff(places, prepend=-np.inf).min() >= needed
    if room:
        axes.set_xticks(values, names)
        axes.minorticks_off()
    elif not in_decades:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=whole))


def are_log_spaced(coordinate: xr.DataArray) -> bool:
    """Whether a logarithmic axis suits the values of a coordinate."""
    return not has_words(coordinate) and _are_log_spaced(np.sort(coordinate.values))


def _are_log_spaced(values: np.ndarray) -> bool:
    """Whether rising values span decades in steps that are evener as ratios than as differences."""
    if values.size < 3 or values[0] <= 0 or values[-1] < 20 * values[0]:
        return False
    ratios, differences = np.diff(np.log(values)), np.diff(values)
    return bool(ratios.std() / ratios.mean() < differences.std() / differences.mean())


def identify_lines(
    figure: Figure, axes: Axes | Sequence[Axes], lines: Sequence[Artist], coordinate: xr.DataArray
) -> None:
    """Say which line is which value, beside the data: a legend above, or a colour bar for many."""
    if coordinate.size > MOST_LEGEND_ENTRIES and not has_words(coordinate):
        values = coordinate.values.astype(float)
        shades = LinearSegmentedColormap.from_list("values", plt.get_cmap("viridis")(_SHADES))
        scale = ScalarMappable(Normalize(values.min(), values.max()), shades)
        figure.colorbar(scale, ax=axes, label=label(coordinate), aspect=30, pad=0.02)
        return
    names = [value_label(coordinate, value) for value in coordinate.values]
    legend(figure, lines, names, long_name(coordinate))


def title_above(figure: Figure, title: str) -> None:
    """Put a title over all panels, flush left."""
    figure.suptitle(title, fontsize=8, x=0.01, ha="left")


def legend(
    figure: Figure,
    handles: Sequence[Artist],
    names: Sequence[str],
    title: str | None = None,
) -> None:
    """Put a legend over the axes, to the right of a title of the whole figure; make room for it."""
    width, height = figure.get_size_inches()
    title_width = max(map(len, figure.get_suptitle().split("\n"))) / 15
    most_columns = max(1, int(14 * (width - title_width) / (max(map(len, names)) + 6)))
    rows = math.ceil(len(handles) / most_columns)
    figure.set_size_inches(width, height + 0.15 * (rows + (title is not None)))
    figure.legend(
        handles,
        names,
        title=title,
        loc=f"outside upper {'right' if title_width else 'center'}",
        ncols=math.ceil(len(handles) / rows),  # rows of one length, where they can be
        handlelength=1.6,
        columnspacing=1.2,
    )
