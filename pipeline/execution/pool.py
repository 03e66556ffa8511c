"""Distribute batches of points to workers; yield results in the order in which they finish."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from pipeline.engine.cost import longest_seconds
from pipeline.execution.backends import BACKENDS, SECONDS_IN_PYTHON
from pipeline.execution.batch import Batch, Tasks
from pipeline.execution.cancel import Stop
from pipeline.model.parameters import Configuration
from pipeline.request.run_settings import RunSettings

#: Intended time of a batch [s]: long compared to its dispatch, short enough to show progress.
_SECONDS_PER_BATCH = 1.0


def run_points(points: Mapping[str, Configuration], settings: RunSettings) -> Iterator[Batch]:
    """Run points on the configured backend and yield their results in batches, in any order.

    A point that raises, exceeds the timeout or kills its worker becomes a `Failure` and stops no
    other. With `run.fail_fast` the points that remain are in no batch.

    Parameters
    ----------
    points : mapping of str to Configuration
        The points by content key.
    settings : RunSettings
        Engine, backend, number of workers, size of a batch, timeout.

    Raises
    ------
    KeyboardInterrupt
        After an interruption, once all batches that had finished in this process were yielded.
    """
    backend = BACKENDS[settings.backend]
    longest = longest_seconds(points.values(), settings.engine)
    n_workers = backend.n_workers(len(points), longest, settings.n_jobs)
    size = settings.batch_size or _batch_size(len(points), longest, n_workers)
    n_workers = min(n_workers, math.ceil(len(points) / size))
    stop = Stop(backend.cooperative)
    tasks = Tasks(points, size, stop)
    with stop.on_interrupts():
        try:
            for batch in backend.run(tasks, n_workers, settings, stop) if points else ():
                stop.requested |= settings.fail_fast and bool(batch.failures)
                stop.deferred = True
                yield batch
                stop.deferred = False
                if stop.interrupted and not backend.cooperative:
                    break
        finally:
            stop.requested = True  # also where the caller closes this generator
    if stop.interrupted:
        raise KeyboardInterrupt


def _batch_size(n_points: int, longest: float, n_workers: int) -> int:
    """Return the points of about a second; at least four batches per worker balance the load."""
    fair_share = math.ceil(n_points / (4 * n_workers))
    return max(1, min(fair_share, int(_SECONDS_PER_BATCH / (longest + SECONDS_IN_PYTHON))))
