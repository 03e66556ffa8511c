"""Merging of directories in which sweeps run, begin or have ended meanwhile."""

import fcntl
import os
import threading

import pytest
import xarray as xr

from pipeline.experiment import merging
from pipeline.experiment.merging import merge
from pipeline.storage import sources
from tests.conftest import names_in
from tests.support.merging import AXES, refused, swept

pytestmark = pytest.mark.long


def test_a_source_in_use_is_refused(parts):
    """It is locked by a sweep, whose process is named."""
    lock = parts / "shards" / "2" / ".lock"
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert f"shards/2: process {os.getpid()} on " in refused([parts])
    assert merge([parts]).is_whole


@pytest.mark.parametrize("locked", [True, False])
def test_a_source_that_changes_while_it_is_merged_is_named(tmp_path, monkeypatch, locked):
    """Its sweep has begun and ended after its request was read; repeated, all is there."""
    swept(tmp_path / "a", {"seed": range(3)})

    def take_points(source, target, linked):
        if locked:
            swept(source.path, {"seed": range(5)})
        else:  # where nothing can be locked a file may be compacted at any moment
            monkeypatch.setattr(sources, "batch_files_in", lambda _: [source.points / "gone.npz"])
        return sources.take_points(source, target, linked)

    with monkeypatch.context() as patch:
        patch.setattr(merging, "take_points", take_points)
        assert refused([tmp_path / "a"], tmp_path / "b") == (
            f"{tmp_path / 'a'}: was changed meanwhile; repeat the command"
        )
    monkeypatch.undo()
    assert merge([tmp_path / "a"], tmp_path / "b").is_whole


def test_a_sweep_that_begins_while_files_are_listed_is_noticed(tmp_path, monkeypatch):
    """Where nothing can be locked: none of its points goes to a union that does not have them."""
    swept(tmp_path / "a", {"seed": range(3)})
    (tmp_path / "a" / ".lock").unlink()
    listed = sources.batch_files_in

    def batch_files_in(folder):
        swept(tmp_path / "a", {"seed": range(5)})
        return listed(folder)

    with monkeypatch.context() as patch:
        patch.setattr(sources, "batch_files_in", batch_files_in)
        assert refused([tmp_path / "a"], tmp_path / "b") == (
            f"{tmp_path / 'a'}: was changed meanwhile; repeat the command"
        )
    assert names_in(tmp_path / "b" / "points") == []
    assert merge([tmp_path / "a"], tmp_path / "b").counts == (5, 0, 0)


def test_a_run_of_the_same_request_is_noticed_too(tmp_path, monkeypatch):
    """As one that tries failed points again: without its record nobody would know who made them."""
    swept(tmp_path / "a", {"seed": range(3)})

    def take_points(source, target, linked):
        next((source.path / "points").iterdir()).unlink()
        swept(source.path, {"seed": range(3)})
        return sources.take_points(source, target, linked)

    with monkeypatch.context() as patch:
        patch.setattr(merging, "take_points", take_points)
        assert "was changed meanwhile" in refused([tmp_path / "a"], tmp_path / "b")
    assert merge([tmp_path / "a"], tmp_path / "b").is_whole
    with xr.open_dataset(tmp_path / "b" / "results.nc") as merged:
        assert (merged.made_by >= 0).all()


def test_a_sweep_waits_for_the_end_of_a_merge(parts, caplog):
    """The points of its directory are taken as its request says, and none of them vanishes."""
    shard = parts / "shards" / "2"
    with (shard / ".lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        timer = threading.Timer(1, lambda: fcntl.flock(file, fcntl.LOCK_UN))
        timer.start()
        swept(parts, AXES, shard="2/4")
        assert not timer.is_alive()
    assert f"{shard} is being merged: the sweep begins when that has ended" in caplog.text
