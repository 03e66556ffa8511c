"""Events and weights of the user's own in the folder `given` of a directory."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.composition.kept_contents import (
    COPY,
    NOTE,
    is_copied,
    read_kept,
    write_kept,
    write_note,
)
from pipeline.model.contents import HASHED, content_of, remember
from pipeline.model.errors import RequestError
from pipeline.model.event_content import EventContent
from pipeline.model.event_sources import NOT_READABLE, EventFile
from pipeline.model.quantity import written
from pipeline.request.grid import Grid
from pipeline.request.spec import Request, settings_in
from pipeline.storage.directory import Directory
from pipeline.system.atomic_files import replacing

log = logging.getLogger("pipeline")

#: Key, name and hash of a content.
Named = tuple[str, str, str]


def named_contents(request: Request) -> Iterator[Named]:
    """Yield the contents that a request refers to."""
    for key, hash_key in HASHED.items():
        section, _, field = key.partition(".")
        values = request.get(section, {})
        constant = {f"{section}.{name}": value for name, value in values.items()}
        for found in (constant, *settings_in(request["axes"])):
            if found.get(key) is not None and found.get(hash_key) is not None:
                yield key, found[key], found[hash_key]


def _naming(grid: Grid) -> Request:
    """Return the request of a grid, of its axes those that name contents: others may be long."""
    named = [axis for axis in grid.axes if axis.keys & HASHED.keys()]
    axes = {axis.key: axis.stored for axis in named}
    return grid.constants() | {"axes": axes}


def take_up(request: Request, folder: Path) -> None:
    """Make the contents of a request known, from copies or notes in a folder; warn of damage."""
    for key, name, digest in named_contents(request):
        for path in (folder / f"{digest}{COPY}", folder / f"{digest}{NOTE}"):
            if content_of(digest) is not None or not path.exists():
                continue
            try:
                remember(read_kept(path))
            except (RequestError, IndexError, *NOT_READABLE) as error:
                reason = " ".join(str(error).split())
                log.warning("%s: cannot be read from %s (%s)", written(key, name), path, reason)


def known_and_named(asked: Grid, earlier: Request, directory: Directory) -> Grid:
    """Make the contents of a directory known; return the grid with the names that they have there.

    A content is recognised by its hash, wherever its file is now.

    Raises
    ------
    RequestError
        If a name stands for another content there, of which there are points.
    """
    there = list(named_contents(earlier))
    if not there:
        return asked
    take_up(earlier, directory.given)
    for key, name, kept in other_contents(asked, earlier) if directory.has_points() else ():
        copy = directory.given / f"{kept}{COPY}"
        way_out = f"name the kept one to go on, {key}={copy}" if copy.exists() else "restore it"
        raise RequestError(
            f"{directory.path}: its points are of another content of {written(key, name)}; "
            f"{way_out}, or choose another name"
        )
    names = {(key, digest): name for key, name, digest in there}
    here = named_contents(_naming(asked))
    renamed = {
        (key, name): names[key, digest]
        for key, name, digest in here
        if names.get((key, digest), name) != name
    }
    return _renamed(asked, renamed) if renamed else asked


def other_contents(asked: Grid, earlier: Request) -> Iterator[Named]:
    """Yield the contents of an earlier request whose names stand for others in a new one."""
    there = list(named_contents(earlier))
    known = {(key, digest) for key, _, digest in there}
    digests = {(key, name): digest for key, name, digest in there}
    for key, name, digest in named_contents(_naming(asked)):
        kept = digests.get((key, name), digest)
        if kept != digest and (key, digest) not in known:
            yield key, name, kept


def _renamed(grid: Grid, names: Mapping[tuple[str, str], str]) -> Grid:
    """Return a grid with other names of contents, by key and name."""

    def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
        own = {key: names.get((key, values[key]), values[key]) for key in HASHED if key in values}
        return {**values, **own}

    base = dict(grid.base)
    for key in HASHED:
        section, _, field = key.partition(".")
        if field in base[section]:
            value = base[section][field]
            base[section] = {**base[section], field: names.get((key, value), value)}
    axes = [
        axis.mapped(renamed, lambda key, value: names.get((key, value), value))
        if axis.keys & HASHED.keys()
        else axis
        for axis in grid.axes
    ]
    return Grid(base, axes, grid.own_files)


def write_request_with_contents(
    grid: Grid, directory: Directory, grown_from: Sequence[float] = ()
) -> None:
    """Write a request, and before it the sources and contents that it refers to.

    Parameters
    ----------
    grid : Grid
        The points that are requested.
    directory : Directory
        To where; it is held.
    grown_from : sequence of float
        The durations [ms] from which points go on.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    directory.write_sources(grid)
    keep_contents(grid, directory)
    directory.write_request(grid, grown_from)


def keep_contents(grid: Grid, directory: Directory) -> None:
    """Write the contents of a grid to files named by their hashes, or where large ones are.

    Runs read the copies from then on.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    for _, name, digest in named_contents(_naming(grid)):
        content = content_of(digest)
        if content is None:  # of earlier points, and lost
            continue
        copied = is_copied(content)
        path = directory.given / f"{digest}{COPY if copied else NOTE}"
        if not path.exists():
            with replacing(path) as temporary:
                (write_kept if copied else write_note)(content, name, temporary)
        if copied and isinstance(content, EventContent):
            remember(dataclasses.replace(content, source=EventFile.at(path)))
