"""Sweeps by command on Dask clusters that exist: killed workers, late ones, lost schedulers."""

import contextlib
import os
import re
import signal
import time

import numpy as np
import pytest
import xarray as xr

from tests.conftest import SMALL, numbers_of
from tests.support.dask_servers import (
    killer,
    local_cluster,
    scheduler,
    started,
    wait_until,
    workers,
)

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
psutil = pytest.importorskip("psutil", reason="the extra dask is not installed")

pytestmark = [
    pytest.mark.long,
    pytest.mark.cluster,  # schedulers and workers take seconds to start
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets of processes that are killed
]

#: 2,000 points of some 10 ms.
MANY = ("seed=range(2000)", "simulation.duration=150000")


@contextlib.contextmanager
def dask_workers(folder):
    """Yield the address of a scheduler with two workers, each with a nanny."""
    with (
        scheduler(folder) as (address, _),
        workers(folder, address, "--nworkers", "2", "--nanny"),
        distributed.Client(address, set_as_default=False) as client,
    ):
        client.wait_for_workers(2, timeout=60)
        yield address


@contextlib.contextmanager
def worker_asked(folder, **how):
    """Yield the address of a scheduler, and that of its one worker."""
    with (
        scheduler(folder) as (address, _),
        workers(folder, address, **how),
        distributed.Client(address, set_as_default=False) as client,
    ):
        client.wait_for_workers(1, timeout=60)
        (worker,) = client.nthreads()
        yield address, worker


def sweep(folder, *words, name="swept"):
    """Start the command in a folder."""
    return started(folder, "-m", "pipeline", "-m", *words, f"name={name}")


def on(address):
    """Return the overrides that choose a scheduler."""
    return "run.backend=dask", f"run.scheduler={address}"


@contextlib.contextmanager
def sweep_on_workers(folder, *words, options=(), **how):
    """Start a scheduler, workers and a sweep there; yield the processes of sweep and scheduler."""
    with (
        scheduler(folder) as (address, server),
        workers(folder, address, *options, **how),
        sweep(folder, *words, *on(address)) as process,
    ):
        yield process, server


def results(folder, name="swept"):
    """Return the dataset of a sweep."""
    with xr.open_dataset(folder / "outputs" / name / "results.nc") as dataset:
        return dataset.load()


def n_batches(folder):
    """Return the number of batches that a sweep has finished."""
    return len(list((folder / "outputs" / "swept" / "points").glob("*.npz")))


@pytest.fixture(scope="module")
def of_threads(tmp_path_factory):
    """Results of 2,000 points on threads."""
    folder = tmp_path_factory.mktemp("threads")
    with sweep(folder, *MANY) as process:
        assert process.wait(600) == 0, process.out.read_text()
    return results(folder)


@pytest.mark.parametrize("cluster", [local_cluster, dask_workers])
def test_a_sweep_survives_workers_killed_every_few_seconds(tmp_path, cluster, of_threads):
    """2,000 points on two processes over TCP: all done, exit code 0, the results of threads."""
    with cluster(tmp_path) as address, killer(address, 2.0) as killed:
        begun = time.monotonic()
        with sweep(tmp_path, *MANY, *on(address)) as process:
            assert process.wait(900) == 0, process.out.read_text()
    took = time.monotonic() - begun
    assert len(killed) >= 3
    assert took / len(killed) < 15
    found = results(tmp_path)
    assert (found["status"] == 0).sum() == 2000
    xr.testing.assert_identical(numbers_of(found), numbers_of(of_threads))
    print(f"{cluster.__name__}: {len(killed)} workers killed in {took:.0f} s")


#: Points of some 50 ms, one at a time: long enough to be interrupted.
SLOW = ("seed=range(300)", "simulation.duration=1000000", "run.batch_size=1")


def assert_interrupted(process, folder, n_points):
    """Check that a sweep kept what it had finished, and printed the command that resumes it."""
    assert process.wait(60) == 130, process.out.read_text()
    said = process.out.read_text()
    assert "Traceback" not in said
    done = int((results(folder)["status"] == 0).sum())
    assert 0 < done < n_points
    assert f"Interrupted: {done} of {n_points} points are finished and saved. Resume with:" in said
    resuming = said.splitlines()[-1]
    assert resuming.startswith("python -m pipeline -m 'seed=range(")
    assert resuming.endswith(" name=swept")


