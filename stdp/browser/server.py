"""A page on a local server: on the loopback interface only, until the process is interrupted.

All that a page loads comes from this server: it works without a network.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from types import FrameType

from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.document import Document
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from bokeh.server.util import bind_sockets
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from pipeline.system.output import say
from stdp.browser.options import ServerOptions
from stdp.errors import CommandError

LOOPBACK = "127.0.0.1"

#: Names of the loopback interface from which a page may connect.
_ORIGINS = (LOOPBACK, "localhost")

#: Requests and connections are nobody's business; errors are.
_QUIET = ("bokeh", "tornado.access")


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
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    sockets, port = _bound(options.port)
    with _event_loop() as loop:
        server = _server(make_page, sockets, port, loop)
        server.start()
        address = f"http://{LOOPBACK}:{port}/"
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


def _bound(port: int) -> tuple[list[socket.socket], int]:
    """Return sockets that listen on a port, and the port.

    Raises
    ------
    CommandError
        If it is in use, or the user may not have it.
    """
    try:
        return bind_sockets(LOOPBACK, port)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        reason = "is in use" if in_use else f"cannot be used ({error.strerror})"
        raise CommandError(
            f"--port {port}: {reason}; choose another, or leave it out for a free one"
        ) from error


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
    make_page: Callable[[Document], None], sockets: list[socket.socket], port: int, loop: IOLoop
) -> BaseServer:
    application = BokehTornado(
        {"/": Application(FunctionHandler(make_page))},
        # Pages of other sites that the user has open cannot connect.
        extra_websocket_origins=[f"{name}:{port}" for name in _ORIGINS],
    )
    http = HTTPServer(application)
    http.add_sockets(sockets)
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
def _stopped_by_signals(loop: IOLoop) -> Iterator[list[int]]:
    """Stop an event loop at SIGINT, SIGTERM and SIGHUP in the block; yield the signals received.

    One that the parent process set to be ignored stays ignored. Python sets handlers in the main
    thread only.
    """
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        loop.add_callback_from_signal(loop.stop)

    before = {}
    if threading.current_thread() is threading.main_thread():
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.getsignal(number) for number in numbers}
    chosen = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in chosen:
        signal.signal(number, stop)
    try:
        yield received
    finally:
        for number in chosen:
            signal.signal(number, before[number])
