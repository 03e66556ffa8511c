"""Metadata of a file: settings, all values of a key, provenance of several runs."""

import json

import netCDF4
import pytest

import pipeline
from analysis.reading.metadata import Setting, read_metadata


@pytest.fixture
def metadata(keep):
    """Metadata of a sweep over a group and a key that its choices set too."""
    axes = {"stdp": ["notebook", "song_abbott_2001"], "stdp.tau_plus": [10, 20], "seed": [1, 2]}
    return read_metadata(keep("kept", axes, "simulation.duration=20") / "results.nc")


def test_an_axis_overrides_a_choice_and_a_choice_a_constant(metadata):
    """Each key has one setting; what all choices set alike is as good as constant."""
    settings = metadata.settings
    assert settings["neuron.tau_m"] == Setting("", {"": 10.0})
    assert settings["stdp.tau_plus"] == Setting("stdp.tau_plus", {10.0: 10.0, 20.0: 20.0})
    by_choice = {"notebook": 0.008, "song_abbott_2001": 0.005}
    assert settings["stdp.A_plus"] == Setting("stdp", by_choice)
    assert settings["stdp.A_minus"] == Setting("", {"": None})
    assert list(settings)[:3] == ["stdp", "stdp.tau_plus", "seed"]


def test_parameters_have_all_values_of_a_key(metadata):
    """Constant, swept, chosen; where null is set, also the values that it stands for."""
    parameters = metadata.parameters
    assert parameters["neuron.tau_m"] == [10.0]
    assert parameters["stdp.tau_plus"] == [10.0, 20.0]
    assert parameters["stdp.A_plus"] == [0.008, 0.005]
    assert parameters["stdp.A_minus"] == [None, pytest.approx(0.0088), pytest.approx(0.00525)]
    assert parameters["stdp"] == ["notebook", "song_abbott_2001"]


def test_points_are_counted_by_status(keep):
    """Done, failed, missing."""
    file = keep("kept", {"seed": range(6)}, "simulation.duration=20") / "results.nc"
    with netCDF4.Dataset(file, "a") as dataset:
        dataset["status"][:] = [0, 1, 0, 2, 2, 0]
    assert read_metadata(file).points == (3, 1, 2)


def test_values_of_several_runs_are_distinct_newest_last(keep):
    """An entry of the runs, else the global attribute, else nothing."""
    file = keep("kept", {"seed": [1]}, "simulation.duration=20") / "results.nc"
    runs = [{"git_commit": commit} for commit in ("a", "b", "a", "c", "a")]
    with netCDF4.Dataset(file, "a") as dataset:
        dataset.runs = json.dumps(runs)
        dataset.host = "one"
    found = read_metadata(file)
    assert found.said("git_commit") == ["b", "c", "a"]
    assert found.said("host") == ["one"]
    assert found.said("nothing") == []


def test_a_single_simulation_names_the_files_of_the_user(tmp_path):
    """It has no list of runs: its attribute holds them, as text."""
    own = tmp_path / "own/stdp/mine.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("defaults: [notebook]\nA_plus: 0.005\n")
    short = ("simulation.duration=1000", "stdp=mine")
    one = pipeline.simulate(pipeline.configure(*short, conf=tmp_path / "own"))
    one.to_netcdf(tmp_path / "one.nc")
    assert read_metadata(tmp_path / "one.nc").own_files == {str(own): own.read_text()}
