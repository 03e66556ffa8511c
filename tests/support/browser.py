"""A page of `stdp explore` or `stdp lab` in a headless Chromium, for tests and screenshots."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

#: Names of the browser as a command; the environment variable CHROMIUM precedes them.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: JavaScript: a function that finds a model by its name, the newest where a former one lingers.
_FIND = (
    "const find = name => "
    "[...Bokeh.documents[0].all_models].filter(model => model.name == name).at(-1);"
)

#: Resolves with the time [ms] from a new value of a model to new data of another one.
_TIMED = f"""([name, value, watched]) => new Promise(done => {{
  {_FIND}
  const started = performance.now(), data = find(watched).properties.data.change;
  const finish = () => {{ data.disconnect(finish); done(performance.now() - started); }};
  data.connect(finish);
  find(name).value = value;
}})"""

#: Returns the position of a place in a figure, from the upper left corner of its element.
_PLACE = f"""([name, x, y]) => {{
  {_FIND}
  const view = Bokeh.index.find_one(find(name)), frame = view.frame;
  const box = view.el.getBoundingClientRect();
  return [box.x + frame.x_scale.compute(x), box.y + frame.y_scale.compute(y)];
}}"""


def find_chromium() -> str | None:
    """Return the command of a Chromium; None if there is none."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


def slower() -> float:
    """Return by how much longer everything takes while other programs have the processors."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a headless Chromium for the block."""
    from playwright.sync_api import sync_playwright

    # Chromium's sandbox does not work for root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=options)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(*arguments: str, folder: Path, code: str = "") -> Iterator[str]:
    """Serve a page for the block; yield its address. An interruption ends it without a traceback.

    Parameters
    ----------
    *arguments : str
        Of `stdp`, such as `lab`.
    folder : Path
        Where it runs.
    code : str
        Python that is executed in place of the command.
    """
    command = ["-c", code] if code else ["-m", "stdp", *arguments, "--no-browser"]
    # Nobody's settings of bokeh make a page load anything from elsewhere.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "BOKEH_RESOURCES": "cdn"}
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            found = re.search(r"http://127\.0\.0\.1:\d+/", line)
            assert found, server.stderr.read() if server.stderr else line
            yield found[0]
        finally:
            server.send_signal(signal.SIGINT)
            try:
                _, errors = server.communicate(timeout=60)
            finally:
                server.kill()  # one that does not end would be waited for without end
    assert (server.returncode, errors) == ((0, "") if code else (130, "Interrupted\n"))


class Opened:
    """A page in a browser, with what it requested and complained about.

    Parameters
    ----------
    browser : Browser
        A running Chromium.
    address : str
        Of the page.
    width, height : int
        Of the window [pixel].
    """

    def __init__(self, browser: Any, address: str, width: int = 1400, height: int = 900) -> None:
        self.requests: list[str] = []
        self.problems: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.problems.append(said.text) if said.type == "error" else None,
        )
        self.page.goto(address)
        self.wait("(find('bars').data.top ?? []).length > 1")

    def wait(self, condition: str) -> None:
        """Wait until a condition in JavaScript holds; `find(name)` is a model."""
        self.page.wait_for_function(
            f"() => {{ if (!window.Bokeh?.documents.length) return false; {_FIND} "
            f"return {condition}; }}"
        )

    def wait_for_histogram(self, shares: Sequence[float]) -> None:
        """Wait until a histogram is in the page."""
        close = "(w, i) => Math.abs(find('bars').data.top[i] - w) < 1e-9"
        self.wait(f"{list(shares)}.every({close})")

    def wait_for_text(self, text: str, times: int = 1, within: str = "body") -> None:
        """Wait until a text is in sight as often as said, below elements of a CSS selector.

        The models of a page have new values before its elements show them.
        """
        from playwright.sync_api import expect

        found = self.page.locator(within).get_by_text(text).filter(visible=True)
        expect(found).to_have_count(times, timeout=30_000)

    def wait_for_other_picture(self, number: int, before: bytes) -> None:
        """Wait until a canvas looks other than on a screenshot, at most 30 s."""
        canvas, deadline = self.page.locator("canvas").nth(number), time.monotonic() + 30
        while canvas.screenshot() == before:
            assert time.monotonic() < deadline, "the canvas is not drawn anew"
            self.page.wait_for_timeout(50)

    def get(self, expression: str) -> Any:
        """Return the value of an expression in JavaScript; `find(name)` is a model."""
        return self.page.evaluate(f"() => {{ {_FIND} return {expression}; }}")

    def data(self, name: str, column: str) -> list[float]:
        """Return a column of the data of a panel."""
        return self.get(f"Array.from(find('{name}').data['{column}'])")

    def set_timed(self, name: str, value: Any, watched: str = "bars") -> float:
        """Set the value of a widget; return the time until new data arrive [ms]."""
        return self.page.evaluate(_TIMED, [name, value, watched])

    def press(self, name: str, key: str, times: int = 1) -> None:
        """Press a key on the handle of a slider, as a user does."""
        handle = self.page.locator(f"{_element(self, name)} .noUi-handle")
        handle.focus()
        for _ in range(times):
            handle.press(key)

    def enter(self, name: str, text: str) -> None:
        """Type a text into a field, and Return."""
        field = self.page.locator(f"{_element(self, name)} input")
        field.fill(text)
        field.press("Enter")

    def choose(self, name: str, option: str) -> None:
        """Choose an option of a menu by its text."""
        self.page.locator(f"{_element(self, name)} select").select_option(label=option)

    def click(self, name: str, x: float, y: float) -> None:
        """Click a place in a figure, in the units of its axes."""
        self.page.evaluate("() => window.scrollTo(0, 0)")
        self.page.mouse.click(*self.page.evaluate(_PLACE, [name, x, y]))

    def close(self) -> None:
        """Close the page; nothing it loaded came from another machine, and nothing failed.

        Raises
        ------
        AssertionError
            Else.
        """
        self.page.close()
        elsewhere = [
            url for url in self.requests
            if not re.match(r"(?:http|ws)://127\.0\.0\.1:|data:|blob:", url)
        ]  # fmt: skip
        assert not elsewhere, elsewhere
        assert len(self.requests) > 3
        assert not self.problems, self.problems


def _element(opened: Opened, name: str) -> str:
    """Return a CSS selector of the element of a widget."""
    identifier = opened.get(f"find('{name}').id")
    opened.page.evaluate(
        f"() => {{ {_FIND} Bokeh.index.find_one(find('{name}')).el.id = 'w{identifier}'; }}"
    )
    return f"#w{identifier}"
