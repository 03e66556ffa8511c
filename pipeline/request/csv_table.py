"""Tables in CSV files: a line of keys, and a line of values for each sample."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.model.errors import RequestError
from pipeline.system.words import counted

#: What separates the columns of a file; the one that its first line has most of.
_SEPARATORS = ",;\t"

#: Begin of a line before the keys, `sep=;`, in which spreadsheets name the separator.
_NAMES_SEPARATOR = "sep="

#: First bytes of workbooks: of .xlsx and .ods, which are archives (ZIP), and of .xls.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class CsvTable:
    """A table as text.

    Attributes
    ----------
    keys : list of str
        The first line that is not empty.
    rows : list of list of str
        The other ones, with a cell for each key, empty where the line ends before.
    lines : list of int
        The line of the file at which each of them begins, from 1.
    """

    keys: list[str]
    rows: list[list[str]]
    lines: list[int]


def read_csv(path: Path, about: str) -> CsvTable:
    """Return the table of a file, without empty lines, and empty columns at its right.

    Parameters
    ----------
    path : Path
        The file.
    about : str
        The request for it, for messages.

    Raises
    ------
    RequestError
        If it is no text, or a line has more values than there are keys.
    OSError
        If it cannot be read.
    """
    text = _text_of(path.read_bytes(), about)
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        records = list(_records(reader))
    except csv.Error as error:
        raise RequestError(f"{about}: line {reader.line_num} has no values ({error})") from error
    if records and records[0][1] == [_NAMES_SEPARATOR]:
        del records[0]
    if not records:
        return CsvTable([], [], [])
    (_, keys), *others = records
    for line, row in others:
        if len(row) > len(keys):
            decimals = "; a number has a decimal point, not a comma" if separator == "," else ""
            raise RequestError(
                f"{about}: line {line} has {counted(len(row), 'value')}, and the first line has "
                f"{counted(len(keys), 'key')}{decimals}"
            )
        row.extend([""] * (len(keys) - len(row)))
    return CsvTable(
        [key.strip() for key in keys], [row for _, row in others], [line for line, _ in others]
    )


def _text_of(content: bytes, about: str) -> str:
    """Return the text of a file: in UTF-8, or in UTF-16 with its mark, as spreadsheets write it."""
    if content.startswith(_WORKBOOKS):
        raise RequestError(
            f"{about}: must be a CSV or Parquet file, and is a workbook; save its sheet as CSV"
        )
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"{about}: must be text in UTF-8 ({error.reason})") from error
    if "\0" in text:
        raise RequestError(f"{about}: must be text in UTF-8 (it has bytes that are zero)")
    return text


def _records(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield each line that is not empty, and its number, without empty cells at its end.

    A spreadsheet writes empty lines and cells; a quoted cell may go over several lines.
    """
    begins = 1
    for row in reader:
        while row and not row[-1].strip():
            row.pop()
        if row:
            yield begins, row
        begins = reader.line_num + 1
