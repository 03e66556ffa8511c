"""Samples from the command line: run, resume, extend, reproduce, list, compare."""

import json
from pathlib import Path

import pytest
import xarray as xr
import yaml

import pipeline
from analysis import open_results, parameter
from analysis.__main__ import main as analysis
from analysis.experiments.comparison import results_rows
from analysis.experiments.matching import Side
from analysis.reading.errors import ConditionError
from analysis.reading.metadata import read_metadata
from analysis.reading.select import part_of
from pipeline.experiment.reproduction import reproduce
from tests.conftest import SMALL, numbers_of

PAIRS = ("stdp.tau_plus=10,20,20", "stdp.tau_minus=20,20,30")
ZIP = "sweep.zip=[stdp.tau_plus,stdp.tau_minus]"
DRAWN = ("input.rate_hz=interval(10,40)", "stdp.A_plus=interval(0.001,0.1,log)")


def results(name):
    """Return the results of an experiment, in memory."""
    with xr.open_dataset(f"outputs/{name}/results.nc") as dataset:
        return dataset.load()


def test_paired_keys_are_samples_as_from_python(command, configure):
    """With the same results, coordinates and attributes."""
    assert command(*SMALL, "-m", *PAIRS, ZIP, "seed=1,2", "name=x").code == 0
    samples = {"stdp.tau_plus": [10, 20, 20], "stdp.tau_minus": [20, 20, 30]}
    python = pipeline.sweep(configure(), {"seed": [1, 2]}, samples=samples, backend="sequential")
    xr.testing.assert_identical(numbers_of(results("x")), numbers_of(python))
    assert parameter(results("x"), "stdp.tau_minus").values.tolist() == [20, 20, 30]


def test_a_longer_sequence_runs_only_what_is_new(command):
    """What has drawn the samples stands in the configuration, in the provenance and in the file."""
    assert command(*SMALL, *DRAWN, "sweep.samples=4", "name=x").code == 0
    first = results("x")
    ended = command(*SMALL, *DRAWN, "sweep.samples=8", "name=x")
    assert "8 points in" in ended.out
    assert "4 finished before" in ended.out
    xr.testing.assert_identical(numbers_of(results("x").isel(sample=slice(4))), numbers_of(first))
    generator = json.loads(results("x")["sample"].attrs["generator"])
    stored = yaml.safe_load(Path("outputs/x/configuration.yaml").read_text())
    assert stored["axes"]["sample"]["generator"] == generator
    runs = json.loads(Path("outputs/x/provenance.json").read_text())["runs"]
    assert runs[-1]["sample_generator"] == generator
    assert generator["method"] == "sobol"
    assert generator["samples"] == 8
    assert generator["intervals"]["stdp.A_plus"] == [0.001, 0.1, "log"]
    fewer = command(*SMALL, *DRAWN, "sweep.samples=2", "name=x")
    assert "2 points in" in fewer.out
    assert results("x").sizes["sample"] == 8


@pytest.mark.parametrize("words", [(*DRAWN, "sweep.samples=4"), ("sweep.table=points.csv",)])
def test_a_lost_configuration_is_read_from_the_results(command, words):
    """Samples, what has drawn them, and what their choices set: no point runs again."""
    Path("points.csv").write_text("stdp,seed\nnotebook,1\nnotebook,2\nsong_abbott_2001,2\n")
    assert command(*SMALL, *words, "name=x").code == 0
    stored = Path("outputs/x/configuration.yaml")
    before = yaml.safe_load(stored.read_text())
    stored.unlink()
    number = results("x").sizes["sample"]
    assert f"{number} finished before" in command(*SMALL, *words, "name=x").out
    assert yaml.safe_load(stored.read_text()) == before


