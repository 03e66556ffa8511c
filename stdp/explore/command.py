"""Command line of `stdp explore EXPERIMENT`: a page about an experiment, in a browser."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from pipeline.system.signals import interrupts_raised
from stdp.browser.options import (
    ServerOptions,
    add_server_options,
    refuse_without_bokeh,
    server_options,
)
from stdp.errors import CommandError
from stdp.options import Parser


def main(arguments: Sequence[str]) -> int:
    """Serve the page until the process is interrupted.

    Raises
    ------
    CommandError
        If there are no results, a package is missing, or port or browser cannot be used.
    KeyboardInterrupt
        When the process is interrupted.
    """
    parser = Parser(
        prog="stdp explore",
        description="Show an experiment in a browser: a slider or menu for each axis; a click on "
        "a cell of the phase diagram shows it in detail.",
    )
    parser.add_argument("experiment", type=Path, help="outputs/NAME, or a results.nc")
    add_server_options(parser)
    given = parser.parse_args(arguments)
    options = server_options(given)
    refuse_without_bokeh("explore")
    with interrupts_raised():
        _explore(given.experiment, options)
    return 0


def _explore(experiment: Path, options: ServerOptions) -> None:
    from analysis.reading.errors import LoadError
    from stdp.explore.shared import SharedExperiment

    try:
        shared = SharedExperiment(experiment)
    except LoadError as error:
        raise CommandError(str(error)) from error
    from stdp.browser.server import serve  # takes a while
    from stdp.explore.page import make_page

    serve(functools.partial(make_page, shared), str(experiment), options)
