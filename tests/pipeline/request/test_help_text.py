"""The table of parameters in `python -m pipeline --help`."""

import subprocess
import sys

from pipeline.model.parameters import all_quantities
from pipeline.request import help_text
from tests.conftest import ROOT


def test_the_help_has_key_unit_and_meaning_of_every_parameter():
    """One line each, in columns, after the values."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.partition("== Parameters: key, unit, meaning ==\n")[2].splitlines()
    for key, quantity in all_quantities().items():
        (line,) = [line for line in lines if line.split()[:1] == [key]]
        assert line.split() == [key, *quantity.units.split(), *quantity.long_name.split()]
    assert any(line.split()[:2] == ["run.timeout", "s"] for line in lines)
    assert "${" not in done.stdout.partition("== Parameters")[2]


def test_a_dollar_sign_in_a_meaning_is_no_placeholder(monkeypatch):
    """Hydra fills in what follows a single one."""
    monkeypatch.setattr(help_text, "table_of_parameters", lambda: "a price in $US")
    assert help_text._template() == "a price in $$US"
