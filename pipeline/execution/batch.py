"""Run a batch of points in a worker; return variables of finished points and failure records."""

from __future__ import annotations

import itertools
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from numpy.typing import NDArray

from pipeline.engine.simulate import engine_named, load_engine, run_point
from pipeline.execution.cancel import Stop, StoppedError
from pipeline.model.features import Features
from pipeline.model.parameters import Configuration
from pipeline.model.state import STATE, Start
from pipeline.model.variables import stacked


class Job(NamedTuple):
    """A point to run: its content key, and where it goes on, if it ran before."""

    key: str
    point: Configuration
    start: Start | None = None


Task = list[Job]


class Tasks:
    """Points in batches, each made when it is asked for, until none remain or `stop` is requested.

    Parameters
    ----------
    jobs : iterable of Job
        The points.
    size : int
        Points per batch.
    stop : Stop
        Flag that ends the iteration.
    """

    def __init__(self, jobs: Iterable[Job], size: int, stop: Stop) -> None:
        self._waiting = iter(jobs)
        self._size = size
        self._stop = stop

    def __iter__(self) -> Iterator[Task]:
        while not self._stop.requested:
            task = list(itertools.islice(self._waiting, self._size))
            if not task:
                return
            yield task


@dataclass(frozen=True)
class Failure:
    """Reason and traceback of a point that failed."""

    reason: str
    traceback: str = ""


KILLED = Failure("WorkerKilled: the process that ran it was killed (out of memory?)")


@dataclass(frozen=True)
class Batch:
    """Results of some points: variables of those that are done, reasons of those that failed.

    Attributes
    ----------
    keys : list of str
        Content keys of the points that are done.
    columns : mapping of str to ndarray, (n_done, ...)
        Their variables by name, units as in `variables.VARIABLES`; the first dimension is `keys`.
    failures : dict of Failure
        The points that failed, by content key.
    states : list of bytes
        The end states of those that are done, empty where one is not kept.
    durations : list of float
        `simulation.duration` [ms] of those that are done.
    """

    keys: list[str]
    columns: Mapping[str, NDArray]
    failures: dict[str, Failure] = field(default_factory=dict)
    states: list[bytes] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)


def run_batch(
    task: Task, engine: str, timeout: float | None, fail_fast: bool, stop: Stop | None = None
) -> Batch:
    """Run points one after the other; a point that raises becomes a `Failure` and stops no other.

    If the first failure ends the batch, or `stop` is requested, the remaining points are neither
    done nor failed.

    Parameters
    ----------
    task : list of Job
        The points.
    engine : str
        Name of the engine.
    timeout : float or None
        Longest time of a point [s].
    fail_fast : bool
        Whether the first failure ends the batch.
    stop : Stop, optional
        Flag that ends the batch.
    """
    load_engine(engine, {(job.point.stdp.template, Features.of(job.point)) for job in task})
    run, record = engine_named(engine), task[0].point.record  # one for all points of a sweep
    results, failures = {}, {}
    for key, point, start in task:
        try:
            checkpoint = _checkpoint(timeout, stop)
            results[key] = run_point(point, run, checkpoint=checkpoint, start=start)
            if timeout is not None:
                checkpoint()  # a short run does not call it
        except StoppedError:
            break
        except Exception as error:  # any error of a point is recorded
            results.pop(key, None)
            failures[key] = _failure(error)
            if fail_fast:
                break
    states = [result.pop(STATE, b"") for result in results.values()]
    durations = [job.point.simulation.duration for job in task if job.key in results]
    try:
        columns = stacked(list(results.values()), record)
        return Batch(list(results), columns, failures, states, durations)
    except MemoryError as error:
        return Batch([], {}, failures | dict.fromkeys(results, _failure(error)))


def _checkpoint(timeout: float | None, stop: Stop | None) -> Callable[[], None]:
    """Return the function that a run calls at intervals, which raises if the run must end.

    Raises
    ------
    StoppedError
        If `stop` is requested already.
    """
    if stop and stop.requested:
        raise StoppedError
    end = None if timeout is None else time.monotonic() + timeout

    def checkpoint() -> None:
        if stop and stop.requested:
            raise StoppedError
        if end is not None and time.monotonic() > end:
            raise TimeoutError(f"took longer than run.timeout={timeout:g} s")

    return checkpoint


def _failure(error: Exception) -> Failure:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return Failure(reason, "".join(traceback.format_exception(error)))
