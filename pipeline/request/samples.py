"""The axis of samples: several keys that take their values together, one combination a sample."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from pipeline.model.errors import RequestError
from pipeline.model.number_lists import as_tuple, labels_of, value_text
from pipeline.model.number_lists import listed as as_list
from pipeline.model.parameters import short_name
from pipeline.model.quantity import Quantity, written
from pipeline.request.axis import SWEPT_GROUPS, Axis, Setting
from pipeline.request.sample_source import SampleSource

_Made = TypeVar("_Made")

#: Name of the axis, of its dimension and of its coordinate: the number of a sample, from 0.
SAMPLE = "sample"

_QUANTITY = Quantity(SAMPLE, kind=int)

#: What gives samples their values from Python.
_ARGUMENT = "samples=..."

#: Values of a sample that its description has; there may be as many as keys.
_MOST_DESCRIBED = 6

#: Values of a key in a message, of which the first characters are shown.
_MOST_WRITTEN = 32


@dataclass(frozen=True)
class Samples:
    """Samples as they are requested.

    Attributes
    ----------
    columns : mapping of str to iterable
        By key, the value of each sample; all of one length.
    generator : mapping
        Method, seed and intervals, where they were generated.
    source : SampleSource
        Where they are from, for messages.
    """

    columns: Mapping[str, Iterable[Any]]
    generator: Mapping[str, Any] = field(default_factory=dict)
    source: SampleSource = SampleSource()


@dataclass(frozen=True)
class Column:
    """The values of one key, one for each sample.

    Attributes
    ----------
    key : str
        Such as `stdp.A_plus`, or a group such as `stdp`.
    values : sequence
        Validated values; those of several samples may be equal.
    quantity : Quantity
        Long name and unit.
    choices : mapping
        By value, the keys and values that it sets, where these are more than its own key: of a
        group, a rule, a process, events or weights by name.
    tied : bool
        Whether the key follows others by `${...}`, instead of being sampled itself.
    """

    key: str
    values: Sequence[Any]
    quantity: Quantity
    choices: Mapping[Any, dict[str, Any]] = field(default_factory=dict)
    tied: bool = False

    @property
    def precedence(self) -> int:
        """Rank among the columns: a single key overrides what a choice sets."""
        return 0 if self.key in SWEPT_GROUPS else 1 if self.choices else 2

    @property
    def coordinate(self) -> list[Any]:
        """Values that can label samples: where some are lists of numbers, the texts of all."""
        return labels_of(self.values)

    def setting(self, index: int) -> dict[str, Any]:
        """Return the keys and values that one sample sets by this column."""
        value = self.values[index]
        return self.choices[value] if self.choices else {self.key: as_list(value)}

    def mapped(self, setting: Setting, value: Callable[[str, Any], Any] | None) -> Column:
        """Return the column with other settings and values; see `Axis.mapped`."""
        values = self.values if value is None else tuple(value(self.key, v) for v in self.values)
        if not self.choices:
            clean = (setting({self.key: as_list(one)})[self.key] for one in values)
            return dataclasses.replace(self, values=tuple(map(as_tuple, clean)))
        choices = {
            one if value is None else value(self.key, one): setting(own)
            for one, own in self.choices.items()
        }
        return dataclasses.replace(self, values=values, choices=choices)

    def as_axis(self) -> Axis:
        """Return an axis with each value once, and what it sets."""
        values = tuple(dict.fromkeys(self.values))
        settings = (self.choices[v] if self.choices else {self.key: as_list(v)} for v in values)
        return Axis(self.key, values, tuple(settings), self.quantity)


class SampleSettings(Sequence[dict[str, Any]]):
    """The keys and values that each sample sets, held by column.

    Attributes
    ----------
    columns : tuple of Column
        At least one, of one length; a later one overrides an earlier one.
    generator : mapping
        Method, seed and intervals of samples that were generated; empty for others.
    source : SampleSource
        Where they are from, for messages.
    """

    def __init__(
        self,
        columns: Iterable[Column],
        generator: Mapping[str, Any] | None = None,
        source: SampleSource | None = None,
    ) -> None:
        self.columns = tuple(sorted(columns, key=lambda column: column.precedence))
        self.generator = dict(generator or {})
        self.source = source or SampleSource()

    def __len__(self) -> int:
        return len(self.columns[0].values)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        merged: dict[str, Any] = {}
        for column in self.columns:
            merged |= column.setting(index)
        return merged

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SampleSettings) and (
            {column.key: column for column in self.columns}
            == {column.key: column for column in other.columns}
        )

    __hash__ = None  # type: ignore[assignment]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the values of all columns at each sample: what a sample is."""
        return zip(*[column.values for column in self.columns], strict=True)

    def repeated(self) -> tuple[int, int] | None:
        """Return the numbers of the first two samples that are the same; None where all differ."""
        if len(set(self.rows())) == len(self):
            return None
        seen: dict[tuple[Any, ...], int] = {}
        pairs = ((seen.setdefault(row, number), number) for number, row in enumerate(self.rows()))
        return next((first, second) for first, second in pairs if first != second)

    @functools.cached_property
    def keys(self) -> frozenset[str]:
        """Every key that some sample sets."""
        chosen = (k for c in self.columns for one in c.choices.values() for k in one)
        return frozenset(chosen) | {column.key for column in self.columns if not column.choices}


