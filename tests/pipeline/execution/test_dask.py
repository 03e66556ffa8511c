"""`run.backend=dask`: the results of threads, whatever happens to workers and schedulers."""

import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest

from pipeline.composition.compose import default_run_settings
from pipeline.execution import dask_worker
from pipeline.execution.batch import KILLED
from pipeline.execution.dask_worker import run_task
from pipeline.execution.pool import run_points
from pipeline.model.errors import RequestError
from pipeline.model.event_sources import EventFile
from pipeline.model.variables import ABOUT_RUNS
from pipeline.request.axis import value_axis
from pipeline.request.grid import Grid

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
psutil = pytest.importorskip("psutil", reason="the extra dask is not installed")

pytestmark = [
    pytest.mark.long,  # each cluster takes seconds to start
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets of processes that are killed
]

from pipeline.execution import dask_cluster  # noqa: E402 - imports the package

ON_DASK = default_run_settings(backend="dask", n_jobs=2)


def seeds(configure, n, *overrides):
    """Return points of n seeds."""
    return Grid(configure(*overrides).to_mapping(), [value_axis("seed", range(n))]).points


def records(batches):
    """Return all records by key, without what is about the runs."""
    found = {}
    for batch in batches:
        assert not batch.failures
        for i, key in enumerate(batch.keys):
            assert key not in found
            found[key] = {
                n: c[i].tobytes() for n, c in batch.columns.items() if n not in ABOUT_RUNS
            }
    return found


@pytest.fixture
def cluster():
    """Workers of a scheduler that exists: two processes."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        memory_limit=0,
        silence_logs=50,
    ) as made:
        yield made


def on(cluster, **settings):
    """Return settings for the scheduler of a cluster."""
    return default_run_settings(backend="dask", scheduler=cluster.scheduler_address, **settings)


def test_results_are_those_of_threads_bit_for_bit(configure, cluster):
    """On processes of its own and on those of a scheduler, in batches of any size."""
    points = seeds(configure, 7, "record=history", "record.weight_interval=100")
    expected = records(run_points(points, default_run_settings(backend="sequential", batch_size=1)))
    for settings in (
        default_run_settings(backend="dask", n_jobs=2, batch_size=1),
        on(cluster, batch_size=1),
    ):
        assert records(run_points(points, settings)) == expected


def kill_at_seed_3(key, expected, payload):
    """Replace `run_task`: the worker that runs seed 3 is killed."""
    if any(job.point.seed == 3 for job in pickle.loads(payload)[0]):
        os.kill(os.getpid(), signal.SIGKILL)
    return run_task(key, expected, payload)


def test_a_point_that_kills_its_workers_is_found(configure, monkeypatch):
    """All other points are done, also of its batch; that one has failed."""
    monkeypatch.setattr(dask_cluster, "run_task", kill_at_seed_3)
    points = seeds(configure, 9)
    came = list(run_points(points, default_run_settings(backend="dask", n_jobs=2, batch_size=9)))
    of_key = {key: point.seed for key, point in points.items()}
    assert sorted(of_key[k] for batch in came for k in batch.keys) == [0, 1, 2, 4, 5, 6, 7, 8]
    assert {of_key[k]: f for batch in came for k, f in batch.failures.items()} == {3: KILLED}


def is_worker(process):
    """Return whether a child process is a Dask worker that is alive."""
    try:
        return "distributed.cli.dask_worker" in process.cmdline()
    except psutil.Error:  # it has ended
        return False


def test_a_sweep_survives_workers_that_are_killed(configure, caplog):
    """Of 2,000 points every tenth batch ends with a worker killed: the results of threads.

    The workers are two processes that are connected by TCP.
    """
    points = seeds(configure, 2000, "simulation.duration=20000")
    killed, found = [], {}
    on_two = default_run_settings(backend="dask", n_jobs=2, batch_size=20)
    for n, batch in enumerate(run_points(points, on_two)):
        found |= records([batch])
        if n % 10 == 4:
            workers = [p for p in psutil.Process().children() if is_worker(p)]
            killed += [worker.pid for worker in workers[:1]]
            for worker in workers[:1]:
                worker.kill()
    assert len(set(killed)) >= 8
    assert not caplog.text  # else it might have continued with threads
    assert found == records(run_points(points, default_run_settings()))


def test_workers_with_another_version_are_refused(cluster, monkeypatch):
    """By the name of the worker and of what differs."""
    with distributed.Client(cluster, set_as_default=False) as client:
        (worker, *_) = client.nthreads()
    monkeypatch.setattr(np, "__version__", "0.1")
    dask_worker.code.cache_clear()
    with pytest.raises(
        RequestError, match=r"its worker tcp://\S+ has numpy [\d.]+, and this.*0\.1"
    ):
        dask_cluster.refuse_unusable(on(cluster))
    monkeypatch.undo()
    dask_worker.code.cache_clear()
    dask_cluster.refuse_unusable(on(cluster))


def test_a_scheduler_that_does_not_answer_is_refused_within_ten_seconds(unanswering):
    """One line, also where something listens that says nothing."""
    settings = default_run_settings(backend="dask", scheduler=unanswering)
    started = time.monotonic()
    with pytest.raises(
        RequestError, match=r"^run\.scheduler=tcp://\S+: no Dask scheduler answered"
    ):
        dask_cluster.refuse_unusable(settings)
    assert time.monotonic() - started < 10


@pytest.fixture
def unanswering():
    """Address of a socket that accepts connections and says nothing."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_a_lost_scheduler_interrupts_the_sweep(configure, cluster, caplog):
    """What had finished was yielded before."""
    points = seeds(configure, 200, "simulation.duration=200000")
    came = []
    with pytest.raises(KeyboardInterrupt):
        for batch in run_points(points, on(cluster, batch_size=1)):
            if not came:
                threading.Thread(target=cluster.close).start()
            came.append(batch)
    assert 0 < len(came) < 200
    assert "the connection to the scheduler was lost" in caplog.text


