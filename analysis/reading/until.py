"""Runs that end on their own, when they have settled: how long each was, and why it ended."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis.reading.dataset import broadcast_to, parameter
from analysis.reading.errors import LoadError, ParameterError
from analysis.reading.flags import meanings_of_flags


def ends_when_settled(dataset: xr.Dataset) -> bool:
    """Return whether the runs ended on their own, as with `simulation.until=settled`.

    Parameters
    ----------
    dataset : Dataset
        Results of any dimensions; units are not used.

    Returns
    -------
    bool
        False for runs of a duration that was given.
    """
    return "run_duration" in dataset


def run_durations(dataset: xr.Dataset) -> xr.DataArray:
    """Return the simulated time of each run.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes, and perhaps
        `run_duration` (...) [ms].

    Returns
    -------
    DataArray, (...)
        Time [ms], along the axes that set it: `simulation.duration`, unless a run ended earlier.
    """
    limit = parameter(dataset, "simulation.duration")
    if not ends_when_settled(dataset):
        return limit
    ended = dataset["run_duration"]
    return ended.where(ended.notnull(), limit)


def answers_of_runs(dataset: xr.Dataset) -> xr.DataArray | None:
    """Return why each run ended, in words.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes, and perhaps `settled`
        (...), a flag variable by the CF conventions, dimensionless.

    Returns
    -------
    DataArray of str, (...), or None
        Dimensionless, one of `stationarity.ANSWERS`; empty where a run is not done. None if the
        dataset has no such variable.

    Raises
    ------
    LoadError
        If the variable does not state the meanings of its values.
    """
    if "settled" not in dataset:
        return None
    flags = dataset["settled"]
    try:
        by_value = meanings_of_flags(flags.attrs)
    except KeyError as error:
        raise LoadError(f"settled: has no attribute {error}, which says what it means") from None
    words = np.array([by_value.get(flag, "") for flag in flags.values.ravel().tolist()], dtype=str)
    return flags.copy(data=words.reshape(flags.shape))


def tolerances_of_runs(dataset: xr.Dataset, default: float) -> xr.DataArray:
    """Return the tolerance by which each run was judged.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.
    default : float
        That of files which state none, dimensionless.

    Returns
    -------
    DataArray, (...)
        Of the mean weight and the shares, dimensionless, along all swept axes.
    """
    try:
        found = parameter(dataset, "settle.tolerance")
    except ParameterError:
        found = xr.DataArray(default)
    return broadcast_to(found.astype(float).fillna(default), dataset["status"])
