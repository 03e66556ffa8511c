"""Signal handling: how a command answers SIGINT, SIGTERM and SIGHUP."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

#: Ctrl-C, and what a scheduler and a lost connection send; a command answers all in the same way.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


#: The exit code of a command that was interrupted.
INTERRUPTED = 130


def leave_at_interrupts() -> None:
    """End this process at once when it is interrupted, until `raise_at_interrupts`.

    What whoever started it wants ignored, as a shell does with Ctrl-C for what runs behind, stays
    ignored.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)


def raise_at_interrupts() -> None:
    """Answer interruptions with `KeyboardInterrupt` from now on, where they ended the process."""
    for number in _SIGNALS:
        if signal.getsignal(number) is _leave:
            signal.signal(number, signal.default_int_handler)


def ignore_interrupts() -> None:
    """Ignore interruptions from now on: all is done or told, and only the exit code is left."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _leave(number: int, frame: FrameType | None) -> None:
    """End without a word of Python's: nothing has been begun that would have to be put away."""
    os.write(2, b"interrupted before anything ran\n")
    os._exit(INTERRUPTED)


@contextlib.contextmanager
def interrupts_handled(handle: Callable[[], None]) -> Iterator[None]:
    """Call a function at every interruption during the block.

    Only signals that raise `KeyboardInterrupt` are taken over, and only the main thread can do
    that.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    taken = [number for number in before if before[number] is signal.default_int_handler]
    for number in taken:
        signal.signal(number, lambda number, frame: handle())
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C during the block, and in all processes that start in it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signals
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        if before is not None:  # None: it was not Python that had set it
            signal.signal(signal.SIGINT, before)
