"""The study that the campaigns run: a few seconds of work, and what it must come to in the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import xarray as xr

from tests.conftest import SMALL, numbers_of

ROOT = Path(__file__).parent.parent.parent

#: Two axes; the reference engine takes about 60 ms a point.
WORDS = (*SMALL, "-m", "simulation.duration=3000", "input.rate_hz=30,60")
WORDS += ("record.spike_times=true", "run.engine=reference", "run.batch_size=1", "name=study")


def start(folder: Path, *words: str, n_seeds: int = 12, **how) -> subprocess.Popen:
    """Start the real command in a folder, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *WORDS, f"seed=range({n_seeds})", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **how,
    )


def finish(folder: Path, *words: str, **how) -> str:
    """Run the command to its end, which must be a good one, and return what it printed."""
    process = start(folder, *words, **how)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def results(folder: Path) -> xr.Dataset:
    """Return the numbers of the study in a folder."""
    with xr.open_dataset(folder / "outputs" / "study" / "results.nc") as dataset:
        return numbers_of(dataset.load())


def assert_whole_files_only(folder: Path) -> None:
    """Whatever happened: what has a final name is readable to its end."""
    from pipeline.system.atomic_files import checksum

    study = folder / "outputs" / "study"
    for batch in study.glob("points/*.npz"):
        assert checksum(batch.read_bytes()) == batch.stem, batch
    if (study / "results.nc").exists():
        results(folder)