def n_processing(client):
    """Return the number of tasks that the workers of a cluster have."""
    return sum(map(len, client.processing().values()))


def test_workers_may_come_late(tmp_path):
    """Without any the sweep says so, and goes on when one comes."""
    few = (*SMALL, "seed=range(8)")
    with scheduler(tmp_path) as (address, _), sweep(tmp_path, *few, *on(address)) as process:
        waiting = f"WARNING: run.scheduler={address}: waiting for workers; it has none\n"
        wait_until(lambda: waiting in process.out.read_text())
        with workers(tmp_path, address):
            assert process.wait(60) == 0, process.out.read_text()
    assert process.out.read_text().count("waiting for workers") == 1
    assert (results(tmp_path)["status"] == 0).all()


def test_all_workers_may_leave_and_others_come(tmp_path):
    """Points that were running when all left are done by those that come."""
    few = ("seed=range(30)", *SLOW[1:])
    with scheduler(tmp_path) as (address, _), sweep(tmp_path, *few, *on(address)) as process:
        with workers(tmp_path, address, "--nworkers", "2"):
            wait_until(lambda: n_batches(tmp_path) >= 3)
        with workers(tmp_path, address):
            assert process.wait(120) == 0, process.out.read_text()
    assert (results(tmp_path)["status"] == 0).sum() == 30


def test_a_late_worker_with_another_version_is_not_used(tmp_path):
    """With a warning that names it; one with this version does all points."""
    other = "import pipeline.execution.dask_worker as there\nthere.MODEL_VERSION = 999\n"
    few = (*SMALL, "seed=range(8)")
    with scheduler(tmp_path) as (address, _), sweep(tmp_path, *few, *on(address)) as process:
        wait_until(lambda: "waiting" in process.out.read_text())
        with workers(tmp_path, address, preload=other):
            wait_until(lambda: "it is not used" in process.out.read_text())
            assert process.poll() is None
            with workers(tmp_path, address):
                assert process.wait(60) == 0, process.out.read_text()
    said = process.out.read_text()
    assert said.count("has model version 999, and this process") == 1
    assert (results(tmp_path)["status"] == 0).all()


def test_ctrl_c_leaves_the_workers_of_a_cluster_alive_and_free(tmp_path):
    """Exit code 130, what had finished is kept; points of hours end."""
    hours = ("seed=range(8)", "simulation.duration=100,1e11", "run.batch_size=1")
    with dask_workers(tmp_path) as address:
        with sweep(tmp_path, *hours, *on(address)) as process:
            wait_until(lambda: n_batches(tmp_path) >= 1)
            process.send_signal(signal.SIGINT)
            assert_interrupted(process, tmp_path, 16)
        with distributed.Client(address, set_as_default=False) as client:
            wait_until(lambda: not n_processing(client), 10)
            assert len(client.nthreads()) == 2
            assert client.submit(os.getpid).result(timeout=10)


def test_ctrl_c_ends_the_workers_that_the_sweep_started(tmp_path):
    """Exit code 130, and no process is left."""
    with sweep(tmp_path, *SLOW, "run.backend=dask", "run.n_jobs=2") as process:
        wait_until(lambda: n_batches(tmp_path) >= 3)
        own = psutil.Process(process.pid).children(recursive=True)
        assert sum("distributed.cli.dask_worker" in one.cmdline() for one in own) == 2
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all of its group
        assert_interrupted(process, tmp_path, 300)
        assert not psutil.wait_procs(own, timeout=5)[1]


def test_workers_of_a_sweep_that_is_killed_end(tmp_path):
    """They notice that their scheduler has ended."""
    with sweep(tmp_path, *SLOW, "run.backend=dask", "run.n_jobs=2") as process:
        wait_until(lambda: n_batches(tmp_path) >= 3)
        own = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        assert not psutil.wait_procs(own, timeout=60)[1]


def test_a_scheduler_that_is_killed_interrupts_the_sweep(tmp_path):
    """Exit code 130; what had finished is kept, and the command that resumes is printed."""
    with sweep_on_workers(tmp_path, *SLOW) as (process, server):
        wait_until(lambda: n_batches(tmp_path) >= 3)
        server.kill()
        assert_interrupted(process, tmp_path, 300)
    lost = r"ERROR: run\.scheduler=tcp://\S+: the connection to the scheduler was lost\n"
    assert re.search(lost, process.out.read_text())


