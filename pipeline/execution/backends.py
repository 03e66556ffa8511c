"""The backends that run batches of points: the main thread, threads, processes, a Dask cluster.

A new backend is a function and its call of `register`.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.composition.run_settings import BACKEND_NAMES, RunSettings
from pipeline.execution.batch import KILLED, Batch, Task, Tasks, run_batch
from pipeline.execution.cancel import Stop, exit_with
from pipeline.system.memory import n_threads_with_memory
from pipeline.system.signals import interrupts_deferred

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    Submit = Callable[[Task], Future[Batch]]

log = logging.getLogger("pipeline")

#: Time per point that holds the interpreter lock [s]; threads do not run it in parallel.
SECONDS_IN_PYTHON = 3e-5

#: Time after which idle processes end [s].
_IDLE_SECONDS = 300

#: Longest time after which a request to stop is seen while processes run [s].
_SECONDS_BETWEEN_LOOKS = 0.1

#: Environment of processes: numpy's libraries start no threads, which compete with the workers.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

#: Held by the sweep that uses the worker processes; free in a forked process, which has none.
_SHARED_PROCESSES = threading.Lock()
os.register_at_fork(after_in_child=lambda: globals().update(_SHARED_PROCESSES=threading.Lock()))


@dataclass(frozen=True)
class Backend:
    """A way to run batches of points.

    Attributes
    ----------
    run : callable
        `run(tasks, n_workers, settings, stop)` yields a `Batch` for each task, in any order. It
        takes tasks until there are no more, or until `stop.requested`.
    parallel : bool
        Whether it uses more than one worker.
    seconds_in_turn : float
        Time of a point up to which workers would only wait for each other [s].
    check : callable
        `check(settings)` raises `RequestError` where the backend cannot run, before anything is
        written.
    n_existing : callable
        `n_existing(settings)` returns the number of workers, where `run.n_jobs` does not set it.
    """

    run: Callable[[Tasks, int, RunSettings, Stop], Iterator[Batch]]
    parallel: bool = True
    seconds_in_turn: float = 0.0
    check: Callable[[RunSettings], None] = lambda settings: None
    n_existing: Callable[[RunSettings], int | None] = lambda settings: None

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
        return _n_cores()


def _n_cores() -> int:
    """Return the number of cores that this process may use, as joblib counts them."""
    from joblib import cpu_count  # respects the limits of containers

    try:
        return cpu_count()
    except ValueError as error:  # of a file of the control group, or of LOKY_MAX_CPU_COUNT
        number = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        log.warning("the limit of cores cannot be read (%s): %d workers are used", error, number)
        return number


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
    n_workers = n_threads_with_memory(n_workers)
    if n_workers <= 1:
        yield from _in_turn(tasks, n_workers, settings, stop)
        return
    from concurrent.futures import Future, ThreadPoolExecutor  # slow to import

    how = settings.engine, settings.timeout, settings.fail_fast, stop
    with ThreadPoolExecutor(n_workers) as threads:
        _start_all(threads, n_workers)

        def submit(task: Task) -> Future[Batch]:
            try:
                return threads.submit(run_batch, task, *how)
            except RuntimeError:  # no further thread can start: memory, or a limit of the user
                done: Future[Batch] = Future()
                done.set_result(run_batch(task, *how))
                return done

        for _, batch in _as_they_finish(submit, tasks, n_workers):
            yield batch.result()


def _start_all(threads: ThreadPoolExecutor, n_threads: int) -> None:
    """Start all threads of a pool now, before tasks take the memory that these need."""
    begun = threading.Event()
    try:
        with contextlib.suppress(RuntimeError):  # no further one may start: those that have will do
            for _ in range(n_threads):
                threads.submit(begun.wait)
    finally:
        begun.set()


def _in_processes(
    tasks: Tasks, n_workers: int, settings: RunSettings, stop: Stop
) -> Iterator[Batch]:
    """Run tasks in worker processes, where this one may have any; else in threads."""
    # All sweeps of a process share the workers: a stop of one would end those of the others.
    while not _SHARED_PROCESSES.acquire(timeout=_SECONDS_BETWEEN_LOOKS):
        if stop.requested:
            return
    try:
        reason = _why_no_processes(n_workers)
        if not reason:
            yield from _in_own_processes(tasks, n_workers, settings, stop)
    finally:
        _SHARED_PROCESSES.release()
    if reason:
        log.warning(
            "run.backend=loky: processes cannot be started (%s); run.backend=threading is used",
            reason,
        )
        yield from _in_threads(tasks, n_workers, settings, stop)


def _why_no_processes(n_workers: int) -> str:
    """Start worker processes, unless they run; return why that is not possible, "" if it is."""
    from multiprocessing import current_process

    if current_process().daemon:
        return "this one is the worker of a multiprocessing.Pool"
    try:
        _executor_of(n_workers)
    except Exception as error:  # too many open files or processes; loky raises many types
        causes: list[BaseException] = [error]
        while below := causes[-1].__cause__ or causes[-1].__context__:
            causes.append(below)
        reason = next((str(c.strerror) for c in causes if isinstance(c, OSError)), str(error))
        causes.clear()
    else:
        return ""
    gc.collect()  # what did start keeps files open, which the sweep needs
    return reason


def _in_own_processes(
    tasks: Tasks, n_workers: int, settings: RunSettings, stop: Stop
) -> Iterator[Batch]:
    """Run tasks in worker processes; where a worker is killed, find the point that caused it.

    The tasks that were running are run again one by one; a task that kills its worker again is
    bisected to find the point that does.
    """
    from concurrent.futures.process import BrokenProcessPool  # slow to import

    waiting = iter(tasks)
    suspects: list[Task] = []

    def until_killed() -> Iterator[Task]:
        while not suspects and (task := next(waiting, None)):
            yield task

    while not stop.requested:
        with _processes(n_workers, settings, stop) as (submit, alive):
            for task, batch in _as_they_finish(submit, until_killed(), n_workers, stop, alive):
                if isinstance(batch.exception(), BrokenProcessPool):
                    suspects.append(task)
                else:
                    yield batch.result()
        if not suspects:
            return
        while suspects and not stop.requested:
            alone = suspects.pop()
            with _processes(n_workers, settings, stop) as (submit, alive):
                for task, batch in _as_they_finish(submit, [alone], n_workers, stop, alive):
                    half = len(task) // 2
                    if not isinstance(batch.exception(), BrokenProcessPool):
                        yield batch.result()
                    elif half:
                        suspects += [task[:half], task[half:]]
                    else:
                        yield Batch([], {}, {task[0].key: KILLED})


def _as_they_finish(
    submit: Submit,
    tasks: Iterable[Task],
    n_workers: int,
    stop: Stop | None = None,
    alive: Callable[[], bool] = lambda: True,
) -> Iterator[tuple[Task, Future[Batch]]]:
    """Yield tasks and their results as they finish; once `stop` is requested those that have.

    Two tasks per worker are under way, or finished and not yet taken: a caller that saves results
    more slowly than workers compute them keeps the workers waiting, not the memory growing.

    Raises
    ------
    MemoryError
        If nothing is `alive` that would finish the tasks.
    """
    from concurrent.futures import FIRST_COMPLETED, wait

    waiting = iter(tasks)
    running: dict[Future[Batch], Task] = {}

    def finished() -> Iterator[tuple[Task, Future[Batch]]]:
        for batch in [batch for batch in running if batch.done()]:
            yield running.pop(batch), batch

    while not (stop and stop.requested):
        while len(running) < 2 * n_workers and (task := next(waiting, None)):
            running[submit(task)] = task
        if not running:
            return
        wait(running, timeout=_SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
        yield from finished()
        if running and not alive():
            raise MemoryError("the thread that manages the processes has ended")
    yield from finished()


#: The worker processes that are kept for the next sweep, by the process that started them: one that
#: it forks cannot use them. They are not those of joblib, which the rest of the program may use.
_kept: dict[int, tuple[int, Any]] = {}


def _executor_of(n_workers: int) -> Any:
    """Return an executor with a number of worker processes, kept from an earlier sweep or new."""
    from multiprocessing import resource_tracker
    from multiprocessing.util import Finalize

    from joblib.externals.loky import ProcessPoolExecutor

    n_kept, executor = _kept.get(os.getpid(), (0, None))
    if n_kept == n_workers:
        return executor
    if executor is not None:
        _end(executor)
    executor = ProcessPoolExecutor(n_workers, timeout=_IDLE_SECONDS, env=_ONE_THREAD)
    # Started here: within the block below it would unblock the signals that are blocked there.
    resource_tracker.ensure_running()
    with interrupts_deferred():
        executor.submit(os.getpid)  # starts the processes, or raises an error
    _kept[os.getpid()] = n_workers, executor
    # Before the exit of a worker of a pool waits for the processes that it has started.
    Finalize(None, _end_kept, exitpriority=100)
    return executor


def _end_kept() -> None:
    if os.getpid() in _kept:
        _end(_kept[os.getpid()][1])


def _end(executor: Any) -> None:
    """Kill the workers of an executor, and keep it no longer."""
    _kept.pop(os.getpid(), None)
    executor.shutdown(kill_workers=True)


@contextlib.contextmanager
def _processes(
    n_workers: int, settings: RunSettings, stop: Stop
) -> Iterator[tuple[Submit, Callable[[], bool]]]:
    """Yield two functions: to submit a task to worker processes, and whether anything manages them.

    At a stop the processes are killed. Otherwise they are kept for the next sweep of this process,
    unless one of them was killed.
    """
    from concurrent.futures import Future
    from concurrent.futures.process import BrokenProcessPool

    executor = _executor_of(n_workers)
    how = settings.engine, settings.timeout, settings.fail_fast
    broken: list[BrokenProcessPool] = []

    def note(batch: Future[Batch]) -> None:
        error = None if batch.cancelled() else batch.exception()
        broken.extend([error] if isinstance(error, BrokenProcessPool) else [])

    def submit(task: Task) -> Future[Batch]:
        try:
            with interrupts_deferred():  # inherited: the parent alone handles Ctrl-C
                batch = executor.submit(_run_apart, os.getpid(), task, *how)
        except BrokenProcessPool as error:  # a worker was killed before this task
            batch = Future()
            batch.set_exception(error)
        batch.add_done_callback(note)
        return batch

    def alive() -> bool:
        manager = executor._executor_manager_thread
        return manager is None or manager.is_alive()

    try:
        yield submit, alive
    finally:
        if stop.requested or broken or not alive():
            _end(executor)


def _run_apart(parent: int, *how: Any) -> Batch:
    """Run a batch in a process that exits when its parent has ended."""
    exit_with(parent)
    return run_batch(*how)


def _on_dask(tasks: Tasks, n_workers: int, settings: RunSettings, stop: Stop) -> Iterator[Batch]:
    from pipeline.execution.dask_cluster import run_on_cluster

    yield from run_on_cluster(tasks, n_workers, settings, stop)


def _check_dask(settings: RunSettings) -> None:
    from pipeline.execution.dask_cluster import refuse_unusable

    refuse_unusable(settings)


def _n_on_dask(settings: RunSettings) -> int | None:
    from pipeline.execution.dask_cluster import n_existing

    return n_existing(settings)


register("loky", Backend(_in_processes))
register("threading", Backend(_in_threads, seconds_in_turn=SECONDS_IN_PYTHON))
register("sequential", Backend(_in_turn, parallel=False))
register("dask", Backend(_on_dask, check=_check_dask, n_existing=_n_on_dask))
