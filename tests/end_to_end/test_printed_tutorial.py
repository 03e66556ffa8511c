"""The code blocks of README, tutorial, explanation and reference, as printed."""

import pytest

from tests.support.printed import blocks, is_output, pages, run_page

PAGES = [page for page in pages() if page.parent.name != "how_to" and blocks(page)]


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run_as_printed(page, tmp_path):
    """In an empty folder, with the exit code and the output that the page has."""
    run_page(page, tmp_path)


def test_every_block_that_is_not_run_has_a_reason():
    """A few words, not only a mark; and most blocks are run."""
    every = [(page, block) for page in pages() for block in blocks(page)]
    left_out = [(page, block) for page, block in every if block.long or block.not_run]
    assert len(every) > 50
    assert len(left_out) < len(every) / 4
    for page, block in left_out:
        reason = block.long or block.not_run
        assert len(reason.split()) > 3, f"{page.name}:{block.line}: {reason}"


@pytest.mark.parametrize(
    ("said", "same"),
    [
        ("12 points in 0.7 s\na\n", True),
        ("12 points in 3 min\nb\nc\na\n", False),
        ("12 points in 0.7 s\nb\nc\na\n", False),
        ("13 points in 0.7 s\na\n", False),
    ],
)
def test_an_output_is_the_printed_one_up_to_times(said, same):
    """Other numbers and lines must be the same."""
    assert is_output(said, "12 points in 0.2 s\na\n") is same


def test_dots_stand_for_any_lines():
    """Also for none."""
    assert is_output("a\nb\nc\nd\n", "a\n...\nd\n")
    assert is_output("a\nd\n", "a\n...\nd\n")
    assert not is_output("a\nb\n", "a\n...\nd\n")


def test_a_page_that_is_wrong_is_found(tmp_path, monkeypatch):
    """By exit code and by output, with page and line."""
    from tests.support import printed

    monkeypatch.setattr(printed, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    for n, (text, found) in enumerate(
        [
            ("```sh\nexit 3\n```\n", r"page.md:1: exit code 3"),
            ("a\n\n```python\n1 / 0\n```\n", r"page.md:3: exit code 1\n(.*\n)*ZeroDivisionError"),
            ("```sh\necho 1\n```\n\n```text\n2\n```\n", r"page.md:1: printed\n1"),
        ]
    ):
        page.write_text(text)
        (tmp_path / f"run_{n}").mkdir()
        with pytest.raises(AssertionError, match=found):
            run_page(page, tmp_path / f"run_{n}")
