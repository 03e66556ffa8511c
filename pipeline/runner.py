"""Batches of points to workers, and their results back as they come."""

from __future__ import annotations

import contextlib
import itertools
import math
import signal
import threading
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pipeline.inputs import spike_probability
from pipeline.parameters import Configuration
from pipeline.quantities import RequestError, Section, quantity
from pipeline.simulation import ENGINES, engine_named, measure
from pipeline.variables import Columns, stacked, stored

#: A batch takes about this long: long beside its dispatch, short beside a user's patience.
_SECONDS_PER_BATCH = 1.0

#: What Python does about each point, which threads can only do in turn.
_SECONDS_IN_PYTHON = 5e-5


@dataclass(frozen=True)
class Run(Section):
    """How points are run; nothing here changes a number."""

    section: ClassVar[str] = "run"
    title: ClassVar[str] = "run settings"

    engine: str = quantity("engine", kind=str, choices=ENGINES)
    backend: str = quantity("joblib backend", kind=str, choices=("loky", "threading", "sequential"))
    n_jobs: int = quantity("number of workers (-1: one a core)", kind=int, at_least=-1)
    batch_size: int | None = quantity(
        "points a task", kind=int, at_least=1, null="about a second's work"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_jobs == 0:
            raise RequestError("run.n_jobs=0: number of workers must be >= 1, or -1 (one a core)")


class WorkerKilledError(Exception):
    """A worker process has not ended by itself."""


@dataclass(frozen=True)
class Failure:
    """Why a point has no results."""

    reason: str
    traceback: str


@dataclass(frozen=True)
class Batch:
    """Some points by content key: the variables of those that are done, and why others are not.

    Attributes
    ----------
    keys : list of str
        The points that are done.
    columns : dict of ndarray
        Their variables, in the order of `keys` along the first dimension.
    failures : dict of Failure
        The points that are not.
    """

    keys: list[str]
    columns: Columns
    failures: dict[str, Failure] = field(default_factory=dict)


def run_points(points: Mapping[str, Configuration], run: Run) -> Iterator[Batch]:
    """Run points on the chosen backend and yield their results a batch at a time, in any order.

    A point that raises becomes a `Failure` and stops no other.

    Raises
    ------
    WorkerKilledError
        If a worker process was killed; what it and the others had yet to do is not done.
    """
    longest = _longest_seconds(points, run.engine)
    n_workers = _useful_workers(len(points), longest, run)
    size = run.batch_size or _batch_size(len(points), longest, n_workers)
    n_workers = min(n_workers, math.ceil(len(points) / size))
    waiting = iter(points.items())
    tasks = iter(lambda: list(itertools.islice(waiting, size)), [])
    if n_workers <= 1:
        yield from (_run_batch(task, run.engine) for task in tasks)
        return
    import joblib  # takes its time to import
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    parallel = joblib.Parallel(
        n_jobs=n_workers,
        backend=run.backend,
        return_as="generator_unordered",
        batch_size=1,
    )
    with _interrupts_ignored():  # what workers inherit: Ctrl-C is the parent's to answer
        batches = parallel(joblib.delayed(_run_batch)(task, run.engine) for task in tasks)
    try:
        yield from batches
    except TerminatedWorkerError as error:
        raise WorkerKilledError from error


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signals
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        if before is not None:  # None: it was not Python that had set it
            signal.signal(signal.SIGINT, before)


def _run_batch(task: list[tuple[str, Configuration]], engine: str) -> Batch:
    run, record = engine_named(engine), task[0][1].record  # one for all points of a sweep
    results, failures = {}, {}
    for key, point in task:
        try:
            results[key] = stored(measure(point, run), record)
        except Exception as error:  # whatever a point does, the sweep goes on and says so
            failures[key] = _failure(error)
    try:
        return Batch(list(results), stacked(list(results.values()), record), failures)
    except MemoryError as error:
        return Batch([], {}, failures | dict.fromkeys(results, _failure(error)))


def _failure(error: Exception) -> Failure:
    reason = f"{type(error).__name__}: {error}"
    return Failure(reason, "".join(traceback.format_exception(error)))


def _useful_workers(n_points: int, longest: float, run: Run) -> int:
    """Return the number of workers; threads on points that hold the interpreter would only wait."""
    in_turn = run.backend == "threading" and longest < _SECONDS_IN_PYTHON
    if n_points <= 1 or in_turn or run.backend == "sequential":
        return 1
    if run.n_jobs != -1:
        return min(run.n_jobs, n_points)
    from joblib import cpu_count  # which knows of containers

    return min(cpu_count(), n_points)


def _batch_size(n_points: int, longest: float, n_workers: int) -> int:
    """Return a second's work, but leave every worker a few batches to even out their ends."""
    fair_share = math.ceil(n_points / (4 * n_workers))
    return max(1, min(fair_share, int(_SECONDS_PER_BATCH / (longest + _SECONDS_IN_PYTHON))))


def _longest_seconds(points: Mapping[str, Configuration], engine: str) -> float:
    """Return about how long the longest simulation takes."""
    # Points of a grid share their sections: few differ in what takes the time.
    different = {(id(point.input), id(point.simulation)): point for point in points.values()}
    return max((_estimated_seconds(point, engine) for point in different.values()), default=0.0)


def _estimated_seconds(point: Configuration, engine: str) -> float:
    """Return the time of one simulation on a core of 2020, from its steps, synapses and events."""
    n_steps, n_synapses = point.simulation.n_steps, point.input.n_synapses
    # The notebook's stream has a number for every cell of the lattice, spike or not.
    drawing = 1e-8 * n_steps * n_synapses if point.input.process == "notebook" else 0.0
    if engine == "reference":
        return 1e-3 + drawing + n_steps * (1e-5 + 5e-9 * n_synapses)
    n_events = n_steps * n_synapses * spike_probability(point)
    return 1e-5 + drawing + 7e-9 * n_steps + 6e-9 * n_events
