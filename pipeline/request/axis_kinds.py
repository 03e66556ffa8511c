"""The kinds of axes: how the values of an axis are written, and what each of them sets.

A new kind is an entry in `AXIS_KINDS`.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.composition.choices import not_a_choice
from pipeline.model.contents import HASHED
from pipeline.model.errors import RequestError
from pipeline.model.number_lists import as_tuple
from pipeline.model.number_lists import listed as listed_value
from pipeline.model.parameters import SECTIONS, all_quantities
from pipeline.model.quantity import Quantity, refuse_unknown_keys, written
from pipeline.model.registry import REGISTRIES
from pipeline.request.axis import (
    SWEPT_GROUPS,
    Axis,
    admitted,
    choice_axis,
    listed,
    restored_axis,
    restored_values,
    value_axis,
)
from pipeline.request.samples import (
    SAMPLE,
    Column,
    SampleAxis,
    Samples,
    SampleSettings,
    located,
    sample_axis,
    values_of_sample,
)


class Composition(Protocol):
    """What the axes of a sweep are made from; `overrides` has it from Hydra.

    Attributes
    ----------
    base : dict
        Values by key where no axis sets any.
    unchosen : dict
        Values by key where no choice of a swept group is made.
    referred_to : frozenset of str
        Every word within the `${...}` of the parameters: last parts of keys among them.
    swept : frozenset of str
        The keys of all axes.
    """

    @property
    def base(self) -> dict[str, Any]: ...  # noqa: D102 - see above
    @property
    def unchosen(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def referred_to(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def swept(self) -> frozenset[str]: ...  # noqa: D102

    def with_choice(self, group: str, name: str) -> dict[str, Any]:
        """Return values by key with the choice of a group."""

    def with_value(self, key: str, value: Any) -> dict[str, Any]:
        """Return values by key with another value of a key, and of what refers to it."""

    def following(self, keys: Sequence[str], rows: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
        """Return the values by key of what refers to some keys, for each row of values of these."""

    def with_variant(self, key: str, name: str) -> dict[str, Any]:
        """Return values by key of a section with another rule or process."""

    def with_content(self, key: str, name: str) -> dict[str, Any]:
        """Return the keys and values that the name of events or weights sets."""


@dataclass(frozen=True)
class AxisKind:
    """One kind of axis.

    Attributes
    ----------
    claims : callable
        `claims(key)` returns whether the axis of a key is of this kind.
    build : callable
        `build(key, values, composition)` returns the axis of the requested values.
    restore : callable
        `restore(key, values)` returns the axis from plain values, as in `configuration.yaml`: a
        list, or a mapping from each value to its settings; of samples see `SampleAxis.stored`.
    """

    claims: Callable[[str], bool]
    build: Callable[[str, Any, Composition], Axis]
    restore: Callable[[str, Any], Axis]


def kind_of(key: str) -> AxisKind:
    """Return the kind of the axis of a key: the first that claims it."""
    return next(kind for kind in AXIS_KINDS.values() if kind.claims(key))


def _group_axis(group: str, names: Iterable[Any], composition: Composition) -> Axis:
    """Return the axis of a group; each choice is composed once, for all keys that it changes."""
    names = listed(group, names)
    for name in names:
        if not isinstance(name, str):
            raise not_a_choice(group, name)
    choices = _without_fields_of_others(
        group, [composition.with_choice(group, name) for name in names]
    )
    for choice in choices:
        _refuse_incomplete(group, choice, composition.swept)
    return choice_axis(group, names, _changes(composition.unchosen, choices, f"{group}."))


def _refuse_incomplete(group: str, choice: Mapping[str, Any], swept: Iterable[str]) -> None:
    """Refuse a choice that lacks a field without neutral value, unless an axis sets it.

    Another choice of the axis, or the default one, does not stand in for it.
    """
    given: dict[str, Any] = {**dict.fromkeys(swept), **choice}
    own = {
        key.removeprefix(f"{group}."): value
        for key, value in given.items()
        if key.startswith(f"{group}.")
    }
    variant: Any = SECTIONS[group].variant(own)
    for name in own:
        if name not in variant.quantities() and variant.key(name) in swept:
            raise RequestError(
                f"{variant.key(name)}: must not be an axis together with "
                f"{written(f'{group}.{variant.chosen_by}', variant.name)}, which has no such field"
            )
    refuse_unknown_keys(variant, own)


def _without_fields_of_others(
    group: str, choices: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return choices without fields that only the rules or processes of others have.

    What is set for all choices is for those that have the field, and use it; one that none has is
    refused.
    """
    section, fields, unused = SECTIONS[group], [], []
    for choice in choices:
        own = {
            key.removeprefix(f"{group}."): value
            for key, value in choice.items()
            if key.startswith(f"{group}.")
        }
        variant = section.variant(own)
        fields.append({f"{group}.{name}" for name in variant.quantities()})
        unused.append({f"{group}.{name}" for name in getattr(variant, "unused", ())})
    every = set().union(*fields)
    used = set().union(*(own - idle for own, idle in zip(fields, unused, strict=True)))
    return [
        {
            key: None if key in idle & used else value
            for key, value in choice.items()
            if key in own or key not in every
        }
        for choice, own, idle in zip(choices, fields, unused, strict=True)
    ]


def _variant_axis(key: str, values: Iterable[Any], composition: Composition) -> Axis:
    """Return the axis of rules or processes, each of which sets all fields of its section."""
    axis, section = value_axis(key, values), key.partition(".")[0]
    choices = _without_fields_of_others(
        section, [composition.with_variant(key, name) for name in axis.values]
    )
    for choice in choices:
        _refuse_incomplete(section, choice, composition.swept)
    others = composition.swept - {key}
    settings = tuple({k: v for k, v in one.items() if k not in others} for one in choices)
    return dataclasses.replace(axis, settings=settings)


