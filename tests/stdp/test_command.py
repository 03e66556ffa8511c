"""`stdp`: its subcommands, and the commands that messages and pages show."""

import os
import sys

import pytest

from analysis.reading import commands
from pipeline.system import host
from stdp import __main__ as command
from tests.conftest import SMALL


@pytest.fixture
def called(monkeypatch, capsys):
    """Call `stdp` in this process, for subcommands that do not change its signal handlers."""
    monkeypatch.setattr(commands, "_words", dict(commands._words))
    monkeypatch.setattr(host, "_words", dict(host._words))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["stdp", *arguments])
        code = command.main()
        return code, *capsys.readouterr()

    return call


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a subcommand is missing: must be one of run, figures, report, "),
        (["runn"], "runn: unknown subcommand; did you mean run? (known: run, figures, "),
        (["--verbose"], "--verbose: unknown subcommand"),
    ],
)
def test_an_unknown_subcommand_is_one_line_and_exit_code_2(called, arguments, message):
    """The message names what there is."""
    code, out, err = called(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


def test_the_help_has_one_line_for_each_subcommand(called):
    """Name and summary."""
    code, out, err = called("--help")
    assert (code, err) == (0, "")
    for name, subcommand in command.SUBCOMMANDS.items():
        assert out.count(f"\n  {name} ") == 1
        assert subcommand.summary in out


def test_a_failed_run_shows_the_command_that_retries(stdp):
    """The same words, `stdp run` first."""
    ended = stdp("run", *SMALL, "simulation.duration=1e9", "run.timeout=0.001", "name=late")
    assert ended.code == 1
    assert ended.err.splitlines()[-1].startswith("stdp run synapse.g_max=0.15 ")


def test_list_diff_and_report_have_the_exit_codes_of_the_modules(called, keep, tmp_path):
    """0 for the same, 1 for different experiments, 2 for what is none."""
    a, b = (str(keep(name, {"seed": [ord(name)]})) for name in ("a", "b"))
    code, out, _ = called("list", str(tmp_path))
    assert (code, [line.split()[0] for line in out.splitlines()[1:]]) == (0, ["a", "b"])
    assert called("diff", a, a)[0] == 0
    assert called("diff", a, b)[0] == 1
    code, _, err = called("report", str(tmp_path / "none"))
    assert (code, err.count("\n")) == (2, 1)


def test_the_help_of_each_subcommand_names_it(called):
    """And no module: `stdp figures`, in the usage and in messages."""
    for name in ("figures", "report", "list", "diff"):
        with pytest.raises(SystemExit, match="0"):
            called(name, "--help")
        assert called(name, "--none")[2].endswith(f"; see stdp {name} --help\n")


@pytest.mark.parametrize("arguments", [["cite"], ["completion", "bash"], ["--help"]])
def test_output_that_nobody_reads_is_no_error(stdp, arguments):
    """The reader has closed the pipe, as `head` does."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = stdp(*arguments, stdout=writer)
    os.close(writer)
    assert (ended.code, ended.err) == (0, "")
