"""Rename directories while a sweep writes to them, copy parts of them, and repeat the request."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from unittest import mock

import xarray as xr

import pipeline
from pipeline.execution import backends
from tests.conftest import ROOT, SMALL, numbers_of

AXES = {"input.rate_hz": [30, 60], "seed": range(3)}

#: Files that a copy may lack; the results or the points are left, so that it is an experiment.
_MAY_BE_LOST = (".lock", "configuration.yaml", "provenance.json", "sweep.log", "results.nc")


def move_and_repeat(n_moves: int, chance: random.Random, folder: Path) -> Counter:
    """Rename a directory amid a sweep, or copy it in part, and repeat the same request."""
    tried: Counter = Counter()
    base = pipeline.configure(*SMALL, "record.spike_times=true")
    whole = numbers_of(pipeline.sweep(base, AXES, backend="sequential"))
    for i in range(n_moves):
        first, last = folder / f"{i}" / "first", folder / f"{i}" / "last"
        if chance.random() < 0.5:
            last = _renamed(base, first, chance.randrange(6))
            tried["renamed while written"] += 1
        else:
            tried.update(_copied(base, first, last, chance))
        again = numbers_of(pipeline.sweep(base, AXES, last, backend="sequential", batch_size=1))
        xr.testing.assert_identical(again, whole)
        with xr.open_dataset(last / "results.nc") as dataset:
            xr.testing.assert_identical(numbers_of(dataset), whole)
        assert pipeline.plan(base, AXES, last).asked.done == 6
        tried["repeated with identical results"] += 1
        shutil.rmtree(folder / f"{i}")
    return tried


def _renamed(base: pipeline.Configuration, path: Path, n_before: int) -> Path:
    """Sweep into a directory that gets another name after some batches; return where it is."""
    run_batch, n_run, new = backends.run_batch, 0, path.with_name("renamed")

    def rename_first(*arguments):
        nonlocal n_run
        if n_run == n_before and path.exists():
            path.rename(new)
        n_run += 1
        return run_batch(*arguments)

    with mock.patch.object(backends, "run_batch", rename_first):
        pipeline.sweep(base, AXES, path, backend="sequential", batch_size=1)
    assert new.exists() != path.exists()
    return new if new.exists() else path


def _copied(
    base: pipeline.Configuration, first: Path, last: Path, chance: random.Random
) -> Counter:
    """Copy a finished or an unfinished experiment without some of its files."""
    axes = chance.choice((AXES, AXES | {"seed": range(2)}))
    pipeline.sweep(base, axes, first, backend="sequential", batch_size=1)
    lost = set(chance.sample(_MAY_BE_LOST, chance.randrange(len(_MAY_BE_LOST))))
    shutil.copytree(first, last, ignore=lambda *_: lost)
    if "results.nc" not in lost and chance.random() < 0.3:
        shutil.rmtree(last / "points")
        lost.add("points")
    return Counter(["copied", *(f"without {name}" for name in lost)])


def fail_jobs(n_commands: int, chance: random.Random, folder: Path) -> Counter:
    """Let random jobs of Hydra's own sweeper fail: all others run, and the exit code is 1."""
    tried: Counter = Counter()
    for i in range(n_commands):
        durations = chance.sample((500, 600, 700, 10**9, 2 * 10**9), chance.randrange(2, 6))
        words = [f"simulation.duration={','.join(map(str, durations))}", "run.timeout=0.05"]
        command = [sys.executable, "-m", "pipeline", "-m", "hydra/sweeper=basic", *SMALL, *words]
        ended = subprocess.run(
            [*command, f"name=jobs_{i}"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        n_failed = sum(duration > 700 for duration in durations)
        assert ended.returncode == (1 if n_failed else 0), ended.stderr
        made = list((folder / "outputs" / f"jobs_{i}").rglob("*.npz"))
        assert len(made) == len(durations) - n_failed, ended.stderr
        tried["commands"] += 1
        tried["jobs that failed"] += n_failed
        tried["other jobs, which ran"] += len(made)
    return tried
