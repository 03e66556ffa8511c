"""Values of a parameter that may be lists of numbers, one for each group of synapses.

In a configuration a list is a tuple, which does not change; among plain values, as in `conf/` and
in JSON, it is a list; on an axis and on the command line it has a text, `[250,50]`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any


def listed(value: Any) -> Any:
    """Return a tuple as the list that it is among plain values; any other value as it is."""
    return list(value) if isinstance(value, tuple) else value


def as_tuple(value: Any) -> Any:
    """Return a list as the tuple that it is in a configuration; any other value as it is."""
    return tuple(value) if isinstance(value, list) else value


def value_text(value: Any) -> str:
    """Return the text of a value; of a list of numbers that of the command line, to 15 digits."""
    is_list = isinstance(value, list | tuple) and all(isinstance(x, int | float) for x in value)
    if not (is_list and value):
        return str(value)
    return f"[{','.join(f'{x:.15g}' if isinstance(x, float) else str(x) for x in value)}]"


def axis_text(value: Any) -> Any:
    """Return the text of a number or a list on an axis that has lists; other values as they are."""
    return f"{value:.15g}" if isinstance(value, int | float) else value_text(value)


def have_lists(values: Iterable[Any]) -> bool:
    """Return whether some values are lists of numbers, one for each group."""
    return any(isinstance(value, tuple) for value in values)


def labels_of(values: Sequence[Any]) -> list[Any]:
    """Return values as labels of points: where some are lists of numbers, the texts of all."""
    return list(map(axis_text, values)) if have_lists(values) else list(values)


def value_of_text(text: Any) -> Any:
    """Return the number or the list of numbers that a text stands for; else the value as it is."""
    if not isinstance(text, str):
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float | list) else text
