"""Whole commands, as a user types them: their wall time and their peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.contestants import ROOT

_LAUNCHER = Path(__file__).with_name("launch.py")


class CommandError(Exception):
    """A command did not end well; the message is its last line."""


@dataclass(frozen=True)
class Ended:
    """What a command took.

    Attributes
    ----------
    seconds : float
        Wall time from its start to its end.
    peak : int
        The most memory that it held, in bytes.
    results : Path
        Where a sweep leaves its file.
    """

    seconds: float
    peak: int
    results: Path


def pipeline_command(folder: Path, *words: str) -> Ended:
    """Run `python -m pipeline` into a new directory below a folder."""
    name = uuid.uuid4().hex
    ended = python_command(folder, "-m", "pipeline", *words, f"name={name}")
    return Ended(*ended, folder / "outputs" / name / "results.nc")


def python_command(folder: Path, *words: str) -> tuple[float, int]:
    """Run Python from a folder; return its wall time in seconds and its peak memory in bytes.

    Raises
    ------
    CommandError
        If its exit code is not 0.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", _LAUNCHER, sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    ended = json.loads(done.stdout)
    if ended["code"]:
        last_words = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CommandError(f"exit code {ended['code']}: {last_words[:200]}")
    return ended["seconds"], ended["peak"]
