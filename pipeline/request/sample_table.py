"""Samples from a table in a file: a column for each key, a row for each sample."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.composition.own_models import names_of
from pipeline.model.errors import RequestError
from pipeline.model.number_lists import as_tuple, value_of_text
from pipeline.model.parameters import all_quantities, declarations
from pipeline.model.quantity import Quantity, unknown_key
from pipeline.model.registry import REGISTRIES
from pipeline.request.axis import SWEPT_GROUPS, refuse_too_many
from pipeline.request.samples import Samples, located
from pipeline.system.words import counted

#: What separates the columns of a file; the one that its first line has most of.
_SEPARATORS = ",;\t"

_MISSING = "must have a value"


def samples_in(name: str, folders: Iterable[Path] = ()) -> Samples:
    """Return the samples of a table.

    Parameters
    ----------
    name : str
        Path of a CSV file with a line of keys, or of a Parquet file with such columns.
    folders : iterable of Path
        Where it may be, besides the current folder.

    Raises
    ------
    RequestError
        If there is no such file, or a column, a row or a value is not allowed; rows count from 1,
        without the line of keys.
    """
    about = f"sweep.table={name}"
    path = Path(name).expanduser()
    found = next((one for one in (path, *(f / path for f in folders)) if one.is_file()), None)
    if found is None:
        raise RequestError(f"{about}: must be a file that exists")
    try:
        read = _columns_of_parquet if found.suffix == ".parquet" else _columns_of_csv
        columns = read(found, about)
    except OSError as error:
        raise RequestError(f"{about}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{about}: must be text in UTF-8 ({error.reason})") from error
    if not columns or not next(iter(columns.values())):
        raise RequestError(f"{about}: has no rows; one for each sample is required")
    refuse_too_many(about, len(next(iter(columns.values()))))
    known = [*SWEPT_GROUPS, *(key for key in all_quantities() if not key.startswith("record."))]
    for key in columns:
        if key not in known:
            raise RequestError(f"{about}: {unknown_key(key, '...', known, 'unknown column')}")
    samples = Samples(columns, origin=about)
    for key in REGISTRIES.keys() & columns.keys():
        named = functools.partial(names_of, key, folders=folders)
        columns = columns | {key: located(named, columns[key], samples)}
    return dataclasses.replace(samples, columns=columns)


def _columns_of_csv(path: Path, about: str) -> dict[str, list[Any]]:
    text = path.read_text(encoding="utf-8-sig")
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        keys, *cells = [row for row in rows if any(cell.strip() for cell in row)]
    except ValueError:
        return {}
    except csv.Error as error:
        raise RequestError(f"{about}: must be a table of values ({error})") from error
    keys = [key.strip() for key in keys]
    _refuse_unnamed(keys, about)
    for number, row in enumerate(cells, start=1):
        if len(row) != len(keys):
            raise RequestError(
                f"{about}: row {number} has {counted(len(row), 'value')}; "
                f"it must have {len(keys)}, one for each column"
            )
    columns = zip(*cells, strict=True) if cells else [()] * len(keys)
    return {key: _values(key, column, about) for key, column in zip(keys, columns, strict=True)}


def _refuse_unnamed(keys: Sequence[str], about: str) -> None:
    for number, key in enumerate(keys, start=1):
        if not key:
            raise RequestError(f"{about}: column {number} has no key in the first line")
        if keys.count(key) > 1:
            raise RequestError(f"{about}: column {key} is given twice; once is allowed")


def _values(key: str, cells: Iterable[str], about: str) -> list[Any]:
    """Return the values of a column, of the kind of its key."""
    if key in SWEPT_GROUPS or key not in all_quantities():
        quantities: list[Quantity] = []
    else:
        quantities = declarations(key)
    values = []
    for number, cell in enumerate(cells, start=1):
        text = cell.strip()
        if not text:
            raise RequestError(f"{about}: row {number}, column {key}: {_MISSING}")
        values.append(_value(text, quantities))
    return values


def _value(text: str, quantities: Sequence[Quantity]) -> Any:
    """Return the value of a text; the text itself where it is none, which is refused later."""
    kinds = {quantity.kind for quantity in quantities}
    if bool in kinds:
        return {"true": True, "false": False}.get(text.lower(), text)
    if any(quantity.per_group for quantity in quantities):
        return as_tuple(value_of_text(text))
    for kind in kinds & {int, float}:
        number = _number(text, kind)
        if number is not None:
            return number
    return text


def _number(text: str, kind: type) -> int | float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if kind is int and math.isfinite(number) and number == int(number):
        return int(text) if text.lstrip("+-").isdigit() else int(number)
    return number


def _columns_of_parquet(path: Path, about: str) -> dict[str, list[Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise RequestError(
            f"{about}: needs pyarrow, pip install 'stdp-pipeline[parquet]'; a CSV file does without"
        ) from error
    try:
        table = parquet.read_table(path)
    except ArrowException as error:
        raise RequestError(f"{about}: must be a Parquet file ({error})") from error
    _refuse_unnamed(table.column_names, about)
    columns = {name: table[name].to_pylist() for name in table.column_names}
    for key, column in columns.items():
        for number, value in enumerate(column, start=1):
            if value is None:
                raise RequestError(f"{about}: row {number}, column {key}: {_MISSING}")
    return columns
