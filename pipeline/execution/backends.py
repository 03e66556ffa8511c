"""The backends that run batches of points: the main thread, threads, processes.

A new backend is a function and its call of `register`.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.execution.batch import Batch, Failure, Task, Tasks, run_batch
from pipeline.execution.cancel import Stop, exit_with
from pipeline.request.run_settings import BACKEND_NAMES, RunSettings
from pipeline.system.signals import interrupts_ignored

#: Time per point that holds the interpreter lock [s]; threads do not run it in parallel.
SECONDS_IN_PYTHON = 5e-5

Batches = Generator[Batch, None, None]

KILLED = Failure("WorkerKilled: the process that ran it was killed (out of memory?)")


@dataclass(frozen=True)
class Backend:
    """A way to run batches of points.

    Attributes
    ----------
    run : callable
        `run(tasks, n_workers, settings, stop)` yields a `Batch` for each task, in any order. It
        takes tasks until there are no more, or until `stop.requested`.
    cooperative : bool
        Whether runs see `stop` and end soon after it is requested, as in this process.
    parallel : bool
        Whether it uses more than one worker.
    seconds_in_turn : float
        Time of a point up to which workers would only wait for each other [s].
    """

    run: Callable[[Tasks, int, RunSettings, Stop], Iterator[Batch]]
    cooperative: bool = True
    parallel: bool = True
    seconds_in_turn: float = 0.0

    def n_workers(self, n_points: int, longest: float, n_jobs: int) -> int:
        """Return the number of workers for some points.

        Parameters
        ----------
        n_points : int
            Number of points to run.
        longest : float
            Estimated time of the longest point [s].
        n_jobs : int
            Requested number of workers; -1 for one per core.
        """
        if n_points <= 1 or not self.parallel or longest < self.seconds_in_turn:
            return 1
        if n_jobs != -1:
            return n_jobs
        from joblib import cpu_count  # respects the limits of containers

        return cpu_count()


#: The backends by name, the values of `run.backend`.
BACKENDS: dict[str, Backend] = {}


def register(name: str, backend: Backend) -> None:
    """Add a backend, or replace it."""
    BACKENDS[name] = backend
    if name not in BACKEND_NAMES:
        BACKEND_NAMES.append(name)


def _in_turn(tasks: Tasks, n_workers: int, settings: RunSettings, stop: Stop) -> Iterator[Batch]:
    """Run tasks one after the other in this thread."""
    how = settings.engine, settings.timeout, settings.fail_fast, stop
    yield from (run_batch(task, *how) for task in tasks)


def _in_threads(tasks: Tasks, n_workers: int, settings: RunSettings, stop: Stop) -> Iterator[Batch]:
    """Run tasks in threads of this process, or in this thread if there is one worker."""
    if n_workers <= 1:
        yield from _in_turn(tasks, n_workers, settings, stop)
        return
    import joblib  # slow to import

    how = settings.engine, settings.timeout, settings.fail_fast, stop

    parallel = joblib.Parallel(
        n_jobs=n_workers, backend="threading", return_as="generator_unordered", batch_size=1
    )
    yield from parallel(joblib.delayed(run_batch)(task, *how) for task in tasks)


def _in_processes(
    tasks: Tasks, n_workers: int, settings: RunSettings, stop: Stop
) -> Iterator[Batch]:
    """Run tasks in worker processes; where a worker is killed, find the point that caused it.

    The tasks that were running are run again one by one; a task that kills its worker again is
    bisected to find the point that does.
    """
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    under_way: dict[str, Task] = {}  # by each of their keys
    while True:
        try:
            noted = _noted(tasks, under_way)
            with _closed_quietly(_parallel(noted, n_workers, settings)) as batches:
                for batch in batches:
                    for key, _ in under_way[next(iter(batch.keys or batch.failures))]:
                        del under_way[key]
                    yield batch
                    if stop.requested:
                        return
            return
        except TerminatedWorkerError:
            suspects = [task for key, task in under_way.items() if key == task[0][0]]
            under_way.clear()
        while suspects and not stop.requested:
            task = suspects.pop()
            try:
                yield from _parallel([task], n_workers, settings)
            except TerminatedWorkerError:
                half = len(task) // 2
                if half:
                    suspects += [task[:half], task[half:]]
                    continue
                yield Batch([], {}, {task[0][0]: KILLED})


def _noted(tasks: Tasks, under_way: dict[str, Task]) -> Iterator[Task]:
    """Yield tasks, and note each as being under way."""
    for task in tasks:
        under_way |= dict.fromkeys([key for key, _ in task], task)
        yield task


def _parallel(tasks: Iterable[Task], n_workers: int, settings: RunSettings) -> Batches:
    import joblib

    parallel = joblib.Parallel(
        # joblib runs n_jobs=1 in this process, which a point could kill: two workers, one task.
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


register("loky", Backend(_in_processes, cooperative=False))
register("threading", Backend(_in_threads, seconds_in_turn=SECONDS_IN_PYTHON))
register("sequential", Backend(_in_turn, parallel=False))