#: What a worker with a nanny executes twice.
KILLS_AT_SEED_3 = """
import os, signal
import pipeline.execution.dask_worker as there
from pipeline.execution.batch import run_batch
def run_or_kill(task, *how):
    if any(job.point.seed == 3 for job in task):
        os.kill(os.getpid(), signal.SIGKILL)
    return run_batch(task, *how)
there.run_batch = run_or_kill
"""


def test_a_point_that_kills_each_worker_of_a_cluster_has_failed(tmp_path):
    """Exit code 1; all others of its batch are done."""
    few = (*SMALL, "seed=range(9)", "run.batch_size=9")
    kills = {"options": ["--nanny"], "preload": KILLS_AT_SEED_3}
    with sweep_on_workers(tmp_path, *few, **kills) as (process, _):
        assert process.wait(120) == 1, process.out.read_text()
    found = results(tmp_path)
    assert found["seed"][found["status"] != 0].values.tolist() == [3]
    failures = (tmp_path / "outputs" / "swept" / "failures.csv").read_text()
    assert "WorkerKilled: the process that ran it was killed" in failures


def test_points_that_take_too_long_on_workers_of_several_threads(tmp_path):
    """They have failed, also where all threads run one; the others have the results of threads."""
    few = ("seed=range(6)", "run.timeout=2", "run.batch_size=1", *SMALL[:-1])
    durations = "simulation.duration=400,500,1e10"
    four = ["--nthreads", "4"]
    with sweep_on_workers(tmp_path, *few, durations, options=four) as (process, _):
        assert process.wait(120) == 1, process.out.read_text()
    reasons = (tmp_path / "outputs" / "swept" / "failures.csv").read_text()
    assert reasons.count(",TimeoutError: took longer than run.timeout=2 s,") == 6
    with sweep(tmp_path, *few, durations.rpartition(",")[0], name="threads") as process:
        assert process.wait(60) == 0, process.out.read_text()
    done = results(tmp_path).sel(duration=[400, 500])
    expected = results(tmp_path, "threads")
    for name in ("status", "weight", "spike_count", "mean_weight"):
        np.testing.assert_array_equal(done[name], expected[name])


def test_a_worker_without_the_package_is_refused(tmp_path, refused):
    """By its name, with what it cannot import; nothing is written."""
    package = tmp_path / "other" / "pipeline"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('not here')")
    with worker_asked(tmp_path, PYTHONPATH=str(package.parent)) as (address, worker):
        line = refused(*SMALL, *on(address))
    assert f"its worker {worker} cannot import this version of the package" in line
    assert "not here" in line


def test_a_worker_that_cannot_read_its_sources_is_refused(tmp_path, refused):
    """By its name, with the error of the system; it is no worker that has ended."""
    broken = """
import pipeline.execution.dask_worker as there
def no_code():
    raise PermissionError(13, "Permission denied", "simulate.py")
there.code = no_code
"""
    with worker_asked(tmp_path, preload=broken) as (address, worker):
        line = refused(*SMALL, *on(address))
    assert f"its worker {worker} cannot import this version of the package" in line
    assert "PermissionError: [Errno 13] Permission denied: 'simulate.py'" in line


UNREACHABLE = {
    "tcp://127.0.0.1:1": "no Dask scheduler answered within 5 s",
    "tls://127.0.0.1:1": "needs certificates in the configuration of Dask, distributed.comm.tls",
}


@pytest.mark.parametrize("address", UNREACHABLE)
def test_a_scheduler_that_does_not_answer_is_refused(refused, address):
    """Within ten seconds, in one line, exit code 2, nothing written."""
    begun = time.monotonic()
    line = refused(*SMALL, *on(address))
    assert line == f"error: run.scheduler={address}: {UNREACHABLE[address]}"
    assert time.monotonic() - begun < 10


def test_ctrl_c_ends_a_sweep_whose_scheduler_hangs(tmp_path):
    """Exit code 130; what had finished is kept."""
    with sweep_on_workers(tmp_path, *SLOW) as (process, server):
        wait_until(lambda: n_batches(tmp_path) >= 3)
        server.send_signal(signal.SIGSTOP)
        time.sleep(1)  # a question to the scheduler is under way
        process.send_signal(signal.SIGINT)
        assert_interrupted(process, tmp_path, 300)
