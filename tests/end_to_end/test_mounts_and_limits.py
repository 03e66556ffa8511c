"""File systems and processes with limits: errors of system calls are injected with strace."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

import pipeline
from tests.conftest import SMALL, numbers_of

ROOT = Path(__file__).parents[2]

WORDS = (*SMALL, "-m", "seed=1,2", "name=a")


def strace_works():
    """Whether strace is installed and may trace."""
    traced = ["strace", "-qq", "-o", os.devnull, "true"]
    return bool(shutil.which("strace")) and subprocess.run(traced, check=False).returncode == 0


needs_strace = pytest.mark.skipif(not strace_works(), reason="strace is missing, or may not trace")


@pytest.fixture
def run(tmp_path):
    """Run a module below `tmp_path`, after a prefix of the command line."""

    def start(module, *words, prefix=(), **environment):
        return subprocess.run(
            [*prefix, sys.executable, "-m", module, *words],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return start


def injecting(call, error, *paths):
    """Return the prefix of a command in which a system call fails, for some paths or for all."""
    watched = [word for path in paths for word in ("-P", str(path))]
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}"]
    return ["strace", "-f", "-qq", "-o", os.devnull, *watched, *inject]


def n_done(tmp_path):
    """Return how many of the points a sweep would find done."""
    path = tmp_path / "outputs" / "a"
    return pipeline.plan(pipeline.configure(*SMALL), {"seed": [1, 2]}, path).asked.done


@needs_strace
def test_a_folder_that_cannot_be_synced_holds_an_experiment(run, tmp_path):
    """CIFS, vboxsf and FUSE refuse fsync of a folder."""
    folders = [tmp_path / "outputs" / "a" / name for name in ("", "points")]
    folders[1].mkdir(parents=True)
    done = run("pipeline", *WORDS, prefix=injecting("fsync", "EINVAL", *folders))
    assert done.returncode == 0, done.stderr
    assert n_done(tmp_path) == 2


@needs_strace
def test_a_file_that_cannot_be_synced_is_reported(run, tmp_path):
    """Its content may not be on the disk: one line and exit code 1."""
    done = run("pipeline", *WORDS, prefix=injecting("fsync", "EIO"))
    assert done.returncode == 1
    assert "configuration.yaml: cannot be written (Input/output error)" in done.stderr
    assert not (tmp_path / "outputs" / "a" / "configuration.yaml").exists()


@needs_strace
def test_a_file_system_without_locks_holds_an_experiment(run, tmp_path):
    """NFS and Lustre may have none: written, resumed and reproduced with one warning."""
    without_locks = injecting("flock", "ENOLCK")
    for _ in range(2):
        done = run("pipeline", *WORDS, prefix=without_locks)
        assert done.returncode == 0, done.stderr
        (line,) = done.stderr.splitlines()
        assert "cannot be locked" in line
    assert "2 finished before" in done.stdout
    assert run("pipeline.reproduce", "outputs/a", prefix=without_locks).returncode == 0
    assert n_done(tmp_path) == 2
    assert not list((tmp_path / "outputs" / "a").glob("*.damaged"))


@needs_strace
def test_batches_that_cannot_be_mapped_are_read(configure, tmp_path, run):
    """A file system of FUSE may map no files into memory."""
    whole = pipeline.sweep(configure(), {"seed": [1, 2]}, tmp_path / "outputs" / "a")
    files = (tmp_path / "outputs" / "a" / "points").iterdir()
    done = run("pipeline", *WORDS, prefix=injecting("mmap", "ENODEV", *files))
    assert done.returncode == 0, done.stderr
    assert "2 finished before" in done.stdout
    with xr.open_dataset(tmp_path / "outputs" / "a" / "results.nc") as dataset:
        xr.testing.assert_identical(numbers_of(dataset), numbers_of(whole))
