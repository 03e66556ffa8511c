"""The workers of a Dask scheduler that can run points: there, and with the code of this process."""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import math
import time
from typing import TYPE_CHECKING, Any

from pipeline.execution.dask_connection import code_of, difference, in_background

if TYPE_CHECKING:
    from distributed import Client

    from pipeline.execution.dask_processes import OwnWorkers

log = logging.getLogger("pipeline")

#: Longest time in which a worker tells its code, or takes a part of events, while others wait [s].
SECONDS_TO_ANSWER = 30.0

#: Time between two looks at the workers of a scheduler [s], and without any until a warning.
_SECONDS_BETWEEN_COUNTS, _SECONDS_WITHOUT_WORKERS = 0.5, 10.0


class SchedulerLostError(Exception):
    """The connection to the scheduler has ended."""


class UsableWorkers:
    """Workers of a scheduler with the code of this process.

    A worker is asked for its code when it comes, and is used once it has answered. The others
    work meanwhile: it imports the package, or it may never answer.

    Parameters
    ----------
    client : Client
        The connection to the scheduler.
    own : OwnWorkers or None
        The workers, where they are processes of this machine.
    name : str
        Name of the scheduler in warnings.

    Attributes
    ----------
    threads : dict of str to int
        Number of threads of each, by address.
    """

    def __init__(self, client: Client, own: OwnWorkers | None, name: str) -> None:
        self.threads: dict[str, int] = {}
        self._client = client
        self._own = own
        self._name = name
        self._asked: dict[str, concurrent.futures.Future[dict[str, Any]]] = {}
        self._alike: set[str] = set()
        self._unlike: set[str] = set()
        self._there: dict[str, int] = {}  # threads of all, also of those that cannot be used
        self._count: concurrent.futures.Future[dict[str, int]] | None = None
        self._looked = -math.inf
        self._had_workers = time.monotonic()

    def look(self) -> None:
        """Count the threads of all, at intervals; leave out workers with other code.

        Nothing is waited for: what has not been answered yet is taken at a later call.

        Raises
        ------
        SchedulerLostError
            If the scheduler is lost.
        """
        self._take_answers()
        if time.monotonic() >= self._looked + _SECONDS_BETWEEN_COUNTS:
            self._count_all()
        self.threads = {worker: n for worker, n in self._there.items() if worker in self._alike}

    def _count_all(self) -> None:
        """Start missing workers of this machine, and ask for the number of threads of all."""
        if self._own is not None:
            with contextlib.suppress(OSError):  # no further process for now
                self._own.start_missing()
        if self._count is None:
            self._count = in_background(self._client, self._client.nthreads)
        if not self._count.done():
            return
        try:
            self._there = self._count.result()
        except (OSError, concurrent.futures.CancelledError) as error:
            raise SchedulerLostError from error
        self._count = None
        self._looked = time.monotonic()
        self._ask_new_ones()
        self._warn_without_workers()

    def _ask_new_ones(self) -> None:
        """Ask the workers that have come for their code; forget those that have left."""
        # One that comes again under its address is asked again.
        self._alike &= self._there.keys()
        self._unlike &= self._there.keys()
        self._asked = {w: answer for w, answer in self._asked.items() if w in self._there}
        known = self._alike | self._unlike | self._asked.keys()
        for worker in self._there.keys() - known:
            self._asked[worker] = code_of(self._client, worker)

    def _take_answers(self) -> None:
        """Note which of the workers that have answered can be used."""
        for worker in [worker for worker, answer in self._asked.items() if answer.done()]:
            with contextlib.suppress(concurrent.futures.CancelledError):  # the client has ended
                self._note(worker, self._asked.pop(worker).result())

    def _note(self, worker: str, there: Any) -> None:
        """Note whether a worker can be used, by its answer."""
        if unlike := difference(there):
            log.warning("%s: its worker %s %s; it is not used", self._name, worker, unlike)
            self._unlike.add(worker)
        elif not isinstance(there, OSError):  # else it has ended
            self._alike.add(worker)

    def _warn_without_workers(self) -> None:
        now = time.monotonic()
        if self.threads:
            self._had_workers = now
        elif now > self._had_workers + _SECONDS_WITHOUT_WORKERS:
            which = "none that can be used" if self._unlike or self._asked else "none"
            log.warning("%s: waiting for workers; it has %s", self._name, which)
            self._had_workers = math.inf

    def leave_out_if_unlike(self, worker: str) -> bool:
        """Return whether a worker has other code; it is used no longer then."""
        with contextlib.suppress(concurrent.futures.TimeoutError):  # it hangs: others go on
            self._note(worker, code_of(self._client, worker).result(SECONDS_TO_ANSWER))
        if worker not in self._unlike:
            return False
        self._alike.discard(worker)
        self.threads.pop(worker, None)
        return True
