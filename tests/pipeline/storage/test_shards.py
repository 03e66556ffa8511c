"""The number of shards in the directory of an experiment, and the shard of a task of an array."""

import json
import threading

import pytest

from pipeline.composition.compose import default_run_settings
from pipeline.model.errors import RequestError
from pipeline.storage import shards
from pipeline.storage.shards import Division, division_of, experiment_directory
from tests.conftest import names_in


@pytest.fixture
def task(monkeypatch, tmp_path):
    """Hold the directory of a task of an array; return its shard."""

    def run(number, first, last, **more):
        given = {"ID": number, "MIN": first, "MAX": last, "COUNT": last - first + 1, **more}
        for name, value in given.items():
            monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", str(value))
        directory = experiment_directory(tmp_path / "x", default_run_settings(shard="slurm"))
        with directory.held():
            return str(directory.shard)

    return run


def test_the_first_task_pins_the_array(task, tmp_path):
    """A task that is resubmitted alone is the shard of its own number in the first array."""
    assert task(5, 3, 10) == "3/8"
    assert task(7, 7, 7) == "5/8"
    assert task(10, 9, 10) == "8/8"
    assert division_of(tmp_path / "x") == Division(8, 3)


def test_a_task_outside_of_the_array_is_refused(task, tmp_path):
    """In one line with its number and the array."""
    task(5, 3, 10)
    for number in (2, 11):
        with pytest.raises(RequestError, match=f"TASK_ID={number}: must be from 3 to 10, the arr"):
            task(number, number, number)
    assert names_in(tmp_path / "x" / "shards") == ["3", "shards.json"]


def test_a_first_array_with_gaps_is_refused(task, tmp_path):
    """Of --array=1,3,7 no task would run the points of the others; nothing is written."""
    with pytest.raises(RequestError, match=r"must be without gaps.*3 tasks from 1 to 7"):
        task(1, 1, 7, COUNT=3)
    assert not (tmp_path / "x").exists()


def test_without_an_array_it_is_refused(tmp_path, monkeypatch):
    """Asked for in a job that is no array, or outside of Slurm."""
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID", raising=False)
    with pytest.raises(RequestError, match="SLURM_ARRAY_TASK_ID is not set"):
        experiment_directory(tmp_path / "x", default_run_settings(shard="slurm"))


def test_an_array_is_never_inferred(task, tmp_path, monkeypatch):
    """Many arrays sweep the seed by hand: their variables alone divide nothing."""
    task(1, 1, 4)
    directory = experiment_directory(tmp_path / "y", default_run_settings())
    assert directory.shard is None
    assert directory.path == tmp_path / "y"


@pytest.mark.parametrize(
    ("division", "text"),
    [
        (Division(1), "1 shard, run.shard=i/1"),
        (Division(3), "3 shards, run.shard=i/3"),
        (Division(1, 5), "1 shard, task 5 of a Slurm array"),
        (Division(3, 5), "3 shards, tasks 5 to 7 of a Slurm array"),
    ],
)
def test_shards_are_counted(division, text):
    """One of anything is not several."""
    assert str(division) == text


def test_another_number_of_shards_is_refused(task, tmp_path):
    """Points would move from one shard to another, and be computed twice."""
    task(1, 1, 4)
    path = tmp_path / "x"
    with pytest.raises(RequestError, match=r"shard=1/5: .* is divided into 4 shards, tasks 1 to 4"):
        experiment_directory(path, default_run_settings(shard="1/5"))
    assert experiment_directory(path, default_run_settings(shard="3/4")).shard.number == 3
    with experiment_directory(tmp_path / "z", default_run_settings(shard="1/4")).held():
        pass
    with pytest.raises(RequestError, match=r"shard=slurm: .* is divided into 4 shards, run\.shard"):
        experiment_directory(tmp_path / "z", default_run_settings(shard="slurm"))


@pytest.mark.parametrize("links", [True, False])
def test_of_many_that_start_at_once_one_divides(tmp_path, monkeypatch, links):
    """Each asks for another number: one is written, whole, and all others are refused."""
    if not links:
        monkeypatch.setattr(shards.os, "link", _no_link)
    outcomes, barrier = [], threading.Barrier(12)

    def hold(total):
        directory = experiment_directory(tmp_path / "x", default_run_settings(shard=f"1/{total}"))
        barrier.wait()
        try:
            with directory.held():
                outcomes.append(total)
        except RequestError as error:
            assert "is divided into" in str(error)

    threads = [threading.Thread(target=hold, args=(total,)) for total in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [division_of(tmp_path / "x").total] == outcomes
    assert names_in(tmp_path / "x" / "shards") == ["1", "shards.json"]


def _no_link(*_):
    raise PermissionError


def test_a_damaged_division_is_reported(tmp_path):
    """In one line with the file and what to do."""
    file = tmp_path / "x" / "shards" / "shards.json"
    file.parent.mkdir(parents=True)
    for text in ("{", json.dumps({"shards": 3})):
        file.write_text(text)
        with pytest.raises(RequestError, match=r"shards\.json: cannot be read .*; remove it"):
            experiment_directory(tmp_path / "x", default_run_settings(shard="1/3"))
