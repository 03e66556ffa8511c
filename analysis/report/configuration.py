"""Tables of the axes of an experiment, and of its configuration by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.measures.seeds import SEED
from analysis.reading.dataset import axes, coordinate_of, long_name, parameter
from analysis.reading.metadata import Axis, Metadata, short_name
from analysis.reading.samples import sampled_keys, tied_keys
from analysis.reading.until import ends_when_settled
from analysis.reading.values import written
from analysis.report.markup import Markup, element, joined
from analysis.report.point_names import value_text

#: Value of `input.seed_policy` with which a seed is the same random numbers at every point.
_SHARED = "shared"

_EFFECTIVE_RATIO = "stdp.effective_ltd_ratio"

#: Up to this many values are listed, as of seeds; of more, the first ones and the last.
MAX_VALUES = 40

#: Up to this many different numbers of samples are listed; of more, the smallest and the largest.
_MAX_DIFFERENT = 6

Row = list[Any]


def axis_rows(dataset: xr.Dataset) -> list[Row]:
    """Return one row per axis: name, key, meaning, unit, number of values, values.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    list of list
        Rows of a table, in the order of the sweep.
    """
    return [_axis_row(dataset[axis]) for axis in axes(dataset)]


def _axis_row(coordinate: xr.DataArray) -> Row:
    attributes = coordinate.attrs
    return [
        str(coordinate.name),
        element("code", attributes.get("config_key", coordinate.name)),
        long_name(coordinate),
        attributes.get("units", ""),
        coordinate.size,
        listed(coordinate.values.tolist()),
    ]


def listed(values: Sequence[Any]) -> str:
    """Return values as text: up to `MAX_VALUES`; of more, the first ones and the last."""
    texts = [written(value) for value in values]
    if len(texts) > MAX_VALUES:
        texts = [*texts[: MAX_VALUES // 2], "…", texts[-1]]
    return ", ".join(texts)


def values_text(found: xr.DataArray) -> str:
    """Return the values of a key that samples set: each different one, or "10.3 to 59.8".

    Parameters
    ----------
    found : DataArray, (...)
        Numbers in any unit, NaN where a point has no such parameter, or names.
    """
    values = np.unique(found.values[found.notnull().values]).tolist()
    if len(values) > _MAX_DIFFERENT and not isinstance(values[0], str):
        return f"{written(values[0])} to {written(values[-1])}"
    return listed(values)


def seeds_text(dataset: xr.Dataset) -> str:
    """Return whether the points of a sweep share the random numbers of their input.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    str
        One or two sentences; "" for fewer than two parameter combinations.
    """
    swept = [axis for axis in axes(dataset) if axis != SEED]
    if all(dataset.sizes[axis] < 2 for axis in swept):
        return ""
    policies = parameter(dataset, "input.seed_policy").values
    if not (policies == _SHARED).any():
        return "Each point has random numbers of its own (input.seed_policy=independent)."
    some = "" if (policies == _SHARED).all() else f" with input.seed_policy={_SHARED}"
    return (
        f"All parameter combinations{some} share their seeds"
        f"{'' if some else f' (input.seed_policy={_SHARED})'}: points with one seed have the same "
        "random numbers of their input, so neighbouring points move together. "
        "analysis.paired_difference compares them seed by seed."
    )


def configuration_rows(dataset: xr.Dataset, metadata: Metadata) -> dict[str, list[Row]]:
    """Return one row per key: short name, value or values, and meaning.

    Parameters
    ----------
    dataset : Dataset
        The points that are shown, with `status` (...), dimensionless, along all swept axes; units
        and long names are attributes of its coordinates.
    metadata : Metadata
        Of the whole file.

    Returns
    -------
    dict of list
        Rows by section, such as `stdp`; keys without one are in `general`.
    """
    swept = {axis.key: axis for axis in metadata.axes}
    sampled = dict.fromkeys(sampled_keys(dataset), "sampled")
    sampled |= dict.fromkeys(tied_keys(dataset), "follows samples")
    choosing = [one for axis in metadata.axes for one in (axis, *map(_each_once, axis.columns))]
    set_by_choice = {
        key: [one for one in choosing if any(key in choice for choice in one.settings)]
        for axis in choosing
        for choice in axis.settings
        for key in choice
        if key not in sampled
    }
    sections: dict[str, list[Row]] = {}
    for key in dict.fromkeys([*metadata.constants, *set_by_choice, *swept, *sampled]):
        section = key.rpartition(".")[0]
        known = _in_place_of_null(dataset) if key == _EFFECTIVE_RATIO else None
        known = coordinate_of(dataset, key) if known is None else known
        # The same in all files: of earlier ones, that of the coordinate.
        described = metadata.described.get(key) or (known.attrs if known is not None else {})
        if key in swept:
            value, mark = _swept(dataset, swept[key])
        elif key in sampled and known is not None:
            value, mark = _with_unit(values_text(known), described), sampled[key]
        elif key in set_by_choice:
            value, mark = _chosen(set_by_choice[key], key, described)
        else:
            value = _constant(metadata.constants[key], known, described)
            is_limit = key == "simulation.duration" and ends_when_settled(dataset)
            mark = "limit of runs until settled" if is_limit else ""
        row = [short_name(key), value, _meaning(described, mark)]
        sections.setdefault(section or "general", []).append(row)
    return sections


def _each_once(column: Axis) -> Axis:
    """Return a key of samples as an axis: each choice once, with what it sets."""
    settings = dict(zip(column.values, column.settings, strict=False))
    return replace(column, values=list(settings), settings=list(settings.values()))


def _in_place_of_null(dataset: xr.Dataset) -> xr.DataArray | None:
    """Return the effective LTD ratio of the points, unless no rule has one."""
    ratio = dataset["effective_ltd_ratio"]
    return ratio if ratio.notnull().any() else None


def _swept(dataset: xr.Dataset, axis: Axis) -> tuple[str, str]:
    coordinate = dataset[axis.name]
    if coordinate.ndim == 0:
        value = value_text(coordinate.expand_dims("one"), 0)
        return value, f"one of {len(axis.values)} values"
    return _with_unit(listed(axis.values), coordinate.attrs), "swept"


def _chosen(by: Sequence[Axis], key: str, described: Mapping[str, str]) -> tuple[str, str]:
    """Return the value of a key by choice of a group, and which group sets it."""
    axis = by[-1]
    values = [
        f"{name}: {_with_unit(written(choice[key]), described)}"
        for name, choice in zip(axis.values, axis.settings, strict=True)
        if key in choice
    ]
    return ", ".join(values), f"set by {axis.key}"


def _constant(value: Any, known: xr.DataArray | None, described: Mapping[str, str]) -> str:
    """Return a value with its unit; for null also the derived values."""
    if value is not None:
        return _with_unit(written(value), described)
    if known is None:
        return written(value)
    derived = dict.fromkeys(map(written, known.values[known.notnull().values].tolist()))
    return _with_unit(f"null: {listed(list(derived))}", described)


def _with_unit(text: str, described: Mapping[str, Any]) -> str:
    """Return a value with its unit; null has none."""
    return text if text == "null" else f"{text} {described.get('units', '')}".strip()


def _meaning(described: Mapping[str, str], mark: str) -> Markup:
    name = described.get("long_name", "")
    name = name[:1].upper() + name[1:]
    return joined(name, " " if name and mark else "", element("mark", mark) if mark else "")
