"""Interruptions of a command while it starts: SIGTERM and SIGHUP end it as Ctrl-C does."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def interrupts_raised() -> Iterator[None]:
    """Raise `KeyboardInterrupt` at SIGINT, SIGTERM and SIGHUP in the block."""
    with handled_by(signal.default_int_handler):
        yield


@contextlib.contextmanager
def handled_by(handler: signal._HANDLER) -> Iterator[None]:
    """Handle SIGINT, SIGTERM and SIGHUP by a function in the block.

    One that the parent process set to be ignored stays ignored. Python sets handlers in the main
    thread only.
    """
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in SIGNALS if is_main}
    chosen = [number for number, earlier in before.items() if earlier is not signal.SIG_IGN]
    for number in chosen:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in chosen:
            signal.signal(number, before[number])
