"""Choices of a group with unlike fields, as of plasticity rules: parameters, settings, parts."""

import json

import numpy as np
import pytest
import xarray as xr

from analysis.reading.dataset import (
    constants,
    coordinate_of,
    open_results,
    parameter,
    with_named_choices,
)
from analysis.reading.errors import LoadError, ParameterError
from analysis.reading.metadata import SCHEMA_VERSION, Setting, read_metadata
from analysis.reading.select import part_of
from tests.support.unlike_rules import as_version_0, registered, sweep_over_rules

NAMES = ["additive", "toy_branch", "toy_anti_hebbian"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A file with three rules, kept in a directory."""
    path = tmp_path_factory.mktemp("unlike") / "kept"
    with registered():
        sweep_over_rules(NAMES, "simulation.duration=20", axes={"seed": [1, 2]}, directory=path)
    return path / "results.nc"


@pytest.fixture(scope="module")
def unlike(kept):
    """The dataset of this file, in memory: a second handle of an open file may not be read."""
    with open_results(kept) as dataset:
        return dataset.load()


def test_a_parameter_is_nan_where_a_choice_has_no_such_field(unlike):
    """Whichever choice comes first; of text the value is empty there."""
    assert parameter(unlike, "stdp.rule").values.tolist() == NAMES
    assert parameter(unlike, "stdp.A_plus").values.tolist() == [0.008, 0.05, 0.03]
    for key, values in (("ltd_ratio", [1.1, np.nan, np.nan]), ("w_soft", [np.nan, 0.6, np.nan])):
        found = parameter(unlike, f"stdp.{key}")
        assert found.dims == ("stdp",)
        np.testing.assert_array_equal(found, values)
    choices = [{"input.process": "poisson"}, {}, {"input.process": "notebook"}]
    text = unlike["stdp"].assign_attrs(settings=json.dumps(choices))
    with_text = unlike.assign_coords(stdp=text)
    assert parameter(with_text, "input.process").values.tolist() == ["poisson", "", "notebook"]


def test_a_derived_parameter_of_some_rules_is_a_variable(unlike):
    """Its values are found as those of a coordinate are, with unit and long name."""
    assert "A_minus" in unlike.data_vars
    np.testing.assert_allclose(parameter(unlike, "stdp.A_minus"), [0.0088, 0.05, np.nan])
    np.testing.assert_allclose(parameter(unlike, "stdp.tau_minus"), [20, 25, np.nan])
    assert coordinate_of(unlike, "stdp.tau_minus").attrs["units"] == "ms"


def test_a_parameter_that_no_choice_has_is_refused_in_one_line(unlike):
    """As a `KeyError`, and as a `LoadError`, which commands report."""
    for error in (KeyError, LoadError):
        with pytest.raises(error) as refused:
            parameter(unlike, "stdp.tau_x")
        assert str(refused.value) == "stdp.tau_x: no point of these results has this parameter"
    additive = part_of(unlike, ["stdp=additive"]).dataset
    assert np.isnan(parameter(additive, "stdp.w_soft"))  # other points of the file have it


def test_a_selected_choice_keeps_what_it_sets(unlike):
    """By `part_of`, `sel` and `isel`, along the axis or without it."""
    for part in (
        part_of(unlike, ["stdp=toy_branch"]).dataset,
        unlike.sel(stdp="toy_branch"),
        unlike.isel(stdp=[1]),
    ):
        assert parameter(part, "stdp.w_soft").values.ravel().tolist() == [0.6]
        assert parameter(part, "stdp.A_plus").values.ravel().tolist() == [0.05]
    reversed_axis = unlike.isel(stdp=slice(None, None, -1))
    assert parameter(reversed_axis, "stdp.A_plus").values.tolist() == [0.03, 0.05, 0.008]


def test_a_selection_of_unnamed_choices_is_refused():
    """A dataset from Python does not name its choices before it is selected from."""
    with registered():
        dataset = sweep_over_rules(NAMES, "simulation.duration=20")
    part = dataset.isel(stdp=1)
    with pytest.raises(ParameterError, match="^stdp: the names of the choices before this"):
        parameter(part, "stdp.A_plus")
    assert parameter(part, "synapse.g_max").item() == 0.15
    assert parameter(with_named_choices(dataset).isel(stdp=1), "stdp.A_plus").item() == 0.05


def test_settings_have_the_values_of_the_choices_that_set_them(kept):
    """A key of some choices is no constant, even with one value; NaN is no value of a key."""
    metadata = read_metadata(kept)
    assert metadata.settings["stdp.w_soft"] == Setting("stdp", {"toy_branch": 0.6})
    assert metadata.settings["stdp.ltd_ratio"] == Setting("stdp", {"additive": 1.1})
    assert metadata.settings["stdp.rule"] == Setting("stdp", dict(zip(NAMES, NAMES, strict=True)))
    assert metadata.parameters["stdp.A_minus"] == [None, 0.05, 0.0088, 0.05]


def test_files_of_version_0_have_the_additive_rule(configure, keep):
    """Constant, where the section is swept too, in dataset and metadata."""
    swept = {"stdp": ["notebook", "song_abbott_2001"]}
    path = keep("kept", swept, "simulation.duration=20")
    with open_results(path) as dataset:
        older = as_version_0(dataset.load())
    older.to_netcdf(path / "older.nc")
    with open_results(path / "older.nc") as dataset:
        assert "schema_version" not in dataset.attrs
        assert parameter(dataset, "stdp.rule").item() == "additive"
        assert constants(dataset)["stdp"]["rule"] == "additive"
    assert read_metadata(path / "older.nc").settings["stdp.rule"] == Setting("", {"": "additive"})


def test_a_file_of_a_later_schema_is_refused_with_both_versions(kept, tmp_path):
    """In one line, by both ways to read a file; a later model version is no reason."""
    with xr.open_dataset(kept) as dataset:
        later = dataset.load().assign_attrs(model_version=99)
    later.to_netcdf(tmp_path / "numbers.nc")
    later.assign_attrs(schema_version=SCHEMA_VERSION + 1).to_netcdf(tmp_path / "names.nc")
    open_results(tmp_path / "numbers.nc").close()
    read_metadata(tmp_path / "numbers.nc")
    for read in (open_results, read_metadata):
        with pytest.raises(LoadError) as refused:
            read(tmp_path / "names.nc")
        assert str(refused.value) == (
            f"{tmp_path / 'names.nc'}: has schema_version {SCHEMA_VERSION + 1}; this version of "
            f"analysis reads up to {SCHEMA_VERSION}: update it"
        )
