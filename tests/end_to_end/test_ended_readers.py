"""Output that cannot be written ends no work, whichever stream and reason it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from tests.conftest import SMALL

ROOT = Path(__file__).parents[2]

#: How a shell leaves the streams, by what cannot be written.
STREAMS = {
    "both on a full disk": "> /dev/full 2> /dev/full",
    "all closed": "<&- >&- 2>&-",
    "a closed pipe": "| true",
}


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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("redirection", STREAMS.values(), ids=STREAMS)
def test_a_sweep_is_finished_whatever_its_output(tmp_path, redirection):
    """Exit code 0, all points done and readable, at most one line."""
    code, said = run_with(tmp_path, redirection, "pipeline", *SMALL, "-m", "seed=1,2", "name=a")
    assert code == 0, said
    assert said in (
        "",
        "standard output cannot be written (No space left on device); the work goes on\n",
    )
    path = tmp_path / "outputs" / "a"
    assert pipeline.plan(pipeline.configure(*SMALL), {"seed": [1, 2]}, path).asked.done == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pipeline", "--help"], 0),
        (["pipeline.reproduce", "none"], 2),
    ],
)
def test_the_exit_code_is_that_of_the_work(tmp_path, words, expected):
    """Help, configuration and refusals that nobody can read."""
    code, said = run_with(tmp_path, "> /dev/full 2> /dev/full", *words)
    assert (code, said) == (expected, "")


def test_letters_that_the_output_cannot_show(tmp_path, monkeypatch):
    """A name in umlauts on a terminal of ASCII alone."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    words = (*SMALL, "seed=1", "name=größe")
    assert run_with(tmp_path, "| cat >&2", "pipeline", *words)[1].endswith(
        "outputs/gr\\xf6\\xdfe/results.nc\n"
    )
    assert (tmp_path / "outputs" / "größe" / "results.nc").is_file()
