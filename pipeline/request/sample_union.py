"""Union of the samples of two requests: each sample once, in the order of arrival."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.model.errors import RequestError
from pipeline.model.quantity import written
from pipeline.request.axis_union import Side, fixed_axis, united_axis
from pipeline.request.drawn_samples import intervals_of
from pipeline.request.samples import SAMPLE, Column, SampleAxis, sample_axis
from pipeline.system.words import counted

#: Of a generator, the versions of what has drawn the samples.
_PACKAGES = ("scipy", "numpy")


def united_samples(there: Side, here: Side) -> SampleAxis:
    """Return the axis with the samples of both sides, of which one may be a single one."""
    generator = _united_generator(there, here)
    both = [side.axis.settings for side in (there, here) if isinstance(side.axis, SampleAxis)]
    by_key = {column.key: column for settings in both for column in settings.columns}
    parts = [_rows(side, by_key.values()) for side in (there, here)]
    rows = list(dict.fromkeys(itertools.chain(*parts)))
    if generator and len(rows) > max(map(len, parts)):
        raise _not_the_first_ones(there, here, rows, list(by_key.values()))
    columns = []
    for column, values in zip(by_key.values(), zip(*rows, strict=True), strict=True):
        choices: dict[Any, dict[str, Any]] = {}
        if column.choices:
            one, other = (_side_of_column(side, column) for side in (there, here))
            axis = united_axis(one, other)
            choices = dict(zip(axis.values, axis.settings, strict=True))
        tied = all(c.tied for s in both for c in s.columns if c.key == column.key)
        columns.append(dataclasses.replace(column, values=values, choices=choices, tied=tied))
    return sample_axis(columns, generator)


def _columns_of(side: Side) -> dict[str, Column]:
    return {c.key: c for c in side.axis.columns} if isinstance(side.axis, SampleAxis) else {}


def _side_of_column(side: Side, column: Column) -> Side:
    own = _columns_of(side)
    axis = own[column.key].as_axis() if column.key in own else None
    return side._replace(axis=axis)


def _rows(side: Side, columns: Iterable[Column]) -> list[tuple[Any, ...]]:
    """Return the values of some columns at the samples of a side; one where it has none."""
    own = _columns_of(side)
    n_samples = len(side.axis.values) if side.axis else 1
    values: list[Sequence[Any]] = []
    for column in columns:
        if column.key in own:
            values.append(own[column.key].values)
        elif isinstance(side.axis, SampleAxis) and column.key in side.axis.keys:
            values.append([one.get(column.key) for one in side.axis.settings])
        else:
            fixed = fixed_axis(column.as_axis(), side)
            if len(fixed.values) > 1:
                raise RequestError(f"{column.key}: is not sampled {side.where}")
            values.append(tuple(fixed.values) * n_samples)
        if None in values[-1]:
            raise RequestError(f"{column.key}: has no value of its own {side.where}")
    return list(zip(*values, strict=True))


def _not_the_first_ones(
    there: Side, here: Side, rows: Sequence[tuple[Any, ...]], columns: Sequence[Column]
) -> RequestError:
    """Return the error for samples of one generator of which neither part begins the other."""
    drawn = [place for place, column in enumerate(columns) if not column.tied]
    seen: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for row in rows:
        other = seen.setdefault(tuple([row[place] for place in drawn]), row)
        for column, one, two in zip(columns, other, row, strict=True):
            if one != two:  # a key that follows the samples by `${...}`
                return RequestError(
                    f"samples {there.where} set {written(column.key, one)} where those "
                    f"{here.where} set {written(column.key, two)}"
                )
    first, second = (
        ", ".join(f"{name} {text}" for name, text in _generator(side).items() if name in _PACKAGES)
        for side in (there, here)
    )
    return RequestError(
        f"samples {there.where} are not the first ones of those {here.where} (drawn by {first} "
        f"{there.where} and by {second} {here.where})"
    )


def _generator(side: Side) -> Mapping[str, Any]:
    """Return what generated the samples of a side; empty if nothing."""
    return side.axis.settings.generator if isinstance(side.axis, SampleAxis) else {}


def _kind(side: Side) -> str:
    """Return what a side has whose samples are not drawn: "those there are of ..."."""
    axis = next((one for one in side.axes if isinstance(one, SampleAxis)), None)
    if axis is None:
        return f"the points {side.where} are a grid"
    source = axis.settings.source.text
    return f"those {side.where} are {f'of {source}' if source else 'not'}"


def _united_generator(there: Side, here: Side) -> Mapping[str, Any]:
    """Return what generated the samples of both sides: the same, or a longer part of a sequence.

    Raises
    ------
    RequestError
        If other samples are asked for than those there are, or than a part of the same sequence.
    """
    first, second = _generator(there), _generator(here)
    if not first and not second:
        return {}
    if not (first and second):
        (drawn, generator), other = ((there, first), here) if first else ((here, second), there)
        raise RequestError(
            f"samples {drawn.where} are drawn from {_shown('intervals', generator)}, and "
            f"{_kind(other)}"
        )
    for name in ("method", "seed", "intervals"):
        if first[name] != second[name]:
            raise RequestError(
                f"samples are drawn with {_shown(name, first)} {there.where} and with "
                f"{_shown(name, second)} {here.where}"
            )
    orders = [", ".join(one["intervals"]) for one in (first, second)]
    if orders[0] != orders[1]:
        raise RequestError(
            f"samples are drawn from intervals in the order {orders[0]} {there.where} and in the "
            f"order {orders[1]} {here.where}, which gives others (write them in the first order to "
            "add to the samples)"
        )
    few, many = sorted([first, second], key=lambda one: one["samples"])
    if few["samples"] == many["samples"]:
        return first
    if few["method"] == "lhs":
        larger = (
            "it cannot be extended, as a Sobol sequence can"
            if few is first
            else "the smaller one is no part of the other"
        )
        raise RequestError(
            f"the Latin hypercube has {counted(first['samples'], 'sample')} {there.where} and "
            f"{second['samples']} {here.where}; {larger}"
        )
    return many


def _shown(name: str, generator: Mapping[str, Any]) -> str:
    if name != "intervals":
        return f"sweep.{name}={generator[name]}"
    return " ".join(f"{key}={one}" for key, one in intervals_of(generator).items())


def refuse_swept_and_sampled(there: Side, here: Side) -> None:
    """Refuse a key that is an axis in one of two requests and sampled in the other."""
    for sampled, swept in ((there, here), (here, there)):
        sampled_keys = {key for axis in sampled.axes if axis.key == SAMPLE for key in axis.own_keys}
        for key in sampled_keys & {axis.key for axis in swept.axes}:
            raise RequestError(f"{key}: is sampled {sampled.where}, and an axis {swept.where}")