@dataclass(frozen=True)
class SampleAxis(Axis):
    """The samples of a sweep as an axis, whose values are their numbers from 0; see `Axis`.

    `settings` is a `SampleSettings`: a sample is its values.
    """

    settings: SampleSettings

    def __post_init__(self) -> None:
        """Allow any samples: those of `simulate_many` may be equal, others are refused before."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The values of each key that is sampled, and of those that follow them."""
        return self.settings.columns

    @property
    def sampled(self) -> tuple[str, ...]:
        """The keys that are sampled."""
        return tuple(column.key for column in self.columns if not column.tied)

    @property
    def own_keys(self) -> frozenset[str]:
        """The keys that are sampled."""
        return frozenset(self.sampled)

    @property
    def text(self) -> str:
        """Number of the samples and names of the keys, for messages."""
        return f"{len(self.values)} of {', '.join(self.sampled)}"

    @functools.cached_property
    def keys(self) -> frozenset[str]:
        """Every key that some sample sets."""
        return self.settings.keys

    @property
    def precedence(self) -> int:
        """Rank among the axes; see `Axis.precedence`."""
        return 1

    def plain_columns(self) -> dict[str, Sequence[Any]]:
        """Return the values by key that are set one by one; see `Axis.plain_columns`."""
        return {column.key: column.values for column in self.columns if not column.choices}

    @property
    def sets_by_choice(self) -> bool:
        """Whether it sets keys other than those of `plain_columns`."""
        return bool(self._choosing)

    def choice_at(self, index: int) -> Any:
        """Return what a sample chooses of groups, rules, processes and contents."""
        return tuple([values[index] for values in self._choosing])

    @functools.cached_property
    def _choosing(self) -> list[Sequence[Any]]:
        return [column.values for column in self.columns if column.choices]

    def mapped(
        self, setting: Setting, value: Callable[[str, Any], Any] | None = None
    ) -> SampleAxis:
        """Return the axis with other settings and values of the columns; see `Axis.mapped`."""
        columns = [column.mapped(setting, value) for column in self.columns]
        return sample_axis(columns, self.settings.generator, self.settings.source)

    def without(self, keys: Collection[str]) -> SampleAxis:
        """Return the axis without settings of some keys, which are not sampled."""
        columns = [
            dataclasses.replace(
                column,
                choices={
                    value: {k: v for k, v in own.items() if k not in keys}
                    for value, own in column.choices.items()
                },
            )
            for column in self.columns
            if not (column.tied and column.key in keys)
        ]
        return sample_axis(columns, self.settings.generator, self.settings.source)

    @property
    def stored(self) -> dict[str, Any]:
        """The samples as plain values by column, as in `configuration.yaml`."""
        chosen = {c.key: dict(c.choices) for c in self.columns if c.choices}
        stored: dict[str, Any] = {
            "sampled": list(self.sampled),
            "columns": {c.key: list(map(as_list, c.values)) for c in self.columns},
        }
        stored |= {"settings": chosen} if chosen else {}
        return stored | ({"generator": self.settings.generator} if self.settings.generator else {})

    def typed(self) -> dict[str, str]:
        """Return the keys that the axis sets itself, each with its values as text."""
        return {
            key: written(key, ",".join(map(value_text, values[:_MOST_WRITTEN])))
            for key, values in self.given_columns().items()
            if key != SAMPLE
        }

    @property
    def asked_by(self) -> str:
        """What asked for the samples, as it is written; see `SampleSource`."""
        return self.settings.source.text or "samples"

    def given_columns(self) -> dict[str, Sequence[Any]]:
        """Return the numbers of the samples, and all values of the keys that are sampled."""
        return {SAMPLE: self.values} | {c.key: c.values for c in self.columns if not c.tied}

    def given_at(self, index: int) -> dict[str, Any]:
        """Return the number of a sample, and the values of the keys that are sampled."""
        return {key: values[index] for key, values in self.given_columns().items()}

    def described(self, index: int) -> str:
        """Return a sample as text: "sample=3 (A_plus=0.01, tau_plus=20.0)"."""
        values = [
            f"{short_name(c.key)}={value_text(c.values[index])}" for c in self.columns if not c.tied
        ]
        return f"{SAMPLE}={index} ({_first(values)})"

    def place(self, index: int) -> str:
        """Return the name of a sample in messages about what it sets."""
        return self.settings.source.named(index)


