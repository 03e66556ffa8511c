"""The numbers of `docs/benchmarks.md` are those of `RESULTS.md`."""

import pytest

from pipeline.model.inputs import PROCESSES
from tests.benchmarks.page import blocks
from tests.benchmarks.page import seconds as time_of
from tests.benchmarks.results import Results
from tests.benchmarks.table import Row, markdown
from tests.rules.test_house import ROOT
from tests.support.marked import filled


def results():
    """Return results of two benchmarks."""
    runs = [
        Row("One run", "hand-written C (GCC 12)", "4.17 ms", "2.99 ms", "0.72x", "checks"),
        Row(
            "One run",
            "Brian2 2.9.0 C++ standalone",
            "4.15 ms",
            "0.3 s (and 15 s to compile)",
            "72x",
        ),
        Row(
            "One run", "Brian2 2.9.0 C++ standalone, its usual order of operations", "4.2 ms", "9 s"
        ),
        Row("One run", "nest", other="not installed"),
    ]
    cost = Row("Resume: 10 points", "running them", "1.53 s", "11.7 s", "7.62x", "median")
    sections = {"dt_1": f"Today.\n\n{markdown(runs)}", "resume": markdown([cost])}
    return Results("Version 1", sections)


def test_the_page_has_the_numbers_of_the_results():
    """Every block between marks is what `RESULTS.md` gives."""
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    folder = ROOT / "tests" / "benchmarks"
    files = ("RESULTS.md", "RULES.md", "PROCESSES.md")
    measured, of_rules, of_processes = (Results.read(folder / name) for name in files)
    assert filled(page, "bench", blocks(measured, of_rules, of_processes)) == page
    assert {"multiplicative", "gutig, mu 0.1", "triplet"} <= {
        row.what.rpartition(": ")[2] for row in of_rules.rows("rules")
    }
    rows = of_processes.rows("processes")
    names = {row.what.partition(": ")[2].partition(",")[0] for row in rows}
    assert names == PROCESSES.classes().keys()


def test_estimated_times_of_processes_are_within_a_factor_of_two():
    """Of those measured, as of a core that is slower; by them sweeps are divided into batches."""
    rows = Results.read(ROOT / "tests" / "benchmarks" / "PROCESSES.md").rows("processes")
    for row in rows:
        run, estimate = row.check.partition(": ")[2].split(", estimated as ")
        ratio = time_of(estimate) / time_of(run)
        assert 0.8 < ratio < 2.2, row.what


def test_the_table_of_one_run_has_the_shortest_time_and_the_ratios():
    """The time of this project is the shortest of its rows; what was not measured is empty."""
    lines = blocks(results(), results(), results())["one run"].splitlines()
    assert lines[2] == "| **this project** | **4.15 ms** | **-** | **-** |"
    assert lines[3] == "| hand-written C | 2.99 ms, 0.72x |  |  |"
    assert "| Brian2, C++ standalone | 0.3 s, 72x (and 15 s to compile) |  |  |" in lines
    assert "| NEST |  |  |  |" in lines


def test_the_table_of_costs_has_both_sides():
    """A cost has its comparison with the ratio."""
    assert (
        "| Resume: 10 points | 1.53 s | running them: 11.7 s, 7.62x |"
        in blocks(results(), results(), results())["around"]
    )


def test_a_block_is_replaced_as_a_whole():
    """Only the text between the marks changes; a page without a mark is refused."""
    page = "before\n<!-- bench: growth -->\nold\nlines\n<!-- bench end -->\nafter\n"
    new = filled(page, "bench", {"growth": "new"})
    assert new == "before\n<!-- bench: growth -->\n\nnew\n\n<!-- bench end -->\nafter\n"
    assert filled(new, "bench", {"growth": "new"}) == new
    with pytest.raises(ValueError, match="0 blocks <!-- bench: one run -->"):
        filled(page, "bench", {"one run": "new"})
