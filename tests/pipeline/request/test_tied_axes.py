"""Values that follow an axis by `${...}` are coordinates along it."""

import pytest
import xarray as xr

from analysis.reading.dataset import parameter
from analysis.reading.metadata import read_metadata

TIED = ("-m", "simulation.duration=100", "stdp.tau_minus=10,20", "stdp.tau_plus=${stdp.tau_minus}")


def test_a_tied_value_is_a_coordinate_along_the_axis(command, tmp_path):
    """It has unit, long name and key, and is what `analysis` takes for the parameter."""
    ended = command(*TIED, "seed=1,2", "name=x")
    assert ended.code == 0, ended.err
    file = tmp_path / "outputs" / "x" / "results.nc"
    with xr.open_dataset(file) as dataset:
        tau_plus = dataset.coords["tau_plus"]
        assert tau_plus.dims == ("tau_minus",)
        assert tau_plus.values.tolist() == [10, 20]
        assert tau_plus.attrs == {
            "long_name": "LTP time constant", "units": "ms", "config_key": "stdp.tau_plus"
        }  # fmt: skip
        assert parameter(dataset, "stdp.tau_plus").values.tolist() == [10, 20]
        assert dataset["weight"].coords["tau_plus"].dims == ("tau_minus",)
    assert read_metadata(file).parameters["stdp.tau_plus"][-2:] == [10, 20]


def test_a_dry_run_shows_it(command):
    """With the values along the axis."""
    ended = command(*TIED, "dry_run=true")
    assert "derived: stdp.tau_plus = 10.0, 20.0 ms along tau_minus" in ended.out.splitlines()


@pytest.mark.parametrize("again", ["stdp.tau_minus=10,20", "stdp.tau_minus=10,20,30"])
def test_it_stays_when_the_experiment_grows(command, tmp_path, again):
    """The union has the values of both requests."""
    assert command(*TIED, "name=x").code == 0
    words = [again if word == "stdp.tau_minus=10,20" else word for word in TIED]
    assert command(*words, "name=x").code == 0
    with xr.open_dataset(tmp_path / "outputs" / "x" / "results.nc") as dataset:
        assert dataset["tau_plus"].values.tolist() == dataset["tau_minus"].values.tolist()


def test_a_tied_seed_and_a_tied_whole_number(command, tmp_path):
    """Whole numbers keep their type."""
    words = ("input.n_synapses=20,30", "seed=${input.n_synapses}", "simulation.duration=50")
    assert command("-m", *words, "name=x").code == 0
    with xr.open_dataset(tmp_path / "outputs" / "x" / "results.nc") as dataset:
        assert dataset["seed"].dims == ("n_synapses",)
        assert dataset["seed"].dtype == "int64"
