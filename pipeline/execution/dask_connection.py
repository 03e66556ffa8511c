"""Connections to Dask clusters: one that exists, or processes of this machine."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pipeline.execution.dask_processes import OwnWorkers
from pipeline.execution.dask_worker import code, code_or_reason
from pipeline.model.errors import RequestError
from pipeline.model.quantity import written
from pipeline.system.locks import shared_lock

if TYPE_CHECKING:
    from distributed import Client

#: Longest time in which a scheduler must answer [s].
_SECONDS_TO_CONNECT = 5

#: Number of workers that may end before the first is there: some may be killed as they start.
_ENDED_AT_START = 4

_SECONDS_BETWEEN_LOOKS = 0.02

#: Longest time that workers have to import the package, to be compared before the sweep [s].
_SECONDS_TO_IMPORT = 60

#: While a sweep runs: no warning of large tasks, whose size `pool` limits.
_CONFIGURATION = {
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
            # In another thread: this one may have a loop of its own.
            with concurrent.futures.ThreadPoolExecutor(1) as thread:
                thread.submit(lambda: asyncio.run(_greet(scheduler))).result()
            client = Client(scheduler, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
        except TypeError as error:  # of tls://
            raise RequestError(
                f"{written('run.scheduler', scheduler)}: needs certificates in the configuration "
                "of Dask, distributed.comm.tls"
            ) from error
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
def own_cluster(n_workers: int) -> Iterator[tuple[Client, OwnWorkers]]:
    """Yield a connection to a scheduler in this process, and its worker processes.

    Both end with the block.

    Raises
    ------
    OSError, RuntimeError
        If they cannot be started.
    """
    from distributed import Client, LocalCluster

    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet())
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="stdp-dask-"))
        cluster = LocalCluster(
            n_workers=0,
            host="127.0.0.1",
            dashboard_address=None,
            # Of the server that it starts nevertheless: any free port.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
        )
        stack.enter_context(cluster)
        client = stack.enter_context(Client(cluster, set_as_default=False))
        workers = OwnWorkers(n_workers, cluster.scheduler_address, scratch)
        stack.callback(workers.end)
        _start(client, workers)
        yield client, workers


def _start(client: Client, workers: OwnWorkers) -> None:
    """Start workers, and wait for the first.

    Raises
    ------
    OSError
        If they cannot be started.
    """
    workers.start_missing()
    n_ended = 0
    while not client.nthreads():
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        n_ended += workers.start_missing()
        if n_ended > _ENDED_AT_START:
            raise OSError(workers.last_words())


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


def unlike_workers(client: Client) -> dict[str, str]:
    """Return how the code of workers differs from that of this process, by address.

    Those that do not answer in time are left out.
    """
    answers = {worker: code_of(client, worker) for worker in client.nthreads()}
    concurrent.futures.wait(answers.values(), _SECONDS_TO_IMPORT)
    unlike = {}
    for worker, answer in answers.items():
        if answer.done() and (text := difference(answer.result())):
            unlike[worker] = text
    return unlike


def code_of(client: Client, worker: str) -> concurrent.futures.Future[Any]:
    """Return the future result of `code_or_reason` on a worker, or the error of the connection."""

    async def ask() -> Any:
        try:
            return (await client.run(code_or_reason, workers=[worker], on_error="return"))[worker]
        except (OSError, KeyError) as error:  # the worker has ended
            return OSError(str(error))

    return in_background(client, ask)


def difference(there: dict[str, str] | str | Exception) -> str:
    """Return how the code of a worker differs from that of this process.

    It is empty if it does not, or if the worker has ended.

    Parameters
    ----------
    there : dict of str to str, str or Exception
        What `code_or_reason` returned there, or why it was not called.
    """
    if isinstance(there, OSError):
        return ""
    if isinstance(there, str | Exception):
        return f"cannot import this version of the package ({there})"
    for name, version in code().items():
        if there.get(name) != version:
            return f"has {name} {there.get(name)}, and this process {version}"
    return ""


def in_background(client: Client, question: Callable[[], Any]) -> concurrent.futures.Future[Any]:
    """Return the future answer to a question to the scheduler.

    Parameters
    ----------
    client : Client
        The connection to it.
    question : callable
        Called in the event loop of the client, where its methods return what can be awaited.
    """

    async def answer() -> Any:
        return await question()

    return asyncio.run_coroutine_threadsafe(answer(), client.loop.asyncio_loop)
