"""The sweep that the campaigns run: a few seconds of work, and its expected results."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import xarray as xr

from tests.conftest import SMALL, numbers_of

ROOT = Path(__file__).parent.parent.parent

#: Two axes; the reference engine takes about 60 ms per point.
OVERRIDES = (*SMALL, "-m", "simulation.duration=3000", "input.rate_hz=30,60")
OVERRIDES += ("record.spike_times=true", "run.engine=reference", "run.batch_size=1", "name=study")

#: Seeds of a request, and its points: two input rates for each seed.
N_SEEDS = 12
N_POINTS = 2 * N_SEEDS


def start(folder: Path, *overrides: str, n_seeds: int = N_SEEDS, **how) -> subprocess.Popen:
    """Start the command of the sweep in a folder, in a separate process group."""
    return launched(folder, *OVERRIDES, f"seed=range({n_seeds})", *overrides, **how)


def launched(folder: Path, *words: str, **how) -> subprocess.Popen:
    """Start the command in a folder, in a separate process group."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        **how,
    )


def finish(folder: Path, *overrides: str, **how) -> str:
    """Run the command to its end, check that it succeeds, and return its output."""
    return output_of(start(folder, *overrides, **how))


def output_of(process: subprocess.Popen) -> str:
    """Wait for the end of a command, check that it succeeds, and return its output."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def results(folder: Path, name: str = "study") -> xr.Dataset:
    """Return the results of a sweep in a folder, without provenance."""
    with xr.open_dataset(folder / "outputs" / name / "results.nc") as dataset:
        return numbers_of(dataset.load())


def assert_whole_files_only(folder: Path) -> None:
    """Check that every file with a final name is complete."""
    from pipeline.system.atomic_files import checksum

    study = folder / "outputs" / "study"
    for batch in study.glob("points/*.npz"):
        assert checksum(batch.read_bytes()) == batch.stem, batch
    if (study / "results.nc").exists():
        results(folder)
