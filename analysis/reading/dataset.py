"""Open an experiment's `results.nc` and ask it for its axes, parameters and labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from analysis.reading.errors import LoadError
from analysis.reading.metadata import results_file

#: What every result has.
_NEEDED = (
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

    Raises
    ------
    LoadError
        If there is no such file, or it is not a result of the pipeline.
    """
    file = results_file(path)
    try:
        dataset = xr.open_dataset(file, engine="netcdf4")
    except Exception as error:  # damaged files raise errors of many types
        raise LoadError(f"{file}: cannot be read as netCDF ({error})") from error
    if lacking := [name for name in _NEEDED if name not in dataset]:
        raise LoadError(f"{file}: no result of the pipeline (it has no {', '.join(lacking)})")
    try:
        constants(dataset)
    except (KeyError, TypeError, ValueError) as error:
        raise LoadError(
            f"{file}: no result of the pipeline (its configuration cannot be read)"
        ) from error
    return dataset


@contextmanager
def reading(path: str | Path) -> Iterator[xr.Dataset]:
    """Open results for a block, which reads of them what it needs.

    Raises
    ------
    LoadError
        As `open_results`, and if what the block reads is damaged.
    """
    with open_results(path) as dataset:
        try:
            yield dataset
        except RuntimeError as error:
            if not str(error).startswith("NetCDF"):
                raise
            raise LoadError(
                f"{results_file(path)}: is damaged ({error}); asking for the same sweep again "
                "writes it anew from points/"
            ) from error


def axes(dataset: xr.Dataset) -> list[str]:
    """Return the swept dimensions in the order of the sweep, seeds among them."""
    return [str(name) for name in dataset["status"].dims]


def constants(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the parameters that were not swept, nested as in `conf/`."""
    return json.loads(dataset.attrs["configuration"])


def coordinate_of(dataset: xr.Dataset, key: str) -> xr.DataArray | None:
    """Return the coordinate with this key, which tells unit and long name, if there is one.

    The index of synapses and times have keys too, of what sets how many there are.
    """
    for coordinate in dataset.coords.values():
        along_axes = set(coordinate.dims) <= set(axes(dataset))
        if along_axes and coordinate.attrs.get("config_key") == key:
            return coordinate
    return None


def parameter(dataset: xr.Dataset, key: str) -> xr.DataArray:
    """Return a parameter such as `stdp.A_plus`: a number, or its values along the axes it follows.

    Raises
    ------
    KeyError
        If the file knows no such parameter.
    """
    coordinate = coordinate_of(dataset, key)
    if coordinate is not None:
        return coordinate.reset_coords(drop=True)
    for coordinate in dataset.coords.values():
        settings = json.loads(coordinate.attrs.get("settings", "[]"))
        if settings and key in settings[0]:
            values = [choice[key] for choice in settings]
            if coordinate.ndim == 0:
                return xr.DataArray(values[0])
            return xr.DataArray(values, dims=coordinate.dims, coords={coordinate.name: coordinate})
    value: Any = constants(dataset)
    for word in key.split("."):
        value = value[word]
    return xr.DataArray(value)


def long_name(array: xr.DataArray) -> str:
    """Return what an array is called in the file, with a capital: "Input rate"."""
    name = array.attrs.get("long_name", str(array.name))
    return name[:1].upper() + name[1:]


def label(array: xr.DataArray) -> str:
    """Return an axis label from the attributes of the file: "Input rate (Hz)"."""
    units = array.attrs.get("units")
    return f"{long_name(array)} ({units})" if units else long_name(array)


def value_label(coordinate: xr.DataArray, value: Any) -> str:
    """Return one value of an axis with its unit, as words of a figure: "10 Hz"."""
    if isinstance(value, str):
        text = value.replace("$", r"\$")  # which would begin a formula
    else:
        text = f"{value:g}" if isinstance(value, float) else str(value)
    return " ".join([text, coordinate.attrs.get("units", "")]).strip()
