"""Samples from a table in a file: a column for each key, a row for each sample."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pipeline.composition.own_models import names_of
from pipeline.model.errors import NO_VALUE, RequestError
from pipeline.model.number_lists import as_tuple, value_of_text
from pipeline.model.parameters import declarations
from pipeline.model.plain_values import whole_as_int
from pipeline.model.quantity import Quantity, unknown_key, written
from pipeline.model.registry import REGISTRIES
from pipeline.request.axis import SWEPT_GROUPS, refuse_too_many, sweepable_keys
from pipeline.request.csv_table import read_csv
from pipeline.request.given_samples import as_declared, refuse_missing
from pipeline.request.sample_source import SampleSource
from pipeline.request.samples import Samples, located

#: First bytes of a Parquet file, and the beginning of a column that pandas adds: of the index.
_PARQUET, _INDEX = b"PAR1", "__index_level_"

#: A number with a decimal comma.
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")

#: What some write for a thousand or a million, and others for a whole number with decimals.
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+")

#: Within a key, what may have been meant to separate two of them.
_OTHER_SEPARATOR = re.compile(r"[\s|]")


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
        If there is no such file, or a column, a row or a value is not allowed.
    """
    about = f"sweep.table={name}"
    path = Path(name).expanduser()
    found = next((one for one in (path, *(f / path for f in folders)) if one.is_file()), None)
    if found is None:
        raise RequestError(f"{about}: must be a file that exists")
    try:
        samples = _samples_of_file(found, about)
    except OSError as error:
        raise RequestError(f"{about}: cannot be read ({error.strerror or error})") from error
    n_samples = len(samples.source.numbers)
    if not n_samples:
        raise RequestError(f"{about}: has no rows; one for each sample is required")
    refuse_too_many(about, n_samples)
    refuse_missing(samples)
    columns = dict(samples.columns)
    for key in REGISTRIES.keys() & columns.keys():
        named = functools.partial(names_of, key, folders=folders)
        columns[key] = located(named, list(columns[key]), samples)
    return dataclasses.replace(samples, columns=columns)


def _samples_of_file(path: Path, about: str) -> Samples:
    """Return the samples of a file by its content; a Parquet file may have another name."""
    with path.open("rb") as file:
        is_parquet = file.read(len(_PARQUET)) == _PARQUET
    if is_parquet or path.suffix.lower() == ".parquet":
        return _samples_of_parquet(path, about)
    table = read_csv(path, about)
    _refuse_unfit_columns(table.keys, about)
    source = SampleSource(about, "line", table.lines)
    cells = zip(*table.rows, strict=True) if table.rows else [()] * len(table.keys)
    columns = {
        key: _values(key, column, source) for key, column in zip(table.keys, cells, strict=True)
    }
    return Samples(columns, source=source)


def _refuse_unfit_columns(keys: Sequence[str], about: str) -> None:
    known = sweepable_keys()
    for number, key in enumerate(keys, start=1):
        if not key:
            index = "; pandas writes none with to_csv(index=False)" if number == 1 else ""
            raise RequestError(f"{about}: column {number} has no key in the first line{index}")
        if keys.count(key) > 1:
            raise RequestError(f"{about}: column {key} is given twice; once is allowed")
        if key not in known:
            if len(keys) == 1 and _OTHER_SEPARATOR.search(key):
                raise RequestError(
                    f"{about}: must have commas, semicolons or tabs between its columns; the "
                    f"first line is {key}"
                )
            raise RequestError(f"{about}: {unknown_key(key, NO_VALUE, known, 'unknown column')}")


def _values(key: str, cells: Iterable[str], source: SampleSource) -> list[Any]:
    """Return the values of a column, of the kind of its key; None for an empty cell."""
    quantities = [] if key in SWEPT_GROUPS else declarations(key)
    has_decimals = any(one.kind is float and not one.per_group for one in quantities)
    is_whole = any(one.kind is int for one in quantities)
    read, values = _reading(quantities), []
    for index, cell in enumerate(cells):
        text = cell.strip()
        value = read(text) if text else None
        if has_decimals and isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
            raise RequestError(
                f"{source.named(index)}, {written(key, value)}: must have a decimal point, not a "
                "comma"
            )
        if is_whole and _THOUSANDS.fullmatch(text):
            raise RequestError(
                f"{source.named(index)}, {written(key, text)}: must be a whole number without "
                "points, which may separate thousands or decimals"
            )
        values.append(value)
    return values


def _reading(quantities: Sequence[Quantity]) -> Callable[[str], Any]:
    """Return what reads a cell; it leaves the text where it is no value, which is refused later."""
    kinds = {quantity.kind for quantity in quantities}
    if bool in kinds:
        return lambda text: {"true": True, "false": False}.get(text.lower(), text)
    if any(quantity.per_group for quantity in quantities):
        return lambda text: as_tuple(value_of_text(text))
    numbers = [kind for kind in (int, float) if kind in kinds]
    return functools.partial(_number, kind=numbers[0]) if numbers else str


def _number(text: str, kind: type) -> int | float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    if kind is int and math.isfinite(number):  # of many digits a float is another number
        return int(text) if text.lstrip("+-").isdecimal() else whole_as_int(number)
    return number


def _samples_of_parquet(path: Path, about: str) -> Samples:
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
    names = [name for name in table.column_names if not name.startswith(_INDEX)]
    _refuse_unfit_columns(names, about)
    columns = {name: as_declared(name, table[name].to_pylist()) for name in names}
    return Samples(columns, source=SampleSource(about, "row", range(1, table.num_rows + 1)))
