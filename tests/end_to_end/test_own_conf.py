"""A user's folder of configurations: from Python as from the command line, and in the records."""

import json
from pathlib import Path

import pytest
import xarray as xr

import pipeline
from pipeline.model.errors import RequestError
from tests.conftest import ROOT, SMALL, numbers_of

pytestmark = pytest.mark.long

BASE = "A_plus: 0.002\nltd_ratio: 1.05\nA_minus: null\ntau_plus: 17.0\ntau_minus: null\n"
SLOW = "defaults: [base]\ntau_minus: 34.0\n"
PLAN = """# @package _global_
defaults:
  - override /stdp: slow
study: planned
hydra:
  sweeper:
    params:
      seed: 1,2
"""


@pytest.fixture
def conf(tmp_path):
    """A folder with two parameter sets, of which one includes the other, and an experiment."""
    for name, text in (
        ("stdp/base", BASE),
        ("stdp/slow", SLOW),
        ("stdp/unused", BASE),
        ("experiment/planned", PLAN),
    ):
        file = tmp_path / "own" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "own"


def own_files_in(directory):
    """Return the files of the user that the last run of a directory has recorded."""
    return json.loads((Path(directory) / "provenance.json").read_text())["runs"][-1]["own_files"]


def test_python_and_the_command_line_choose_the_same_files(command, conf, monkeypatch):
    """Configuration and results are equal; a relative folder is that of the call."""
    monkeypatch.chdir(conf.parent)
    configuration = pipeline.configure(*SMALL, "stdp=slow", conf="own")
    assert configuration.stdp.tau_minus == 34.0
    assert configuration.stdp.tau_plus == 17.0
    assert command("--config-dir", str(conf), *SMALL, "stdp=slow", "name=shell").code == 0
    monkeypatch.chdir("/")  # the folder was made absolute
    swept = pipeline.sweep(configuration, {"stdp": ["slow", "base"]}, backend="sequential")
    with xr.open_dataset(conf.parent / "outputs/shell/results.nc") as shell:
        one = numbers_of(swept).isel(stdp=0)
        assert (one["weight"].values == shell["weight"].values).all()
        assert one["output_rate"].item() == shell["output_rate"].item()


def test_the_record_has_the_files_that_were_read(command, conf):
    """Those of an experiment, of its choices and of what these include; no other ones."""
    command("--config-dir", str(conf), *SMALL, "+experiment=planned", "name=a")
    expected = {
        str(conf / "experiment/planned.yaml"): PLAN,
        str(conf / "stdp/slow.yaml"): SLOW,
        str(conf / "stdp/base.yaml"): BASE,
    }
    assert own_files_in("outputs/a") == expected
    with xr.open_dataset("outputs/a/results.nc") as dataset:
        assert json.loads(dataset.attrs["own_files"]) == expected


def test_the_record_has_the_choices_of_a_swept_group(command, conf, tmp_path):
    """From the command line and from Python; without files of the user there is no entry."""
    command("--config-dir", str(conf), *SMALL, "-m", "stdp=slow,notebook", "name=b")
    expected = {str(conf / "stdp/slow.yaml"): SLOW, str(conf / "stdp/base.yaml"): BASE}
    assert own_files_in("outputs/b") == expected
    configuration = pipeline.configure(*SMALL, conf=conf)
    axes = {"stdp": ["notebook", "slow"]}
    pipeline.sweep(configuration, axes, tmp_path / "c", backend="sequential")
    assert own_files_in(tmp_path / "c") == expected
    command(*SMALL, "name=d")
    with pytest.raises(KeyError, match="own_files"):
        own_files_in("outputs/d")


def test_jobs_of_hydras_own_sweeper_record_them_too(command, conf):
    """One directory for each point."""
    words = ("hydra/sweeper=basic", "stdp=base", "seed=1,2", "name=e")
    assert command("--config-dir", str(conf), *SMALL, "-m", *words).code == 0
    assert own_files_in("outputs/e/1") == {str(conf / "stdp/base.yaml"): BASE}


