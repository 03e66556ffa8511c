"""The table of experiments: search, columns, filters."""

import json
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta

import netCDF4
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline
from analysis.__main__ import main
from analysis.experiments.filters import since
from analysis.experiments.listing import duration
from analysis.experiments.text_table import table
from analysis.reading.errors import ConditionError, LoadError
from analysis.reading.metadata import read_metadata
from analysis.reading.values import printable
from tests.conftest import SMALL


@pytest.fixture
def listed(tmp_path, capsys, monkeypatch):
    """List what is below `tmp_path`; return the exit code and the lines."""

    def run(*words, columns=100):
        monkeypatch.setenv("COLUMNS", str(columns))
        capsys.readouterr()
        code = main(["list", str(tmp_path), *words])
        captured = capsys.readouterr()
        return code, (captured.err if code else captured.out).splitlines()

    return run


def names(lines):
    """Return the first cell of every row."""
    return [line.split()[0] for line in lines[1:]]


def say(experiment, **attributes):
    """Change attributes of a file."""
    with netCDF4.Dataset(experiment / "results.nc", "a") as file:
        for name, value in attributes.items():
            file.delncattr(name) if value is None else file.setncattr(name, value)


def made_at(created, **more):
    """Return the attribute `runs` for one run."""
    return json.dumps([{"created": created, **more}])


def test_a_row_has_axes_points_commit_and_time(keep, listed):
    """Ranges of many numbers, few numbers and names one by one; no constants."""
    axes = {"input.rate_hz": range(10, 50, 10), "input.process": ["poisson", "notebook"]}
    experiment = keep("study/first", axes, "simulation.duration=50")
    made = made_at("2026-11-02T09:30:00+00:00", git_commit="0123456789abcdef", git_dirty="true")
    say(experiment, runs=made, seconds=75.0)
    code, (heading, row) = listed()
    assert code == 0
    assert heading.split() == ["name", "last", "run", "done", "commit", "took", "axes"]
    when = datetime(2026, 11, 2, 9, 30, tzinfo=UTC).astimezone()
    assert row.split() == [
        *("study/first", f"{when:%Y-%m-%d}", f"{when:%H:%M}", "8", "0123456*", "1.2", "min"),
        *("rate_hz", "10..40", "(4);", "process", "poisson,notebook"),
    ]


def test_the_time_of_a_killed_run_is_not_counted_as_none(keep, listed):
    """A run that was killed has no time: the sum of the others is a lower bound, and says so."""
    runs = [{"created": "2026-11-02T09:30:00+00:00", "seconds": None}]
    say(keep("all", {"seed": [1]}), runs=json.dumps(runs), seconds=0.0)
    runs.append({"created": "2026-11-02T09:40:00+00:00", "seconds": 75.0})
    say(keep("one", {"seed": [1]}), runs=json.dumps(runs), seconds=75.0)
    say(keep("whole", {"seed": [1]}), runs=json.dumps(runs[1:]), seconds=75.0)
    heading, *rows = listed()[1]
    shown = {row.split()[0]: row[: heading.index("axes")].split()[5:] for row in rows}
    assert shown == {"all": ["killed"], "one": [">", "1.2", "min"], "whole": ["1.2", "min"]}


def test_failed_and_missing_points_have_columns_where_there_are_any(keep, listed):
    """In the order done, failed, missing."""
    keep("whole", {"seed": [1]})
    assert listed()[1][0].split()[1:5] == ["last", "run", "done", "commit"]
    with netCDF4.Dataset(keep("holes", {"seed": range(6)}) / "results.nc", "a") as file:
        file["status"][:] = [0, 1, 0, 2, 2, 0]
    lines = listed()[1]
    assert lines[0].split()[3:6] == ["done", "failed", "missing"]
    row = next(line for line in lines if line.startswith("holes"))
    assert row.split()[3:6] == ["3", "1", "2"]


