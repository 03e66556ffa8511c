"""No file that was kept is replaced, and a directory keeps its identity whatever it loses."""

import contextlib
import fcntl
import shutil
from pathlib import Path

import pytest
import xarray as xr

from tests.conftest import SMALL, numbers_of

SWEEP = (*SMALL, "-m", "run.backend=sequential", "run.batch_size=1")


def contents(folder):
    """Return the contents of all files at any depth."""
    return {file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()}


def remove_batches(folder):
    """Remove the finished batches of an experiment."""
    for file in Path(folder, "points").iterdir():
        file.unlink()


def test_every_file_that_was_kept_stays(command):
    """Batches lost three times: each of the three earlier result files is still there."""
    kept = []
    for seeds in ("range(4)", "10,11", "20,21", "30"):
        assert command(*SWEEP, f"seed={seeds}", "name=x").code == 0
        kept.append(Path("outputs/x/results.nc").read_bytes())
        remove_batches("outputs/x")
    assert contents("outputs/x") >= set(kept)
    names = {file.name for file in Path("outputs/x").glob("results.nc*")}
    assert names == {"results.nc", *(f"results.nc.earlier{n}" for n in ("", ".2", ".3"))}


def test_points_lost_and_others_found_are_not_counted_against_each_other(command, caplog):
    """As many points as `results.nc` has, but not the same: the file is kept."""
    for name, seeds in (("x", "1,2"), ("y", "3,4")):
        command(*SWEEP, f"seed={seeds}", f"name={name}")
    kept = Path("outputs/x/results.nc").read_bytes()
    remove_batches("outputs/x")
    for file in Path("outputs/y/points").iterdir():
        shutil.copy(file, "outputs/x/points")
    command(*SWEEP, "seed=3,4", "name=x")
    assert "results.nc has 2 finished points that are no longer in" in caplog.text
    assert kept in contents("outputs/x")


FILES = ("configuration.yaml", "provenance.json", "results.nc", "failures.csv", "points")


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_kept_each_time(command, name, caplog):
    """Damaged twice in unlike ways: both contents stay, the numbers come back, with a warning."""
    words = (*SWEEP, "seed=1,2", "name=x")
    command(*words)
    with xr.open_dataset("outputs/x/results.nc") as dataset:
        whole = numbers_of(dataset.load())
    damages = (b"first \xff", b"second \xff")
    for damage in damages:
        file = Path("outputs/x", name)
        file = next(file.glob("*.npz")) if name == "points" else file
        file.write_bytes(damage)
        caplog.clear()
        assert command(*words).code == 0
        line = next(line for line in caplog.text.splitlines() if line.startswith("WARNING"))
        assert f"{file}" in line
        assert f" as {file.name}.damaged" in line
        with xr.open_dataset("outputs/x/results.nc") as dataset:
            xr.testing.assert_identical(numbers_of(dataset), whole)
    assert contents("outputs/x") >= set(damages)
    caplog.clear()
    command(*words)
    assert "WARNING" not in caplog.text


def test_a_dry_run_renames_nothing(command, caplog):
    """Damaged and lost files are reported where they are."""
    command(*SWEEP, "seed=1,2", "name=x")
    remove_batches("outputs/x")
    Path("outputs/x/provenance.json").write_text("{")
    before = sorted(Path("outputs/x").rglob("*"))
    command(*SWEEP, "seed=1,2", "name=x", "dry_run=true")
    assert "it is kept as results.nc.earlier" in caplog.text
    assert sorted(Path("outputs/x").rglob("*")) == before


@contextlib.contextmanager
def open_elsewhere(path):
    """Lock a file as HDF5 does where another process has it open for writing."""
    with Path(path).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_results_that_another_process_writes_are_kept(command, caplog):
    """HDF5 refuses to read them, which is no sign that they are empty."""
    command(*SWEEP, "seed=1,2", "name=x")
    remove_batches("outputs/x")
    with open_elsewhere("outputs/x/results.nc"):
        refused = command(*SWEEP, "seed=1,2", "neuron.t_ref=3", "name=x")
        assert refused.code == 2
        assert "holds an experiment with other settings" in refused.err
        assert command(*SWEEP, "seed=1,2", "name=x").code == 0
    assert "results.nc is damaged; it is written anew" in caplog.text
    with xr.open_dataset("outputs/x/results.nc.damaged") as dataset:
        assert (dataset["status"] == 0).all()


def test_copies_of_batches_are_not_damaged(command, caplog):
    """A copy named by a file manager, and the hidden file that macOS leaves, say nothing."""
    command(*SWEEP, "seed=1,2", "name=x")
    file = next(Path("outputs/x/points").iterdir())
    file.with_name(f"._{file.name}").write_bytes(b"metadata")
    for copy in (f"{file.stem} (1).npz", f"{file.stem} (2).npz"):
        shutil.copy(file, file.with_name(copy))
    file.unlink()
    caplog.clear()
    assert "2 finished before" in command(*SWEEP, "seed=1,2", "name=x").out
    assert "WARNING" not in caplog.text
