"""`stdp table` and `stdp cite`: files that other programs read."""

import csv
import re
import sys

import pandas as pd
import pytest
import yaml

from analysis import open_results, tidy_table
from stdp import cite, table
from stdp.errors import CommandError
from tests.conftest import ROOT


@pytest.fixture
def points(keep):
    """An experiment of four points."""
    return keep("points", {"input.rate_hz": [20, 40], "seed": [1, 2]})


def test_a_csv_has_the_table_in_full_precision(points, capsys):
    """Each number is that of the file; the paths are printed, and nothing else is left behind."""
    before = {path.name for path in points.iterdir()}
    assert table.main([str(points)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [str(points / "table.csv"), str(points / "table_columns.csv")]
    with open_results(points) as dataset:
        expected = tidy_table(dataset)
    with (points / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["1", "2", "1", "2"]
    for name in ("rate_hz", "output_rate", "mean_weight", "wall_time"):
        assert [float(row[name]) for row in rows] == expected[name].tolist()
    columns = pd.read_csv(points / "table_columns.csv", index_col="column")
    assert list(columns.index) == list(expected.columns)
    assert columns.loc["output_rate"].tolist() == ["Hz", "output firing rate"]
    left = {path.name for path in points.iterdir()} - before
    assert left == {"table.csv", "table_columns.csv"}


def test_only_the_points_of_a_condition(points):
    """One row for each of them."""
    table.main([str(points), "--where", "rate_hz=40"])
    assert pd.read_csv(points / "table.csv")["rate_hz"].tolist() == [40, 40]


def test_a_parquet_file_has_the_types_of_the_file(points):
    """Whole numbers stay whole."""
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    table.main([str(points), "--format", "parquet"])
    read = pd.read_parquet(points / "table.parquet")
    with open_results(points) as dataset:
        pd.testing.assert_frame_equal(read, tidy_table(dataset))


def test_parquet_without_pyarrow_is_one_line(points, monkeypatch):
    """The message says what to install, and no file is left behind."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CommandError, match=r"^--format parquet: needs pyarrow; pip install '.*'$"):
        table.main([str(points), "--format", "parquet"])
    assert not [path for path in points.iterdir() if "table" in path.name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "none: must be an experiment directory"),
        (["points", "--where", "rate_hz=3"], "--where rate_hz=3: rate_hz must be one of 20,40"),
        (["points", "--format", "xls"], "argument --format: invalid choice: 'xls'"),
    ],
)
def test_wrong_requests_are_one_line(points, monkeypatch, arguments, message):
    """Named as they were typed."""
    monkeypatch.chdir(points.parent)
    with pytest.raises(CommandError, match=f"^{re.escape(message)}") as refused:
        table.main(arguments)
    assert "\n" not in str(refused.value)


def test_the_entries_are_those_of_the_citation_file(capsys):
    """One for the software and one for each reference, in BibTeX whose braces are balanced."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cite.main([]) == 0
    text = capsys.readouterr().out
    entries = re.findall(r"^@(\w+)\{(\w+),$", text, re.MULTILINE)
    assert [kind for kind, _ in entries] == ["software"] + ["article"] * len(cited["references"])
    assert len({name for _, name in entries}) == len(entries)
    assert text.count("{") == text.count("}")
    assert f"version = {{{cited['version']}}}" in text
    assert "author = {Song, Sen and Miller, Kenneth D. and Abbott, L. F.}," in text
