"""`stdp slurm` where there is no Slurm: the script, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stdp import slurm
from stdp.errors import CommandError
from tests.conftest import ROOT, SMALL, names_in

WORDS = (*SMALL, "-m", "seed=range(4)", "stdp.A_plus=0.01,0.02", "name=x")


#: What the module does, where no test replaces it.
DRY_RUN, SETTING = slurm._dry_run, slurm._setting


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder, without Slurm."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(slurm, "_PYTHON", ("python", "-m", "stdp"))
    monkeypatch.setattr(slurm, "_dry_run", lambda _, n_shards, __: plan(n_shards))
    monkeypatch.setattr(slurm, "_setting", list)


def plan(n_shards):
    """Return what a dry run says."""
    points = f"1, 0 of them done; shard 1/{n_shards} of 8 points"
    return {"points": points, "directory": "outputs/x/shards/1"}


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    """Let a script be `sbatch`: it notes what it is given, and ends as a test says."""

    def install(text):
        file = tmp_path / "bin" / "sbatch"
        file.parent.mkdir()
        file.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/bin/given"\n{text}\n')
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{file.parent}:{os.environ['PATH']}")

    return install


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
    r"argument --memory: '4G\\n#SBATCH' must be a whole": ["--memory", "4G\n#SBATCH"],
    r"argument --partition: 'a\\n#SBATCH' must be letters": ["--partition", "a\n#SBATCH"],
    "run.shard=1/2: must not be given": ["run.shard=1/2"],
    "--shards 9: must be at most 8, the number of points": ["--shards", "9"],
    "argument --time: 'abc' must be minutes, MM:SS, HH:MM:SS, D-HH, ": ["--time", "abc"],
    "argument --time: '1:2:3:4' must be": ["--time", "1:2:3:4"],
    "argument --time: '2:00:00\\\\n' must be": ["--time", "2:00:00\n"],
    "argument --memory: 'lots' must be a whole number > 0 with K, M": ["--memory", "lots"],
    "argument --memory: '0G' must be": ["--memory", "0G"],
}


@pytest.mark.parametrize("time", ["90", "90:00", "2:00:00", "1-12", "1-12:30", "1-12:30:00"])
def test_times_are_those_of_slurm(time, capsys):
    """In each of its forms."""
    slurm.main(["--time", time, "--memory", "512", *WORDS])
    assert f"#SBATCH --time={time}\n" in capsys.readouterr().out


def test_a_sweep_of_few_points_has_a_task_for_each(capsys):
    """Where no number is given."""
    slurm.main(WORDS)
    assert "#SBATCH --array=1-8\n" in capsys.readouterr().out


def test_a_sweep_that_is_divided_has_the_tasks_that_it_had(capsys, monkeypatch):
    """Another number is refused, in one line with the number that it has."""
    monkeypatch.setattr(slurm, "_dry_run", lambda *_: plan(3))
    slurm.main(WORDS)
    assert "#SBATCH --array=1-3\n" in capsys.readouterr().out
    with pytest.raises(CommandError, match="--shards 4: must be 3, into which outputs/x is divid"):
        slurm.main(["--shards", "4", *WORDS])


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
    assert names_in(Path.cwd()) == []


def test_what_is_submitted_is_kept(sbatch, capsys):
    """The scripts of the array and of the merge, for tasks that are submitted again."""
    sbatch('echo "7;cluster"')
    assert slurm.main(["--submit", *WORDS]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "array 7, merged by job 7; output in outputs/x/shards"
    assert said[1] == "one task again: sbatch --array=7 outputs/x/shards/array.sbatch"
    assert names_in(Path("outputs/x/shards")) == ["array.sbatch", "merge.sbatch"]
    merge = Path(said[2].split()[-1]).read_text()
    assert "exec python -m stdp merge outputs/x\n" in merge
    assert "#SBATCH --job-name=merge_x\n" in merge
    for script, log in ((merge, "merge"), (Path(said[1].split()[-1]).read_text(), "task_%a")):
        assert f"#SBATCH --output={Path.cwd()}/outputs/x/shards/{log}.log\n" in script


@pytest.mark.parametrize("kept", [False, True])
def test_what_slurm_does_not_take_leaves_nothing(sbatch, kept):
    """One line with the last words of sbatch; scripts of an earlier array are kept."""
    sbatch(
        'echo "sbatch: error: DNS" >&2; echo "sbatch: error: no file" >&2;'
        'echo "sbatch: fatal: No source" >&2; exit 1'
    )
    if kept:
        Path("outputs/x/shards").mkdir(parents=True)
        Path("outputs/x/shards/array.sbatch").write_text("earlier")
    with pytest.raises(CommandError, match=r"^--submit: sbatch: fatal: No source$"):
        slurm.main(["--submit", *WORDS])
    assert names_in(Path.cwd()) == ["bin", *["outputs"] * kept]
    if kept:
        assert names_in(Path("outputs/x/shards")) == ["array.sbatch"]
        assert Path("outputs/x/shards/array.sbatch").read_text() == "earlier"


def test_an_array_without_its_merge_is_reported(sbatch):
    """It runs: its scripts are kept, and one line says how the merge is submitted."""
    sbatch('case "$*" in *dependency*) echo "sbatch: error: full" >&2; exit 1;; esac; echo 7')
    with pytest.raises(CommandError) as error:
        slurm.main(["--submit", *WORDS])
    assert str(error.value) == (
        "--submit: sbatch: error: full; array 7 is submitted, its merge by sbatch "
        "--dependency=afterany:7 outputs/x/shards/merge.sbatch"
    )
    assert names_in(Path("outputs/x/shards")) == ["array.sbatch", "merge.sbatch"]


def test_a_copy_that_is_not_installed_is_found_by_its_tasks(tmp_path, monkeypatch, capsys):
    """Also where they have another environment than the shell that made the script."""
    copy = tmp_path / "a copy"
    copy.mkdir()
    (copy / "stdp").symlink_to(ROOT / "stdp")
    monkeypatch.setattr(slurm, "_setting", SETTING)
    monkeypatch.setattr(slurm.host, "CODE", copy)
    where = "import stdp; print(*stdp.__path__)"
    monkeypatch.setattr(slurm, "_PYTHON", (sys.executable, "-c", where))
    slurm.main(WORDS)
    script = capsys.readouterr().out
    merging = script.rstrip().rpartition("--wrap=")[2]
    for text in (script, f"sh -c {merging}"):
        done = subprocess.run(
            text, shell=True, env={}, cwd="/", capture_output=True, text=True, check=True
        )
        assert done.stdout == f"{copy / 'stdp'}\n"


def test_a_request_that_is_refused_is_refused_here(monkeypatch):
    """With the words of the dry run of a task."""
    monkeypatch.setattr(slurm, "_dry_run", DRY_RUN)
    monkeypatch.setattr(slurm, "_PYTHON", (sys.executable, "-m", "stdp"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with pytest.raises(CommandError, match=r"^seed=-1: random seed must be a whole number >= 0"):
        slurm.main(["seed=-1", "name=x"])
