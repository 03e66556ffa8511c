"""Text in figures: labels folded to a length, and headers of a few lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import text_to_path

#: Most lines of a header; what does not fit stands in the caption alone.
MAX_LINES = 3

#: Size of labels and headers.
_FONT = FontProperties(family=["sans-serif"], size=8)

#: Letters drawn in pixels are up to so much wider than their outlines.
_HINTING = 1.04

#: What stays on one line: formulas, numbers with their units.
_UNBROKEN = r"\$.*?\$|\d (?:s|ms|Hz|mV|%)(?![a-z])"

_BARE = ContextVar("bare", default=False)


@contextmanager
def bare_figures(bare: bool) -> Iterator[None]:
    """Draw figures without header in the block, as for a paper."""
    token = _BARE.set(bare)
    try:
        yield
    finally:
        _BARE.reset(token)


def folded(text: str, inches: float) -> str:
    """Break a label into lines that fit a length; formulas stay on one line."""
    return "\n".join(_lines_of(text, inches))


def header(text: str, inches: float) -> str:
    """Return what a header shows of a text: at most `MAX_LINES` lines; none of a bare figure.

    Parameters
    ----------
    text : str
        Its lines, the most important first. Each has a line of its own if there is room, else they
        follow each other; those that do not fit are left out.
    inches : float
        Width of the figure [inch].
    """
    inches -= 0.1  # margins
    entries = [] if _BARE.get() else text.splitlines()
    while entries:
        for lines in (
            [line for entry in entries for line in _lines_of(entry, inches)],
            _lines_of(". ".join(entries), inches),
        ):
            if len(lines) <= MAX_LINES:
                return "\n".join(lines)
        if len(entries) == 1:
            return "\n".join([*lines[: MAX_LINES - 1], lines[MAX_LINES - 1] + " ..."])
        entries.pop()
    return ""


def header_height(shown: str) -> float:
    """Return the height of a header [inch]; 0 without one."""
    return 0.06 + 0.135 * (shown.count("\n") + 1) if shown else 0.0


def set_header(figure: Figure, shown: str, below: float = 0.0) -> None:
    """Set the header of a figure: above all else, aligned left; the layout leaves its strip free.

    Parameters
    ----------
    figure : Figure
        Of its final size.
    shown : str
        As from `header`.
    below : float
        Height that the layout leaves free below it, as for a legend [inch].
    """
    height = figure.get_size_inches()[1]
    placed = figure.suptitle(shown, fontsize=8, x=0.01, y=1 - 0.03 / height, ha="left", va="top")
    placed.set_in_layout(False)
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, 0, 1, 1 - (header_height(shown) + below) / height))


def _lines_of(text: str, inches: float) -> list[str]:
    """Break a text into lines that fit a length, not within a formula or before a unit."""
    glued = re.sub(_UNBROKEN, lambda found: found[0].replace(" ", "\0"), text)
    lines: list[str] = []
    for word in re.findall(r"[^ \n]+", glued):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer) <= inches:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line.replace("\0", " ") for line in lines]


def _width(line: str) -> float:
    """Return the length of a line [inch]."""
    shown = line.replace("\0", " ")
    width, *_ = text_to_path.get_text_width_height_descent(shown, _FONT, "$" in shown)
    return _HINTING * width / 72
