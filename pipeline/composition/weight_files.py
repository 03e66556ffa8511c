"""Initial weights of a file, or of one point of an experiment: its final ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.composition.event_files import reason_of
from pipeline.model.errors import RequestError
from pipeline.model.initial_weights import WeightContent
from pipeline.model.variables import DONE
from pipeline.system.locks import alone_in_hdf5

#: Name of the array in a file.
WEIGHTS = "weights"

_SUFFIXES = (".npz", ".npy", ".csv", ".nc")


def read_weight_file(path: Path, conditions: Sequence[str]) -> WeightContent:
    """Read and check initial weights.

    Parameters
    ----------
    path : Path
        A file, or the directory of an experiment.
    conditions : sequence of str
        `KEY=VALUE` of the point of an experiment.

    Raises
    ------
    RequestError
        If it cannot be read, has other than weights, or no such point.
    """
    if path.is_dir():
        path = path / "results.nc"
    if path.suffix.lower() not in _SUFFIXES:
        raise RequestError(f"must be an experiment, or a file {' or '.join(_SUFFIXES)}")
    if conditions and path.suffix.lower() != ".nc":
        raise RequestError(f"{conditions[0]}: is for a point of an experiment, not of a file")
    try:
        return WeightContent.of(_weights(path, conditions))
    except RequestError:
        raise
    except Exception as error:  # damaged files raise errors of many types
        raise RequestError(f"cannot be read ({reason_of(error)})") from error


def _weights(path: Path, conditions: Sequence[str]) -> NDArray:
    """Return the weights of a file, (n_synapses,), dimensionless."""
    suffix = path.suffix.lower()
    if suffix == ".nc":
        return _of_netcdf(path, conditions)
    if suffix == ".npy":
        return np.load(path)
    if suffix == ".npz":
        with path.open("rb") as file, np.load(file) as archive:
            if WEIGHTS not in archive:
                there = ", ".join(archive) or "nothing"
                raise RequestError(f"must have an array {WEIGHTS}; there is {there}")
            return archive[WEIGHTS]
    first, *lines = path.read_text(encoding="utf-8-sig").splitlines() or [""]
    if first.strip() != WEIGHTS:
        raise RequestError(f"line 1: must be {WEIGHTS}, and is {first[:60]!r}")
    return np.loadtxt(lines, ndmin=1)


def _of_netcdf(path: Path, conditions: Sequence[str]) -> NDArray:
    """Return final weights of a point of results, or the variable `weights`, (n_synapses,)."""
    import netCDF4

    with alone_in_hdf5(), netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        if "status" not in file.variables or "weight" not in file.variables:
            if WEIGHTS not in file.variables:
                raise RequestError(f"must be results, or have a variable {WEIGHTS}")
            return file[WEIGHTS][...]
        index = _index_of(file, conditions)
        if np.asarray(file["status"][...])[index] != DONE:
            raise RequestError("the point is not done")
        # A file of `simulate` has no axes.
        weights = file["weight"][(*index, slice(None))] if index else file["weight"][...]
        return weights[: int(np.isfinite(weights).sum())]  # NaN beyond the synapses of a point


def _index_of(file: Any, conditions: Sequence[str]) -> tuple[int, ...]:
    """Return the index of the one point that meets all conditions."""
    axes = {name: np.asarray(file[name][...]).tolist() for name in file["status"].dimensions}
    keys = {file[name].config_key: name for name in axes}
    found = dict(_indices(axes, keys, conditions))
    for name, values in axes.items():
        if len(values) > 1 and name not in found:
            shown = ", ".join(map(str, values[:5])) + (", ..." if len(values) > 5 else "")
            raise RequestError(
                f"must name one point: {name} is {shown}; add :{name}={values[0]} for one of them"
            )
    return tuple(found.get(name, 0) for name in axes)


def _indices(
    axes: Mapping[str, list[Any]], keys: Mapping[str, str], conditions: Sequence[str]
) -> Iterator[tuple[str, int]]:
    """Yield the name of the axis and the index of each condition."""
    for condition in conditions:
        key, _, text = condition.partition("=")
        name = keys.get(key, key)
        if name not in axes:
            swept = f"one of its axes, {', '.join(axes)}" if axes else "none: it has no axes"
            raise RequestError(f"{condition}: must be a value on {swept}")
        meets = [i for i, value in enumerate(axes[name]) if _is_written(value, text)]
        if not meets:
            shown = ", ".join(map(str, axes[name][:5])) + (", ..." if len(axes[name]) > 5 else "")
            raise RequestError(f"{condition}: must be one of {shown}")
        yield name, meets[0]


def _is_written(value: Any, text: str) -> bool:
    """Whether a text is a value, in any spelling of a number."""
    try:
        return float(text) == value if isinstance(value, int | float) else str(value) == text
    except ValueError:
        return False
