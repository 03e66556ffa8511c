"""`results.nc`, a netCDF-4 file: write labelled datasets, read requests and runs back.

The file is written without xarray, because importing xarray takes longer than most sweeps.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pipeline.model.parameters import MODEL_VERSION
from pipeline.model.variables import DONE
from pipeline.request.samples import SAMPLE
from pipeline.request.spec import (
    GROWN_FROM,
    SOURCES,
    grid_of_request,
    request_of,
    source_hashes,
)
from pipeline.storage.along_axes import LabelledArray, LabelledVariable
from pipeline.storage.arrays import ResultArrays
from pipeline.storage.columns import GatheredVariable, contiguous_sizes
from pipeline.storage.labels import LabelledDataset
from pipeline.storage.sample_labels import plain_values, stored_samples
from pipeline.system.atomic_files import can_be_locked
from pipeline.system.locks import alone_in_hdf5
from pipeline.system.memory import refuse_less_than

T = TypeVar("T")

#: Size of a compressed chunk [bytes].
_CHUNK = 1_000_000

#: HDF5 ends a process that creates a file with some 0.7 MB left.
_LEAST_MEMORY = 2_000_000


def write_netcdf(dataset: LabelledDataset, path: Path) -> None:
    """Write a netCDF-4 file by the conventions CF-1.11.

    Arrays are compressed; missing floating-point values are NaN.

    Parameters
    ----------
    dataset : LabelledDataset, (axes of the grid, further dimensions of each variable)
        The results; units [ms, Hz, mV, ...] are in the attribute `units` of each variable.
    path : Path
        The file, which is overwritten.

    Raises
    ------
    OSError
        If the file cannot be written.
    MemoryError
        If so little is left that the library would end the process.
    """
    try:
        with _created(path) as file:
            _write_all(dataset, file)
    except RuntimeError as error:  # HDF5 reports a full disk so
        raise OSError(f"{error}; is the disk or the memory full?") from error


@contextlib.contextmanager
def _created(path: Path) -> Iterator[Any]:
    """Yield a new netCDF file; it is written at the end where the file system has no locks."""
    import netCDF4

    with alone_in_hdf5():
        refuse_less_than(_LEAST_MEMORY)
        try:
            file = netCDF4.Dataset(path, "w")
        except OSError:
            if can_be_locked(path):
                raise
            file = netCDF4.Dataset(path.name, "w", memory=_CHUNK)
        content = None
        try:
            yield file
        finally:
            content = file.close()
        if content is not None:
            path.write_bytes(content)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a netCDF file to read it; HDF5 needs its content where the file system has no locks.

    Raises
    ------
    OSError
        If it is missing, damaged, or open for writing in another process.
    """
    import netCDF4

    with alone_in_hdf5():
        try:
            file = netCDF4.Dataset(path)
        except FileNotFoundError:
            raise
        except OSError:
            if not path.is_file() or can_be_locked(path):
                raise
            file = netCDF4.Dataset(path.name, memory=path.read_bytes())
        with file:
            yield file


def _write_all(dataset: LabelledDataset, file: Any) -> None:
    file.setncatts(dataset.attributes)
    for dims, values, _ in (*dataset.variables.values(), *dataset.coordinates.values()):
        for dim, size in zip(dims, values.shape, strict=True):
            if dim not in file.dimensions:
                file.createDimension(dim, size)
    for name, coordinate in dataset.coordinates.items():
        # CF allows no missing values in a coordinate, and no fill value.
        _write(file, name, coordinate, fill_value=None)
    for name, variable in dataset.variables.items():
        auxiliary = _auxiliary_coordinates(variable[0], dataset.coordinates)
        fill_value = np.nan if variable[1].dtype.kind == "f" else None
        _write(file, name, variable, fill_value, **auxiliary)


def _auxiliary_coordinates(
    dims: tuple[str, ...], coordinates: Mapping[str, LabelledArray]
) -> dict[str, str]:
    """Return the attribute that lists auxiliary coordinates (CF-1.11, section 5)."""
    names = [
        name
        for name, (along, _, _) in coordinates.items()
        if (name,) != along and set(along) <= set(dims)
    ]
    return {"coordinates": " ".join(names)} if names else {}


