"""Kill the command with real signals at random times, and resume it until it is done."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import xarray as xr

from pipeline.system.signals import INTERRUPTED
from tests.soak.study import N_POINTS, assert_whole_files_only, finish, results, start

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
BACKENDS = ("threading", "loky", "sequential")

#: Longest time from the signal to the end of the command, on a machine with other load [s].
PATIENCE = 5.0

#: Before that the signal may reach Python's own start-up and not the command [s].
EARLIEST = 0.4


def kill_and_resume(n_kills: int, chance: random.Random, folder: Path) -> Counter:
    """Kill a sweep `n_kills` times, resume it in between, and compare its results.

    The first kill comes after the first finished batch and is followed by a resume, so that every
    campaign has at least one of each. The others come at random.
    """
    tried: Counter = Counter()
    started = time.monotonic()
    finish(folder)
    latest = time.monotonic() - started
    whole = results(folder)
    shutil.rmtree(folder / "outputs")
    for i in range(n_kills):
        kill_once(folder, chance, tried, latest if i else None)
        if i == 0 or chance.random() < 0.3:
            resume(folder, chance, whole, tried)
    resume(folder, chance, whole, tried)
    return tried


def kill_once(folder: Path, chance: random.Random, tried: Counter, latest: float | None) -> None:
    """Start the command and kill it after at most `latest` [s], or when a batch is on disk."""
    backend = chance.choice(BACKENDS)
    tried[backend] += 1
    process = start(folder, f"run.backend={backend}")
    if latest is None:
        wait_for_batch(folder, process)
    else:
        time.sleep(chance.uniform(EARLIEST, latest))
    kill(process, chance, tried)
    assert_whole_files_only(folder)


def kill(process: subprocess.Popen, chance: random.Random, tried: Counter) -> None:
    """Send one of `SIGNALS` to a command, and check how it ends."""
    number = chance.choice(SIGNALS)
    killed = time.monotonic()
    # A terminal signals the whole process group, a scheduler may signal the parent alone.
    (os.killpg if chance.random() < 0.5 else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    took = time.monotonic() - killed
    tried["kills"] += 1
    tried[number.name] += 1
    if process.returncode != 0:
        tried["ended by the signal"] += 1
    if number != signal.SIGKILL and process.returncode != 0:
        ended = number.name, process.returncode, out, err
        assert process.returncode == INTERRUPTED, ended
        assert "interrupted" in err.lower(), err
        assert "Traceback" not in err, err
        assert took < PATIENCE, (number.name, took)


def wait_for_batch(folder: Path, process: subprocess.Popen, n_before: int = 0) -> None:
    """Wait until a batch more than before is on disk, or the process has ended."""
    while n_batches(folder) <= n_before and process.poll() is None:
        time.sleep(0.005)


def n_batches(folder: Path) -> int:
    """Return the number of batches on disk."""
    return len(list(folder.glob("outputs/study/points/*.npz")))


def resume(folder: Path, chance: random.Random, whole: xr.Dataset, tried: Counter) -> None:
    """Run the command to its end, compare with the undisturbed results, and delete the outputs."""
    partial = 0 < n_batches(folder) < N_POINTS
    finish(folder, f"run.backend={chance.choice(BACKENDS)}")
    xr.testing.assert_identical(results(folder), whole)
    temporary = list((folder / "outputs").rglob("*.tmp"))
    assert temporary == []
    tried["resumed with identical results"] += 1
    if partial:
        tried["resumed from a part of the points"] += 1
    shutil.rmtree(folder / "outputs")
