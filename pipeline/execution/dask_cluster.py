"""Run batches on a Dask cluster: one that exists, or processes of this machine.

Tasks are futures, a bounded number of them at a time. A worker that is lost costs no point: the
scheduler runs its tasks on others. A task that has killed four of them is divided until the point
is found that does.
"""

from __future__ import annotations

import contextlib
import logging
import math
import pickle
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pipeline.execution.backends import BACKENDS
from pipeline.execution.batch import KILLED, Batch, Task, Tasks
from pipeline.execution.cancel import Stop
from pipeline.execution.dask_connection import connected, own_cluster
from pipeline.execution.dask_worker import LackingEvents, code, receive, run_task
from pipeline.model.contents import content_of
from pipeline.model.errors import RequestError
from pipeline.model.event_content import EventContent, spilled
from pipeline.model.event_sources import EventFile
from pipeline.model.quantity import written
from pipeline.request.run_settings import RunSettings

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger("pipeline")

#: Longest time after which a request to stop, or a lost scheduler, is seen [s].
_SECONDS_BETWEEN_LOOKS = 0.1

#: Time between two looks at the workers of a scheduler [s], and without any until a warning.
_SECONDS_BETWEEN_COUNTS, _SECONDS_WITHOUT_WORKERS = 2.0, 10.0

#: Longest time of the transfer of a result, which is repeated [s].
_SECONDS_PER_TRANSFER = 20

#: Part of a file of events that is sent at a time [bytes].
_BYTES_PER_BLOCK = 8_000_000


class _SchedulerLostError(Exception):
    """The connection to the scheduler has ended."""


def refuse_unusable(settings: RunSettings) -> None:
    """Refuse a scheduler that does not answer, or workers with other code.

    Raises
    ------
    RequestError
        If there are, or Dask is not installed.
    """
    try:
        import distributed  # noqa: F401 - whether it is there
    except ImportError as error:
        raise RequestError(
            f"run.backend=dask: needs the extra, pip install 'stdp-pipeline[dask]' ({error})"
        ) from error
    if settings.scheduler is None:
        return
    with connected(settings.scheduler) as client:
        for worker, difference in _unlike_workers(client, [*client.nthreads()]).items():
            raise RequestError(f"{_shown(settings)}: its worker {worker} {difference}")


def n_existing(settings: RunSettings) -> int | None:
    """Return the number of threads of all workers of the scheduler, None without a scheduler."""
    if settings.scheduler is None:
        return None
    try:
        with connected(settings.scheduler) as client:
            return sum(client.nthreads().values())
    except RequestError:
        return None  # lost since it was checked: `run_on_cluster` reports it


def run_on_cluster(
    tasks: Tasks, n_workers: int, settings: RunSettings, stop: Stop
) -> Iterator[Batch]:
    """Run tasks on the workers of the scheduler, or on processes of this machine.

    Where the scheduler is lost the sweep is interrupted.
    """
    with contextlib.ExitStack() as stack:
        try:
            if settings.scheduler is None:
                client = stack.enter_context(own_cluster(n_workers))
            else:
                client = stack.enter_context(connected(settings.scheduler))
        except RequestError as error:
            _interrupt(stop, str(error))
            return
        except (OSError, RuntimeError, AssertionError) as error:  # no further processes
            reason = " ".join(str(error.__cause__ or error).split())
            text = (
                "run.backend=dask: processes cannot be started (%s); run.backend=threading is used"
            )
            log.warning(text, reason)
            yield from BACKENDS["threading"].run(tasks, n_workers, settings, stop)
            return
        try:
            yield from _Sweep(client, n_workers, settings, stop).batches(tasks)
        except _SchedulerLostError:
            _interrupt(stop, f"{_shown(settings)}: the connection to the scheduler was lost")


def _interrupt(stop: Stop, reason: str) -> None:
    """Interrupt the sweep as Ctrl-C does: what has finished is kept."""
    log.error("%s", reason)
    stop.requested = stop.interrupted = True


def _shown(settings: RunSettings) -> str:
    return written("run.scheduler", settings.scheduler)