def _restored_group_axis(group: str, choices: Mapping[str, dict[str, Any]]) -> Axis:
    return choice_axis(group, list(choices), list(choices.values()))


def _key_axis(key: str, values: Iterable[Any], composition: Composition) -> Axis:
    """Return the axis of a single key, with the keys that follow its values by `${...}`."""
    axis = value_axis(key, values)
    if key.rpartition(".")[2] not in composition.referred_to:
        return axis
    resolved = [composition.with_value(key, listed_value(value)) for value in axis.values]
    others = composition.swept - {key}
    settings = _changes(composition.base, resolved, key, without=others)
    return dataclasses.replace(axis, settings=tuple(settings))


def _content_axis(key: str, values: Iterable[Any], composition: Composition) -> Axis:
    """Return the axis of a key that names contents, each of which sets its hash as well."""
    axis = value_axis(key, values)
    settings = tuple(composition.with_content(key, name) for name in axis.values)
    return dataclasses.replace(axis, settings=settings)


def _restored_key_axis(key: str, values: Sequence[Any] | Mapping[Any, dict[str, Any]]) -> Axis:
    axis = restored_axis(key, list(values))
    if isinstance(values, Mapping):
        return dataclasses.replace(axis, settings=tuple(values.values()))
    return axis


def _sample_axis(_: str, samples: Samples, composition: Composition) -> SampleAxis:
    """Return the axis of samples, with the keys that follow their values by `${...}`."""
    columns = [_column(key, samples, composition) for key in samples.columns]
    if repeated := SampleSettings(columns).repeated():
        first, second = repeated
        source, values = samples.source, values_of_sample(columns, second)
        raise RequestError(
            f"{source.named(second)}: is the same as {source.place(first)} ({values}); each must "
            "differ"
        )
    every = [*columns, *_tied(columns, composition)]
    return sample_axis(every, samples.generator, samples.source)


def _column(key: str, samples: Samples, composition: Composition) -> Column:
    """Return the values of a sampled key."""
    kind, values = kind_of(key), tuple(listed(key, samples.columns[key]))
    if key not in SWEPT_GROUPS:
        values, quantity = located(functools.partial(admitted, key), values, samples)
    if kind is AXIS_KINDS["key"]:
        return Column(key, values, quantity)
    axis = located(
        lambda some: kind.build(key, tuple(dict.fromkeys(some)), composition), values, samples
    )
    return Column(key, values, axis.quantity, dict(zip(axis.values, axis.settings, strict=True)))


def _tied(columns: Sequence[Column], composition: Composition) -> list[Column]:
    """Return the values of the keys that follow those of some columns.

    Raises
    ------
    RequestError
        If such a key follows a choice as well: the value is ambiguous.
    """
    plain_columns = [column for column in columns if not column.choices]
    keys = [column.key for column in plain_columns]
    if not {key.rpartition(".")[2] for key in keys} & composition.referred_to:
        return []
    rows = zip(*[column.values for column in plain_columns], strict=True)
    tied = composition.following(keys, rows)
    for column in columns:
        for key in sorted({k for one in column.choices.values() for k in one} & tied.keys()):
            raise RequestError(
                f"{key}: depends on both {column.key} and another key of the samples; one of them "
                "must be fixed"
            )
    quantities = all_quantities()
    return [
        Column(key, tuple(map(as_tuple, values)), quantities.get(key, Quantity(key)), tied=True)
        for key, values in sorted(tied.items())
    ]


def _restored_sample_axis(_: str, stored: Mapping[str, Any]) -> SampleAxis:
    sampled, choices = stored["sampled"], stored.get("settings", {})
    columns = []
    for key, values in stored["columns"].items():
        if key in SWEPT_GROUPS:
            clean, quantity = tuple(values), Quantity(SECTIONS[key].title)
        else:
            # Of a key that only some rules have, or that is null somewhere.
            given = [value for value in restored_values(key, values) if value is not None]
            own, quantity = admitted(key, given)
            remaining = iter(own)
            clean = tuple(None if value is None else next(remaining) for value in values)
        columns.append(Column(key, clean, quantity, choices.get(key, {}), tied=key not in sampled))
    return sample_axis(columns, stored.get("generator"))


def _changes(
    base: dict[str, Any],
    choices: list[dict[str, Any]],
    own: str,
    without: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """Return for each choice its own keys, and all keys that differ from the base in any choice.

    Parameters
    ----------
    base : dict
        Values by key where nothing is chosen.
    choices : list of dict
        Values by key of each choice; choices may differ in their own keys.
    own : str
        A key, or all keys of a section when it ends with a dot.
    without : iterable of str
        Keys to leave out.
    """
    changed = {
        key
        for choice in choices
        for key, value in choice.items()
        if key == own
        or (own.endswith(".") and key.startswith(own))
        or (key not in without and base.get(key) != value)
    }
    return [{key: value for key, value in choice.items() if key in changed} for choice in choices]


#: By name; the first that claims a key is its kind.
AXIS_KINDS: dict[str, AxisKind] = {
    "sample": AxisKind(lambda key: key == SAMPLE, _sample_axis, _restored_sample_axis),
    "group": AxisKind(lambda key: key in SWEPT_GROUPS, _group_axis, _restored_group_axis),
    "variant": AxisKind(lambda key: key in REGISTRIES, _variant_axis, _restored_key_axis),
    "content": AxisKind(lambda key: key in HASHED, _content_axis, _restored_key_axis),
    "key": AxisKind(lambda key: True, _key_axis, _restored_key_axis),
}
