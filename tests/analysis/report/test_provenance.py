"""Provenance in the report: commands that reproduce the experiment."""

import netCDF4

from tests.support.report import change_runs, report_of


def test_the_commands_that_reproduce_the_experiment_are_given(page, experiment):
    """The recorded command, the bit-for-bit comparison, the page itself."""
    assert "Reproduce" in page.texts["reproduce"]
    assert "compare them bit for bit" in page.texts["reproduce"]
    with netCDF4.Dataset(experiment / "results.nc") as file:
        assert file.command in page.texts["reproduce"]
    assert f"python -m pipeline.reproduce {experiment}" in page.texts["reproduce"]
    assert f"python -m analysis {experiment} --report" in page.texts["reproduce"]


def test_a_killed_run_has_no_time(keep, one_figure):
    """Its record has no time of its end: the table says why."""
    folder = keep("twice", {"seed": [1, 2]})
    change_runs(folder, {"seconds": None}, {"seconds": 3.5})
    _, page = report_of(folder)
    assert page.row("provenance", "1")[2] == "killed"
    assert page.row("provenance", "2")[2] == "3.5"