def test_points_are_reproduced_and_selected_by_what_is_sampled(command, tmp_path, capsys):
    """By the number of a sample, and by the value of a key that several samples may have."""
    command(*SMALL, "-m", *PAIRS, ZIP, "seed=1,2", "name=x")
    path = tmp_path / "outputs" / "x"
    assert reproduce(path, 99, ["stdp.tau_plus=20"], run_given_code=False)
    assert "4 of 4 points are the same bit for bit" in capsys.readouterr().out
    with open_results(path) as dataset:
        assert part_of(dataset, ["sample=2"]).dataset["tau_minus"].item() == 30
        some = part_of(dataset, ["tau_plus=20"])
        assert some.dataset["tau_minus"].values.tolist() == [20, 30]
        assert some.suffix == "_tau_plus=20.0"
        one = part_of(dataset, ["stdp.tau_plus=20", "stdp.tau_minus=30", "seed=2"]).dataset
        assert one["output_rate"].dims == ()
        assert parameter(one, "stdp.tau_minus").item() == 30
        with pytest.raises(ConditionError, match="tau_plus must be one of 10,20"):
            part_of(dataset, ["tau_plus=3"])
        with pytest.raises(ConditionError, match="axes sample, seed, stdp.tau_plus, stdp.tau_min"):
            part_of(dataset, ["rate_hz=3"])


def test_samples_are_compared_by_their_values(command, tmp_path):
    """Whatever their numbers, and with the points of a grid."""
    command(*SMALL, "-m", *PAIRS, ZIP, "name=x")
    command(*SMALL, "-m", "stdp.tau_plus=20,10", "stdp.tau_minus=30,20", ZIP, "name=y")
    command(*SMALL, "-m", "stdp.tau_plus=20,40", "stdp.tau_minus=20,30", "name=grid")
    sides = []
    for name in ("x", "y", "grid"):
        path = tmp_path / "outputs" / name
        sides.append(Side(path, read_metadata(path / "results.nc"), open_results(path)))
    heading, rows, _ = results_rows(sides[0], sides[1])
    assert heading == "2 points compared, 1 only in A, 0 only in B"
    assert {difference for _, difference in rows} == {"same"}
    heading, rows, _ = results_rows(sides[0], sides[2])
    assert heading == "2 points compared, 1 only in A, 2 only in B"
    assert {difference for _, difference in rows} == {"same"}


def test_a_dry_run_and_the_list_say_what_is_sampled(command, capsys):
    """The number of samples, how they are drawn, and the intervals."""
    words = (*SMALL, *DRAWN, "sweep.samples=4", "sweep.method=random", "name=x")
    lines = command(*words, "dry_run=true").out.splitlines()
    assert "axis: sample = 4 by random with seed 0" in lines
    assert any(line.startswith("sampled: input.rate_hz = interval(10,40) = ") for line in lines)
    assert not Path("outputs").exists()
    command(*words)
    analysis(["list"])
    assert "4 samples of rate_hz,A_plus" in capsys.readouterr().out


def test_a_single_sample_is_listed_as_one(command, capsys):
    """In the singular."""
    Path("points.csv").write_text("stdp.tau_plus\n10\n")
    assert command(*SMALL, "sweep.table=points.csv", "name=x").code == 0
    analysis(["list"])
    assert "1 sample of tau_plus" in capsys.readouterr().out


