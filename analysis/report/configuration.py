"""What an experiment was set to: its axes, and its configuration by section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr

from analysis.reading.dataset import axes, coordinate_of, long_name
from analysis.reading.metadata import Axis, Metadata
from analysis.reading.values import written
from analysis.report.markup import Markup, element, joined
from analysis.report.point_names import value_words

#: Of more values than this, as of many seeds, the middle ones are left out.
MOST_VALUES = 40

Row = list[Any]


def axis_rows(dataset: xr.Dataset) -> list[Row]:
    """Return name, key, meaning, unit, number and values of each axis."""
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
    words = [written(value) for value in values]
    if len(words) > MOST_VALUES:
        words = [*words[: MOST_VALUES // 2], "…", words[-1]]
    return ", ".join(words)


def configuration_rows(dataset: xr.Dataset, metadata: Metadata) -> dict[str, list[Row]]:
    """Return by section: each key, its value or what it was swept over, and what it means.

    Parameters
    ----------
    dataset : Dataset
        The points that are shown, whose coordinates know units and long names.
    metadata : Metadata
        Of the whole file.
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
        section, _, leaf = key.rpartition(".")
        known = coordinate_of(dataset, key)
        if key in swept:
            value, mark = _swept(dataset, swept[key])
        elif key in set_by_choice:
            value, mark = _chosen(set_by_choice[key], key)
        else:
            value, mark = _constant(metadata.constants[key], known), ""
        sections.setdefault(section or "general", []).append([leaf, value, _meaning(known, mark)])
    return sections


def _swept(dataset: xr.Dataset, axis: Axis) -> tuple[str, str]:
    coordinate = dataset[axis.name]
    if coordinate.ndim == 0:
        value = value_words(coordinate.expand_dims("one"), 0)
        return value, f"one of {len(axis.values)} values"
    units = coordinate.attrs.get("units", "")
    return f"{_listed(axis.values)} {units}".strip(), "swept"


def _chosen(by: Sequence[Axis], key: str) -> tuple[str, str]:
    """Return what the choices of a group set a key to."""
    axis = by[-1]
    values = (
        f"{name}: {written(choice[key])}"
        for name, choice in zip(axis.values, axis.settings, strict=True)
        if key in choice
    )
    return ", ".join(values), f"set by {axis.key}"


def _constant(value: Any, known: xr.DataArray | None) -> str:
    """Return a value with its unit; of null, what it stands for."""
    if known is None:
        return written(value)
    units = known.attrs.get("units", "")
    stands_for = (
        f"null: {_listed(known.values.ravel().tolist())}" if value is None else written(value)
    )
    return f"{stands_for} {units}".strip()


def _meaning(known: xr.DataArray | None, mark: str) -> Markup:
    words = long_name(known) if known is not None and "long_name" in known.attrs else ""
    return joined(words, " " if words and mark else "", element("mark", mark) if mark else "")