def test_the_newest_run_is_last_and_other_commits_are_counted(keep, listed):
    """Sorted by the last run of each, whatever the names; `+1` is one other commit."""
    first, second = keep("b", {"seed": [1]}), keep("a", {"seed": [1]})
    runs = [
        {"created": "2026-11-01T10:00:00+00:00", "git_commit": "a" * 40, "git_dirty": "true"},
        {"created": "2026-11-05T10:00:00+00:00", "git_commit": "b" * 40, "git_dirty": "false"},
    ]
    say(first, runs=made_at("2026-11-03T10:00:00+00:00"))
    say(second, runs=json.dumps(runs))
    lines = listed()[1]
    assert names(lines) == ["b", "a"]
    assert " bbbbbbb+1 " in lines[2]


def test_experiments_without_results_are_listed(keep, listed, tmp_path):
    """Killed before results.nc was written, damaged, of another program: one row each."""
    killed = keep("killed", {"seed": [1]})
    (killed / "results.nc").unlink()
    broken = keep("broken", {"seed": [1]})
    (broken / "results.nc").write_bytes((broken / "results.nc").read_bytes()[:5000])
    (tmp_path / "foreign").mkdir()
    netCDF4.Dataset(tmp_path / "foreign" / "results.nc", "w").close()
    (tmp_path / "nothing" / "figures").mkdir(parents=True)
    code, lines = listed(columns=200)
    rows = {line.split()[0]: line for line in lines[1:]}
    assert code == 0
    assert rows.keys() == {"killed", "broken", "foreign"}
    assert rows["killed"].endswith("no results.nc yet")
    assert "cannot be read as netCDF" in rows["broken"]
    assert "not results of the pipeline" in rows["foreign"]


def test_a_file_without_provenance_is_listed_with_blanks(keep, listed):
    """Without commit, date and runs, the row has name, points and axes."""
    experiment = keep("old", {"seed": [1, 2]})
    gone = ("created", "git_commit", "git_dirty", "runs", "seconds")
    say(experiment, **dict.fromkeys(gone))
    assert listed()[1][1].split() == ["old", "2", "seed", "1,2"]
    say(experiment, created="2026-11-01T10:00:00+00:00; 2026-11-02T10:00:00+00:00")
    say(experiment, git_commit=f"{'a' * 40}; {'b' * 40}", git_dirty="false; true")
    assert "2026-11-02" in listed()[1][1]
    assert " bbbbbbb* " in listed()[1][1]


def test_experiments_are_found_anywhere_but_in_folders_of_another(keep, listed, tmp_path):
    """Also below others; not in `points`, `figures` or hidden folders, nor twice by links."""
    outer = keep("outer", {"seed": [1]})
    for folder in ("inner", "points/copy", "figures/copy", ".hidden"):
        shutil.copytree(outer / "points", outer / folder / "points")
        shutil.copy(outer / "results.nc", outer / folder)
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "a_link").symlink_to(outer)
    assert names(listed()[1]) == ["outer", "outer/inner"]


def test_no_experiments_are_one_line(listed, tmp_path, capsys, monkeypatch):
    """Also without `outputs`; a root that is given must exist."""
    assert listed() == (0, [f"no experiments below {tmp_path}"])
    monkeypatch.chdir(tmp_path)
    assert main(["list"]) == 0
    assert capsys.readouterr().out == "no experiments below outputs\n"
    assert main(["list", "nowhere"]) == 2
    assert capsys.readouterr().err == "error: nowhere: must be a directory\n"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """Experiments with one parameter fixed, swept, and set by the choices of a group."""
    root = tmp_path_factory.mktemp("three")
    for name, axes, *overrides in (
        ("fixed", {"seed": [1, 2]}, "stdp.A_plus=0.005", "record.spike_times=true"),
        ("swept", {"stdp.A_plus": [0.001 * i for i in range(1, 10)]}),
        ("group", {"stdp": ["notebook", "song_abbott_2001"]}),
    ):
        configuration = pipeline.configure(*SMALL, *overrides)
        pipeline.sweep(configuration, axes, root / name, backend="sequential")
    return root


