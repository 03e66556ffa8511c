"""Output into a pipe whose reader has gone, as `head` does."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def closed_pipes_ignored() -> Iterator[None]:
    """End the block quietly when the reader of its output has closed the pipe.

    What is printed later is discarded, so that Python's shutdown does not fail at it.
    """
    try:
        yield
    except BrokenPipeError:
        pass
    finally:
        _discard_unreadable_output()


def say(text: object) -> None:
    """Print a line; one that nobody reads ends nothing."""
    with closed_pipes_ignored():
        print(text, flush=True)


def _discard_unreadable_output() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
