"""Sixteen shards that run at once, of which some are killed, and a merge that is killed as well."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import xarray as xr

from pipeline.merge import main as merge
from tests.conftest import ROOT, SMALL, numbers_of

pytestmark = pytest.mark.long

N_SHARDS = 16

SWEEP = (
    *("-m", *SMALL, "record=everything", "input.rate_hz=20,40", "seed=range(80)"),
    *("run.batch_size=1", "run.n_jobs=1"),
)


def started(*words, module="pipeline"):
    """Start a command."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*words, module="pipeline"):
    """Run a command, which must succeed."""
    process = started(*words, module=module)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors


def test_killed_shards_merge_to_the_undivided_sweep(tmp_path, monkeypatch, tried):
    """Bit for bit; four shards run at a time, every other one is killed and resumed."""
    monkeypatch.chdir(tmp_path)
    chance = random.Random(16)
    run(*SWEEP, "name=whole")
    n_killed = 0
    for first in range(1, N_SHARDS, 4):
        numbers = range(first, first + 4)
        shards = {i: started(*SWEEP, "name=x", f"run.shard={i}/{N_SHARDS}") for i in numbers}
        for number in numbers[::2]:
            points = Path(f"outputs/x/shards/{number}/points")
            wanted = chance.randint(1, 5)  # files of points, of about 10
            wait_for_files(shards[number], points, wanted)
            shards[number].send_signal(signal.SIGKILL)
        for number, shard in shards.items():
            _, errors = shard.communicate(timeout=300)
            assert shard.returncode in (0, -signal.SIGKILL), errors
            if shard.returncode:
                n_killed += 1
                assert not Path(f"outputs/x/shards/{number}/results.nc").exists()
    assert n_killed >= 4
    assert merge(["outputs/x"]) == 1
    for number in range(1, N_SHARDS + 1):
        if not Path(f"outputs/x/shards/{number}/results.nc").exists():
            run(*SWEEP, "name=x", f"run.shard={number}/{N_SHARDS}")
    n_merges = kill_merges(chance)
    tried("killed and merged", Counter(shards=n_killed, merges=n_merges))
    assert n_merges >= 2
    names = ("outputs/y/results.nc", "outputs/whole/results.nc")
    with xr.open_dataset(names[0]) as x, xr.open_dataset(names[1]) as y:
        xr.testing.assert_identical(numbers_of(x), numbers_of(y))
        assert (x.status == 0).all()
        assert x.made_by.min() >= 0


def kill_merges(chance):
    """Merge into another directory; kill it after random numbers of files; return how often."""
    n_killed = 0
    for wanted in sorted(chance.sample(range(1, 150), 5)):
        merging = started("outputs/x", "--into", "outputs/y", module="pipeline.merge")
        wait_for_files(merging, Path("outputs/y/points"), wanted)
        merging.kill()
        merging.communicate()
        n_killed += merging.returncode == -signal.SIGKILL
    run("outputs/x", "--into", "outputs/y", module="pipeline.merge")
    return n_killed


def wait_for_files(process, folder, wanted):
    """Wait until a folder has so many files, or the process has ended."""
    while process.poll() is None and not (folder.is_dir() and len([*folder.iterdir()]) >= wanted):
        time.sleep(0.002)
