"""Metadata of a `results.nc`: parameters, axes, numbers of points and provenance, without data.

Read with netCDF4 alone: importing xarray takes longer than reading the metadata of a hundred files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from analysis.reading.commands import command
from analysis.reading.errors import LoadError
from analysis.reading.flags import meanings_of_flags
from analysis.reading.netcdf import HDF5, open_netcdf
from analysis.reading.runs import created
from analysis.reading.values import canonical

RESULTS = "results.nc"

#: The folder of an experiment with its shards, and the file there that holds their number.
SHARDS, DIVISION = "shards", "shards.json"

#: Newest `schema_version` of `results.nc` that can be read. Files without it are of version 0.
SCHEMA_VERSION = 1

#: Values of the variable `status`.
DONE, FAILED, MISSING = 0, 1, 2

#: The plasticity rule of all points of files of version 0, which do not name it.
FIRST_RULE = "additive"

#: The seed policy of files that do not name one.
FIRST_SEED_POLICY = "shared"

#: Keys whose last word is that of a key of an earlier section.
_SHARED_LAST_WORD = {"inhibition.n_synapses", "inhibition.rate_hz"}


@dataclass(frozen=True)
class Axis:
    """One swept key.

    Attributes
    ----------
    name, key : str
        Its names in the file and in the configuration: `A_plus`, `stdp.A_plus`.
    values : list
        Numbers, or the names of a group's choices.
    settings : list of dict
        For a group, what each choice sets, by key; empty for a single parameter.
    columns : tuple of Axis
        Of samples the sampled keys, each with its value at every sample.
    tied : tuple of Axis
        Of samples the keys that follow these by `${...}`, likewise.
    """

    name: str
    key: str
    values: list[Any]
    settings: list[dict[str, Any]]
    columns: tuple[Axis, ...] = ()
    tied: tuple[Axis, ...] = ()

    @property
    def given(self) -> tuple[Axis, ...]:
        """The keys that a user has given along the axis: this one, or those that are sampled."""
        return self.columns or (self,)

    @cached_property
    def rows(self) -> list[Any]:
        """What identifies each value: of a sample the values of its keys, not its number."""
        columns = [map(canonical, one.values) for one in self.given]
        return list(zip(*columns, strict=True)) if self.columns else list(columns[0])


@dataclass(frozen=True)
class Setting:
    """The value of a key: constant, or one value for each value of an axis.

    Attributes
    ----------
    along : str
        Key of the axis; empty for a constant.
    values : mapping
        Values by the canonical value of the axis; of a constant, by "". Choices of a group without
        such a parameter, as of another plasticity rule, have no value.
    """

    along: str
    values: Mapping[Any, Any]


@dataclass(frozen=True)
class Metadata:
    """The metadata of one `results.nc`.

    Attributes
    ----------
    constants : dict
        Parameters that were not swept, by key.
    axes : tuple of Axis
        In the order of the sweep.
    followers : tuple of Axis
        Derived parameters, such as `stdp.A_minus` where it is null, with all their values.
    points : tuple of int
        Numbers of points done, failed and missing; of a shard, those of its own points.
    n_not_settled : int
        Number of points that had not settled within the limit of `simulation.until=settled`.
    attributes : dict
        Global attributes of the file.
    runs : list of dict
        Provenance of each run that contributed points, newest last; empty if not recorded.
    created : datetime or None
        Start of the newest run.
    seconds : float or None
        Total run time of all runs [s].
    """

    constants: dict[str, Any]
    axes: tuple[Axis, ...]
    followers: tuple[Axis, ...]
    points: tuple[int, int, int]
    n_not_settled: int
    attributes: dict[str, Any]
    runs: list[dict[str, Any]]
    created: datetime | None
    seconds: float | None

    @cached_property
    def settings(self) -> dict[str, Setting]:
        """Settings by key: an axis overrides the choices of a group, which override a constant."""
        settings = {
            one.key: Setting(axis.key, dict(zip(axis.rows, one.values, strict=True)))
            for axis in self.axes
            for one in (axis, *axis.columns, *axis.tied)
        }
        return settings | {k: v for k, v in self._not_swept.items() if k not in settings}

    @property
    def _not_swept(self) -> dict[str, Setting]:
        """Settings of keys that a choice of a group sets, else constants."""
        settings: dict[str, Setting] = {}
        weaker = [_chosen(axis, one) for axis in self.axes for one in axis.given]
        weaker.append({key: Setting("", {"": value}) for key, value in self.constants.items()})
        for by_key in weaker:
            for key, setting in by_key.items():
                settings.setdefault(key, setting)
        return settings

    @cached_property
    def parameters(self) -> dict[str, list[Any]]:
        """All values that each key has in the experiment; for null also the derived values."""
        parameters = {key: [*one.values.values()] for key, one in self._not_swept.items()}
        parameters |= {o.key: [*o.values] for a in self.axes for o in (a, *a.columns, *a.tied)}
        for follower in self.followers:
            parameters[follower.key] = parameters.get(follower.key, []) + follower.values
        return parameters

    @cached_property
    def described(self) -> dict[str, dict[str, Any]]:
        """`long_name`, `units` and `neutral`, where there are any, by key; none in older files."""
        return json.loads(self.attributes.get("parameters", "{}"))

    @cached_property
    def own_files(self) -> dict[str, str]:
        """Content of the user's configuration files by path, in their last state."""
        files: dict[str, str] = {}
        for run in self.runs or [self.attributes]:
            own = run.get("own_files")
            own = json.loads(own) if isinstance(own, str) else own  # of a single simulation
            files |= own if isinstance(own, Mapping) else {}
        return files

    def said(self, name: str) -> list[str]:
        """Return the distinct values of one entry of `runs`, such as `git_commit`, newest last.

        Where no run has this entry, the global attribute of the same name, if there is one.
        """
        newest_first = [str(run[name]) for run in reversed(self.runs) if name in run]
        if not newest_first and name in self.attributes:
            return [str(self.attributes[name])]
        return list(dict.fromkeys(newest_first))[::-1]


