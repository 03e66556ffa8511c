"""Workers: equal results on every backend, and failures that stop no other point."""

import math
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from pipeline.composition.compose import default_run_settings
from pipeline.engine import compiled
from pipeline.engine.cost import longest_seconds
from pipeline.execution import backends
from pipeline.execution import batch as worker
from pipeline.execution.backends import BACKENDS, KILLED
from pipeline.execution.cancel import Stop
from pipeline.execution.pool import run_points
from pipeline.model import reference
from pipeline.model.variables import ABOUT_RUNS
from pipeline.request.axis import value_axis
from pipeline.request.grid import Grid

pytestmark = pytest.mark.long


@pytest.fixture
def points(configure):
    """Seven points, long enough to run in threads."""
    overrides = "record=history", "record.weight_interval=100", "simulation.duration=5000"
    return Grid(configure(*overrides).to_mapping(), [value_axis("seed", range(7))]).points


def records_of(points, **settings):
    """Run points and return all records by key."""
    records = {}
    for batch in run_points(points, default_run_settings(**settings)):
        assert not batch.failures
        for i, key in enumerate(batch.keys):
            records[key] = {name: column[i] for name, column in batch.columns.items()}
    return records


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_results_are_the_same_bit_for_bit(points, backend, batch_size):
    """Backend, number of workers and batch size change nothing."""
    expected = records_of(points, backend="sequential")
    got = records_of(points, backend=backend, n_jobs=2, batch_size=batch_size)
    assert got.keys() == expected.keys()
    for key, record in expected.items():
        for name, value in record.items():
            if name in ABOUT_RUNS:
                continue
            same = unpadded if name == "spike_time" else np.asarray
            np.testing.assert_array_equal(same(got[key][name]), same(value), err_msg=name)


def unpadded(times):
    """Return spike times without the NaN that pads them to the longest of their batch."""
    return times[~np.isnan(times)]


def test_threads_start_before_any_point_takes_memory(points, monkeypatch):
    """Python waits for ever for a thread that finds none as it begins."""
    n_before, n_alive, run_batch = threading.active_count(), [], backends.run_batch

    def counted(*arguments):
        n_alive.append(threading.active_count() - n_before)
        return run_batch(*arguments)

    monkeypatch.setattr(backends, "run_batch", counted)
    assert len(records_of(points, backend="threading", n_jobs=3, batch_size=1)) == 7
    assert n_alive == [3] * 7
    n_alive.clear()
    monkeypatch.setattr(backends, "n_threads_with_memory", lambda n: 1)
    assert len(records_of(points, backend="threading", n_jobs=3, batch_size=1)) == 7
    assert n_alive == [0] * 7


@pytest.mark.parametrize("backend", ["loky", "threading", "sequential"])
def test_points_are_made_no_earlier_than_workers_need_them(configure, monkeypatch, backend):
    """While the caller is slow, at most two tasks per worker are made beyond those it has taken."""
    points, n_made = Grid(configure().to_mapping(), [value_axis("seed", range(30))]).points, 0

    def counted(positions, made=points._factory.made):
        nonlocal n_made
        for point in made(positions):
            n_made += 1
            yield point

    monkeypatch.setattr(points._factory, "made", counted)
    run = default_run_settings(backend=backend, n_jobs=2, batch_size=1, engine="reference")
    for n_taken, _ in enumerate(run_points(points, run)):
        time.sleep(0.02)
        # Of the batches that finish together, all but one are still to be taken.
        assert n_made <= n_taken + 2 * 2 + 1
    assert n_taken + 1 == n_made - 1 == 30, "one was made to estimate its time"


def test_a_failing_point_becomes_a_record(points, fail_for_seed):
    """A point that raises is recorded with its reason; the others are done."""
    fail_for_seed(3, FloatingPointError("overflow in v"))
    came = list(run_points(points, default_run_settings(backend="sequential", batch_size=2)))
    failures = {key: f for batch in came for key, f in batch.failures.items()}
    assert sum(len(batch.keys) for batch in came) == 6
    assert [dict(points.items())[key].seed for key in failures] == [3]
    (failure,) = failures.values()
    assert failure.reason == "FloatingPointError: overflow in v"
    assert "fail_or_run" in failure.traceback


def test_results_have_the_requested_number_type(configure):
    """Weights have the type record.dtype, statistics full precision."""
    single, double = (
        next(iter(records_of(Grid(base.to_mapping()).points, backend="sequential").values()))
        for base in (configure("record.dtype=float32"), configure("record.dtype=float64"))
    )
    assert single["weight"].dtype == np.float32
    assert double["weight"].dtype == np.float64
    assert single["mean_weight"] == double["mean_weight"]


