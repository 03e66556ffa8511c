"""Tables of the axes of an experiment, and of its configuration by section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from analysis.reading.dataset import axes, coordinate_of, long_name
from analysis.reading.metadata import Axis, Metadata
from analysis.reading.values import written
from analysis.report.markup import Markup, element, joined
from analysis.report.point_names import value_text

#: Up to this many values are listed, as of seeds; of more, the first ones and the last.
MAX_VALUES = 40

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
        _listed(coordinate.values.tolist()),
    ]


def _listed(values: Sequence[Any]) -> str:
    texts = [written(value) for value in values]
    if len(texts) > MAX_VALUES:
        texts = [*texts[: MAX_VALUES // 2], "…", texts[-1]]
    return ", ".join(texts)


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
    set_by_choice = {
        key: [axis for axis in metadata.axes if any(key in choice for choice in axis.settings)]
        for axis in metadata.axes
        for choice in axis.settings
        for key in choice
    }
    sections: dict[str, list[Row]] = {}
    for key in dict.fromkeys([*metadata.constants, *set_by_choice, *swept]):
        section, _, short_name = key.rpartition(".")
        known = coordinate_of(dataset, key)
        if key in swept:
            value, mark = _swept(dataset, swept[key])
        elif key in set_by_choice:
            value, mark = _chosen(set_by_choice[key], key)
        else:
            value, mark = _constant(metadata.constants[key], known), ""
        row = [short_name, value, _meaning(known, mark)]
        sections.setdefault(section or "general", []).append(row)
    return sections


def _swept(dataset: xr.Dataset, axis: Axis) -> tuple[str, str]:
    coordinate = dataset[axis.name]
    if coordinate.ndim == 0:
        value = value_text(coordinate.expand_dims("one"), 0)
        return value, f"one of {len(axis.values)} values"
    units = coordinate.attrs.get("units", "")
    return f"{_listed(axis.values)} {units}".strip(), "swept"


def _chosen(by: Sequence[Axis], key: str) -> tuple[str, str]:
    """Return the value of a key by choice of a group, and which group sets it."""
    axis = by[-1]
    values = (
        f"{name}: {written(choice[key])}"
        for name, choice in zip(axis.values, axis.settings, strict=True)
        if key in choice
    )
    return ", ".join(values), f"set by {axis.key}"


def _constant(value: Any, known: xr.DataArray | None) -> str:
    """Return a value with its unit; for null also the derived values."""
    if known is None:
        return written(value)
    units = known.attrs.get("units", "")
    text = f"null: {_listed(known.values.ravel().tolist())}" if value is None else written(value)
    return f"{text} {units}".strip()


def _meaning(known: xr.DataArray | None, mark: str) -> Markup:
    name = long_name(known) if known is not None and "long_name" in known.attrs else ""
    return joined(name, " " if name and mark else "", element("mark", mark) if mark else "")
