"""Options of the subcommands that serve a page, and what is refused before it is served."""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import dataclass

from stdp.errors import CommandError
from stdp.options import Parser


@dataclass(frozen=True)
class ServerOptions:
    """How a page is served.

    Attributes
    ----------
    port : int
        Port on the loopback interface; 0 is any free one.
    opens_browser : bool
        Whether the page is opened in the user's browser.

    Raises
    ------
    CommandError
        If there is no such port.
    """

    port: int = 0
    opens_browser: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise CommandError(f"--port {self.port}: must be from 1 to 65535, or 0 for a free one")


def add_server_options(parser: Parser) -> None:
    """Add `--port` and `--no-browser` to the arguments of a subcommand."""
    parser.add_argument(
        "--port", type=int, default=0, help="port on this machine; a free one by default"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address without opening a browser"
    )


def server_options(given: argparse.Namespace) -> ServerOptions:
    """Return the options that were given.

    Raises
    ------
    CommandError
        If there is no such port.
    """
    return ServerOptions(given.port, not given.no_browser)


def refuse_without_bokeh(command: str) -> None:
    """Refuse a subcommand whose packages are not installed.

    Raises
    ------
    CommandError
        If they are not.
    """
    if importlib.util.find_spec("bokeh") is None:
        raise CommandError(f"stdp {command}: needs bokeh; pip install 'stdp-pipeline[lab]'")
