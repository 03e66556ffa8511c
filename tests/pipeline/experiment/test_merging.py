"""Merging of shards and of experiments: a union bit for bit, sources untouched, kills survived."""

import csv
import errno
import itertools
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.experiment.merging import merge
from pipeline.merge import main
from tests.support.killed import killed_at
from tests.support.merging import AXES, CONFIGURATION, results, state_of, swept

pytestmark = pytest.mark.long


def test_merged_shards_are_the_undivided_sweep(made, parts):
    """Bit for bit, with the run of each point."""
    assert merge([parts]).is_whole
    xr.testing.assert_identical(results(parts), results(made / "whole"))
    with xr.open_dataset(parts / "results.nc") as merged:
        runs = [run["id"] for run in json.loads(merged.attrs["runs"])]
        assert len(runs) == 4
        for number in range(1, 5):
            with xr.open_dataset(parts / "shards" / str(number) / "results.nc") as shard:
                (own,) = json.loads(shard.attrs["runs"])
                is_done = shard.status.values == 0
            assert {runs[i] for i in merged.made_by.values[is_done]} == {own["id"]}


def test_nothing_runs_again_after_a_merge(parts):
    """The whole sweep finds all of its points, and more of them are added to these."""
    merge([parts])
    kept = (parts / "configuration.yaml").read_text()
    assert kept == (parts / "shards" / "1" / "configuration.yaml").read_text()
    plan = pipeline.plan(pipeline.configure(*CONFIGURATION), AXES, parts)
    assert plan.asked == (16, 0, 0)
    swept(parts, AXES)
    assert len(json.loads((parts / "provenance.json").read_text())["runs"]) == 4


def test_a_repeated_merge_changes_nothing(parts):
    """Every file has the content that it had."""
    merge([parts])
    before = {path: path.read_bytes() for path in parts.rglob("*") if path.is_file()}
    again = merge([parts])
    assert again.n_new == 0
    after = {path: path.read_bytes() for path in parts.rglob("*") if path.is_file()}
    changed = {path.name for path in before | after if before.get(path) != after.get(path)}
    assert changed <= {".lock"}


@pytest.mark.parametrize("into", [None, "out"])
def test_sources_are_not_touched(parts, into, tmp_path):
    """Neither contents nor times, whether files are linked or copied."""
    before = state_of(parts / "shards")
    merge([parts], into and tmp_path / into)
    assert state_of(parts / "shards") == before
    points = [*((tmp_path / into if into else parts) / "points").iterdir()]
    links = {file.stat().st_nlink for file in points}
    assert links == ({1} if into else {2})