def results_file(path: str | Path) -> Path:
    """Return the path of the results in an experiment directory, or of the file itself.

    Raises
    ------
    LoadError
        If there is no such file.
    """
    path = Path(path)
    file = path / RESULTS if path.is_dir() else path
    if not file.is_file():
        if (path / "configuration.yaml").is_file():
            raise LoadError(
                f"{path}: has no {RESULTS} yet; it is written when the sweep ends, and after an "
                "interruption or a kill the same command resumes it"
            )
        if (path / SHARDS / DIVISION).is_file():
            raise LoadError(
                f"{path}: has only shards, that are not merged; {command('merge', str(path))} "
                "merges them"
            )
        raise LoadError(f"{path}: must be an experiment directory with a {RESULTS}, or that file")
    return file


def beside(file: Path, name: str) -> Path:
    """Return the path of what is made of a results file: `figures`, or `a_figures` of `a.nc`."""
    return file.with_name(name if file.name == RESULTS else f"{file.stem}_{name}")


def refuse_newer_schema(attributes: Mapping[str, Any]) -> None:
    """Refuse a file that a later version of the pipeline wrote, whose names may differ.

    Raises
    ------
    LoadError
        If `schema_version` is greater than `SCHEMA_VERSION`. Of greater model versions any file can
        be read: they change numbers, not what they are called.
    """
    version = int(attributes.get("schema_version", 0))
    if version > SCHEMA_VERSION:
        raise LoadError(
            f"has schema_version {version}; this version of analysis reads up to {SCHEMA_VERSION}: "
            "update it"
        )


def nested_constants(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that were not swept, nested as in `conf/`.

    Raises
    ------
    KeyError, ValueError
        If the attributes hold no configuration.
    """
    values = json.loads(attributes["configuration"])
    if not isinstance(values, dict):
        raise ValueError("the configuration is no mapping")
    if "schema_version" not in attributes:
        values.setdefault("stdp", {}).setdefault("rule", FIRST_RULE)
    values.setdefault("input", {}).setdefault("seed_policy", FIRST_SEED_POLICY)
    return values


def keys_set_by(choices: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return all keys that the choices of a group set, each once; some may set a part of them."""
    return list(dict.fromkeys(key for choice in choices for key in choice))


def read_metadata(file: Path) -> Metadata:
    """Read the metadata of a `results.nc`.

    Raises
    ------
    LoadError
        If the file cannot be read, was not written by the pipeline, or by a later version of it.
    """
    try:
        with HDF5, open_netcdf(file) as dataset:
            dataset.set_auto_maskandscale(False)
            return _metadata(dataset)
    except LoadError as error:
        raise LoadError(f"{file}: {error}") from None
    except Exception as error:  # damaged files raise errors of many types
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:100]
        raise LoadError(f"{file}: cannot be read as netCDF ({reason})") from error


def flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested mappings to dotted keys, such as `stdp.A_plus`."""
    values: dict[str, Any] = {}
    for name, value in nested.items():
        key = f"{prefix}{name}"
        values |= flat(value, f"{key}.") if isinstance(value, Mapping) else {key: value}
    return values


def short_name(key: str) -> str:
    """Return the name of a key's dimension: its last word, with its section if that is shared."""
    section, _, name = key.rpartition(".")
    return f"{section}_{name}" if key in _SHARED_LAST_WORD else name


