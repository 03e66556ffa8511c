"""Union of two axes of a key, of which one request may have a constant value instead."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.model.errors import RequestError
from pipeline.model.number_lists import listed
from pipeline.model.parameters import by_key
from pipeline.model.plasticity import Rule
from pipeline.model.quantity import written
from pipeline.model.registry import REGISTRIES
from pipeline.request.axis import Axis
from pipeline.request.grid import Grid


class Side(NamedTuple):
    """One of the two requests.

    Attributes
    ----------
    axis : Axis or None
        Its axis of a key, if it has one.
    base : mapping
        Its configuration with the first value of each axis.
    axes : sequence of Axis
        All of its axes.
    where : str
        Where it was made, in messages: "here", or "in outputs/NAME".
    """

    axis: Axis | None
    base: Mapping[str, Any]
    axes: Sequence[Axis]
    where: str


def united_axis(there: Side, here: Side) -> Axis:
    """Return the axis with the values of both sides, of which one may have a constant."""
    some = here.axis or there.axis
    assert some is not None
    key = some.key
    first, second = (side.axis or fixed_axis(some, side) for side in (there, here))
    # A choice is a whole section, and another choice may have other fields; a rule likewise.
    own = f"{key.partition('.')[0] if key in REGISTRIES else key}."
    keys = {k for k in first.keys | second.keys if not k.startswith(own)}
    completed = _completed(first, keys, there.base), _completed(second, keys, here.base)
    return _merged(*completed, (there.where, here.where))


def fixed_axis(axis: Axis, side: Side) -> Axis:
    """Return the axis with the value that a request without this axis has for its key."""
    values = by_key(side.base)
    swept = {key for other in side.axes for key in other.keys}
    if not axis.is_choice:
        fixed = _values_of(axis.key, side)
        settings = tuple(
            {key: values[key] for key in axis.keys if key in values} | {axis.key: listed(value)}
            for value in fixed
        )
        return dataclasses.replace(axis, values=tuple(fixed), settings=settings)
    own = {key for key in values if key.startswith(f"{axis.key}.")}
    for name, choice in zip(axis.values, axis.settings, strict=True):
        compared = (own | choice.keys()) - swept
        if all(_same(choice, values, key) for key in compared):
            return dataclasses.replace(axis, values=(name,), settings=(choice,))
    raise RequestError(
        f"{axis.key}={','.join(axis.values)}: the constants {side.where} are none of these choices"
    )


def _values_of(key: str, side: Side) -> list[Any]:
    """Return the values of a key in a request that does not sweep it.

    It is one value, unless the key is null and follows an axis, or a swept group sets it.
    """
    section, _, name = key.rpartition(".")
    # A field of a rule may follow any other one.
    deciding = f"{section}." if section == Rule.section else key
    relevant = [axis for axis in side.axes if axis.sets(deciding)]
    values = []
    for point in Grid(side.base, relevant).points:
        part = getattr(point, section) if section else point
        if name not in part.quantities():
            raise RequestError(f"{key}: is not a field {side.where}")
        values.append(part.value_of(name) if isinstance(part, Rule) else getattr(part, name))
        if values[-1] is None:  # another field replaces it
            raise RequestError(f"{key}: has no value of its own {side.where}")
    return list(dict.fromkeys(values))


def _same(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    """Whether two mappings have a key, and the same value of it."""
    return key in one and key in other and one[key] == other[key]


def _completed(axis: Axis, keys: Iterable[str], base: Mapping[str, Any]) -> Axis:
    """Return the axis with every value setting all of the keys, by default to those of the base."""
    values = by_key(base)
    fixed = {key: values[key] for key in keys if key in values}
    return dataclasses.replace(axis, settings=tuple(fixed | own for own in axis.settings))


def _merged(there: Axis, here: Axis, where: tuple[str, str]) -> Axis:
    """Return the axis with the values of both; a value in both must have the same settings."""
    settings = dict(zip(there.values, there.settings, strict=True))
    for value, own in zip(here.values, here.settings, strict=True):
        other = settings.setdefault(value, own)
        for key in own | other:
            if not _same(own, other, key):
                there_text, here_text = (
                    f"{written(key, setting[key]) if key in setting else f'no {key}'} {place}"
                    for setting, place in zip((other, own), where, strict=True)
                )
                raise RequestError(f"{written(here.key, value)}: sets {there_text} and {here_text}")
    values = _joined(there.values, here.values)
    return dataclasses.replace(here, values=values, settings=tuple(settings[v] for v in values))


def _joined(first: Sequence[Any], second: Sequence[Any]) -> tuple[Any, ...]:
    """Return the values of both: sorted if both are, else in the order of their appearance."""
    both = list(dict.fromkeys([*first, *second]))
    for descending in (False, True):
        if _is_sorted(first, descending) and _is_sorted(second, descending):
            return tuple(sorted(both, reverse=descending))
    return tuple(both)


def _is_sorted(values: Iterable[Any], descending: bool) -> bool:
    """Whether numbers are sorted; False for text and lists, whose order is the user's."""
    values = list(values)
    if any(isinstance(value, str | tuple) for value in values):
        return False
    return values == sorted(values, reverse=descending)
