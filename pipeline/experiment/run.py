"""Steps of a sweep: grid -> missing points -> workers -> batches -> dataset."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from pipeline.composition.run_settings import RunSettings
from pipeline.engine.simulate import available_engine, refuse_uncompilable
from pipeline.execution.backends import BACKENDS
from pipeline.execution.pool import run_points
from pipeline.experiment.mlflow_tracking import open_tracker
from pipeline.request.grid import Grid
from pipeline.request.points import Points
from pipeline.request.samples import generator_of, origin_of
from pipeline.storage import provenance
from pipeline.storage.arrays import Counts, refuse_larger_than_memory
from pipeline.storage.directory import Directory
from pipeline.storage.labels import LabelledDataset
from pipeline.storage.state import SweepState
from pipeline.system.atomic_files import StorageError
from pipeline.system.host import in_notebook
from pipeline.system.locks import shared_lock

log = logging.getLogger("pipeline")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Results and numbers of a sweep.

    Attributes
    ----------
    results : LabelledDataset
        The results of all points in the directory.
    asked : Counts
        Numbers of requested points that are done, failed and missing.
    everything : Counts
        The same numbers of all points in `results`.
    reused : int
        Number of requested points that were done before.
    continued : int
        Number of requested points that went on from the end of an earlier run.
    not_continued : int
        Number of those that failed to, and keep the results that they had.
    seconds : float
        Wall time [s].
    """

    results: LabelledDataset
    asked: Counts
    everything: Counts
    reused: int
    continued: int
    not_continued: int
    seconds: float


class SweepInterrupt(KeyboardInterrupt):
    """Interruption of a sweep whose finished points are saved.

    Parameters
    ----------
    asked : Counts
        Numbers of requested points that are done, failed and missing.
    """

    def __init__(self, asked: Counts) -> None:
        super().__init__(f"{asked.done:,} of {sum(asked):,} points are finished and saved")


def run_grid(grid: Grid, settings: RunSettings, directory: Directory | None = None) -> Outcome:
    """Run the points of a grid that a directory lacks, save them, and return all results.

    Parameters
    ----------
    grid : Grid
        The requested points.
    settings : RunSettings
        How they are run.
    directory : Directory, optional
        The experiment directory; results stay in memory without one.

    Raises
    ------
    RequestError
        If the results would not fit in memory, the directory cannot hold them, or the tracking
        server cannot be used.
    StorageError
        If a file cannot be written, as on a full disk; what was saved before is intact.
    SweepInterrupt
        After an interruption, once all finished points are in `results.nc`.
    """
    started = time.perf_counter()
    for axis in grid.idle_axes():
        log.warning("%s has no effect: all points along this axis are the same run", axis.key)
    refuse_larger_than_memory(grid, in_memory=directory is None)
    grid.refuse_unknown_contents()
    refuse_uncompilable(settings.engine, grid.unlike_models)
    BACKENDS[settings.backend].check(settings)
    tracker = open_tracker(settings, directory)
    with directory.held() if directory else contextlib.nullcontext():
        state = SweepState(grid, directory)
        pending = state.pending()
        reused, continued = state.n_finished(), state.n_going_on(pending)
        if pending:
            settings = dataclasses.replace(
                settings, engine=available_engine(settings.engine, pending.unlike_models())
            )
            sampling = generator_of(grid.axes), origin_of(grid.axes)
            state.runs.append(provenance.capture(settings, grid.own_files, *sampling))
            state.warn_of_other_code()
        state.open()
        with logging_to(directory):
            text = "%d points, %d of them finished before, %d go on from an earlier end"
            log.info(text, sum(state.counts()), reused, continued)
            try:
                _run(pending, settings, state)
            except KeyboardInterrupt as interrupt:
                stopped = SweepInterrupt(state.counts())
                log.info("interrupted: %s", stopped)
                raise stopped from interrupt
            except Exception as error:
                log.info("ended by %s: %s", type(error).__name__, error)
                raise
            finally:
                if pending:
                    state.runs[-1]["seconds"] = round(time.perf_counter() - started, 3)
                results = state.conclude()
            log.info("%d points done, %d failed, %d missing", *state.arrays.counts())
            warn_of_unstable_steps(results.values("euler_overshoot"))
            seconds = time.perf_counter() - started
            if tracker:
                tracker.log(state, results)
    asked, everything = state.counts(), state.arrays.counts()
    return Outcome(results, asked, everything, reused, continued, state.n_not_continued, seconds)


def _run(pending: Points, settings: RunSettings, state: SweepState) -> None:
    """Run points; every batch is saved as soon as it has finished."""
    failed: list[str] = []
    with progress_bar(len(pending)) as progress:
        for batch in run_points(pending, settings, state.start_of):
            state.enter(batch)
            failed += batch.failures
            if (settled := state.n_settled()) is not None:
                progress.set_postfix_str(f"{settled:,} settled", refresh=False)
            progress.update(len(batch.keys) + len(batch.failures))
    if failed:
        point, reason = state.describe(failed[0]), state.failures[failed[0]].reason
        log.error("failed: %d; the first at %s: %s", len(failed), point, reason)


def progress_bar(n_points: int) -> tqdm:
    """Return the bar of some points: in a terminal, or after a second in a notebook."""
    shown = {"delay": 1} if in_notebook() else {"disable": None}
    return tqdm(total=n_points, unit="point", **(shown if n_points else {"disable": True}))


def warn_of_unstable_steps(overshoot: ArrayLike) -> None:
    """Log one warning if the integration of some points was unstable.

    Parameters
    ----------
    overshoot : array_like, (...)
        `euler_overshoot` of each point, dimensionless; NaN where not done or not recorded.
    """
    overshoot = np.asarray(overshoot)
    unstable = overshoot[overshoot > 0]
    if unstable.size:
        log.warning(
            "unstable integration at %d of %d points, where simulation.dt is up to %.3g times the "
            "effective membrane time constant tau_m / (1 + g); use a smaller simulation.dt",
            unstable.size,
            overshoot.size,
            1 + unstable.max(),
        )


#: Log files of the sweeps of all threads, and the level of the logger when there are none.
_logs: list[logging.Handler] = []
_level: list[int] = []
_LOGGING = shared_lock()


class _Log(logging.FileHandler):
    """Log file whose errors end no sweep: on a full disk lines are lost, not points."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Discard the line."""

    def close(self) -> None:
        """Close the file, even where its last lines cannot be written."""
        with contextlib.suppress(OSError):
            super().close()


@contextlib.contextmanager
def logging_to(directory: Directory | None) -> Iterator[None]:
    """Write the log of the block to the directory's `sweep.log`."""
    if directory is None:
        yield
        return
    try:
        handler = _Log(directory.log)
    except OSError as error:
        raise StorageError(f"{directory.log}: cannot be written ({error.strerror})") from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    thread = threading.get_ident()
    handler.addFilter(lambda record: record.thread == thread)  # another may sweep elsewhere
    with _LOGGING:
        if not _logs:
            _level[:] = [log.level]
            log.setLevel(logging.INFO)
        _logs.append(handler)
        log.addHandler(handler)
    try:
        yield
    finally:
        with _LOGGING:
            log.removeHandler(handler)
            _logs.remove(handler)
            if not _logs:
                log.setLevel(*_level)
        handler.close()
