"""Settings of the lab: sets and typed values, as configurations, commands and calls."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import pipeline
from pipeline.model.errors import RequestError
from pipeline.model.inputs import PROCESSES
from pipeline.model.plasticity import RULES
from stdp.errors import CommandError
from stdp.init import write_project
from stdp.lab import simulation
from stdp.lab.command import settings_to_begin_with
from stdp.lab.settings import Settings, meant
from tests.support.rule_files import HARD
from tests.support.toy_rules import VALUES, AntiHebbian, Regular


@pytest.fixture
def registered():
    """Register a rule and a process; unregister them at the end."""
    pipeline.register(AntiHebbian)
    pipeline.register(Regular)
    yield
    RULES.unregister("toy_anti_hebbian")
    PROCESSES.unregister("toy_regular")


OVERRIDES = [
    [],
    ["stdp.A_plus=0.004", "input.rate_hz=2e1", "seed=7"],
    ["stdp=song_abbott_2001", "stdp.tau_minus=null", "neuron=song_abbott_2001"],
    ["stdp=song_abbott_2001_slow_ltd", "stdp.effective_ltd_ratio=1.2"],
    ["stdp.effective_ltd_ratio=1.2"],
    ["input=notebook", "input.process=poisson"],
    ["input.seed_policy=independent", "record.traces=false"],
    ["+experiment=demo", "stdp.tau_plus=11"],
]


@pytest.mark.parametrize("overrides", OVERRIDES, ids=" ".join)
def test_settings_are_what_pipeline_configures(overrides):
    """The configuration, and that of the command and of the call that the lab shows."""
    settings = Settings.from_overrides(overrides)
    expected = pipeline.configure(*overrides)
    assert settings.configuration() == expected
    program, run, *words = shlex.split(settings.command())
    assert (program, run) == ("stdp", "run")
    assert pipeline.configure(*words) == expected
    assert eval(settings.call(), {"pipeline": pipeline}) == expected


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["stdp.A_plus=7"], "stdp.A_plus=7: LTP amplitude must be a finite number >= 0 and <= 1"),
        (["stdp.A_plus=a b"], "stdp.A_plus='a b': LTP amplitude must be a finite number >= 0"),
        (["stdp.A_plus=1e999"], "stdp.A_plus=inf: LTP amplitude must be a finite number"),
        (["stdp.A_plus=true"], "stdp.A_plus=True: LTP amplitude must be"),
        (["stdp.A_plus=1,2"], "stdp.A_plus='1,2': LTP amplitude must be"),
        (["input.n_synapses=2.5"], "input.n_synapses=2.5: number of synapses must be a whole"),
        (["simulation.dt=30"], "simulation.dt=30.0: the time step must be < neuron.tau_m=10 ms"),
        (
            ["stdp.effective_ltd_ratio=1.1", "stdp.ltd_ratio=1.2"],
            "stdp.ltd_ratio=1.2: must not be given together with stdp.effective_ltd_ratio=1.1",
        ),
        (
            ["input.process=notebook", "stdp.effective_ltd_ratio=1.1", "stdp.ltd_ratio=1.2"],
            "stdp.ltd_ratio=1.2: must not be given together with stdp.effective_ltd_ratio=1.1",
        ),
        (["stdp=none"], "stdp=none: must be "),
        (["stdp.rule=none"], "stdp.rule=none: must be additive"),
        (["stdp.nothing=1"], "stdp.nothing=1: unknown key"),
        (["neuron"], "neuron: must be key=value"),
    ],
)
def test_wrong_settings_are_refused_as_the_pipeline_words_it(overrides, message):
    """In one line, which begins with the key; as the command's, before anything is served."""
    with pytest.raises(RequestError, match=f"^{re.escape(message)}") as refused:
        Settings.from_overrides(overrides).configuration()
    assert "\n" not in str(refused.value)
    with pytest.raises(CommandError, match=f"^{re.escape(str(refused.value))}$"):
        settings_to_begin_with(overrides)


