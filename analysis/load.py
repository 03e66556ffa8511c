"""Open an experiment's `results.nc` and ask it for its axes, parameters and labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import xarray as xr

from analysis.header import LoadError, results_file


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
    if "status" not in dataset or "configuration" not in dataset.attrs:
        raise LoadError(f"{file}: no result of the pipeline (it has no status or configuration)")
    return dataset


def axes(dataset: xr.Dataset) -> list[str]:
    """Return the swept dimensions in the order of the sweep, seeds among them."""
    return [str(name) for name in dataset["status"].dims]


def constants(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the parameters that were not swept, nested as in `conf/`."""
    return json.loads(dataset.attrs["configuration"])


def parameter(dataset: xr.Dataset, key: str) -> xr.DataArray:
    """Return a parameter such as `stdp.A_plus`: a number, or its values along the axes it follows.

    Raises
    ------
    KeyError
        If the file knows no such parameter.
    """
    for coordinate in dataset.coords.values():
        # The index of synapses and times have keys too, of what sets how many there are.
        along_axes = set(coordinate.dims) <= set(axes(dataset))
        if along_axes and coordinate.attrs.get("config_key") == key:
            return coordinate.reset_coords(drop=True)
    for coordinate in dataset.coords.values():
        settings = json.loads(coordinate.attrs.get("settings", "[]"))
        if settings and key in settings[0]:
            values = [choice[key] for choice in settings]
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
    """Return one value of an axis with its unit: "10 Hz"."""
    text = value if isinstance(value, str) else f"{value:g}"
    return " ".join([str(text), coordinate.attrs.get("units", "")]).strip()
