"""Work in a thread of which only the newest request counts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

log = logging.getLogger("stdp")

Request = TypeVar("Request")
Result = TypeVar("Result")


class NewestFirst(Generic[Request, Result]):
    """A thread that works on the newest request; those that a newer one overtakes are dropped.

    Parameters
    ----------
    work : callable
        Yields the results of a request, one after the other. The rest is not asked for once there
        is a newer request.
    deliver : callable
        Takes each result, in the thread. An error of either is logged, and ends the request only.
    """

    def __init__(
        self, work: Callable[[Request], Iterator[Result]], deliver: Callable[[Result], None]
    ) -> None:
        self._work, self._deliver = work, deliver
        self._waiting: list[Request] = []
        self._changed = threading.Condition()
        self._stopped = False
        threading.Thread(target=self._run, daemon=True).start()

    def submit(self, request: Request) -> None:
        """Ask for the results of a request in place of all earlier ones."""
        with self._changed:
            self._waiting = [request]
            self._changed.notify()

    def stop(self) -> None:
        """End the thread after the result that it works on."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._stopped)
                if self._stopped:
                    return
                request = self._waiting.pop()
            try:
                for result in self._work(request):
                    self._deliver(result)
                    if self._waiting or self._stopped:
                        break
            except Exception:  # the next request may succeed
                log.exception("%r failed", request)
