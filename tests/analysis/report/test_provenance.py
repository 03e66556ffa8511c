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


def test_the_files_of_the_user_are_shown_as_they_were_read(keep, one_figure):
    """Each once, by its path, with the content that the last run has read."""
    folder = keep("own", {"seed": [1, 2]})
    early, late = ({"own_files": {"own/stdp/mine.yaml": f"A_plus: {a}\n"}} for a in (0.125, 0.25))
    change_runs(folder, early, {}, late)
    _, page = report_of(folder)
    assert page.texts["provenance"].count("Own file own/stdp/mine.yaml") == 1
    assert "A_plus: 0.25" in page.texts["provenance"]
    assert "A_plus: 0.125" not in page.texts["provenance"]


def test_a_killed_run_has_no_time(keep, one_figure):
    """Its record has no time of its end: the table says why."""
    folder = keep("twice", {"seed": [1, 2]})
    change_runs(folder, {"seconds": None}, {"seconds": 3.5})
    _, page = report_of(folder)
    assert page.row("provenance", "1")[2] == "killed"
    assert page.row("provenance", "2")[2] == "3.5"
