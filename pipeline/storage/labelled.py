"""Arrays with dimensions, coordinates and attributes: to xarray, or straight to a netCDF file.

Both give the same dataset. The file is written without xarray because importing that takes longer
than most sweeps do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

#: Dimensions, values and attributes of one variable.
LabelledArray = tuple[tuple[str, ...], NDArray, Mapping[str, Any]]

#: Bytes that are compressed, and read, at a time.
_CHUNK = 1_000_000


@dataclass(frozen=True)
class LabelledDataset:
    """A dataset in plain parts.

    Attributes
    ----------
    variables, coordinates : dict
        Dimensions, values and attributes by name.
    attributes : dict
        Those of the whole.
    """

    variables: Mapping[str, LabelledArray]
    coordinates: Mapping[str, LabelledArray]
    attributes: Mapping[str, Any]

    def values(self, name: str) -> NDArray:
        """Return the values of a variable."""
        return self.variables[name][1]

    def to_xarray(self) -> xr.Dataset:
        """Return the dataset that `xarray.open_dataset` reads from the file of `write_netcdf`."""
        import xarray as xr

        return xr.Dataset(dict(self.variables), dict(self.coordinates), dict(self.attributes))


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
