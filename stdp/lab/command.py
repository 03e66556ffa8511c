"""Command line of `stdp lab [KEY=VALUE ...]`, and the same from Python."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.system.signals import interrupts_raised
from stdp.browser.options import (
    ServerOptions,
    add_server_options,
    refuse_without_bokeh,
    server_options,
)
from stdp.errors import CommandError
from stdp.options import Parser

if TYPE_CHECKING:
    from stdp.lab.settings import Settings


def main(arguments: Sequence[str]) -> int:
    """Serve the lab until the process is interrupted.

    Raises
    ------
    CommandError
        If the settings are not allowed, a package is missing, or port or browser cannot be used.
    KeyboardInterrupt
        When the process is interrupted.
    """
    parser = Parser(
        prog="stdp lab",
        description="Simulate in a browser while parameters are moved: weight histogram, STDP "
        "window, output rate and traces.",
    )
    parser.add_argument(
        "overrides",
        metavar="KEY=VALUE",
        nargs="*",
        help="values and parameter sets to begin with, as of stdp run",
    )
    parser.add_argument(
        "--config-dir", "-cd", type=Path, metavar="DIR", help="folder of your own parameter sets"
    )
    add_server_options(parser)
    given = parser.parse_args(arguments)
    _start(given.overrides, given.config_dir, server_options(given))
    return 0


def start(
    *overrides: str, conf: str | Path | None = None, port: int = 0, browser: bool = True
) -> None:
    """Serve the lab with the rules registered in this process; return when it is interrupted.

    Parameters
    ----------
    *overrides : str
        Values and parameter sets to begin with, as of `pipeline.configure`.
    conf : path, optional
        A folder of further parameter sets.
    port : int
        Port on this machine; 0 is a free one.
    browser : bool
        Whether a browser is opened.

    Raises
    ------
    CommandError
        As `main`.
    """
    with contextlib.suppress(KeyboardInterrupt):
        _start(overrides, None if conf is None else Path(conf), ServerOptions(port, browser))


def _start(overrides: Sequence[str], conf: Path | None, options: ServerOptions) -> None:
    refuse_without_bokeh("lab")
    with interrupts_raised():
        settings = settings_to_begin_with(overrides, conf)
        from stdp.browser.server import serve  # takes a while
        from stdp.lab.page import make_page

        serve(functools.partial(make_page, settings), "STDP lab", options)


def settings_to_begin_with(overrides: Sequence[str], conf: Path | None = None) -> Settings:
    """Return the settings that a command asks for, validated.

    Raises
    ------
    CommandError
        If they are not allowed, or there is no such folder.
    """
    from pipeline.model.errors import RequestError
    from stdp.lab.settings import Settings

    if conf is not None:  # its ~ would be quoted in the command that the page shows
        conf = Path(os.path.expanduser(conf))  # noqa: PTH111 - Path's raises
        if not conf.is_dir():
            raise CommandError(f"--config-dir {conf}: must be a folder that exists")
    try:
        settings = Settings.from_overrides(overrides, conf)
        settings.variants()
        if not settings.lacks_values():
            settings.configuration()
    except RequestError as error:
        raise CommandError(str(error)) from error
    return settings
