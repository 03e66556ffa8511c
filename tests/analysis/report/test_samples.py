"""Samples in the report: what was sampled, from which intervals, how, and how many are done."""

from pathlib import Path

import netCDF4
import pytest

import pipeline
from tests.conftest import SMALL
from tests.support.report import report_of

DRAWN = ("input.rate_hz=interval(10,40)", "stdp.A_plus=interval(0.001,0.1,log)")
METHOD = ("sweep.samples=4", "sweep.method=random", "sweep.seed=3")


def text_of(page):
    """Return the part on samples as one line."""
    return " ".join(page.texts["samples"].split())


def test_drawn_samples_have_their_intervals_method_and_seed(command, one_figure):
    """With the unit of each key; keys that follow are told from those that were drawn."""
    tied = ("stdp.tau_plus=interval(10,20)", "neuron.tau_m=${stdp.tau_plus}")
    assert command(*SMALL, "-m", *DRAWN, *tied, *METHOD, "seed=1,2", "name=x").code == 0
    _, page = report_of("outputs/x")
    assert "4 samples of 2 points each (seed): 4 done." in text_of(page)
    assert "Drawn from intervals by independent random numbers (sweep.method=random, " \
        "sweep.seed=3)." in text_of(page)  # fmt: skip
    meaning, unit, interval, number, values = page.row("samples", "input.rate_hz")
    assert (meaning, unit, interval, number) == ("Input rate", "Hz", "10 to 40", "4")
    low, high = map(float, values.split(", ")[::3])
    assert 10 <= low < high <= 40
    assert page.row("samples", "stdp.A_plus")[2] == "0.001 to 0.1, uniform in the logarithm"
    assert page.row("samples", "neuron.tau_m")[1:3] == ["ms", "follows the others"]
    assert page.row("configuration", "rate_hz") == [f"{values} Hz", "Input rate sampled"]
    assert page.row("configuration", "tau_m")[1].endswith("follows samples")


def test_failed_and_missing_samples_are_counted(command, fail_for_seed, one_figure):
    """In the same numbers as the points at the top; of a part, how many samples there are."""
    fail_for_seed(2, ValueError("broken"))
    keys = ("stdp.tau_plus=10,20,30", "stdp.ltd_ratio=1,1.1,1.2")
    pairs = (*keys, "sweep.zip=[stdp.tau_plus,stdp.ltd_ratio]")
    assert command(*SMALL, "-m", *pairs, "seed=1,2", "name=x").code == 1
    _, page = report_of("outputs/x")
    assert "3 samples of 2 points each (seed): 3 with failed points." in text_of(page)
    _, page = report_of("outputs/x", "--where", "seed=2", "--where", "stdp.tau_plus=10:20")
    assert "2 points (2 parameter combinations" not in page.texts[""]
    assert "2 points: 2 failed." in page.texts[""]
    assert "2 of 3 samples: 2 failed." in text_of(page)
    _, page = report_of("outputs/x", "--where", "sample=1")
    assert "Sample 1 of 3." in text_of(page)
    assert page.row("samples", "stdp.tau_plus") == ["LTP time constant", "ms", "1", "20"]


def test_samples_that_repeat_others_are_told(command, one_figure):
    """A key of whole numbers has fewer than were drawn."""
    words = ("input.n_synapses=interval(40,41)", "sweep.samples=9", "sweep.method=random")
    assert command(*SMALL, "-m", *words, "name=x").code == 0
    _, page = report_of("outputs/x")
    assert "2 samples: 2 done." in text_of(page)
    assert "Of 9 drawn, 7 repeated others and are left out." in text_of(page)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            (
                "stdp.tau_plus=10,20",
                "stdp.ltd_ratio=1,2",
                "sweep.zip=[stdp.tau_plus,stdp.ltd_ratio]",
            ),
            "values of swept keys, one by one (sweep.zip=[stdp.tau_plus,stdp.ltd_ratio])",
        ),
        (("sweep.table=points.csv",), "rows of a table (sweep.table=points.csv)"),
    ],
)
def test_given_samples_name_what_gave_them(command, one_figure, words, text):
    """A run before, of another origin, is named too."""
    Path("points.csv").write_text("stdp.tau_plus,stdp.ltd_ratio\n10,1\n20,2\n")
    assert command(*SMALL, "-m", *words, "name=x").code == 0
    _, page = report_of("outputs/x")
    assert f"Given as {text}." in text_of(page)
    samples = {"stdp.tau_plus": [30, 40], "stdp.ltd_ratio": [1, 2]}
    configuration = pipeline.configure(*SMALL)
    pipeline.sweep(configuration, {}, "outputs/x", samples=samples, backend="sequential")
    _, page = report_of("outputs/x")
    assert f"Given as {text} and values from Python (samples=...)." in text_of(page)
    assert "4 samples: 4 done." in text_of(page)


def test_a_file_that_does_not_say_what_gave_its_samples_is_reported(command, one_figure):
    """Earlier versions recorded what has drawn them alone."""
    words = (
        "stdp.tau_plus=10,20",
        "stdp.ltd_ratio=1,2",
        "sweep.zip=[stdp.tau_plus,stdp.ltd_ratio]",
    )
    assert command(*SMALL, "-m", *words, "name=x").code == 0
    with netCDF4.Dataset("outputs/x/results.nc", "a") as file:
        file.runs = file.runs.replace("sample_origin", "other")
        file.delncattr("sample_origin")
    _, page = report_of("outputs/x")
    assert "Given value by value, not drawn." in text_of(page)


def test_what_a_choice_of_samples_sets_is_in_the_configuration(tmp_path, one_figure):
    """Each choice once, however many samples have it."""
    samples = {"stdp": ["notebook", "notebook", "multiplicative"], "input.rate_hz": [20, 30, 40]}
    configuration = pipeline.configure(*SMALL)
    pipeline.sweep(configuration, {}, tmp_path / "x", samples=samples, backend="sequential")
    _, page = report_of(tmp_path / "x")
    assert page.row("samples", "stdp") == ["STDP rule", "", "2", "multiplicative, notebook"]
    values, mark = page.row("configuration", "rule")
    assert values == "notebook: additive, multiplicative: multiplicative"
    assert mark == "Plasticity rule set by stdp"


def test_a_grid_has_no_such_part(page):
    """Nor a link to it."""
    assert "samples" not in page.texts
    assert {"href": "#samples"} not in page.all("a")


def test_figures_of_samples_are_named_by_what_they_show(command):
    """In the contents and headings: not `sample`, which is on no axis, and no two alike."""
    words = (*DRAWN, "sweep.samples=8", "sweep.method=random")
    assert command(*SMALL, "-m", *words, "name=x").code == 0
    _, page = report_of("outputs/x", "--where", "input.rate_hz=10:")
    words = " ".join(page.texts["figures"].split())
    assert "Output rate against what samples set" in words
    assert "against sample " not in words
    assert "of sampled parameters mean weight ; output rate" in words
    assert "Mean weight or output rate over each pair of sampled parameters, mean weight" in words


def test_many_values_are_counted_with_a_separator_of_thousands(command, one_figure):
    """As the samples are."""
    words = ("input.rate_hz=interval(0,1)", "sweep.samples=1001", "sweep.method=random")
    tiny = ("input.n_synapses=1", "simulation.duration=1")
    assert command(*SMALL, *tiny, "-m", *words, "name=x").code == 0
    _, page = report_of("outputs/x")
    assert "1,001 samples: 1,001 done." in text_of(page)
    assert page.row("samples", "input.rate_hz")[3] == "1,001"
