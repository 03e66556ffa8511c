"""What is typed is what is meant: text stays text, sweeps are their definition, nothing is idle."""

import itertools
from pathlib import Path

import pytest
import xarray as xr
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

import pipeline
from pipeline.composition.compose import CONF, declare_neutral_values
from pipeline.composition.hydra_settings import refuse_without_effect
from pipeline.composition.known_keys import text_keys
from pipeline.composition.quoting import texts_quoted
from tests.conftest import SMALL

pytestmark = pytest.mark.long

DRY = (*SMALL, "dry_run=true")


def axis(command, key, text):
    """Return the values of an axis as the dry run prints them, or the refusal."""
    ended = command(*DRY, "-m", f"{key}={text}")
    lines = [line for line in ended.out.splitlines() if line.startswith(f"axis: {key} = ")]
    return lines[0].split(" = ")[1].rpartition(" (")[0] if lines else ended.err


@pytest.fixture
def values_of():
    """Return the values of sweeps of seeds, by Hydra's parser with our functions."""
    from pipeline.request import grammar

    parser = grammar.parser()
    return lambda text: grammar.values_of(parser.parse_override(f"seed={text}"))


def test_sorted_ranges_are_the_sorted_values_of_the_range(values_of):
    """Every start, stop and step; also of what was shuffled."""
    for start, stop, step in itertools.product(range(-1, 6), range(-1, 6), (-3, -2, -1, 1, 2, 3)):
        text = f"range({start},{stop},{step})"
        expected = list(range(start, stop, step))
        assert values_of(text) == expected
        for inner in (text, f"shuffle({text})", f"sweep={text}"):
            assert values_of(f"sort({inner})") == sorted(expected), inner
            assert values_of(f"sort({inner},reverse=true)") == sorted(expected)[::-1], inner
        assert sorted(values_of(f"shuffle({text})")) == sorted(expected)
    assert values_of("sort(shuffle(3,1,2))") == [1, 2, 3]
    assert values_of("sort(3,1,2,reverse=true)") == [3, 2, 1]
    assert values_of("float(range(0.3,0.9,0.3))") == [0.3, 0.6]


def test_sorted_ranges_by_every_sweeper(command):
    """Ours and Hydra's own run the same values."""
    assert axis(command, "seed", "range(0,5,2)") == "0, 2, 4"
    assert axis(command, "input.rate_hz", "range(10,30.5,10)") == "10.0, 20.0, 30.0 Hz"
    assert axis(command, "seed", "sort(range(0,5,2),reverse=true)") == "4, 2, 0"
    falling = "sort(range(10,35,10),reverse=true)"
    assert axis(command, "input.rate_hz", falling) == "30.0, 20.0, 10.0 Hz"
    words = (*SMALL, "-m", "hydra/sweeper=basic", "name=jobs")
    assert command(*words, "input.rate_hz=sort(range(0.3,0.9,0.3),reverse=true)").code == 0
    rates = {
        job.name: yaml.safe_load((job / "configuration.yaml").read_text())["input"]["rate_hz"]
        for job in Path("outputs/jobs").iterdir()
        if job.is_dir()
    }
    assert rates == {"0": 0.6, "1": 0.3}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("range(0,inf)", "the numbers of a range must be finite"),
        ("sort(range(0,1,0))", "the step of a range must not be 0"),
        ("sort(range(1e9))", "an axis must have <= 1000000"),
        ("choice(1,2),3", "must be one list of values, not one within another"),
        ("[1,2]", "must be a whole number >= 0 and <= 4294967295; as an axis it is seed=1,2"),
    ],
)
def test_a_sweep_that_is_none_is_refused(command, text, reason):
    """One line with the text and what is allowed."""
    ended = command(*DRY, "-m", f"seed={text}")
    assert ended.code == 2
    (line,) = ended.err.splitlines()
    assert line.startswith(f"error: seed={text}")
    assert reason in line


TEXTS = ["true", "False", "1_000", "1e3", "3e10", "12e4567", "007", "1.50", "0x10", "inf", "+1"]
TEXTS += [
    "dt=0.1",
    "x#1",
    "a:b",
    "10:30",
    "a&b!",
    "größe",
    "a b",
    "a@b%c",
    "1/2",
    "-1",
    "nan",
    "0",
    "a-b_c.d",
    "gro\u0308ße",
    "\u0939\u093f\u0928\u094d\u0926\u0940",
    "a→b",
]


