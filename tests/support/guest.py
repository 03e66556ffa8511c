"""A program of somebody else that calls the public functions: from threads, in pools, in Hydra."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import joblib
import netCDF4  # noqa: F401 - some versions add filters of warnings when they are imported first
import numpy as np
import xarray as xr  # noqa: F401

with contextlib.suppress(ImportError):
    import dask.array  # noqa: F401 - xarray does where it is installed; it adds such filters, too

import pipeline
from tests.conftest import SMALL

#: Kinds of pools by name, each a function that maps another over arguments in two or more workers.
POOLS = {
    **{
        f"Pool, {method}": lambda work, tasks, method=method: _in_pool(method, work, tasks)
        for method in ("fork", "spawn", "forkserver")
    },
    **{
        f"joblib, {backend}": lambda work, tasks, backend=backend: joblib.Parallel(
            2, backend=backend
        )(joblib.delayed(work)(task) for task in tasks)
        for backend in ("threading", "loky", "multiprocessing")
    },
    "ProcessPoolExecutor": lambda work, tasks: _in_executor(ProcessPoolExecutor(2), work, tasks),
    "ThreadPoolExecutor": lambda work, tasks: _in_executor(ThreadPoolExecutor(8), work, tasks),
}


def _in_pool(method, work, tasks):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map_async(work, tasks).get(timeout=60)


def _in_executor(pool, work, tasks):
    with pool:
        return [future.result(timeout=60) for future in [pool.submit(work, t) for t in tasks]]


def call_everything(task):
    """Call all public functions with the seed and the backend of a task; return some numbers."""
    seed, backend = task
    configuration = pipeline.configure(*SMALL, f"seed={seed}")
    alone = pipeline.simulate(configuration)
    axes = {"input": ["poisson", "notebook"], "seed": [seed, seed + 1]}
    settings = {"backend": backend, "n_jobs": 2, "batch_size": 1}
    with tempfile.TemporaryDirectory() as folder:
        swept = pipeline.sweep(configuration, axes, folder, **settings)
        plan = pipeline.plan(configuration, axes, folder)
    assert plan.asked.done == 4
    return float(alone["weight"].sum()), *swept["mean_weight"].values.ravel().tolist()


def state():
    """Return what belongs to the whole process, and that no function may leave changed."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.version import VersionBase

    return {
        "folder": Path.cwd(),
        "environment": dict(os.environ),
        "signals": [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)],
        "blocked": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "logging": [
            (logger.level, logger.handlers[:], logger.disabled)
            for logger in (logging.root, *map(logging.getLogger, ("pipeline", "pipeline.engine")))
        ],
        "warnings": warnings.filters[:],
        "random": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),
        "floating-point errors": np.geterr(),
        "arguments": sys.argv[:],
        "streams": (sys.stdout, sys.stderr),
        "hydra": (GlobalHydra.instance().hydra, VersionBase.instance().getbase()),
    }
