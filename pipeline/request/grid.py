"""Grid of a sweep: every combination of the values of its axes, validated before any run."""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.model.errors import RequestError
from pipeline.model.parameters import (
    MODEL_VERSION,
    SECTIONS,
    Configuration,
    Record,
    completed,
)
from pipeline.model.quantity import Section, refuse_unknown_keys
from pipeline.request.axis import MOST_POINTS, Axis, settings_at


class Grid:
    """A base configuration and the axes along which it varies.

    Attributes
    ----------
    base : mapping
        Nested plain values, used where no axis sets a key. Only points are validated: the base
        itself need not be valid.
    axes : tuple of Axis
        In the order given.
    shape : tuple of int
        Number of values of each axis.
    points : list of Configuration
        All points in C order: the last axis varies fastest.
    keys : list of str
        Content key of each point.

    Raises
    ------
    RequestError
        If a point is not allowed, two axes share a name, or there are too many points.
    """

    def __init__(self, base: Mapping[str, Any], axes: Sequence[Axis] = ()) -> None:
        base = completed(base)
        refuse_unknown_keys(Configuration, base)
        for name, section in SECTIONS.items():
            # Where an axis chooses among variants, the base holds the fields of all of them.
            chosen = {key for axis in axes for key in axis.keys} & section.choosing_keys()
            for variant in () if chosen else [section.variant(base[name])]:
                refuse_unknown_keys(variant, base[name])
        self.base = base
        self.axes = tuple(axes)
        self.shape = tuple(len(axis.values) for axis in axes)
        if math.prod(self.shape) > MOST_POINTS:
            raise RequestError(
                f"{' x '.join(axis.key for axis in self.axes)}: "
                f"{' x '.join(map(str, self.shape))} points; a sweep must have <= {MOST_POINTS}"
            )
        short_names = [axis.short_name for axis in self.axes]
        for axis in self.axes:
            if short_names.count(axis.short_name) > 1:
                raise RequestError(f"{axis.key}: the axis is given twice; once is allowed")
        points, keys = zip(*self._points(), strict=True)
        self.points: list[Configuration] = list(points)
        self.keys: list[str] = list(keys)
        if self.record.traces and self.axes_of(["simulation.dt"]):
            raise RequestError(
                "record.traces=true: must be false where simulation.dt is swept; "
                "a file has one time axis"
            )

    @property
    def record(self) -> Record:
        """What is recorded, the same for every point."""
        return self.points[0].record

    @functools.cached_property
    def positions(self) -> dict[str, list[int]]:
        """Flat indices of each content key: several where an axis has no effect."""
        positions: dict[str, list[int]] = defaultdict(list)
        for position, key in enumerate(self.keys):
            positions[key].append(position)
        return dict(positions)

    def _points(self) -> Iterator[tuple[Configuration, str]]:
        """Yield every point and its key; sections that points share are validated once."""
        touching = {name: self.axes_of([f"{name}."]) for name in SECTIONS}
        seeding = self.axes_of(["seed"])
        unseeded_axes = sorted({i for axes in touching.values() for i in axes})

        def settings(axes: Sequence[int], index: Sequence[int]) -> dict[str, Any]:
            return settings_at([self.axes[i] for i in axes], index)

        @functools.cache
        def section(name: str, index: tuple[int, ...]) -> tuple[Section, str]:
            own = {
                key.removeprefix(f"{name}."): value
                for key, value in settings(touching[name], index).items()
                if key.startswith(f"{name}.")
            }
            values = {**self.base[name], **own}
            fields = SECTIONS[name].variant(values).quantities()
            # Fields of the base that the variant at this point does not have are left out.
            made = SECTIONS[name].from_mapping(
                {field: value for field, value in values.items() if field in fields or field in own}
            )
            return made, _section_text(made)

        @functools.cache
        def unseeded(index: tuple[int, ...]) -> tuple[Configuration, str]:
            at = dict(zip(unseeded_axes, index, strict=True))
            made = [section(name, tuple([at[i] for i in axes])) for name, axes in touching.items()]
            sections: dict[str, Any] = dict(zip(touching, [part for part, _ in made], strict=True))
            configuration = Configuration(**sections, seed=0)  # replaced for each point
            return configuration, "\n".join([text for _, text in made if text])

        @functools.cache
        def seed(index: tuple[int, ...]) -> int:
            return settings(seeding, index).get("seed", self.base["seed"])

        for index in itertools.product(*map(range, self.shape)):
            configuration, text = unseeded(tuple([index[i] for i in unseeded_axes]))
            point = configuration.with_seed(seed(tuple([index[i] for i in seeding])))
            yield point, _key(point.seed, text)

    @functools.cached_property
    def unlike_models(self) -> list[Configuration]:
        """A point for each combination of plasticity rule and input process."""
        return list({(type(p.stdp), type(p.input)): p for p in self.points}.values())

    def axes_of(self, keys: Iterable[str]) -> list[int]:
        """Return the indices of the axes that set any of the given keys."""
        return [i for i, axis in enumerate(self.axes) if any(axis.sets(key) for key in keys)]

    def slice_along(self, keys: Iterable[str]) -> tuple[list[int], list[Configuration]]:
        """Return the indices of the axes that set any of the keys, and a point per combination."""
        along = self.axes_of(keys)
        positions = np.arange(len(self.points)).reshape(self.shape)
        cut = positions[tuple(slice(None) if i in along else 0 for i in range(len(self.axes)))]
        return along, [self.points[position] for position in np.ravel(cut)]

    def values_at(self, position: int) -> list[Any]:
        """Return the value of each axis at the flat index of a point."""
        index = np.unravel_index(position, self.shape)
        return [axis.values[i] for axis, i in zip(self.axes, index, strict=True)]

    def describe(self, position: int) -> str:
        """Return the values of the axes at a flat index as text: "rate_hz=10.0, seed=3"."""
        values = zip(self.axes, self.values_at(position), strict=True)
        return ", ".join(f"{axis.short_name}={value}" for axis, value in values) or "the only point"

    def idle_axes(self) -> list[Axis]:
        """Return the axes without effect: all points along each are the same run."""
        keys = np.array(self.keys).reshape(self.shape)
        return [
            axis
            for i, axis in enumerate(self.axes)
            if self.shape[i] > 1 and (keys == keys.take([0], axis=i)).all()
        ]

    def constants(self) -> dict[str, Any]:
        """Return nested plain values of the keys that no axis sets."""
        constants: dict[str, Any] = {}
        for point in self.unlike_models:
            for name, values in point.to_mapping().items():
                constants[name] = (
                    {**constants.get(name, {}), **values} if isinstance(values, dict) else values
                )
        for axis in self.axes:
            for key in axis.keys:
                section, _, name = key.rpartition(".")
                (constants[section] if section else constants).pop(name, None)
        return {key: value for key, value in constants.items() if value != {}}


def _key(seed: int, sections: str) -> str:
    """Return the content key: the hash of all that determines the results of a point.

    These are the version of the model and all of the resolved configuration; run settings are not.
    """
    text = f"{MODEL_VERSION}\n{seed}\n{sections}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _section_text(section: Section) -> str:
    """Return a section's part of the text of a key; empty if all of its values are neutral."""
    values = section.key_values()
    return f"{section.section}: {values}" if values else ""
