"""The doors from Python, and the way of a sweep: grid -> missing points -> workers -> dataset."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr
from joblib.externals.loky.process_executor import TerminatedWorkerError
from numpy.typing import ArrayLike
from tqdm import tqdm

from pipeline import provenance
from pipeline.compose import axis_of, default_run
from pipeline.gather import Gather
from pipeline.grid import Grid
from pipeline.inputs import given_cells
from pipeline.parameters import Configuration
from pipeline.quantities import RequestError
from pipeline.runner import Run, run_points
from pipeline.simulation import measure
from pipeline.store import Directory
from pipeline.variables import DONE, FAILED, MISSING

log = logging.getLogger("pipeline")


@dataclass(frozen=True)
class Outcome:
    """What came of a sweep."""

    dataset: xr.Dataset
    done: int
    failed: int
    missing: int
    reused: int
    seconds: float


def simulate(configuration: Configuration, spikes: ArrayLike | None = None) -> xr.Dataset:
    """Run one neuron and return what it did, labelled, in full precision.

    Parameters
    ----------
    configuration : Configuration
        The parameters; see `pipeline.configure`.
    spikes : array_like, optional
        Input spikes to use in place of the configured process: 0 or 1, `(n_synapses, n_steps)`.

    Returns
    -------
    xarray.Dataset
        The variables of `results.nc` for one point.

    Raises
    ------
    RequestError
        If `spikes` does not fit the configuration.
    """
    n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
    cells = None if spikes is None else given_cells(spikes, n_synapses, n_steps)
    gather = Gather(Grid(configuration), dtype="float64")
    gather.add(gather.grid.keys[0], measure(configuration, cells=cells))
    return gather.dataset({} if spikes is None else {"input": "spikes given by the caller"})


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
        finished there are not run again.
    **run
        Settings of the section `run`: `backend`, `n_jobs`, `batch_size`, `engine`.

    Returns
    -------
    xarray.Dataset
        As in `results.nc`: the axes first, by the last word of their keys.

    Raises
    ------
    RequestError
        If a key, a value, a point or a setting is not allowed; nothing has run or been written.
    """
    grid = Grid(configuration, [axis_of(key, values) for key, values in axes.items()])
    place = None if directory is None else Directory(Path(directory))
    return run_grid(grid, default_run(**run), place).dataset


def run_grid(grid: Grid, run: Run, directory: Directory | None = None) -> Outcome:
    """Run what a directory lacks of a grid, keep what finishes, and gather all of it.

    An interruption is passed on once everything that had finished is in `results.nc`.
    """
    started = time.perf_counter()
    for axis in grid.idle_axes():
        log.warning("%s has no effect: every point along this axis is the same run", axis.key)
    made = provenance.capture(run)
    gather = Gather(grid)
    reused = _take_up(directory, grid, gather)
    if directory:
        directory.prepare()
        directory.write_request(grid)
        directory.write_provenance(made)
    pending = {
        key: point for key, point in zip(grid.keys, grid.points, strict=True) if not gather.has(key)
    }
    with _logging_to(directory):
        log.info("%d points, %d of them finished before", len(grid.points), reused)
        try:
            _run(pending, run, gather, directory)
        except KeyboardInterrupt:
            # It may have come after a batch was kept and before it was gathered.
            _take_up(directory, grid, gather)
            raise
        finally:
            dataset = gather.dataset(provenance.as_attributes(made))
            if directory:
                directory.write_results(dataset)
            counts = [gather.count(status) for status in (DONE, FAILED, MISSING)]
            log.info("%d points done, %d failed, %d missing", *counts)
    return Outcome(dataset, *counts, reused, time.perf_counter() - started)


def _take_up(directory: Directory | None, grid: Grid, gather: Gather) -> int:
    """Gather what a directory holds already; refuse to leave any of it out."""
    finished = directory.finished() if directory else {}
    strangers = finished.keys() - set(grid.keys)
    if strangers:
        raise RequestError(
            f"{directory.path}: holds {len(strangers)} finished points that this request does not "
            "ask for; widen its axes to cover them, or choose another name"
        )
    for key, record in finished.items():
        gather.add(key, record)
    return gather.count(DONE)


def _run(
    pending: Mapping[str, Configuration], run: Run, gather: Gather, directory: Directory | None
) -> None:
    """Run the pending points; every batch is kept as soon as it comes."""
    progress = tqdm(total=len(pending), unit="point", disable=None if pending else True)
    with progress:
        try:
            for batch in run_points(pending, run):
                if directory:
                    directory.save(batch)
                for key, record in batch.records.items():
                    gather.add(key, record)
                for key, failure in batch.failures.items():
                    gather.fail(key)
                    log.error("point %s failed: %s\n%s", key, failure.reason, failure.traceback)
                progress.update(len(batch.records) + len(batch.failures))
        except TerminatedWorkerError:
            log.error("a worker process was killed (out of memory?); the points left are missing")


@contextlib.contextmanager
def _logging_to(directory: Directory | None) -> Iterator[None]:
    if directory is None:
        yield
        return
    handler = logging.FileHandler(directory.log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()
