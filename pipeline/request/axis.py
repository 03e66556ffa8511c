"""Axes of a sweep: keys, their values, and the settings of each value."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

from pipeline.model.errors import RequestError
from pipeline.model.number_lists import have_lists, labels_of, value_of_text, value_text
from pipeline.model.number_lists import listed as as_list
from pipeline.model.parameters import SECTIONS, all_quantities, declarations, short_name
from pipeline.model.plain_values import plain
from pipeline.model.quantity import Quantity, unknown_key, written
from pipeline.model.registry import REGISTRIES

#: Largest number of points of a sweep.
MOST_POINTS = 1_000_000

#: Largest number of axes: HDF5 has variables of up to 32 dimensions, and three may be further ones.
MOST_AXES = 29

#: Groups whose choices can be an axis. Recording is the same for all points of a file.
SWEPT_GROUPS = tuple(name for name in SECTIONS if name != "record")

#: Of keys and values, returns what is set instead.
Setting = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Axis:
    """One swept key.

    Attributes
    ----------
    key : str
        `stdp.A_plus`, `seed`, or a group such as `stdp`.
    values : sequence
        The coordinate along the axis: numbers, names of choices of a group, or, where a value
        may be a list of numbers, tuples.
    settings : sequence of dict
        The keys and values that each value of the axis sets.
    quantity : Quantity
        Long name and unit.

    Raises
    ------
    RequestError
        If there are no values, or a value is repeated.
    """

    key: str
    values: Sequence[Any]
    settings: Sequence[dict[str, Any]]
    quantity: Quantity

    def __post_init__(self) -> None:
        if not self.values:
            raise RequestError(f"{self.key}: the axis has no values; at least one is required")
        seen = set()
        for value in self.values:
            if value in seen:
                raise RequestError(
                    f"{written(self.key, value)}: repeated on its axis; each value must differ"
                )
            seen.add(value)

    @property
    def short_name(self) -> str:
        """The part of the key that no other key has, the name of the dimension."""
        return short_name(self.key)

    @property
    def has_lists(self) -> bool:
        """Whether a value is a list of numbers, one for each group."""
        return have_lists(self.values)

    @property
    def coordinate(self) -> list[Any]:
        """Values that can label points: where some are lists of numbers, the texts of all."""
        return labels_of(self.values)

    @property
    def text(self) -> str:
        """The values as on the command line, separated by commas."""
        return ",".join(map(value_text, self.values))

    @functools.cached_property
    def keys(self) -> frozenset[str]:
        """Every key that some value of the axis sets."""
        return frozenset(key for setting in self.settings for key in setting)

    @property
    def own_keys(self) -> frozenset[str]:
        """The keys whose values the user gives along the axis."""
        return frozenset({self.key})

    @property
    def precedence(self) -> int:
        """Rank among axes that set the same key, of which the highest one sets it."""
        return 0 if self.is_choice else 2

    @property
    def stored(self) -> Any:
        """The axis as plain values: a list, or a mapping from each value to its settings."""
        if self.sets_more:
            return dict(zip(self.coordinate, self.settings, strict=True))
        return list(map(as_list, self.values))

    def typed(self) -> dict[str, str]:
        """Return the keys that the axis sets itself, each with its values as text."""
        return {self.key: self.asked_by}

    @property
    def asked_by(self) -> str:
        """What asked for the axis, as it is written: "seed=1,2"."""
        return written(self.key, self.text)

    def plain_columns(self) -> dict[str, Sequence[Any]]:
        """Return the values by key that the axis sets one by one, each admitted; see `choice_at`.

        What else it sets comes from what is chosen, of which there may be few.
        """
        return {} if self.sets_by_choice else {self.key: self.values}

    @functools.cached_property
    def sets_by_choice(self) -> bool:
        """Whether it sets other keys than its own, its own to what are not its values, or a class.

        Rules and processes are classes of a section, and not values of a field of one of them.
        """
        return (
            self.sets_more
            or self.is_choice
            or self.key in REGISTRIES
            or any(
                setting[self.key] != as_list(value)
                for value, setting in zip(self.values, self.settings, strict=True)
            )
        )

    def choice_at(self, index: int) -> Any:
        """Return what is chosen at an index: the same where the same other keys are set."""
        return index if self.sets_by_choice else None

    def mapped(self, setting: Setting, value: Callable[[str, Any], Any] | None = None) -> Axis:
        """Return the axis with other settings, and possibly other values, of the same points.

        Parameters
        ----------
        setting : callable
            `setting(keys_and_values)` returns what is set instead.
        value : callable, optional
            `value(key, value)` returns the value instead.
        """
        values = self.values if value is None else tuple(value(self.key, v) for v in self.values)
        return dataclasses.replace(self, values=values, settings=tuple(map(setting, self.settings)))

    def without(self, keys: Collection[str]) -> Axis:
        """Return the axis without settings of some keys, which are not its own."""
        return self.mapped(lambda own: {k: v for k, v in own.items() if k not in keys})

    def given_columns(self) -> dict[str, Sequence[Any]]:
        """Return all values by key that the user gives."""
        return {self.key: self.values}

    def given_at(self, index: int) -> dict[str, Any]:
        """Return the values by key that the user gives at an index."""
        return {self.key: self.values[index]}

    def described(self, index: int) -> str:
        """Return one value as text: "rate_hz=10.0"."""
        return f"{self.short_name}={value_text(self.values[index])}"

    def place(self, index: int) -> str:
        """Return where a value stands, for messages about what it sets; empty if it says so."""
        return ""

    @functools.cached_property
    def sets_more(self) -> bool:
        """Whether a value of the axis sets other keys than its own."""
        return self.keys != {self.key}

    def sets(self, key: str) -> bool:
        """Whether the axis sets a key, or any key of a section if `key` ends with a dot."""
        return any(
            name == key or (key.endswith(".") and name.startswith(key)) for name in self.keys
        )

    @property
    def is_choice(self) -> bool:
        """Whether the values are choices of a group."""
        return self.key in SWEPT_GROUPS


def refuse_too_many(key: str, count: int) -> None:
    """Refuse an axis with more values than a sweep may have points.

    Raises
    ------
    RequestError
        If there are too many values.
    """
    if count > MOST_POINTS:
        raise RequestError(f"{key}: {count} values; an axis must have <= {MOST_POINTS}")


def listed(key: str, values: Any) -> list[Any]:
    """Return the values of an axis as a list.

    Raises
    ------
    RequestError
        If they are not a list of values, or too many.
    """
    if hasattr(values, "__array__"):  # as of numpy, pandas and xarray
        values = plain(values)
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise RequestError(f"{written(key, values)}: an axis needs a list of values")
    if isinstance(values, Sized):
        refuse_too_many(key, len(values))
    return list(values)


def value_axis(key: str, values: Iterable[Any]) -> Axis:
    """Return the axis of a single key.

    Raises
    ------
    RequestError
        As of `admitted`, and if a value is repeated.
    """
    clean, quantity = admitted(key, values)
    return Axis(key, clean, tuple({key: as_list(value)} for value in clean), quantity)


def sweepable_keys() -> list[str]:
    """Return every key and group that can be an axis, or have samples."""
    return [*SWEPT_GROUPS, *(key for key in all_quantities() if not key.startswith("record."))]


def admitted(key: str, values: Iterable[Any]) -> tuple[tuple[Any, ...], Quantity]:
    """Return values of a single key as the parameter admits them, and its quantity.

    Raises
    ------
    RequestError
        If the key is unknown or cannot be swept, or a value is not allowed.
    """
    values = listed(key, values)
    quantity = all_quantities().get(key)
    sweepable = sweepable_keys()
    if quantity is None or key not in sweepable:
        text = ",".join(map(value_text, values))
        known = quantity or key.partition(".")[0] in ("run", "record")
        raise unknown_key(key, text, sweepable, "cannot be swept" if known else "unknown axis")
    for value in values:
        if value is None:
            raise RequestError(f"{written(key, value)}: must be a value on an axis")
    declared = declared_without_null(key)
    try:
        return tuple(declared[0].admit_all(key, values)), quantity
    except RequestError:
        return tuple([admitted_by_any(declared, key, value) for value in values]), quantity


def restored_axis(key: str, values: Iterable[Any]) -> Axis:
    """Return the axis of a single key from stored values, lists of numbers possibly as text.

    Raises
    ------
    RequestError
        As of `value_axis`.
    """
    return value_axis(key, restored_values(key, values))


def restored_values(key: str, values: Iterable[Any]) -> list[Any]:
    """Return stored values of a key, lists of numbers possibly as text, as they were given."""
    if any(quantity.per_group for quantity in declarations(key)):
        values = map(value_of_text, values)
    return list(values)


def declared_without_null(key: str) -> list[Quantity]:
    """Return what the variants of a section declare under a key; null is no value on an axis."""
    return [dataclasses.replace(one, null="") for one in declarations(key)]


def admitted_by_any(declared: Sequence[Quantity], key: str, value: Any) -> Any:
    """Return a value as a variant of its section admits it; each point is checked by its own.

    Raises
    ------
    RequestError
        If none of them does, with what the first one admits.
    """
    refusals = []
    for quantity in declared:
        try:
            return quantity.admit(key, value)
        except RequestError as error:
            refusals.append(error)
    raise refusals[0]


def choice_axis(group: str, names: Sequence[str], settings: Sequence[dict[str, Any]]) -> Axis:
    """Return the axis of a group, from the names of its choices and the settings of each."""
    return Axis(group, tuple(names), tuple(settings), Quantity(SECTIONS[group].title))


def settings_at(axes: Sequence[Axis], index: Sequence[int]) -> dict[str, Any]:
    """Return the settings, by key, of the values at an index of some axes.

    An axis of a single key overrides samples, these override an axis of choices, and a later axis
    an earlier one.
    """
    settings: dict[str, Any] = {}
    for axis, i in sorted(zip(axes, index, strict=True), key=lambda pair: pair[0].precedence):
        settings |= axis.settings[i]
    return settings


def refuse_entangled(axes: Sequence[Axis]) -> None:
    """Refuse two axes that set the same key, as is possible with `${...}`: the value is ambiguous.

    The axis of a single key may override what the choices of its group set.

    Raises
    ------
    RequestError
        If two axes set a key that belongs to neither, or a key is swept and sampled.
    """
    for one, other in itertools.combinations(axes, 2):
        for key in sorted(one.own_keys & other.own_keys):
            raise RequestError(
                f"{key}: must be either an axis or sampled, not both ({one.asked_by} and "
                f"{other.asked_by})"
            )
        for key in one.keys & other.keys - one.own_keys - other.own_keys:
            raise RequestError(
                f"{key}: depends on both {one.key} and {other.key}; one of them must be fixed"
            )
