"""Output that cannot be written: a pipe whose reader has gone, a full disk, a closed stream."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from collections.abc import Iterator
from typing import TextIO

#: Reasons for which a stream cannot be written; a closed pipe is the reader's wish, and not said.
_UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)


def prepare_streams() -> None:
    """Open the standard streams that are closed, and write characters that one cannot as escapes.

    A file that is opened later would take the number of a closed stream, and with it what libraries
    print there.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def closed_pipes_ignored() -> Iterator[None]:
    """End the block quietly when its output cannot be written: the pipe is closed, the disk full.

    What is printed later is discarded, so that Python's shutdown does not fail at it. Handlers of
    logs, as Hydra's for `--info`, print no tracebacks of it either.
    """
    raises, logging.raiseExceptions = logging.raiseExceptions, False
    try:
        yield
    except OSError as error:
        # A file that cannot be written has a name, or is an error of ours without a number.
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        _discard(sys.stdout, error)
    finally:
        logging.raiseExceptions = raises
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError as error:
                _discard(stream, error)


def say(text: object) -> None:
    """Print a line; one that nobody reads ends nothing."""
    _print(text, sys.stdout)


def complain(text: object) -> None:
    """Print a line on standard error; one that nobody reads ends nothing."""
    _print(text, sys.stderr)


def _print(text: object, stream: TextIO) -> None:
    try:
        print(text, file=stream, flush=True)
    except OSError as error:
        _discard(stream, error)


def _discard(stream: TextIO, error: OSError) -> None:
    """Discard what is printed from now on; say once why, unless the reader of a pipe has gone."""
    with contextlib.suppress(OSError):  # a stream of the caller's own may have no number
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if stream is sys.stdout and error.errno != errno.EPIPE:
        complain(f"standard output cannot be written ({error.strerror}); the work goes on")
