"""Axes, parameters and labels of a file; files that cannot be read."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.reading.dataset import (
    axes,
    broadcast_to,
    label,
    open_results,
    parameter,
    reading,
    value_label,
)
from analysis.reading.errors import LoadError


@pytest.fixture
def dataset(configure):
    """A sweep over a rate, a rule and seeds."""
    swept = {
        "input.rate_hz": [30, 60],
        "stdp": ["notebook", "song_abbott_2001"],
        "stdp.tau_plus": [10, 20],
        "seed": [1, 2],
    }
    return pipeline.sweep(configure("simulation.duration=50"), swept, backend="sequential")


def test_labels_come_from_the_file(dataset):
    """Long name and unit make the label; a dimensionless array has no brackets."""
    assert label(dataset["rate_hz"]) == "Input rate (Hz)"
    assert label(dataset["tau_plus"]) == "LTP time constant (ms)"
    assert label(dataset["output_rate"]) == "Output firing rate (Hz)"
    assert label(dataset["stdp"]) == "STDP rule"
    assert value_label(dataset["rate_hz"], 30.0) == "30 Hz"
    assert value_label(dataset["stdp"], "notebook") == "notebook"


def test_parameters_are_found_as_constant_axis_choice_or_derived(dataset):
    """A constant, a swept value, what a swept group sets, and what a null stands for."""
    assert parameter(dataset, "neuron.tau_m").item() == 10
    assert parameter(dataset, "stdp.tau_plus").values.tolist() == [10, 20]
    assert parameter(dataset, "stdp.A_plus").dims == ("stdp",)
    assert parameter(dataset, "stdp.A_plus").values.tolist() == [0.008, 0.005]
    np.testing.assert_allclose(parameter(dataset, "stdp.A_minus"), [0.0088, 0.00525])
    assert parameter(dataset, "stdp.tau_minus").dims == ("stdp", "tau_plus")
    with pytest.raises(KeyError):
        parameter(dataset, "stdp.nothing")


def test_times_in_a_file_are_selected_by_their_decimals(keep):
    """Spike and sample times of a written sweep over time steps are multiples of each step."""
    swept = {"simulation.dt": [0.1, 0.3, 0.05], "seed": [1, 2]}
    recorded = ("simulation.dt=0.1", "record=history", "record.weight_interval=0.9")
    file = open_results(keep("fine", swept, *recorded))
    assert file["sample_time"].values.tolist() == [float(f"{9 * n}e-1") for n in range(1, 556)]
    sample = file["weight_history"].sel(sample_time=2.7, dt=0.3, seed=2)
    np.testing.assert_array_equal(sample, file["weight_history"][1, 1, 2])
    for dt, hundredths in ((0.1, 10), (0.3, 30), (0.05, 5)):
        grid = [float(f"{hundredths * k}e-2") for k in range(10_001)]
        times = file["spike_time"].sel(dt=dt).values
        times = times[np.isfinite(times)]
        assert times.size > 5
        assert set(times) <= set(grid)


def test_the_index_of_synapses_is_no_parameter(configure, dataset):
    """Its `config_key` is the key of its length, as that of times; these are not its values."""
    assert parameter(dataset, "input.n_synapses").item() == 40
    swept = pipeline.sweep(configure(), {"input.n_synapses": [10, 20]}, backend="sequential")
    assert parameter(swept, "input.n_synapses").values.tolist() == [10, 20]


def test_axes_are_the_swept_ones(dataset):
    """In the order of the sweep, without synapses."""
    assert axes(dataset) == ["rate_hz", "stdp", "tau_plus", "seed"]


def test_what_is_no_result_is_refused(tmp_path):
    """A missing file, a damaged one and one of another program, each in one line."""
    with pytest.raises(LoadError, match="must be an experiment directory with a results.nc"):
        open_results(tmp_path)
    broken = tmp_path / "results.nc"
    broken.write_bytes(b"not netCDF at all")
    with pytest.raises(LoadError, match="cannot be read as netCDF"):
        open_results(tmp_path)
    xr.Dataset({"x": 1}).to_netcdf(tmp_path / "foreign.nc")
    with pytest.raises(LoadError, match="not results of the pipeline"):
        open_results(tmp_path / "foreign.nc")


def test_damage_found_while_reading_names_the_remedy(keep):
    """Errors of the netCDF library become one line; others are not touched."""
    experiment = keep("kept", {"seed": [1]}, "simulation.duration=20")
    with pytest.raises(LoadError) as refused, reading(experiment):
        raise RuntimeError("NetCDF: HDF error")
    assert str(refused.value) == (
        f"{experiment / 'results.nc'}: damaged (NetCDF: HDF error); request the same sweep again "
        "to rewrite it from points/"
    )
    with pytest.raises(RuntimeError, match="^something else$"), reading(experiment):
        raise RuntimeError("something else")


def test_broadcasting_keeps_the_order_of_dimensions():
    """Those of the other array come first, in its order, then the own ones."""
    like = xr.DataArray(np.zeros((2, 3)), dims=("rate_hz", "seed"))
    array = xr.DataArray([[1, 2], [3, 4], [5, 6]], dims=("seed", "synapse"))
    found = broadcast_to(array, like, "synapse")
    assert found.dims == ("rate_hz", "seed", "synapse")
    assert found.values.tolist() == [[[1, 2], [3, 4], [5, 6]]] * 2


def test_the_end_of_a_block_closes_the_file(keep):
    """What is written into the same file later, as by `cp`, is read by the next block."""
    one = keep("one", {"input.rate_hz": [40]})
    other = keep("other", {"input.rate_hz": [40, 60]})
    with open_results(one) as held:
        assert held.sizes["rate_hz"] == 1
    (one / "results.nc").write_bytes((other / "results.nc").read_bytes())
    with open_results(one) as again:
        assert again.sizes["rate_hz"] == 2
    assert held.sizes["rate_hz"] == 1
