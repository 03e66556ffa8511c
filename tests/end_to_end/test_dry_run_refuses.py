"""The dry run refuses what the run refuses, in the same words."""

from pathlib import Path

import pytest

from tests.conftest import SMALL


def a_link_to_nowhere(path):
    """Make a link whose target does not exist."""
    path.symlink_to("/nonexistent/folder")


TRAPS = {
    "a long name": (None, ["name=" + 300 * "a"]),
    "long outputs": (None, ["outputs=" + 300 * "a", "name=b"]),
    "a long path": (None, ["name=" + "/".join(100 * [50 * "a"])]),
    "outputs are a link to nowhere": (a_link_to_nowhere, ["outputs=trap", "name=b"]),
    "the name is a link to nowhere": (a_link_to_nowhere, ["outputs=.", "name=trap"]),
    "outputs are a file": (Path.touch, ["outputs=trap", "name=b"]),
    "a folder within is a file": (Path.touch, ["outputs=trap/b", "name=c"]),
    "the name is a file": (Path.touch, ["outputs=.", "name=trap"]),
    "other files": (lambda path: (path.mkdir(), (path / "a").touch()), ["outputs=.", "name=trap"]),
}


@pytest.mark.parametrize(("make", "words"), TRAPS.values(), ids=TRAPS)
def test_the_dry_run_refuses_what_the_run_refuses(command, tmp_path, make, words):
    """One line, exit code 2, and nothing is written."""
    if make:
        make(tmp_path / "trap")
    before = sorted(tmp_path.rglob("*"))
    dry, run = command(*SMALL, *words, "dry_run=true"), command(*SMALL, *words)
    assert (dry.code, run.code) == (2, 2), (dry, run)
    assert dry.err == run.err
    assert len(run.err.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before
