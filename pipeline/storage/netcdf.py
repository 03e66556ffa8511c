"""The file format of results, netCDF-4: write labelled datasets, read requests and runs back.

The file is written without xarray because importing that takes longer than most sweeps do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.variables import DONE
from pipeline.storage.labels import LabelledArray, LabelledDataset

#: Bytes that are compressed, and read, at a time.
_CHUNK = 1_000_000


def write_netcdf(dataset: LabelledDataset, path: Path) -> None:
    """Write a netCDF-4 file; arrays are compressed, floating-point holes are NaN (CF-1.11).

    Raises
    ------
    OSError
        If it cannot be written.
    """
    import netCDF4

    try:
        with netCDF4.Dataset(path, "w") as file:
            _write_all(dataset, file)
    except RuntimeError as error:  # what HDF5 makes of a full disk
        raise OSError(f"{error}; is the disk full?") from error


def _write_all(dataset: LabelledDataset, file: Any) -> None:
    file.setncatts(dataset.attributes)
    for dims, values, _ in (*dataset.variables.values(), *dataset.coordinates.values()):
        for dim, size in zip(dims, values.shape, strict=True):
            if dim not in file.dimensions:
                file.createDimension(dim, size)
    for name, variable in dataset.coordinates.items():
        # A coordinate has no missing values, and CF wants no fill value on it.
        _write(file, name, variable, fill_value=None)
    for name, variable in dataset.variables.items():
        beside = _coordinates_beside(variable[0], dataset.coordinates)
        fill_value = np.nan if variable[1].dtype.kind == "f" else None
        _write(file, name, variable, fill_value, **beside)


def _coordinates_beside(
    dims: tuple[str, ...], coordinates: Mapping[str, LabelledArray]
) -> dict[str, str]:
    """Return the attribute that names coordinates which are no dimensions (CF-1.11, 5)."""
    names = [
        name
        for name, (along, _, _) in coordinates.items()
        if (name,) != along and set(along) <= set(dims)
    ]
    return {"coordinates": " ".join(names)} if names else {}


def _chunk_sizes(values: NDArray) -> list[int]:
    """Return chunks that hold neighbours in memory: some points, and all of each."""
    sizes, room = [], max(1, _CHUNK // values.itemsize)
    for size in reversed(values.shape):
        sizes.insert(0, max(1, min(size, room)))
        room //= size
    return sizes


def _write(
    file: Any, name: str, variable: LabelledArray, fill_value: float | None, **more: str
) -> None:
    dims, values, attributes = variable
    words = values.dtype.kind == "U"
    bulky = values.size > 1 and not words
    created = file.createVariable(
        name,
        str if words else values.dtype,
        dims,
        chunksizes=_chunk_sizes(values) if bulky else None,
        compression="zlib" if bulky else None,
        complevel=1,
        shuffle=bulky,
        fill_value=fill_value,
    )
    created.setncatts({**attributes, **more})
    created[...] = values.astype(object) if words else values


def request_in(file: Any) -> dict[str, Any]:
    """Return the request that an open netCDF file answers, as `request.request_of` gave it.

    Raises
    ------
    KeyError, ValueError
        If it is no file of the pipeline.
    """
    request = json.loads(file.getncattr("configuration"))
    axes = {}
    for name in file["status"].dimensions:
        coordinate = file[name]
        attributes = coordinate.__dict__
        values = np.asarray(coordinate[...]).tolist()
        settings = json.loads(attributes.get("settings", "null"))
        axes[attributes["config_key"]] = (
            values if settings is None else dict(zip(values, settings, strict=True))
        )
    return {"model_version": int(file.getncattr("model_version"))} | request | {"axes": axes}


def n_done_in(file: Any) -> int:
    """Return how many points of an open netCDF file are done."""
    return int((np.asarray(file["status"][...]) == DONE).sum())


def runs_in(file: Any) -> list[dict[str, Any]]:
    """Return the runs that an open netCDF file is made of; see `provenance`."""
    return json.loads(file.getncattr("runs"))


def from_results(path: Path, read: Any) -> Any:
    """Return what `read` finds in a results.nc, or None where there is no such file to be read."""
    import netCDF4

    try:
        with netCDF4.Dataset(path) as file:
            return read(file)
    except Exception:  # not there, damaged in whatever way, or of something else
        return None
