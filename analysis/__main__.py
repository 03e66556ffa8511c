"""The command line: figures of an experiment, a table of experiments, what differs between two."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from analysis.experiments.listing import OUTPUTS, list_experiments
from analysis.reading.errors import ConditionError, LoadError

_PROGRAM = "python -m analysis"

#: What figures can be saved as.
FORMATS = ("png", "pdf", "svg")

#: Exit codes; 0 is: done, and for `diff`: the same.
DIFFERENT, WRONG_REQUEST, INTERRUPTED = 1, 2, 130

_FORMS = f"""{_PROGRAM} [-h] EXPERIMENT [--figure NAME] [--format png|pdf|svg] [--where KEY=VALUE]
                [--at MS] [--list] [--report]
       {_PROGRAM} list [-h] [ROOT] [--where KEY=VALUE] [--since DATE]
       {_PROGRAM} diff [-h] A B"""

_DESCRIPTION = """Draw figures of an experiment from its file: all it supports, or those named.

  list   a table of all experiments below a directory
  diff   what differs between two experiments

A directory that is called list or diff is given as ./list."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words of a command line ask for; return the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    do = {"list": _list, "diff": _diff}.get(words[0] if words else "")
    try:
        code = do(words[1:]) if do else _draw(words)
        sys.stdout.flush()
    except (LoadError, ConditionError) as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_REQUEST
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # who reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _draw(words: Sequence[str]) -> int:
    parser = _Parser(
        prog=_PROGRAM,
        usage=_FORMS,
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "experiment", metavar="EXPERIMENT", type=Path, help="outputs/NAME, or a results.nc"
    )
    parser.add_argument(
        "--figure", metavar="NAME", action="append", default=[], help="draw this one; see --list"
    )
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        action="append",
        choices=FORMATS,
        help="png (by default), pdf or svg; can be given several times",
    )
    parser.add_argument(
        "--where",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="only the points at this value of an axis, as input.rate_hz=20; several must all hold",
    )
    parser.add_argument(
        "--at",
        metavar="MS",
        type=float,
        help="the moment that weights in time and traces are shown at, in ms",
    )
    parser.add_argument(
        "--list", action="store_true", help="tell which figures there are and what they would need"
    )
    parser.add_argument(
        "--report", action="store_true", help="write report.html: all figures and their origin"
    )
    asked = parser.parse_args(words)
    _refuse_idle_options(asked)
    # matplotlib takes longer to import than a list to make
    from analysis.figures import save

    if asked.list:
        save.show_catalogue(asked.experiment)
    elif asked.report:
        from analysis.report.page import write_report

        print(write_report(asked.experiment, asked.where, asked.at))
    else:
        formats = asked.format or FORMATS[:1]
        save.draw(asked.experiment, asked.figure, formats, asked.where, asked.at)
    return 0


def _refuse_idle_options(asked: argparse.Namespace) -> None:
    """Raise `ConditionError` if a report or a list is asked for with what it has no use for."""
    idle = {"--figure": asked.figure, "--format": asked.format}
    if asked.list:
        idle |= {"--report": asked.report, "--where": asked.where, "--at": asked.at is not None}
    if asked.list or asked.report:
        alone = "--list" if asked.list else "--report"
        for option, given in idle.items():
            if given:
                raise ConditionError(f"{option}: has no effect with {alone}; leave one of them out")


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong."""
        raise ConditionError(f"{message}; see {self.prog} --help")


def _list(words: Sequence[str]) -> int:
    parser = _Parser(
        prog=f"{_PROGRAM} list",
        description="Show all experiments below a directory, the newest last. A star at a commit: "
        "there were changes on top of it; +1: one other commit has made points too.",
    )
    parser.add_argument(
        "root", metavar="ROOT", nargs="?", type=Path, help=f"where to look, {OUTPUTS} by default"
    )
    parser.add_argument(
        "--where",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="only where this parameter has this value, as a constant or somewhere on an axis, as "
        "stdp.A_plus=0.008 or seed=3; can be given several times, and then all must hold",
    )
    parser.add_argument(
        "--since",
        metavar="DATE",
        help="only where the last run began at 2026-11-01, 2026-11-01T12:00 or 30min, 3h, 2d, 1w "
        "before now, or later",
    )
    asked = parser.parse_args(words)
    list_experiments(asked.root, asked.where, asked.since)
    return 0


def _diff(words: Sequence[str]) -> int:
    parser = _Parser(
        prog=f"{_PROGRAM} diff",
        description="Show what differs between two experiments in configuration, provenance and "
        "results. The exit code is 0 if configuration and results are the same, 1 if not.",
    )
    for name in ("A", "B"):
        parser.add_argument(name, type=Path, help="outputs/NAME, or a results.nc")
    asked = parser.parse_args(words)
    from analysis.experiments.comparison import (
        show_difference,  # imports xarray, which a list needs not
    )

    return 0 if show_difference(asked.A, asked.B) else DIFFERENT


if __name__ == "__main__":
    sys.exit(main())
