"""Axes times values: the points of a sweep, each checked before anything runs."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.parameters import (
    MODEL_VERSION,
    SECTIONS,
    Configuration,
    Record,
    Section,
    Stdp,
    all_quantities,
)
from pipeline.quantities import Quantity, RequestError, refuse_unknown_keys, unknown_key, written

#: A larger grid is taken for a slip of the keyboard.
MOST_POINTS = 1_000_000

#: Groups whose choices can be an axis. How points are recorded is one choice for a whole file.
SWEPT_GROUPS = tuple(name for name in SECTIONS if name != "record")


@dataclass(frozen=True)
class Axis:
    """One swept key.

    Attributes
    ----------
    key : str
        `stdp.A_plus`, `seed`, or a group such as `stdp`.
    values : tuple
        The coordinate along the axis: numbers, or the names of a group's choices.
    settings : tuple of dict
        What each value sets, by key.
    quantity : Quantity
        Long name and unit.
    """

    key: str
    values: tuple[Any, ...]
    settings: tuple[dict[str, Any], ...]
    quantity: Quantity

    def __post_init__(self) -> None:
        if not self.values:
            raise RequestError(f"{self.key}: the axis has no values; it needs at least one")
        seen = set()
        for value in self.values:
            if value in seen:
                raise RequestError(
                    f"{written(self.key, value)}: repeated on its axis; each value must differ"
                )
            seen.add(value)

    @property
    def leaf(self) -> str:
        """Last word of the key: the name of the dimension."""
        return self.key.rpartition(".")[2]

    @property
    def sets_more(self) -> bool:
        """Whether a value of the axis sets other keys than its own."""
        return set(self.settings[0]) != {self.key}

    @property
    def is_choice(self) -> bool:
        """Whether the axis runs over the choices of a group."""
        return self.key in SWEPT_GROUPS


def listed(key: str, values: Any) -> list[Any]:
    """Return the values given for an axis as a list; raise `RequestError` if they are none."""
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise RequestError(f"{written(key, values)}: an axis needs a list of values")
    if isinstance(values, Sized) and len(values) > MOST_POINTS:
        raise RequestError(f"{key}: {len(values)} values; an axis must have <= {MOST_POINTS}")
    return list(values)


def value_axis(key: str, values: Iterable[Any]) -> Axis:
    """Return the axis of a number or word.

    Raises
    ------
    RequestError
        If the key is unknown or cannot be swept, or a value is not allowed.
    """
    values = listed(key, values)
    quantity = all_quantities().get(key)
    sweepable = [*SWEPT_GROUPS, *(k for k in all_quantities() if not k.startswith("record."))]
    if quantity is None or key not in sweepable:
        text = ",".join(map(str, values))
        raise unknown_key(key, text, sweepable, "cannot be swept" if quantity else "unknown axis")
    for value in values:
        if value is None:
            raise RequestError(f"{written(key, value)}: must be a number on an axis")
    clean = tuple(quantity.admit(key, value) for value in values)
    return Axis(key, clean, tuple({key: value} for value in clean), quantity)


def choice_axis(group: str, names: Sequence[str], settings: Sequence[dict[str, Any]]) -> Axis:
    """Return the axis of a group: the names of its choices and what each one sets, by key."""
    return Axis(group, tuple(names), tuple(settings), Quantity(SECTIONS[group].title))


class Grid:
    """A base configuration and the axes along which it varies.

    Attributes
    ----------
    base : mapping
        Nested plain values that hold where no axis says otherwise. Only points are checked: the
        base itself need not be one.
    axes : tuple of Axis
        In the order given.
    shape : tuple of int
        Number of values of each axis.
    points : list of Configuration
        Every point, the last axis fastest.
    keys : list of str
        The content key of each point.

    Raises
    ------
    RequestError
        If any point is not allowed, two axes share a name, or there are too many points.
    """

    def __init__(self, base: Mapping[str, Any], axes: Sequence[Axis] = ()) -> None:
        refuse_unknown_keys(Configuration, base)
        self.base = base
        self.axes = tuple(axes)
        self.shape = tuple(len(axis.values) for axis in axes)
        if math.prod(self.shape) > MOST_POINTS:
            raise RequestError(
                f"{' x '.join(axis.key for axis in self.axes)}: "
                f"{' x '.join(map(str, self.shape))} points; a sweep must have <= {MOST_POINTS}"
            )
        leaves = [axis.leaf for axis in self.axes]
        for axis in self.axes:
            if leaves.count(axis.leaf) > 1:
                raise RequestError(f"{axis.key}: the axis is given twice; once is allowed")
        self.points = self._points()
        if self.record.traces and self.axes_of(["simulation.dt"]):
            raise RequestError(
                "record.traces=true: must be false where simulation.dt is swept; "
                "a file has one time axis"
            )
        self.keys = [content_key(point) for point in self.points]

    @property
    def record(self) -> Record:
        """What is recorded: the same at every point."""
        return self.points[0].record

    def _points(self) -> list[Configuration]:
        """Build every point; a section is built once per combination of the axes it depends on."""
        # Groups first: a single value is laid over the choice of its group.
        order = sorted(range(len(self.axes)), key=lambda i: not self.axes[i].is_choice)
        touching = {
            name: [i for i in order if _touches(self.axes[i], f"{name}.")] for name in SECTIONS
        }

        @functools.cache
        def section(name: str, index: tuple[int, ...]) -> Section:
            changes: dict[str, Any] = {}
            for i, at in zip(touching[name], index, strict=True):
                changes |= self.axes[i].settings[at]
            own = {
                key.removeprefix(f"{name}."): value
                for key, value in changes.items()
                if key.startswith(f"{name}.")
            }
            refuse_unknown_keys(SECTIONS[name], self.base[name])
            return SECTIONS[name](**{**self.base[name], **own})

        def seed(index: tuple[int, ...]) -> int:
            changes = {k: v for i in seeding for k, v in self.axes[i].settings[index[i]].items()}
            return changes.get("seed", self.base["seed"])

        seeding = self.axes_of(["seed"])
        return [
            Configuration(
                **{
                    name: section(name, tuple(index[i] for i in axes))
                    for name, axes in touching.items()
                },
                seed=seed(index),
            )
            for index in itertools.product(*map(range, self.shape))
        ]

    def axes_of(self, keys: Iterable[str]) -> list[int]:
        """Return the positions of the axes that set any of the given keys."""
        return [i for i, axis in enumerate(self.axes) if any(_touches(axis, key) for key in keys)]

    def slice_along(self, keys: Iterable[str]) -> tuple[list[int], list[Configuration]]:
        """Return the axes that set any of the keys, and a point for each of their combinations."""
        along = self.axes_of(keys)
        positions = np.arange(len(self.points)).reshape(self.shape)
        cut = positions[tuple(slice(None) if i in along else 0 for i in range(len(self.axes)))]
        return along, [self.points[position] for position in np.ravel(cut)]

    def describe(self, key: str) -> str:
        """Return a point's place on the axes in words: "rate_hz=10.0, seed=3"."""
        index = np.unravel_index(self.keys.index(key), self.shape)
        values = (f"{a.leaf}={a.values[i]}" for a, i in zip(self.axes, index, strict=True))
        return ", ".join(values) or "the only point"

    def idle_axes(self) -> list[Axis]:
        """Return the axes along which every point is the same run."""
        keys = np.array(self.keys).reshape(self.shape)
        return [
            axis
            for i, axis in enumerate(self.axes)
            if self.shape[i] > 1 and (keys == keys.take([0], axis=i)).all()
        ]

    def constants(self) -> dict[str, Any]:
        """Return nested plain values of what no axis sets, the same at every point."""
        constants = self.points[0].to_mapping()
        for axis in self.axes:
            for key in axis.settings[0]:
                section, _, name = key.rpartition(".")
                (constants[section] if section else constants).pop(name, None)
        return {key: value for key, value in constants.items() if value != {}}


def content_key(point: Configuration) -> str:
    """Return the hash of what decides a point's results: its resolved physics and the model.

    What is recorded belongs to it; how it is run does not.
    """
    parts = [str(MODEL_VERSION), str(point.seed)]
    parts += [_written_section(getattr(point, name)) for name in SECTIONS]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


@functools.lru_cache(maxsize=4096)
def _written_section(section: Section) -> str:
    values = vars(section)
    if isinstance(section, Stdp):
        values = {k: v for k, v in vars(section.resolved()).items() if k != "ltd_ratio"}
    return json.dumps({section.section: values}, sort_keys=True)


def _touches(axis: Axis, key: str) -> bool:
    """Whether an axis sets a key, or any key of a section when `key` ends with a dot."""
    return any(
        name == key or (key.endswith(".") and name.startswith(key)) for name in axis.settings[0]
    )
