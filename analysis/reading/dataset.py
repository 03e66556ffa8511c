"""Open an experiment's `results.nc`, and look up its axes, parameters and labels."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis.reading.errors import LoadError, ParameterError
from analysis.reading.metadata import (
    keys_set_by,
    nested_constants,
    refuse_newer_schema,
    results_file,
    short_name,
)
from analysis.reading.netcdf import HDF5, must_be_held
from analysis.reading.values import canonical, told_apart, written
from analysis.reading.words import with_words

#: Variables that every `results.nc` has.
_REQUIRED = (
    "status",
    "weight",
    "output_rate",
    "spike_count",
    "isi_cv",
    "mean_weight",
    "effective_ltd_ratio",
)


def open_results(path: str | Path) -> xr.Dataset:
    """Open an experiment directory or its `results.nc`.

    Parameters
    ----------
    path : str or Path
        An experiment directory, or the file itself.

    Returns
    -------
    Dataset
        The file, read lazily: one dimension per swept key, in the order of the sweep, then those
        of the variable, as in `weight` (..., synapse), dimensionless, or `spike_time` (..., spike)
        [ms]. The attribute `units` of each variable is its unit; dimensionless without.

    Raises
    ------
    LoadError
        If there is no such file, it was not written by the pipeline, or by a later version of it.
    """
    file = results_file(path)
    try:
        dataset = _opened(file)
    except Exception as error:  # damaged files raise errors of many types
        raise LoadError(f"{file}: cannot be read as netCDF ({error})") from error
    try:
        _refuse_unreadable(dataset)
    except LoadError as error:
        dataset.close()
        raise LoadError(f"{file}: {error}") from error
    named = with_named_choices(with_words(dataset))
    named.set_close(dataset.close)  # what is made of a dataset does not close its file
    return named


def _opened(file: Path) -> xr.Dataset:
    with HDF5:  # also for what is read later
        try:
            dataset = xr.open_dataset(file, engine="netcdf4", lock=HDF5)
        except OSError:
            if not must_be_held(file):
                raise
        else:
            encodings = [variable.encoding for variable in dataset.variables.values()]
            if not any(np.dtype(encoding.get("dtype")).kind in "UO" for encoding in encodings):
                return dataset
            # Of an earlier version: HDF5 ends a process that opens a file with words of variable
            # length while it is open.
            dataset.close()
        return xr.open_dataset(file.read_bytes(), engine="netcdf4", lock=HDF5)


def _refuse_unreadable(dataset: xr.Dataset) -> None:
    """Raise `LoadError` if a dataset is not one of the pipeline, or of a later version of it."""
    if lacking := [name for name in _REQUIRED if name not in dataset]:
        raise LoadError(f"not results of the pipeline (it has no {', '.join(lacking)})")
    refuse_newer_schema(dataset.attrs)
    try:
        constants(dataset)
    except (KeyError, TypeError, ValueError) as error:
        raise LoadError("not results of the pipeline (its configuration cannot be read)") from error


@contextmanager
def reading(path: str | Path) -> Iterator[xr.Dataset]:
    """Open results for the duration of a `with` block; report damage found while reading lazily.

    Parameters
    ----------
    path : str or Path
        An experiment directory, or its `results.nc`.

    Returns
    -------
    context manager of Dataset
        As from `open_results`: dimensions (..., synapse) and others, units in the attributes.

    Raises
    ------
    LoadError
        As `open_results`, and if data read within the block are damaged.
    """
    with open_results(path) as dataset:
        try:
            yield dataset
        except RuntimeError as error:
            if not str(error).startswith("NetCDF"):
                raise
            raise LoadError(
                f"{results_file(path)}: damaged ({error}); request the same sweep again to rewrite "
                "it from points/"
            ) from error


def axes(dataset: xr.Dataset) -> list[str]:
    """Return the swept dimensions.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    list of str
        In the order of the sweep, `seed` included if it was swept.
    """
    return [str(name) for name in dataset["status"].dims]


def constants(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the parameters that were not swept.

    Parameters
    ----------
    dataset : Dataset
        Results of any dimensions, with the attribute `configuration` (JSON; units as in `conf/`).

    Returns
    -------
    dict
        Nested as in `conf/`.
    """
    return nested_constants(dataset.attrs)


