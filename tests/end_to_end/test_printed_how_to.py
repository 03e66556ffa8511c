"""The code blocks of the how-to pages, as printed."""

import pytest

from tests.support.printed import blocks, pages, run_page

pytestmark = pytest.mark.long

PAGES = [page for page in pages() if page.parent.name == "how_to" and blocks(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run_as_printed(page, tmp_path):
    """In an empty folder, with the exit code and the output that the page has."""
    run_page(page, tmp_path)


def test_there_are_pages():
    """Each is a question that is answered with a command or with Python."""
    assert len(PAGES) > 12
