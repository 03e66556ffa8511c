"""Every file in conf/ composes, and every experiment runs."""

import dataclasses
from pathlib import Path

import pytest
import xarray as xr
from omegaconf import OmegaConf

import pipeline
from pipeline.composition.compose import CONF, composition, parameters_of, run_settings_of
from pipeline.composition.run_settings import RunSettings
from pipeline.model.parameters import SECTIONS, Configuration

CHOICES = [
    (group, file.stem)
    for group in (*SECTIONS, "run")
    for file in sorted((CONF / group).glob("*.yaml"))
]
EXPERIMENTS = sorted(file.stem for file in (CONF / "experiment").glob("*.yaml"))

#: Experiments that have had another name, with which commands and directories go on.
EARLIER_NAMES = {
    "latency": "song2000_latency",
    "patterns": "masquelier2008",
    "song_abbott_2001": "song2001_uncorrelated",
    "song_abbott_2001_1c": "song2001_one_group",
    "song_miller_abbott_2000": "song2000_rates",
}

#: Those that `make test` runs in their quick size.
SIZED = sorted(file.stem for file in (CONF / "size" / "quick").glob("*.yaml"))


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_every_choice_of_a_group_instantiates(group, choice):
    """Each file composes to a section whose values are those of the file."""
    config = composition([f"{group}={choice}"]).config
    built = run_settings_of(config) if group == "run" else getattr(configuration(config), group)
    written = OmegaConf.load(CONF / group / f"{choice}.yaml")
    for name in set(written) - {"defaults"}:
        assert getattr(built, name) == written[name]


def configuration(config):
    """Return the validated configuration of a composed config."""
    return Configuration.from_mapping(parameters_of(config))


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_a_file_has_exactly_the_fields_of_its_section(group, choice):
    """conf/ holds values for the fields of the dataclass and nothing else; each has a comment."""
    file = CONF / group / f"{choice}.yaml"
    values = OmegaConf.to_container(OmegaConf.load(file))
    inherits = values.pop("defaults", None) is not None
    section = RunSettings if group == "run" else SECTIONS[group].variant(values)
    needed = set(section.quantities()) - set(section.neutral_values())
    assert set(values) <= set(section.quantities())
    assert needed <= set(values) or inherits
    assert file.read_text().startswith("# ")


@pytest.mark.parametrize("name", sorted({*EXPERIMENTS} - {*EARLIER_NAMES} - {*SIZED}))
def test_every_experiment_runs(command, name):
    """With 100 ms per point, all points of each experiment are done; a protocol runs in full.

    Those that have a quick size are run with it in tests/papers.
    """
    is_protocol = not pipeline.configure(f"+experiment={name}").input.stationary
    ended = command(
        f"+experiment={name}",
        *([] if is_protocol else ["simulation.duration=100"]),
        "simulation.until=duration",
        "record.weight_interval=null",
        "name=smoke",
    )
    assert ended.code == 0, ended.err
    with xr.open_dataset("outputs/smoke/results.nc") as dataset:
        assert (dataset["status"] == 0).all()
        assert dataset["status"].ndim >= 1


@pytest.mark.parametrize(("earlier", "later"), EARLIER_NAMES.items())
def test_an_earlier_name_of_an_experiment_means_the_same(earlier, later):
    """Same parameters and axes: a directory of that name goes on."""
    one, other = (composition([f"+experiment={name}"]) for name in (earlier, later))
    assert one.configuration == other.configuration
    assert one.loaded.axes == other.loaded.axes
    assert one.loaded.axes


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_has_its_command_and_its_study(name):
    """The comment at the top has the command, and the study has the name of the file."""
    text = (CONF / "experiment" / f"{name}.yaml").read_text()
    assert f"# python -m pipeline +experiment={name}" in text.splitlines()[1]
    assert OmegaConf.load(CONF / "experiment" / f"{name}.yaml").study == name


def test_the_input_rates_study_is_the_tutorials():
    """10 to 40 Hz in steps of 5, 4 seeds, Demo 2's parameters."""
    study = OmegaConf.load(CONF / "experiment" / "input_rates.yaml")
    assert study.hydra.sweeper.params == {"input.rate_hz": "range(10,45,5)", "seed": "range(4)"}
    configuration, usual = pipeline.configure("+experiment=input_rates"), pipeline.configure()
    assert dataclasses.replace(configuration, record=usual.record) == usual
    assert configuration.simulation.duration == 120_000
    assert configuration.synapse.w_init == pytest.approx(0.014 / 0.024, rel=1e-14)


def test_conf_holds_values_only():
    """All files in conf/ are YAML."""
    assert [
        path for path in Path(CONF).rglob("*") if path.is_file() and path.suffix != ".yaml"
    ] == []
