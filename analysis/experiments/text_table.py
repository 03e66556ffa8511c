"""Text tables, with cells wrapped to the width of the terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

from analysis.reading.values import printable

#: A space at which no cell is wrapped.
GLUE = "\xa0"

#: A width in which every row is one line.
UNLIMITED = 1_000_000

_GAP = "  "

#: Minimum width of a wrapped column, even if lines exceed the terminal.
_MIN_WIDTH = 28


def terminal_width(without: int = UNLIMITED) -> int:
    """Return the number of characters per line; that of `without` where there is no terminal.

    The environment variable `COLUMNS` overrides both.
    """
    return shutil.get_terminal_size((without, 24)).columns


def table(
    rows: Sequence[Sequence[str]], width: int, folded: int = 1, right: Sequence[int] = ()
) -> str:
    """Format rows of cells as lines of text.

    Parameters
    ----------
    rows : sequence of sequence of str
        All of the same length; the heading, if there is one, comes first.
    width : int
        Maximum length of a line, exceeded where the columns cannot be narrower. The first cell of a
        row is never wrapped, so that it can be copied; a long one has a line of its own.
    folded : int
        How many of the last columns may be wrapped.
    right : sequence of int
        Indices of the right-aligned columns.

    Returns
    -------
    str
        The lines, joined; characters that are not printable are escaped.
    """
    rows = [[printable(cell, allowed=GLUE) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = width - sum(widths[1:-folded]) - len(_GAP) * (len(widths) - 1)
    longest = min(width // 3, room - folded * _MIN_WIDTH)
    widths[0] = max([len(row[0]) for row in rows if len(row[0]) <= longest], default=0)
    _narrow(widths, width, folded)
    lines = []
    for row in rows:
        first, *others = row
        if len(first) > widths[0]:
            lines.append(first)
            first = ""
        cells = [
            [first],
            *(_fold(cell, room) for cell, room in zip(others, widths[1:], strict=True)),
        ]
        for i in range(max(map(len, cells))):
            parts = [cell[i] if i < len(cell) else "" for cell in cells]
            padded = [
                part.rjust(room) if column in right else part.ljust(room)
                for column, (part, room) in enumerate(zip(parts, widths, strict=True))
            ]
            lines.append(_GAP.join(padded).rstrip())
    return "\n".join(lines).replace(GLUE, " ")


def _narrow(widths: list[int], width: int, folded: int) -> None:
    """Reduce the widths of the last columns to the space left by the others."""
    room = width - sum(widths[:-folded]) - len(_GAP) * (len(widths) - 1)
    last = range(len(widths) - folded, len(widths))
    # Narrow columns first: the space that they do not need is left to the others.
    for left, column in zip(
        range(folded, 0, -1), sorted(last, key=widths.__getitem__), strict=True
    ):
        widths[column] = min(widths[column], max(_MIN_WIDTH, room // left))
        room -= widths[column]


def _fold(text: str, width: int) -> list[str]:
    width = max(width, 1)  # 0 in a column of empty cells
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    parts = [
        textwrap.wrap(line.replace(GLUE, " "), width, break_on_hyphens=False)
        if len(line) > width
        else [line]
        for line in lines
    ]
    return [part for line in parts for part in line] or [""]
