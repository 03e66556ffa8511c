"""Run an experiment by its command, whole or quick, changed or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import xarray as xr

from tests.conftest import ROOT

QUICK = "+size=quick"


def words(experiment: str, *more: str) -> list[str]:
    """Return the words after the command `stdp run`."""
    return [f"+experiment={experiment}", *more]


def run(experiment: str, folder: Path, *more: str) -> xr.Dataset:
    """Run an experiment in a process of its own, or what is missing of it; return its results.

    Raises
    ------
    RuntimeError
        If the command fails.
    """
    where = [f"outputs={folder}", f"name={experiment}"]
    command = [sys.executable, "-m", "pipeline", *words(experiment, *more), *where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return opened(folder, experiment)


def opened(folder: Path, experiment: str) -> xr.Dataset:
    """Return the results of an experiment in memory."""
    from analysis import open_results

    with open_results(folder / experiment) as dataset:
        return dataset.load()
