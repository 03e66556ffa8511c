"""Provenance in the report: commands that reproduce the experiment."""

import netCDF4


def test_the_commands_that_reproduce_the_experiment_are_given(page, experiment):
    """The recorded command, the bit-for-bit comparison, the page itself."""
    assert "Reproduce" in page.texts["reproduce"]
    assert "compare them bit for bit" in page.texts["reproduce"]
    with netCDF4.Dataset(experiment / "results.nc") as file:
        assert file.command in page.texts["reproduce"]
    assert f"python -m pipeline.reproduce {experiment}" in page.texts["reproduce"]
    assert f"python -m analysis {experiment} --report" in page.texts["reproduce"]
