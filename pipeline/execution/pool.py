"""Batches of points to workers, and their results back as they come."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.engine.cost import longest_seconds
from pipeline.execution.batch import Batch, Failure, Task, run_batch
from pipeline.execution.cancel import Stop, leave_with
from pipeline.model.parameters import Configuration
from pipeline.request.run_settings import RunSettings
from pipeline.system.signals import interrupts_ignored

#: A batch takes about this long: long beside its dispatch, short beside a user's patience.
_SECONDS_PER_BATCH = 1.0

#: What Python does about each point, which threads can only do in turn.
_SECONDS_IN_PYTHON = 5e-5

_KILLED = Failure("WorkerKilled: the process that ran it was killed (out of memory?)")


def run_points(points: Mapping[str, Configuration], settings: RunSettings) -> Iterator[Batch]:
    """Run points on the chosen backend and yield their results a batch at a time, in any order.

    A point that raises, takes too long or kills its worker becomes a `Failure` and stops no other,
    unless `run.fail_fast`: then the points left come in no batch.

    Raises
    ------
    KeyboardInterrupt
        After an interruption; all that had finished in this process has been yielded by then.
    """
    longest = longest_seconds(points.values(), settings.engine)
    n_workers = useful_workers(len(points), longest, settings)
    size = settings.batch_size or _batch_size(len(points), longest, n_workers)
    n_workers = min(n_workers, math.ceil(len(points) / size))
    apart = settings.backend == "loky" and bool(points)
    stop = Stop(patient=not apart)
    tasks = _Tasks(points, size, stop)
    with stop.at_interrupts():
        try:
            for batch in (_in_processes if apart else _in_threads)(
                tasks, n_workers, settings, stop
            ):
                stop.asked |= settings.fail_fast and bool(batch.failures)
                stop.shielded = True
                yield batch
                stop.shielded = False
                if stop.interrupted and apart:
                    break
        finally:
            stop.asked = True  # whoever breaks off does not want the rest
    if stop.interrupted:
        raise KeyboardInterrupt


class _Tasks:
    """Points in batches, until there are no more or `stop` asks for the end."""

    def __init__(self, points: Mapping[str, Configuration], size: int, stop: Stop) -> None:
        self._waiting = iter(points.items())
        self._size = size
        self._stop = stop
        self.under_way: list[Task] = []

    def __iter__(self) -> Iterator[Task]:
        while not self._stop.asked:
            task = list(itertools.islice(self._waiting, self._size))
            if not task:
                return
            self.under_way.append(task)
            yield task

    def end(self, batch: Batch) -> None:
        """Strike out the task of a batch that came back."""
        key = next(iter(batch.keys or batch.failures))
        self.under_way = [task for task in self.under_way if not any(k == key for k, _ in task)]


def _in_threads(
    tasks: _Tasks, n_workers: int, settings: RunSettings, stop: Stop
) -> Iterator[Batch]:
    """Run tasks in this process, one after the other if there is one worker."""
    how = settings.engine, settings.timeout, settings.fail_fast, stop
    if n_workers <= 1:
        yield from (run_batch(task, *how) for task in tasks)
        return
    import joblib  # takes its time to import

    parallel = joblib.Parallel(
        n_jobs=n_workers, backend="threading", return_as="generator_unordered", batch_size=1
    )
    yield from parallel(joblib.delayed(run_batch)(task, *how) for task in tasks)


def _in_processes(
    tasks: _Tasks, n_workers: int, settings: RunSettings, stop: Stop
) -> Iterator[Batch]:
    """Run tasks in processes of their own; when one is killed, find the point that did it.

    The tasks that were under way then are run again one at a time, and what kills its worker again
    in halves, until the killer stands alone.
    """
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    while True:
        try:
            with _ended_quietly(_parallel(tasks, n_workers, settings)) as batches:
                for batch in batches:
                    tasks.end(batch)
                    yield batch
                    if stop.asked:
                        return
            return
        except TerminatedWorkerError:
            suspects = tasks.under_way
            tasks.under_way = []
        while suspects and not stop.asked:
            task = suspects.pop()
            try:
                yield from _parallel([task], n_workers, settings)
            except TerminatedWorkerError:
                half = len(task) // 2
                if half:
                    suspects += [task[:half], task[half:]]
                    continue
                yield Batch([], {}, {task[0][0]: _KILLED})


def _parallel(tasks: _Tasks | list[Task], n_workers: int, settings: RunSettings) -> Iterator[Batch]:
    import joblib

    parallel = joblib.Parallel(
        # One job would be run in this process, which must outlive it: two, but one at a time.
        n_jobs=max(2, n_workers),
        pre_dispatch=1 if n_workers == 1 else "2 * n_jobs",
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
    )
    how = settings.engine, settings.timeout, settings.fail_fast
    with interrupts_ignored():  # what workers inherit: Ctrl-C is the parent's to answer
        return parallel(joblib.delayed(_run_apart)(os.getpid(), task, *how) for task in tasks)


def _run_apart(parent: int, *how: Any) -> Batch:
    """Run a batch in a process that ends when its parent is no more."""
    leave_with(parent)
    return run_batch(*how)


@contextlib.contextmanager
def _ended_quietly(batches: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    """Yield batches, and end without a word of joblib's on those that nobody waits for."""
    try:
        yield batches
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            batches.close()


def useful_workers(n_points: int, longest: float, settings: RunSettings) -> int:
    """Return the number of workers; threads on points that hold the interpreter would only wait."""
    in_turn = settings.backend == "threading" and longest < _SECONDS_IN_PYTHON
    if n_points <= 1 or in_turn or settings.backend == "sequential":
        return 1
    if settings.n_jobs != -1:
        return settings.n_jobs
    from joblib import cpu_count  # which knows of containers

    return cpu_count()


def _batch_size(n_points: int, longest: float, n_workers: int) -> int:
    """Return a second's work, but leave every worker a few batches to even out their ends."""
    fair_share = math.ceil(n_points / (4 * n_workers))
    return max(1, min(fair_share, int(_SECONDS_PER_BATCH / (longest + _SECONDS_IN_PYTHON))))
