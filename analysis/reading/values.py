"""Values of parameters: when two are the same, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: So many values are written one by one; of more numbers, the least and the largest.
MOST_WRITTEN = 3


def canonical(value: Any) -> Any:
    """Return what two equal values have in common: of a number its first 15 digits.

    As many as every decimal number keeps in binary, and as the pipeline keeps: 0.1 + 0.2 is 0.3.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return float(f"{value:.15g}") + 0.0  # -0.0 and 0.0 are one value


def written(value: Any) -> str:
    """Return a value as it is given on the command line: `0.008`, `null`, `true`, `poisson`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def span(values: Sequence[Any]) -> str:
    """Return several values in short: `10,20`, `10..40 (7)`, `poisson,notebook`."""
    if len(values) <= MOST_WRITTEN:
        return ",".join(map(written, values))
    if all(isinstance(value, int | float) for value in values):
        return f"{written(min(values))}..{written(max(values))} ({len(values)})"
    return f"{','.join(map(written, values[:MOST_WRITTEN]))},.. ({len(values)})"
