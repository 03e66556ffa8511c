"""`stdp explore` and `stdp lab` without a browser: what is refused before a page is served."""

import os
import re
import signal
import socket
import subprocess
import sys
import webbrowser

import pytest

from pipeline.system.signals import SIGNALS, interrupts_raised
from stdp.browser.options import ServerOptions
from stdp.errors import CommandError
from stdp.explore import command as explore
from stdp.lab import command as lab
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["explore", "lab"])
def test_without_the_extra_the_message_says_what_to_install(name, monkeypatch):
    """One line with the command of pip."""
    monkeypatch.setitem(sys.modules, "bokeh", None)
    arguments = {"explore": ["outputs/any"], "lab": []}[name]
    expected = f"^stdp {name}: needs bokeh; pip install 'stdp-pipeline\\[lab\\]'$"
    with pytest.raises(CommandError, match=expected):
        {"explore": explore, "lab": lab}[name].main(arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: experiment; see stdp explore --help"),
        (["none"], "none: must be an experiment directory with a results.nc, or that file"),
        (["none", "--port", "70000"], "--port 70000: must be from 1 to 65535, or 0 for a free one"),
        (["none", "--port", "x"], "argument --port: invalid int value: 'x'; see stdp explore"),
    ],
)
def test_wrong_requests_of_explore_are_one_line(arguments, message):
    """Named as they were typed."""
    pytest.importorskip("bokeh", reason="the extra lab is not installed")
    with pytest.raises(CommandError, match=f"^{re.escape(message)}") as refused:
        explore.main(arguments)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stdp.A_plus=7"], "stdp.A_plus=7: LTP amplitude must be a finite number >= 0 and <= 1"),
        (["--config-dir", "none"], "--config-dir none: must be a folder that exists"),
        (["--port", "-1"], "--port -1: must be from 1 to 65535, or 0 for a free one"),
    ],
)
def test_wrong_requests_of_the_lab_are_one_line(arguments, message):
    """The pipeline's words."""
    pytest.importorskip("bokeh", reason="the extra lab is not installed")
    with pytest.raises(CommandError, match=f"^{re.escape(message)}") as refused:
        lab.main(arguments)
    assert "\n" not in str(refused.value)


@pytest.fixture
def serve():
    """The function that serves a page."""
    pytest.importorskip("bokeh", reason="the extra lab is not installed")
    from stdp.browser.server import serve

    return lambda options: serve(lambda document: None, "nothing", options)


def test_a_port_in_use_is_refused(serve):
    """By its number."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"^--port {port}: is in use; choose another, or"):
            serve(ServerOptions(port, opens_browser=False))


def test_a_browser_that_does_not_exist_is_refused(serve, monkeypatch, capsys):
    """Before anything is served."""

    def find(using=None):
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", find)
    with pytest.raises(CommandError, match=r"^no browser can be opened here \(could not .*\); use"):
        serve(ServerOptions())
    assert capsys.readouterr().out == ""


def test_a_browser_that_fails_ends_the_server(serve, monkeypatch):
    """As one that needs a display; the message says how to open the page."""
    monkeypatch.setattr(webbrowser, "get", lambda using=None: None)
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    with pytest.raises(CommandError, match="^no browser can .*; use --no-browser and open the"):
        serve(ServerOptions())


def test_signals_interrupt_a_command_that_starts():
    """SIGTERM raises as Ctrl-C does; the handlers are restored, and ignored signals stay so."""
    before = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(KeyboardInterrupt), interrupts_raised():
        signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(number) for number in SIGNALS] == before
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts_raised():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, ignored)


def test_a_signal_stops_the_server(tmp_path):
    """The address is printed at the start, and the exit code is 130."""
    pytest.importorskip("bokeh", reason="the extra lab is not installed")
    command = [sys.executable, "-m", "stdp", "lab", "--no-browser"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "BOKEH_ALLOW_WS_ORIGIN": "evil.example"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            line = server.stdout.readline()
            assert re.fullmatch(r"STDP lab: http://127\.0\.0\.1:\d+/ \(Ctrl-C stops\)\n", line)
            _refuses_other_addresses(int(re.search(r":(\d+)/", line)[1]))
            server.send_signal(signal.SIGTERM)
            out, err = server.communicate(timeout=30)
        finally:
            server.kill()
    assert (server.returncode, out, err) == (130, "", "Interrupted\n")
    assert list(tmp_path.iterdir()) == []


def _refuses_other_addresses(port):
    """Check that the server listens on 127.0.0.1 only, and to pages of its own only."""
    request = (
        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Origin: {}\r\n\r\n"
    )
    answers = []
    for origin in ("http://evil.example", f"http://evil.example:{port}"):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(request.format(origin).encode())
            answers.append(connection.recv(100).split(b"\r\n")[0].split(b" ", 2)[1])
    assert answers == [b"403", b"403"]
    if sys.platform == "linux":  # all of 127.0.0.0/8 is this machine
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port)):
            pass
