"""Cancellation: the flag that every run in a process checks, and the end of orphaned workers."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections.abc import Iterator

from pipeline.system.signals import interrupts_handled


class StoppedError(Exception):
    """A run was stopped before its end; its point is neither done nor failed."""


class Stop:
    """Request to stop all runs of this process.

    Attributes
    ----------
    requested : bool
        Whether the runs should stop.
    interrupted : bool
        Whether an interruption was the reason.
    """

    def __init__(self) -> None:
        self.requested = False
        self.interrupted = False

    @contextlib.contextmanager
    def on_interrupts(self) -> Iterator[None]:
        """Set the flags at the first interruption in the block; raise at the second.

        Raises
        ------
        KeyboardInterrupt
            At the second interruption.
        """

        def request() -> None:
            again = self.interrupted
            self.requested = self.interrupted = True
            if again:
                raise KeyboardInterrupt

        with interrupts_handled(request):
            yield


@functools.cache
def exit_with(parent: int) -> None:
    """Exit this process within a second or so after its parent process has ended or was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
