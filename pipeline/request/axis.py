"""Axes: swept keys, the values of each, and what each value sets."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

from pipeline.model.errors import RequestError
from pipeline.model.parameters import SECTIONS, all_quantities, declarations
from pipeline.model.quantity import Quantity, unknown_key, written

#: A larger grid is taken for a slip of the keyboard.
MOST_POINTS = 1_000_000

#: Groups whose choices can be an axis. How points are recorded is one choice for a whole file.
SWEPT_GROUPS = tuple(name for name in SECTIONS if name != "record")


@dataclass(frozen=True)
class Axis:
    """One swept key.

    Attributes
    ----------
    key : str
        `stdp.A_plus`, `seed`, or a group such as `stdp`.
    values : tuple
        The coordinate along the axis: numbers, or the names of a group's choices.
    settings : tuple of dict
        What each value sets, by key.
    quantity : Quantity
        Long name and unit.
    """

    key: str
    values: tuple[Any, ...]
    settings: tuple[dict[str, Any], ...]
    quantity: Quantity

    def __post_init__(self) -> None:
        if not self.values:
            raise RequestError(f"{self.key}: the axis has no values; it needs at least one")
        seen = set()
        for value in self.values:
            if value in seen:
                raise RequestError(
                    f"{written(self.key, value)}: repeated on its axis; each value must differ"
                )
            seen.add(value)

    @property
    def short_name(self) -> str:
        """Last word of the key: the name of the dimension."""
        return self.key.rpartition(".")[2]

    @functools.cached_property
    def keys(self) -> frozenset[str]:
        """Every key that some value of the axis sets."""
        return frozenset(key for setting in self.settings for key in setting)

    @property
    def sets_more(self) -> bool:
        """Whether a value of the axis sets other keys than its own."""
        return self.keys != {self.key}

    def sets(self, key: str) -> bool:
        """Whether the axis sets a key, or any key of a section when `key` ends with a dot."""
        return any(
            name == key or (key.endswith(".") and name.startswith(key)) for name in self.keys
        )

    @property
    def is_choice(self) -> bool:
        """Whether the axis runs over the choices of a group."""
        return self.key in SWEPT_GROUPS


def refuse_too_many(key: str, count: int) -> None:
    """Raise `RequestError` if an axis has more values than a sweep may have points."""
    if count > MOST_POINTS:
        raise RequestError(f"{key}: {count} values; an axis must have <= {MOST_POINTS}")


def listed(key: str, values: Any) -> list[Any]:
    """Return the values given for an axis as a list; raise `RequestError` if they are none."""
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise RequestError(f"{written(key, values)}: an axis needs a list of values")
    if isinstance(values, Sized):
        refuse_too_many(key, len(values))
    return list(values)


def value_axis(key: str, values: Iterable[Any]) -> Axis:
    """Return the axis of a number or word.

    Raises
    ------
    RequestError
        If the key is unknown or cannot be swept, or a value is not allowed.
    """
    values = listed(key, values)
    quantity = all_quantities().get(key)
    sweepable = [*SWEPT_GROUPS, *(k for k in all_quantities() if not k.startswith("record."))]
    if quantity is None or key not in sweepable:
        text = ",".join(map(str, values))
        known = quantity or key.partition(".")[0] in ("run", "record")
        raise unknown_key(key, text, sweepable, "cannot be swept" if known else "unknown axis")
    for value in values:
        if value is None:
            raise RequestError(f"{written(key, value)}: must be a number on an axis")
    clean = tuple(_admitted(key, value) for value in values)
    return Axis(key, clean, tuple({key: value} for value in clean), quantity)


def _admitted(key: str, value: Any) -> Any:
    """Return a value as a variant of its section admits it; each point is checked by its own."""
    refusals = []
    for quantity in declarations(key):
        try:
            return quantity.admit(key, value)
        except RequestError as error:
            refusals.append(error)
    raise refusals[0]


def choice_axis(group: str, names: Sequence[str], settings: Sequence[dict[str, Any]]) -> Axis:
    """Return the axis of a group: the names of its choices and what each one sets, by key."""
    return Axis(group, tuple(names), tuple(settings), Quantity(SECTIONS[group].title))


def settings_at(axes: Sequence[Axis], index: Sequence[int]) -> dict[str, Any]:
    """Return what the values at an index of some axes set, by key.

    An axis of single values overrides an axis of choices, a later one an earlier one.
    """
    settings: dict[str, Any] = {}
    for axis, i in sorted(zip(axes, index, strict=True), key=lambda pair: not pair[0].is_choice):
        settings |= axis.settings[i]
    return settings


def refuse_entangled(axes: Sequence[Axis]) -> None:
    """Refuse axes of which two set one key, as by `${...}`: each is made without the other.

    But a single value may lie over what the choice of a group sets.
    """
    for one, other in itertools.combinations(axes, 2):
        for key in one.keys & other.keys - {one.key, other.key}:
            raise RequestError(
                f"{key}: depends on both {one.key} and {other.key}; one of them must be fixed"
            )
