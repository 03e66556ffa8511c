"""A headless Chromium, and pages served for it; without one these tests are skipped."""

from contextlib import ExitStack

import pytest

from tests.support.browser import Opened, chromium, find_chromium, served


@pytest.fixture(scope="module")
def browser():
    """A running browser."""
    pytest.importorskip("bokeh", reason="the extra lab is not installed")
    pytest.importorskip("playwright.sync_api", reason="the extra browser is not installed")
    if find_chromium() is None:
        pytest.skip(reason="no Chromium is installed")
    with chromium() as running:
        yield running


@pytest.fixture
def serve(browser, tmp_path):
    """Serve pages until the end of a test, once they are closed."""
    with ExitStack() as servers:

        def serve_it(*arguments, folder=tmp_path, code=""):
            return servers.enter_context(served(*arguments, folder=folder, code=code))

        yield serve_it


@pytest.fixture
def open_page(browser, serve):
    """Open an address; the page is checked and closed at the end."""
    opened = []

    def open_it(address, **size):
        opened.append(Opened(browser, address, **size))
        return opened[-1]

    yield open_it
    for page in opened:
        page.close()
