"""Results of points, filled in any order, as a labelled dataset."""

import json

import netCDF4
import numpy as np
import pytest

from pipeline.engine.simulate import run_point
from pipeline.model import reference
from pipeline.model.variables import DONE, FAILED, MISSING, stacked
from pipeline.request.axis import value_axis
from pipeline.request.grid import Grid
from pipeline.request.overrides import grid_of_mapping
from pipeline.storage.arrays import ResultArrays


def gathered(base, *axes, done=lambda point: True):
    """Run some points of a grid, the last first, and fill in their results."""
    arrays = ResultArrays(Grid(base.to_mapping(), axes))
    for key, point in reversed(list(zip(arrays.grid.keys, arrays.grid.points, strict=True))):
        if done(point):
            arrays.add([key], stacked([run_point(point, reference.run)], point.record))
    return arrays


def test_swept_keys_become_dimensions_with_their_attributes(configure):
    """Dimensions are short names in the order given; coordinates carry unit, name and key."""
    axes = value_axis("input.rate_hz", [10, 20]), value_axis("stdp.A_plus", [0.1, 0.2, 0.3])
    dataset = gathered(configure(), *axes).labelled().to_xarray()
    assert dataset["weight"].dims == ("rate_hz", "A_plus", "synapse")
    assert dataset["weight"].shape == (2, 3, 40)
    assert dataset["rate_hz"].attrs == {
        "units": "Hz",
        "long_name": "input rate",
        "config_key": "input.rate_hz",
    }
    assert "units" not in dataset["A_plus"].attrs
    for name, variable in dataset.variables.items():
        assert variable.attrs["long_name"], name
    constants = json.loads(dataset.attrs["configuration"])
    assert "A_plus" not in constants["stdp"]
    assert constants["neuron"]["tau_m"] == 10


def test_every_point_is_at_its_coordinates(configure):
    """The results of a point are at its coordinates, for any order of completion."""
    axes = value_axis("input.rate_hz", [30, 60]), value_axis("seed", [5, 6])
    dataset = gathered(configure(), *axes).labelled().to_xarray()
    own = run_point(configure("input.rate_hz=60", "seed=5"), reference.run)
    there = dataset.sel(rate_hz=60, seed=5)
    assert there["spike_count"] == own["spike_count"]
    np.testing.assert_array_equal(there["weight"], own["weight"].astype(np.float32))


def test_missing_and_failed_points_are_flagged(configure):
    """Without results a float is NaN, a count is -1, and status has a flag."""
    axis = value_axis("seed", range(4))
    arrays = gathered(configure(), axis, done=lambda point: point.seed in (0, 2))
    arrays.fail(arrays.grid.keys[3])
    dataset = arrays.labelled().to_xarray()
    assert dataset["status"].values.tolist() == [DONE, MISSING, DONE, FAILED]
    assert dataset["status"].attrs["flag_meanings"] == "done failed missing"
    assert dataset["spike_count"].values[[1, 3]].tolist() == [-1, -1]
    assert dataset["weight"].isnull().all("synapse").values.tolist() == [False, True, False, True]
    assert arrays.counts() == (2, 1, 1)


def test_points_of_different_size_are_padded(configure):
    """Sweeping n_synapses and duration pads weights, histories and spikes with NaN."""
    base = configure("record=history", "record.weight_interval=100")
    axes = value_axis("input.n_synapses", [20, 40]), value_axis("simulation.duration", [200, 500])
    dataset = gathered(base, *axes).labelled().to_xarray()
    assert dataset["weight_history"].shape == (2, 2, 5, 40)
    small = dataset.sel(n_synapses=20, duration=200)
    assert small["weight"].notnull().sum() == 20
    assert small["rate_history"].notnull().sum() == 2
    assert small["spike_time"].notnull().sum() == small["spike_count"]


def test_points_with_one_key_have_equal_results(configure):
    """Points with the same resolved parameters have the results of one run."""
    base = configure("stdp.A_minus=0.01")
    arrays = ResultArrays(Grid(base.to_mapping(), [value_axis("stdp.ltd_ratio", [1.0, 2.0])]))
    assert len(set(arrays.grid.keys)) == 1
    point = arrays.grid.points[0]
    arrays.add(arrays.grid.keys[:1], stacked([run_point(point, reference.run)], point.record))
    weight = arrays.labelled().to_xarray()["weight"]
    np.testing.assert_array_equal(weight[0], weight[1])
    assert arrays.counts() == (2, 0, 0)


def test_values_derived_for_null_are_in_the_file(configure):
    """A_minus, tau_minus and the effective ratio follow the axes that set them."""
    axes = (
        value_axis("stdp.A_plus", [0.01, 0.02]),
        value_axis("stdp.tau_minus", [10, 40]),
        value_axis("seed", [1, 2]),
    )
    dataset = ResultArrays(Grid(configure().to_mapping(), axes)).labelled().to_xarray()
    assert dataset["A_minus"].dims == ("A_plus",)
    np.testing.assert_allclose(dataset["A_minus"], [0.011, 0.022])
    assert dataset["A_minus"].attrs["config_key"] == "stdp.A_minus"
    assert set(dataset["effective_ltd_ratio"].dims) == {"A_plus", "tau_minus"}
    np.testing.assert_allclose(dataset["effective_ltd_ratio"].isel(A_plus=0), [0.55, 2.2])


def test_a_swept_group_has_the_settings_of_its_choices(configure):
    """The coordinate holds the names of the choices, an attribute their settings."""
    axes = {"stdp": ["notebook", "song_abbott_2001"], "synapse": ["notebook"]}
    dataset = ResultArrays(grid_of_mapping(configure(), axes)).labelled().to_xarray()
    assert dataset["weight"].dims == ("stdp", "synapse_set", "synapse")
    assert dataset["stdp"].values.tolist() == ["notebook", "song_abbott_2001"]
    settings = json.loads(dataset["stdp"].attrs["settings"])
    assert settings[1]["stdp.A_plus"] == 0.005
    assert "stdp" not in json.loads(dataset.attrs["configuration"])


def test_coordinates_have_no_missing_values_without_ltp(configure):
    """The effective ratio is NaN at A_plus = 0, so it is a variable and no coordinate."""
    grid = Grid(configure().to_mapping(), [value_axis("stdp.A_plus", [0, 0.1])])
    dataset = ResultArrays(grid).labelled().to_xarray()
    assert np.isnan(dataset["effective_ltd_ratio"][0])
    assert not any(coordinate.isnull().any() for coordinate in dataset.coords.values())
    assert dataset["spike_count"].attrs["valid_min"] == 0


def test_valid_min_has_the_type_of_its_variable(keep):
    """CF-1.11, section 2.5.1; also in the file, as other readers of netCDF see it."""
    with netCDF4.Dataset(keep("x", {"seed": [1, 2]}) / "results.nc") as file:
        limited = [v for v in file.variables.values() if "valid_min" in v.ncattrs()]
        assert {variable.name for variable in limited} >= {"made_by", "spike_count"}
        for variable in limited:
            assert variable.getncattr("valid_min").dtype == variable.dtype


def test_no_axes_give_a_dataset_of_one_point(configure):
    """A single run has no swept dimension."""
    dataset = gathered(configure()).labelled().to_xarray()
    assert dataset["status"].dims == ()
    assert dataset["weight"].dims == ("synapse",)
    assert dataset["effective_ltd_ratio"].item() == pytest.approx(1.1)