def test_failures_name_the_values_of_their_sample(command, fail_for_seed):
    """Beside its number."""
    fail_for_seed(2, ValueError("broken"))
    assert command(*SMALL, "-m", "seed=1,2", "stdp.tau_plus=10,20",
                   "sweep.zip=[seed,stdp.tau_plus]", "name=x").code == 1  # fmt: skip
    header, row = Path("outputs/x/failures.csv").read_text().splitlines()[:2]
    assert header.startswith("sample,seed,stdp.tau_plus,reason")
    assert row.startswith("1,2,20.0,ValueError")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((*PAIRS[:1], "stdp.tau_minus=1,2", ZIP), f"{ZIP}: stdp.tau_plus has 3 values, stdp.tau_m"),
        ((PAIRS[0], ZIP), f"{ZIP}: stdp.tau_minus must be swept"),
        (
            (PAIRS[0], "sweep.zip=[stdp.tau_plus,stdp.tau_minu]"),
            "sweep.zip=[stdp.tau_plus,stdp.tau_minu]: stdp.tau_minu: unknown key; did you mean "
            "stdp.tau_minus?",
        ),
        (
            ("seed=1,1", "stdp.tau_plus=10,10", "sweep.zip=[seed,stdp.tau_plus]"),
            "sweep.zip=[seed,stdp.tau_plus]: sample 1: is the same as sample 0 (seed=1, ",
        ),
        (
            ("seed=1,2", "stdp.tau_plus=10,-1", "sweep.zip=[seed,stdp.tau_plus]"),
            "sweep.zip=[seed,stdp.tau_plus]: sample 1, stdp.tau_plus=-1: LTP time constant must",
        ),
        ((PAIRS[0], "sweep.zip=[stdp.tau_plus]"), "sweep.zip=[stdp.tau_plus]: must be a list of"),
        (
            ("sweep.zip=seed,stdp.tau_plus",),
            "sweep.zip=seed,stdp.tau_plus: must be one value in br",
        ),
        (("sweep.samples=4",), "sweep.samples=4: has no effect without an interval"),
        (("sweep.method=lhs",), "sweep.method=lhs: has no effect without an interval"),
        (("sweep.seed=4", "seed=1,2"), "sweep.seed=4: has no effect without an interval"),
        (DRAWN, "input.rate_hz=interval(10,40): needs the number of samples"),
        ((*DRAWN, "sweep.samples=0"), "sweep.samples=0: number of samples"),
        ((*DRAWN, "sweep.samples=-1"), "sweep.samples=-1: number of samples"),
        ((*DRAWN, "sweep.samples=2000000"), "sweep.samples=2000000: 2000000 values; an axis "),
        ((*DRAWN, "sweep.samples=4,8"), "sweep.samples=4,8: must be one value"),
        ((*DRAWN, "sweep.samples=4", "sweep.method=foo"), "sweep.method=foo: method of drawing"),
        ((*DRAWN, *PAIRS, ZIP), f"{ZIP}: must not be given together with input.rate_hz=interval"),
        (("sample=1,2",), "sample=1,2: unknown key"),
        (("sweep=4",), "sweep=4: must be set key by key"),
        (("sweep.foo=4",), "sweep.foo=4: unknown key"),
        (("hydra/sweeper=basic", *PAIRS, ZIP), f"{ZIP}: has no effect with hydra/sweeper=basic"),
        (("hydra/sweeper=basic", DRAWN[0]), f"{DRAWN[0]}: has no effect with hydra/sweeper=basic"),
    ],
)
def test_what_contradicts_itself_is_refused_in_one_line(refused, words, line):
    """Exit code 2, before anything is written."""
    assert refused(*words).startswith(f"error: {line}")


def test_a_python_configuration_has_no_samples():
    """They are an argument of `pipeline.sweep`."""
    with pytest.raises(pipeline.RequestError, match="sweep.samples=4: must be a parameter of the"):
        pipeline.configure("sweep.samples=4")


@pytest.mark.parametrize(
    ("words", "condition", "number"),
    [
        ((*PAIRS, ZIP), "neuron.tau_m=10", 1),
        (("stdp.tau_plus=10,20,40",), "neuron.tau_m=20", 1),
        (("stdp.tau_plus=10,20,40",), "tau_m=15:", 2),
        (("stdp.tau_plus=10,20,40",), "stdp.tau_plus=10:20", 2),
        (("stdp=notebook,song_abbott_2001",), "stdp.A_plus=0.005", 1),
    ],
)  # fmt: skip
def test_what_follows_an_axis_selects_points(command, tmp_path, capsys, words, condition, number):
    """In `reproduce` as in figures and reports, also by a range of numbers."""
    command(*SMALL, "-m", "neuron.tau_m=${stdp.tau_plus}", *words, "seed=1,2", "name=x")
    path = tmp_path / "outputs" / "x"
    assert reproduce(path, 99, [condition], run_given_code=False)
    assert f"{2 * number} of {2 * number} points are the same" in capsys.readouterr().out
    if condition.startswith("stdp.A_plus"):  # no coordinate of the file, but set by its choices
        return
    with open_results(path) as dataset:
        assert part_of(dataset, [condition, "seed=1"]).dataset["status"].size == number
