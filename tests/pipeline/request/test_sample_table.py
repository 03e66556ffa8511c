"""Samples of a table: a column for each key, a row for each sample."""

import pandas as pd
import pytest

import pipeline
from pipeline.request.overrides import grid_of_mapping
from pipeline.request.sample_table import samples_in

TABLE = "stdp.tau_plus,stdp.tau_minus,seed\n10,20.5,3\n2e1,30,4\n"
COLUMNS = {"stdp.tau_plus": [10, 20], "stdp.tau_minus": [20.5, 30], "seed": [3, 4]}


@pytest.fixture
def table(tmp_path):
    """Write a table; return its path."""

    def write(text, name="points.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        "\ufeff" + TABLE,
        TABLE.replace(",", ";"),
        TABLE.replace(",", "\t"),
        TABLE.replace("\n", "\r\n"),
        TABLE.replace("\n", "\n\n"),
        TABLE.replace(",", " , "),
        TABLE.replace("10,", '"10",'),
    ],
)
def test_a_table_is_the_mapping_of_its_columns(table, text):
    """Whatever separates its columns and lines."""
    assert samples_in(table(text)).columns == COLUMNS


def test_a_table_may_be_in_the_folder_of_an_experiment(table, tmp_path):
    """It is found there where the current folder has none of its name."""
    table(TABLE, "beside.csv")
    assert samples_in("beside.csv", [tmp_path / "none", tmp_path]).columns == COLUMNS


def test_a_parquet_file_is_the_same_table(tmp_path):
    """By its columns."""
    pytest.importorskip("pyarrow", reason="Parquet needs the extra parquet")
    pd.DataFrame(COLUMNS).to_parquet(tmp_path / "points.parquet")
    assert samples_in(str(tmp_path / "points.parquet")).columns == COLUMNS
    pd.DataFrame({"seed": [1, None]}).to_parquet(tmp_path / "null.parquet")
    with pytest.raises(pipeline.RequestError, match="row 2, column seed: must have a value$"):
        samples_in(str(tmp_path / "null.parquet"))


def test_a_rule_in_a_file_is_looked_for(table):
    """By the path in its cell; nothing else may be in place of a name."""
    path = table("stdp.rule\nadditive\nnone.py\n")
    with pytest.raises(pipeline.RequestError, match=r"points\.csv: row 2, stdp\.rule=none\.py: "):
        samples_in(path)


def test_choices_and_truth_values_and_lists_are_columns_too(table):
    """A cell with a list is quoted, as its commas would separate cells."""
    text = 'stdp,input,input.group_sizes,input.group_rates_hz\nnotebook,groups,"[20,20]","[5,10]"\n'
    samples = samples_in(table(text))
    assert samples.columns["input.group_sizes"] == [(20, 20)]
    (point,) = grid_of_mapping(pipeline.configure(), {}, samples).points
    assert point.input.group_rates_hz == (5, 10)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "has no rows"),
        ("seed\n", "has no rows"),
        ("stdp.tau_plus,foo\n1,2\n", "foo=...: unknown column (known: "),
        ("A_plus\n1\n", "A_plus=...: unknown column; did you mean stdp.A_plus?"),
        ("record.dtype\nfloat32\n", "record.dtype=...: unknown column"),
        ("stdp.tau_plus,seed\n10,\n", "row 1, column seed: must have a value"),
        ("stdp.tau_plus,seed\n10,1\n20,nan\n", "row 2, seed=nan: random seed must be a whole"),
        (
            "stdp.tau_plus,seed\n10,1\n20,1\n1e1,1\n",
            "row 3: is the same as row 1 (stdp.tau_plus=10.0, seed=1); each must differ",
        ),
        (
            "neuron.V_th,neuron.V_reset\n-54,-60\n-60,-50\n",
            "row 2, neuron.V_reset=-50.0: must be <",
        ),
        (
            "stdp.tau_plus,simulation.dt\n10,0.1\n10,7\n",
            "row 2, simulation.dt=7.0: the time step must",
        ),
        ("stdp.rule\nadditive\nfoo\n", "row 2, stdp.rule=foo: must be additive or"),
        ("stdp\nadditive\nfoo\n", "row 2, stdp=foo: must be additive or"),
        ("stdp.tau_plus,seed\n10,1\nabc,1\n", "row 2, stdp.tau_plus='abc': LTP time constant must"),
        ("seed;stdp.tau_plus\n1;10,5\n", "row 1, stdp.tau_plus='10,5': LTP time constant must"),
        ("stdp.tau_plus,seed\n10,1\n20,1.5\n", "row 2, seed=1.5: random seed must be a whole"),
        ("stdp.tau_plus\n10\n-5\n", "row 2, stdp.tau_plus=-5.0: LTP time constant must"),
        (
            "stdp.tau_plus,seed\n10,1\n10,2,3\n",
            "row 2 has 3 values; it must have 2, one for each column",
        ),
        ("seed,seed\n1,2\n", "column seed is given twice"),
        ("seed,\n1,2\n", "column 2 has no key in the first line"),
    ],
)
def test_what_is_no_table_of_samples_is_refused(refused, table, text, line):
    """In one line with row and column, exit code 2, before anything is written."""
    path = table(text)
    assert refused(f"sweep.table={path}").startswith(f"error: sweep.table={path}: {line}")


def test_a_missing_file_is_refused(refused):
    """By its name."""
    assert refused("sweep.table=none.csv") == (
        "error: sweep.table=none.csv: must be a file that exists"
    )


def test_a_single_value_of_a_key_that_the_table_has_is_refused(refused, table):
    """It would have no effect."""
    path = table(TABLE)
    assert refused(f"sweep.table={path}", "stdp.tau_plus=3") == (
        f"error: stdp.tau_plus=3: must not be given together with sweep.table={path}, which has a "
        "column stdp.tau_plus"
    )


@pytest.mark.parametrize("value", ["", "[a,b]"])
def test_what_is_no_path_of_a_table_is_refused(refused, value):
    """An empty text is no request for a grid, and a list is no axis."""
    said = refused(f"sweep.table={value}")
    assert said == f"error: sweep.table={value}: must be the path of one table (CSV or Parquet)"


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("sweep.foo=1", "sweep.foo=1: unknown key (known: sweep.zip, sweep.table, sweep.samples, "),
        ("sweep.tabel=a.csv", "sweep.tabel=a.csv: unknown key; did you mean sweep.table? (known: "),
        ("sweep={a:1}", "sweep={a:1}: must be set key by key: sweep.zip, sweep.table, sweep."),
        ("sweep=1", "sweep=1: must be set key by key: sweep.zip, sweep.table, sweep.samples, "),
    ],
)
def test_what_is_no_setting_of_samples_is_refused_with_those_there_are(refused, word, line):
    """In one line; the section itself is no suggestion."""
    assert refused(word).startswith(f"error: {line}")
