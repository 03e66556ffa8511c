"""Union of an earlier and a new request: the grid that holds the points of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pipeline.model.errors import RequestError
from pipeline.model.parameters import by_key
from pipeline.model.quantity import written
from pipeline.request.axis import Axis, refuse_entangled
from pipeline.request.axis_union import Side, united_axis
from pipeline.request.grid import Grid
from pipeline.request.sample_union import refuse_swept_and_sampled, united_samples
from pipeline.request.samples import SAMPLE
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

#: Largest number of differences that a message names.
_MOST_NAMED = 3


class Where(NamedTuple):
    """Where two requests were made, in messages: as "there" and "here", or "in outputs/NAME"."""

    earlier: str
    asked: str


THERE_AND_HERE = Where("there", "here")


def united(asked: Grid, earlier: Request, where: Where = THERE_AND_HERE) -> Grid:
    """Return the grid with all axes and values of both requests.

    Where only one of them sweeps a key, the points of the other have their constant value on that
    axis.

    Parameters
    ----------
    asked : Grid
        The points that are requested now.
    earlier : mapping
        The earlier request.
    where : Where
        Where both were made, in messages.

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
    sides = Side(None, base, axes, where.earlier), Side(None, asked.base, asked.axes, where.asked)
    refuse_swept_and_sampled(*sides)
    merged: list[Axis] = []
    for key in {**here, **there} if there.keys() <= here.keys() else {**there, **here}:
        sides = sides[0]._replace(axis=there.get(key)), sides[1]._replace(axis=here.get(key))
        merged.append(united_samples(*sides) if key == SAMPLE else united_axis(*sides))
    union = Grid(asked.base, _disentangled(merged))
    if not (union.keys.cover(Grid(base, axes).keys) and union.keys.cover(asked.keys)):
        raise RequestError(
            f"points {where.earlier} and points {where.asked} do not fit on one grid"
        )
    return union


def lengthened(
    asked: Grid, earlier: Request, where: Where = THERE_AND_HERE
) -> tuple[Request, list[float]]:
    """Return an earlier request at the duration that is asked now, if that is longer.

    Parameters
    ----------
    asked : Grid
        The points that are requested now.
    earlier : mapping
        The earlier request.
    where : Where
        Where both were made, in messages.

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
            f"runs {where.earlier}"
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


def differences_in_words(asked: Grid, earlier: Request, where: Where = THERE_AND_HERE) -> str:
    """Return the first constants that differ, with their values in both; empty if none does."""
    return "; ".join(
        f"{written(key, there)} {where.earlier} and {written(key, here)} {where.asked}"
        for key, (there, here) in [*differences(asked, earlier).items()][:_MOST_NAMED]
    )


def _disentangled(axes: Sequence[Axis]) -> list[Axis]:
    """Return axes without settings of keys of other axes, as may result from `${...}`.

    Axes of groups keep them: the axis of a single key overrides the choice of its group.
    """
    own = {key for axis in axes for key in axis.own_keys}
    clean = []
    for axis in axes:
        others = set() if axis.is_choice else own - axis.own_keys
        clean.append(axis.without(others) if others & axis.keys else axis)
    refuse_entangled(clean)
    return clean