def test_values_of_a_wrong_parameter_set_can_mend_it():
    """What is typed counts before the whole is judged."""
    settings = Settings.from_overrides(["simulation=exercise_2", "record=history"])
    with pytest.raises(RequestError, match=r"^record\.weight_interval=1000\.0: must be"):
        settings.configuration()
    mended = settings.with_typed("simulation.duration", "5000")
    assert mended.configuration().simulation.duration == 5000


def test_another_parameter_set_replaces_what_was_typed_in_its_section():
    """Other sections keep theirs; an empty name or text is that of the composed files."""
    settings = Settings.from_overrides(["stdp.A_plus=0.004", "input.rate_hz=20"])
    other = settings.with_set("stdp", "song_abbott_2001")
    assert other.configuration() == pipeline.configure("stdp=song_abbott_2001", "input.rate_hz=20")
    assert other.with_set("stdp", "").configuration() == pipeline.configure("input.rate_hz=20")
    assert other.with_typed("input.rate_hz", " ").overrides() == ["stdp=song_abbott_2001"]


def test_the_users_folder_is_composed_and_part_of_the_command(tmp_path):
    """Its sets are chosen by name."""
    (tmp_path / "stdp").mkdir()
    text = "defaults: [notebook, _self_]\nA_plus: 0.01\ntau_minus: ${.tau_plus}\n"
    (tmp_path / "stdp" / "mine.yaml").write_text(text)
    settings = Settings.from_overrides(["stdp=mine", "stdp.tau_plus=12"], tmp_path)
    configuration = settings.configuration()
    # A reference follows, as on the command line.
    assert (configuration.stdp.A_plus, configuration.stdp.tau_minus) == (0.01, 12)
    assert shlex.split(settings.command())[2:4] == ["--config-dir", str(tmp_path)]
    assert eval(settings.call(), {"pipeline": pipeline}) == configuration


def test_a_registered_rule_keeps_the_values_that_it_knows(registered):
    """Those of the parameter set and those typed; what it lacks is asked for."""
    settings = Settings.from_overrides(["stdp.rule=toy_anti_hebbian", "stdp.ltd_ratio=1.3"])
    configuration = settings.configuration()
    assert configuration.stdp.to_mapping() == {
        "rule": "toy_anti_hebbian", "A_plus": 0.008, "tau_plus": 20.0
    }  # fmt: skip
    typed = settings.with_typed("stdp.A_plus", "0.02").configuration()
    assert typed.stdp.A_plus == 0.02
    with pytest.raises(RequestError, match="^stdp.A_plus=3: LTP amplitude must be"):
        settings.with_typed("stdp.A_plus", "3").configuration()
    assert set(typed.stdp.to_mapping()) == {"rule", *VALUES["toy_anti_hebbian"]}


def test_a_registered_process_without_values_asks_for_them(registered):
    """The lab begins all the same, so that they can be typed."""
    settings = settings_to_begin_with(["input.process=toy_regular"])
    assert settings.lacks_values()
    with pytest.raises(RequestError, match=r"^input\.phases: missing; it needs a value"):
        settings.configuration()
    assert settings.with_typed("input.phases", "0.5").configuration().input.phases == 0.5


