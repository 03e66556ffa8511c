"""Shards on the command line: asked for, refused, resumed, failed, listed, merged, extended."""

import shutil
from pathlib import Path

import pytest
import xarray as xr

from analysis.__main__ import main as analyse
from analysis.reading.dataset import open_results
from pipeline.merge import main as merge
from pipeline.model.inputs import PROCESSES
from pipeline.model.plasticity import RULES
from pipeline.reproduce import main as reproduce
from tests.conftest import SMALL, names_in, numbers_of
from tests.support.rule_files import SOFT

pytestmark = pytest.mark.long

SWEEP = (*SMALL, "simulation.duration=100", "run.backend=sequential", "-m", "seed=range(12)")


def results(name):
    """Return the numbers of an experiment below `outputs`."""
    with xr.open_dataset(Path("outputs", name, "results.nc")) as dataset:
        return numbers_of(dataset.load())


def test_a_shard_is_refused_where_it_cannot_be(refused):
    """Beyond n, without a name, outside of an array: one line, exit code 2, nothing written."""
    assert "run.shard=5/4: must be i/n" in refused(*SWEEP, "name=x", "run.shard=5/4")
    assert "run.shard=1/4: needs name=..." in refused(*SWEEP, "run.shard=1/4")
    assert "(sbatch --array=1-16)" in refused(*SWEEP, "name=x", "run.shard=slurm")


def test_jobs_of_hydra_have_no_shards(command):
    """Each has one point and a directory of its own."""
    ended = command(*SWEEP, "name=x", "run.shard=1/4", "hydra/sweeper=basic")
    assert ended.code == 2
    assert "run.shard=1/4: must be null with hydra/sweeper=basic" in ended.err


def test_a_dry_run_says_how_many_points_are_of_the_shard(command):
    """And of how many; it pins nothing."""
    numbers = []
    for number in range(1, 5):
        ended = command(*SWEEP, "name=x", f"run.shard={number}/4", "dry_run=true")
        first = ended.out.splitlines()[0]
        assert first.endswith(f" 0 of them done; shard {number}/4 of 12 points")
        numbers.append(int(first.split()[1].rstrip(",")))
    assert sum(numbers) == 12
    assert not Path("outputs").exists()