@pytest.fixture
def three(made_once, tmp_path):
    """Put these experiments below `tmp_path`."""
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("stdp.A_plus=0.005", {"fixed", "swept", "group"}),
        ("A_plus=5e-3", {"fixed", "swept", "group"}),
        ("stdp.A_plus=0.003", {"swept"}),  # 0.001 * 3 is 0.003 to 15 digits
        ("stdp.A_plus=0.008", {"swept", "group"}),
        ("seed=2", {"fixed"}),
        ("A_plus=0.0079:", {"swept", "group"}),
        ("A_plus=0.001:0.004", {"swept"}),
        ("stdp=notebook", {"group"}),
        ("input.process=poisson", {"fixed", "swept", "group"}),
        ("stdp.A_minus=null", {"fixed", "swept", "group"}),
        ("stdp.A_minus=0.0055", {"fixed", "swept"}),  # what null stands for
        ("spike_times=true", {"fixed"}),
        ("input.n_synapses=40", {"fixed", "swept", "group"}),
    ],
)
def test_where_finds_a_value_wherever_it_stands(three, listed, condition, found):
    """As a constant, on an axis, in a group's choice, derived for null."""
    assert set(names(listed("--where", condition)[1])) == found


def test_all_conditions_must_hold(three, listed):
    """Each anywhere in the experiment; if none meets them, one line has the values that exist."""
    both = ("--where", "A_plus=0.005", "--where", "seed=2020")
    assert set(names(listed(*both)[1])) == {"swept", "group"}
    code, (line,) = listed("--where", "A_plus=0.5", "--since", "1d")
    assert code == 0
    assert "none of 3 experiments below" in line
    assert "stdp.A_plus=0.5 (values there: 0.001..0.009 (9)) and a run since" in line


def test_experiments_with_unknown_parameters_are_counted(three, listed, tmp_path):
    """Without results.nc the parameters of an experiment are unknown."""
    (tmp_path / "killed" / "points").mkdir(parents=True)
    lines = listed("--where", "seed=2")[1]
    assert names(lines[:-1]) == ["fixed"]
    assert lines[-1] == "not shown: 1 without results.nc, unreadable or undated"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--where", "A_plus"), "--where A_plus: must be KEY=VALUE"),
        (("--where", "=3"), "--where =3: must be KEY=VALUE"),
        (("--where", "stdp.A_plux=1"), "no experiment has this key; did you mean stdp.A_plus?"),
        (("--where", "rate=1"), "did you mean input.rate_hz?"),
        (("--where", "zzz=1"), "input.*"),
        (("--where", "A_plus=much"), "A_plus=much: must be a number, or null"),
        (("--where", "record.traces=1"), "record.traces=1: must be true or false, or null"),
        (("--since", "yesterday"), "--since yesterday: must be a date"),
        (("--since", "99999999999d"), "must be a date"),
    ],
)
def test_bad_conditions_are_one_line_and_exit_code_2(three, listed, words, message):
    """Key, value and what is allowed."""
    code, (line,) = listed(*words)
    assert code == 2
    assert line.startswith("error: ")
    assert message in line


def test_since_keeps_what_ran_at_or_after(keep, listed):
    """The last run counts."""
    say(keep("old", {"seed": [1]}), runs=made_at("2026-11-01T10:00:00+00:00"))
    say(keep("new", {"seed": [1]}), runs=made_at("2026-11-02T10:00:00+00:00"))
    assert names(listed("--since", "2026-11-02T10:00:00+00:00")[1]) == ["new"]
    assert names(listed("--since", "2026-10-30")[1]) == ["old", "new"]
    assert "none of 2 experiments" in listed("--since", "2026-11-02T10:00:01Z")[1][0]


