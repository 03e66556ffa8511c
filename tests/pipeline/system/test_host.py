"""Commit and uncommitted changes of the code."""

import subprocess

import pytest

from pipeline.system import host


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one committed file in a folder that is run."""
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "old.py").write_text("a = 1\n")
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    monkeypatch.setattr(host, "CODE", tmp_path)
    return tmp_path


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("new", [False, True])
def test_the_diff_is_of_what_changed(repository, changed, new):
    """Tracked files, new files, or both; it is applied by git, and says nothing else."""
    (repository / "pipeline" / "old.py").write_text("a = 2\n" if changed else "a = 1\n")
    if new:
        (repository / "pipeline" / "new.py").write_text("b = 3\n")
    diff = host._diff()
    assert "changes could not be read" not in diff
    assert ("a = 2" in diff, "b = 3" in diff) == (changed, new)
    if changed or new:
        subprocess.run(["git", "-C", str(repository), "stash", "-q", "-u"], check=True)
        subprocess.run(["git", "-C", str(repository), "apply"], input=diff, text=True, check=True)
        assert (repository / "pipeline" / "new.py").exists() == new
