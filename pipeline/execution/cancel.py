"""Cancellation: a flag that every run in this process looks at, and orphaned workers."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections.abc import Iterator

from pipeline.system.signals import interrupts_handled


class StoppedError(Exception):
    """A run that was ended before its time; nothing is wrong with its point."""


class Stop:
    """Whether everything under way should end.

    Parameters
    ----------
    patient : bool
        Whether what is under way looks at `asked` and ends by itself. Otherwise an interruption
        raises `KeyboardInterrupt` at once, except while `shielded`.
    """

    def __init__(self, patient: bool) -> None:
        self.patient = patient
        self.shielded = False
        self.asked = False
        self.interrupted = False

    @contextlib.contextmanager
    def at_interrupts(self) -> Iterator[None]:
        """Let an interruption ask for the end, once; a second one acts as it did before."""

        def ask() -> None:
            at_once = self.interrupted or not (self.patient or self.shielded)
            self.asked = self.interrupted = True
            if at_once:
                raise KeyboardInterrupt

        with interrupts_handled(ask):
            yield


@functools.cache
def leave_with(parent: int) -> None:
    """End this process soon after its parent has ended, also if that was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