def test_a_simulation_has_them_as_an_attribute(conf):
    """As in a file of a sweep."""
    dataset = pipeline.simulate(pipeline.configure(*SMALL, "stdp=base", conf=conf))
    assert json.loads(dataset.attrs["own_files"]) == {str(conf / "stdp/base.yaml"): BASE}
    assert "own_files" not in pipeline.simulate(pipeline.configure(*SMALL)).attrs


def test_a_changed_file_is_read_again(conf):
    """A composition is kept only while the files of the user are as they were."""
    assert pipeline.configure("stdp=base", conf=conf).stdp.tau_plus == 17.0
    (conf / "stdp/base.yaml").write_text(BASE.replace("17.0", "18.0"))
    assert pipeline.configure("stdp=base", conf=conf).stdp.tau_plus == 18.0


def test_a_file_hidden_by_one_of_ours_is_refused_from_python(conf):
    """As on the command line: it would not be read."""
    (conf / "stdp/notebook.yaml").write_text(BASE)
    with pytest.raises(RequestError, match=r"notebook\.yaml: has no effect, as conf/stdp/note"):
        pipeline.configure("stdp=notebook", conf=conf)


@pytest.mark.parametrize("folder", ["absent", "own/stdp/base.yaml", "", 3])
def test_a_folder_that_does_not_exist_is_refused(conf, monkeypatch, folder):
    """Named in one line."""
    monkeypatch.chdir(conf.parent)
    with pytest.raises(RequestError, match=f"^conf={folder}: must be a folder that exists$"):
        pipeline.configure(conf=folder)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--config-dir"], "argument --config-dir/-cd: expected one argument"),
        (["--cfg", "foo"], "argument --cfg/-c: invalid choice: 'foo'"),
        (["--verbose"], "--verbose: unknown option; see python -m pipeline --help"),
    ],
)
def test_wrong_options_are_one_line(command, words, message):
    """Exit code 2, without the usage of Hydra's parser."""
    ended = command(*words)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(f"error: {message}")


@pytest.mark.parametrize("folder", ["absent", "own/stdp/base.yaml"])
def test_a_config_dir_that_does_not_exist_is_one_line(command, conf, folder):
    """Exit code 2, and nothing is written; a file is no folder."""
    for words in (["--config-dir", folder], [f"-cd={folder}"]):
        ended = command(*words, *SMALL)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err == f"error: --config-dir {folder}: must be a folder that exists\n"
    assert not Path("outputs").exists()


def test_a_home_directory_that_the_shell_leaves_is_found(command, conf, monkeypatch):
    """In `--config-dir=~/own` shells leave the `~` as it is."""
    monkeypatch.setenv("HOME", str(conf.parent))
    assert command("--config-dir=~/own", *SMALL, "stdp=slow", "name=a").code == 0
    assert str(conf / "stdp/slow.yaml") in own_files_in("outputs/a")


@pytest.mark.parametrize(
    ("below", "words", "hint"),
    [
        (".", ["+experiment=planned"], "FOLDER/experiment/planned.yaml, is found with --config-di"),
        (
            "study",
            ["+experiment=planned"],
            "study/conf/experiment/planned.yaml is found with --con",
        ),
        (
            "study",
            ["-m", "stdp=slow,notebook"],
            "stdp/slow.yaml is found with --config-dir study/c",
        ),
        ("study", ["--config-dir", "study", "stdp=slow"], "found with --config-dir study/conf "),
    ],
)
def test_a_choice_of_a_folder_that_was_not_given_names_the_option(
    command, conf, below, words, hint
):
    """The message lists what can be chosen, and says how one's own is."""
    Path(below).mkdir(exist_ok=True)
    conf.rename(Path(below) / ("conf" if below != "." else "elsewhere"))
    ended = command(*words, *SMALL)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ": must be " in ended.err
    assert hint in ended.err
    assert not Path("outputs").exists()


def test_a_misspelt_choice_of_a_folder_that_was_given_lists_those_of_both(command, conf):
    """There is nothing else to say."""
    ended = command("--config-dir", str(conf), *SMALL, "stdp=slo")
    ours = [file.stem for file in (ROOT / "conf/stdp").glob("*.yaml")]
    known = sorted([*ours, "base", "slow", "unused"])
    assert ended.err.endswith(f": must be {' or '.join(known)}\n")