def test_no_points_give_no_batches(points):
    """An empty request yields nothing."""
    assert records_of(points[:0]) == {}


def test_a_batch_that_does_not_fit_in_memory_is_a_failure(points, monkeypatch):
    """All points of the batch fail with that reason, and the sweep continues."""

    def fail(results, record):
        raise MemoryError("too much")

    monkeypatch.setattr(worker, "stacked", fail)
    (batch,) = run_points(points, default_run_settings(backend="sequential", batch_size=7))
    assert batch.keys == []
    assert {failure.reason for failure in batch.failures.values()} == {"MemoryError: too much"}
    assert batch.failures.keys() == dict(points.items()).keys()


@pytest.mark.parametrize("engine", ["compiled", "reference"])
@pytest.mark.parametrize(("duration", "n_synapses"), [(120_000, 300), (240_000, 300), (1000, 9)])
def test_the_estimate_counts_all_draws_of_input_notebook(configure, engine, duration, n_synapses):
    """`input=notebook` costs 7 ns for each step and synapse, spike or not."""
    size = f"simulation.duration={duration}", f"input.n_synapses={n_synapses}"
    poisson, notebook = (
        longest_seconds([configure(*size, f"input={process}")], engine)
        for process in ("poisson", "notebook")
    )
    assert notebook - poisson == pytest.approx(7e-9 * duration * n_synapses, rel=0.05)


def test_workers_are_only_started_where_they_are_faster(points):
    """One worker where points are shorter than the time that holds the interpreter lock."""
    long = longest_seconds(points, "compiled")
    assert BACKENDS["threading"].n_workers(7, long, 2) == 2
    assert BACKENDS["threading"].n_workers(1, long, 2) == 1
    assert BACKENDS["threading"].n_workers(7, 1e-6, 2) == 1
    assert BACKENDS["loky"].n_workers(7, 1e-6, 2) == 2
    assert BACKENDS["sequential"].n_workers(7, long, 2) == 1


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_a_point_that_takes_too_long_has_failed(configure, backend, engine):
    """run.timeout ends a point during its run, on every engine and backend."""
    axis = value_axis("simulation.duration", [500, 1e8])
    grid = Grid(configure().to_mapping(), [axis])
    run = default_run_settings(backend=backend, engine=engine, timeout=0.5, n_jobs=2, batch_size=1)
    started = time.monotonic()
    came = list(run_points(grid.points, run))
    assert time.monotonic() - started < 10
    assert [key for batch in came for key in batch.keys] == [grid.keys[0]]
    (failure,) = [failure for batch in came for failure in batch.failures.values()]
    assert failure.reason == "TimeoutError: took longer than run.timeout=0.5 s"


def fail_at_seed_3(parent, task, *how):
    """Replace `_run_apart`: the batch of seed 3 fails in its process."""
    failures = {key: worker.Failure("no") for key, point, _ in task if point.seed == 3}
    return worker.Batch([], {}, failures) if failures else worker.run_batch(task, *how)


def test_the_first_failure_can_end_processes_too(points, monkeypatch):
    """With run.fail_fast no further batch is started."""
    monkeypatch.setattr(backends, "_run_apart", fail_at_seed_3)
    run = default_run_settings(backend="loky", batch_size=1, fail_fast=True, n_jobs=2)
    came = list(run_points(points, run))
    assert sum(len(batch.failures) for batch in came) == 1
    assert sum(len(batch.keys) for batch in came) < 6


def test_what_finished_before_a_stop_is_yielded():
    """Of four tasks under way, those that had finished; the others, and further ones, are not."""
    stop, submitted = Stop(), {}

    def submit(task):
        submitted[task] = Future()
        return submitted[task]

    batches = backends._as_they_finish(submit, iter("abcdef"), 2, stop)
    threading.Timer(0.05, lambda: submitted["b"].set_result("B")).start()
    task, batch = next(batches)
    assert (task, batch.result()) == ("b", "B")
    stop.requested = True
    submitted["a"].set_result("A")
    submitted["d"].set_exception(ValueError("no"))
    assert [task for task, _ in batches] == ["a", "d"]
    assert list(submitted) == list("abcd")


@pytest.mark.parametrize(("backend", "least"), [("sequential", 3), ("threading", 1)])
def test_the_first_failure_can_end_the_sweep(points, fail_for_seed, backend, least):
    """With run.fail_fast finished points are yielded, and the others are in no batch."""
    fail_for_seed(3, FloatingPointError("overflow in v"))
    run = default_run_settings(backend=backend, batch_size=2, fail_fast=True, n_jobs=2)
    came = list(run_points(points, run))
    assert sum(len(batch.failures) for batch in came) == 1
    assert least <= sum(len(batch.keys) for batch in came) < 6


