"""Union of an earlier and a new request: the grid that holds the points of both."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.model.errors import RequestError
from pipeline.model.number_lists import listed
from pipeline.model.parameters import by_key
from pipeline.model.plasticity import Rule
from pipeline.model.quantity import written
from pipeline.model.registry import REGISTRIES
from pipeline.request.axis import Axis, refuse_entangled
from pipeline.request.grid import Grid
from pipeline.request.spec import (
    GROWN_FROM,
    SOURCES,
    Request,
    base_and_axes,
    completed_request,
    request_of,
)

#: The key that may grow.
DURATION = "simulation.duration"


def united(asked: Grid, earlier: Request) -> Grid:
    """Return the grid with all axes and values of both requests.

    Where only one of them sweeps a key, the points of the other have their constant value on that
    axis.

    Raises
    ------
    RequestError
        If no grid holds every point of both.
    """
    base, axes = base_and_axes(earlier)
    there = {axis.key: axis for axis in axes}
    _, completed = base_and_axes(request_of(asked))  # choices have neutral values, as those there
    here = {axis.key: axis for axis in completed}
    if there == here and not differences(asked, earlier):
        return asked
    merged = []
    for key in {**here, **there} if there.keys() <= here.keys() else {**there, **here}:
        first = there.get(key) or _fixed_axis(here[key], base, axes)
        second = here.get(key) or _fixed_axis(there[key], asked.base, asked.axes)
        # A choice is a whole section, and another choice may have other fields; a rule likewise.
        own = f"{key.partition('.')[0] if key in REGISTRIES else key}."
        keys = {k for k in first.keys | second.keys if not k.startswith(own)}
        first, second = _completed(first, keys, base), _completed(second, keys, asked.base)
        merged.append(_merged(first, second))
    union = Grid(asked.base, _disentangled(merged))
    if not (union.keys.cover(Grid(base, axes).keys) and union.keys.cover(asked.keys)):
        raise RequestError("its points and those requested do not fit on one grid")
    return union


def lengthened(asked: Grid, earlier: Request) -> tuple[Request, list[float]]:
    """Return an earlier request at the duration that is asked now, if that is longer.

    Parameters
    ----------
    asked : Grid
        The points that are requested now.
    earlier : mapping
        The earlier request.

    Returns
    -------
    request : mapping
        The earlier one, with the duration of the new one where only that became longer.
    durations : list of float
        The durations [ms] from which points go on; none where the duration is but a limit.

    Raises
    ------
    RequestError
        If the new limit of runs until they have settled is below the earlier one.
    """
    durations = list(earlier.get(GROWN_FROM, []))
    simulation = dict(completed_request(earlier).get("simulation", {}))
    here, there = asked.points[0].simulation, simulation.get("duration")
    if there is None or asked.axes_of([DURATION]) or here.until != simulation.get("until"):
        return earlier, durations
    if here.ends_when_settled and here.duration < there:
        raise RequestError(
            f"{written(DURATION, here.duration)}: must be >= {there:.15g} ms, the limit of the "
            "runs there"
        )
    if here.duration > there:
        durations += [] if here.ends_when_settled else [there]
        simulation["duration"] = here.duration
        earlier = {**earlier, "simulation": simulation}
    return earlier, durations


def differences(asked: Grid, earlier: Request) -> dict[str, tuple[Any, Any]]:
    """Return the constants that differ by key: the value of the earlier request, and that asked."""
    here, there = by_key(request_of(asked)), by_key(completed_request(earlier))
    return {
        key: (there[key], here[key])
        for key in sorted(there.keys() & here.keys())
        if not key.startswith(("axes.", "model_version", f"{SOURCES}.")) and here[key] != there[key]
    }


def _fixed_axis(axis: Axis, base: Mapping[str, Any], axes: Sequence[Axis]) -> Axis:
    """Return the axis with the value that a request without this axis has for its key."""
    values = by_key(base)
    swept = {key for other in axes for key in other.keys}
    if not axis.is_choice:
        fixed = _values_of(axis.key, base, axes)
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
        f"{axis.key}={','.join(axis.values)}: swept in only one of the two requests, and the "
        "constants of the other are none of these choices"
    )


def _values_of(key: str, base: Mapping[str, Any], axes: Sequence[Axis]) -> list[Any]:
    """Return the values of a key in a request that does not sweep it.

    It is one value, unless the key is null and follows an axis, or a swept group sets it.
    """
    section, _, name = key.rpartition(".")
    # A field of a rule may follow any other one.
    deciding = f"{section}." if section == Rule.section else key
    relevant = [axis for axis in axes if axis.sets(deciding)]
    values = []
    for point in Grid(base, relevant).points:
        part = getattr(point, section) if section else point
        if name not in part.quantities():
            raise RequestError(f"{key}: is not a field of one of the two requests")
        values.append(part.value_of(name) if isinstance(part, Rule) else getattr(part, name))
        if values[-1] is None:  # another field replaces it
            raise RequestError(f"{key}: has no value of its own in one of the two requests")
    return list(dict.fromkeys(values))


def _same(one: Mapping[str, Any], other: Mapping[str, Any], key: str) -> bool:
    """Whether two mappings have a key, and the same value of it."""
    return key in one and key in other and one[key] == other[key]


def _completed(axis: Axis, keys: Iterable[str], base: Mapping[str, Any]) -> Axis:
    """Return the axis with every value setting all of the keys, by default to those of the base."""
    values = by_key(base)
    fixed = {key: values[key] for key in keys if key in values}
    return dataclasses.replace(axis, settings=tuple(fixed | own for own in axis.settings))


def _merged(there: Axis, here: Axis) -> Axis:
    """Return the axis with the values of both; a value in both must have the same settings."""
    settings = dict(zip(there.values, there.settings, strict=True))
    for value, own in zip(here.values, here.settings, strict=True):
        other = settings.setdefault(value, own)
        for key in own | other:
            if not _same(own, other, key):
                there_text, here_text = (
                    written(key, setting[key]) if key in setting else f"no {key}"
                    for setting in (other, own)
                )
                raise RequestError(
                    f"{written(here.key, value)}: sets {there_text} there and {here_text} here"
                )
    values = _joined(there.values, here.values)
    return dataclasses.replace(here, values=values, settings=tuple(settings[v] for v in values))


def _disentangled(axes: Sequence[Axis]) -> list[Axis]:
    """Return axes without settings of keys of other axes, as may result from `${...}`.

    Axes of groups keep them: the axis of a single key overrides the choice of its group.
    """
    own = {axis.key for axis in axes}
    clean = []
    for axis in axes:
        others = set() if axis.is_choice else own - {axis.key}
        settings = tuple(
            {key: value for key, value in setting.items() if key not in others}
            for setting in axis.settings
        )
        clean.append(dataclasses.replace(axis, settings=settings))
    refuse_entangled(clean)
    return clean


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
