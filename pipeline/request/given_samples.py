"""Samples from outside: a mapping or a table, whose values are made those of their keys."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

from pipeline.model.errors import RequestError
from pipeline.model.parameters import all_quantities
from pipeline.model.plain_values import is_missing, whole_as_int
from pipeline.request.axis import listed
from pipeline.request.samples import Samples
from pipeline.system.words import counted

#: Types of which NaN is the only value that stands for none.
_PLAIN = {bool, int, float, str}


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
        for name in names:
            if names.count(name) > 1:
                raise RequestError(f"samples: column {name} is given twice; once is allowed")
        given = {name: given[name] for name in names}
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise RequestError(
            "samples: must map keys such as 'stdp.A_plus' to lists of values of one length, or be "
            "a table with a column for each key"
        )
    columns = {key: as_declared(key, listed(key, values)) for key, values in given.items()}
    lengths = {key: len(values) for key, values in columns.items()}
    first = next(iter(lengths), "")
    if not any(lengths.values()):
        raise RequestError("samples: there are none; at least one is required")
    for key, length in lengths.items():
        if length != lengths[first]:
            raise RequestError(
                f"samples: {first} has {counted(lengths[first], 'value')} and {key} has {length}; "
                "all must have the same number"
            )
    samples = Samples(columns)
    refuse_missing(samples)
    return samples


def as_declared(key: str, values: list[Any]) -> list[Any]:
    """Return values of a key, of one with whole numbers such as 40.0 as integers."""
    quantity = all_quantities().get(key)
    if quantity is None or quantity.kind is not int or {*map(type, values)} == {int}:
        return values
    return [whole_as_int(value) for value in values]


def refuse_missing(samples: Samples) -> None:
    """Refuse samples that lack the value of a key, as tables may.

    Raises
    ------
    RequestError
        If a value is null, NaN or `pandas.NA`.
    """
    for key, given in samples.columns.items():
        values = list(given)
        are_plain = {*map(type, values)} <= _PLAIN
        if are_plain and not any(map(operator.ne, values, values)):  # of many, much faster
            continue
        for index, value in enumerate(values):
            if is_missing(value):
                place = samples.source.named(index)
                raise RequestError(f"{place}, {key}: missing value; every sample needs one")
