"""Plain tables: columns side by side, folded to the width of the terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence

#: A blank at which no cell is folded.
GLUE = "\xa0"

#: Where nothing tells the width, as in a pipe, a row is one line.
_ENDLESS = 1_000_000

_GAP = "  "

#: A folded column gets no less, even where lines become too long.
_NARROWEST = 28


def terminal_width() -> int:
    """Return how many characters fit on a line."""
    return shutil.get_terminal_size((_ENDLESS, 24)).columns


def table(
    rows: Sequence[Sequence[str]], width: int, folded: int = 1, right: Sequence[int] = ()
) -> str:
    """Return rows of cells as lines.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first is the heading, if there is one.
    width : int
        Of a line, where that can be had: a first cell is never folded, so that it can be copied,
        and stands on a line of its own if it is long.
    folded : int
        How many of the last columns are folded into several lines where there is no room.
    right : sequence of int
        The columns whose cells are flush right.
    """
    rows = [[_printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = width - sum(widths[1:-folded]) - len(_GAP) * (len(widths) - 1)
    longest = min(width // 3, room - folded * _NARROWEST)
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
    """Share what the other columns leave among the last ones, if that is less than they want."""
    room = width - sum(widths[:-folded]) - len(_GAP) * (len(widths) - 1)
    last = range(len(widths) - folded, len(widths))
    # The narrow ones first: what they do not need is the others'.
    for left, column in zip(
        range(folded, 0, -1), sorted(last, key=widths.__getitem__), strict=True
    ):
        widths[column] = min(widths[column], max(_NARROWEST, room // left))
        room -= widths[column]


def _fold(text: str, width: int) -> list[str]:
    width = max(width, 1)  # of a column of empty cells
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    parts = [
        textwrap.wrap(line.replace(GLUE, " "), width, break_on_hyphens=False)
        if len(line) > width
        else [line]
        for line in lines
    ]
    return [part for line in parts for part in line] or [""]


def _printable(text: str) -> str:
    """Return a text with escapes for what would break the line or cannot be printed."""
    return "".join(
        c if c.isprintable() or c == GLUE else c.encode("unicode_escape").decode() for c in text
    )
