"""Merging of shards and of experiments: a union bit for bit, sources untouched, kills survived."""

import csv
import errno
import fcntl
import itertools
import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.experiment import merging
from pipeline.experiment.merging import merge
from pipeline.merge import main
from pipeline.model import parameters
from pipeline.model.errors import RequestError
from pipeline.storage import sources
from pipeline.system.atomic_files import sealed
from tests.conftest import SMALL, names_in, numbers_of
from tests.support.killed import killed_at

pytestmark = pytest.mark.long

AXES = {"input.rate_hz": [20, 40], "seed": range(8)}
ONE_BY_ONE = {"backend": "sequential", "batch_size": 1}
CONFIGURATION = (*SMALL, "simulation.duration=100")


def swept(path, axes, *overrides, **settings):
    """Sweep a small configuration into a directory."""
    configuration = pipeline.configure(*CONFIGURATION, *overrides)
    return pipeline.sweep(configuration, axes, path, **{**ONE_BY_ONE, **settings})


@pytest.fixture(scope="module")
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


def state_of(folder):
    """Return content and time of every file below a folder, and what it is of every folder."""
    return {
        path: (
            path.read_bytes() if path.is_file() else sorted(path.iterdir()),
            path.stat().st_mtime,
        )
        for path in (folder, *folder.rglob("*"))
    }


def results(folder):
    """Return the results of an experiment without what depends on how they were made."""
    with xr.open_dataset(folder / "results.nc") as dataset:
        return numbers_of(dataset.load())


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