def test_a_rule_of_a_file_is_named_and_typed_again(tmp_path, monkeypatch):
    """Its name chooses it; command and call have the file, as it was typed, and give the same."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my rules").mkdir()
    (tmp_path / "my rules/hard.py").write_text(HARD)
    words = ["stdp.rule=my rules/hard.py:HardBounds", "stdp.ltd_share=1.2", "stdp.A_plus=0.02"]
    settings = settings_to_begin_with(words)
    assert settings.typed["stdp.rule"] == "hard_bounds"
    configuration = settings.configuration()
    assert configuration == pipeline.configure(*words)
    assert configuration.stdp.tau_plus == 17.0  # its default
    assert settings.variants()["stdp"].name == "hard_bounds"
    shown = simulation.recorded_in_time(configuration)
    assert simulation.can_be_typed(settings, shown)
    assert shlex.split(settings.command())[2:] == words
    assert eval(settings.call(), {"pipeline": pipeline}) == configuration
    other = settings.with_typed("stdp.rule", "additive")
    assert other.configuration().stdp.ltd_ratio == 1.1
    again = other.with_typed("stdp.rule", "hard_bounds")
    assert sorted(shlex.split(again.command())[2:]) == sorted(words)
    (tmp_path / "my rules/hard.py").unlink()
    assert not simulation.can_be_typed(settings, shown)
    with pytest.raises(CommandError, match=r"^stdp\.rule=none\.py: must be a file that exists"):
        settings_to_begin_with(["stdp.rule=none.py"])
    RULES.unregister("hard_bounds")


def test_a_set_of_a_rule_that_is_registered_cannot_be_typed(registered, tmp_path):
    """No command knows the class."""
    (tmp_path / "stdp").mkdir()
    (tmp_path / "stdp/toy.yaml").write_text("rule: toy_anti_hebbian\nA_plus: 0.01\ntau_plus: 9\n")
    settings = settings_to_begin_with(["stdp=toy"], tmp_path)
    assert not simulation.can_be_typed(
        settings, simulation.recorded_in_time(settings.configuration())
    )


def test_a_rule_of_a_parameter_set_of_the_user_can_be_typed(tmp_path):
    """The set names the file."""
    write_project(tmp_path)
    settings = settings_to_begin_with(["stdp=my_rule"], tmp_path / "conf")
    shown = simulation.recorded_in_time(settings.configuration())
    assert shown.stdp.name == "my_rule"
    assert simulation.can_be_typed(settings, shown)
    assert "stdp=my_rule" in settings.command()
    RULES.unregister("my_rule")


def test_values_that_are_wrong_by_themselves_are_known_by_their_key():
    """Each, in the words of the pipeline; not a value that other settings exclude, as a rule."""
    typed = ["input.rate_hz=-3", "seed=x", "stdp.tau_plus=20", "stdp.A_plus=-0.01"]
    wrong = Settings.from_overrides(typed).wrong_values()
    assert wrong.keys() == {"input.rate_hz", "seed"}
    assert wrong["input.rate_hz"].startswith("input.rate_hz=-3: input rate must be")
    assert wrong["seed"].startswith("seed='x': random seed must be a whole number")


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    """By the name of the option."""
    with pytest.raises(CommandError, match="^--config-dir .*none: must be a folder that exists$"):
        settings_to_begin_with([], tmp_path / "none")


def test_the_command_of_a_folder_in_the_home_directory_runs_in_a_shell(tmp_path, monkeypatch):
    """A `~` in quotation marks would be the name of a folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = settings_to_begin_with([], Path("~"))
    assert settings.command() == f"stdp run --config-dir {tmp_path}"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("stdp.A_minus", "null", None),
        ("stdp.A_plus", "null", None),
        ("stdp.A_plus", " 1e-3 ", 1e-3),
        ("seed", "3", 3),
        ("record.traces", "true", True),
        ("input.process", "poisson", "poisson"),
        ("input.n_synapses", "[1, 2]", [1, 2]),
    ],
)
def test_what_a_text_stands_for(key, text, value):
    """Null, numbers, truth values, lists; else the text."""
    assert meant(key, text) == value


def test_a_file_of_events_is_read_where_it_is_typed(tmp_path):
    """With the set `file` and with the process alone; another file, another content."""
    for name, times in (("a", [1.0, 2.0]), ("b", [1.0, 3.0])):
        np.savez(tmp_path / f"{name}.npz", times=times, synapses=[0, 1])
    for chosen in ("input=file", "input.process=file"):
        begun = Settings.from_overrides([chosen, f"input.file={tmp_path}/a.npz"])
        other = begun.with_typed("input.file", f"{tmp_path}/b.npz")
        one, two = (settings.configuration().input for settings in (begun, other))
        assert (one.name, two.name) == ("file", "file")
        assert None is not one.content != two.content is not None
        shorter = two.cut_to(2.0, 1.0)
        assert np.concatenate(list(shorter.events(1.0, 2, 0))).tolist() == [300]
        with pytest.raises(RequestError, match=r"none\.npz: must be a file that exists"):
            begun.with_typed("input.file", "none.npz").configuration()
