"""Parameter values: equality, parsing and formatting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

#: Up to this many values are listed individually; of more numbers, only minimum and maximum.
MAX_LISTED = 3

Kind = Literal["null", "true or false", "a number", "text"]


def canonical(value: Any) -> Any:
    """Return the representative of all values that count as equal: numbers to 15 digits.

    Every decimal number of 15 digits survives the conversion to binary and back, so that 0.1 + 0.2
    is 0.3. The pipeline rounds in the same way before it computes the key of a point. A list of
    numbers, one for each group of synapses, is its text, as on an axis.
    """
    if isinstance(value, list):
        return written(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return float(f"{value:.15g}") + 0.0  # -0.0 and 0.0 are one value


def kind_of(value: Any) -> Kind:
    """Return the type of a value in the words of an error message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else "text"


def kind_of_text(text: str) -> Kind:
    """Return the type of the values that a text on the command line stands for."""
    if range_of(text):
        return "a number"
    if text.lower() in ("null", "true", "false"):
        return "null" if text.lower() == "null" else "true or false"
    try:
        float(text)
    except ValueError:
        return "text"
    return "a number"


def range_of(text: str) -> tuple[float, float] | None:
    """Return the ends of a range of numbers, both of which belong to it; None for another text.

    `10:20` is from 10 to 20, `10:` from 10 on, `:20` up to 20.
    """
    low, colon, high = text.partition(":")
    try:
        return (float(low or "-inf"), float(high or "inf")) if colon and low + high else None
    except ValueError:
        return None


def stands_for(text: str, value: Any) -> bool:
    """Return whether a text on the command line stands for a value.

    `2e1` stands for 20, and `10:30` for every number from 10 to 30.
    """
    kind = kind_of(value)
    if kind == "text":
        is_list = text.startswith("[") and "".join(text.split()) == written(value)
        return text == value or is_list
    if kind == "a number" and (ends := range_of(text)):
        return canonical(ends[0]) <= canonical(value) <= canonical(ends[1])
    if kind == "a number":
        return kind_of_text(text) == kind and canonical(float(text)) == canonical(value)
    return text.lower() == written(value)


def written(value: Any) -> str:
    """Format a value as on the command line: `0.008`, `null`, `true`, `poisson`, `[50,250]`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{','.join(map(written, value))}]"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def told_apart(values: Sequence[Any]) -> list[str]:
    """Format the values of an axis: numbers to six digits, or as many as tell them apart."""
    floats = {value for value in values if isinstance(value, float)}
    digits = next(n for n in range(6, 18) if len({f"{x:.{n}g}" for x in floats}) == len(floats))
    return [f"{value:.{digits}g}" if isinstance(value, float) else str(value) for value in values]


def span(values: Sequence[Any]) -> str:
    """Abbreviate several values: `10,20`, `10..40 (7)`, `poisson,notebook`."""
    if len(values) <= MAX_LISTED:
        return ",".join(map(written, values))
    if all(isinstance(value, int | float) for value in values):
        return f"{written(min(values))}..{written(max(values))} ({len(values)})"
    return f"{','.join(map(written, values[:MAX_LISTED]))},.. ({len(values)})"


def allowed_text(name: str, values: Sequence[Any]) -> str:
    """Return which values a condition may have, in words: of many numbers their smallest, largest.

    Parameters
    ----------
    name : str
        What the values are of, for the example of a range.
    values : sequence
        As `span`; equal ones count once.
    """
    values = list(dict.fromkeys(values))
    if len(values) <= MAX_LISTED:
        return f"one of {','.join(map(written, values))}"
    if not all(isinstance(value, int | float) for value in values):
        shown = ", ".join(map(written, values[:MAX_LISTED]))
        return f"one of {len(values):,} values, such as {shown}"
    ordered = sorted(values)
    low, middle, high = map(written, (ordered[0], ordered[len(ordered) // 2], ordered[-1]))
    return (
        f"one of {len(values):,} values, of which the smallest is {low} and the largest {high}, or "
        f"a range of them, as {name}={low}:{middle}"
    )


def counted(number: int, noun: str) -> str:
    """Return a number of things as text: "1 sample", "2,000 samples"."""
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def printable(text: str, allowed: str = "\xa0") -> str:
    """Escape every character that is not printable, apart from the `allowed` ones.

    Control characters and marks of text direction would otherwise change the text around them.
    """
    return "".join(
        c if c.isprintable() or c in allowed else c.encode("unicode_escape").decode() for c in text
    )
