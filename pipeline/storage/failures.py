"""Table of failed points, `failures.csv`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from pipeline.execution.batch import Failure
from pipeline.model.number_lists import value_text
from pipeline.request.grid import Grid
from pipeline.system.atomic_files import StorageError, replacing


def write_failures(path: Path, grid: Grid, failures: Mapping[str, Failure]) -> None:
    """Write a row per failed point: its value on every axis, reason, traceback, content key.

    Of a sample it has the number, and the values of the keys that are sampled.
    The file is removed when no point has failed.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    if not failures:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{path}: cannot be removed ({error.strerror})") from error
        return
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*grid.given_at(0), "reason", "traceback", "key"])
        for key, failure in failures.items():
            values = grid.given_at(grid.keys.index(key)).values()
            table.writerow([*map(value_text, values), failure.reason, failure.traceback, key])


def read_failures(path: Path) -> dict[str, Failure]:
    """Return failures by content key; none where there is no table.

    Raises
    ------
    OSError, ValueError, KeyError, csv.Error
        If the table is damaged.
    """
    try:
        with path.open(newline="") as file:
            return {
                row["key"]: Failure(row["reason"], row["traceback"]) for row in csv.DictReader(file)
            }
    except FileNotFoundError:
        return {}
