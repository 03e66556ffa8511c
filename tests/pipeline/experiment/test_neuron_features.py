"""Noise and adaptive threshold from the command line, in keys and phases; what is refused."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.experiment.phases import phase_from
from pipeline.model.parameters import Configuration
from pipeline.request.grid import Grid

SHORT = ("simulation.duration=500", "input.n_synapses=40", "synapse.g_max=0.15", "input.rate_hz=40")
NOISY = ("neuron.noise=2", "neuron.theta_plus=1", "neuron.tau_theta=200")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("neuron.noise=-1",), "neuron.noise=-1: standard deviation of the potential that"),
        (("neuron.noise=nan",), "neuron.noise=nan: standard deviation of the potential that"),
        (("neuron.noise=1001",), "must be a finite number >= 0 and <= 1000 mV"),
        (("neuron.theta_plus=-0.1",), "neuron.theta_plus=-0.1: rise of the threshold at an"),
        (("neuron.tau_theta=50",), "neuron.tau_theta=50.0: must be 100 with neuron.theta_plus=0"),
        (("neuron.theta_plus=1", "neuron.tau_theta=0"), "must be a finite number > 0 ms"),
        (
            ("neuron.theta_plus=1", "neuron.tau_theta=1", "simulation.dt=1"),
            "simulation.dt=1.0: the time step must be < neuron.tau_theta=1 ms",
        ),
        (("neuron.sigma=1",), "neuron.sigma=1: unknown key"),
    ],
)
def test_what_is_not_allowed_is_refused(refused, overrides, message):
    """One line, exit code 2, nothing written."""
    assert message in refused(*SHORT, *overrides, "name=x")


def test_a_sweep_over_noise_and_rise(command, tmp_path):
    """Both are dimensions with a unit; the point without either is that of a file without."""
    axes = ("neuron.noise=0,3", "neuron.theta_plus=0,2")
    assert command(*SHORT, "name=x").code == 0
    assert "1 of them done" in command("-m", *SHORT, *axes, "name=x", "dry_run=true").out
    assert command("-m", *SHORT, *axes, "name=x").code == 0
    with xr.open_dataset(tmp_path / "outputs" / "x" / "results.nc") as dataset:
        assert dataset["spike_count"].sizes == {"noise": 2, "theta_plus": 2}
        assert dataset["noise"].attrs["units"] == dataset["theta_plus"].attrs["units"] == "mV"
        assert (dataset["spike_count"].sel(theta_plus=2) < dataset["spike_count"][:, 0]).all()


def test_keys_of_points_without_them_are_those_of_configurations_that_do_not_know_them():
    """Of a point, and of the seed of its input under a seed policy of its own."""
    configuration = pipeline.configure(*SHORT, "input.seed_policy=independent")
    earlier = configuration.to_mapping()
    for name in ("noise", "theta_plus", "tau_theta"):
        del earlier["neuron"][name]
    assert Configuration.from_mapping(earlier) == configuration
    assert Grid(earlier).keys[0] == Grid(configuration).keys[0]
    assert "theta" not in Grid(configuration)._factory._section_text("neuron", ())


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_two_phases_are_one_run(engine):
    """The noise of a step is that of the whole, and the rise of the threshold goes on."""
    configuration = pipeline.configure(
        *SHORT, *NOISY, "record.state=true", "record.spike_times=true"
    )
    first = pipeline.simulate(configuration, engine=engine)
    second = pipeline.simulate(configuration, state=first, engine=engine)
    whole = configuration.replaced({"simulation.duration": 999.0})
    whole = pipeline.simulate(whole, engine=engine)
    np.testing.assert_array_equal(second["weight"], whole["weight"])
    spikes = np.concatenate([first["spike_time"], second["spike_time"].values + 499])
    np.testing.assert_array_equal(spikes, whole["spike_time"])
    assert second["spike_count"] > 5


def test_a_phase_without_adaptation_begins_at_its_threshold():
    """What is left of an earlier rise is dropped, as nothing would take it away."""
    first = pipeline.simulate(pipeline.configure(*SHORT, *NOISY, "record.state=true"))
    kept = phase_from(pipeline.configure(*SHORT, *NOISY), first).start.state.theta
    assert kept > 0.1
    assert phase_from(pipeline.configure(*SHORT), first).start.state.theta == 0


def test_a_longer_run_goes_on_from_a_shorter_one(command, tmp_path):
    """With end states kept: equal to a run of that length from the beginning."""
    run = (*SHORT[1:], *NOISY, "synapse.dendritic_delay=7", "synapse.axonal_delay=2",
           "record=history", "record.weight_interval=100")  # fmt: skip
    assert command(*run, "simulation.duration=500", "name=x").code == 0
    assert command(*run, "simulation.duration=1000", "name=x").code == 0
    assert command(*run, "simulation.duration=1000", "name=y").code == 0
    grown, whole = (xr.open_dataset(tmp_path / "outputs" / n / "results.nc") for n in "xy")
    with grown, whole:
        np.testing.assert_array_equal(grown["weight_history"], whole["weight_history"])
        assert grown["spike_count"] == whole["spike_count"] > 10
