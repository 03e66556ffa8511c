"""Union of the samples of two requests: each sample once, in the order of arrival."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.model.errors import RequestError
from pipeline.request.axis import Axis
from pipeline.request.axis_union import Side, fixed_axis, united_axis
from pipeline.request.samples import SAMPLE, Column, SampleAxis, sample_axis


def united_samples(there: Side, here: Side) -> SampleAxis:
    """Return the axis with the samples of both sides, of which one may be a single one."""
    both = [side.axis.settings for side in (there, here) if isinstance(side.axis, SampleAxis)]
    by_key = {column.key: column for settings in both for column in settings.columns}
    parts = [_rows(side, by_key.values()) for side in (there, here)]
    rows = list(dict.fromkeys(itertools.chain(*parts)))
    columns = []
    for column, values in zip(by_key.values(), zip(*rows, strict=True), strict=True):
        choices: dict[Any, dict[str, Any]] = {}
        if column.choices:
            one, other = (_side_of_column(side, column) for side in (there, here))
            axis = united_axis(one, other)
            choices = dict(zip(axis.values, axis.settings, strict=True))
        tied = all(c.tied for s in both for c in s.columns if c.key == column.key)
        columns.append(dataclasses.replace(column, values=values, choices=choices, tied=tied))
    return sample_axis(columns, _united_generator(there.axis, here.axis))


def _columns_of(side: Side) -> dict[str, Column]:
    return {c.key: c for c in side.axis.columns} if isinstance(side.axis, SampleAxis) else {}


def _side_of_column(side: Side, column: Column) -> Side:
    own = (
        {c.key: c for c in side.axis.settings.columns} if isinstance(side.axis, SampleAxis) else {}
    )
    axis = own[column.key].as_axis() if column.key in own else None
    return side._replace(axis=axis)


def _rows(side: Side, columns: Iterable[Column]) -> list[tuple[Any, ...]]:
    """Return the values of some columns at the samples of a side; one where it has none."""
    own = (
        {c.key: c for c in side.axis.settings.columns} if isinstance(side.axis, SampleAxis) else {}
    )
    n_samples = len(side.axis.values) if side.axis else 1
    values: list[Sequence[Any]] = []
    for column in columns:
        if column.key in own:
            values.append(own[column.key].values)
        elif isinstance(side.axis, SampleAxis) and column.key in side.axis.keys:
            values.append([one.get(column.key) for one in side.axis.settings])
        else:
            fixed = fixed_axis(column.as_axis(), side.base, side.axes)
            if len(fixed.values) > 1:
                raise RequestError(f"{column.key}: is sampled in only one of the two requests")
            values.append(tuple(fixed.values) * n_samples)
        if None in values[-1]:
            raise RequestError(f"{column.key}: has no value of its own in one of the two requests")
    return list(zip(*values, strict=True))


def _united_generator(there: Axis | None, here: Axis | None) -> dict[str, Any]:
    """Return what generated the samples of both sides."""
    return {}


def refuse_swept_and_sampled(one: Mapping[str, Axis], other: Mapping[str, Axis]) -> None:
    """Refuse a key that is an axis in one of two requests and sampled in the other."""
    for first, second in ((one, other), (other, one)):
        samples = first.get(SAMPLE)
        for key in samples.own_keys & second.keys() if samples else ():
            raise RequestError(
                f"{key}: is sampled in one of the two requests, and an axis of the other"
            )
