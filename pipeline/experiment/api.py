"""Public Python API: `simulate`, `sweep`, `plan`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pipeline.composition.compose import default_run_settings
from pipeline.composition.own_contents import refuse_unknown_content, with_events, with_weights
from pipeline.composition.run_settings import RunSettings
from pipeline.engine.simulate import available_engine, engine_named, run_point
from pipeline.experiment.dry_run import Plan, plan_grid
from pipeline.experiment.phases import GIVEN, GIVEN_OUTPUT, phase_from, with_state
from pipeline.experiment.run import run_grid, warn_of_unstable_steps
from pipeline.model.errors import RequestError
from pipeline.model.lattice import arriving_cells, given_cells
from pipeline.model.output_spikes import FIRST, given_output_steps
from pipeline.model.parameters import Configuration
from pipeline.model.processes.file import File
from pipeline.model.quantity import written
from pipeline.model.state import STATE
from pipeline.model.variables import ABOUT_RUNS, DONE, stacked
from pipeline.request.grid import Grid
from pipeline.request.overrides import grid_of_mapping
from pipeline.storage import provenance
from pipeline.storage.arrays import refuse_larger_than_memory
from pipeline.storage.directory import Directory
from pipeline.storage.labels import label
from pipeline.storage.paths import expanded
from pipeline.storage.shards import experiment_directory

if TYPE_CHECKING:
    import xarray as xr


def simulate(
    configuration: Configuration,
    spikes: ArrayLike | None = None,
    state: xr.Dataset | None = None,
    output_spikes: ArrayLike | None = None,
    events: tuple[ArrayLike, ArrayLike] | None = None,
    w_init: ArrayLike | None = None,
    **settings: Any,
) -> xr.Dataset:
    """Run one simulation and return its results, labelled, in full precision.

    Parameters
    ----------
    configuration : Configuration
        The parameters; see `pipeline.configure`.
    spikes : array_like, (n_synapses, n_steps), optional
        Input spikes in place of the configured process: 0 or 1 [dimensionless].
    state : Dataset, optional
        An earlier simulation with `state` (state_byte) [dimensionless], from which this one goes
        on: weights, traces, potential, conductance, and the random numbers that follow. Parameters
        may be others, except for the number of synapses, the time step and the traces of the rule.
        Times and statistics are those of this one, whose first step is the last of the earlier one,
        which did not take it. An input process whose statistics change in time begins anew.
    output_spikes : array_like, (n_spikes,), optional
        Times of output spikes in place of the neuron's own, or of those that the process prescribes
        [ms]: rising, at most one in a time step (the nearest one), none in the first step, unless
        `state` is given, and none in the last. At each the potential is reset and weights are
        potentiated as at one of its own; there is no refractory period.
    events : pair of array_like, (n_events,), optional
        Input events in place of the configured process, without its groups: times [ms], which rise,
        and indices of synapses [dimensionless]; each is in the time step nearest to its time.
    w_init : array_like, (n_synapses,), optional
        Initial weights in place of the configured ones [dimensionless, fraction of
        `synapse.g_max`]. With `state` weights go on from there, whatever they began with.
    **settings
        Settings of the section `run`; only `engine` has an effect on a single simulation.

    Returns
    -------
    xarray.Dataset
        The variables of `results.nc` for one point: `weight` (synapse) [dimensionless, fraction of
        `synapse.g_max`], `output_rate` () [Hz], `spike_count` () [dimensionless], `isi_cv` ()
        [dimensionless], `mean_weight` () [dimensionless], `euler_overshoot` () [dimensionless],
        `effective_ltd_ratio` () [dimensionless], `status` () [dimensionless]; as recorded,
        `weight_history` (sample_time, synapse) [dimensionless], `rate_history` (sample_time) [Hz],
        `spike_time` (spike) [ms], every state variable (time, ...), and the end state `state`
        (state_byte) [dimensionless] for simulations that go on from it. Without `wall_time` and
        `made_by`: the same call returns an identical dataset, but for the attribute `created`.
        Code, packages and host are attributes as well, so that a file of `to_netcdf` states them.

    Raises
    ------
    RequestError
        If `spikes`, `events`, `output_spikes`, `w_init` or `state` does not match the
        configuration, or a setting is not allowed.
    FloatingPointError
        If the membrane potential or a weight is infinite or NaN at the end.
    """
    _refuse_other_than(configuration)
    run_settings = default_run_settings(**settings)
    for name, given in (("spikes", spikes), ("output_spikes", output_spikes)):
        if given is not None and configuration.simulation.ends_when_settled:
            raise RequestError(f"simulation.until=settled: must be duration where {name} are given")
    if spikes is not None and events is not None:
        raise RequestError("events: must not be given together with spikes")
    configuration = _with_given(configuration, events, w_init)
    simulation, n_synapses = configuration.simulation, configuration.input.n_synapses
    cells = None
    if spikes is not None:
        cells = given_cells(spikes, n_synapses, simulation.n_steps)
        cells = arriving_cells(cells, configuration.axonal_cells, n_synapses * simulation.n_steps)
    output_steps = None
    if output_spikes is not None:
        first = FIRST if state is None else 0
        output_steps = given_output_steps(output_spikes, simulation.dt, simulation.n_steps, first)
    phase = None if state is None else phase_from(configuration, state)
    if phase is not None:
        begun = phase.start.state.step
        cells = phase.cells if cells is None else (chunk + begun * n_synapses for chunk in cells)
        output_steps = phase.output_steps if output_steps is None else output_steps + begun
    exact = configuration.record.with_admitted(dtype="float64")
    configuration = configuration.with_admitted(record=exact)
    grid = Grid(configuration, own_files=configuration.own_files)
    refuse_larger_than_memory(grid, in_memory=True)
    if spikes is None:
        refuse_unknown_content(configuration)
    engine = available_engine(run_settings.engine, [configuration])
    start = phase.start if phase else None
    result = run_point(
        configuration, engine_named(engine), cells, start=start, output_steps=output_steps
    )
    end_state = result.pop(STATE, b"")
    if spikes is not None:  # in place of the stimuli
        result.pop("stimulus_time", None)
        result.pop("stimulus_count", None)
    arrays = stacked([result], exact)
    warn_of_unstable_steps(arrays["euler_overshoot"])
    recorded = {name: array for name, array in arrays.items() if name not in ABOUT_RUNS}
    recorded["status"] = np.array([DONE], np.int8)
    note = {} if spikes is None else {GIVEN: "spikes given by the caller"}
    note |= {} if output_spikes is None else {GIVEN_OUTPUT: "output spikes given by the caller"}
    made_by = provenance.of_simulation(run_settings.with_admitted(engine=engine), grid.own_files)
    dataset = label(grid, recorded, made_by | note).to_xarray()
    return with_state(dataset, end_state, phase.chain if phase else [])


def sweep(
    configuration: Configuration,
    axes: Mapping[str, Iterable[Any]] = MappingProxyType({}),
    directory: str | Path | None = None,
    events: tuple[ArrayLike, ArrayLike] | None = None,
    w_init: ArrayLike | None = None,
    samples: Any = None,
    **settings: Any,
) -> xr.Dataset:
    """Run a configuration at every combination of the values of the axes, and every sample.

    Parameters
    ----------
    configuration : Configuration
        The parameters that no axis sets; see `pipeline.configure`.
    axes : mapping of str to iterable, optional
        Values by key, such as `{"input.rate_hz": [10, 20], "seed": range(5)}`; of a group, the
        names of its choices, such as `{"input": ["poisson", "notebook"]}`.
    directory : path, optional
        The experiment directory; nothing is written without one. Points that are finished there
        are not run again, and all points requested there earlier are in the result.
    events : pair of array_like, (n_events,), optional
        Input events of all points, in place of the configured process: times [ms], which rise, and
        indices of synapses [dimensionless]. They are kept in the directory.
    w_init : array_like, (n_synapses,), optional
        Initial weights of all points, in place of the configured ones [dimensionless, fraction of
        `synapse.g_max`]. They are kept in the directory.
    samples : mapping of str to iterable, or DataFrame, optional
        Combinations of values instead of all: by key, the value of each sample, (n_samples,), in
        the unit of the key. Samples are one dimension `sample`, beside those of `axes`.
    **settings
        Settings of the section `run`: `backend`, `n_jobs`, `batch_size`, `engine`, `timeout`,
        `fail_fast`, `track`, `track_points`, `shard`.

    Returns
    -------
    xarray.Dataset, (axes, further dimensions of each variable)
        The content of `results.nc`: the variables of `pipeline.simulate` in the units given there,
        with the axes as first dimensions, named by the last part of their keys; `wall_time` [s]
        and `made_by` [dimensionless] of every point.

    Raises
    ------
    RequestError
        If a key, a value, a point or a setting is not allowed; nothing is run or written.
    StorageError
        If a file cannot be written, as on a full disk; what was saved before is intact.
    KeyboardInterrupt
        After an interruption, once all finished points are in `results.nc`.
    """
    # Before any file is written: a thread that reads with xarray meanwhile uses the same lock.
    import xarray  # noqa: F401

    request = _request(configuration, axes, directory, events, w_init, samples, settings)
    return run_grid(*request).results.to_xarray()


def plan(
    configuration: Configuration,
    axes: Mapping[str, Iterable[Any]] = MappingProxyType({}),
    directory: str | Path | None = None,
    events: tuple[ArrayLike, ArrayLike] | None = None,
    w_init: ArrayLike | None = None,
    samples: Any = None,
    **settings: Any,
) -> Plan:
    """Return what `sweep` would do with the same arguments, without running or writing anything.

    Parameters
    ----------
    configuration, axes, directory, **settings
        As for `sweep`.
    events, w_init : array_like, (n_events,) and (n_synapses,)
        As for `sweep`: times [ms] and indices of synapses, weights [dimensionless].
    samples : mapping of str to iterable, or DataFrame
        As for `sweep`: values by key, (n_samples,), in the units of the keys.

    Returns
    -------
    Plan
        Numbers of points, estimated time, size of the results; `print` shows all of it.

    Raises
    ------
    RequestError
        If `sweep` would refuse the request.
    """
    return plan_grid(*_request(configuration, axes, directory, events, w_init, samples, settings))


def _request(
    configuration: Configuration,
    axes: Mapping[str, Iterable[Any]],
    directory: str | Path | None,
    events: tuple[ArrayLike, ArrayLike] | None,
    w_init: ArrayLike | None,
    samples: Any,
    settings: Mapping[str, Any],
) -> tuple[Grid, RunSettings, Directory | None]:
    """Validate the arguments of `sweep` and return grid, run settings and directory."""
    _refuse_other_than(configuration)
    run_settings = default_run_settings(**settings)
    if directory is not None and not (isinstance(directory, str | Path) and str(directory)):
        raise RequestError(f"{written('directory', directory)}: must be a path")
    grid = grid_of_mapping(_with_given(configuration, events, w_init), axes, samples)
    if events is not None:
        _refuse_replaced(grid, "events", ("input", "input.file"), File.name)
    if w_init is not None:
        _refuse_replaced(grid, "w_init", ("synapse.w_from",))
    refuse_larger_than_memory(grid, in_memory=True)  # `sweep` returns all results
    if directory is None:
        run_settings.refuse_shard()
        return grid, run_settings, None
    return grid, run_settings, experiment_directory(expanded(Path(directory)), run_settings, grid)


def _refuse_replaced(
    grid: Grid, argument: str, keys: Iterable[str], fitting: str | None = None
) -> None:
    """Refuse axes that ask for something else than what the caller gives for all points."""
    for axis in grid.axes:
        for value in axis.values if axis.key in keys else ():
            if value != fitting:
                raise RequestError(
                    f"{written(axis.key, value)}: must not be an axis together with {argument}, "
                    "which are those of all points"
                )


def _with_given(
    configuration: Configuration,
    events: tuple[ArrayLike, ArrayLike] | None,
    w_init: ArrayLike | None,
) -> Configuration:
    """Return a configuration with events and initial weights that the caller gives."""
    if events is not None or w_init is not None:
        _refuse_other_than(configuration)
    if events is not None:
        configuration = with_events(configuration, events)
    return configuration if w_init is None else with_weights(configuration, w_init)


def _refuse_other_than(configuration: Any) -> None:
    if not isinstance(configuration, Configuration):
        raise RequestError(
            f"{written('configuration', configuration)}: must be what pipeline.configure returns"
        )
    for section in (configuration.stdp, configuration.input):
        if not section.is_registered():
            raise RequestError(
                f"{written(section.registry.key, section.name)}: another source is registered now "
                "than when the configuration was made; make the configuration again"
            )
