"""Delays from the command line, in sweeps, in keys and through phases; what is refused."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.model.errors import RequestError
from pipeline.model.parameters import Configuration
from pipeline.request.grid import Grid

SHORT = ("simulation.duration=500", "input.n_synapses=40", "synapse.g_max=0.15", "input.rate_hz=40")
DELAYS = ("synapse.axonal_delay=3", "synapse.dendritic_delay=20")


@pytest.mark.parametrize("name", ["axonal_delay", "dendritic_delay"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("-1", "must be a finite number >= 0 ms"),
        ("nan", "must be a finite number >= 0 ms"),
        ("500", "must be a multiple of simulation.dt=1 ms and < simulation.duration=500 ms"),
        ("0.5", "must be a multiple of simulation.dt=1 ms and < simulation.duration=500 ms"),
        ("1e-9", "must be a multiple of simulation.dt=1 ms and < simulation.duration=500 ms"),
        ("5,600", "must be a multiple of simulation.dt=1 ms and < simulation.duration=500 ms"),
    ],
)
def test_what_is_not_allowed_is_refused(refused, name, value, message):
    """One line, exit code 2, nothing written; of a sweep too, if one value is not allowed."""
    line = refused("-m", *SHORT, f"synapse.{name}={value}", "name=x")
    assert line.removeprefix("error: ").startswith(f"synapse.{name}=")
    assert message in line


def test_a_sweep_over_delays(command, tmp_path):
    """Both are dimensions with a unit; points without delay are those of a file without."""
    axes = ("synapse.axonal_delay=0,3", "synapse.dendritic_delay=0,20")
    assert command(*SHORT, "name=x").code == 0
    assert "1 of them done" in command("-m", *SHORT, *axes, "name=x", "dry_run=true").out
    assert command("-m", *SHORT, *axes, "name=x").code == 0
    with xr.open_dataset(tmp_path / "outputs" / "x" / "results.nc") as dataset:
        assert dataset["mean_weight"].sizes == {"axonal_delay": 2, "dendritic_delay": 2}
        assert dataset["dendritic_delay"].attrs["units"] == "ms"
        assert len(np.unique(dataset["mean_weight"])) == 4


def test_keys_of_points_without_delays_are_those_of_configurations_that_do_not_know_them():
    """Of a point, and of the seed of its input under a seed policy of its own."""
    configuration = pipeline.configure(*SHORT, "input.seed_policy=independent")
    earlier = configuration.to_mapping()
    del earlier["synapse"]["axonal_delay"], earlier["synapse"]["dendritic_delay"]
    assert Configuration.from_mapping(earlier) == configuration
    assert Grid(earlier).keys[0] == Grid(configuration).keys[0]
    assert "delay" not in Grid(configuration)._factory._section_text("synapse", ())
    delayed = pipeline.configure(*SHORT, "input.seed_policy=independent", *DELAYS)
    assert Grid(delayed).keys[0] != Grid(configuration).keys[0]


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_two_phases_are_one_run(engine):
    """Spikes that are on their way at the end of the first arrive in the second."""
    configuration = pipeline.configure(
        *SHORT, *DELAYS, "record.state=true", "record.spike_times=true"
    )
    first = pipeline.simulate(configuration, engine=engine)
    second = pipeline.simulate(configuration, state=first, engine=engine)
    whole = configuration.replaced({"simulation.duration": 999.0})
    whole = pipeline.simulate(whole, engine=engine)
    assert (first["spike_time"] > 500 - 20).any()  # on its way
    np.testing.assert_array_equal(second["weight"], whole["weight"])
    spikes = np.concatenate([first["spike_time"], second["spike_time"].values + 499])
    np.testing.assert_array_equal(spikes, whole["spike_time"])
    assert second["spike_count"] + first["spike_count"] == whole["spike_count"]
    third = pipeline.simulate(configuration, state=second, engine=engine)
    assert third["spike_time"].min() >= 0


@pytest.mark.parametrize("name", ["axonal_delay", "dendritic_delay"])
def test_a_phase_has_the_delays_of_the_one_before(name):
    """As spikes are on their way with them."""
    first = pipeline.simulate(pipeline.configure(*SHORT, *DELAYS, "record.state=true"))
    other = pipeline.configure(*SHORT, *DELAYS, f"synapse.{name}=7")
    with pytest.raises(RequestError, match=rf"^synapse.{name}=7.0: must be \d+, as it is in the"):
        pipeline.simulate(other, state=first)


def test_given_spikes_arrive_after_the_axonal_delay():
    """A matrix has the input spikes as they are sent, so shifted ones arrive alike."""
    spikes = np.random.default_rng(0).random((40, 500)) < 0.04
    spikes[:, 0] = spikes[:, -3:] = False
    delayed = pipeline.simulate(pipeline.configure(*SHORT, *DELAYS), spikes=spikes)
    shifted = np.roll(spikes, 3, axis=1)
    plain = pipeline.simulate(pipeline.configure(*SHORT, DELAYS[1]), spikes=shifted)
    assert delayed["spike_count"] > 5
    np.testing.assert_array_equal(delayed["weight"], plain["weight"])
