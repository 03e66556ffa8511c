"""Filters of experiments: parameter values (`--where KEY=VALUE`) and dates (`--since`)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analysis.reading.errors import ConditionError
from analysis.reading.metadata import Metadata, short_name
from analysis.reading.values import Kind, canonical, kind_of, kind_of_text, stands_for

_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Condition:
    """A parameter and a value that it must have somewhere in an experiment."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}"

    def holds(self, metadata: Metadata) -> bool:
        """Return whether the parameter has the value: constant, swept, chosen or derived."""
        return any(stands_for(self.value, value) for value in metadata.parameters.get(self.key, []))


def conditions(where: Sequence[str], experiments: Sequence[Metadata]) -> list[Condition]:
    """Parse conditions such as `stdp.A_plus=0.008` or `A_plus=0.008`.

    Raises
    ------
    ConditionError
        If no experiment has the key, or the key takes no value of this type.
    """
    known: dict[str, set[Kind]] = {}
    for metadata in experiments if where else ():
        for key, values in metadata.parameters.items():
            known.setdefault(key, set()).update(map(kind_of, values))
    return [_condition(text, known) for text in where]


def values_of(key: str, experiments: Iterable[Metadata]) -> list[Any]:
    """Return the distinct values that a key has in any experiment, numbers sorted."""
    known: dict[str, Any] = {}
    for metadata in experiments:
        # The text distinguishes 1 from true, which compare equal.
        known.update((str(canonical(v)), v) for v in metadata.parameters.get(key, []))
    return sorted(known.values(), key=_order)


def since(text: str, now: datetime) -> datetime:
    """Parse a date, local unless it has a time zone, or a duration before now.

    Raises
    ------
    ConditionError
        If the text is neither.
    """
    ago = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_UNITS)})", text.strip())
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise ConditionError(
            f"--since {_shortened(text)}: must be a date (2026-11-01), a time (2026-11-01T12:00) "
            "or a duration before now (30min, 3h, 2d, 1w)"
        ) from None


def _condition(text: str, known: Mapping[str, Collection[Kind]]) -> Condition:
    key, equals, value = (part.strip() for part in text.partition("="))
    if not (key and equals):
        raise ConditionError(
            f"--where {_shortened(text)}: must be KEY=VALUE, such as stdp.A_plus=0.008"
        )
    if known and key not in known:
        full = [name for name in known if short_name(name) == key]
        if len(full) != 1:
            raise ConditionError(f"{_shortened(text)}: {_unknown(key, known)}")
        (key,) = full
    kinds = {*known.get(key, [])} - {"null"}
    # Anything may be text, and a key known as null alone may have values of any type.
    if kinds and "text" not in kinds and kind_of_text(value) not in {*kinds, "null"}:
        raise ConditionError(f"{_shortened(text)}: must be {' or '.join(sorted(kinds))}, or null")
    return Condition(key, value)


def _unknown(key: str, known: Mapping[str, Any]) -> str:
    """Return a message with the closest known key and the keys of the same section."""
    by_short = {short_name(name).lower(): name for name in known}
    near = difflib.get_close_matches(key, known, n=1) or [
        by_short[short]
        for short in difflib.get_close_matches(key.rpartition(".")[2].lower(), by_short, n=1)
    ]
    section = f"{key.partition('.')[0]}."
    shown = [name for name in known if name.startswith(section)] or [
        f"{name.partition('.')[0]}.*" if "." in name else name for name in known
    ]
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"no experiment has this key{hint} (known: {', '.join(dict.fromkeys(sorted(shown)))})"


def _order(value: Any) -> tuple[str, Any]:
    kind = kind_of(value)
    return kind, value if kind == "a number" else str(value)


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
