"""Homeostatic scaling from the command line, in keys, phases and reports; what is refused."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.measures.coverage import theory_gaps
from pipeline.experiment.phases import phase_from
from pipeline.model.parameters import Configuration
from pipeline.request.grid import Grid

SHORT = ("simulation.duration=500", "input.n_synapses=40", "synapse.g_max=0.15", "input.rate_hz=40")
SCALED = (
    *("synapse.scaling_target=20", "synapse.scaling_gain=0.01", "synapse.scaling_interval=60"),
    "synapse.tau_scaling=200",
)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("synapse.scaling_target=-1",), "synapse.scaling_target=-1: output rate towards which"),
        (("synapse.scaling_gain=0.1",), "synapse.scaling_gain=0.1: must be 4e-05 with"),
        (("synapse.scaling_interval=60",), "synapse.scaling_interval=60.0: must be 1000 with"),
        (("synapse.tau_scaling=60",), "must be 100000 with synapse.scaling_target=null"),
        ((*SCALED, "synapse.scaling_gain=-1"), "synapse.scaling_gain=-1: relative change of"),
        ((*SCALED, "synapse.tau_scaling=0"), "synapse.tau_scaling=0: time constant of the"),
        (
            (*SCALED, "synapse.scaling_interval=0.5"),
            "must be a multiple of simulation.dt=1 ms and <= simulation.duration=500 ms",
        ),
        (
            ("synapse.scaling_target=20",),
            "synapse.scaling_interval=1000.0: must be a multiple of simulation.dt=1 ms and <= ",
        ),
    ],
)
def test_what_is_not_allowed_is_refused(refused, overrides, message):
    """One line, exit code 2, nothing written."""
    assert message in refused(*SHORT, *overrides, "name=x")


def test_a_sweep_from_no_scaling_on(command, tmp_path):
    """By a gain of 0; the theory covers the points without scaling only."""
    axes = ("synapse.scaling_gain=0,0.02", "synapse.scaling_target=5,80")
    assert command("-m", *SHORT, *SCALED[2:], *axes, "name=x").code == 0
    with xr.open_dataset(tmp_path / "outputs" / "x" / "results.nc") as dataset:
        assert dataset["mean_weight"].sizes == {"scaling_gain": 2, "scaling_target": 2}
        assert dataset["scaling_gain"].attrs["units"] == "1/(s Hz)"
        (none, same), (low, high) = dataset["mean_weight"].transpose("scaling_gain", ...).values
        assert none == same
        assert low < high
        assert none not in (low, high)
        gaps = theory_gaps(dataset)
        gaps = gaps.broadcast_like(dataset["mean_weight"]).transpose("scaling_gain", ...).values
        assert not any("scaling" in gap for gap in gaps[0])
        assert all(gap.startswith("synapse.scaling_target: the theory") for gap in gaps[1])
    assert command(*SHORT, "name=y").code == 0
    with xr.open_dataset(tmp_path / "outputs" / "y" / "results.nc") as dataset:
        assert dataset["mean_weight"] == none
        assert "scaling" not in theory_gaps(dataset).item()


def test_keys_of_points_without_it_are_those_of_configurations_that_do_not_know_it():
    """Nothing of it is in the key."""
    configuration = pipeline.configure(*SHORT, "input.seed_policy=independent")
    earlier = configuration.to_mapping()
    for name in ("scaling_target", "scaling_gain", "scaling_interval", "tau_scaling"):
        del earlier["synapse"][name]
    assert Configuration.from_mapping(earlier) == configuration
    assert Grid(earlier).keys[0] == Grid(configuration).keys[0]
    assert "scaling" not in Grid(configuration)._factory._section_text("synapse", ())


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_two_phases_are_one_run(engine):
    """With a dendritic delay too: the second goes on between two scalings."""
    configuration = pipeline.configure(
        *SHORT, *SCALED, "synapse.dendritic_delay=5", "record.state=true",
        "record.spike_times=true",
    )  # fmt: skip
    first = pipeline.simulate(configuration, engine=engine)
    second = pipeline.simulate(configuration, state=first, engine=engine)
    whole = configuration.replaced({"simulation.duration": 999.0})
    whole = pipeline.simulate(whole, engine=engine)
    np.testing.assert_array_equal(second["weight"], whole["weight"])
    spikes = np.concatenate([first["spike_time"], second["spike_time"].values + 499])
    np.testing.assert_array_equal(spikes, whole["spike_time"])


def test_phases_with_and_without_scaling():
    """An estimate goes on, begins at the target, or is dropped."""
    kept = (*SHORT, "record.state=true")
    first = pipeline.simulate(pipeline.configure(*kept, *SCALED))
    plain = pipeline.simulate(pipeline.configure(*kept))

    def rate(overrides, before):
        return phase_from(pipeline.configure(*kept, *overrides), before).start.state.rate_estimate

    assert rate(SCALED, first) > 0
    assert rate(SCALED, first) != 20
    assert rate(SCALED, plain) == 20
    assert rate((), first) == 0


def test_a_longer_run_goes_on_from_a_shorter_one(command, tmp_path):
    """With end states kept: equal to a run from the beginning."""
    run = (*SHORT[1:], *SCALED, "record=history", "record.weight_interval=100")
    assert command(*run, "simulation.duration=500", "name=x").code == 0
    assert command(*run, "simulation.duration=1000", "name=x").code == 0
    assert command(*run, "simulation.duration=1000", "name=y").code == 0
    grown, whole = (xr.open_dataset(tmp_path / "outputs" / n / "results.nc") for n in "xy")
    with grown, whole:
        np.testing.assert_array_equal(grown["weight_history"], whole["weight_history"])
        assert grown["spike_count"] == whole["spike_count"] > 10