def test_a_stopped_sweep_leaves_no_task_on_the_cluster(configure, cluster):
    """A point of hours ends with it."""
    axis = [value_axis("simulation.duration", [100, 1e9, 1.1e9])]
    points = Grid(configure().to_mapping(), axis).points
    next(batches := run_points(points, on(cluster, batch_size=1)))
    batches.close()

    def executing(dask_worker):
        return len(dask_worker.state.executing)

    with distributed.Client(cluster, set_as_default=False) as client:
        for _ in range(100):
            if not any(client.run(executing).values()):
                return
            time.sleep(0.1)
    pytest.fail("tasks are still running")


def on_another_machine(key, expected, payload):
    """Replace `run_task`: of all files with events this process can read those it received."""
    EventFile.is_here = lambda self: f"-{os.getpid()}-" in self.path.name
    return run_task(key, expected, payload)


def test_events_reach_workers_that_cannot_read_their_file(configure, monkeypatch, tmp_path):
    """They are sent; results are those of threads."""
    times = np.sort(np.random.default_rng(1).uniform(0, 499, 5000))
    np.savez(tmp_path / "events.npz", times=times, synapses=np.arange(5000) % 40)
    file = f"input.file={tmp_path / 'events.npz'}"
    points = seeds(configure, 4, "input=file", "input.rate_hz=null", file)
    expected = records(run_points(points, default_run_settings(backend="sequential")))
    monkeypatch.setattr(dask_cluster, "run_task", on_another_machine)
    monkeypatch.setattr(dask_cluster, "_BYTES_PER_BLOCK", 1000)  # in several parts
    assert records(run_points(points, ON_DASK)) == expected


def test_a_point_that_takes_too_long_has_failed(configure):
    """run.timeout holds in workers, and run.fail_fast ends the sweep."""
    axis = [value_axis("simulation.duration", [500, 1e9])]
    points = Grid(configure().to_mapping(), axis).points
    settings = default_run_settings(
        backend="dask", timeout=0.5, n_jobs=2, batch_size=1, fail_fast=True
    )
    failures = [f for batch in run_points(points, settings) for f in batch.failures.values()]
    assert [f.reason for f in failures] == ["TimeoutError: took longer than run.timeout=0.5 s"]
