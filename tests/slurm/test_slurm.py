"""A sweep as an array of Slurm: a task killed, submitted again, merged, the undivided sweep."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xarray as xr

from tests.conftest import ROOT, names_in, numbers_of
from tests.support.printed import blocks
from tests.support.slurm import ask, cluster, wait_for, why_not

pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(why_not()), reason=why_not())]

N_SHARDS = 6

PAGE = ROOT / "docs" / "how_to" / "cluster.md"

#: What the cluster of the tests, of two cores, has no room for.
SMALLER = {
    "--ntasks=17 --cpus-per-task=2": "--ntasks=2 --cpus-per-task=1",
    "--ntasks=15": "--ntasks=1",
    "--exact --cpus-per-task=2": "--exact --cpus-per-task=1",
    "seed=range(2000)": "seed=range(20)",
    "name=large": "simulation.duration=1000 name=large",
}

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
    """Exit code 2, with the last words of sbatch; no script is left."""
    said = stdp("slurm", "--submit", "--partition", "none", "seed=1", "name=b", code=2)
    assert said == (
        "error: --submit: sbatch: error: Batch job submission failed: Invalid partition name "
        "specified\n"
    )
    assert not Path("outputs").exists()


def test_the_printed_job_of_dask_runs_the_sweep(stdp, tmp_path, monkeypatch):
    """As the page has it, with one task of workers and fewer points: the results of threads."""
    pytest.importorskip("distributed", reason="needs the extra dask")
    (printed,) = [block.text for block in blocks(PAGE) if "dask.sbatch" in block.text]
    script = printed.partition("<<'END'\n")[2].partition("END\n")[0]
    for old, new in SMALLER.items():
        assert old in script
        script = script.replace(old, new)
    Path("dask.sbatch").write_text(script)
    for name, module in {"stdp": "stdp", "dask": "dask", "python": ""}.items():
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'#!/bin/sh\nexec {sys.executable} {"-m " * bool(module)}{module} "$@"\n')
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    job = ask("sbatch", "--parsable", "dask.sbatch").strip()
    wait_for(job)
    logs = [file.read_text() for file in (Path(f"slurm-{job}.out"), Path(f"dask_{job}.log"))]
    assert "20 points in " in logs[0], logs
    assert logs[1].count("Start worker at") == 2
    assert "End scheduler" in logs[1]  # which does not outlive the job
    stdp("run", "-m", "seed=range(20)", "simulation.duration=1000", "name=threads")
    xr.testing.assert_identical(results("large"), results("threads"))
