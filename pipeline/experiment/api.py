"""Public Python API: `simulate`, `sweep`, `plan`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from pipeline.engine.simulate import available_engine, engine_named, run_point
from pipeline.experiment.dry_run import Plan, plan_grid
from pipeline.experiment.run import run_grid
from pipeline.model.errors import RequestError
from pipeline.model.inputs import given_cells
from pipeline.model.parameters import Configuration
from pipeline.model.quantity import written
from pipeline.model.variables import ABOUT_RUNS, stacked
from pipeline.request.compose import default_run_settings
from pipeline.request.grid import Grid
from pipeline.request.overrides import grid_of_mapping
from pipeline.request.run_settings import RunSettings
from pipeline.storage.arrays import ResultArrays
from pipeline.storage.directory import Directory

if TYPE_CHECKING:
    import xarray as xr


def simulate(
    configuration: Configuration, spikes: ArrayLike | None = None, **settings: Any
) -> xr.Dataset:
    """Run one neuron and return what it did, labelled, in full precision.

    Parameters
    ----------
    configuration : Configuration
        The parameters; see `pipeline.configure`.
    spikes : array_like, optional
        Input spikes to use in place of the configured process: 0 or 1, `(n_synapses, n_steps)`.
    **settings
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
    run_settings = default_run_settings(**settings)
    n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
    cells = None if spikes is None else given_cells(spikes, n_synapses, n_steps)
    exact = dataclasses.replace(configuration.record, dtype="float64")
    configuration = dataclasses.replace(configuration, record=exact)
    arrays = ResultArrays(Grid(configuration.to_mapping()))
    engine = engine_named(available_engine(run_settings.engine, [configuration]))
    result = run_point(configuration, engine, cells)
    arrays.add(arrays.grid.keys, stacked([result], exact))
    note = {} if spikes is None else {"input": "spikes given by the caller"}
    return arrays.labelled(note).to_xarray().drop_vars(ABOUT_RUNS)


def sweep(
    configuration: Configuration,
    axes: Mapping[str, Iterable[Any]],
    directory: str | Path | None = None,
    **settings: Any,
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
    **settings
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
    return run_grid(*_request(configuration, axes, directory, settings)).results.to_xarray()


def plan(
    configuration: Configuration,
    axes: Mapping[str, Iterable[Any]],
    directory: str | Path | None = None,
    **settings: Any,
) -> Plan:
    """Return what `sweep` would do with the same arguments, without doing it.

    Raises
    ------
    RequestError
        If `sweep` would refuse.
    """
    return plan_grid(*_request(configuration, axes, directory, settings))


def _request(
    configuration: Configuration,
    axes: Mapping[str, Iterable[Any]],
    directory: str | Path | None,
    settings: Mapping[str, Any],
) -> tuple[Grid, RunSettings, Directory | None]:
    """Return what is asked for from Python, checked."""
    _refuse_other_than(configuration)
    run_settings = default_run_settings(**settings)
    if directory is not None and not (isinstance(directory, str | Path) and str(directory)):
        raise RequestError(f"{written('directory', directory)}: must be a path")
    grid = grid_of_mapping(configuration, axes)
    return grid, run_settings, None if directory is None else Directory(Path(directory))


def _refuse_other_than(configuration: Any) -> None:
    if not isinstance(configuration, Configuration):
        raise RequestError(
            f"{written('configuration', configuration)}: must be what pipeline.configure returns"
        )
