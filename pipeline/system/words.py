"""Numbers in messages."""

from __future__ import annotations


def counted_points(number: int) -> str:
    """Return a number of points as text: "1 point", "2,000 points"."""
    return f"{number:,} point{'s' if number != 1 else ''}"
