"""Dask schedulers and workers in processes of their own, and what kills them: for tests."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

#: Starts a cluster as a user would in a script, prints its address and waits.
_LOCAL_CLUSTER = """
import sys
from dask.distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, protocol="tcp", memory_limit=0,
        dashboard_address=None, scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    )
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@contextlib.contextmanager
def started(folder: Path, *words: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python program in a folder; it and all that it started is killed after the block.

    What it prints is in the file `process.out`.
    """
    out = folder / f"{time.monotonic_ns()}.out"
    with out.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=folder,
            env=_environment() | environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process.out = out
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.stdin.close()
        process.wait()


def wait_until(true, seconds: float = 60) -> None:
    """Wait until a function returns what is true.

    Raises
    ------
    TimeoutError
        If it does not in time.
    """
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.05)


@contextlib.contextmanager
def local_cluster(folder: Path) -> Iterator[str]:
    """Yield the address of a `LocalCluster` of two processes, with the setting that it needs."""
    script = folder / "cluster.py"
    script.write_text(_LOCAL_CLUSTER)
    setting = {"DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1d"}
    with started(folder, str(script), **setting) as process:
        wait_until(lambda: process.out.read_text().startswith("tcp://"))
        yield process.out.read_text().split()[0]


@contextlib.contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Yield the address of `dask scheduler`, and its process."""
    file = folder / "scheduler.json"
    words = ["-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    with started(folder, *words, "--scheduler-file", str(file)) as process:
        wait_until(lambda: file.exists() and file.read_text().strip().endswith("}"))
        yield json.loads(file.read_text())["address"], process


@contextlib.contextmanager
def workers(
    folder: Path, address: str, *words: str, preload: str = "", **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `dask worker` for a scheduler, by default one process of one thread with a nanny.

    Parameters
    ----------
    folder : Path
        Where it runs.
    address : str
        Address of the scheduler.
    *words : str
        Further options.
    preload : str
        Source that each worker executes as it starts.
    **environment : str
        Environment variables.
    """
    command = ["-m", "dask", "worker", address, "--host", "127.0.0.1", "--no-dashboard"]
    command += ["--memory-limit", "0", *(() if "--nthreads" in words else ("--nthreads", "1"))]
    if preload:
        (folder / "preloaded.py").write_text(preload)
        command += ["--preload", str(folder / "preloaded.py")]
    with started(folder, *command, *words, **environment) as process:
        yield process


@contextlib.contextmanager
def killer(address: str, seconds: float) -> Iterator[list[int]]:
    """Kill a worker process at intervals during the block; yield the numbers of those killed.

    Of two workers it is the one that has been there for longer, some seconds after the other came:
    on a busy machine a process takes seconds to start.
    """
    from distributed import Client

    ended, killed = threading.Event(), []

    def kill() -> None:
        pids: dict[str, int] = {}
        with Client(address, set_as_default=False) as client:
            while not ended.wait(seconds):
                there = client.nthreads()
                pids = {worker: pid for worker, pid in pids.items() if worker in there}
                for worker in there.keys() - pids.keys():
                    with contextlib.suppress(OSError):
                        pids |= client.run(os.getpid, workers=[worker])
                if len(pids) > 1:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(killed_now := next(iter(pids.values())), signal.SIGKILL)
                        killed.append(killed_now)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()
