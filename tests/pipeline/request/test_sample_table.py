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
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(content)
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
        TABLE.replace("\n", ",,\n") + ",,,,\n",
        TABLE.replace("4\n", "4,,\n"),
        TABLE.encode("utf-16"),
        "\n" + TABLE.replace(",", ";"),
        "sep=;\n" + TABLE.replace(",", ";"),
        "sep=,\n" + TABLE,
    ],
)
def test_a_table_is_the_mapping_of_its_columns(table, text):
    """Whatever separates its columns and lines, and whatever is empty beside and below them."""
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
    with pytest.raises(pipeline.RequestError, match="row 2, seed: missing value; every sample"):
        samples_in(str(tmp_path / "null.parquet"))


def test_a_parquet_file_of_pandas_may_have_an_index_floats_and_another_name(tmp_path):
    """The index plays no role, whole numbers are whole, and its content says what it is."""
    pytest.importorskip("pyarrow", reason="Parquet needs the extra parquet")
    floats = pd.DataFrame(COLUMNS, index=[7, 9]).astype(float)
    floats.to_parquet(tmp_path / "points.pq", engine="pyarrow")
    found = samples_in(str(tmp_path / "points.pq")).columns
    assert found == COLUMNS
    assert [type(seed) for seed in found["seed"]] == [int, int]


def test_whole_numbers_keep_all_of_their_digits(table):
    """Which a float does not hold; in another notation they are whole as well."""
    assert samples_in(table("seed\n9007199254740993\n1e3\n+7\n")).columns == {
        "seed": [9007199254740993, 1000, 7]
    }


def test_a_rule_in_a_file_is_looked_for(table):
    """By the path in its cell; nothing else may be in place of a name."""
    path = table("stdp.rule\nadditive\nnone.py\n")
    with pytest.raises(pipeline.RequestError, match=r"points\.csv: line 3, stdp\.rule=none\.py: "):
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
        ("stdp.tau_plus,foo\n1,2\n", "foo: unknown column (known: "),
        ("A_plus\n1\n", "A_plus: unknown column; did you mean stdp.A_plus?"),
        ("record.dtype\nfloat32\n", "record.dtype: unknown column"),
        ("stdp.tau_plus,seed\n10,\n", "line 2, seed: missing value; every sample needs one"),
        ("stdp.tau_plus,seed\n10,1\n20\n", "line 3, seed: missing value; every sample needs one"),
        ("stdp.tau_plus,seed\n10,1\n20,nan\n", "line 3, seed: missing value; every sample"),
        (
            "stdp.tau_plus,seed\n10,1\n\n20,1\n1e1,1\n",
            "line 5: is the same as line 2 (stdp.tau_plus=10.0, seed=1); each must differ",
        ),
        (
            "neuron.V_th,neuron.V_reset\n-54,-60\n-60,-50\n",
            "line 3, neuron.V_reset=-50.0: must be <",
        ),
        (
            "stdp.tau_plus,simulation.dt\n10,0.1\n10,7\n",
            "line 3, simulation.dt=7.0: the time step must",
        ),
        ("simulation.dt\n20\n0.1\n", "line 2, simulation.dt=20.0: the time step must be < "),
        ("stdp.rule\nadditive\nfoo\n", "line 3, stdp.rule=foo: must be additive or"),
        ("stdp\nadditive\nfoo\n", "line 3, stdp=foo: must be additive or"),
        ("stdp.tau_plus,seed\n10,1\nabc,1\n", "line 3, stdp.tau_plus='abc': LTP time constant"),
        (
            "seed;input.n_synapses\n1;1.000\n",
            "line 2, input.n_synapses=1.000: must be a whole number without points, which may sep",
        ),
        (
            "seed;stdp.tau_plus\n1;10,5\n",
            "line 2, stdp.tau_plus=10,5: must have a decimal point, not a comma",
        ),
        (
            "stdp.tau_plus,seed\n10,5,1\n",
            "line 2 has 3 values, and the first line has 2 keys; a number has a decimal point, not",
        ),
        ("stdp.tau_plus;seed\n1;2;3\n", "line 2 has 3 values, and the first line has 2 keys"),
        (
            "stdp.tau_plus|seed\n10|1\n",
            "must have commas, semicolons or tabs between its columns; the first line is stdp.tau",
        ),
        ("stdp.tau_plus,seed\n10,1\n20,1.5\n", "line 3, seed=1.5: random seed must be a whole"),
        ('stdp.tau_plus\n"1\n0"\n\n-5\n', "line 2, stdp.tau_plus='1\\n0': LTP time constant"),
        ('seed,stdp.tau_plus\n" 1\n",5\n\n2,-5\n', "line 5, stdp.tau_plus=-5.0: LTP time con"),
        (f"seed\n{'9' * 5000}\n", "line 2, seed=inf: random seed must be a whole number"),
        ("seed,seed\n1,2\n", "column seed is given twice"),
        ("seed,,stdp.tau_plus\n1,2,3\n", "column 2 has no key in the first line"),
        (
            ",seed\n0,2\n",
            "column 1 has no key in the first line; pandas writes none with to_csv(index=False)",
        ),
        (b"PK\x03\x04\x14", "must be a CSV or Parquet file, and is a workbook; save its sheet as"),
        ("seed\n1\n".encode("utf-16-le"), "must be text in UTF-8 (it has bytes that are zero)"),
        ("seed\nü\n".encode("latin-1"), "must be text in UTF-8 (invalid start byte)"),
    ],
)
def test_what_is_no_table_of_samples_is_refused(refused, table, text, line):
    """In one line with the line of the file, exit code 2, before anything is written."""
    path = table(text)
    assert refused(f"sweep.table={path}").startswith(f"error: sweep.table={path}: {line}")


def test_a_missing_file_is_refused(refused):
    """By its name."""
    assert refused("sweep.table=none.csv") == (
        "error: sweep.table=none.csv: must be a file that exists"
    )


def test_an_axis_of_a_key_that_the_table_has_is_refused(refused, table):
    """Both are named."""
    path = table(TABLE)
    assert refused("-m", f"sweep.table={path}", "seed=1,2") == (
        f"error: seed: must be either an axis or sampled, not both (sweep.table={path} and "
        "seed=1,2)"
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