class _Sweep:
    """Tasks under way on a cluster.

    Parameters
    ----------
    client : Client
        The connection to the scheduler.
    n_workers : int
        Number of workers, where the cluster is one of this process.
    settings : RunSettings
        How points are run.
    stop : Stop
        Flag that ends the sweep.
    """

    def __init__(self, client: Client, n_workers: int, settings: RunSettings, stop: Stop) -> None:
        self._client = client
        self._settings = settings
        self._stop = stop
        self._how = settings.engine, settings.timeout, settings.fail_fast
        self._running: dict[Future, Task] = {}
        self._again: list[Task] = []
        self._some_done = threading.Event()
        self._n_threads = n_workers
        self._counted = -math.inf
        self._had_workers = time.monotonic()
        self._seen: set[str] = set()
        self._unlike: set[str] = set()

    def batches(self, tasks: Tasks) -> Iterator[Batch]:
        """Yield the results of tasks as they finish; once `stop` is requested those that have.

        Raises
        ------
        _SchedulerLostError
            If the scheduler is lost.
        """
        waiting = iter(tasks)
        try:
            while not self._stop.requested:
                self._look_at_workers()
                self._submit_more(waiting)
                if not self._running:
                    return
                self._some_done.wait(_SECONDS_BETWEEN_LOOKS)
                self._some_done.clear()
                yield from self._finished()
                self._refuse_lost_scheduler()
            yield from self._finished()
        finally:
            with contextlib.suppress(Exception):  # of a scheduler that is lost
                self._client.cancel([*self._running], asynchronous=False)

    def _refuse_lost_scheduler(self) -> None:
        if self._client.status != "running":
            raise _SchedulerLostError

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Return an answer of the scheduler.

        Raises
        ------
        _SchedulerLostError
            If it gives none.
        """
        try:
            return question()
        except OSError as error:
            raise _SchedulerLostError from error

    def _look_at_workers(self) -> None:
        """Count the threads of all workers, and leave out workers with other code."""
        now = time.monotonic()
        if now < self._counted + _SECONDS_BETWEEN_COUNTS:
            return
        if self._settings.scheduler is None:
            self._client.cluster.scale(self._n_threads)  # those whose start was killed, too
            self._counted = now
            return
        threads = self._ask(self._client.nthreads)
        new = [worker for worker in threads if worker not in self._seen]
        for worker, difference in self._ask(lambda: _unlike_workers(self._client, new)).items():
            log.warning(
                "%s: its worker %s %s; it is not used",
                *(_shown(self._settings), worker, difference),
            )
            self._unlike.add(worker)
        self._seen.update(new)
        self._n_threads = sum(n for worker, n in threads.items() if worker not in self._unlike)
        if self._n_threads:
            self._had_workers = now
        elif now > self._had_workers + _SECONDS_WITHOUT_WORKERS:
            log.warning("%s: waiting for workers; it has none", _shown(self._settings))
            self._had_workers = math.inf
        self._counted = time.monotonic()

    def _submit_more(self, waiting: Iterator[Task]) -> None:
        """Submit tasks until there are two for each thread."""
        while len(self._running) < 2 * max(1, self._n_threads):
            task = self._again.pop() if self._again else next(waiting, None)
            if task is None:
                return
            key = f"stdp-{uuid.uuid4().hex}"
            future = self._client.submit(
                run_task,
                key,
                code(),
                pickle.dumps((task, *self._how), pickle.HIGHEST_PROTOCOL),
                key=key,
                pure=False,
                workers=[*(self._seen - self._unlike)] if self._unlike else None,
            )
            future.add_done_callback(lambda _: self._some_done.set())
            self._running[future] = task

    def _finished(self) -> Iterator[Batch]:
        """Yield the results of tasks that have finished; note those that are to be run again."""
        for future in [future for future in self._running if future.done()]:
            task = self._running.pop(future)
            batch = self._batch_of(future, task)
            future.release()
            if batch is not None:
                yield batch

    def _batch_of(self, future: Future, task: Task) -> Batch | None:
        """Return the results of a task, None if it is to be run again."""
        from distributed import CancelledError, KilledWorker

        try:
            answer = future.result(timeout=_SECONDS_PER_TRANSFER)
        except KilledWorker:
            if len(task) == 1:
                return Batch([], {}, {task[0].key: KILLED})
            size = math.isqrt(len(task))  # each part that kills costs four workers
            self._again += [task[i : i + size] for i in range(0, len(task), size)]
        except (CancelledError, OSError):  # of lost data or connections; of slow ones a timeout
            self._refuse_lost_scheduler()
            self._again.append(task)
        except Exception:
            known = len(self._unlike)
            self._seen.clear()
            self._counted = -math.inf
            self._look_at_workers()
            if len(self._unlike) == known:
                raise  # the code is ours, and so is the error
            self._again.append(task)
        else:
            if isinstance(answer, Batch):
                return answer
            self._send(answer)
            self._again.append(task)
        return None

    def _send(self, lacking: LackingEvents) -> None:
        """Send events to a worker that cannot read their files."""
        for digest in lacking.digests:
            content = content_of(digest)
            assert isinstance(content, EventContent)
            source = content.source
            path = source.path if isinstance(source, EventFile) else spilled(content)
            left, transfer = path.stat().st_size, uuid.uuid4().hex
            with path.open("rb") as file:
                while left > 0:
                    block = file.read(min(left, _BYTES_PER_BLOCK))
                    left -= len(block)
                    arguments = digest, transfer, block, left <= 0
                    self._client.run(
                        receive, *arguments, workers=[lacking.worker], on_error="return"
                    )


def _unlike_workers(client: Client, workers: list[str]) -> dict[str, str]:
    """Return how the code of some workers differs from that of this process, by address."""
    if not workers:
        return {}
    here, unlike = code(), {}
    for worker, there in client.run(code, workers=workers, on_error="return").items():
        if isinstance(there, OSError):  # it has just ended
            continue
        if isinstance(there, Exception):
            unlike[worker] = f"cannot import this version of the package ({there})"
            continue
        for name, version in here.items():
            if there.get(name) != version:
                unlike[worker] = f"has {name} {there.get(name)}, and this process {version}"
                break
    return unlike
