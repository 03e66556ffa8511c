"""A shell in a pseudo-terminal: keys are typed, and what it shows is read."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

#: Time limit of one answer [s].
_PATIENCE = 20

#: Escape sequences of colours, titles and the cursor.
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>])")


#: Makes the terminal the controlling one, which shells need, and becomes the program.
_START = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A program that runs in a terminal of its own; use it as a context manager.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    folder : Path
        Its working directory.
    environment : dict
        Its environment.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *command],
            cwd=folder,
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def type(self, keys: str) -> None:
        """Send keys."""
        os.write(self._master, keys.encode())

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read until what is shown matches a pattern; return the match."""
        shown, end = "", time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if select.select([self._master], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):  # the program has ended
                    shown += os.read(self._master, 65536).decode(errors="replace")
            plain = _ESCAPES.sub("", shown)
            if found := re.search(pattern, plain):
                return found
        raise AssertionError(f"{pattern!r} was not shown in {_PATIENCE} s, but {plain!r}")