def _metadata(dataset: netCDF4.Dataset) -> Metadata:
    attributes = {name: dataset.getncattr(name) for name in dataset.ncattrs()}
    if "status" not in dataset.variables or "configuration" not in attributes:
        raise LoadError("not results of the pipeline (it has no status or configuration)")
    refuse_newer_schema(attributes)
    status = dataset["status"]
    flags = np.asarray(status[...])
    coordinates = dict(_coordinates(dataset, status.dimensions))
    axes = tuple(
        _with_columns(coordinates.pop(name), dataset[name], coordinates.values())
        if name in coordinates
        else Axis(name, name, list(range(size)), [])
        for name, size in zip(status.dimensions, flags.shape, strict=True)
    )
    n_done, n_failed, n_missing = (int((flags == flag).sum()) for flag in (DONE, FAILED, MISSING))
    if "shard_points" in attributes:  # the others are of other shards
        n_missing = max(0, int(attributes["shard_points"]) - n_done - n_failed)
    runs = json.loads(attributes.get("runs", "[]"))
    seconds = attributes.get("seconds")
    return Metadata(
        constants=flat(nested_constants(attributes)),
        axes=axes,
        followers=tuple(coordinates.values()),
        points=(n_done, n_failed, n_missing),
        n_not_settled=_n_not_settled(dataset),
        attributes=attributes,
        runs=[dict(run) for run in runs],
        created=created(runs[-1] if runs else attributes),
        seconds=None if seconds is None else float(seconds),
    )


def _with_columns(axis: Axis, variable: netCDF4.Variable, others: Iterable[Axis]) -> Axis:
    """Return an axis with the keys that are sampled along it, or follow; others have none."""
    by_key = {one.key: one for one in others}
    sampled, tied = (json.loads(getattr(variable, name, "[]")) for name in ("sampled", "tied"))
    # What follows may be null at some samples, and has no value there.
    whole = [key for key in tied if key in by_key and len(by_key[key].values) == len(axis.values)]
    return replace(
        axis,
        columns=tuple(by_key[key] for key in sampled),
        tied=tuple(by_key[key] for key in whole),
    )


def _n_not_settled(dataset: netCDF4.Dataset) -> int:
    """Return the number of points of which the flags `settled` say that they have not."""
    if "settled" not in dataset.variables:
        return 0
    try:
        meanings = meanings_of_flags(dataset["settled"].__dict__)
    except KeyError:
        return 0
    open_ones = [value for value, meaning in meanings.items() if meaning == "not settled"]
    return int(np.isin(dataset["settled"][...], open_ones).sum())


def _coordinates(dataset: netCDF4.Dataset, swept: Sequence[str]) -> Iterator[tuple[str, Axis]]:
    """Yield the values of keys along swept axes: the axes themselves and derived parameters.

    Coordinates along `synapse` or `time` are left out: their `config_key` is the key that sets
    their length. Derived parameters are NaN, and left out, where a rule has none of this name.
    """
    for name, variable in dataset.variables.items():
        # In the classic format a word is an array of characters.
        along = variable.dimensions[:-1] if variable.dtype == "S1" else variable.dimensions
        if not set(along) <= set(swept):
            continue
        names = variable.ncattrs()
        if "config_key" in names:
            key = variable.getncattr("config_key")
            settings = json.loads(variable.getncattr("settings")) if "settings" in names else []
            stored = _stored(variable)
            if "dtype" in variable.ncattrs():  # xarray's mark of truth values
                stored = stored.astype(variable.getncattr("dtype"))
            values = [value for value in stored.tolist() if value == value]
            if "choices" in names:  # along samples, which may have the same one
                by_choice = dict(zip(json.loads(variable.choices), settings, strict=True))
                settings = [by_choice[value] for value in values]
            yield name, Axis(name, key, values, settings)


def _stored(variable: netCDF4.Variable) -> NDArray:
    """Return the values of a variable, (n_values,); words of the classic format are joined."""
    values = np.asarray(variable[...])
    if values.dtype.kind != "S":
        return np.ravel(values)
    encoding = getattr(variable, "_Encoding", "utf-8")
    return np.ravel(netCDF4.chartostring(values, encoding=encoding))


def _chosen(axis: Axis, one: Axis) -> dict[str, Setting]:
    """Return what the choices of a group set; what all of them set alike is a constant."""
    settings = {}
    for key in keys_set_by(one.settings):
        chosen = {
            row: choice[key]
            for row, choice in zip(axis.rows, one.settings, strict=True)
            if key in choice
        }
        values = list(chosen.values())
        alike = len(values) == len(axis.values) and len(set(map(canonical, values))) == 1
        settings[key] = Setting("", {"": values[0]}) if alike else Setting(axis.key, chosen)
    return settings
