"""`stdp slurm` where there is no Slurm: the script, and what is refused."""

import subprocess
import sys

import pytest

from stdp import slurm
from stdp.errors import CommandError
from tests.conftest import ROOT, SMALL, names_in

WORDS = (*SMALL, "-m", "seed=range(4)", "stdp.A_plus=0.01,0.02", "name=x")


DRY_RUN = slurm._dry_run


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder, without Slurm."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(slurm, "_PYTHON", ("python", "-m", "stdp"))
    monkeypatch.setattr(slurm, "_dry_run", lambda *_: {**PLAN})


PLAN = {"points": "1, 0 of them done; shard 1/16 of 8 points", "directory": "outputs/x/shards/1"}


def test_the_script_has_the_options_and_the_words_quoted(capsys, tmp_path):
    """It runs what a shell would have run, in the folder where it was printed."""
    given = ("--partition", "long", "--time", "2:00:00", "--memory", "4G", "--cores", "2")
    assert slurm.main([*given, "--shards", "3", *WORDS]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:7] == [
        "#!/bin/bash",
        "#SBATCH --job-name=x",
        "#SBATCH --array=1-3",
        "#SBATCH --cpus-per-task=2",
        "#SBATCH --partition=long",
        "#SBATCH --mem=4G",
        "#SBATCH --time=2:00:00",
    ]
    assert lines[7] == "#SBATCH --signal=B:TERM@60"
    assert f"cd {tmp_path}" in lines
    quoted = " ".join([*SMALL, "-m", "'seed=range(4)'", "stdp.A_plus=0.01,0.02", "name=x"])
    assert f"exec python -m stdp run {quoted} run=slurm" in lines
    assert lines[-1].endswith("--wrap='python -m stdp merge outputs/x'")
    assert names_in(tmp_path) == []


def test_settings_of_the_users_own_stay(capsys):
    """Another choice of the group `run` is not replaced."""
    slurm.main([*WORDS, "run=mine", "stdp.rule=soft.py"])
    said = capsys.readouterr().out
    assert "run=mine stdp.rule=soft.py run.shard=slurm\n" in said
    assert "merge outputs/x --run-given-code" in said


REFUSED = {
    "--shards 0: must be a whole number from 1": ["--shards", "0"],
    "--cores -1: must be a whole number from 1": ["--cores", "-1"],
    "argument --shards: invalid int value: 'many'": ["--shards", "many"],
    r"argument --memory: '4G\\n#SBATCH' must be letters": ["--memory", "4G\n#SBATCH"],
    "run.shard=1/2: must not be given": ["run.shard=1/2"],
}


@pytest.mark.parametrize("message", REFUSED)
def test_other_options_are_refused(message):
    """In one line with the option, the value and what is allowed."""
    with pytest.raises(CommandError, match=message):
        slurm.main([*REFUSED[message], *WORDS])


def test_without_slurm_nothing_is_submitted(monkeypatch):
    """One line says what can be done."""

    def missing(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", missing)
    with pytest.raises(CommandError, match="sbatch is not found; without --submit the script is"):
        slurm.main(["--submit", *WORDS])


def test_a_request_that_is_refused_is_refused_here(monkeypatch):
    """With the words of the dry run of a task."""
    monkeypatch.setattr(slurm, "_dry_run", DRY_RUN)
    monkeypatch.setattr(slurm, "_PYTHON", (sys.executable, "-m", "stdp"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with pytest.raises(CommandError, match=r"^seed=-1: random seed must be a whole number >= 0"):
        slurm.main(["seed=-1", "name=x"])
