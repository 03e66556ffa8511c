"""A sweep as an array of Slurm: a task killed, submitted again, merged, the undivided sweep."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xarray as xr

from tests.conftest import ROOT, names_in, numbers_of
from tests.support.slurm import ask, cluster, wait_for, why_not

pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(why_not()), reason=why_not())]

N_SHARDS = 6

#: 48 points of about a fifth of a second each.
SWEEP = (
    *("-m", "input.rate_hz=10,20", "seed=range(24)", "simulation.duration=5_000_000"),
    "run.batch_size=1",
)


@pytest.fixture(scope="module", autouse=True)
def slurm(tmp_path_factory):
    """Run a cluster of this machine."""
    with cluster(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.fixture
def stdp(tmp_path, monkeypatch):
    """Run a command in an empty folder; return its output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # which tasks have too

    def run(*words, code=0):
        command = [sys.executable, "-m", "stdp", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    return run


def results(name):
    """Return the numbers of an experiment below `outputs`."""
    with xr.open_dataset(Path("outputs", name, "results.nc")) as dataset:
        return numbers_of(dataset.load())


def kill_when_begun(job, number):
    """Kill a task by SIGKILL when it has saved points, and has more to do."""
    points = Path(f"outputs/x/shards/{number}/points")
    end = time.monotonic() + 120
    while not (points.is_dir() and [*points.glob("*.npz")]):
        assert time.monotonic() < end, ask("squeue")
        time.sleep(0.01)
    ask("scancel", "--signal=KILL", "--full", f"{job}_{number}")


def test_an_array_with_a_killed_task_ends_as_the_undivided_sweep(stdp):
    """Merged after it: the killed shard is named; submitted again and merged, all is there."""
    words = ("slurm", "--submit", "--shards", str(N_SHARDS), "--cores", "1", "--partition", "test")
    said = stdp(*words, *SWEEP, "name=x").splitlines()
    job, merging = said[0].split(",")[0].split()[1], said[0].split(";")[0].split()[-1]
    kill_when_begun(job, 3)
    wait_for(job, merging)
    log = Path("outputs/x/shards/merge.log").read_text()
    assert f"shard 3/{N_SHARDS} is incomplete: " in log
    assert "Run these again, sbatch --array=3, and merge again" in log
    assert names_in(Path("outputs/x/shards")) == sorted(
        [*map(str, range(1, N_SHARDS + 1)), "array.sbatch", "merge.sbatch", "shards.json"]
        + ["merge.log", *(f"task_{i}.log" for i in range(1, N_SHARDS + 1))]
    )
    again = ask("sbatch", "--parsable", "--array=3", "outputs/x/shards/array.sbatch").strip()
    wait_for(again)
    assert "finished before" in Path("outputs/x/shards/task_3.log").read_text()
    wait_for(ask("sbatch", "--parsable", "outputs/x/shards/merge.sbatch").strip())
    assert "48 points: 48 done; " in Path("outputs/x/shards/merge.log").read_text()
    stdp("run", *SWEEP, "name=whole")
    xr.testing.assert_identical(results("x"), results("whole"))
    beyond = ask("sbatch", "--parsable", "--array=7", "outputs/x/shards/array.sbatch").strip()
    wait_for(beyond)
    log = Path("outputs/x/shards/task_7.log").read_text()
    assert "SLURM_ARRAY_TASK_ID=7: must be from 1 to 6, the array by which outputs/x was" in log


def test_the_printed_script_is_one_that_sbatch_takes(stdp):
    """With words that a shell would take apart, in a folder with a blank in its name."""
    Path("my files").mkdir()
    os.chdir("my files")
    script = stdp("slurm", "--shards", "2", "seed=range(4)", "simulation.duration=100", "name=a")
    Path("a.sbatch").write_text(script)
    job = ask("sbatch", "--parsable", "--output=%a.log", "a.sbatch").strip()
    wait_for(job)
    assert names_in(Path("outputs/a/shards")) == ["1", "2", "shards.json"]
    assert stdp("merge", "outputs/a").startswith("4 points: 4 done; ")


def test_what_slurm_refuses_is_one_line(stdp):
    """Exit code 2, with the words of sbatch."""
    said = stdp("slurm", "--submit", "--partition", "none", "seed=1", "name=b", code=2)
    assert said.startswith("error: --submit: sbatch: error: ")
    assert "invalid partition" in said
