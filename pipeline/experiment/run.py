"""The steps of a sweep: grid -> missing points -> workers -> dataset."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from collections.abc import Iterator, Mapping

from tqdm import tqdm

from pipeline.engine.simulate import available_engine
from pipeline.execution.pool import run_points
from pipeline.experiment.mlflow_tracking import open_tracker
from pipeline.model.parameters import Configuration
from pipeline.request.grid import Grid
from pipeline.request.run_settings import RunSettings
from pipeline.storage import provenance
from pipeline.storage.arrays import Counts, refuse_what_does_not_fit
from pipeline.storage.directory import Directory
from pipeline.storage.labels import LabelledDataset
from pipeline.storage.state import SweepState
from pipeline.system.atomic_files import StorageError

log = logging.getLogger("pipeline")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a sweep.

    Attributes
    ----------
    results : LabelledDataset
        All that the directory holds.
    asked : Counts
        Of the points that were asked for, how many are done, failed and missing.
    everything : Counts
        The same of all points in `results`.
    reused : int
        How many of those asked for were done before.
    seconds : float
        How long it took.
    """

    results: LabelledDataset
    asked: Counts
    everything: Counts
    reused: int
    seconds: float


def run_grid(grid: Grid, settings: RunSettings, directory: Directory | None = None) -> Outcome:
    """Run what a directory lacks of a grid, keep what finishes, and gather all there is.

    An interruption is passed on once everything that had finished is in `results.nc`.

    Raises
    ------
    RequestError
        If the results would not fit in memory, the directory cannot take them, or the server that
        `run.track` asks for cannot be used.
    StorageError
        If something cannot be written, as on a full disk; what was kept before is intact.
    """
    started = time.perf_counter()
    for axis in grid.idle_axes():
        log.warning("%s has no effect: every point along this axis is the same run", axis.key)
    refuse_what_does_not_fit(grid)
    tracker = open_tracker(settings, directory)
    with directory.held() if directory else contextlib.nullcontext():
        state = SweepState(grid, directory)
        reused = state.arrays.counts(grid.keys).done
        pending = state.pending()
        if pending:
            settings = dataclasses.replace(
                settings, engine=available_engine(settings.engine, pending.values())
            )
            state.runs.append(provenance.capture(settings))
        state.open()
        with _logging_to(directory):
            log.info("%d points, %d of them finished before", len(grid.points), reused)
            try:
                _run(pending, settings, state)
            finally:
                if pending:
                    state.runs[-1]["seconds"] = round(time.perf_counter() - started, 3)
                results = state.conclude()
            log.info("%d points done, %d failed, %d missing", *state.arrays.counts())
            seconds = time.perf_counter() - started
            if tracker:
                tracker.log(state, results)
    asked, everything = state.arrays.counts(grid.keys), state.arrays.counts()
    return Outcome(results, asked, everything, reused, seconds)


def _run(pending: Mapping[str, Configuration], settings: RunSettings, state: SweepState) -> None:
    """Run points; every batch is kept as soon as it comes."""
    failed: list[str] = []
    with tqdm(total=len(pending), unit="point", disable=None if pending else True) as progress:
        for batch in run_points(pending, settings):
            state.enter(batch)
            failed += batch.failures
            progress.update(len(batch.keys) + len(batch.failures))
    if failed:
        place, reason = state.place_of(failed[0]), state.failures[failed[0]].reason
        log.error("failed: %d; the first at %s: %s", len(failed), place, reason)


class _Log(logging.FileHandler):
    """A log file that no sweep ends for: on a full disk lines are lost, not points."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Let the line go."""

    def close(self) -> None:
        """Close the file, whatever of it can be written."""
        with contextlib.suppress(OSError):
            super().close()


@contextlib.contextmanager
def _logging_to(directory: Directory | None) -> Iterator[None]:
    """Write the log of the block to the directory's `sweep.log`."""
    if directory is None:
        yield
        return
    try:
        handler = _Log(directory.log)
    except OSError as error:
        raise StorageError(f"{directory.log}: cannot be written ({error.strerror})") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.setLevel(level)
        log.removeHandler(handler)
        handler.close()
