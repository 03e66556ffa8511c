"""What `results.nc` tells of its experiment without its data: parameters, points, who made it.

Read with netCDF4 alone: importing xarray takes longer than reading a hundred experiments.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from analysis.reading.errors import LoadError

RESULTS = "results.nc"

#: The values of `status`: done, failed, missing.
_FLAGS = (0, 1, 2)


@dataclass(frozen=True)
class Axis:
    """One swept key.

    Attributes
    ----------
    name, key : str
        What it is called in the file and in the configuration: `A_plus`, `stdp.A_plus`.
    values : list
        Numbers, or the names of a group's choices.
    settings : list of dict
        What each value sets by key, where that is more than its own.
    """

    name: str
    key: str
    values: list[Any]
    settings: list[dict[str, Any]]


@dataclass(frozen=True)
class Metadata:
    """What a file tells of itself.

    Attributes
    ----------
    constants : dict
        What was not swept, by key.
    axes : tuple of Axis
        In the order of the sweep.
    parameters : dict of list
        Every value that a key has anywhere in the experiment, and what null stands for there.
    points : tuple of int
        How many are done, failed and missing.
    attributes : dict
        Those of the file, as they are.
    runs : list of dict
        What each run that made it says of itself, the newest last; empty if the file does not say.
    created : datetime or None
        When the newest run began.
    seconds : float or None
        How long all runs took.
    """

    constants: dict[str, Any]
    axes: tuple[Axis, ...]
    parameters: dict[str, list[Any]]
    points: tuple[int, int, int]
    attributes: dict[str, Any]
    runs: list[dict[str, Any]]
    created: datetime | None
    seconds: float | None

    def said(self, name: str) -> list[str]:
        """Return what the runs say of one thing, such as `git_commit`: each once, newest last.

        Where they do not say, or there are none, what the file says.
        """
        newest_first = [str(run[name]) for run in reversed(self.runs) if name in run]
        if not newest_first and name in self.attributes:
            return [str(self.attributes[name])]
        return list(dict.fromkeys(newest_first))[::-1]


def results_file(path: str | Path) -> Path:
    """Return the results of an experiment's directory, or the file itself.

    Raises
    ------
    LoadError
        If there is no such file.
    """
    path = Path(path)
    file = path / RESULTS if path.is_dir() else path
    if not file.is_file():
        raise LoadError(f"{path}: must be an experiment directory with a {RESULTS}, or that file")
    return file


def read_metadata(file: Path) -> Metadata:
    """Read a `results.nc`, but for its results.

    Raises
    ------
    LoadError
        If it cannot be read, or is no result of the pipeline.
    """
    try:
        with netCDF4.Dataset(file) as dataset:
            dataset.set_auto_maskandscale(False)
            return _header(dataset)
    except LoadError as error:
        raise LoadError(f"{file}: {error}") from None
    except Exception as error:  # damaged files raise errors of many types
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:100]
        raise LoadError(f"{file}: cannot be read as netCDF ({reason})") from error


def flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted key, such as `stdp.A_plus`."""
    values: dict[str, Any] = {}
    for name, value in nested.items():
        key = f"{prefix}{name}"
        values |= flat(value, f"{key}.") if isinstance(value, Mapping) else {key: value}
    return values


def _header(dataset: netCDF4.Dataset) -> Metadata:
    attributes = {name: dataset.getncattr(name) for name in dataset.ncattrs()}
    if "status" not in dataset.variables or "configuration" not in attributes:
        raise LoadError("no result of the pipeline (it has no status or configuration)")
    status = dataset["status"]
    flags = np.asarray(status[...])
    coordinates = dict(_coordinates(dataset, status.dimensions))
    axes = tuple(
        coordinates.pop(name, None) or Axis(name, name, list(range(size)), [])
        for name, size in zip(status.dimensions, flags.shape, strict=True)
    )
    constants = flat(json.loads(attributes["configuration"]))
    runs = json.loads(attributes.get("runs", "[]"))
    seconds = attributes.get("seconds")
    return Metadata(
        constants,
        axes,
        _parameters(constants, axes, list(coordinates.values())),
        tuple(int((flags == flag).sum()) for flag in _FLAGS),
        attributes,
        [dict(run) for run in runs],
        _created(runs[-1] if runs else attributes),
        None if seconds is None else float(seconds),
    )


def _coordinates(dataset: netCDF4.Dataset, swept: Sequence[str]) -> Iterator[tuple[str, Axis]]:
    """Yield what has a key and lies along swept axes only: these, and what follows others.

    The index of synapses and times have keys too, of what sets how many there are.
    """
    for name, variable in dataset.variables.items():
        if not set(variable.dimensions) <= set(swept):
            continue
        words = variable.ncattrs()
        if "config_key" in words:
            key = variable.getncattr("config_key")
            settings = json.loads(variable.getncattr("settings")) if "settings" in words else []
            yield name, Axis(name, key, np.ravel(variable[...]).tolist(), settings)


def _parameters(
    constants: Mapping[str, Any], axes: Sequence[Axis], followers: Sequence[Axis]
) -> dict[str, list[Any]]:
    parameters = {key: [value] for key, value in constants.items()}
    for axis in axes:
        for choice in axis.settings:
            for key, value in choice.items():
                parameters.setdefault(key, []).append(value)
    # What is swept by itself lies over what the choices of a group set.
    parameters |= {axis.key: axis.values for axis in axes}
    for follower in followers:
        parameters[follower.key] = parameters.get(follower.key, []) + follower.values
    return parameters


def _created(made: Mapping[str, Any]) -> datetime | None:
    """Return when a run began; None where it does not say, or nothing that can be."""
    try:
        time = datetime.fromisoformat(str(made["created"]).rpartition("; ")[2])
    except (KeyError, ValueError):
        return None
    if not 1970 <= time.year <= 9000:  # at the ends of the calendar some time zones have no date
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def packages_of(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the packages of a run by name, which an attribute of the file holds as JSON."""
    told = run.get("packages")
    try:
        packages = json.loads(told) if isinstance(told, str) else told
    except ValueError:
        return {}
    return packages if isinstance(packages, Mapping) else {}