def values_of_sample(columns: Iterable[Column], index: int) -> str:
    """Return the values of a sample by key, for messages: "stdp.A_plus=0.01, seed=3"."""
    return _first([written(c.key, c.values[index]) for c in columns if not c.tied])


def _first(values: Sequence[str]) -> str:
    """Return texts with commas between them, the first of many."""
    more = [] if len(values) <= _MOST_DESCRIBED else ["..."]
    return ", ".join([*values[:_MOST_DESCRIBED], *more])


def sample_axis(
    columns: Iterable[Column],
    generator: Mapping[str, Any] | None = None,
    source: SampleSource | None = None,
) -> SampleAxis:
    """Return the axis of some columns, at least one; see `SampleSettings`."""
    settings = SampleSettings(columns, generator, source)
    return SampleAxis(SAMPLE, range(len(settings)), settings, _QUANTITY)


def located(
    made: Callable[[Sequence[Any]], _Made], values: Sequence[Any], samples: Samples
) -> _Made:
    """Return what is made of the values of a key; an error names the sample that alone has it.

    Raises
    ------
    RequestError
        As of `made`.
    """
    try:
        return made(values)
    except RequestError:
        for index, value in enumerate(values):
            try:
                made([value])
            except RequestError as error:
                raise RequestError(f"{samples.source.named(index)}, {error}") from error
        raise


def generator_of(axes: Iterable[Axis]) -> Mapping[str, Any]:
    """Return what generated the samples of some axes: method, seed, intervals; empty if nothing."""
    return next((one.settings.generator for one in axes if isinstance(one, SampleAxis)), {})


def origin_of(axes: Iterable[Axis]) -> str:
    """Return what gave the samples of a request their values, as it is typed.

    Such as `sweep.table=points.csv`, `sweep.zip=[...]`, or `samples=...` from Python; empty where
    they were generated.
    """
    settings = next((one.settings for one in axes if isinstance(one, SampleAxis)), None)
    if settings is None or settings.generator:
        return ""
    return settings.source.text or _ARGUMENT
