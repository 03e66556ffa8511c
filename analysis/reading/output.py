"""Output into a pipe whose reader has gone, as `head` does."""

from __future__ import annotations

import os
import sys


def say(text: object = "") -> None:
    """Print a line; one that nobody reads ends nothing, and the work goes on."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        discard_unreadable_output()


def discard_unreadable_output() -> None:
    """Discard what is buffered for a closed pipe, and all that follows, so that no exit fails."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
