"""The number of shards in the directory of an experiment, and the shard of a task of an array."""

import json
import threading

import numpy as np
import pytest

import pipeline
from pipeline.composition.compose import default_run_settings
from pipeline.model.errors import RequestError
from pipeline.request.overrides import grid_of_mapping
from pipeline.storage import directory, shards
from pipeline.storage.shards import Division, division_of
from tests.conftest import SMALL, names_in

#: Values by key of the axes that are requested of all shards.
AXES = {"seed": [1, 2, 3]}


def asked(*overrides, axes=AXES):
    """Return a grid of a small configuration."""
    return grid_of_mapping(pipeline.configure(*SMALL, *overrides), axes)


def experiment_directory(path, settings, *overrides, axes=AXES):
    """Return the directory of a run that asks for a grid."""
    return shards.experiment_directory(path, settings, asked(*overrides, axes=axes))


def shard(text, path, *overrides, **axes):
    """Return the directory of a shard."""
    return experiment_directory(path, default_run_settings(shard=text), *overrides, **axes)


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


def test_a_shard_of_other_settings_is_refused_while_another_begins(tmp_path):
    """In one line with key, both values and what to do; nothing of it is written."""
    path = tmp_path / "x"
    with shard("1/3", path, "stdp.tau_plus=20").held():
        for refusing in ("held", "refuse_unusable"):  # of a run, and of a dry run
            other = shard("2/3", path, "stdp.tau_plus=10")
            with pytest.raises(RequestError) as error:
                other.held().__enter__() if refusing == "held" else other.refuse_unusable()
            assert str(error.value) == (
                f"run.shard=2/3: must have the settings of {path / 'shards' / '1'}, with which it "
                "will be merged (stdp.tau_plus=20.0 there and stdp.tau_plus=10.0 here); sweep both "
                "values in every shard (stdp.tau_plus=20.0,10.0), or choose another name, or move "
                f"{path / 'shards' / '1'} away if that is the wrong one"
            )
        assert names_in(path / "shards") == ["1", "shards.json"]
        with shard("2/3", path, "stdp.tau_plus=20", axes={"seed": [3, 4]}).held():
            assert names_in(path / "shards") == ["1", "2", "shards.json"]


def test_what_began_without_a_point_may_begin_anew(tmp_path):
    """As after a wrong value that was noticed at once: each shard is begun with another one."""
    path = tmp_path / "x"
    for number in (1, 2):
        with shard(f"{number}/2", path, "stdp.tau_plus=10").held():
            pass
    with shard("1/2", path).held(), shard("2/2", path).held():
        assert "tau_plus: 20.0" in (path / "shards" / "1" / "configuration.yaml").read_text()
        with pytest.raises(RequestError, match="must have the settings of"):
            shard("2/2", path, "stdp.tau_plus=10").refuse_unusable()


def test_the_first_request_of_a_shard_comes_after_what_it_refers_to(tmp_path):
    """Another shard that begins now, and a merge after a kill, find the weights that it names."""
    path = tmp_path / "x"
    overrides = []
    for name, weight in (("a", 0.2), ("b", 0.7)):
        np.save(tmp_path / f"{name}.npy", np.full(40, weight))
        overrides.append(f"synapse.w_from={tmp_path / name}.npy")
    with shard("1/2", path, overrides[0]).held():
        kept = names_in(path / "shards" / "1" / "given")
        assert [name.partition(".")[2] for name in kept] == ["npz"]
        with pytest.raises(RequestError, match=r"must have the settings of"):
            shard("2/2", path, overrides[1]).refuse_unusable()


def test_the_same_request_is_compared_as_text(tmp_path, monkeypatch):
    """Of many samples it is read slowly, and the shards of an array would wait for each other."""

    def read(_):
        raise AssertionError("the request is read")

    pipeline.sweep(pipeline.configure(*SMALL), AXES, tmp_path / "x", backend="sequential")
    with shard("1/2", tmp_path / "y").held():
        monkeypatch.setattr(directory, "columns_as_lists", read)
        with shard("2/2", tmp_path / "y").held():
            pass
    pipeline.sweep(pipeline.configure(*SMALL), AXES, tmp_path / "x", backend="sequential")
    with pytest.raises(AssertionError):
        pipeline.sweep(pipeline.configure(*SMALL), {"seed": [4]}, tmp_path / "x")


def test_of_shards_that_begin_at_once_all_have_the_same_settings(tmp_path):
    """Each of two values is asked for by half of them: those of one value begin."""
    path = tmp_path / "x"
    begun, barrier, end = [], threading.Barrier(8), threading.Barrier(8, timeout=60)

    def hold(number):
        value = 10 + number % 2
        directory = shard(f"{number}/8", path, f"stdp.tau_plus={value}")
        barrier.wait()
        try:
            with directory.held():
                begun.append(value)
                end.wait()
        except RequestError as error:
            assert "must have the settings of" in str(error)
            end.wait()

    threads = [threading.Thread(target=hold, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 4
    assert len(set(begun)) == 1
    assert len(names_in(path / "shards")) == 5
