"""`stdp table EXPERIMENT`: the results as a table, for a spreadsheet, pandas or R."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stdp.errors import CommandError
from stdp.options import Parser

if TYPE_CHECKING:
    import pandas as pd

#: Formats by the last part of the file's name, the default first.
FORMATS = ("csv", "parquet")


def main(arguments: Sequence[str]) -> int:
    """Write the table and the description of its columns; return the exit code.

    Raises
    ------
    CommandError
        If there are no results, a condition is not met, or a file cannot be written.
    """
    parser = Parser(
        prog="stdp table",
        description="Write table.csv or table.parquet beside the results: one row for each point, "
        "with its values on the axes and its results; table_columns.csv says what the columns are, "
        "and in which unit.",
    )
    parser.add_argument("experiment", type=Path, help="outputs/NAME, or a results.nc")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="csv by default")
    parser.add_argument(
        "--where",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="only points at this value of an axis, as input.rate_hz=20, or in a range of numbers, "
        "as input.rate_hz=10:20; can be repeated",
    )
    given = parser.parse_args(arguments)
    from analysis.reading.errors import ConditionError, LoadError

    try:
        files = write_table(given.experiment, given.format, given.where)
    except (LoadError, ConditionError) as error:
        raise CommandError(str(error)) from error
    for file in files:
        print(file)
    return 0


def write_table(experiment: Path, form: str = FORMATS[0], where: Sequence[str] = ()) -> list[Path]:
    """Write the table of an experiment and the description of its columns; return their paths.

    Parameters
    ----------
    experiment : Path
        The experiment directory, or its `results.nc`.
    form : str
        One of `FORMATS`.
    where : sequence of str
        `KEY=VALUE`: only the points at these values.

    Raises
    ------
    LoadError, ConditionError
        If there are no results, or no points at these values.
    CommandError
        If a file cannot be written.
    """
    import pandas as pd

    from analysis.measures.export import tidy_table
    from analysis.reading.dataset import reading
    from analysis.reading.metadata import beside, results_file
    from analysis.reading.select import part_of
    from pipeline.system.atomic_files import StorageError, replacing

    with reading(experiment) as dataset:
        table = tidy_table(part_of(dataset, where).dataset)
    columns = pd.DataFrame(
        {
            "column": list(table.columns),
            "unit": [table.attrs["units"][name] for name in table.columns],
            "meaning": [table.attrs["long_names"][name] for name in table.columns],
        }
    )
    file = results_file(experiment)
    main_file, about = beside(file, f"table.{form}"), beside(file, "table_columns.csv")
    try:
        with replacing(main_file) as path:
            _write(table, form, path)
        with replacing(about) as path:
            columns.to_csv(path, index=False)
    except StorageError as error:
        raise CommandError(str(error)) from error
    return [main_file, about]


def _write(table: pd.DataFrame, form: str, path: Path) -> None:
    if form == "csv":
        table.to_csv(path, index=False)
        return
    try:
        table.to_parquet(path, engine="pyarrow", index=False)
    except ImportError as error:
        raise CommandError(
            "--format parquet: needs pyarrow; pip install 'stdp-pipeline[parquet]'"
        ) from error
