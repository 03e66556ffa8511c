"""Output that cannot be written ends no work, whichever stream and reason it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from tests.conftest import SMALL

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]

#: How a shell leaves the streams, by what cannot be written.
STREAMS = {
    "both on a full disk": "> /dev/full 2> /dev/full",
    "all closed": "<&- >&- 2>&-",
    "a closed pipe": "| true",
}

NO_SPACE = "standard output cannot be written (No space left on device); the work goes on\n"

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")


def run_with(folder, redirection, module, *words):
    """Run a module by a shell with its streams redirected; return exit code and errors."""
    command = f'"$0" -m "$@" {redirection}; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable, module, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@needs_full
@pytest.mark.parametrize("redirection", STREAMS.values(), ids=STREAMS)
def test_a_sweep_is_finished_whatever_its_output(tmp_path, redirection):
    """Exit code 0, all points done and readable, at most one line."""
    code, said = run_with(tmp_path, redirection, "pipeline", *SMALL, "-m", "seed=1,2", "name=a")
    assert code == 0, said
    assert said in ("", NO_SPACE)
    path = tmp_path / "outputs" / "a"
    assert pipeline.plan(pipeline.configure(*SMALL), {"seed": [1, 2]}, path).asked.done == 2


@needs_full
@pytest.mark.parametrize("redirection", STREAMS.values(), ids=STREAMS)
def test_figures_are_drawn_whatever_their_output(keep, tmp_path, redirection):
    """Exit code 0, all that were asked for, at most one line."""
    keep("a", {"seed": [1, 2]})
    figures = ("--figure", "weights", "--figure", "rule")
    code, said = run_with(tmp_path, redirection, "analysis", "a", *figures)
    assert (code, said) in ((0, ""), (0, NO_SPACE))
    drawn = {file.name for file in (tmp_path / "a" / "figures").iterdir()}
    assert drawn >= {"weights.png", "rule.png"}


@needs_full
@pytest.mark.parametrize("redirection", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pipeline", "--help"], 0),
        (["pipeline", "--info"], 0),
        (["pipeline.reproduce", "none"], 2),
        (["analysis", "--help"], 0),
        (["analysis", "list", "."], 0),
        (["analysis", "diff", "none", "none"], 2),
    ],
)
def test_the_exit_code_is_that_of_the_work(tmp_path, words, expected, redirection):
    """Help, tables and refusals that nobody can read."""
    code, said = run_with(tmp_path, redirection, *words)
    assert code == expected
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 1


def test_letters_that_the_output_cannot_show(tmp_path, monkeypatch):
    """A name in umlauts on a terminal of ASCII alone."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    words = (*SMALL, "seed=1", "name=größe")
    assert run_with(tmp_path, "| cat >&2", "pipeline", *words)[1].endswith(
        "outputs/gr\\xf6\\xdfe/results.nc\n"
    )
    assert (tmp_path / "outputs" / "größe" / "results.nc").is_file()
    listed = run_with(tmp_path, "| cat >&2", "analysis", "list")[1].splitlines()
    assert listed[1].startswith("gr\\xf6\\xdfe ")
    drawn = run_with(tmp_path, "| cat >&2", "analysis", "outputs/größe", "--figure", "rule")[1]
    assert drawn == "outputs/gr\\xf6\\xdfe/figures/rule.png\n"
