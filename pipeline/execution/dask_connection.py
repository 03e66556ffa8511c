"""Connections to Dask clusters: one that exists, or processes of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pipeline.model.errors import RequestError
from pipeline.model.quantity import written
from pipeline.system.locks import shared_lock
from pipeline.system.signals import interrupts_deferred

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

#: Longest time in which a scheduler must answer [s].
_SECONDS_TO_CONNECT = 8

#: How often workers are started that do not: one may be killed as it starts.
_STARTS = 3

#: While a sweep runs: processes that do not import the caller's main module, which may be a script
#: that would start a sweep again; no variables in the environment of this process; no warning of
#: large tasks, whose size `pool` limits.
_CONFIGURATION = {
    "distributed.worker.multiprocessing-method": "loky",
    "distributed.nanny.pre-spawn-environ": {},
    "distributed.admin.large-graph-warning-threshold": "1 TB",
    "distributed.comm.timeouts.connect": f"{_SECONDS_TO_CONNECT}s",
}


@contextlib.contextmanager
def connected(scheduler: str) -> Iterator[Client]:
    """Yield a connection to a scheduler.

    Raises
    ------
    RequestError
        If it does not answer.
    """
    from distributed import Client

    with _quiet():
        try:
            with ThreadPoolExecutor(1) as thread:  # this one may have a loop of its own
                thread.submit(lambda: asyncio.run(_greet(scheduler))).result()
            client = Client(scheduler, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise RequestError(
                f"{written('run.scheduler', scheduler)}: no Dask scheduler answered within "
                f"{_SECONDS_TO_CONNECT} s"
            ) from error
        try:
            yield client
        finally:
            client.close(timeout=1)


async def _greet(scheduler: str) -> None:
    """Exchange greetings with a scheduler, for which a client would wait without end.

    Raises
    ------
    OSError
        If it does not answer.
    """
    from distributed import Security
    from distributed.comm.core import connect

    arguments = Security().get_connection_args("client")
    greeting = connect(scheduler, timeout=_SECONDS_TO_CONNECT, **arguments)
    (await asyncio.wait_for(greeting, _SECONDS_TO_CONNECT)).abort()


@contextlib.contextmanager
def own_cluster(n_workers: int) -> Iterator[Client]:
    """Yield a connection to a cluster of worker processes of this machine, which ends with it."""
    from multiprocessing import resource_tracker

    from distributed import Client
    from joblib.externals.loky.backend import resource_tracker as loky_tracker

    with _quiet(), tempfile.TemporaryDirectory(prefix="stdp-dask-") as scratch:
        # Started here: within the block below they would unblock the signals that it blocks.
        resource_tracker.ensure_running()
        loky_tracker.ensure_running()
        with interrupts_deferred():  # inherited by all workers: this process alone handles Ctrl-C
            cluster = _started(n_workers, scratch)
        with cluster, Client(cluster, set_as_default=False) as client:
            yield client


def _started(n_workers: int, scratch: str) -> LocalCluster:
    """Return a new cluster of worker processes, with files in a folder.

    Raises
    ------
    OSError, RuntimeError, AssertionError
        If they cannot be started.
    """
    from distributed import LocalCluster

    settings: dict[str, Any] = {
        "threads_per_worker": 1,
        "processes": True,
        "host": "127.0.0.1",
        "dashboard_address": None,
        # Of the server that it starts nevertheless: any free port.
        "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"},
        "memory_limit": 0,
        "local_directory": scratch,
        "silence_logs": logging.CRITICAL,
    }
    for _ in range(_STARTS - 1):
        with contextlib.suppress(RuntimeError):
            return LocalCluster(n_workers=n_workers, **settings)
    return LocalCluster(n_workers=n_workers, **settings)


_QUIET = shared_lock()
_n_quiet = [0]
_loud = contextlib.ExitStack()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Configure Dask and silence its log during the block, once for all threads."""
    import dask
    import distributed  # noqa: F401 - its loggers and its configuration

    with _QUIET:
        if not _n_quiet[0]:
            _loud.enter_context(dask.config.set(_CONFIGURATION))
            for name, logger in [*logging.root.manager.loggerDict.items()]:
                if name.partition(".")[0] == "distributed" and isinstance(logger, logging.Logger):
                    _loud.callback(logger.setLevel, logger.level)
                    logger.setLevel(logging.CRITICAL + 1)
        _n_quiet[0] += 1
    try:
        yield
    finally:
        with _QUIET:
            _n_quiet[0] -= 1
            if not _n_quiet[0]:
                _loud.close()