def test_a_run_that_ends_with_nan_or_infinity_has_failed(points, monkeypatch):
    """A potential of NaN and an infinite weight are failures."""

    def unstable(configuration, *arguments):
        recording = reference.run(configuration, *arguments)
        if configuration.seed == 1:
            recording.v = math.nan
        if configuration.seed == 2:
            recording.weight[0] = math.inf
        return recording

    monkeypatch.setattr(worker, "engine_named", lambda name: unstable)
    (batch,) = run_points(points, default_run_settings(backend="sequential", batch_size=7))
    assert len(batch.keys) == 5
    assert [failure.reason for failure in batch.failures.values()] == [
        "FloatingPointError: v is nan at the end; try a smaller simulation.dt",
        "FloatingPointError: the mean weight is inf at the end; try a smaller simulation.dt",
    ]


def test_results_do_not_depend_on_the_stretch_length(configure, monkeypatch):
    """The results of a compiled run do not depend on the length of its stretches."""
    point = configure("record=history", "record.weight_interval=10", "seed=4")
    whole = compiled.run(point)
    for seconds in (1e-9, 1e-7, 5e-7):
        calls = []
        monkeypatch.setattr(compiled, "_SECONDS_PER_STRETCH", seconds)
        parts = compiled.run(point, None, lambda calls=calls: calls.append(1))
        assert len(calls) > 5
        for name in ("weight", "spike_step", "weight_history", "v"):
            np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


def kill_worker_at_seed_3(parent, task, *how):
    """Replace `_run_apart`: the process that runs seed 3 is killed."""
    if any(point.seed == 3 for _, point, _ in task):
        os.kill(os.getpid(), signal.SIGKILL)
    return worker.run_batch(task, *how)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_point_that_kills_its_worker_is_found(points, monkeypatch, batch_size):
    """All other points are done, also of its batch; the one that kills its worker has failed."""
    monkeypatch.setattr(backends, "_run_apart", kill_worker_at_seed_3)
    run = default_run_settings(backend="loky", n_jobs=2, batch_size=batch_size)
    came = list(run_points(points, run))
    seeds = {key: point.seed for key, point in points.items()}
    assert sorted(seeds[key] for batch in came for key in batch.keys) == [0, 1, 2, 4, 5, 6]
    failures = {seeds[k]: f for batch in came for k, f in batch.failures.items()}
    assert failures == {3: KILLED}
    assert "was killed (out of memory?)" in failures[3].reason
    # The next run has only the point that kills its worker, for any number of workers.
    (key,) = (key for batch in came for key in batch.failures)
    for n_jobs in (1, 2):
        run = default_run_settings(backend="loky", n_jobs=n_jobs)
        (batch,) = run_points(points[3:4], run)
        assert batch.failures == {key: KILLED}


def test_a_worker_that_is_killed_once_loses_no_point(configure):
    """A worker that is killed once from outside costs no point."""
    base = configure("simulation.duration=20000")
    grid = Grid(base.to_mapping(), [value_axis("seed", range(8))])
    run = default_run_settings(backend="loky", n_jobs=2, batch_size=1, engine="reference")
    came = []
    for batch in run_points(grid.points, run):
        came.append(batch)
        if len(came) == 2:
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
    assert not any(batch.failures for batch in came)
    assert sorted(key for batch in came for key in batch.keys) == sorted(grid.keys)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="masks are in /proc")
def test_worker_processes_never_handle_ctrl_c(run_python):
    """Also the first ones of a process: SIGINT is blocked in them when they start."""
    code = (
        "from pipeline.execution import backends\n"
        "if __name__ == '__main__':\n"
        "    for worker in backends._executor_of(2)._processes:\n"
        "        lines = open(f'/proc/{worker}/status').readlines()\n"
        "        print(*[line.split()[1] for line in lines if line.startswith('SigBlk')])"
    )
    masks = [int(mask, 16) for mask in run_python(code).split()]
    assert len(masks) == 2
    assert all(mask >> (signal.SIGINT - 1) & 1 for mask in masks)


def test_tasks_that_nothing_will_finish_are_not_waited_for():
    """Where no memory is left the thread that manages worker processes may end: no hang."""
    finishing = backends._as_they_finish(lambda task: Future(), [[("a", None)]], 1, None, bool)
    with pytest.raises(MemoryError, match="the thread that manages the processes has ended"):
        next(finishing)
