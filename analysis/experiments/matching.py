"""Match the points of two experiments by their parameters, and compare their results there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.reading.dataset import axes, broadcast_to, parameter
from analysis.reading.errors import LoadError, ParameterError
from analysis.reading.flags import meanings_of_flags
from analysis.reading.metadata import DONE, Axis, Metadata, keys_set_by
from analysis.reading.values import canonical, span

#: What `compare` says of a variable that one of two experiments lacks, before the other one.
ONLY_IN = "only in"

#: Variables about how points were run, which are not compared.
NOT_COMPARED = (
    "status",
    "wall_time",
    "made_by",
    "weight_step",
    "trace_time_constant",
    "trace_kind",
)

_NUMBERS = "biuf"

#: In place of the value of a parameter that a point does not have.
_ABSENT = ""


class Side(NamedTuple):
    """One of two experiments that are compared: its path, metadata and data."""

    path: Path
    metadata: Metadata
    dataset: xr.Dataset


class Match(NamedTuple):
    """The points that two experiments have in common, by index into the flattened `status`.

    Attributes
    ----------
    a, b : list of int
        Indices of common points in each experiment, pair by pair.
    only_a, only_b : int
        Numbers of points of one experiment alone.
    """

    a: list[int]
    b: list[int]
    only_a: int
    only_b: int


def matched(a: Side, b: Side) -> Match:
    """Match the points of two experiments by the parameters that either of them sweeps.

    A parameter swept in one experiment is compared with the constant of the other; a swept group,
    where the other has no such axis, by all parameters that its choices set. Two points without a
    parameter that only some choices set, as of another plasticity rule, agree in it.

    Parameters
    ----------
    a, b : Side
        Two experiments; their datasets have `status` (...), dimensionless, along all swept axes,
        and parameters in the units of their keys.

    Returns
    -------
    Match
        No pairs if either experiment lacks one of these parameters that all points of the other
        have.
    """
    keys = list(dict.fromkeys([*_keys(a, b), *_keys(b, a)]))
    known = a.metadata.parameters.keys() & b.metadata.parameters.keys()
    if not known | _partial_keys(a) | _partial_keys(b) >= set(keys):
        return Match([], [], a.dataset["status"].size, b.dataset["status"].size)
    points_a, points_b = _points(a, keys), _points(b, keys)
    index_in_b = {point: index for index, point in enumerate(points_b)}
    pairs = [(i, index_in_b[point]) for i, point in enumerate(points_a) if point in index_in_b]
    paired_b = {index for _, index in pairs}
    return Match(
        [index for index, _ in pairs],
        [index for _, index in pairs],
        len(points_a) - len(pairs),
        len(points_b) - len(paired_b),
    )


def done(side: Side, indices: Sequence[int]) -> NDArray[np.bool_]:
    """Return which of some points are done.

    Parameters
    ----------
    side : Side
        An experiment; its dataset has `status` (...), dimensionless, along all swept axes.
    indices : sequence of int, (n_points,)
        Indices into the flattened `status`.

    Returns
    -------
    ndarray of bool, (n_points,)
        Dimensionless.
    """
    return side.dataset["status"].values.ravel()[list(indices)] == DONE


def compare(a: Side, b: Side, match: Match, name: str) -> str:
    """Describe how a variable differs at the matched points.

    Parameters
    ----------
    a, b : Side
        Two experiments; the variable may have any dimensions besides the swept axes, (..., *own),
        and any unit.
    match : Match
        The points to compare.
    name : str
        The variable.

    Returns
    -------
    str
        Number of different values and largest difference in the unit of the variable, or why the
        two cannot be compared; empty if they are equal bit for bit.
    """
    for here, there, which in ((a, b, "A"), (b, a, "B")):
        if name in here.dataset and name not in there.dataset:
            return f"{ONLY_IN} {which}"
    own = _own_dims(a, name)
    if set(own) != set(_own_dims(b, name)):
        return f"along {_listed(own)} in A, {_listed(_own_dims(b, name))} in B"
    for dim in own:
        if spans := _coordinate_difference(a.dataset[dim].values, b.dataset[dim].values):
            return f"not comparable: {dim} is {spans}"
    values_a, values_b = _values(a, name, own, match.a), _values(b, name, own, match.b)
    if all("flag_meanings" in side.dataset[name].attrs for side in (a, b)):
        return _difference_of_words(_words(values_a, a, name), _words(values_b, b, name))
    difference = _difference(values_a, values_b)
    notes = [
        f"{dim} has {n_a} in A, {n_b} in B"
        for dim, n_a, n_b in zip(own, values_a.shape[1:], values_b.shape[1:], strict=True)
        if n_a != n_b
    ]
    kinds = {values_a.dtype.kind, values_b.dtype.kind}
    # The classic format has no integers of 64 bits: their width is no difference of results.
    if values_a.dtype != values_b.dtype and kinds != {"i"}:
        notes.append(f"{values_a.dtype} in A, {values_b.dtype} in B")
        difference = difference or "values are equal"
    return f"{difference} ({'; '.join(notes)})" if difference and notes else difference


def _keys(side: Side, other: Side) -> list[str]:
    """Return the keys by which the axes of one experiment are matched with the other."""
    keys: list[str] = []
    for axis in _given(side):
        sets = keys_set_by(axis.settings)
        keys += [axis.key] if axis.key in other.metadata.parameters or not sets else sets
    return keys


def _given(side: Side) -> list[Axis]:
    """Return the keys of the axes; of samples those that are sampled."""
    return [one for axis in side.metadata.axes for one in axis.given]


def _partial_keys(side: Side) -> set[str]:
    """Return the keys that some choices of a group set and others do not."""
    return {
        key
        for axis in _given(side)
        for key in keys_set_by(axis.settings)
        if not all(key in choice for choice in axis.settings)
    }


def _points(side: Side, keys: Sequence[str]) -> list[tuple]:
    """Return the values of some keys at every point, the last axis fastest."""
    status = side.dataset["status"]
    columns = []
    for key in keys:
        try:
            along_all = broadcast_to(parameter(side.dataset, key), status)
        except ParameterError:
            columns.append([_ABSENT] * status.size)
            continue
        values = map(canonical, along_all.values.ravel().tolist())
        columns.append([value if value == value else _ABSENT for value in values])
    return list(zip(*columns, strict=True)) if columns else [()]


def _own_dims(side: Side, name: str) -> list[str]:
    swept = axes(side.dataset)
    return [str(dim) for dim in side.dataset[name].dims if dim not in swept]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) or "no dimension"


def _coordinate_difference(a: NDArray, b: NDArray) -> str:
    """Return both ranges if two coordinates differ over their common length, else nothing.

    Numbers are compared to 15 digits: earlier versions did not round times.
    """
    common = min(a.size, b.size)
    if np.array_equal(a[:common], b[:common]) or (
        [*map(canonical, a[:common].tolist())] == [*map(canonical, b[:common].tolist())]
    ):
        return ""
    return f"{span(a.tolist())} in A, {span(b.tolist())} in B"


def _values(side: Side, name: str, own: Sequence[str], indices: Sequence[int]) -> NDArray:
    """Return a variable at some points, `(n_points, *own)`."""
    status = side.dataset["status"]
    try:
        values = broadcast_to(side.dataset[name], status, *own).values
    except (OSError, RuntimeError) as error:  # damage behind the header of the file
        raise LoadError(f"{side.path}: its {name} cannot be read ({error})") from error
    return values.reshape(status.size, *values.shape[status.ndim :])[list(indices)]


def _words(flags: NDArray, side: Side, name: str) -> list[str]:
    """Return the meanings of the values of a flag variable."""
    by_value = meanings_of_flags(side.dataset[name].attrs)
    return [by_value.get(flag, "none") for flag in flags.ravel().tolist()]


def _difference_of_words(a: Sequence[str], b: Sequence[str]) -> str:
    """Return how many words differ, and the most frequent changes; nothing if all are equal."""
    changes = Counter(pair for pair in zip(a, b, strict=True) if pair[0] != pair[1])
    if not changes:
        return ""
    listed = [f"{n:,} {here} in A, {there} in B" for (here, there), n in changes.most_common(3)]
    more = ["..."] if len(changes) > 3 else []
    return f"{changes.total():,} of {len(a):,} values differ: {'; '.join(listed + more)}"


def _difference(a: NDArray, b: NDArray) -> str:
    """Return how many values differ and by how much; nothing if they are equal bit for bit.

    The shorter of two arrays is padded with NaN, as it is in a file whose points differ in size.
    """
    if a.dtype.kind not in _NUMBERS or b.dtype.kind not in _NUMBERS:
        return "" if np.array_equal(a, b) else "differ"
    if a.shape != b.shape:
        shape = np.maximum(a.shape, b.shape)
        a, b = _padded(a, shape), _padded(b, shape)
    nan_a, nan_b = np.isnan(a), np.isnan(b)
    same = (a == b) & (np.signbit(a) == np.signbit(b)) | nan_a & nan_b
    n_different = int((~same).sum())
    if not n_different:
        return ""
    both = ~same & ~(nan_a | nan_b)
    text = f"{n_different:,} of {same.size:,} values differ"
    if n_alone := n_different - int(both.sum()):
        text += f", {n_alone:,} of them NaN in one"
    if both.any():
        with np.errstate(invalid="ignore"):
            largest = np.abs(a[both].astype(float) - b[both].astype(float)).max()
        text += f", by at most {largest:.3g}"
    return text


def _padded(array: NDArray, shape: NDArray) -> NDArray:
    padded = np.full(shape, np.nan)
    padded[tuple(slice(size) for size in array.shape)] = array
    return padded