def test_every_key_of_text_keeps_every_text():
    """Whatever Hydra would make of it: a number, a truth value, an error."""
    parser = OverridesParser.create()
    for key, text in itertools.product(text_keys(), TEXTS):
        for prefix in ("", "+", "++"):
            (override,) = texts_quoted([f"{prefix}{key}={text}"], text_keys())
            parsed = parser.parse_override(override)
            assert (parsed.key_or_group, parsed.value()) == (key, text), override


def test_what_is_no_plain_text_stays():
    """Null, references, lists, quoted text, and the values of other keys."""
    words = [
        "name=null",
        "name=${study}/1e3",
        "stdp=a,b",
        "stdp=a,'b'",
        "name='1e3'",
        "seed=1e3",
        "~name",
        "name",
    ]
    assert texts_quoted(words, text_keys()) == words


@pytest.mark.parametrize("text", ["true", "1_000", "12e4567", "größe", "a→b"])
def test_a_text_is_the_text_typed(command, text):
    """A name that looks like a number, a truth value, or has other letters."""
    ended = command(*DRY, f"outputs={text}", f"study={text}", "name=${study}/x")
    assert ended.out.splitlines()[-1] == f"directory: {text}/{text}/x", ended.err


def test_choices_of_an_axis_have_names_of_any_letters(command, tmp_path):
    """größe.yaml of one's own is swept beside ours; 1e1.yaml and 0.1.yaml are no numbers."""
    (tmp_path / "own" / "stdp").mkdir(parents=True)
    for name, amplitude in (("größe", 0.009), ("1e1", 0.01), ("0.1", 0.02)):
        text = f"defaults: [notebook, _self_]\nA_plus: {amplitude}\n"
        (tmp_path / "own" / "stdp" / f"{name}.yaml").write_text(text)
    words = ("--config-dir", "own", *SMALL, "-m", "stdp=notebook,größe, 1e1,0.1", "name=choices")
    assert command(*words).code == 0
    with xr.open_dataset("outputs/choices/results.nc") as dataset:
        assert dataset["stdp"].values.tolist() == ["notebook", "größe", "1e1", "0.1"]
        assert dataset["A_minus"].values.tolist() == [0.0088, 0.0099, 0.011, 0.022]


def test_a_text_that_is_refused_is_shown_as_typed(command):
    """From the shell and from Python."""
    assert "error: run.backend=1e3: " in command(*DRY, "run.backend=1e3").err
    with pytest.raises(pipeline.RequestError, match=r"stdp.rule=1e3: "):
        pipeline.configure("stdp.rule=1e3")


@pytest.mark.parametrize("value", ["1e3", "true"])
def test_a_text_that_a_file_gives_as_a_number_is_refused(command, tmp_path, value):
    """YAML has changed it already: quotation marks are asked for."""
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    file = tmp_path / "own" / "experiment" / "mine.yaml"
    file.write_text(f"# @package _global_\nstudy: {value}\n")
    ended = command("--config-dir", str(tmp_path / "own"), "+experiment=mine", *DRY)
    assert ended.code == 2
    assert "must be text; put it in quotation marks" in ended.err


@pytest.mark.parametrize(
    ("word", "sweeper"),
    [("outputs=~/o", "basic"), ('outputs="~/o"', "pipeline")],
)
def test_a_tilde_is_the_home_directory(command, tmp_path, monkeypatch, word, sweeper):
    """Typed with quotation marks or without, and by Hydra's own sweeper."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert command(*SMALL, word, "name=x", f"hydra/sweeper={sweeper}").code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"home"}
    assert list((tmp_path / "home" / "o" / "x").rglob("results.nc"))


def test_a_tilde_from_python_is_the_home_directory(configure, tmp_path, monkeypatch):
    """As `directory` of `sweep`; as a name, or of nobody, it is refused."""
    monkeypatch.setenv("HOME", str(tmp_path))
    pipeline.sweep(configure(), {}, "~/x", backend="sequential")
    assert (tmp_path / "x" / "results.nc").is_file()
    with pytest.raises(pipeline.RequestError, match="there is no such home directory"):
        pipeline.sweep(configure(), {}, "~no such user/x")


IDLE = [
    ("hydra.run.dir=foo", "outputs= and name= set the directory"),
    ("hydra.sweep.dir=foo", "outputs= and name= set the directory"),
    ("hydra.sweep.subdir=foo", "outputs= and name= set the directory"),
    ("hydra.output_subdir=foo", "outputs= and name= set the directory"),
    ("hydra.job.chdir=true", "outputs= and name= set the directory"),
    ("hydra.verbose=true", "sweep.log in the directory has the details"),
    ("+hydra.job.env_set.A=1", "set the environment of the command"),
    ("hydra.job.name=foo", "has no effect with hydra/sweeper=pipeline"),
    ("hydra/job_logging=default", "has no effect with hydra/sweeper=pipeline"),
    ("hydra/launcher=basic", "has no effect with hydra/sweeper=pipeline"),
]


@pytest.fixture
def hydras_config():
    """Compose a config with Hydra's own section."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.utils import create_config_search_path
    from hydra.types import RunMode

    declare_neutral_values()
    loader = ConfigLoaderImpl(create_config_search_path(str(CONF)))
    return lambda *words: loader.load_configuration("config", list(words), RunMode.MULTIRUN)


