"""Many small files of finished points become one; no point is lost, changed or run again."""

import errno
import itertools
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.experiment.merging import merge
from pipeline.model.variables import ABOUT_RUNS
from pipeline.storage import compaction
from pipeline.storage.batch_files import batch_files_in, compacted_in, names_of_points
from pipeline.storage.directory import Directory
from tests.support.killed import killed_at

SEEDS = range(20)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Let five files be many."""
    monkeypatch.setattr(compaction, "MANY", 5)


@pytest.fixture
def swept(configure, tmp_path):
    """Sweep seeds, with a file for each point."""

    def sweep(name, *overrides, seeds=SEEDS, **settings):
        settings = {"backend": "sequential", "batch_size": 1} | settings
        return pipeline.sweep(
            configure(*overrides), {"seed": list(seeds)}, tmp_path / name, **settings
        )

    return sweep


@pytest.fixture
def apart(swept, monkeypatch):
    """Sweep seeds without any compaction."""

    def sweep(*arguments, **settings):
        with monkeypatch.context() as patch:
            patch.setattr(compaction, "MANY", 10**6)
            return swept(*arguments, **settings)

    return sweep


def assert_same(one, other):
    """Two results are equal, but for what is about the runs."""
    xr.testing.assert_identical(
        *(results.drop_vars(ABOUT_RUNS).drop_attrs() for results in (one, other))
    )


def files(path):
    """Return the batch files of an experiment."""
    return batch_files_in(path / "points")


def n_rows(path):
    """Return how many points all files have that are read."""
    return sum(len(batch.keys) for batch, _ in Directory(path).finished())


def test_many_files_become_few_while_a_sweep_runs(swept, apart, tmp_path):
    """Twenty points in a file each are four files, with the same results as twenty files."""
    together, single = swept("together"), apart("single")
    assert len(files(tmp_path / "together")) == 4
    assert len(files(tmp_path / "single")) == 20
    assert_same(together, single)


@pytest.mark.parametrize(
    "overrides", [("record=everything",), ("record=history", "record.weight_interval=50")]
)
def test_recordings_of_unequal_length_are_padded(swept, apart, tmp_path, overrides):
    """Spike trains of other lengths are in one file, and read as they were."""
    together, single = swept("together", *overrides), apart("single", *overrides)
    assert len(files(tmp_path / "together")) < 20
    assert_same(together, single)
    assert_same(swept("together", *overrides), single)


def test_files_of_an_earlier_version_are_compacted_when_a_sweep_resumes(swept, apart, tmp_path):
    """All points are finished before, and their files become few."""
    before = apart("one").load()
    again = swept("one").load()
    np.testing.assert_array_equal(again["wall_time"], before["wall_time"])
    assert_same(again, before)
    assert len(files(tmp_path / "one")) == 4


def test_a_dry_run_compacts_nothing(apart, configure, tmp_path):
    """What a plan reads stays as it is."""
    apart("one")
    there = files(tmp_path / "one")
    pipeline.plan(configure(), {"seed": list(SEEDS)}, tmp_path / "one")
    assert files(tmp_path / "one") == there


@pytest.mark.parametrize("before", ["swept", "apart"])
def test_runs_go_on_from_end_states_in_compacted_files(request, swept, apart, caplog, before):
    """Longer runs begin at the end of shorter ones, compacted before or while they are read."""
    history = ("record=history", "record.weight_interval=50")  # keeps end states
    request.getfixturevalue(before)("grown", *history)
    with caplog.at_level("INFO", "pipeline"):
        grown = swept("grown", *history, "simulation.duration=800")
    assert "20 points, 0 of them finished before, 20 go on from an earlier end" in caplog.text
    assert_same(grown, apart("whole", *history, "simulation.duration=800"))


def test_results_that_are_read_later_are_found_in_the_new_file(apart, swept, tmp_path):
    """A directory opened before another process compacted it reads the rows where they are now."""
    apart("one")
    reader = Directory(tmp_path / "one")
    batches = [batch for batch, _ in reader.finished()]
    weights = [np.array(batch.columns["weight"]) for batch in batches]
    names = {file.name for file in files(tmp_path / "one")}
    swept("one")
    assert names.isdisjoint(file.name for file in files(tmp_path / "one"))
    assert names <= names_of_points(tmp_path / "one" / "points")
    for batch, weight in zip(batches, weights, strict=True):
        np.testing.assert_array_equal(batch.columns["weight"], weight)
        assert "weight" in batch.columns
        assert "compacted" not in [*batch.columns]
    again = [one for batch, _ in reader.finished() for one in batch.keys]
    assert sorted(again) == sorted(key for batch in batches for key in batch.keys)


def test_a_file_that_is_gone_is_an_error(apart, tmp_path):
    """A deleted file is not found anywhere else."""
    apart("one")
    batches = [batch for batch, _ in Directory(tmp_path / "one").finished()]
    for file in files(tmp_path / "one"):
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r"\.npz"):
        batches[0].columns["weight"].sum()


def test_what_was_compacted_is_compacted_again(swept, tmp_path, monkeypatch):
    """Of five files of five one is made, which knows all that it was made from."""
    monkeypatch.setattr(compaction, "MANY", 3)
    swept("one", seeds=range(9))
    (file,) = files(tmp_path / "one")
    ((batch, _),) = Directory(tmp_path / "one").finished()
    rows = compacted_in(batch.columns)
    assert len(batch.keys) == 9
    assert sorted(rows.values()) == sorted(
        [*((i, i + 1) for i in range(9)), (0, 3), (3, 6), (6, 9)]
    )
    assert file.name not in rows


def test_a_damaged_file_is_not_compacted(apart, swept, tmp_path, caplog):
    """It is set aside, as ever, and its point runs again."""
    before = apart("one").load()
    damaged = files(tmp_path / "one")[3]
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    assert_same(swept("one"), before)
    assert f"{damaged} is damaged and set aside" in caplog.text


def test_a_file_damaged_after_it_was_read_is_not_compacted(apart, tmp_path, monkeypatch):
    """The checksum is compared with what is written anew, not with what was read before."""
    apart("one")
    directory = Directory(tmp_path / "one")
    finished = directory.finished(changes_files=True)
    for _ in range(5):
        next(finished)
    changed = files(tmp_path / "one")[0]
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)
    next(finished)
    assert changed.exists()
    assert changed.name not in names_of_points(tmp_path / "one" / "points") - {changed.name}
    assert len(files(tmp_path / "one")) == 20 - 4 + 1


def test_a_kill_before_files_are_removed_leaves_points_twice_and_equal(
    swept, apart, tmp_path, monkeypatch
):
    """Points that are in two files are counted once; the next sweep is as after any other."""
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", _keep_points)
        first = swept("one").load()
        assert len(files(tmp_path / "one")) == 24
        for _ in range(3):  # as in a folder in which nothing may be removed
            assert_same(swept("one"), first)
            assert len(files(tmp_path / "one")) == 24
    assert n_rows(tmp_path / "one") == 20
    assert_same(swept("one"), first)
    assert len(files(tmp_path / "one")) == 4
    assert_same(first, apart("single"))


UNLINK = Path.unlink


def _keep_points(path, missing_ok=False):
    if path.suffix == ".npz":
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
    UNLINK(path, missing_ok)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_killed_at_any_moment_nothing_is_lost_or_run_again(swept, apart, tmp_path, monkeypatch):
    """Before each file that is written or removed: points on disk stay, and the rest follows."""
    monkeypatch.setattr(compaction, "MANY", 3)
    whole = apart("whole", seeds=range(7)).load()
    for number in itertools.count(1):
        ended = killed_at(number, lambda name=f"{number}": swept(name, seeds=range(7)))
        there = dict(_wall_times(tmp_path / f"{number}"))
        results = swept(f"{number}", seeds=range(7)).load()
        assert_same(results, whole)
        assert there.items() <= dict(_wall_times(tmp_path / f"{number}")).items()
        assert not [*tmp_path.rglob("*.tmp")]
        if ended == 0:
            break
        assert ended == 9
    assert number > 15


def _wall_times(path):
    """Yield each point on disk with the time that it took, which no other run of it takes."""
    for batch, _ in Directory(path).finished():
        yield from zip(batch.keys, batch.columns["wall_time"].tolist(), strict=True)


def test_a_sweep_goes_on_where_no_new_file_can_be_written(swept, tmp_path, monkeypatch, caplog):
    """A full disk leaves small files as they are; one warning says so."""

    def full(columns, folder):
        raise compaction.StorageError("the disk is full")

    monkeypatch.setattr(compaction, "write_columns", full)
    swept("one")
    assert caplog.text.count("finished points stay as they are: the disk is full") == 1
    assert len(files(tmp_path / "one")) == 20


@pytest.mark.parametrize("compacted", ["target", "source"])
def test_merged_again_nothing_is_new(swept, apart, tmp_path, compacted):
    """Points are not taken once more whose files the target, or the source, has compacted."""
    sweep = {"target": swept, "source": apart}[compacted]
    sweep("a", seeds=range(10))
    sweep("b", seeds=range(10, 14))
    both = [tmp_path / "a", tmp_path / "b"]
    merge(both, tmp_path / "both")
    rows = n_rows(tmp_path / "both")
    swept("a", seeds=range(10))
    assert len(files(tmp_path / "a")) == 2
    there = files(tmp_path / "both")
    merge(both, tmp_path / "both")
    assert files(tmp_path / "both") == there
    assert n_rows(tmp_path / "both") == rows == 14


def test_a_plan_reads_files_that_a_sweep_compacts_meanwhile(apart, swept, tmp_path):
    """A file that was listed and is gone is read from the one that has its points."""
    apart("one")
    batches = Directory(tmp_path / "one").finished()
    first, _ = next(batches)
    swept("one")
    keys = [*first.keys, *(key for batch, _ in batches for key in batch.keys)]
    assert len(set(keys)) == 20


def test_large_files_stay_as_they_are(swept, tmp_path, monkeypatch):
    """A file that is large enough is not written again."""
    monkeypatch.setattr(compaction, "SMALL", 100)
    swept("one")
    assert len(files(tmp_path / "one")) == 20
