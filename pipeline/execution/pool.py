"""Distribute batches of points to workers; yield results in the order in which they finish."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import warnings
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from pipeline.engine.cost import longest_seconds
from pipeline.execution.batch import Batch, Failure, Task, run_batch
from pipeline.execution.cancel import Stop, exit_with
from pipeline.model.parameters import Configuration
from pipeline.request.run_settings import RunSettings
from pipeline.system.signals import interrupts_ignored

#: Intended time of a batch [s]: long compared to its dispatch, short enough to show progress.
_SECONDS_PER_BATCH = 1.0

#: Time per point that holds the interpreter lock [s]; threads do not run it in parallel.
_SECONDS_IN_PYTHON = 5e-5

Batches = Generator[Batch, None, None]

_KILLED = Failure("WorkerKilled: the process that ran it was killed (out of memory?)")


def run_points(points: Mapping[str, Configuration], settings: RunSettings) -> Iterator[Batch]:
    """Run points on the configured backend and yield their results in batches, in any order.

    A point that raises, exceeds the timeout or kills its worker becomes a `Failure` and stops no
    other. With `run.fail_fast` the points that remain are in no batch.

    Parameters
    ----------
    points : mapping of str to Configuration
        The points by content key.
    settings : RunSettings
        Engine, backend, number of workers, size of a batch, timeout.

    Raises
    ------
    KeyboardInterrupt
        After an interruption, once all batches that had finished in this process were yielded.
    """
    longest = longest_seconds(points.values(), settings.engine)
    n_workers = useful_workers(len(points), longest, settings)
    size = settings.batch_size or _batch_size(len(points), longest, n_workers)
    n_workers = min(n_workers, math.ceil(len(points) / size))
    apart = settings.backend == "loky" and bool(points)
    stop = Stop(cooperative=not apart)
    tasks = _Tasks(points, size, stop)
    with stop.on_interrupts():
        try:
            for batch in (_in_processes if apart else _in_threads)(
                tasks, n_workers, settings, stop
            ):
                stop.requested |= settings.fail_fast and bool(batch.failures)
                stop.deferred = True
                yield batch
                stop.deferred = False
                if stop.interrupted and apart:
                    break
        finally:
            stop.requested = True  # also where the caller closes this generator
    if stop.interrupted:
        raise KeyboardInterrupt


class _Tasks:
    """Points in batches, until none remain or `stop` is requested."""

    def __init__(self, points: Mapping[str, Configuration], size: int, stop: Stop) -> None:
        self._waiting = iter(points.items())
        self._size = size
        self._stop = stop
        self.under_way: list[Task] = []

    def __iter__(self) -> Iterator[Task]:
        while not self._stop.requested:
            task = list(itertools.islice(self._waiting, self._size))
            if not task:
                return
            self.under_way.append(task)
            yield task

    def end(self, batch: Batch) -> None:
        """Remove the task of a finished batch from those under way."""
        key = next(iter(batch.keys or batch.failures))
        self.under_way = [task for task in self.under_way if not any(k == key for k, _ in task)]


def _in_threads(
    tasks: _Tasks, n_workers: int, settings: RunSettings, stop: Stop
) -> Iterator[Batch]:
    """Run tasks in threads of this process, or in the main thread if there is one worker."""
    how = settings.engine, settings.timeout, settings.fail_fast, stop
    if n_workers <= 1:
        yield from (run_batch(task, *how) for task in tasks)
        return
    import joblib  # slow to import

    parallel = joblib.Parallel(
        n_jobs=n_workers, backend="threading", return_as="generator_unordered", batch_size=1
    )
    yield from parallel(joblib.delayed(run_batch)(task, *how) for task in tasks)


def _in_processes(
    tasks: _Tasks, n_workers: int, settings: RunSettings, stop: Stop
) -> Iterator[Batch]:
    """Run tasks in worker processes; where a worker is killed, find the point that caused it.

    The tasks that were under way run again one at a time; a task that kills its worker again is
    bisected down to the point that does.
    """
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    while True:
        try:
            with _closed_quietly(_parallel(tasks, n_workers, settings)) as batches:
                for batch in batches:
                    tasks.end(batch)
                    yield batch
                    if stop.requested:
                        return
            return
        except TerminatedWorkerError:
            suspects = tasks.under_way
            tasks.under_way = []
        while suspects and not stop.requested:
            task = suspects.pop()
            try:
                yield from _parallel([task], n_workers, settings)
            except TerminatedWorkerError:
                half = len(task) // 2
                if half:
                    suspects += [task[:half], task[half:]]
                    continue
                yield Batch([], {}, {task[0][0]: _KILLED})


def _parallel(tasks: _Tasks | list[Task], n_workers: int, settings: RunSettings) -> Batches:
    import joblib

    parallel = joblib.Parallel(
        # joblib runs n_jobs=1 in this process, which a point could kill: two, but one at a time.
        n_jobs=max(2, n_workers),
        pre_dispatch=1 if n_workers == 1 else "2 * n_jobs",
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
    )
    how = settings.engine, settings.timeout, settings.fail_fast
    with interrupts_ignored():  # inherited: the parent alone handles Ctrl-C
        return parallel(joblib.delayed(_run_apart)(os.getpid(), task, *how) for task in tasks)


def _run_apart(parent: int, *how: Any) -> Batch:
    """Run a batch in a process that exits when its parent has ended."""
    exit_with(parent)
    return run_batch(*how)


@contextlib.contextmanager
def _closed_quietly(
    batches: Generator[Batch, None, None],
) -> Iterator[Generator[Batch, None, None]]:
    """Close a generator of batches after the block, without joblib's warning on unused ones."""
    try:
        yield batches
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            batches.close()


def useful_workers(n_points: int, longest: float, settings: RunSettings) -> int:
    """Return the number of workers: one where threads would only wait for the interpreter lock.

    Parameters
    ----------
    n_points : int
        Number of points to run.
    longest : float
        Estimated time of the longest point [s].
    settings : RunSettings
        Backend and requested number of workers.
    """
    in_turn = settings.backend == "threading" and longest < _SECONDS_IN_PYTHON
    if n_points <= 1 or in_turn or settings.backend == "sequential":
        return 1
    if settings.n_jobs != -1:
        return settings.n_jobs
    from joblib import cpu_count  # respects the limits of containers

    return cpu_count()


def _batch_size(n_points: int, longest: float, n_workers: int) -> int:
    """Return the points of about a second; at least four batches per worker balance the load."""
    fair_share = math.ceil(n_points / (4 * n_workers))
    return max(1, min(fair_share, int(_SECONDS_PER_BATCH / (longest + _SECONDS_IN_PYTHON))))
