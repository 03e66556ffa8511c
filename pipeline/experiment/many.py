"""`pipeline.simulate_many`: any configurations at once, along the dimension `sample`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.composition.compose import default_run_settings
from pipeline.experiment.run import run_grid
from pipeline.model.errors import RequestError
from pipeline.model.number_lists import as_tuple
from pipeline.model.parameters import Configuration, all_quantities, by_key
from pipeline.model.quantity import written
from pipeline.model.registry import REGISTRIES
from pipeline.request.grid import Grid
from pipeline.request.samples import Column, sample_axis
from pipeline.storage.arrays import refuse_larger_than_memory

if TYPE_CHECKING:
    import xarray as xr


def simulate_many(configurations: Iterable[Configuration], **settings: Any) -> xr.Dataset:
    """Run any configurations in parallel and return their results along one dimension.

    Parameters
    ----------
    configurations : iterable of Configuration
        Of any rules, inputs, numbers of synapses and durations; what is recorded must be the same,
        and what a file has once: `simulation.until`, with `record.traces` also `simulation.dt`. One
        that is repeated has a row for each time, and is run once.
    **settings
        Settings of the section `run`, as of `pipeline.sweep`.

    Returns
    -------
    xarray.Dataset, (sample, further dimensions of each variable)
        The variables of `pipeline.sweep` in the units given there [Hz, ms, ...], in the order of
        the configurations. `sample` counts them from 0; its attribute `sampled` has the keys in
        which they differ (`seed` where they do not), each of which is a coordinate along it. A key
        that is null or not a field of the rule or process somewhere is no coordinate but, of a
        number, a variable that is NaN there. Rows are filled up with NaN where others have more
        synapses, samples in time or spikes. A simulation that fails is NaN and `status` 1, and the
        others are kept, unless `fail_fast=True`.

    Raises
    ------
    RequestError
        If there are none, one is no configuration, or one file cannot hold them; nothing is run.
    KeyboardInterrupt
        After an interruption; what had finished is lost. With `pipeline.sweep(samples=...)` it is
        kept in a directory.
    """
    import xarray  # noqa: F401 - as of `sweep`

    given = _validated(configurations)
    run_settings = default_run_settings(**settings)
    run_settings.refuse_shard()
    grid = grid_of_configurations(given)
    refuse_larger_than_memory(grid, in_memory=True)
    return run_grid(grid, run_settings).results.to_xarray()


def grid_of_configurations(configurations: Sequence[Configuration]) -> Grid:
    """Return the grid of a sample for each configuration; some may be equal.

    Raises
    ------
    RequestError
        If one grid cannot hold them.
    """
    flat = [by_key(configuration.to_mapping()) for configuration in configurations]
    keys = dict.fromkeys(key for values in flat for key in values)
    # A field that a rule or process lacks is null here, and is left out where the point is made.
    columns = {key: [as_tuple(values.get(key)) for values in flat] for key in keys}
    differing = {key: values for key, values in columns.items() if len(set(values)) > 1}
    for key, values in differing.items():
        if key.startswith("record."):
            other = next(value for value in values if value != values[0])
            raise RequestError(
                f"{written(key, other)}: must be the same in all configurations, as a file has one "
                f"record, and the first has {written(key, values[0])}"
            )
    axis = sample_axis(
        _column(key, values) for key, values in (differing or {"seed": columns["seed"]}).items()
    )
    own_files = {path: text for one in configurations for path, text in one.own_files.items()}
    return Grid(configurations[0].to_mapping(), [axis], own_files)


def _column(key: str, values: Sequence[Any]) -> Column:
    """Return the values of a key; rules and processes are choices that set their name alone."""
    choices = {value: {key: value} for value in values} if key in REGISTRIES else {}
    return Column(key, tuple(values), all_quantities()[key], choices)


def _validated(configurations: Any) -> list[Configuration]:
    """Return configurations as a list.

    Raises
    ------
    RequestError
        If there are none, or one is something else.
    """
    is_one = isinstance(configurations, Configuration | str)
    if is_one or not isinstance(configurations, Iterable):
        raise RequestError(
            f"{written('configurations', configurations)}: must be a list of what "
            "pipeline.configure returns"
        )
    given = list(configurations)
    if not given:
        raise RequestError("configurations=[]: must be at least one")
    for number, one in enumerate(given):
        if not isinstance(one, Configuration):
            raise RequestError(
                f"{written(f'configurations[{number}]', one)}: must be what pipeline.configure "
                "returns"
            )
    return given