def coordinate_of(dataset: xr.Dataset, key: str) -> xr.DataArray | None:
    """Look up the values of a key in the file, which have its unit and long name as attributes.

    A coordinate, or a variable where only some points have such a parameter. Coordinates along
    `synapse` or `time` are not candidates: their `config_key` is the key that sets their length.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.
    key : str
        Such as `stdp.A_plus`.

    Returns
    -------
    DataArray or None
        Values along the key's own axis, (n_values,), or along the axes it follows, (...), in the
        unit of the attribute `units`, such as [ms]; NaN where a point has no such parameter. None
        if the file holds no values of the key.
    """
    swept = set(axes(dataset))
    for array in (*dataset.coords.values(), *dataset.data_vars.values()):
        if array.attrs.get("config_key") == key and set(array.dims) <= swept:
            return array
    return _made_by_hand(dataset, key)


def _made_by_hand(dataset: xr.Dataset, key: str) -> xr.DataArray | None:
    """Return the axis of a key that a user made, as by `xr.concat`: it has the key's short name.

    Raises
    ------
    ParameterError
        If such an axis has no values, or it is of a group and does not state what choices set.
    """
    section, name = key.rpartition(".")[0], short_name(key)
    for axis in (name, section):
        if axis not in dataset.coords and axis not in dataset.dims:
            continue
        known = axis in dataset.coords and dataset[axis].attrs.keys() & {"config_key", "settings"}
        if known or not set(dataset[axis].dims) <= set(axes(dataset)):
            continue
        if axis == name and axis in dataset.coords:
            return dataset[axis]
        raise ParameterError(
            f"{key}: the axis {axis} was made by hand and does not state its values; sweep it, or "
            f"join datasets along {name} with its values"
        )
    return None


def with_named_choices(dataset: xr.Dataset) -> xr.Dataset:
    """Return the dataset with the names of all choices of its group axes as attributes.

    So `choices_of` finds what a choice sets after any selection, as by `sel`.

    Parameters
    ----------
    dataset : Dataset
        Results, before any selection, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    Dataset
        The same, of the same dimensions and units, with an attribute `choices` (JSON) beside each
        attribute `settings` of a coordinate.
    """
    named = {
        str(one.name): one.assign_attrs(choices=json.dumps(one.values.tolist()))
        for one in dataset.coords.values()
        if one.ndim == 1 and "settings" in one.attrs and "choices" not in one.attrs
    }
    return dataset.assign_coords(named)


def choices_of(coordinate: xr.DataArray) -> list[dict[str, Any]]:
    """Return what each choice along the axis of a configuration group sets.

    Parameters
    ----------
    coordinate : DataArray
        Names of choices, (n_choices,) or (), dimensionless, with the attribute `settings` (JSON),
        and `choices` (JSON) if it is a part of the axis; see `with_named_choices`.

    Returns
    -------
    list of dict
        Values by key, one dict per choice, which may have other keys than the next one; empty if
        the axis is of a single parameter.

    Raises
    ------
    ParameterError
        If it is a part of an axis, and nothing says which one.
    """
    settings = json.loads(coordinate.attrs.get("settings", "[]"))
    if not settings:
        return []
    chosen = coordinate.values.ravel().tolist()
    names = json.loads(coordinate.attrs["choices"]) if "choices" in coordinate.attrs else chosen
    if len(names) != len(settings):
        raise ParameterError(
            f"{coordinate.name}: the names of the choices before this selection are not known; "
            "select in a dataset from analysis.open_results"
        )
    by_name = dict(zip(names, settings, strict=True))
    return [by_name[name] for name in chosen]


