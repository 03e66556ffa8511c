"""A page on a local server: on the loopback interface only, until the process is interrupted.

All that a page loads comes from this server: it works without a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator

from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.document import Document
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from bokeh.settings import settings
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from pipeline.system.output import say
from pipeline.system.signals import interrupts_handled
from stdp.browser.options import ServerOptions
from stdp.errors import CommandError

LOOPBACK = "127.0.0.1"

#: Requests are nobody's business, nor are connections that are refused; errors are.
_QUIET = {
    "bokeh": logging.ERROR,
    "bokeh.server.views.ws": logging.CRITICAL,
    "tornado.access": logging.ERROR,
}


def serve(make_page: Callable[[Document], None], what: str, options: ServerOptions) -> None:
    """Serve a page until the process is interrupted; print its address.

    Parameters
    ----------
    make_page : callable
        Fills the document of a session, one for each time that the page is opened.
    what : str
        What is served, for the line with the address.
    options : ServerOptions
        Port, and whether a browser is opened.

    Raises
    ------
    CommandError
        If the port or a browser cannot be used.
    KeyboardInterrupt
        After SIGINT, SIGTERM or SIGHUP, once the server has stopped.
    """
    if options.opens_browser:
        _refuse_without_browser()
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
    listening = _bound(options.port)
    with _event_loop() as loop:
        server = _server(make_page, listening, loop)
        server.start()
        address = f"http://{LOOPBACK}:{listening.getsockname()[1]}/"
        say(f"{what}: {address} (Ctrl-C stops)")
        failures: list[str] = []
        if options.opens_browser:
            _open_browser(address, loop, failures)
        with _stopped_by_signals(loop) as interrupted:
            loop.start()
        server.stop()
    if failures:
        raise CommandError(failures[0])
    if interrupted:
        raise KeyboardInterrupt


def _bound(port: int) -> socket.socket:
    """Return a socket that listens on a port of the loopback interface.

    Raises
    ------
    CommandError
        If the port is in use, or the user may not have it.
    """
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # also just after another
        listening.bind((LOOPBACK, port))
        listening.listen()
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        in_use = error.errno == errno.EADDRINUSE
        reason = "is in use" if in_use else f"cannot be used ({error.strerror})"
        raise CommandError(
            f"--port {port}: {reason}; choose another, or leave it out for a free one"
        ) from error
    return listening


@contextlib.contextmanager
def _event_loop() -> Iterator[IOLoop]:
    """Yield an event loop of this thread, closed after the block."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    loop = IOLoop.current()
    try:
        yield loop
    finally:
        loop.close(all_fds=True)
        asyncio.set_event_loop(None)


def _server(
    make_page: Callable[[Document], None], listening: socket.socket, loop: IOLoop
) -> BaseServer:
    port = listening.getsockname()[1]
    # Whatever the environment says: scripts come from this server, and pages of other sites, which
    # the user has open as well, cannot connect.
    settings.resources = "server"
    settings.allowed_ws_origin = [f"{name}:{port}" for name in (LOOPBACK, "localhost")]
    application = BokehTornado({"/": Application(FunctionHandler(make_page))})
    http = HTTPServer(application)
    http.add_socket(listening)
    return BaseServer(loop, application, http)


def _refuse_without_browser() -> None:
    try:
        webbrowser.get()
    except webbrowser.Error as error:
        raise CommandError(_no_browser(str(error))) from error


def _no_browser(reason: str) -> str:
    return (
        f"no browser can be opened here ({reason}); use --no-browser and open the printed address "
        "in one, or name one in the environment variable BROWSER"
    )


def _open_browser(address: str, loop: IOLoop, failures: list[str]) -> None:
    """Open a page in the user's browser, from a thread: some browsers last as long as the call."""

    def open_it() -> None:
        if not webbrowser.open(address):
            failures.append(_no_browser("it ended with an error"))
            loop.add_callback(loop.stop)

    threading.Thread(target=open_it, daemon=True).start()


@contextlib.contextmanager
def _stopped_by_signals(loop: IOLoop) -> Iterator[list[bool]]:
    """Stop an event loop at an interruption in the block; yield a list with an entry for each."""
    interrupted: list[bool] = []

    def stop() -> None:
        interrupted.append(True)
        loop.add_callback_from_signal(loop.stop)

    with interrupts_handled(stop):
        yield interrupted
