"""Experiments that several modules read or copy."""

import shutil
from pathlib import Path

import pytest

from tests.support.merging import AXES, swept


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Return an undivided experiment, and one of four shards that are not merged."""
    root = tmp_path_factory.mktemp("made")
    swept(root / "whole", AXES)
    for number in (3, 1, 4, 2):
        swept(root / "parts", AXES, shard=f"{number}/4")
    return root


@pytest.fixture
def parts(made, tmp_path):
    """Return a copy of the experiment of four shards."""
    return Path(shutil.copytree(made / "parts", tmp_path / "parts"))
