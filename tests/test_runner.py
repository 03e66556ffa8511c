"""Workers: the same results whatever runs them, and a failing point stops no other."""

import numpy as np
import pytest

from pipeline import runner
from pipeline.compose import default_run
from pipeline.grid import Grid, value_axis
from pipeline.runner import run_points


@pytest.fixture
def points(configure):
    """Seven points by key, long enough for threads to pay."""
    overrides = "record=history", "record.weight_interval=100", "simulation.duration=5000"
    grid = Grid(
        configure(*overrides).to_mapping(),
        [value_axis("seed", range(7))],
    )
    return dict(zip(grid.keys, grid.points, strict=True))


def records_of(points, **settings):
    """Run points and return all records by key."""
    records = {}
    for batch in run_points(points, default_run(**settings)):
        assert not batch.failures
        for i, key in enumerate(batch.keys):
            records[key] = {name: column[i] for name, column in batch.columns.items()}
    return records


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_results_are_the_same_to_the_bit(points, backend, batch_size):
    """Backend, number of workers and batch size change nothing."""
    expected = records_of(points, backend="sequential")
    got = records_of(points, backend=backend, n_jobs=2, batch_size=batch_size)
    assert got.keys() == expected.keys()
    for key, record in expected.items():
        for name, value in record.items():
            same = unpadded if name == "spike_time" else np.asarray
            np.testing.assert_array_equal(same(got[key][name]), same(value), err_msg=name)


def unpadded(times):
    """Return spike times without what makes them as long as the longest of their batch."""
    return times[~np.isnan(times)]


def test_a_failing_point_becomes_a_record(points, fail_for_seed):
    """What one point raises is kept with its reason; the others are done."""
    fail_for_seed(3, FloatingPointError("overflow in v"))
    batches = list(run_points(points, default_run(backend="sequential", batch_size=2)))
    failures = {key: f for batch in batches for key, f in batch.failures.items()}
    assert sum(len(batch.keys) for batch in batches) == 6
    assert [points[key].seed for key in failures] == [3]
    (failure,) = failures.values()
    assert failure.reason == "FloatingPointError: overflow in v"
    assert "fail_or_run" in failure.traceback


def test_records_have_the_asked_number_type(configure):
    """Weights come in record.dtype, statistics in full precision."""
    records = {}
    for key, dtype in (("a", "float32"), ("b", "float64")):
        records |= records_of({key: configure(f"record.dtype={dtype}")}, backend="sequential")
    assert records["a"]["weight"].dtype == np.float32
    assert records["b"]["weight"].dtype == np.float64
    assert records["a"]["mean_weight"] == records["b"]["mean_weight"]


def test_no_points_are_no_work():
    """An empty request yields nothing."""
    assert records_of({}) == {}


def test_a_batch_that_does_not_fit_in_memory_is_a_failure(points, monkeypatch):
    """What cannot be put together is told of each of its points, and the sweep goes on."""

    def fail(results, record):
        raise MemoryError("too much")

    monkeypatch.setattr(runner, "stacked", fail)
    (batch,) = run_points(points, default_run(backend="sequential", batch_size=7))
    assert batch.keys == []
    assert {failure.reason for failure in batch.failures.values()} == {"MemoryError: too much"}
    assert batch.failures.keys() == points.keys()


def test_the_notebooks_stream_takes_its_time(configure):
    """The estimate counts a draw for every cell where the input is the notebook's."""
    point = configure("input=notebook", "simulation.duration=120000", "input.n_synapses=300")
    estimated = runner._longest_seconds({"a": point}, "compiled")
    assert 0.1 < estimated / (point.simulation.n_steps / 120_000) < 2


def test_workers_are_only_started_where_they_pay(points):
    """Threads do not share points shorter than Python's part in them, and one point is no crowd."""
    long = runner._longest_seconds(points, "compiled")
    assert runner._useful_workers(7, long, default_run(n_jobs=2)) == 2
    assert runner._useful_workers(7, long, default_run(n_jobs=16)) == 7
    assert runner._useful_workers(1, long, default_run(n_jobs=2)) == 1
    assert runner._useful_workers(7, 1e-6, default_run(n_jobs=2)) == 1
    assert runner._useful_workers(7, 1e-6, default_run(n_jobs=2, backend="loky")) == 2
    assert runner._useful_workers(7, long, default_run(n_jobs=2, backend="sequential")) == 1
