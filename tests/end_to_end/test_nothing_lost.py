"""No file that was kept is replaced, and a directory keeps its identity whatever it loses."""

import contextlib
import errno
import fcntl
import os
import shutil
from pathlib import Path

import pytest
import xarray as xr

import pipeline
from pipeline.execution import backends
from tests.conftest import SMALL, numbers_of

pytestmark = pytest.mark.long

SWEEP = (*SMALL, "-m", "run.backend=sequential", "run.batch_size=1")


def contents(folder):
    """Return the contents of all files at any depth."""
    return {file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()}


@pytest.fixture
def run(configure, tmp_path, monkeypatch):
    """Sweep seeds into `outputs/x` of the current folder, one point per batch."""
    monkeypatch.chdir(tmp_path)
    settings = {"backend": "sequential", "batch_size": 1}

    def sweep(*seeds, name="x", planned=False):
        base, path = configure(), Path("outputs", name)
        before = pipeline.plan(base, {"seed": seeds}, path).asked.done if planned else None
        swept = pipeline.sweep(base, {"seed": seeds}, path, **settings)
        return (numbers_of(swept), before) if planned else numbers_of(swept)

    return sweep


def remove_batches(folder):
    """Remove the finished batches of an experiment."""
    for file in Path(folder, "points").iterdir():
        file.unlink()


def test_every_file_that_was_kept_stays(run):
    """Batches lost three times: each of the three earlier result files is still there."""
    kept = []
    for seeds in (range(4), (10, 11), (20, 21), (30,)):
        run(*seeds)
        kept.append(Path("outputs/x/results.nc").read_bytes())
        remove_batches("outputs/x")
    assert contents("outputs/x") >= set(kept)
    names = {file.name for file in Path("outputs/x").glob("results.nc*")}
    assert names == {"results.nc", *(f"results.nc.earlier{n}" for n in ("", ".2", ".3"))}


def test_points_lost_and_others_found_are_not_counted_against_each_other(run, caplog):
    """As many points as `results.nc` has, but not the same: the file is kept."""
    for name, seeds in (("x", (1, 2)), ("y", (3, 4))):
        run(*seeds, name=name)
    kept = Path("outputs/x/results.nc").read_bytes()
    remove_batches("outputs/x")
    for file in Path("outputs/y/points").iterdir():
        shutil.copy(file, "outputs/x/points")
    run(3, 4)
    assert "results.nc has 2 finished points that are no longer in" in caplog.text
    assert kept in contents("outputs/x")


FILES = ("configuration.yaml", "provenance.json", "results.nc", "failures.csv", "points")


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_kept_each_time(run, name, caplog):
    """Damaged twice in unlike ways: both contents stay, the numbers come back, with a warning."""
    whole = run(1, 2)
    damages = (b"first \xff", b"second \xff")
    for damage in damages:
        file = Path("outputs/x", name)
        file = next(file.glob("*.npz")) if name == "points" else file
        file.write_bytes(damage)
        caplog.clear()
        xr.testing.assert_identical(run(1, 2), whole)
        line = next(line for line in caplog.text.splitlines() if line.startswith("WARNING"))
        assert f"{file}" in line
        assert f" as {file.name}.damaged" in line
    assert contents("outputs/x") >= set(damages)
    caplog.clear()
    run(1, 2)
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


def test_copies_of_batches_are_not_damaged(run, caplog):
    """A copy named by a file manager, and the hidden file that macOS leaves, say nothing."""
    run(1, 2)
    file = next(Path("outputs/x/points").iterdir())
    file.with_name(f"._{file.name}").write_bytes(b"metadata")
    for copy in (f"{file.stem} (1).npz", f"{file.stem} (2).npz"):
        shutil.copy(file, file.with_name(copy))
    file.unlink()
    caplog.clear()
    assert run(1, 2, planned=True)[1] == 2
    assert "WARNING" not in caplog.text


def test_a_folder_that_cannot_be_listed_is_not_empty(run, monkeypatch):
    """Its points are not counted as lost, run again, or replaced in `results.nc`."""
    run(1, 2)
    before = {file: file.read_bytes() for file in Path("outputs").rglob("*") if file.is_file()}
    listdir = os.listdir

    def refuse(path):
        if Path(path).name == "points":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(OSError, match=r"Permission denied: 'outputs/x/points'"):
        run(1, 2)
    after = {file: file.read_bytes() for file in Path("outputs").rglob("*") if file.is_file()}
    assert after.keys() == before.keys()
    assert all(after[file] == before[file] for file in before if file.name != ".lock")


