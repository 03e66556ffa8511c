"""Points of a grid: validated all at once, made one by one when they are asked for."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import math
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from pipeline.model.checks import CHECKS, Check
from pipeline.model.errors import RequestError
from pipeline.model.features import FEATURE_KEYS, Features
from pipeline.model.inputs import InputProcess
from pipeline.model.parameters import MODEL_VERSION, SECTIONS, Configuration
from pipeline.model.plasticity import Rule
from pipeline.model.quantity import Section
from pipeline.request.axis import Axis, settings_at
from pipeline.request.keys import DIGEST_SIZE, Keys, keys_of
from pipeline.request.section_plan import SectionPlan

#: Sections of each kind that are kept for further points; beyond that they are made again.
_KEPT = 2**16

#: Stands for a field that was not written yet.
_NONE: tuple[Any, str] = (object(), "")

#: Points that are made, and keys that are written as text, at once.
_BLOCK = 1024


class PointFactory:
    """Makes the points of a base configuration and axes; points share their sections.

    Parameters
    ----------
    base : mapping
        Nested plain values, used where no axis sets a key.
    axes : sequence of Axis
        The last one varies fastest.
    made : Configuration, optional
        The base as a configuration, whose sections are taken where no axis sets a key.

    Raises
    ------
    RequestError
        If a point is not allowed.
    """

    def __init__(
        self, base: Mapping[str, Any], axes: Sequence[Axis], made: Configuration | None = None
    ) -> None:
        self.base = base
        self._made = made
        self.axes = tuple(axes)
        self.shape = tuple(len(axis.values) for axis in axes)
        self._touching = {name: self.axes_of([f"{name}."]) for name in SECTIONS}
        self._seeding = self.axes_of(["seed"])
        self._plans = {
            name: SectionPlan(name, [self.axes[i] for i in axes])
            for name, axes in self._touching.items()
        }
        self._templates: dict[tuple[str, Any], Callable[[Mapping[str, Any]], Section]] = {}
        self._written: dict[str, dict[str, tuple[Any, str]]] = {name: {} for name in SECTIONS}
        self._section = functools.lru_cache(_KEPT)(self._new_section)
        self._section_text = functools.lru_cache(_KEPT)(self._new_section_text)
        self._seed = functools.lru_cache(_KEPT)(self._new_seed)
        self._first = self._first_point()
        self.keys = self._validated()

    def axes_of(self, keys: Iterable[str]) -> list[int]:
        """Return the indices of the axes that set any of the given keys."""
        return [i for i, axis in enumerate(self.axes) if any(axis.sets(key) for key in keys)]

    def made(self, positions: NDArray[np.integer] | range) -> Iterator[Configuration]:
        """Yield the points at some flat indices; they are valid, as all are.

        Parameters
        ----------
        positions : ndarray of int or range, (n_points,)
            The indices, dimensionless.
        """
        if not self.shape:
            yield from [self._first] * len(positions)
            return
        for start in range(0, len(positions), _BLOCK):
            some = np.asarray(positions[start : start + _BLOCK], dtype=np.int64)
            index = [i.tolist() for i in np.unravel_index(some, self.shape)]
            columns: dict[str, list[Any]] = {
                name: [self._section(name, at) for at in _rows(index, axes)]
                for name, axes in self._touching.items()
                if axes
            }
            if self._seeding:
                columns["seed"] = [self._seed(at) for at in _rows(index, self._seeding)]
            for values in zip(*columns.values(), strict=True):
                yield self._first.with_admitted(**dict(zip(columns, values, strict=True)))

    def _first_point(self) -> Configuration:
        """Return the point at index 0 of all axes; each check is of the axes that it reads."""
        parts = self._sections([0] * len(self.axes))
        parts["seed"] = self._seed(tuple([0] * len(self._seeding)))
        unchecked = object.__new__(Configuration)
        vars(unchecked).update(parts)
        for along, checks in self._checks_together().items():
            try:
                for _, check in checks:
                    check(unchecked)
            except RequestError as error:
                raise self._placed(error, along, [0] * len(along)) from error
        return Configuration(**parts)

    def _settings(self, axes: Sequence[int], index: Sequence[int]) -> dict[str, Any]:
        return settings_at([self.axes[i] for i in axes], index)

    def _new_section(self, name: str, index: tuple[int, ...]) -> Section:
        """Return a section at an index of the axes that set it."""
        if self._made and not self._touching[name]:
            return getattr(self._made, name)
        try:
            return self._validated_section(name, index)
        except RequestError as error:
            raise self._placed(error, self._touching[name], index) from error

    def _placed(
        self, error: RequestError, axes: Sequence[int], index: Sequence[int]
    ) -> RequestError:
        """Return an error at an index of some axes, with the place of each value that has one."""
        places = (self.axes[axis].place(i) for axis, i in zip(axes, index, strict=True))
        return RequestError(", ".join([*filter(None, places), str(error)]))

    def _validated_section(self, name: str, index: tuple[int, ...]) -> Section:
        """Return a section at an index of the axes that set it, from one with the same choices."""
        plan = self._plans[name]
        chosen = plan.chosen_at(index)
        known = self._templates.get((name, chosen))
        if known is not None:
            return known(plan.values_at(index))
        section = self._section_of_mapping(name, index)
        if plan.suits(section):
            if len(self._templates) >= _KEPT:
                self._templates.clear()
            self._templates[name, chosen] = section.variations()
        return section

    def _section_of_mapping(self, name: str, index: tuple[int, ...]) -> Section:
        """Return a section at an index of the axes that set it, each field validated."""
        own = {
            key.removeprefix(f"{name}."): value
            for key, value in self._settings(self._touching[name], index).items()
            if key.startswith(f"{name}.")
        }
        values = {**self.base[name], **own}
        fields = SECTIONS[name].variant(values).quantities()
        # Fields of the base that the variant at this point does not have are left out, and what
        # samples of other variants have, which is null here.
        kept = {k: v for k, v in values.items() if k in fields or own.get(k) is not None}
        try:
            return SECTIONS[name].from_mapping(kept)
        except RequestError:
            for k, value in own.items():  # of an axis, whose values may not be null
                if k in fields and value is not None:
                    dataclasses.replace(fields[k], null="").admit(f"{name}.{k}", value)
            raise

    def _new_section_text(self, name: str, index: tuple[int, ...]) -> str:
        """Return a section's part of the text of a key; empty if all of its values are neutral."""
        values, written, texts = self._section(name, index).key_values(), self._written[name], []
        for field, value in values.items():
            last, text = written.get(field, _NONE)
            if value is not last:  # of most fields it is that of all points
                text = f"{field!r}: {value!r}"
                written[field] = value, text
            texts.append(text)
        return f"{name}: {{{', '.join(texts)}}}" if texts else ""

    def _new_seed(self, index: tuple[int, ...]) -> int:
        seed = self._settings(self._seeding, index).get("seed", self.base["seed"])
        return Configuration.quantities()["seed"].admit("seed", seed)

    def _sections(self, index: Mapping[int, int] | Sequence[int]) -> dict[str, Any]:
        return {
            name: self._section(name, tuple([index[i] for i in axes]))
            for name, axes in self._touching.items()
        }

    def _validated(self) -> Keys:
        """Validate every combination of sections, and every seed; return the keys of all points."""
        outer = sorted({i for axes in self._touching.values() for i in axes})
        together = self._checks_together()
        of_each = together.pop(tuple(outer), [])
        for along, checks in together.items():
            self._check(along, checks, itertools.product(*[range(self.shape[i]) for i in along]))
        inner = [i for i in range(len(self.axes)) if i not in outer]  # these set the seed alone
        parts = ["" if axes else self._section_text(n, ()) for n, axes in self._touching.items()]
        varying = [
            (place, name, _picking([*map(outer.index, axes)]))
            for place, (name, axes) in enumerate(self._touching.items())
            if axes
        ]
        seeds_vary = not set(inner) >= set(self._seeding)
        digests = bytearray()
        heads: list[bytes] = []
        for index in self._checked(outer, of_each):
            if not heads or seeds_vary:
                at = dict(zip(outer, index, strict=True))
                heads = [_key_head(seed) for seed in self._seeds(at, inner)]
            for place, name, pick in varying:
                parts[place] = self._section_text(name, pick(index))
            tail = "\n".join([text for text in parts if text]).encode()
            digests += b"".join(
                [hashlib.blake2b(head + tail, digest_size=DIGEST_SIZE).digest() for head in heads]
            )
        return keys_of(self._in_order(digests, [*outer, *inner]), math.prod(self.shape))

    def _checks_together(self) -> dict[tuple[int, ...], list[tuple[Collection[str], Check]]]:
        """Return the checks and the sections that they read, by the axes that set these."""
        together: dict[tuple[int, ...], list[tuple[Collection[str], Check]]] = {}
        for sections, check in CHECKS:
            axes = sorted({i for name in sections for i in self._touching[name]})
            together.setdefault(tuple(axes), []).append((sections, check))
        together.pop((), None)  # the first point is valid
        return together

    def _check(
        self,
        along: Sequence[int],
        checks: Sequence[tuple[Collection[str], Check]],
        indices: Iterable[tuple[int, ...]],
    ) -> None:
        """Apply checks at some indices of the axes that set the sections that they read."""
        read = {name for sections, _ in checks for name in sections if self._touching[name]}
        places = [(n, _picking([*map(along.index, self._touching[n])])) for n in sorted(read)]
        point = self._first.with_admitted()  # one for all: a check keeps none
        sections = vars(point)
        for index in indices:
            for name, at in places:
                sections[name] = self._section(name, at(index))
            try:
                for _, check in checks:
                    check(point)
            except RequestError as error:
                raise self._placed(error, along, index) from error

    def _checked(
        self, along: Sequence[int], checks: Sequence[tuple[Collection[str], Check]]
    ) -> Iterator[tuple[int, ...]]:
        """Yield every index of some axes, after checks of a block, whose sections are kept."""
        indices = itertools.product(*[range(self.shape[i]) for i in along])
        while block := list(itertools.islice(indices, _KEPT // 4)):
            if checks:
                self._check(along, checks, block)
            yield from block

    def _seeds(self, at: Mapping[int, int], inner: Sequence[int]) -> Iterator[int]:
        """Yield the seeds at an index of some axes, for every index of the others."""
        for index in itertools.product(*[range(self.shape[i]) for i in inner]):
            here = {**at, **dict(zip(inner, index, strict=True))}
            yield self._seed(tuple([here[i] for i in self._seeding]))

    def _in_order(self, digests: bytes | bytearray, order: Sequence[int]) -> bytes:
        """Return the digests in the order of the points, from that of permuted axes."""
        shape = [self.shape[i] for i in order]
        array = np.frombuffer(digests, np.uint8).reshape(*shape, DIGEST_SIZE)
        return array.transpose(*np.argsort(order), len(order)).tobytes()


def _picking(places: Sequence[int]) -> Callable[[Sequence[int]], tuple[int, ...]]:
    """Return what picks some places of an index, as a tuple."""
    if len(places) == 1:
        (place,) = places
        return lambda index: (index[place],)
    return operator.itemgetter(*places) if places else lambda _: ()


def _rows(index: Sequence[Sequence[int]], axes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Return the indices of points on some axes, from those of points on each axis."""
    return zip(*[index[i] for i in axes], strict=True)


def _key_head(seed: int) -> bytes:
    return f"{MODEL_VERSION}\n{seed}\n".encode()


class Points(Sequence[Configuration]):
    """Some points of a grid; each is made when it is asked for.

    Attributes
    ----------
    positions : ndarray of int or range, (n_points,)
        Flat indices on the grid, dimensionless.
    """

    def __init__(self, factory: PointFactory, positions: NDArray[np.integer] | range) -> None:
        self._factory = factory
        self.positions = positions

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, index: int) -> Configuration: ...
    @overload
    def __getitem__(self, index: slice) -> Points: ...
    def __getitem__(self, index: int | slice) -> Configuration | Points:
        if isinstance(index, slice):
            return Points(self._factory, self.positions[index])
        position = self.positions[operator.index(index)]
        return next(self._factory.made(np.array([position])))

    def __iter__(self) -> Iterator[Configuration]:
        return self._factory.made(self.positions)

    def items(self) -> Iterator[tuple[str, Configuration]]:
        """Yield content key and point."""
        return zip(self._keys(), self, strict=True)

    def _keys(self) -> Iterator[str]:
        for start in range(0, len(self), _BLOCK):
            yield from self._factory.keys.texts(np.asarray(self.positions[start : start + _BLOCK]))

    def unlike_models(self) -> list[Configuration]:
        """Return a point for each combination of rule, input process, and optional features."""
        keys = [*Rule.choosing_keys(), *InputProcess.choosing_keys(), *FEATURE_KEYS]
        points = [point for point, _ in self.unlike(keys, len(self))]
        kinds = {(type(p.stdp), type(p.input), Features.of(p)): p for p in points}
        return list(kinds.values())

    def unlike(self, keys: Iterable[str], most: int) -> list[tuple[Configuration, float]]:
        """Return points that differ in what sets some keys, and how many points each stands for.

        Parameters
        ----------
        keys : iterable of str
            Such as `input.rate_hz`, or `input.` for all of a section.
        most : int
            Largest number of points; beyond that they are spread over all, first and last included.
        """
        along, shape = self._factory.axes_of(keys), self._factory.shape
        if not along:
            return [(point, float(len(self))) for point in self[:1]]
        index = np.unravel_index(np.asarray(self.positions, dtype=np.int64), shape)
        combinations = np.ravel_multi_index([index[i] for i in along], [shape[i] for i in along])
        _, first, counts = np.unique(combinations, return_index=True, return_counts=True)
        share = max(1.0, len(first) / max(1, most))
        chosen = np.linspace(0, len(first) - 1, min(len(first), most)).astype(int)
        return [
            (self[i], float(share * count))
            for i, count in zip(first[chosen], counts[chosen], strict=True)
        ]
