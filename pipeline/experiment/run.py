"""The doors from Python, and the way of a sweep: grid -> missing points -> workers -> dataset."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike
from tqdm import tqdm

from pipeline.engine.simulate import available_engine, engine_named, run_point
from pipeline.execution.pool import Run, run_points
from pipeline.experiment.dry_run import Plan, plan_grid
from pipeline.experiment.mlflow_tracking import open_tracker
from pipeline.model.errors import RequestError
from pipeline.model.inputs import given_cells
from pipeline.model.parameters import Configuration
from pipeline.model.quantity import written
from pipeline.model.variables import ABOUT_RUNS, stacked
from pipeline.request.compose import default_run
from pipeline.request.grid import Grid
from pipeline.request.overrides import grid_of_mapping
from pipeline.storage import provenance
from pipeline.storage.arrays import Counts, ResultArrays, refuse_what_does_not_fit
from pipeline.storage.directory import Directory
from pipeline.storage.labelled import LabelledDataset
from pipeline.storage.state import SweepState
from pipeline.system.atomic_files import StorageError

if TYPE_CHECKING:
    import xarray as xr

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


def simulate(
    configuration: Configuration, spikes: ArrayLike | None = None, **run: Any
) -> xr.Dataset:
    """Run one neuron and return what it did, labelled, in full precision.

    Parameters
    ----------
    configuration : Configuration
        The parameters; see `pipeline.configure`.
    spikes : array_like, optional
        Input spikes to use in place of the configured process: 0 or 1, `(n_synapses, n_steps)`.
    **run
        Settings of the section `run`, of which only `engine` matters to one run.

    Returns
    -------
    xarray.Dataset
        The variables of `results.nc` for one point, but those that tell of a sweep's runs: the
        same call gives an identical dataset.

    Raises
    ------
    RequestError
        If `spikes` does not fit the configuration, or a setting is not allowed.
    """
    _refuse_other_than(configuration)
    settings = default_run(**run)
    n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
    cells = None if spikes is None else given_cells(spikes, n_synapses, n_steps)
    exact = dataclasses.replace(configuration.record, dtype="float64")
    configuration = dataclasses.replace(configuration, record=exact)
    arrays = ResultArrays(Grid(configuration.to_mapping()))
    engine = engine_named(available_engine(settings.engine, exact))
    result = run_point(configuration, engine, cells)
    arrays.add(arrays.grid.keys, stacked([result], exact))
    note = {} if spikes is None else {"input": "spikes given by the caller"}
    return arrays.labelled(note).to_xarray().drop_vars(ABOUT_RUNS)


def sweep(
    configuration: Configuration,
    axes: Mapping[str, Iterable[Any]],
    directory: str | Path | None = None,
    **run: Any,
) -> xr.Dataset:
    """Run a configuration at every combination of the axes' values.

    Parameters
    ----------
    configuration : Configuration
        What holds where no axis says otherwise.
    axes : mapping of str to iterable
        Values by key, such as `{"input.rate_hz": [10, 20], "seed": range(5)}`; a group takes the
        names of its choices, such as `{"input": ["poisson", "notebook"]}`.
    directory : path, optional
        Where to keep the experiment; nothing is written when it is not given. Points that are
        finished there are not run again, and those asked for earlier are in the result too.
    **run
        Settings of the section `run`: `backend`, `n_jobs`, `batch_size`, `engine`, `timeout`,
        `fail_fast`, `track`, `track_points`.

    Returns
    -------
    xarray.Dataset
        As in `results.nc`: the axes first, by the last word of their keys.

    Raises
    ------
    RequestError
        If a key, a value, a point or a setting is not allowed; nothing has run or been written.
    StorageError
        If something cannot be written, as on a full disk; what was kept before is intact.
    """
    return run_grid(*_request(configuration, axes, directory, run)).results.to_xarray()


def plan(
    configuration: Configuration,
    axes: Mapping[str, Iterable[Any]],
    directory: str | Path | None = None,
    **run: Any,
) -> Plan:
    """Return what `sweep` would do with the same arguments, without doing it.

    Raises
    ------
    RequestError
        If `sweep` would refuse.
    """
    return plan_grid(*_request(configuration, axes, directory, run))


def _request(
    configuration: Configuration,
    axes: Mapping[str, Iterable[Any]],
    directory: str | Path | None,
    run: Mapping[str, Any],
) -> tuple[Grid, Run, Directory | None]:
    """Return what is asked for from Python, checked."""
    _refuse_other_than(configuration)
    settings = default_run(**run)
    if directory is not None and not (isinstance(directory, str | Path) and str(directory)):
        raise RequestError(f"{written('directory', directory)}: must be a path")
    grid = grid_of_mapping(configuration, axes)
    return grid, settings, None if directory is None else Directory(Path(directory))


def _refuse_other_than(configuration: Any) -> None:
    if not isinstance(configuration, Configuration):
        raise RequestError(
            f"{written('configuration', configuration)}: must be what pipeline.configure returns"
        )


def run_grid(grid: Grid, run: Run, directory: Directory | None = None) -> Outcome:
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
    tracker = open_tracker(run, directory)
    with directory.held() if directory else contextlib.nullcontext():
        state = SweepState(grid, directory)
        reused = state.arrays.counts(grid.keys).done
        pending = state.pending()
        if pending:
            run = dataclasses.replace(run, engine=available_engine(run.engine, grid.record))
            state.runs.append(provenance.capture(run))
        state.open()
        with _logging_to(directory):
            log.info("%d points, %d of them finished before", len(grid.points), reused)
            try:
                _run(pending, run, state)
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


def _run(pending: Mapping[str, Configuration], run: Run, state: SweepState) -> None:
    """Run points; every batch is kept as soon as it comes."""
    failed: list[str] = []
    with tqdm(total=len(pending), unit="point", disable=None if pending else True) as progress:
        for batch in run_points(pending, run):
            state.enter(batch)
            failed += batch.failures
            progress.update(len(batch.keys) + len(batch.failures))
    if failed:
        place, reason = state.arrays.grid.describe(failed[0]), state.failures[failed[0]].reason
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
