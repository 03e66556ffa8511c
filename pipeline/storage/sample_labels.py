"""Labels of samples: a coordinate for each key that is sampled, and the way back."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import numpy as np

from pipeline.request.grid import Grid
from pipeline.request.samples import SAMPLE, Column, SampleAxis
from pipeline.storage.along_axes import LabelledArray, name_in_file

#: Attribute of the coordinate `sample`: the keys that are sampled, as JSON.
SAMPLED = "sampled"

#: Attribute of the coordinate `sample`: the keys that follow them by `${...}`, as JSON.
_TIED = "tied"

#: Attribute of the coordinate `sample`: values of such keys that are null somewhere, as JSON.
_WITH_NULL = "with_null"

#: Attribute of the coordinate `sample`: method, seed and intervals, as JSON.
GENERATOR = "generator"


def sample_attributes(axis: SampleAxis) -> dict[str, str]:
    """Return the attributes of the coordinate of samples: their keys, and what generated them."""
    tied = [column.key for column in axis.columns if column.tied]
    with_null = {c.key: _nullable(c) for c in axis.columns if None in c.values}
    texts: dict[str, Any] = {SAMPLED: axis.sampled, _TIED: tied, _WITH_NULL: with_null}
    texts[GENERATOR] = axis.settings.generator
    return {name: json.dumps(value) for name, value in texts.items() if value}


def sample_coordinates(grid: Grid, taken: Collection[str]) -> dict[str, LabelledArray]:
    """Return a coordinate for each key that is sampled, or follows one that is.

    Parameters
    ----------
    grid : Grid
        The points.
    taken : collection of str
        Names that other coordinates and variables have; a key that follows others yields to these.
    """
    return {
        name_in_file(column.key): (
            (SAMPLE,),
            np.array(column.coordinate),
            _attributes(grid, column),
        )
        for axis in grid.axes
        if isinstance(axis, SampleAxis)
        for column in axis.columns
        if not (column.tied and name_in_file(column.key) in taken) and None not in column.values
    }


def sample_variables(grid: Grid, taken: Collection[str]) -> dict[str, LabelledArray]:
    """Return a variable for each sampled number that is null somewhere, NaN there.

    Parameters
    ----------
    grid : Grid
        The points.
    taken : collection of str
        Names that other coordinates and variables have, to which these yield.
    """
    comment = "NaN where null, or where the rule or process has no such field"
    return {
        name_in_file(column.key): (
            (SAMPLE,),
            np.array(column.values, dtype=np.float64),
            _attributes(grid, column) | {"comment": comment},
        )
        for column in _nullable_columns(grid)
        if name_in_file(column.key) not in taken
        if all(value is None or isinstance(value, int | float) for value in column.values)
    }


def null_somewhere(grid: Grid) -> set[str]:
    """Return the sampled keys that are null at some sample, where others may stand for them."""
    return {column.key for column in _nullable_columns(grid)}


def _nullable_columns(grid: Grid) -> list[Column]:
    axes = [axis for axis in grid.axes if isinstance(axis, SampleAxis)]
    return [column for axis in axes for column in axis.columns if None in column.values]


def _attributes(grid: Grid, column: Column) -> dict[str, Any]:
    quantity = column.quantity if column.choices else grid.quantity_of(column.key)
    attributes = {"long_name": quantity.long_name, "units": quantity.units}
    attributes["config_key"] = column.key
    if column.choices:
        attributes["choices"] = json.dumps(list(column.choices))
        attributes["settings"] = json.dumps(list(column.choices.values()))
    return {name: text for name, text in attributes.items() if text}


def _nullable(column: Column) -> list[Any]:
    """Return the values of a coordinate some of which are null."""
    labels = zip(column.values, column.coordinate, strict=True)
    return [None if value is None else label for value, label in labels]


def stored_samples(file: Any) -> dict[str, Any]:
    """Return the samples of an open netCDF file, in the form of `SampleAxis.stored`."""
    attributes = file[SAMPLE].__dict__
    sampled, tied = (json.loads(attributes.get(name, "[]")) for name in (SAMPLED, _TIED))
    columns: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for key in (*sampled, *tied):
        coordinate = file.variables.get(name_in_file(key))
        if coordinate is None:
            continue
        columns[key] = plain_values(coordinate)
        own = coordinate.__dict__
        if "choices" in own:
            pairs = zip(json.loads(own["choices"]), json.loads(own["settings"]), strict=True)
            settings[key] = dict(pairs)
    columns |= json.loads(attributes.get(_WITH_NULL, "{}"))
    stored: dict[str, Any] = {SAMPLED: sampled, "columns": columns}
    stored |= {"settings": settings} if settings else {}
    return stored | (
        {GENERATOR: json.loads(attributes[GENERATOR])} if GENERATOR in attributes else {}
    )


def plain_values(coordinate: Any) -> list[Any]:
    """Return the values of a coordinate of an open netCDF file as plain ones."""
    stored = np.asarray(coordinate[...])
    is_bool = coordinate.__dict__.get("dtype") == "bool"
    return (stored.astype(bool) if is_bool else stored).tolist()
