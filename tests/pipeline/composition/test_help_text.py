"""The table of parameters in `--help`, and the answers to `key=?`."""

import pytest

from pipeline.composition import help_text
from pipeline.composition.choices import choices_of
from pipeline.model.parameters import all_quantities
from tests.conftest import ROOT

CONF = ROOT / "conf"


def test_the_help_has_unit_bounds_and_meaning_of_every_parameter(command):
    """One line each, in columns, after the values; a blank line between the sections."""
    ended = command("--help")
    assert "\npython -m pipeline [-m] [+experiment=NAME]" in ended.out
    table = ended.out.partition("== Parameters: key, unit, allowed values, meaning ==\n")[2]
    lines = table.splitlines()
    for key, quantity in all_quantities().items():
        (line,) = [line for line in lines if line.split()[:1] == [key]]
        assert line.split()[: 1 + len(quantity.units.split())] == [key, *quantity.units.split()]
        assert quantity.long_name in line
        assert not quantity.null or f"(null: {quantity.null})" in line
    (seed,) = [line for line in lines if line.startswith("seed ")]
    assert " ".join(seed.split()) == "seed whole, 0 to 4294967295 random seed"
    columns = {line.index(what) for line, what in ((seed, "random"), (lines[0], "spike thr"))}
    assert len(columns) == 1
    assert [group.partition(".")[0] for group in table.split("\n\n")][:3] == [
        "neuron",
        "synapse",
        "stdp",
    ]
    assert "${" not in table


def test_a_dollar_sign_in_a_meaning_is_no_placeholder(monkeypatch):
    """Hydra fills in what follows a single one."""
    monkeypatch.setattr(help_text, "table_of_parameters", lambda: "a price in $US")
    assert help_text._template() == "a price in $$US"


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("stdp.A_plus", "stdp.A_plus  0 to 1  LTP amplitude"),
        ("neuron.tau_m", "neuron.tau_m  ms  > 0  membrane time constant"),
        (
            "simulation.duration",
            "simulation.duration  ms  > 0 and <= 1000000000000  ",
        ),
        ("stdp.rule", "stdp.rule  additive or gutig or log_stdp or "),
        ("run.backend", "run.backend  loky or threading or sequential or dask  backend"),
        ("run.timeout", "run.timeout  s  > 0  longest time of a point (null: no limit)"),
        ("record.traces", "record.traces  true or false  whether all state variables"),
    ],
)
def test_a_question_after_a_key_is_answered_with_its_bounds(key, line):
    """Unit, allowed values, meaning."""
    assert help_text.answer(key, [CONF]).startswith(line)


def test_a_question_after_a_group_lists_its_choices_with_a_line_each(command, tmp_path):
    """Those of the user's folder too; nothing is run."""
    (tmp_path / "own" / "stdp").mkdir(parents=True)
    (tmp_path / "own" / "stdp" / "mine.yaml").write_text("# Mine. It is slow.\nA_plus: 0.1\n")
    ended = command("--config-dir", str(tmp_path / "own"), "seed=1", "stdp=?")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert [line.split()[0] for line in lines] == [
        *(f"stdp={file.stem}" for file in sorted((CONF / "stdp").glob("*.yaml"))),
        "stdp=mine",
    ]
    assert lines[-1].endswith("  Mine.")
    assert [path.name for path in tmp_path.iterdir()] == ["own"]
    (line,) = [line for line in command("experiment=?").out.splitlines() if "=seeds" in line]
    assert line.split("  ")[0] == "+experiment=seeds"


def test_a_line_about_a_choice_does_not_end_within_a_citation(tmp_path):
    """The dot of `et al.` ends no sentence, nor that of a number."""
    for name, text in (
        ("one", "# Rule of Vogels et al. 2011, with 1.5 ms. More. And more.\nA_plus: 0.1\n"),
        ("two", "# No dot\n# at all\nA_plus: 0.1\n"),
    ):
        (tmp_path / "stdp").mkdir(exist_ok=True)
        (tmp_path / "stdp" / f"{name}.yaml").write_text(text)
    assert choices_of("stdp", [tmp_path]) == {
        "one": "Rule of Vogels et al. 2011, with 1.5 ms.",
        "two": "No dot at all",
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sdtp=?"], "sdtp=?: unknown key; did you mean stdp?"),
        (["--config-dir", "absent", "stdp=?"], "--config-dir absent: must be a folder that exists"),
    ],
)
def test_a_wrong_question_is_one_line(command, words, message):
    """Exit code 2."""
    ended = command(*words)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(f"error: {message}")


def test_every_configuration_says_what_it_is():
    """Its first comment has a sentence, other than the command that chooses it."""
    for folder in filter(type(CONF).is_dir, CONF.iterdir()):
        for name, about in choices_of(folder.name, [CONF]).items():
            assert about.endswith(".") and len(about.split()) > 2, f"{folder.name}/{name}: {about}"
