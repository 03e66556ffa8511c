"""Complete commands in separate processes: wall time and peak memory."""

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
    """A command failed; the message is the last line of its output."""


@dataclass(frozen=True)
class Ended:
    """Wall time and peak memory of a command.

    Attributes
    ----------
    seconds : float
        Wall time [s].
    peak : int
        Peak resident memory [bytes].
    results : Path
        Path of the results of a sweep.
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
