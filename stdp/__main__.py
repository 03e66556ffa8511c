"""Command line: `stdp SUBCOMMAND ...`, or `python -m stdp SUBCOMMAND ...`.

Workers import this module as well: each subcommand imports what it needs.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.system import host
from pipeline.system.output import closed_pipes_ignored, complain, prepare_streams, say
from pipeline.system.signals import INTERRUPTED, exit_on_interrupts, ignore_interrupts
from stdp.errors import CommandError

#: Exit code of an invalid request.
WRONG_REQUEST = 2


class Subcommand(NamedTuple):
    """What a subcommand does, in one line, and the function that does it.

    Attributes
    ----------
    summary : str
        One line for `stdp --help`.
    run : callable
        Takes the arguments and returns the exit code.
    """

    summary: str
    run: Callable[[Sequence[str]], int]


def main() -> int:
    """Run the subcommand of the command line; return the exit code."""
    prepare_streams()
    arguments = sys.argv[1:]
    name = arguments[0] if arguments else ""
    if name in ("-h", "--help", "--version"):
        say(f"stdp-pipeline {_version()}" if name == "--version" else _help())
        return 0
    if name not in SUBCOMMANDS:
        complain(f"error: {_unknown(name)}")
        return WRONG_REQUEST
    _write_commands_as_subcommands(name)
    try:
        return SUBCOMMANDS[name].run(arguments[1:])
    except CommandError as error:
        complain(f"error: {error}")
        return WRONG_REQUEST
    except KeyboardInterrupt:
        complain("Interrupted")
        return INTERRUPTED


def _program() -> tuple[str, ...]:
    """Return the words by which this program was started."""
    program = Path(sys.argv[0])
    return ("python", "-m", "stdp") if program.stem == "__main__" else (program.name,)


def _help() -> str:
    width = max(map(len, SUBCOMMANDS))
    lines = [f"  {name:{width}}  {one.summary}" for name, one in SUBCOMMANDS.items()]
    program = " ".join(_program())
    return "\n".join(
        [
            f"usage: {program} SUBCOMMAND [ARGUMENTS]",
            "",
            "Sweeps of a leaky integrate-and-fire neuron with spike-timing-dependent plasticity.",
            "",
            *lines,
            "",
            f"{program} SUBCOMMAND --help describes its arguments.",
        ]
    )


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("stdp-pipeline")
    except PackageNotFoundError:  # a checkout that is not installed
        return "(not installed)"


def _unknown(name: str) -> str:
    known = ", ".join(SUBCOMMANDS)
    if not name:
        return f"a subcommand is missing: must be one of {known}"
    close = difflib.get_close_matches(name, SUBCOMMANDS, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{name}: unknown subcommand{hint} (known: {known})"


def _write_commands_as_subcommands(name: str) -> None:
    """Make messages and reports show commands that can be typed where this one was."""
    from analysis.reading.commands import use_program

    use_program(*_program())
    host.use_program(*_program(), subcommand=name)
    del sys.argv[1]  # Hydra and `host.command_line` take what follows


def _run(arguments: Sequence[str]) -> int:
    exit_on_interrupts()  # the imports of the pipeline take most of a second
    from pipeline.cli import main as run

    try:
        run()
    finally:
        ignore_interrupts()  # Python's shutdown would print a traceback
    return 0


def _reproduce(arguments: Sequence[str]) -> int:
    exit_on_interrupts()
    from pipeline.reproduce import main as reproduce

    return reproduce(list(arguments))


def _merge(arguments: Sequence[str]) -> int:
    exit_on_interrupts()
    from pipeline.merge import main as merge

    return merge(list(arguments))


def _of_analysis(name: str) -> Callable[[Sequence[str]], int]:
    def run(arguments: Sequence[str]) -> int:
        from analysis.__main__ import run

        return run(name, arguments)

    return run


def _own(name: str) -> Callable[[Sequence[str]], int]:
    """Return the function `main` of a module of this package."""

    def run(arguments: Sequence[str]) -> int:
        module = importlib.import_module(f"stdp.{name}")
        with closed_pipes_ignored():
            return int(module.main(arguments))
        return 0

    return run


def _completion(arguments: Sequence[str]) -> int:
    from stdp.completion import main as completion

    with closed_pipes_ignored():
        return completion(arguments, SUBCOMMANDS)
    return 0


SUBCOMMANDS = {
    "run": Subcommand("run one configuration or a sweep: key=value ..., -m key=v1,v2", _run),
    "figures": Subcommand("draw figures of an experiment", _of_analysis("figures")),
    "report": Subcommand("write one page about an experiment", _of_analysis("report")),
    "list": Subcommand("list the experiments below a directory", _of_analysis("list")),
    "diff": Subcommand("compare two experiments", _of_analysis("diff")),
    "explore": Subcommand(
        "show an experiment in a browser, with a slider per axis", _own("explore.command")
    ),
    "lab": Subcommand("simulate in a browser while parameters are moved", _own("lab.command")),
    "reproduce": Subcommand("run points of an experiment again and compare them", _reproduce),
    "merge": Subcommand("merge the shards of an experiment, or experiments, into one", _merge),
    "slurm": Subcommand("print or submit a Slurm array that runs a sweep", _own("slurm")),
    "init": Subcommand("write a small project with configurations of its own", _own("init")),
    "table": Subcommand("write the results as a table, CSV or Parquet", _own("table")),
    "cite": Subcommand("print BibTeX entries of the software and its papers", _own("cite")),
    "completion": Subcommand("print the script by which a shell completes by Tab", _completion),
}

if __name__ == "__main__":
    sys.exit(main())
