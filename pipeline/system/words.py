"""Numbers in messages."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number of things as text: "1 shard", "2,000 shards"."""
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def counted_points(number: int) -> str:
    """Return a number of points as text: "1 point", "2,000 points"."""
    return counted(number, "point")
