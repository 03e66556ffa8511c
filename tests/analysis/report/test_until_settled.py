"""The report of runs until they have settled: what is open, what is known of it, what to do."""

import shutil

import netCDF4
import pytest

import pipeline
from analysis.report import page as report_page
from tests.support.report import report_of

UNTIL = ("simulation.until=settled", "simulation.duration=130000", "input.n_synapses=60",
         "synapse.g_max=0.12", "synapse.w_init=1", "stdp.A_plus=0.02")  # fmt: skip
AXES = {"input.rate_hz": [0, 1, 20], "stdp.ltd_ratio": [0.9, 1.05], "seed": [0, 1, 2]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Points that cannot fire, that do not, at the upper bound, and not settled."""
    folder = tmp_path_factory.mktemp("until") / "until"
    pipeline.sweep(pipeline.configure(*UNTIL), AXES, folder, backend="sequential")
    return folder


@pytest.fixture(scope="module")
def page(folder):
    """The parsed page, without figures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_page, "FIGURES", {})
        return report_of(folder)[1]


def words(page, section):
    """Return the text of a section with single blanks."""
    return " ".join(page.texts[section].split())


def test_the_header_tells_limit_looks_and_answers(page):
    """Of all runs, as the console does."""
    assert (
        "Each run went on until it had settled, at most for 130 s; it was looked at whenever its "
        "length had doubled, from 64 s on. Runs: 3 at the upper bound, 6 cannot fire, 6 no output "
        "spike, 3 not settled."
    ) in words(page, "")


def test_what_is_open_is_listed_with_what_to_do(page):
    """Each answer with its points; of silence the bound 3/T, T the last half of 128 s."""
    text = words(page, "warnings")
    for said in (
        "Cannot fire, without input the threshold is out of reach, however long the run: "
        "2 of 6 parameter combinations. rate_hz = 0 Hz, ltd_ratio = 0.9",
        "No output spike within the limit, none in the last half of the run, T = 64 s: the rate "
        "there is below 3/T = 0.047 Hz (95 % confidence), no equilibrium: 2 of 6",
        "Not settled within the limit, when last looked at after 128 s: with "
        "simulation.duration=256000 [ms] or more the same command lets them go on: 1 of 6 "
        "parameter combinations. rate_hz = 20 Hz, ltd_ratio = 1.05",
        "Settled are those of which, over 16 times the run, the output rate will change by less "
        "than 20 % (or 0.2 Hz)",
    ):
        assert said in text
    assert "Silent" not in text
    assert "equilibrium cannot be assessed" not in text


def test_what_to_do_is_told_of_the_runs_that_had_not_settled(folder, tmp_path, monkeypatch):
    """Another seed of the same combination settled long before; no larger limit changes it."""
    monkeypatch.setattr(report_page, "FIGURES", {})
    shutil.copytree(folder, tmp_path / "unlike")
    with netCDF4.Dataset(tmp_path / "unlike" / "results.nc", "a") as file:
        meanings = file["settled"].flag_meanings.split()
        file["settled"][2, 1, 0] = file["settled"].flag_values[meanings.index("settled")]
        file["run_duration"][2, 1, 0] = 64_000
    text = words(report_of(tmp_path / "unlike")[1], "warnings")
    assert (
        "when last looked at after 128 s: with simulation.duration=256000 [ms] or more the same "
        "command lets them go on: 1 of 6 parameter combinations. rate_hz = 20 Hz"
    ) in text


def test_the_table_has_the_answers(page):
    """The bound on the rate of each silent point stands beside it."""
    heading, *rows = page.rows["numbers"]
    found = [row[heading.index("Settled")] for row in rows]
    assert found == [
        *["cannot fire"] * 2,
        *["no output spike: below 0.047 Hz"] * 2,
        *("at the upper bound", "not settled"),
    ]
    assert "Simulated time of the run (s)" in heading
    assert "Standard error of the mean weight, last half of the run" in heading
    assert "3 at the upper bound" not in page.texts["numbers"]  # points, not runs, are counted


def test_the_duration_is_named_a_limit(page):
    """In the table of the configuration."""
    assert page.row("configuration", "duration") == [
        "130000 ms",
        "Simulated time limit of runs until settled",
    ]


def test_another_tolerance_is_in_the_words(tmp_path, monkeypatch):
    """Of a swept one, the smallest."""
    monkeypatch.setattr(report_page, "FIGURES", {})
    base = pipeline.configure(*UNTIL, "input.rate_hz=20", "stdp.ltd_ratio=1.05")
    axes = {"settle.tolerance": [0.01, 0.02]}
    pipeline.sweep(base, axes, tmp_path / "strict", backend="sequential")
    _, page = report_of(tmp_path / "strict")
    text = words(page, "warnings")
    assert "the output rate will change by less than 4 % (or 0.04 Hz), the mean weight" in text
    assert "less than 0.02 (of the smallest settle.tolerance)." in text