def _write(
    file: Any, name: str, variable: LabelledVariable, fill_value: float | None, **more: str
) -> None:
    dims, values, attributes = variable
    if values.dtype == bool:  # netCDF has none; xarray reads it back by this attribute
        values, more = np.asarray(values, np.int8), {**more, "dtype": "bool"}
    if values.dtype.kind == "U":
        _write_text(file, name, (dims, np.asarray(values), attributes))
        return
    compressed = values.size > 1
    # Some points, and all values of each.
    chunks = contiguous_sizes(values.shape, max(1, _CHUNK // values.dtype.itemsize))
    created = file.createVariable(
        name,
        values.dtype,
        dims,
        chunksizes=chunks if compressed else None,
        compression="zlib" if compressed else None,
        complevel=1,
        shuffle=compressed,
        fill_value=fill_value,
    )
    created.setncatts({**attributes, **more})
    if isinstance(values, GatheredVariable):
        for place, block in values.blocks(chunks):
            created[(*place, ...)] = block
    else:
        created[...] = values


def _write_text(file: Any, name: str, variable: LabelledArray) -> None:
    """Write words as characters, which xarray and netCDF4 join again.

    HDF5 ends a process that opens a file with words of variable length while it is open.
    """
    dims, values, attributes = variable
    encoded = np.char.encode(values, "utf-8")
    length = f"string{encoded.dtype.itemsize}"
    if length not in file.dimensions:
        file.createDimension(length, encoded.dtype.itemsize)
    created = file.createVariable(name, "S1", (*dims, length))
    created.setncatts({**attributes, "_Encoding": "utf-8"})
    created.set_auto_chartostring(False)
    created[...] = np.ascontiguousarray(encoded)[..., np.newaxis].view("S1")


def request_in(file: Any) -> dict[str, Any]:
    """Return the request of an open netCDF file, in the form of `spec.request_of`.

    Raises
    ------
    AttributeError, KeyError, ValueError
        If it is not a file of the pipeline.
    """
    request = json.loads(file.getncattr("configuration"))
    axes: dict[str, Any] = {}
    for name in file["status"].dimensions:
        coordinate = file[name]
        attributes = coordinate.__dict__
        if attributes["config_key"] == SAMPLE:
            axes[SAMPLE] = stored_samples(file)
            continue
        values = plain_values(coordinate)
        settings = json.loads(attributes.get("settings", "null"))
        axes[attributes["config_key"]] = (
            values if settings is None else dict(zip(values, settings, strict=True))
        )
    grown_from = json.loads(getattr(file, GROWN_FROM, "[]"))
    if grown_from:
        request[GROWN_FROM] = grown_from
    if sources := source_hashes(sources_in(file)):
        request[SOURCES] = sources
    return {"model_version": int(file.getncattr("model_version"))} | request | {"axes": axes}


def sources_in(file: Any) -> dict[str, dict[str, str]]:
    """Return the source texts of the user's rules and processes, by key and by name."""
    found: dict[str, dict[str, str]] = {}
    for key, attribute in (("stdp.rule", "rules"), ("input.process", "processes")):
        described = json.loads(getattr(file, attribute, "{}"))
        own = {name: about["source"] for name, about in described.items() if about["source"]}
        found |= {key: own} if own else {}
    return found


def n_done_in(file: Any) -> int:
    """Return how many points of an open netCDF file are done."""
    return int((np.asarray(file["status"][...]) == DONE).sum())


def n_lost_in(file: Any, arrays: ResultArrays) -> int:
    """Return how many points of an open netCDF file are done there, and not in some arrays."""
    done = np.flatnonzero(np.asarray(file["status"][...]).ravel() == DONE)
    request, grid = request_in(file), arrays.grid
    if not done.size or request["model_version"] != MODEL_VERSION:
        return done.size
    if request == request_of(grid):
        return int((~arrays.are_done(done)).sum())
    rows, positions = grid.keys.find(grid_of_request(request).keys.texts(done))
    return done.size - np.unique(rows[arrays.are_done(positions)]).size


def runs_in(file: Any) -> list[dict[str, Any]]:
    """Return the runs that computed the points of an open netCDF file; see `provenance`.

    Of a single simulation they are none: it is described by the attributes of the file.
    """
    return json.loads(getattr(file, "runs", "[]"))


def read_results(path: Path, read: Callable[[Any], T]) -> T:
    """Return what a function reads from the file at `path`.

    Raises
    ------
    Exception
        Of many types, if the file is missing, damaged, or not of the pipeline.
    """
    with opened(path) as file:
        return read(file)


def from_results(path: Path, read: Callable[[Any], T]) -> T | None:
    """Return what a function reads from the file at `path`, None where it cannot be read."""
    try:
        return read_results(path, read)
    except Exception:  # see there
        return None