def parameter(dataset: xr.Dataset, key: str) -> xr.DataArray:
    """Return a parameter along the swept axes that it depends on.

    A swept value overrides that of a group's choice, which overrides a constant. Derived values,
    as of `stdp.A_minus` where it is null, are returned in place of null.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.
    key : str
        Such as `stdp.A_plus`.

    Returns
    -------
    DataArray
        Scalar, (), if constant, else along the axes that set it, (...); in the unit of the key,
        such as [ms] or [Hz]. NaN, or empty text, where a point has no such parameter, as of another
        plasticity rule.

    Raises
    ------
    ParameterError
        If no point has such a parameter, or an axis made by hand does not state its values.
    """
    coordinate = coordinate_of(dataset, key)
    if coordinate is not None:
        return coordinate.reset_coords(drop=True)
    for coordinate in dataset.coords.values():
        if key in keys_set_by(json.loads(coordinate.attrs.get("settings", "[]"))):
            values = _chosen_values(choices_of(coordinate), key)
            if coordinate.ndim == 0:
                return xr.DataArray(values[0])
            return xr.DataArray(values, dims=coordinate.dims, coords={coordinate.name: coordinate})
    value: Any = constants(dataset)
    for name in key.split("."):
        if not (isinstance(value, dict) and name in value):
            raise ParameterError(f"{key}: no point of these results has this parameter")
        value = value[name]
    return xr.DataArray(canonical(value) if isinstance(value, list) else value)


def _chosen_values(choices: list[dict[str, Any]], key: str) -> list[Any]:
    """Return the value of a key in each choice; NaN, or empty text, in one that has none."""
    values = [choice.get(key) for choice in choices]
    if any(isinstance(value, list) for value in values):  # of numbers for groups: as text
        return [written(choice[key]) if key in choice else "" for choice in choices]
    is_text = any(isinstance(value, str) for value in values)
    return [choice.get(key, "" if is_text else np.nan) for choice in choices]


def broadcast_to(array: xr.DataArray, like: xr.DataArray, *own: Hashable) -> xr.DataArray:
    """Broadcast an array to the dimensions of another one, in their order.

    Parameters
    ----------
    array : DataArray
        Along some dimensions of `like`, and its own, (..., *own); any unit.
    like : DataArray
        Along the dimensions wanted, (...); any unit.
    *own : hashable
        Dimensions of the array alone, which come last.

    Returns
    -------
    DataArray, (..., *own)
        The values in the unit of `array`.
    """
    return array.broadcast_like(like).transpose(*like.dims, *own)


def long_name(array: xr.DataArray) -> str:
    """Return the long name of an array, capitalised: "Input rate".

    Parameters
    ----------
    array : DataArray
        Of any shape and unit, with the attribute `long_name` or a name.

    Returns
    -------
    str
        The long name, else the name.
    """
    name = array.attrs.get("long_name", str(array.name))
    return name[:1].upper() + name[1:]


def label(array: xr.DataArray) -> str:
    """Return an axis label from the attributes of an array: "Input rate (Hz)".

    Parameters
    ----------
    array : DataArray
        Of any shape, with the attribute `units` unless it is dimensionless.

    Returns
    -------
    str
        Long name, and the unit in parentheses.
    """
    units = array.attrs.get("units")
    return f"{long_name(array)} ({units})" if units else long_name(array)


def value_label(coordinate: xr.DataArray, value: Any) -> str:
    """Format one value of an axis with its unit for a figure: "10 Hz".

    Parameters
    ----------
    coordinate : DataArray
        The axis, (n_values,), with the attribute `units` unless it is dimensionless. Numbers have
        as many digits as tell its values apart.
    value : str or number
        In the same unit; a dollar sign is escaped, as matplotlib would start a formula at it.

    Returns
    -------
    str
        Value and unit.
    """
    if isinstance(value, str):
        text = value.replace("$", r"\$")
    else:
        *_, text = told_apart([*coordinate.values.ravel().tolist(), value])
    return " ".join([text, coordinate.attrs.get("units", "")]).strip()