def test_a_merge_says_that_a_shard_was_run_for_longer(command, capsys):
    """The others are incomplete, as points of a shorter duration are none of it."""
    command(*SWEEP, "name=x", "run.shard=1/2")
    command(*SWEEP, "simulation.duration=200", "name=x", "run.shard=2/2")
    assert merge(["outputs/x"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    longest = "with simulation.duration=200, the longest of a shard"
    assert last == f"Run these again, run.shard=i/2 for i=1, {longest}, and merge again"
    assert command(*SWEEP, "simulation.duration=200", "name=x", "run.shard=1/2").code == 0
    assert merge(["outputs/x"]) == 0


def test_a_merge_says_that_shards_have_unlike_axes(command, capsys):
    """The same command again would never complete them."""
    command(*SWEEP, "name=x", "run.shard=1/2")
    command(*SWEEP, "input.rate_hz=40,50", "name=x", "run.shard=2/2")
    assert merge(["outputs/x"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    values = "with all values that any shard has on its axes"
    assert last == f"Run these again, run.shard=i/2 for i=1, {values}, and merge again"
    assert command(*SWEEP, "input.rate_hz=40,50", "name=x", "run.shard=1/2").code == 0
    assert merge(["outputs/x"]) == 0


def test_all_shards_are_the_undivided_sweep(command, capsys, monkeypatch):
    """One row in the list, a line that says to merge, and after that the same numbers."""
    command(*SWEEP, "name=whole")
    for number in (4, 1, 2):
        ended = command(*SWEEP, "name=x", f"run.shard={number}/4")
        assert ended.code == 0
        assert ended.out.startswith(f"shard {number}/4 of 12 points: ")
        assert "python -m pipeline.merge outputs/x" in ended.out
    monkeypatch.setenv("COLUMNS", "200")
    capsys.readouterr()
    assert analyse(["list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == ["name", "whole", "x"]
    assert int(rows[2][3]) + int(rows[2][4]) == 12
    assert " ".join(rows[2]).endswith("3 of 4 shards, not merged; seed 0..11 (12)")
    told = "has only shards, that are not merged; python -m pipeline.merge outputs/x merges them"
    assert analyse(["outputs/x"]) == 2
    assert told in capsys.readouterr().err
    with pytest.raises(Exception, match="has only shards"):
        open_results("outputs/x")
    assert reproduce(["outputs/x"]) == 2
    assert "that are not merged" in capsys.readouterr().err
    refused = command(*SWEEP, "name=x")
    assert refused.code == 2
    assert "that are not merged" in refused.err
    assert names_in(Path("outputs/x")) == ["shards"]
    command(*SWEEP, "name=x", "run.shard=3/4")
    assert merge(["outputs/x"]) == 0
    xr.testing.assert_identical(results("x"), results("whole"))
    capsys.readouterr()
    assert analyse(["list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()][1:] == ["whole", "x"]
    assert reproduce(["outputs/x", "--points", "3"]) == 0


def test_a_shard_resumes_and_extends(command):
    """Its points are found again, also when an axis has grown, and others are added."""
    for number in (1, 2):
        command(*SWEEP, "name=x", f"run.shard={number}/2")
    again = command(*SWEEP, "name=x", "run.shard=2/2")
    points = again.out.split(": ")[1].split()[0]
    assert f"{points} finished before" in again.out
    merge(["outputs/x"])
    wider = (*SWEEP[:-1], "seed=range(30)")
    more = command(*wider, "name=x", "run.shard=2/2")
    assert f", {points} finished before" in more.out
    command(*wider, "name=x", "run.shard=1/2")
    assert merge(["outputs/x"]) == 0
    command(*wider, "name=whole")
    xr.testing.assert_identical(results("x"), results("whole"))
    assert "30 finished before" in command(*wider, "name=x").out


def test_failures_of_a_shard_set_its_exit_code(command, fail_for_seed):
    """The command that tries again is that of the shard."""
    fail_for_seed(3, FloatingPointError("no such number"))
    codes, advice = [], ""
    for number in (1, 2):
        ended = command(*SWEEP, "name=x", f"run.shard={number}/2")
        codes.append(ended.code)
        advice += ended.err
    assert sorted(codes) == [0, 1]
    number = codes.index(1) + 1
    assert "no such number" in Path(f"outputs/x/shards/{number}/failures.csv").read_text()
    assert f"name=x run.shard={number}/2" in advice.split("Retry with:\n")[1]


def test_a_task_is_told_how_it_resumes_elsewhere(command, fail_for_seed, monkeypatch):
    """With the number that it had: the variables of its array are gone then."""
    fail_for_seed(3, FloatingPointError("no such number"))
    for name, value in (("ID", 5), ("MIN", 5), ("MAX", 5)):
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", str(value))
    ended = command(*SWEEP, "name=x", "run=slurm")
    assert ended.code == 1
    assert ended.err.splitlines()[-1].endswith(" run=slurm run.shard=1/1")
    retried = command(*SWEEP, "name=x", "run=slurm", "run.shard=1/1")
    assert "11 finished before" in retried.out


@pytest.mark.long
def test_a_rule_of_the_users_own_is_merged_when_its_code_may_run(command, capsys):
    """Its source comes along; without leave, one line says where to read it."""
    Path("soft.py").write_text(SOFT)
    words = (*SWEEP, "stdp.rule=soft.py", "run.engine=reference", "name=x")
    for number in (1, 2):
        assert command(*words, f"run.shard={number}/2").code == 0
    for cls in [cls for cls in RULES.classes().values() if cls.source]:
        RULES.unregister(cls.name)
    assert not [cls for cls in PROCESSES.classes().values() if cls.source]
    assert merge(["outputs/x"]) == 2
    assert "read it in given/, then add --run-given-code" in capsys.readouterr().err
    assert names_in(Path("outputs/x")) == ["shards"]
    assert merge(["outputs/x", "--run-given-code"]) == 0
    assert names_in(Path("outputs/x/given")) == names_in(Path("outputs/x/shards/1/given"))
    shutil.rmtree("outputs/x/shards")
    assert reproduce(["outputs/x", "--run-given-code", "--points", "2"]) == 0
    for cls in [cls for cls in RULES.classes().values() if cls.source]:
        RULES.unregister(cls.name)


@pytest.mark.long
def test_events_of_the_users_own_are_merged(command):
    """Their copies come along, and the sources may be removed."""
    Path("events.csv").write_text("times,synapses\n5,0\n7,1\n9.0,3\n30,2\n")
    words = (*SWEEP, "input=file", "input.file=events.csv", "input.n_synapses=4", "name=x")
    words += ("input.rate_hz=null",)
    for number in (1, 2):
        ended = command(*words, f"run.shard={number}/2")
        assert ended.code == 0, ended.err
    assert merge(["outputs/x", "--into", "outputs/y"]) == 0
    shutil.rmtree("outputs/x")
    Path("events.csv").unlink()
    assert reproduce(["outputs/y", "--points", "2"]) == 0


def test_one_shard_is_listed_as_one(command, capsys):
    """Not as several."""
    assert command("simulation.duration=100", "name=one", "run.shard=1/1").code == 0
    capsys.readouterr()
    assert analyse(["list"]) == 0
    assert "1 of 1 shard, not merged" in capsys.readouterr().out
