"""Union of experiments, and of the shards of one: points, runs, failures, the user's own files."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.composition.shard import Shard
from pipeline.execution.batch import Failure
from pipeline.experiment.given_code import register_given
from pipeline.experiment.run import logging_to
from pipeline.model.errors import RequestError
from pipeline.model.parameters import MODEL_VERSION
from pipeline.model.quantity import written
from pipeline.request.grid import Grid
from pipeline.request.merge import Where, differences_in_words, lengthened, united
from pipeline.request.spec import GROWN_FROM, SOURCES, Request, grid_of_request, request_of
from pipeline.storage.arrays import Counts, ResultArrays
from pipeline.storage.directory import Directory
from pipeline.storage.own_contents import (
    known_and_named,
    other_contents,
    take_up,
    write_request_with_contents,
)
from pipeline.storage.own_sources import kept_sources
from pipeline.storage.paths import expanded
from pipeline.storage.provenance import RunRecord
from pipeline.storage.shards import SHARDS
from pipeline.storage.sources import (
    Divided,
    Source,
    refuse_hidden_shards,
    refuse_itself,
    sources_of,
    take_points,
)
from pipeline.storage.state import SweepState
from pipeline.system import host

log = logging.getLogger("pipeline")


@dataclasses.dataclass(frozen=True)
class Incomplete:
    """A shard with points that are not done.

    Attributes
    ----------
    experiment : Path
        The directory that is divided.
    shard : Shard
        The part.
    task : int or None
        Its number in the Slurm array that divided the experiment; None without one.
    came : bool
        Whether it has a directory.
    counts : Counts
        Numbers of its points by status.
    duration : float or None
        The duration [ms] that all shards are to have where one was run for longer than others.
    unlike : bool
        Whether shards were asked for unlike values of axes: they are to have those of all.
    """

    experiment: Path
    shard: Shard
    task: int | None
    came: bool
    counts: Counts
    duration: float | None
    unlike: bool


@dataclasses.dataclass(frozen=True)
class Merged:
    """What a merge has found and written.

    Attributes
    ----------
    results : Path
        The merged file.
    counts : Counts
        Numbers of its points by status.
    n_new : int
        Number of files of points that were not in the target before.
    n_damaged : int
        Number of damaged files, whose points were left out.
    incomplete : tuple of Incomplete
        Shards with points that are not done.
    lost : mapping
        Number of points by directory that are in its results.nc alone, and were left out.
    """

    results: Path
    counts: Counts
    n_new: int
    n_damaged: int
    incomplete: tuple[Incomplete, ...]
    lost: dict[Path, int]

    @property
    def is_whole(self) -> bool:
        """Whether nothing failed, and nothing that should be there is missing."""
        return not (self.counts.failed or self.n_damaged or self.incomplete or self.lost)


@dataclasses.dataclass(frozen=True)
class _Part:
    """The union of an experiment and its shards, or of an experiment alone."""

    sources: Sequence[Directory]
    divided: Divided | None
    grid: Grid
    grown_from: frozenset[float]
    unlike: bool

    @property
    def path(self) -> Path:
        """The directory of the experiment."""
        return self.divided.path if self.divided else self.sources[0].path


def merge(
    experiments: Sequence[Path], into: Path | None = None, run_given_code: bool = False
) -> Merged:
    """Merge the shards of an experiment into it, or experiments into a directory.

    The sources are only read. What an interruption leaves undone is done by the same call.

    Parameters
    ----------
    experiments : sequence of Path
        The directories; shards of each are taken with it.
    into : Path, optional
        The directory that is written; without it, that of the one experiment, which has shards.
    run_given_code : bool
        Whether source code of rules and processes that the directories hold may be run.

    Raises
    ------
    RequestError
        If a directory is no experiment, is in use, or holds another model than the others.
    StorageError
        If a file cannot be written.
    """
    found = [sources_of(expanded(path)) for path in dict.fromkeys(experiments)]
    target = Directory(expanded(into) if into else expanded(experiments[0]))
    if into is None and (len(found) > 1 or found[0][1] is None):
        reason = "they are merged" if len(found) > 1 else "it is merged, as it has no shards"
        raise RequestError(f"--into: is missing, the directory into which {reason}")
    sources = _distinct(source for folders, _ in found for source in folders)
    if into is not None:
        refuse_itself(sources, target.path)
        refuse_hidden_shards(sources, target.path)
    target.refuse_unusable()
    before = target.request()
    if before is None and not target.is_empty():
        raise RequestError(
            f"{target.path}: has points, but no request that can be read; run its sweep again"
        )
    parts = [_part(folders, divided, run_given_code) for folders, divided in found]
    if into is not None and before is not None:
        parts.insert(0, _part([target], None, run_given_code))
    grid = _united([(part.sources[0], request_of(part.grid)) for part in parts])
    with target.held():
        if target.request() != before:
            raise RequestError(f"{target.path}: was changed meanwhile; repeat the command")
        others = [source for source in sources if source.path != target.path]
        with logging_to(target):
            return _write(target, others, parts, grid, linked=into is None)


def _distinct(directories: Iterable[Source]) -> list[Source]:
    return list({one.path.resolve(): one for one in directories}.values())


def _part(folders: Sequence[Directory], divided: Divided | None, run_given_code: bool) -> _Part:
    """Return the union of the requests of an experiment and its shards."""
    requests: list[tuple[Directory, Request]] = []
    for folder in folders:
        request = folder.request()
        if request is None and folder.is_empty():  # killed before it began
            continue
        if request is None:
            raise RequestError(f"{folder.path}: has no request that can be read")
        if all(request != other for _, other in requests):
            with _telling_way_out(divided, request):
                _refuse_other_sources(folder, request, requests)
            try:
                register_given(kept_sources(folder, request), folder.runs(), run_given_code)
            except RequestError as error:
                raise RequestError(f"{folder.path}: {error}") from error
            take_up(request, folder.given)
            requests.append((folder, request))
    if not requests:
        raise RequestError(f"{divided.path if divided else folders[0].path}: none has begun yet")
    grown = {duration for _, request in requests for duration in request.get(GROWN_FROM, ())}
    # A shard that did not go on yet to a longer duration has points from which it will.
    requests.sort(key=lambda one: _duration(one[1]))
    with _telling_way_out(divided, *(request for _, request in requests)):
        grid = _united(requests, grown)
    return _Part(folders, divided, grid, frozenset(grown), len(requests) > 1)


@contextlib.contextmanager
def _telling_way_out(divided: Divided | None, *requests: Request) -> Iterator[None]:
    """Add to an error what to do with a shard of these requests that is unlike others."""
    try:
        yield
    except RequestError as error:
        if divided is None:
            raise
        way_out = f"move the wrong one out of {divided.path / SHARDS} and run that shard again"
        if all(request["model_version"] == MODEL_VERSION for request in requests):
            alone = host.merge_command("THE_WRONG_ONE", "--into", "OUT")
            way_out = f"{way_out}, or keep it as an experiment of its own: {alone}"
        raise RequestError(f"{error}; {way_out}") from error


def _duration(request: Request) -> float:
    duration = request.get("simulation", {}).get("duration")
    return duration if isinstance(duration, int | float) else 0.0


def _refuse_other_sources(
    folder: Directory, request: Request, others: Iterable[tuple[Directory, Request]]
) -> None:
    """Refuse another source text under the name of a rule or process than that of others."""
    for other, there in others:
        for key, named in request.get(SOURCES, {}).items():
            for name, digest in named.items():
                if there.get(SOURCES, {}).get(key, {}).get(name, digest) != digest:
                    raise RequestError(
                        f"{folder.path}: its {key}={name} is of another source text than that of "
                        f"{other.path}"
                    )


def _united(
    requests: Sequence[tuple[Directory, Request]], grown_from: set[float] | None = None
) -> Grid:
    """Return the grid with the points of all requests.

    Parameters
    ----------
    requests : sequence of tuple
        The requests, and the directory of each.
    grown_from : set of float, optional
        Where points may go on to a longer duration: the durations [ms] before, to which those that
        are found are added.

    Raises
    ------
    RequestError
        If they are of unlike models, or fit on no grid.
    """
    first, earlier = requests[0]
    grid = _grid_of(first, earlier)
    for folder, request in requests[1:]:
        if request == earlier:
            continue
        here = _grid_of(folder, request)
        where = Where(f"in {first.path}", f"in {folder.path}")
        try:
            if grown_from is not None:
                earlier, durations = lengthened(here, earlier, where)
                grown_from |= set(durations)
            here = known_and_named(here, earlier, first)
            grid = united(here, earlier, where)
        except RequestError as error:
            contents = [written(key, name) for key, name, _ in other_contents(here, earlier)]
            reason = f"another content of {contents[0]}" if contents else ""
            reason = reason or differences_in_words(here, earlier, where) or str(error)
            raise RequestError(
                f"{folder.path}: cannot be merged with {first.path} ({reason})"
            ) from error
        earlier = request_of(grid)
    return grid


def _grid_of(folder: Directory, request: Request) -> Grid:
    try:
        return grid_of_request(request)
    except RequestError as error:
        raise RequestError(f"{folder.path}: {error}") from error


def _write(
    target: Directory, sources: list[Source], parts: list[_Part], grid: Grid, linked: bool
) -> Merged:
    """Write the union; what describes points comes before them, what shows them after."""
    runs = _runs([target, *sources])
    failures = {key: one for source in sources for key, one in source.failures().items()}
    grown_from = sorted(frozenset().union(*(part.grown_from for part in parts)))
    write_request_with_contents(grid, target, grown_from)
    target.write_runs(runs)
    n_new = n_damaged = 0
    for source in sources:
        new, damaged = take_points(source, target, linked)
        if new:
            log.info("%d files of points from %s", new, source.path)
        n_new, n_damaged = n_new + new, n_damaged + damaged
    state = SweepState(grid, target)
    _add(state, failures)
    state.warn_of_unlike_code()
    state.conclude()
    return Merged(
        target.results,
        state.arrays.counts(),
        n_new,
        n_damaged,
        tuple(_incomplete(parts, state.arrays)),
        dict(_lost(parts, target, state.arrays)),
    )


def _runs(directories: Iterable[Directory]) -> list[RunRecord]:
    """Return the runs of all directories, each once, in the order in which they began."""
    runs: dict[str, RunRecord] = {}
    for directory in directories:
        for run in directory.runs():
            if runs.get(run["id"], {}).get("seconds") is None:  # one copied before it had ended
                runs[run["id"]] = run
    return sorted(runs.values(), key=lambda run: (run.get("created", ""), run["id"]))


def _add(state: SweepState, failures: dict[str, Failure]) -> None:
    for key, failure in failures.items():
        if key in state.arrays.grid.keys and not state.arrays.has(key):
            state.failures[key] = failure
            state.arrays.fail(key)


def _incomplete(parts: Iterable[_Part], arrays: ResultArrays) -> Iterator[Incomplete]:
    for part in parts:
        if part.divided is None:
            continue
        positions: NDArray[np.int32] = arrays.grid.keys.first(part.grid.keys)
        first = part.divided.division.first
        duration = part.grid.points[0].simulation.duration if part.grown_from else None
        for shard in part.divided.shards():
            counts = arrays.counts(positions[part.grid.keys.of_shard(shard)])
            came = shard.number not in part.divided.never_came
            if counts.failed or counts.missing:
                task = None if first is None else first + shard.number - 1
                yield Incomplete(part.path, shard, task, came, counts, duration, part.unlike)


def _lost(
    parts: Iterable[_Part], target: Directory, arrays: ResultArrays
) -> Iterator[tuple[Path, int]]:
    """Yield the experiments whose results.nc has points that are in no file of points."""
    for part in parts:
        for source in part.sources if part.divided is None else ():
            if source.path != target.path:
                with contextlib.suppress(RequestError):
                    if number := source.n_lost(arrays):
                        yield source.path, number
