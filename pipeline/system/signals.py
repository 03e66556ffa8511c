"""Signal handling: how a command responds to SIGINT, SIGTERM and SIGHUP."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TypeAlias

#: What `signal.signal` takes.
Handler: TypeAlias = "signal._HANDLER"

#: Sent by Ctrl-C, by a scheduler and at the loss of a connection; a command handles them alike.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: Exit code of a command that was interrupted.
INTERRUPTED = 130


def exit_on_interrupts() -> None:
    """Exit the process at once when it is interrupted, until `raise_on_interrupts`.

    A signal that the parent process set to be ignored, as a shell does with SIGINT for background
    jobs, stays ignored.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit)


def raise_on_interrupts() -> None:
    """Raise `KeyboardInterrupt` when interrupted, in place of `exit_on_interrupts`."""
    for number in SIGNALS:
        if signal.getsignal(number) is _exit:
            signal.signal(number, signal.default_int_handler)


def ignore_interrupts() -> None:
    """Ignore interruptions from now on: the output is complete, only the exit code remains."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _exit(number: int, frame: FrameType | None) -> None:
    """Exit without Python's shutdown: there is nothing to clean up yet."""
    os.write(2, b"Interrupted before any point ran\n")
    os._exit(INTERRUPTED)


@contextlib.contextmanager
def interrupts_handled(handle: Callable[[], None]) -> Iterator[None]:
    """Call a function at every interruption during the block.

    Replaces only handlers that raise `KeyboardInterrupt`, and only in the main thread: Python
    allows no other thread to set handlers.
    """
    with _handled_by(
        lambda number, frame: handle(), lambda earlier: earlier is signal.default_int_handler
    ):
        yield


@contextlib.contextmanager
def interrupts_raised() -> Iterator[None]:
    """Raise `KeyboardInterrupt` at every interruption during the block, in the main thread.

    A signal that the parent process set to be ignored stays ignored.
    """
    with _handled_by(signal.default_int_handler, lambda earlier: earlier is not signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handled_by(handler: Handler, is_replaced: Callable[[Handler], bool]) -> Iterator[None]:
    """Replace some handlers of interruptions during the block, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    replaced = [number for number, earlier in before.items() if is_replaced(earlier)]
    for number in replaced:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, before[number])


@contextlib.contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Handle SIGINT after the block; a process that starts in it never does.

    The signal is blocked, and not ignored: one that arrives within the block is not lost.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