def test_since_takes_dates_and_durations():
    """Dates are local, durations are before now."""
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert since("2d", now) == now - timedelta(days=2)
    assert since("1.5 h", now) == now - timedelta(minutes=90)
    assert since("30min", now) == now - timedelta(minutes=30)
    assert since("2026-11-01", now) == datetime(2026, 11, 1).astimezone()
    assert since("2026-11-01T12:00", now) == datetime(2026, 11, 1, 12).astimezone()


@given(st.text())
def test_since_refuses_anything_else_in_one_line(text):
    """Any text is a time or an error of one line."""
    try:
        assert since(text, datetime.now(UTC)).tzinfo
    except ConditionError as error:
        assert "must be a date" in str(error)
        assert len(str(error).splitlines()) == 1


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"CDF\x01", b"CDF\x05", b"\x89HDF\r\n\x1a\n"])
)
def test_arbitrary_bytes_are_reported_as_unreadable(tmp_path_factory, garbage, beginning):
    """Also with the first bytes of a netCDF file."""
    file = tmp_path_factory.mktemp("garbage") / "results.nc"
    file.write_bytes(beginning + garbage)
    with pytest.raises(LoadError, match="cannot be read as netCDF|not results of the pipeline"):
        read_metadata(file)


def test_rows_fit_the_terminal(keep, listed):
    """Axes are wrapped between axes; a long name has a line of its own and stays whole."""
    name = "a_study_of_many_things/with_a_name_that_is_longer_than_any_column"
    axes = {"input.rate_hz": range(5), "stdp.A_plus": [0.001, 0.002], "seed": range(6)}
    made = {"runs": made_at("2026-11-01T12:00:00+00:00", git_commit="a" * 40), "seconds": 1.0}
    say(keep(name, axes, "simulation.duration=20"), **made)
    say(keep("short", {"seed": [1]}, "simulation.duration=20"), **made)
    lines = listed(columns=77)[1]
    column = lines[0].index("axes")
    assert lines[1] == name
    assert [line[column:] for line in lines[2:]] == [
        "rate_hz 0..4 (5);",
        "A_plus 0.001,0.002;",
        "seed 0..5 (6)",
        "seed 1",
    ]
    assert max(map(len, lines)) <= 77
    row = listed(columns=1000)[1][1]
    assert row.startswith(name)
    assert row.endswith("  rate_hz 0..4 (5); A_plus 0.001,0.002; seed 0..5 (6)")


@given(st.lists(st.tuples(*[st.text(max_size=60)] * 3), min_size=1), st.integers(20, 150))
def test_no_cell_breaks_the_table(rows, width):
    """Characters that are not printable are escaped; rows start a line, and nothing is lost."""
    lines = table(rows, width).split("\n")
    assert all(line.isprintable() for line in lines)
    assert len(lines) >= len(rows)
    cells = [printable(cell) for row in rows for cell in row]
    visible = Counter("".join(cells)) - Counter({"\xa0": 1_000_000, " ": 1_000_000})
    assert Counter("".join(lines).replace(" ", "")) == visible


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "0 s"),
        (0.033, "0.033 s"),
        (1.23, "1.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "0.99 min"),
        (180, "3 min"),
        (7600, "2.1 h"),
        (400_000, "4.63 d"),
    ],
)
def test_durations_have_two_digits(seconds, text):
    """Two digits in a suitable unit."""
    assert duration(seconds) == text


def test_points_that_have_not_settled_have_a_column_where_there_are_any(keep, listed):
    """Of runs until settled; an experiment of given durations has none."""
    keep("given", {"seed": [1]})
    assert "settled" not in listed()[1][0]
    keep("open", {"seed": [1, 2]}, "simulation.until=settled", "simulation.duration=64000")
    heading, *rows = listed()[1]
    assert heading.split()[3:6] == ["done", "not", "settled"]
    column = slice(heading.index("not settled"), heading.index("commit"))
    assert {row.split()[0]: row[column].strip() for row in rows} == {"given": "", "open": "2"}
