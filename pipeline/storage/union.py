"""Union of a request with the earlier one of a directory, or with those of other shards."""

from __future__ import annotations

from pipeline.composition.shard import Shard
from pipeline.model.errors import RequestError
from pipeline.model.parameters import MODEL_VERSION
from pipeline.model.quantity import written
from pipeline.request.grid import Grid
from pipeline.request.merge import (
    DURATION,
    differences,
    differences_in_words,
    lengthened,
    united,
)
from pipeline.request.spec import SOURCES, Request
from pipeline.storage.directory import Directory
from pipeline.storage.own_contents import known_and_named
from pipeline.storage.own_sources import refuse_other_sources


def united_with_earlier(
    asked: Grid, earlier: Request, directory: Directory
) -> tuple[Grid, list[float]]:
    """Return the grid of all points that are requested in a directory, now and earlier.

    An earlier request without results is replaced where both do not fit on one grid.

    Parameters
    ----------
    asked : Grid
        The points that are requested now.
    earlier : mapping
        The earlier request of the directory.
    directory : Directory
        The directory.

    Returns
    -------
    grid : Grid
        All points.
    durations : list of float
        The durations [ms] from which points go on.

    Raises
    ------
    RequestError
        If one file cannot hold the points of both requests.
    """
    if SOURCES in earlier and directory.has_points():
        refuse_other_sources(asked, earlier, directory)
    try:
        earlier, grown_from = lengthened(asked, earlier)
        return united(asked, earlier), grown_from
    except RequestError as error:
        if not directory.has_points():
            return asked, []
        raise RequestError(_refusal(asked, directory, earlier, str(error))) from error


def _refusal(asked: Grid, directory: Directory, earlier: Request, reason: str) -> str:
    """Return why one file cannot hold the points of the directory and those requested."""
    different = differences(asked, earlier)
    until_settled = asked.points[0].simulation.ends_when_settled
    is_limit = until_settled and different.keys() == {DURATION}
    if not different or is_limit or earlier["model_version"] != MODEL_VERSION:
        return f"{directory.path}: {reason}; choose another name"
    shown = differences_in_words(asked, earlier)
    way_out = "choose another name"
    if directory.shard:
        way_out = f"move it away to begin the shard anew, or {way_out}"
    if axes := _both_swept(asked, earlier):
        other_way = way_out if directory.shard else f"or {way_out}"
        way_out = f"sweep both values to have both in one file ({axes}), {other_way}"
    return f"{directory.path}: holds an experiment with other settings ({shown}); {way_out}"


def _both_swept(asked: Grid, earlier: Request) -> str:
    """Return overrides that sweep the values of both requests; empty where they cannot be swept."""
    different = differences(asked, earlier)
    values = [value for pair in different.values() for value in pair]
    if "simulation.until" in different:
        return ""
    if any(value is None or isinstance(value, bool) for value in values):
        return ""
    return " ".join(f"{key}={there},{here}" for key, (there, here) in different.items())


def refuse_unlike(asked: Grid, shard: Shard, other: Directory, earlier: Request) -> None:
    """Refuse to run a shard with which another part of the experiment could not be merged.

    Parameters
    ----------
    asked : Grid
        The points that are requested of all shards.
    shard : Shard
        The one that is to be run.
    other : Directory
        The directory of another shard, or of the experiment, into which shards were merged.
    earlier : mapping
        The request of that one.

    Raises
    ------
    RequestError
        If one file cannot hold the points of both requests.
    """
    refuse_other_sources(asked, earlier, other)
    asked = known_and_named(asked, earlier, other)
    try:
        earlier, _ = lengthened(asked, earlier)
        united(asked, earlier)
    except RequestError as error:
        is_other_model = earlier["model_version"] != MODEL_VERSION
        shown = "" if is_other_model else differences_in_words(asked, earlier)
        axes = "" if is_other_model else _both_swept(asked, earlier)
        ways_out = [f"sweep both values in every shard ({axes})"] if axes else []
        ways_out += ["choose another name"]
        if other.shard:
            ways_out += [f"move {other.path} away if that is the wrong one"]
        raise RequestError(
            f"{written('run.shard', str(shard))}: must have the settings of {other.path}, with "
            f"which it will be merged ({shown or error}); {', or '.join(ways_out)}"
        ) from error
