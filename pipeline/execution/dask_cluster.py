"""Run batches on a Dask cluster: one that exists, or processes of this machine.

Tasks are futures, a bounded number of them at a time. A worker that is lost costs no point: the
tasks that it was running are run on others, in parts, until the point is found that kills its
worker.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import logging
import math
import pickle
import threading
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.composition.run_settings import RunSettings
from pipeline.execution.backends import BACKENDS
from pipeline.execution.batch import KILLED, Batch, Task, Tasks
from pipeline.execution.cancel import Stop
from pipeline.execution.dask_connection import (
    connected,
    in_background,
    own_cluster,
    unlike_workers,
)
from pipeline.execution.dask_usable_workers import (
    SECONDS_TO_ANSWER,
    SchedulerLostError,
    UsableWorkers,
)
from pipeline.execution.dask_worker import LackingEvents, code, receive, run_task
from pipeline.model.contents import content_of
from pipeline.model.errors import RequestError
from pipeline.model.event_content import EventContent, spilled
from pipeline.model.event_sources import EventFile
from pipeline.model.quantity import written

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger("pipeline")

#: Longest time after which a request to stop, or a lost scheduler, is seen [s].
_SECONDS_BETWEEN_LOOKS = 0.1

#: Number of workers that a point has to itself and that are lost, after which it has failed.
_LOSSES_ALONE = 3

#: Part of a file of events that is sent at a time [bytes].
_BYTES_PER_BLOCK = 8_000_000


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
        for worker, difference in unlike_workers(client).items():
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
                client, own = stack.enter_context(own_cluster(n_workers))
            else:
                client, own = stack.enter_context(connected(settings.scheduler)), None
        except RequestError as error:
            _interrupt(stop, str(error))
            return
        except (OSError, RuntimeError) as error:  # no further processes
            reason = " ".join(str(error.__cause__ or error).split())
            text = (
                "run.backend=dask: processes cannot be started (%s); run.backend=threading is used"
            )
            log.warning(text, reason)
            yield from BACKENDS["threading"].run(tasks, n_workers, settings, stop)
            return
        try:
            workers = UsableWorkers(client, own, _shown(settings))
            yield from _Sweep(client, workers, settings, stop).batches(tasks)
        except SchedulerLostError:
            _interrupt(stop, f"{_shown(settings)}: the connection to the scheduler was lost")


def _interrupt(stop: Stop, reason: str) -> None:
    """Interrupt the sweep as Ctrl-C does: what has finished is kept."""
    log.error("%s", reason)
    stop.requested = stop.interrupted = True


def _shown(settings: RunSettings) -> str:
    if settings.scheduler is None:
        return "run.backend=dask"
    return written("run.scheduler", settings.scheduler)


@dataclass(frozen=True)
class _Waiting:
    """A task that is to be run.

    Attributes
    ----------
    task : Task
        The task.
    n_losses : int
        Number of workers that were lost while they ran it, or the task that it is a part of.
    """

    task: Task
    n_losses: int = 0


@dataclass(frozen=True)
class _Running:
    """A task on a worker.

    Attributes
    ----------
    waiting : _Waiting
        The task.
    worker : str
        Address of the worker.
    future : Future
        The task at the scheduler.
    transfer : concurrent.futures.Future
        Its result, once it is in this process.
    """

    waiting: _Waiting
    worker: str
    future: Future
    transfer: concurrent.futures.Future[Any]


class _Sweep:
    """Tasks under way on a cluster.

    Each is sent to one worker, which has no more of them than threads: where a worker is lost it is
    known which tasks it was running, and a result on its way here shares its worker with none
    that waits. A task during which a worker was lost has the next one to itself.

    Parameters
    ----------
    client : Client
        The connection to the scheduler.
    workers : UsableWorkers
        Its workers.
    settings : RunSettings
        How points are run.
    stop : Stop
        Flag that ends the sweep.
    """

    def __init__(
        self, client: Client, workers: UsableWorkers, settings: RunSettings, stop: Stop
    ) -> None:
        self._client = client
        self._workers = workers
        self._stop = stop
        self._how = settings.engine, settings.timeout, settings.fail_fast
        self._running: list[_Running] = []
        self._again: deque[_Waiting] = deque()
        self._some_done = threading.Event()

    def batches(self, tasks: Tasks) -> Iterator[Batch]:
        """Yield the results of tasks as they finish; once `stop` is requested those that have.

        Raises
        ------
        SchedulerLostError
            If the scheduler is lost.
        """
        waiting = map(_Waiting, tasks)
        try:
            while not self._stop.requested:
                self._workers.look()
                if not self._submit_more(waiting) and not self._running:
                    return
                self._some_done.wait(_SECONDS_BETWEEN_LOOKS)
                self._some_done.clear()
                yield from self._finished()
                yield from self._lost()
                self._refuse_lost_scheduler()
            yield from self._finished()
        finally:
            with contextlib.suppress(Exception):  # of a scheduler that is lost
                futures = [running.future for running in self._running]
                self._client.cancel(futures, asynchronous=False)

    def _refuse_lost_scheduler(self) -> None:
        if self._client.status != "running":
            raise SchedulerLostError

    def _submit_more(self, waiting: Iterator[_Waiting]) -> bool:
        """Submit tasks until all threads are busy; return whether there may be more of them."""
        free = dict(self._workers.threads)
        for running in self._running:
            if running.worker in free:
                free[running.worker] -= self._size(running.waiting, running.worker)
        while True:
            if (first := self._again.popleft() if self._again else next(waiting, None)) is None:
                return False
            roomy = [w for w, n in free.items() if n >= self._size(first, w)]
            if not roomy:
                self._again.appendleft(first)
                return True
            worker = max(roomy, key=lambda worker: free[worker])
            free[worker] -= self._size(first, worker)
            self._submit(first, worker)

    def _size(self, waiting: _Waiting, worker: str) -> int:
        """Return the number of threads of a worker that a task occupies."""
        return self._workers.threads[worker] if waiting.n_losses else 1

    def _submit(self, waiting: _Waiting, worker: str) -> None:
        """Send a task to a worker, and ask for its result as soon as there is one."""
        key = f"stdp-{uuid.uuid4().hex}"
        future = self._client.submit(
            run_task,
            key,
            code(),
            pickle.dumps((waiting.task, *self._how), pickle.HIGHEST_PROTOCOL),
            key=key,
            pure=False,
            workers=[worker],
        )

        transfer = in_background(self._client, lambda: self._client.gather(future))
        transfer.add_done_callback(lambda _: self._some_done.set())
        self._running.append(_Running(waiting, worker, future, transfer))

    def _finished(self) -> Iterator[Batch]:
        """Yield the results of tasks that have finished; note those that are to be run again."""
        for running in [running for running in self._running if running.transfer.done()]:
            self._running.remove(running)
            batch = self._batch_of(running)
            running.future.release()
            if batch is not None:
                yield batch

    def _lost(self) -> Iterator[Batch]:
        """Note the tasks of lost workers to be run again; yield the failures of those that kill."""
        for running in [running for running in self._running if running.worker in self._gone()]:
            self._running.remove(running)
            running.future.cancel()  # which ends the transfer, too
            if (batch := self._killed(running.waiting)) is not None:
                yield batch

    def _gone(self) -> set[str]:
        """Return the addresses of workers with tasks that the scheduler no longer has."""
        return {running.worker for running in self._running} - self._workers.threads.keys()

    def _killed(self, waiting: _Waiting) -> Batch | None:
        """Return the failure of a point that has killed its workers, None if it is run again."""
        task, n_losses = waiting.task, waiting.n_losses + 1
        if len(task) > 1:
            size = math.isqrt(len(task))
            self._again += [_Waiting(task[i : i + size], 1) for i in range(0, len(task), size)]
            return None
        if n_losses > _LOSSES_ALONE:
            return Batch([], {}, {task[0].key: KILLED})
        self._again.append(_Waiting(task, n_losses))
        return None

    def _batch_of(self, running: _Running) -> Batch | None:
        """Return the results of a task, None if it is to be run again."""
        from distributed import KilledWorker

        try:
            answer = running.transfer.result()
        except KilledWorker:
            return self._killed(running.waiting)
        except (concurrent.futures.CancelledError, asyncio.CancelledError, OSError):
            self._refuse_lost_scheduler()  # else of lost data or of a lost connection to a worker
            self._again.append(running.waiting)
        except Exception:
            if not self._workers.leave_out_if_unlike(running.worker):
                raise  # the code is ours, and so is the error
            self._again.append(running.waiting)
        else:
            if isinstance(answer, Batch):
                return answer
            self._send(answer)
            self._again.append(running.waiting)
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
                    if not self._taken(lacking.worker, digest, transfer, block, left <= 0):
                        return

    def _taken(self, worker: str, *part: object) -> bool:
        """Send a part of some events to a worker; return whether it has answered in time."""
        sending = functools.partial(
            self._client.run, receive, *part, workers=[worker], on_error="return"
        )
        try:
            in_background(self._client, sending).result(SECONDS_TO_ANSWER)
        except (concurrent.futures.TimeoutError, OSError, KeyError):  # it hangs, or has ended
            return False
        return True
