"""Command line: draw figures of an experiment, list experiments, compare two of them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from analysis.reading.commands import command
from analysis.reading.errors import ConditionError, LoadError, WriteError
from analysis.reading.output import closed_pipes_ignored, complain, prepare_streams, say

#: File formats of figures.
FORMATS = ("png", "pdf", "svg")

#: Exit codes other than 0 for success (of `diff`: equal experiments).
DIFFERENT, SOME_NOT_WRITTEN, INVALID_REQUEST, INTERRUPTED = 1, 1, 2, 130

_DESCRIPTION = "Draw figures of an experiment: all that its file supports, or those named."

_OTHERS = """

  list   list the experiments below a directory
  diff   compare two experiments

Write ./list for a directory that is called list."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] in (["list"], ["diff"]):
        return run(arguments[0], arguments[1:])
    return run("figures", arguments)


def run(name: str, arguments: Sequence[str]) -> int:
    """Run one of the commands `figures`, `report`, `list` and `diff`; return the exit code.

    Parameters
    ----------
    name : str
        The command.
    arguments : sequence of str
        Its arguments.
    """
    try:
        with closed_pipes_ignored():
            return _COMMANDS[name](arguments)
    except (LoadError, ConditionError) as error:
        complain(f"error: {error}")
        return SOME_NOT_WRITTEN if isinstance(error, WriteError) else INVALID_REQUEST
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    return 0  # nobody reads the output


def _draw(arguments: Sequence[str]) -> int:
    options = _drawing_parser().parse_args(arguments)
    _reject_unused_options(options)
    # The user's backend, such as that of a notebook which started this command, is not needed.
    os.environ["MPLBACKEND"] = "Agg"
    # Importing matplotlib takes longer than listing experiments.
    from analysis.figures import save

    if options.list:
        save.show_catalogue(options.experiment)
    elif options.report:
        from analysis.report.page import write_report

        say(write_report(options.experiment, options.where, options.at, options.each_seed))
    else:
        formats = options.format or FORMATS[:1]
        given = options.experiment, options.figure, formats, options.where, options.at
        save.draw(*given, bare=options.bare, each_seed=options.each_seed)
    return 0


def _report(arguments: Sequence[str]) -> int:
    parser = _Parser(
        prog=command("report"),
        description="Write report.html beside the results: figures, configuration, provenance.",
    )
    _add_choice_of_points(parser)
    options = parser.parse_args(arguments)
    os.environ["MPLBACKEND"] = "Agg"
    from analysis.report.page import write_report

    say(write_report(options.experiment, options.where, options.at, options.each_seed))
    return 0


def _drawing_parser() -> argparse.ArgumentParser:
    # `python -m analysis list` is one of its own commands, `stdp figures list` a directory.
    others = command("list").startswith(command("figures"))
    parser = _Parser(
        prog=command("figures"),
        usage=_usage(others),
        description=_DESCRIPTION + _OTHERS * others,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_choice_of_points(parser)
    parser.add_argument(
        "--figure", metavar="NAME", action="append", default=[], help="draw this figure; see --list"
    )
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        action="append",
        choices=FORMATS,
        help="png (default), pdf or svg; can be repeated",
    )
    parser.add_argument(
        "--bare",
        action="store_true",
        help="draw without header, as for a paper; what it says is in NAME.txt beside each figure",
    )
    parser.add_argument(
        "--list", action="store_true", help="list all figures, and what those not available require"
    )
    parser.add_argument(
        "--report",
        action="store_true",
        help="write report.html: figures, configuration and provenance",
    )
    return parser


def _usage(others: bool) -> str:
    lines = [
        f"{command('figures')} [-h] EXPERIMENT [--figure NAME] [--format png|pdf|svg]",
        "         [--where KEY=VALUE] [--at MS] [--each-seed] [--bare] [--list] [--report]",
    ]
    if others:
        lines.append(f"{command('list')} [-h] [ROOT] [--where KEY=VALUE] [--since DATE]")
        lines.append(f"{command('diff')} [-h] A B")
    return "\n       ".join(lines)


def _add_choice_of_points(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "experiment", metavar="EXPERIMENT", type=Path, help="outputs/NAME, or a results.nc"
    )
    parser.add_argument(
        "--where",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="only points at this value of an axis, as input.rate_hz=20, or in a range of numbers, "
        "as input.rate_hz=10:20; can be repeated",
    )
    parser.add_argument(
        "--at",
        metavar="MS",
        type=float,
        help="time at which weight histories and traces are shown, in ms",
    )
    parser.add_argument(
        "--each-seed",
        action="store_true",
        help="draw a dot for each seed beside the mean, in figures along an axis",
    )


def _reject_unused_options(options: argparse.Namespace) -> None:
    """Raise `ConditionError` for options that have no effect with --list or --report."""
    unused = {
        "--figure": options.figure,
        "--format": options.format,
        "--bare": options.bare,
    }
    if options.list:
        unused |= {
            "--report": options.report,
            "--where": options.where,
            "--at": options.at is not None,
            "--each-seed": options.each_seed,
        }
    if options.list or options.report:
        other = "--list" if options.list else "--report"
        for option, given in unused.items():
            if given:
                raise ConditionError(f"{option}: has no effect with {other}; remove one of them")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Raise `ConditionError` in place of exiting."""
        raise ConditionError(f"{message}; see {self.prog} --help")


def _list(arguments: Sequence[str]) -> int:
    # Imports of numpy and netCDF4, which take a while, are in reach of the handling of Ctrl-C.
    from analysis.experiments.listing import OUTPUTS, list_experiments

    parser = _Parser(
        prog=command("list"),
        description="List all experiments below a directory, newest last. Commit: * means "
        "uncommitted changes, +1 that one other commit contributed points. Took: > means that "
        "the time of a killed run is not known.",
    )
    parser.add_argument(
        "root", metavar="ROOT", nargs="?", type=Path, help=f"the directory, {OUTPUTS} by default"
    )
    parser.add_argument(
        "--where",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="only experiments in which a parameter has this value, as a constant or on an axis, "
        "such as stdp.A_plus=0.008 or seed=3; can be repeated, and then all must hold",
    )
    parser.add_argument(
        "--since",
        metavar="DATE",
        help="only experiments whose last run began then or later: 2026-11-01, 2026-11-01T12:00, "
        "or 30min, 3h, 2d, 1w before now",
    )
    options = parser.parse_args(arguments)
    list_experiments(options.root, options.where, options.since)
    return 0


def _diff(arguments: Sequence[str]) -> int:
    parser = _Parser(
        prog=command("diff"),
        description="Compare configuration, provenance and results of two experiments. The exit "
        "code is 0 if configuration and results are equal, 1 if not.",
    )
    for name in ("A", "B"):
        parser.add_argument(name, type=Path, help="outputs/NAME, or a results.nc")
    options = parser.parse_args(arguments)
    # Importing xarray takes longer than listing experiments.
    from analysis.experiments.comparison import show_difference

    return 0 if show_difference(options.A, options.B) else DIFFERENT


_COMMANDS = {"figures": _draw, "report": _report, "list": _list, "diff": _diff}

if __name__ == "__main__":
    prepare_streams()
    sys.exit(main())
