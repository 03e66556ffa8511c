"""Which experiments are asked for: `KEY=VALUE` of a parameter, and how long ago."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analysis.reading.errors import ConditionError
from analysis.reading.metadata import Metadata
from analysis.reading.values import canonical, span

_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Condition:
    """A parameter and the value it must have somewhere in an experiment."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}"

    def holds(self, metadata: Metadata) -> bool:
        """Whether it does, as a constant, on an axis, by a group's choice, or where null is."""
        return any(_means(self.value, value) for value in metadata.parameters.get(self.key, []))


def conditions(words: Sequence[str], experiments: Sequence[Metadata]) -> list[Condition]:
    """Return the conditions that words such as `stdp.A_plus=0.008` or `A_plus=0.008` stand for.

    Raises
    ------
    ConditionError
        If no metadata has such a key, or the key cannot have such a value.
    """
    known = values_by_key(experiments)
    return [_condition(word, known) for word in words]


def values_by_key(experiments: Iterable[Metadata]) -> dict[str, list[Any]]:
    """Return the different values that each key has in any experiment, numbers in order."""
    known: dict[str, dict[Any, Any]] = {}
    for metadata in experiments:
        for key, values in metadata.parameters.items():
            # The text tells 1 from true, which are equal.
            known.setdefault(key, {}).update((str(canonical(v)), v) for v in values)
    return {key: sorted(values.values(), key=_order) for key, values in known.items()}


def since(text: str, now: datetime) -> datetime:
    """Return the time that a date, by default a local one, or a duration back from now stands for.

    Raises
    ------
    ConditionError
        If it is neither.
    """
    ago = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*({'|'.join(_UNITS)})", text.strip())
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError):
        raise ConditionError(
            f"--since {_shown(text)}: must be a date (2026-11-01), a time (2026-11-01T12:00) or "
            "a duration back from now (30min, 3h, 2d, 1w)"
        ) from None


def _condition(word: str, known: Mapping[str, Sequence[Any]]) -> Condition:
    key, equals, value = (part.strip() for part in word.partition("="))
    if not (key and equals):
        raise ConditionError(
            f"--where {_shown(word)}: must be KEY=VALUE, such as stdp.A_plus=0.008"
        )
    if known and key not in known:
        full = [name for name in known if name.rpartition(".")[2] == key]
        if len(full) != 1:
            raise ConditionError(f"{_shown(word)}: {_unknown(key, known)}")
        (key,) = full
    kinds = {_kind(value) for value in known.get(key, [])} - {"null"}
    # Any text may be a word, and where only null is known nothing tells what else may be.
    if kinds and "a word" not in kinds and _kind_of_text(value) not in {*kinds, "null"}:
        raise ConditionError(f"{_shown(word)}: must be {' or '.join(sorted(kinds))}, or null")
    return Condition(key, value)


def _unknown(key: str, known: Mapping[str, Any]) -> str:
    """Return that no experiment has a key, the nearest that one has, and those of its section."""
    by_leaf = {name.rpartition(".")[2].lower(): name for name in known}
    near = difflib.get_close_matches(key, known, n=1) or [
        by_leaf[leaf]
        for leaf in difflib.get_close_matches(key.rpartition(".")[2].lower(), by_leaf, n=1)
    ]
    section = f"{key.partition('.')[0]}."
    shown = [name for name in known if name.startswith(section)] or [
        f"{name.partition('.')[0]}.*" if "." in name else name for name in known
    ]
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"no experiment has this key{hint} (known: {', '.join(dict.fromkeys(sorted(shown)))})"


def _means(text: str, value: Any) -> bool:
    """Whether a text stands for a value of the file."""
    kind = _kind(value)
    if kind == "a word":
        return text == value
    if kind == "a number":
        return _kind_of_text(text) == kind and canonical(float(text)) == canonical(value)
    return text.lower() == span([value])


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else "a word"


def _kind_of_text(text: str) -> str:
    if text.lower() in ("null", "true", "false"):
        return "null" if text.lower() == "null" else "true or false"
    try:
        float(text)
    except ValueError:
        return "a word"
    return "a number"


def _order(value: Any) -> tuple[str, Any]:
    kind = _kind(value)
    return kind, value if kind == "a number" else str(value)


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