def test_files_of_another_file_system_are_copied(made, parts, monkeypatch):
    """There is no link from one to the other."""

    def no_link(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    merge([parts])
    xr.testing.assert_identical(results(parts), results(made / "whole"))
    assert {file.stat().st_nlink for file in (parts / "points").iterdir()} == {1}


def test_a_shard_that_never_came_is_named(parts, capsys):
    """With those that are incomplete or failed; the others are merged, and the exit code is 1."""
    shutil.rmtree(parts / "shards" / "2")
    shutil.rmtree(parts / "shards" / "4")
    (parts / "shards" / "4").mkdir()
    (parts / "shards" / "4" / ".lock").touch()  # killed before it wrote anything
    next((parts / "shards" / "1" / "points").iterdir()).unlink()
    assert main([str(parts)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{parts}: shard 1/4 is incomplete: 1 point missing"
    assert lines[1].startswith(f"{parts}: shard 2/4 never came: ")
    assert lines[2].startswith(f"{parts}: shard 4/4 is incomplete: ")
    assert lines[3] == "Run these again, run.shard=i/4 for i=1,2,4, and merge again"
    for number in (1, 2, 4):
        swept(parts, AXES, shard=f"{number}/4")
    assert main([str(parts)]) == 0
    assert results(parts).status.values.max() == 0


def test_failures_come_along(tmp_path, fail_for_seed, monkeypatch, capsys):
    """A failed point has its reason in the union, and the exit code is 1, until it is done."""
    with monkeypatch.context() as failing:
        fail_for_seed(3, FloatingPointError("no such number"))
        for number in (1, 2):
            swept(tmp_path / "x", {"seed": range(6)}, shard=f"{number}/2")
        failing.undo()
    monkeypatch.undo()
    assert main([str(tmp_path / "x")]) == 1
    assert "is incomplete: 1 point failed" in capsys.readouterr().err
    with (tmp_path / "x" / "failures.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["seed"], row["reason"]) == ("3", "FloatingPointError: no such number")
    for number in (1, 2):
        swept(tmp_path / "x", {"seed": range(6)}, shard=f"{number}/2")
    assert main([str(tmp_path / "x")]) == 0
    assert not (tmp_path / "x" / "failures.csv").exists()


def test_experiments_are_united(tmp_path):
    """Unlike seeds of one model, of which some are in both, are one experiment."""
    swept(tmp_path / "a", {"seed": range(4)})
    swept(tmp_path / "b", {"seed": [2, 3, 4, 9]}, engine="reference")
    merged = merge([tmp_path / "a", tmp_path / "b"], tmp_path / "ab")
    assert merged.counts == (6, 0, 0)
    assert merged.is_whole
    together = results(tmp_path / "ab")
    assert together.seed.values.tolist() == [0, 1, 2, 3, 4, 9]
    one = results(tmp_path / "b").sel(seed=[4, 9])
    np.testing.assert_array_equal(together.sel(seed=[4, 9]).weight, one.weight)
    with xr.open_dataset(tmp_path / "ab" / "results.nc") as dataset:
        engines = [run["engine"] for run in json.loads(dataset.attrs["runs"])]
        made_by = [engines[i] for i in dataset.made_by.sel(seed=[0, 1, 4, 9]).values]
    assert made_by == ["compiled", "compiled", "reference", "reference"]


def test_what_is_merged_into_an_experiment_is_added_to_its_own(tmp_path):
    """The target keeps its points and runs."""
    swept(tmp_path / "a", {"seed": range(4)})
    swept(tmp_path / "b", {"seed": range(4, 6)})
    merge([tmp_path / "b"], tmp_path / "a")
    assert results(tmp_path / "a").sizes["seed"] == 6
    assert len(json.loads((tmp_path / "a" / "provenance.json").read_text())["runs"]) == 2


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_killed_at_any_moment_it_goes_on(made, tmp_path):
    """Before each file that it writes: repeated, it ends with what it would have been."""
    for number in itertools.count(1):
        parts = Path(shutil.copytree(made / "parts", tmp_path / f"{number}"))
        before = state_of(parts / "shards")
        ended = killed_at(number, lambda parts=parts: merge([parts]))
        if ended == 0:
            break
        assert ended == 9
        assert merge([parts]).is_whole
        xr.testing.assert_identical(results(parts), results(made / "whole"))
        assert state_of(parts / "shards") == before
        assert not [*parts.rglob("*.tmp")]
    assert number > 16


def test_damaged_files_are_left_out_and_stay(parts, capsys, caplog):
    """Their points are missing from the union; the source is as it was."""
    file = next((parts / "shards" / "3" / "points").iterdir())
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    before = state_of(parts / "shards")
    assert main([str(parts)]) == 1
    assert f"{file} is damaged; its points are left out" in caplog.text
    assert "1 damaged file was left out; its points run again there" in capsys.readouterr().err
    assert state_of(parts / "shards") == before


def test_points_that_only_a_file_of_results_has_are_named(tmp_path, capsys):
    """Its batches are lost: they cannot be merged, and the exit code says so."""
    swept(tmp_path / "a", {"seed": range(3)})
    next((tmp_path / "a" / "points").iterdir()).unlink()
    assert main([str(tmp_path / "a"), "--into", str(tmp_path / "b")]) == 1
    assert "1 point of its results.nc is in no file of" in capsys.readouterr().err


def test_shards_of_a_longer_duration_leave_the_shorter_runs(tmp_path):
    """One shard did not go on yet: its points are missing, and nothing else."""
    for number in (1, 2):
        swept(tmp_path / "x", {"seed": range(6)}, "record.state=true", shard=f"{number}/2")
    longer = ("record.state=true", "simulation.duration=200")
    swept(tmp_path / "x", {"seed": range(6)}, *longer, shard="1/2")
    merged = merge([tmp_path / "x"])
    assert [str(one.shard) for one in merged.incomplete] == ["2/2"]
    swept(tmp_path / "x", {"seed": range(6)}, *longer, shard="2/2")
    assert merge([tmp_path / "x"]).is_whole
    swept(tmp_path / "whole", {"seed": range(6)}, *longer)
    xr.testing.assert_identical(results(tmp_path / "x"), results(tmp_path / "whole"))
