"""Grid of a sweep: every combination of the values of its axes, validated before any run."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.composition.own_contents import refuse_unknown_content
from pipeline.composition.own_models import files_of
from pipeline.model.contents import HASHED_KEYS
from pipeline.model.errors import RequestError
from pipeline.model.inputs import InputProcess
from pipeline.model.parameters import SECTIONS, Configuration, all_quantities, completed
from pipeline.model.plasticity import Rule
from pipeline.model.quantity import Quantity, refuse_unknown_keys
from pipeline.model.sections import Record
from pipeline.model.trial import MOST_RULES, refuse_not_finite
from pipeline.request.axis import MOST_AXES, MOST_POINTS, Axis
from pipeline.request.points import PointFactory, Points

#: The sections of which there are several classes.
_OF_MODELS = (Rule.section, InputProcess.section)


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
    points : Points
        All points in C order: the last axis varies fastest. Each is made when it is asked for.
    keys : Keys
        Content key of each point.
    own_files : mapping
        Content of the user's files that it was composed from, and of those of rules and processes,
        by path.

    Raises
    ------
    RequestError
        If a point is not allowed, two axes share a name, or there are too many points.
    """

    def __init__(
        self,
        base: Configuration | Mapping[str, Any],
        axes: Sequence[Axis] = (),
        own_files: Mapping[str, str] | None = None,
    ) -> None:
        made = base if isinstance(base, Configuration) else None
        base = completed(base.to_mapping() if isinstance(base, Configuration) else base)
        refuse_unknown_keys(Configuration, base)
        for name, section in SECTIONS.items():
            # Where an axis chooses among variants, the base holds the fields of all of them.
            chosen = {key for axis in axes for key in axis.keys} & section.choosing_keys()
            for variant in () if chosen else [section.variant(base[name])]:
                refuse_unknown_keys(variant, base[name])
        self.base = base
        self.axes = tuple(axes)
        self.shape = tuple(len(axis.values) for axis in axes)
        if len(self.axes) > MOST_AXES:
            raise RequestError(
                f"{self.axes[MOST_AXES].key}: the axis is one of {len(self.axes)}; a sweep "
                f"must have <= {MOST_AXES}, as HDF5 has variables of <= 32 dimensions"
            )
        if math.prod(self.shape) > MOST_POINTS:
            raise RequestError(
                f"{' x '.join(axis.key for axis in self.axes)}: "
                f"{' x '.join(map(str, self.shape))} points; a sweep must have <= {MOST_POINTS}"
            )
        short_names = [axis.short_name for axis in self.axes]
        for axis in self.axes:
            if short_names.count(axis.short_name) > 1:
                raise RequestError(f"{axis.key}: the axis is given twice; once is allowed")
        self._factory = PointFactory(base, self.axes, made)
        self.points = Points(self._factory, range(math.prod(self.shape)))
        self.keys = self._factory.keys
        self.axes = tuple(map(self._named, self.axes))
        if any(point.stdp.source for point in self.unlike_models):
            different = self.points.unlike([f"{Rule.section}."], MOST_RULES)
            refuse_not_finite(point.stdp for point, _ in different)
        self.own_files = {**(own_files or {}), **files_of(self.unlike_models)}
        self._refuse_unlike_ends()
        if self.record.traces and self.axes_of(["simulation.dt"]):
            raise RequestError(
                "record.traces=true: must be false where simulation.dt is swept; "
                "a file has one time axis"
            )

    def _named(self, axis: Axis) -> Axis:
        """Return an axis with the long name that the rules of the points have for its key."""
        of_model = axis.key.partition(".")[0] in _OF_MODELS and axis.key in all_quantities()
        quantity = self.quantity_of(axis.key) if of_model else axis.quantity
        unchanged = quantity is axis.quantity  # to make an axis of a million values takes a while
        return axis if unchanged else dataclasses.replace(axis, quantity=quantity)

    def quantity_of(self, key: str) -> Quantity:
        """Return the quantity of a key: of the rules and processes here, other ones may have it."""
        section, _, name = key.rpartition(".")
        models = self.unlike_models if section in _OF_MODELS else ()
        parts = (getattr(point, section) for point in models)
        own = (part.quantities()[name] for part in parts if name in part.quantities())
        return next(own, all_quantities().get(key, Quantity(key)))

    def _refuse_unlike_ends(self) -> None:
        """Refuse an axis of what ends a run, or of the limit of runs until they have settled."""
        key = "simulation.until"
        _, points = self.slice_along([key])
        if len({point.simulation.until for point in points}) > 1:
            raise RequestError(f"{key}: must be the same for all points of a file, not an axis")
        if self.points[0].simulation.ends_when_settled and self.axes_of(["simulation.duration"]):
            raise RequestError(
                "simulation.duration: must be one value with simulation.until=settled, the limit "
                "of all points"
            )

    def refuse_unknown_contents(self) -> None:
        """Refuse points whose events or weights are missing, or not known in this process.

        Raises
        ------
        RequestError
            If there are.
        """
        for point in self.slice_along([*HASHED_KEYS, *InputProcess.choosing_keys()])[1]:
            refuse_unknown_content(point)

    @functools.cached_property
    def record(self) -> Record:
        """What is recorded, the same for every point."""
        return self.points[0].record

    @functools.cached_property
    def unlike_models(self) -> list[Configuration]:
        """A point for each combination of rule, input process, and optional features."""
        return self.points.unlike_models()

    def axes_of(self, keys: Iterable[str]) -> list[int]:
        """Return the indices of the axes that set any of the given keys."""
        return self._factory.axes_of(keys)

    def at(self, positions: NDArray[np.integer]) -> Points:
        """Return some points.

        Parameters
        ----------
        positions : ndarray of int, (n_points,)
            Flat indices, dimensionless.
        """
        return Points(self._factory, positions)

    def slice_along(self, keys: Iterable[str]) -> tuple[list[int], Points]:
        """Return the indices of the axes that set any of the keys, and a point per combination."""
        along = self.axes_of(keys)
        positions = np.zeros(1, dtype=np.int64)
        for i in along:
            stride = math.prod(self.shape[i + 1 :])
            positions = np.add.outer(positions, stride * np.arange(self.shape[i])).ravel()
        return along, self.at(positions)

    def values_at(self, position: int) -> list[Any]:
        """Return the value of each axis at the flat index of a point."""
        index = np.unravel_index(position, self.shape)
        return [axis.values[int(i)] for axis, i in zip(self.axes, index, strict=True)]

    def given_at(self, position: int) -> dict[str, Any]:
        """Return the values by key at a flat index: of each axis, and of keys that are sampled."""
        given: dict[str, Any] = {}
        for axis, i in zip(self.axes, np.unravel_index(position, self.shape), strict=True):
            given |= axis.given_at(int(i))
        return given

    def describe(self, position: int) -> str:
        """Return the values of the axes at a flat index as text: "rate_hz=10.0, seed=3"."""
        index = np.unravel_index(position, self.shape)
        described = (axis.described(int(i)) for axis, i in zip(self.axes, index, strict=True))
        return ", ".join(described) or "the only point"

    def idle_axes(self) -> list[Axis]:
        """Return the axes without effect: all points along each are the same run."""
        if self.keys.are_distinct():
            return []
        first = self.keys.first(self.keys).reshape(self.shape)
        return [
            axis
            for i, axis in enumerate(self.axes)
            if self.shape[i] > 1 and (first == first.take([0], axis=i)).all()
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
