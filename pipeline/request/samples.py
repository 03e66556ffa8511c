"""The axis of samples: several keys that take their values together, one combination a sample."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

from pipeline.model.errors import RequestError
from pipeline.model.number_lists import as_tuple, axis_text, value_text
from pipeline.model.number_lists import listed as as_list
from pipeline.model.parameters import short_name
from pipeline.model.quantity import Quantity, written
from pipeline.request.axis import SWEPT_GROUPS, Axis, Setting, refuse_too_many

#: Name of the axis, of its dimension and of its coordinate: the number of a sample, from 0.
SAMPLE = "sample"

_QUANTITY = Quantity(SAMPLE, kind=int)

#: Values of a sample that its description has; there may be as many as keys.
_MOST_DESCRIBED = 6


@dataclass(frozen=True)
class Samples:
    """Samples as they are requested.

    Attributes
    ----------
    columns : mapping of str to iterable
        By key, the value of each sample; all of one length.
    generator : mapping
        Method, seed and intervals, where they were generated.
    """

    columns: Mapping[str, Iterable[Any]]
    generator: Mapping[str, Any] = field(default_factory=dict)


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
    def has_lists(self) -> bool:
        """Whether a value is a list of numbers, one for each group."""
        return any(isinstance(value, tuple) for value in self.values)

    @property
    def coordinate(self) -> list[Any]:
        """Values that can label samples: where some are lists of numbers, the texts of all."""
        return list(map(axis_text, self.values)) if self.has_lists else list(self.values)

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
    """

    def __init__(
        self, columns: Iterable[Column], generator: Mapping[str, Any] | None = None
    ) -> None:
        self.columns = tuple(sorted(columns, key=lambda column: column.precedence))
        self.generator = dict(generator or {})

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
        """Validate nothing: the numbers of samples differ, and `refuse_repeated` is for values."""

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

    def mapped(
        self, setting: Setting, value: Callable[[str, Any], Any] | None = None
    ) -> SampleAxis:
        """Return the axis with other settings and values of the columns; see `Axis.mapped`."""
        columns = [column.mapped(setting, value) for column in self.columns]
        return sample_axis(columns, self.settings.generator)

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
        return sample_axis(columns, self.settings.generator)

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
        return {c.key: written(c.key, c.as_axis().text) for c in self.columns if not c.tied}

    def described(self, index: int) -> str:
        """Return a sample as text: "sample=3 (A_plus=0.01, tau_plus=20.0)"."""
        shown = [column for column in self.columns if not column.tied]
        values = [f"{short_name(c.key)}={value_text(c.values[index])}" for c in shown]
        more = [] if len(values) <= _MOST_DESCRIBED else ["..."]
        return f"{SAMPLE}={index} ({', '.join([*values[:_MOST_DESCRIBED], *more])})"


def sample_axis(
    columns: Iterable[Column], generator: Mapping[str, Any] | None = None
) -> SampleAxis:
    """Return the axis of some columns.

    Raises
    ------
    RequestError
        If there are no columns, no samples or too many, or columns differ in length.
    """
    settings = SampleSettings(columns, generator)
    first = settings.columns[0] if settings.columns else None
    if first is None or not len(first.values):
        raise RequestError("samples: there are none; at least one is required")
    for column in settings.columns:
        if len(column.values) != len(first.values):
            raise RequestError(
                f"samples: {first.key} has {len(first.values)} values and {column.key} has "
                f"{len(column.values)}; all must have the same number"
            )
    refuse_too_many("samples", len(settings))
    return SampleAxis(SAMPLE, range(len(settings)), settings, _QUANTITY)


def refuse_repeated(axis: SampleAxis) -> None:
    """Refuse samples of which two are equal.

    Raises
    ------
    RequestError
        If there are.
    """
    seen: dict[tuple[Any, ...], int] = {}
    for number, row in enumerate(axis.settings.rows()):
        if (first := seen.setdefault(row, number)) != number:
            raise RequestError(
                f"samples {first} and {number}: are the same ({axis.described(number)}); each "
                "must differ"
            )


def samples_of(given: Any) -> Samples:
    """Return the samples of a mapping of keys to values, or of a table with a column a key.

    Raises
    ------
    RequestError
        If it is neither, or its keys are not texts.
    """
    if isinstance(given, Samples):
        return given
    if hasattr(given, "columns") and hasattr(given, "to_dict"):  # as of pandas
        names = list(given.columns)
        given = {name: given[name] for name in names} if len({*names}) == len(names) else None
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise RequestError(
            "samples: must map keys such as 'stdp.A_plus' to lists of values of one length, or be "
            "a table with a column for each key"
        )
    return Samples(dict(given))