def test_every_setting_of_hydra_without_effect_is_refused(hydras_config):
    """The message has what was typed, and what to write in its place."""
    refuse_without_effect(hydras_config("seed=1", "hydra.mode=MULTIRUN", "hydra/help=default"))
    refuse_without_effect(hydras_config("hydra.searchpath=[]"))
    for word, instead in IDLE:
        with pytest.raises(pipeline.RequestError) as refused:
            refuse_without_effect(hydras_config("seed=1", word))
        assert str(refused.value).startswith(f"{word}: has no effect")
        assert instead in str(refused.value)


@pytest.mark.parametrize("word", ["hydra.sweep.dir=foo", "hydra/launcher=joblib"])
def test_an_idle_setting_is_one_line(command, word):
    """By the command; nothing is written. A launcher that is not installed has its own line."""
    ended = command(*SMALL, word)
    assert ended.code == 2
    (line,) = ended.err.splitlines()
    assert line.startswith(f"error: {word}: ")
    assert " set the " in line
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("defaults:\n  - override /hydra/sweeper: basic\n", "give hydra/sweeper=basic on the comm"),
        ("hydra:\n  sweep:\n    dir: foo\n", "hydra.sweep.dir=foo: has no effect"),
    ],
)
def test_a_setting_of_hydra_in_an_experiment_is_refused(command, tmp_path, content, message):
    """What an experiment file overrides of Hydra comes after our own config, or is not read."""
    folder = tmp_path / "own" / "experiment"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(f"# @package _global_\n{content}")
    ended = command("--config-dir", str(tmp_path / "own"), "+experiment=mine", *SMALL)
    assert ended.code == 2
    assert message in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ("seed=3", "--cfg", "job", "--resolve", "name=x"),
        ("--cfg", "job", "seed=3", "--resolve", "name=x"),
    ],
)
def test_options_and_overrides_stand_in_any_order(command, words):
    """Argparse would take only the overrides before the first option."""
    ended = command(*words)
    assert ended.code == 0
    composed = yaml.safe_load(ended.out)
    assert (composed["seed"], composed["name"]) == (3, "x")


def test_an_option_with_an_optional_value_takes_no_override(command):
    """`--info seed=3` shows everything, for seed 3."""
    assert command("--info", "seed=3").code == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--config-dir", ".", "--config-dir", ".."], "--config-dir: is given twice"),
        (["--cfg", "job", "-c", "hydra"], "-c: is given twice; only one would have an effect"),
        (["--config-name", "run/local"], "--config-name: has no effect; a file of settings is"),
        (["-cp", "run"], "--config-path: has no effect; --config-dir adds a folder of files"),
        (["-p", "stdp"], "--package: has no effect without --cfg"),
        (["--config-dir="], "--config-dir: must be a folder that exists"),
        (["--run", "-m", "seed=1,2"], "--run and --multirun: must be one of them"),
        (["--cfg", "job", "seed=1,2"], "seed=1,2: must be single values; sweep keys with"),
        (["--con", "."], "ambiguous option: --con could match"),
        (["study="], "study=: must be the name of a directory"),
        (["study=.."], "study=..: must be a path below outputs=outputs"),
    ],
)
def test_an_option_that_would_be_passed_over_is_refused(command, words, expected):
    """In one line that names it, before anything is written."""
    ended = command(*words)
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    assert line.startswith(f"error: {expected}")
    assert not Path("outputs").exists()


def test_hydras_rerun_is_refused(command):
    """It would run a pickled config, which experiments do not have."""
    ended = command(*SMALL, "--experimental-rerun", "x")
    assert ended.code == 2
    assert "--experimental-rerun: has no effect; python -m pipeline.reproduce" in ended.err