def refused(*arguments):
    """Return why a merge is refused: a line of its own, exit code 2."""
    with pytest.raises(RequestError) as error:
        merge(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_other_physics_is_refused_by_name(tmp_path):
    """Also of a target; nothing is written."""
    swept(tmp_path / "a", {"seed": range(2)})
    swept(tmp_path / "b", {"seed": range(2)}, "neuron.t_ref=3")
    swept(tmp_path / "long", {"seed": range(2)}, "simulation.duration=200")
    before = state_of(tmp_path)
    reason = refused([tmp_path / "a", tmp_path / "b"], tmp_path / "ab")
    assert reason == (
        f"{tmp_path / 'b'}: cannot be merged with {tmp_path / 'a'} (neuron.t_ref=2.0 in "
        f"{tmp_path / 'a'} and neuron.t_ref=3.0 in {tmp_path / 'b'})"
    )
    assert "neuron.t_ref" in refused([tmp_path / "b"], tmp_path / "a")
    assert "simulation.duration=100.0" in refused([tmp_path / "a"], tmp_path / "long")
    assert state_of(tmp_path) == before


def with_model_version_1(experiment):
    """Change the version of the model in the request of an experiment; return the experiment."""
    file = experiment / "configuration.yaml"
    lines = file.read_text().replace(
        f"model_version: {parameters.MODEL_VERSION}", "model_version: 1"
    )
    file.write_text(sealed(lines[: lines.index("# sha256")]))
    return experiment


def test_another_model_version_is_refused(tmp_path):
    """In one line with both versions."""
    swept(tmp_path / "a", {"seed": range(2)})
    with_model_version_1(Path(shutil.copytree(tmp_path / "a", tmp_path / "old")))
    reason = refused([tmp_path / "a", tmp_path / "old"], tmp_path / "out")
    assert reason.startswith(f"{tmp_path / 'old'}: made by model version 1, and this is version")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_united_is_named_with_both_directories(tmp_path):
    """Where it is not a constant: a key that is sampled in one and an axis of the other."""
    swept(tmp_path / "a", {"seed": [1, 2]})
    configuration = pipeline.configure(*CONFIGURATION)
    pipeline.sweep(configuration, {}, tmp_path / "b", samples={"seed": [1, 2]}, **ONE_BY_ONE)
    assert refused([tmp_path / "a", tmp_path / "b"], tmp_path / "ab") == (
        f"{tmp_path / 'b'}: cannot be merged with {tmp_path / 'a'} (seed: is sampled in "
        f"{tmp_path / 'b'}, and an axis in {tmp_path / 'a'})"
    )


@pytest.fixture
def unlike(tmp_path):
    """Return an experiment of two shards of other settings, as earlier versions made it."""
    swept(tmp_path / "x", {"seed": range(4)}, shard="1/2")
    swept(tmp_path / "y", {"seed": range(4)}, "stdp.tau_plus=10", shard="2/2")
    (tmp_path / "y" / "shards" / "2").rename(tmp_path / "x" / "shards" / "2")
    return tmp_path / "x"


def test_a_merge_says_what_to_do_with_a_shard_of_other_settings(unlike, capsys):
    """It is moved away, and the shard is run again, or it is merged alone."""
    first, second = (unlike / "shards" / name for name in "12")
    assert main([str(unlike)]) == 2
    assert capsys.readouterr().err == (
        f"error: {second}: cannot be merged with {first} (stdp.tau_plus=20.0 in {first} and "
        f"stdp.tau_plus=10.0 in {second}); move the wrong one out of {unlike / 'shards'} and run "
        "that shard again, or keep it as an experiment of its own: python -m pipeline.merge "
        "THE_WRONG_ONE --into OUT\n"
    )
    for number, value in ((1, 20), (2, 10)):  # each is resumed only as the others are
        with pytest.raises(RequestError, match=rf"shard={number}/2: must have the settings of .*"):
            swept(unlike, {"seed": range(4)}, f"stdp.tau_plus={value}", shard=f"{number}/2")
    with pytest.raises(RequestError, match="shards/2: holds an .*, move it away to begin the sh"):
        swept(unlike, {"seed": range(4)}, shard="2/2")
    assert merge([second], unlike.with_name("alone")).counts.done
    second.rename(unlike.with_name("wrong"))
    swept(unlike, {"seed": range(4)}, shard="2/2")
    assert merge([unlike]).is_whole


def test_a_merge_says_what_to_do_with_a_shard_of_another_model(parts):
    """Of which no merge makes an experiment; run again, no shard waits for it."""
    shard = with_model_version_1(parts / "shards" / "2")
    reason = refused([parts])
    assert reason.startswith(f"{shard}: made by model version 1, and this is version")
    assert reason.endswith(f"move the wrong one out of {parts / 'shards'} and run that shard again")
    with pytest.raises(RequestError, match=r"shard=5/8: must .* \(made by model version 1"):
        for number in (1, 3, 4):
            shutil.rmtree(parts / "shards" / str(number))
        (parts / "shards" / "shards.json").write_text('{"shards": 8, "first_task": null}')
        swept(parts, AXES, shard="5/8")


def test_shards_are_compared_with_what_was_merged(parts):
    """Also where the directories of all shards were removed since."""
    merge([parts])
    for shard in (parts / "shards").glob("[1-4]"):
        shutil.rmtree(shard)
    with pytest.raises(RequestError) as error:
        swept(parts, AXES, "neuron.t_ref=3", shard="1/4")
    assert str(error.value) == (
        f"run.shard=1/4: must have the settings of {parts}, with which it will be merged "
        "(neuron.t_ref=2.0 there and neuron.t_ref=3.0 here); sweep both values in every shard "
        "(neuron.t_ref=2.0,3.0), or choose another name"
    )


def test_samples_of_another_seed_are_no_shard_of_others(tmp_path, command):
    """Of the same intervals, which could be drawn with any seed."""
    drawn = ("-m", *CONFIGURATION, "input.rate_hz=interval(10,40)", "name=x", "sweep.samples=4")
    assert command(*drawn, "run.shard=1/2").code == 0
    ended = command(*drawn, "run.shard=2/2", "sweep.seed=1")
    assert ended.code == 2
    assert "sweep.seed=0 there and with sweep.seed=1 here); choose another name" in ended.err
    assert names_in(Path("outputs/x/shards")) == ["1", "shards.json"]


def test_nothing_is_merged_into_an_experiment_with_other_shards(parts, tmp_path):
    """Which would be hidden; its own shards may be, and others once these are merged."""
    swept(tmp_path / "a", {"seed": range(20, 22)}, "input.rate_hz=20")
    assert refused([tmp_path / "a"], parts) == (
        f"{parts}: has 4 shards, run.shard=i/4, that are not merged; "
        f"python -m pipeline.merge {parts} merges them"
    )
    some = [parts / "shards" / name for name in "123"]
    assert "that are not merged" in refused(some, parts)
    assert names_in(parts) == ["shards"]
    assert merge([*some, parts / "shards" / "4"], parts).counts == (16, 0, 0)
    assert merge([tmp_path / "a"], parts).counts.done == 18


def test_what_cannot_be_merged_is_refused(parts, tmp_path):
    """A directory into itself, no experiment, several without a target, a target with files."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("a")
    shard = parts / "shards" / "1"
    assert "must be another directory than those" in refused([parts, shard], shard)
    (tmp_path / "link").symlink_to(shard)
    assert "must be another directory than those" in refused([shard], tmp_path / "link")
    assert "empty: must be the directory of an experiment" in refused([tmp_path / "empty"])
    assert "nowhere: must be the directory of an exp" in refused([tmp_path / "nowhere"], parts)
    assert "--into: is missing" in refused([parts, shard])
    assert "as it has no shards" in refused([shard])
    assert "(thesis.tex)" in refused([parts], tmp_path / "other")
    assert names_in(tmp_path / "other") == ["thesis.tex"]
    assert names_in(parts) == ["shards"]


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


def test_a_shard_that_cannot_be_read_is_named(parts, monkeypatch):
    """In one line, as that of another user."""
    shard = parts / "shards" / "2"
    is_file = Path.is_file

    def denied(path):
        if path.parent == shard:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", denied)
    assert refused([parts]) == f"{shard}: cannot be read (Permission denied)"


def test_a_folder_of_shards_that_cannot_be_read_is_named(parts, monkeypatch):
    """It is not taken for an experiment without shards."""
    monkeypatch.setattr(os.path, "exists", lambda _: False)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert refused([parts]) == f"{parts / 'shards'}: cannot be read (Permission denied)"


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
