"""Distribute batches of points to workers; yield results in the order in which they finish."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from pipeline.composition.run_settings import RunSettings
from pipeline.engine.cost import longest_seconds
from pipeline.execution.backends import BACKENDS, SECONDS_IN_PYTHON
from pipeline.execution.batch import Batch, Job, Tasks
from pipeline.execution.cancel import Stop
from pipeline.model.parameters import Configuration
from pipeline.model.state import Start
from pipeline.request.points import Points
from pipeline.request.size import largest_bytes

#: Intended time of a batch [s]: long compared to its dispatch, short enough to show progress.
_SECONDS_PER_BATCH = 1.0

#: Largest size of the results of a batch [bytes], unless of one point; memory holds several.
_BYTES_PER_BATCH = 32_000_000

#: Largest number of points whose run times are estimated.
_MOST_UNLIKE = 1000


def run_points(
    points: Points,
    settings: RunSettings,
    start_of: Callable[[str], Start | None] = lambda key: None,
) -> Iterator[Batch]:
    """Run points on the configured backend and yield their results in batches, in any order.

    A point that raises, exceeds the timeout or kills its worker becomes a `Failure` and stops no
    other. With `run.fail_fast` the points that remain are in no batch.

    Parameters
    ----------
    points : Points
        The points, which are made batch by batch.
    settings : RunSettings
        Engine, backend, number of workers, size of a batch, timeout.
    start_of : callable
        Returns where the point of a content key goes on, None if it begins.

    Raises
    ------
    KeyboardInterrupt
        After an interruption, once all batches that had finished were yielded.
    """
    jobs = (
        Job(key, point, start_of(key) if point.can_go_on else None) for key, point in points.items()
    )
    unlike = [point for point, _ in unlike_in_time(points)]
    return run_jobs(jobs, len(points), unlike, settings)


def run_jobs(
    jobs: Iterable[Job], n_jobs: int, unlike: Sequence[Configuration], settings: RunSettings
) -> Iterator[Batch]:
    """Run jobs as `run_points` runs points.

    Parameters
    ----------
    jobs : iterable of Job
        Points to run, each taken when a worker has room for it. Their keys must differ.
    n_jobs : int
        How many there are.
    unlike : sequence of Configuration
        Some of the points, from which run time and memory are estimated.
    settings : RunSettings
        As of `run_points`.

    Raises
    ------
    KeyboardInterrupt
        As of `run_points`.
    """
    backend = BACKENDS[settings.backend]
    longest = longest_seconds(unlike, settings.engine)
    workers = backend.n_existing(settings) or settings.n_jobs
    n_workers = backend.n_workers(n_jobs, longest, workers)
    automatic = _batch_size(n_jobs, longest, largest_bytes(unlike), n_workers)
    size = settings.batch_size or automatic
    n_workers = min(n_workers, math.ceil(n_jobs / size))
    stop = Stop()
    tasks = Tasks(jobs, size, stop)
    with stop.on_interrupts():
        try:
            for batch in backend.run(tasks, n_workers, settings, stop) if n_jobs else ():
                stop.requested |= settings.fail_fast and bool(batch.failures)
                yield batch
        finally:
            stop.requested = True  # also where the caller closes this generator
    if stop.interrupted:
        raise KeyboardInterrupt


def unlike_in_time(points: Points) -> list[tuple[Configuration, float]]:
    """Return points that differ in run time and size, and how many points each stands for."""
    return points.unlike(["input.", "simulation."], _MOST_UNLIKE)


def _batch_size(n_points: int, longest: float, n_bytes: int, n_workers: int) -> int:
    """Return the points of about a second; at least four batches per worker balance the load."""
    fair_share = math.ceil(n_points / (4 * n_workers))
    of_a_second = int(_SECONDS_PER_BATCH / (longest + SECONDS_IN_PYTHON))
    return max(1, min(fair_share, of_a_second, _BYTES_PER_BATCH // max(1, n_bytes)))
