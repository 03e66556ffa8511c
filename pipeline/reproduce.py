"""`python -m pipeline.reproduce outputs/NAME`: run points again and compare them bit for bit."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.model.errors import RequestError
from pipeline.options import Parser
from pipeline.system import host
from pipeline.system.output import closed_pipes_ignored, complain, prepare_streams
from pipeline.system.signals import INTERRUPTED, exit_on_interrupts, raise_on_interrupts

#: Exit codes besides 0, which means that all points are the same.
DIFFERENT, WRONG_REQUEST = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Compare points of one experiment; return the exit code."""
    parser = Parser(
        prog=host.reproduce_command("").strip(),
        description="Run points of an experiment again, from its file alone, and compare them bit "
        "for bit. Exit code 0: all the same, 1: some differ, 2: nothing could be compared.",
    )
    parser.add_argument("experiment", type=Path, help="outputs/NAME, or a results.nc")
    parser.add_argument(
        "--points", type=int, default=20, help="number of points, chosen at random (20)"
    )
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="only points with this value on an axis, such as seed=3, or in a range of numbers, "
        "such as input.rate_hz=10:20; may be repeated",
    )
    parser.add_run_given_code("registered rules and processes that the file contains")
    try:
        with closed_pipes_ignored():
            given = parser.parse_args(arguments)
        from pipeline.experiment.reproduction import reproduce

        raise_on_interrupts()
        same = reproduce(given.experiment, given.points, given.where, given.run_given_code)
    except RequestError as error:
        complain(f"error: {error}")
        return WRONG_REQUEST
    except KeyboardInterrupt:
        complain("Interrupted")
        return INTERRUPTED
    return 0 if same else DIFFERENT


if __name__ == "__main__":
    prepare_streams()
    exit_on_interrupts()  # the imports of `main` take most of a second
    sys.exit(main())
