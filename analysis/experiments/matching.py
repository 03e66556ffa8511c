"""The points that two experiments have in common, and how far their results agree there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.reading.dataset import axes, parameter
from analysis.reading.errors import LoadError
from analysis.reading.metadata import Metadata
from analysis.reading.values import canonical, span

#: What says how points were run, and not what came of them.
NO_RESULTS = ("status", "wall_time", "made_by")

_NUMBERS = "biuf"


class Side(NamedTuple):
    """One of the two experiments: where it is, what its file tells, and its data."""

    path: Path
    metadata: Metadata
    dataset: xr.Dataset


class Match(NamedTuple):
    """Points by their place in the flat grid of each experiment.

    Attributes
    ----------
    a, b : list of int
        Of those that both have, pair by pair.
    only_a, only_b : int
        How many only one has.
    """

    a: list[int]
    b: list[int]
    only_a: int
    only_b: int


def matched(a: Side, b: Side) -> Match:
    """Find the points with the same values on the axes of both.

    What only one swept is matched with what the other held fixed; a swept group, where the other
    has no such axis, by all that its choices set.
    """
    keys = list(dict.fromkeys([*_keys(a, b), *_keys(b, a)]))
    known = a.metadata.parameters.keys() & b.metadata.parameters.keys()
    if not known.issuperset(keys):
        return Match([], [], a.dataset["status"].size, b.dataset["status"].size)
    points_a, points_b = _points(a, keys), _points(b, keys)
    place_of = {point: place for place, point in enumerate(points_b)}
    pairs = [(i, place_of[point]) for i, point in enumerate(points_a) if point in place_of]
    paired_b = {place for _, place in pairs}
    return Match(
        [place for place, _ in pairs],
        [place for _, place in pairs],
        len(points_a) - len(pairs),
        len(points_b) - len(paired_b),
    )


def done(side: Side, places: Sequence[int]) -> NDArray[np.bool_]:
    """Whether each of some points is done."""
    return side.dataset["status"].values.ravel()[list(places)] == 0


def compare(a: Side, b: Side, match: Match, name: str) -> str:
    """Return in words how a variable differs at the matched points: nothing if it does not."""
    for here, there, which in ((a, b, "A"), (b, a, "B")):
        if name in here.dataset and name not in there.dataset:
            return f"only in {which}"
    own = _own_dims(a, name)
    if set(own) != set(_own_dims(b, name)):
        return f"along {_listed(own)} in A, {_listed(_own_dims(b, name))} in B"
    for dim in own:
        if told := _unlike_coordinate(a.dataset[dim].values, b.dataset[dim].values):
            return f"not comparable: {dim} is {told}"
    values_a, values_b = _values(a, name, own, match.a), _values(b, name, own, match.b)
    told = _unlike_values(values_a, values_b)
    notes = [
        f"{dim} has {n_a} in A, {n_b} in B"
        for dim, n_a, n_b in zip(own, values_a.shape[1:], values_b.shape[1:], strict=True)
        if n_a != n_b
    ]
    if values_a.dtype != values_b.dtype:
        notes.append(f"{values_a.dtype} in A, {values_b.dtype} in B")
        told = told or "values are equal"
    return f"{told} ({'; '.join(notes)})" if told and notes else told


def _keys(side: Side, other: Side) -> list[str]:
    """Return the keys by which the axes of one are found in the other."""
    keys = []
    for axis in side.metadata.axes:
        sets = [*axis.settings[0]] if axis.settings else []
        keys += [axis.key] if axis.key in other.metadata.parameters or not sets else sets
    return keys


def _points(side: Side, keys: Sequence[str]) -> list[tuple]:
    """Return the values of some keys at every point, the last axis fastest."""
    status = side.dataset["status"]
    columns = []
    for key in keys:
        along_all = parameter(side.dataset, key).broadcast_like(status).transpose(*status.dims)
        columns.append([canonical(value) for value in along_all.values.ravel().tolist()])
    return list(zip(*columns, strict=True)) if columns else [()]


def _own_dims(side: Side, name: str) -> list[str]:
    swept = axes(side.dataset)
    return [str(dim) for dim in side.dataset[name].dims if dim not in swept]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) or "no dimension"


def _unlike_coordinate(a: NDArray, b: NDArray) -> str:
    """Return how the steps of two coordinates differ; one may go on where the other ends."""
    common = min(a.size, b.size)
    if np.array_equal(a[:common], b[:common]):
        return ""
    return f"{span(a.tolist())} in A, {span(b.tolist())} in B"


def _values(side: Side, name: str, own: Sequence[str], places: Sequence[int]) -> NDArray:
    """Return a variable at some points, `(n_points, ...)`."""
    status = side.dataset["status"]
    variable = side.dataset[name]
    try:
        values = variable.broadcast_like(status).transpose(*status.dims, *own).values
    except (OSError, RuntimeError) as error:  # damage beyond the head of the file
        raise LoadError(f"{side.path}: its {name} cannot be read ({error})") from error
    return values.reshape(status.size, *values.shape[status.ndim :])[list(places)]


def _unlike_values(a: NDArray, b: NDArray) -> str:
    """Return how many values differ and how far; nothing if they are the same to the bit.

    Where one array ends before the other it is as if filled with NaN, as it is in a file whose
    points differ in size.
    """
    if a.dtype.kind not in _NUMBERS or b.dtype.kind not in _NUMBERS:
        return "" if np.array_equal(a, b) else "differ"
    if a.shape != b.shape:
        shape = np.maximum(a.shape, b.shape)
        a, b = _filled(a, shape), _filled(b, shape)
    no_number = np.isnan(a), np.isnan(b)
    same = (a == b) & (np.signbit(a) == np.signbit(b)) | no_number[0] & no_number[1]
    n_different = int((~same).sum())
    if not n_different:
        return ""
    both = ~same & ~(no_number[0] | no_number[1])
    told = f"{n_different:,} of {same.size:,} values differ"
    if n_alone := n_different - int(both.sum()):
        told += f", {n_alone:,} of them NaN in one"
    if both.any():
        with np.errstate(invalid="ignore"):
            largest = np.abs(a[both].astype(float) - b[both].astype(float)).max()
        told += f", by at most {largest:.3g}"
    return told


def _filled(array: NDArray, shape: NDArray) -> NDArray:
    filled = np.full(shape, np.nan)
    filled[tuple(slice(size) for size in array.shape)] = array
    return filled
