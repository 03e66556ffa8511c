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

from pipeline import provenance
from pipeline.axes import grid_of_mapping
from pipeline.compose import default_run
from pipeline.gather import Gather
from pipeline.grid import Grid
from pipeline.inputs import given_cells
from pipeline.labelled import Labelled
from pipeline.parameters import Configuration
from pipeline.quantities import RequestError, written
from pipeline.runner import Run, WorkerKilledError, run_points
from pipeline.simulation import available_engine, engine_named, measure
from pipeline.store import Directory
from pipeline.variables import stacked

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger("pipeline")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of a sweep."""

    results: Labelled
    done: int
    failed: int
    missing: int
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
        The variables of `results.nc` for one point.

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
    gather = Gather(Grid(configuration.to_mapping()))
    engine = engine_named(available_engine(settings.engine, exact))
    result = measure(configuration, engine, cells)
    gather.add(gather.grid.keys, stacked([result], exact))
    note = {} if spikes is None else {"input": "spikes given by the caller"}
    return gather.labelled(note).to_xarray()


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
    _refuse_other_than(configuration)
    settings = default_run(**run)
    if directory is not None and not (isinstance(directory, str | Path) and str(directory)):
        raise RequestError(f"{written('directory', directory)}: must be a path")
    grid = grid_of_mapping(configuration, axes)
    place = None if directory is None else Directory(Path(directory))
    return run_grid(grid, settings, place).results.to_xarray()


def _refuse_other_than(configuration: Any) -> None:
    if not isinstance(configuration, Configuration):
        raise RequestError(
            f"{written('configuration', configuration)}: must be what pipeline.configure returns"
        )


def run_grid(grid: Grid, run: Run, directory: Directory | None = None) -> Outcome:
    """Run what a directory lacks of a grid, keep what finishes, and gather all of it.

    An interruption is passed on once everything that had finished is in `results.nc`.

    Raises
    ------
    RequestError
        If the results would not fit in memory, or the directory cannot take them.
    """
    started = time.perf_counter()
    for axis in grid.idle_axes():
        log.warning("%s has no effect: every point along this axis is the same run", axis.key)
    gather = Gather(grid)
    with directory.held() if directory else contextlib.nullcontext():
        reused = _take_up(directory, grid, gather)
        if reused < len(grid.points):
            run = dataclasses.replace(run, engine=available_engine(run.engine, grid.record))
            made = provenance.capture(run)
        else:  # whoever asks again for what is there has made none of it
            made = directory.last_provenance() or provenance.capture(run)
        if directory:
            directory.write_request(grid)
            directory.write_provenance(made)
        with _logging_to(directory):
            log.info("%d points, %d of them finished before", len(grid.points), reused)
            try:
                _run(grid, run, gather, directory)
            except KeyboardInterrupt:
                # It may have come after a batch was kept and before it was gathered.
                _take_up(directory, grid, gather)
                _conclude(gather, made, directory)
                raise
            results = _conclude(gather, made, directory)
    return Outcome(results, *gather.counts(), reused, time.perf_counter() - started)


def _take_up(directory: Directory | None, grid: Grid, gather: Gather) -> int:
    """Gather what a directory holds already; refuse to leave any of it out."""
    known, strangers = set(grid.keys), set()
    for batch in directory.finished() if directory else ():
        strangers |= set(batch.keys) - known
        if not strangers:
            gather.add(batch.keys, batch.columns)
    if directory and strangers:
        why = directory.differences(grid) or "its axes have other values"
        raise RequestError(
            f"{directory.path}: holds finished points that this request leaves out, "
            f"{len(strangers)} in all ({why}); add them to the axes, or choose another name"
        )
    return gather.counts()[0]


def _run(grid: Grid, run: Run, gather: Gather, directory: Directory | None) -> None:
    """Run the points that are not done; every batch is kept as soon as it comes."""
    pending = {
        key: point for key, point in zip(grid.keys, grid.points, strict=True) if not gather.has(key)
    }
    failed: list[str] = []
    with tqdm(total=len(pending), unit="point", disable=None if pending else True) as progress:
        try:
            for batch in run_points(pending, run):
                if directory:
                    directory.save(batch)
                gather.add(batch.keys, batch.columns)
                for key, failure in batch.failures.items():
                    gather.fail(key)
                    failed.append(f"{grid.describe(key)}: {failure.reason}")
                    log.info("failed at %s\n%s", failed[-1], failure.traceback)
                progress.update(len(batch.keys) + len(batch.failures))
        except WorkerKilledError:
            log.error("a worker process was killed (out of memory?); the points left are missing")
    if failed:
        log.error("failed: %d; the first at %s", len(failed), failed[0])


def _conclude(gather: Gather, made: dict[str, Any], directory: Directory | None) -> Labelled:
    """Return all that is done, labelled, and write it."""
    results = gather.labelled(provenance.as_attributes(made))
    if directory:
        directory.write_results(results)
    log.info("%d points done, %d failed, %d missing", *gather.counts())
    return results


@contextlib.contextmanager
def _logging_to(directory: Directory | None) -> Iterator[None]:
    """Write the log of the block to the directory's `sweep.log`."""
    if directory is None:
        yield
        return
    handler = logging.FileHandler(directory.log)
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