#: Files of an experiment of which one or all hidden ones may be lost.
ALL_FILES = (*FILES[:-1], ".lock", "sweep.log", "points")


@pytest.mark.parametrize("lost", [*ALL_FILES, "hidden and configuration.yaml", "all but results"])
def test_a_directory_that_lost_files_is_still_the_experiment(run, lost):
    """Whatever is lost, the same command has the same numbers again."""
    whole = run(1, 2)
    names = {
        "hidden and configuration.yaml": (".lock", "configuration.yaml"),
        "all but results": {*ALL_FILES} - {"results.nc"},
    }.get(lost, (lost,))
    for name in names:
        path = Path("outputs/x", name)
        shutil.rmtree(path) if name == "points" else path.unlink(missing_ok=True)
    Path("outputs/x/notes.txt").write_text("mine")
    again, n_done = run(1, 2, planned=True)
    assert n_done == (0 if "points" in names else 2)
    xr.testing.assert_identical(again, whole)


def test_results_of_another_program_are_not_replaced(command):
    """A file of that name makes no experiment."""
    Path("outputs/x").mkdir(parents=True)
    Path("outputs/x/results.nc").write_bytes(b"of another program")
    ended = command(*SWEEP, "seed=1,2", "name=x")
    assert ended.code == 2
    assert "must hold no files but those of an experiment (results.nc)" in ended.err


@pytest.mark.parametrize("moved", ["directory", "parent"])
def test_a_directory_that_is_renamed_meanwhile_is_completed_there(
    configure, tmp_path, monkeypatch, caplog, moved
):
    """All points and the results go to where the directory is now; nothing is left behind."""
    monkeypatch.chdir(tmp_path)
    old, new = Path("outputs/x"), Path("outputs/y")
    if moved == "parent":
        new = Path("elsewhere/x")
    run_batch = backends.run_batch

    def rename_first(*arguments):
        if old.exists() and list(old.glob("points/*.npz")):
            old.rename(new) if moved == "directory" else old.parent.rename(new.parent)
        return run_batch(*arguments)

    monkeypatch.setattr(backends, "run_batch", rename_first)
    settings = {"backend": "sequential", "batch_size": 1}
    swept = pipeline.sweep(configure(), {"seed": range(4)}, old, **settings)
    assert not old.exists()
    assert f"{old} was renamed: what is still to be written goes to {new}" in caplog.text
    with xr.open_dataset(new / "results.nc") as dataset:
        xr.testing.assert_identical(dataset.load(), swept)
    assert pipeline.plan(configure(), {"seed": range(4)}, new).asked.done == 4


def test_a_directory_that_is_removed_meanwhile_is_not_made_again(configure, tmp_path, monkeypatch):
    """One line, as its first points are gone."""
    run_batch = backends.run_batch

    def remove_first(*arguments):
        if list(tmp_path.glob("x/points/*.npz")):
            shutil.rmtree(tmp_path / "x")
        return run_batch(*arguments)

    monkeypatch.setattr(backends, "run_batch", remove_first)
    settings = {"backend": "sequential", "batch_size": 1}
    with pytest.raises(OSError, match=r"x: was removed, or moved to another disk, while"):
        pipeline.sweep(configure(), {"seed": range(4)}, tmp_path / "x", **settings)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_job_of_hydras_sweeper_keeps_no_other_from_running(command):
    """All jobs run, in each batch of the launcher; the exit code is 1 at the end."""
    ended = command(
        *SMALL,
        *("-m", "hydra/sweeper=basic", "hydra.sweeper.max_batch_size=1", "run.timeout=0.05"),
        *("seed=1,2", "simulation.duration=1e9,500", "name=jobs"),
    )
    assert ended.code == 1
    done = {}
    for job in Path("outputs/jobs").glob("[0-9]"):
        with xr.open_dataset(job / "results.nc") as dataset:
            done[job.name] = int(dataset["status"]) == 0
    assert done == {"0": False, "1": False, "2": True, "3": True}
