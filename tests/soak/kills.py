"""Kill the command with real signals at random moments, and go on until it is done."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import xarray as xr

from pipeline.system.signals import INTERRUPTED
from tests.soak.study import assert_whole_files_only, finish, results, start

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
BACKENDS = ("threading", "loky", "sequential")

#: A user's patience after Ctrl-C, on a machine that has other things to do.
PATIENCE = 5.0


#: Before that the command may not have begun, and Python itself is what is killed [s].
EARLIEST = 0.4


def kill_and_resume(n_kills: int, chance: random.Random, folder: Path) -> Counter:
    """Kill a study `n_kills` times, resume it each time, and compare what it comes to."""
    tried: Counter = Counter()
    finish(folder)
    whole = results(folder)
    shutil.rmtree(folder / "outputs")
    while tried["kills"] < n_kills:
        kill_once(folder, chance, tried)
        if chance.random() < 0.3:
            resume(folder, chance, whole, tried)
    resume(folder, chance, whole, tried)
    return tried


def kill_once(folder: Path, chance: random.Random, tried: Counter) -> None:
    """Start the command and kill it some time later, unless it is faster."""
    number, backend = chance.choice(SIGNALS), chance.choice(BACKENDS)
    process = start(folder, f"run.backend={backend}")
    time.sleep(chance.uniform(EARLIEST, 2.5))
    killed = time.monotonic()
    # A terminal and a scheduler may tell the whole group, or the parent alone.
    (os.killpg if chance.random() < 0.5 else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    took = time.monotonic() - killed
    tried["kills"] += 1
    tried[number.name] += 1
    tried[backend] += 1
    if number != signal.SIGKILL and process.returncode != 0:
        ended = number.name, backend, process.returncode, out, err
        assert process.returncode == INTERRUPTED, ended
        assert "interrupted" in err.lower(), err
        assert "Traceback" not in err, err
        assert took < PATIENCE, (number.name, backend, took)
    assert_whole_files_only(folder)


def resume(folder: Path, chance: random.Random, whole: xr.Dataset, tried: Counter) -> None:
    """Run the command to its end, compare with a run that nothing disturbed, and clear away."""
    finish(folder, f"run.backend={chance.choice(BACKENDS)}")
    xr.testing.assert_identical(results(folder), whole)
    scraps = list((folder / "outputs").rglob("*.tmp"))
    assert scraps == []
    tried["resumed to the same numbers"] += 1
    shutil.rmtree(folder / "outputs")
