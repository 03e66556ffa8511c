"""Inhibition from the command line, in sweeps, in files and through resume; what is refused."""

import json

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.reading.dataset import parameter
from pipeline.experiment.phases import phase_from
from pipeline.model.parameters import Configuration
from pipeline.model.state import EndState
from pipeline.request.grid import Grid

SONG = "inhibition=song_miller_abbott_2000"
SHORT = ("simulation.duration=500", "input.n_synapses=40", "synapse.g_max=0.2", "input.rate_hz=30")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("inhibition.rate_hz=10",), "inhibition.rate_hz=10.0: must be 0 with"),
        (("inhibition.g=0.05",), "inhibition.g=0.05: must be 0 with inhibition.n_synapses=0"),
        (("inhibition.E_in=-80",), "inhibition.E_in=-80.0: must be -70 with"),
        ((SONG, "inhibition.rate_hz=1001"), "inhibitory input rate must be <= 1000 Hz"),
        ((SONG, "inhibition.rate_hz=-1"), "inhibition.rate_hz=-1: inhibitory input rate must be"),
        ((SONG, "inhibition.g=-0.1"), "inhibition.g=-0.1: inhibitory conductance of one spike"),
        ((SONG, "inhibition.E_in=nan"), "inhibition.E_in=nan: inhibitory reversal potential must"),
        (
            (SONG, "inhibition.tau_in=1"),
            "simulation.dt=1.0: the time step must be < inhibition.tau",
        ),
        ((SONG, "inhibition.tau_in=0"), "inhibition.tau_in=0: inhibitory synaptic time constant"),
        ((SONG, "inhibition.n_synapses=1.5"), "number of inhibitory synapses must be a whole"),
        ((SONG, "inhibition.w=1"), "inhibition.w=1: unknown key"),
    ],
)
def test_what_is_not_allowed_is_refused(refused, overrides, message):
    """One line, exit code 2, nothing written."""
    assert message in refused(*overrides, "simulation.dt=1", "name=x")


def test_a_sweep_over_its_fields_and_choices(command, tmp_path):
    """Dimensions carry the section where the input has the word too, and both can be swept."""
    axes = ("inhibition.rate_hz=0,10", "input.rate_hz=20,30", "inhibition.n_synapses=50,100")
    assert command("-m", *SHORT[:3], *axes, "inhibition.g=0.05", "name=x").code == 0
    with xr.open_dataset(tmp_path / "outputs" / "x" / "results.nc") as dataset:
        assert dataset["output_rate"].sizes == {
            "inhibition_rate_hz": 2, "rate_hz": 2, "inhibition_n_synapses": 2,
        }  # fmt: skip
        assert dataset["inhibition_rate_hz"].attrs["config_key"] == "inhibition.rate_hz"
        assert dataset["inhibition_rate_hz"].attrs["units"] == "Hz"
        assert dataset["inhibition_rate_hz"].attrs["long_name"] == "inhibitory input rate"
        rates = dataset["output_rate"].sum("rate_hz")
        assert (rates.sel(inhibition_rate_hz=10) < rates.sel(inhibition_rate_hz=0)).all()
        assert parameter(dataset, "input.rate_hz").values.tolist() == [20, 30]


def test_a_choice_of_inhibition_is_an_axis(command, tmp_path):
    """None and Song's, in one file; the second is computed when it is asked for, the first kept."""
    assert command("-m", *SHORT, "inhibition=none", "name=x").code == 0
    ended = command("-m", *SHORT, f"{SONG.replace('=', '=none,')}", "name=x", "dry_run=true")
    assert "points: 2, 1 of them done" in ended.out
    assert command("-m", *SHORT, f"{SONG.replace('=', '=none,')}", "name=x").code == 0
    with xr.open_dataset(tmp_path / "outputs" / "x" / "results.nc") as dataset:
        assert dataset["inhibition"].values.tolist() == ["none", "song_miller_abbott_2000"]
        assert parameter(dataset, "inhibition.n_synapses").values.tolist() == [0, 200]
        none, inhibited = dataset["output_rate"].values.tolist()
        assert inhibited < none


def test_keys_of_points_without_it_are_those_of_configurations_that_do_not_know_it():
    """Of a point, and of the seed of its input under a seed policy of its own."""
    configuration = pipeline.configure(*SHORT, "input.seed_policy=independent")
    earlier = configuration.to_mapping()
    del earlier["inhibition"]
    read = Configuration.from_mapping(earlier)
    assert read == configuration
    assert Grid(earlier).keys[0] == Grid(configuration).keys[0]
    assert "inhibition" not in Grid(configuration)._factory._section_text("inhibition", ())
    inhibited = pipeline.configure(*SHORT, "input.seed_policy=independent", SONG)
    assert inhibited.input_seed != configuration.input_seed


def state_of(second, first):
    """Return the state from which a simulation goes on."""
    return phase_from(second, first).start.state


def test_phases_with_other_inhibition():
    """The same goes on; none has no conductance; another takes it over, and unused numbers."""
    kept = (*SHORT, "record.state=true")
    inhibited = pipeline.configure(*kept, SONG)
    first = pipeline.simulate(inhibited)
    end = EndState.from_bytes(np.asarray(first["state"].values, np.uint8).tobytes())
    assert end.g_in > 0
    assert end.n_inhibitory > 500
    same = state_of(inhibited, first)
    assert (same.g_in, same.n_inhibitory) == (end.g_in, end.n_inhibitory)
    assert same.next_inhibitory_cell == end.next_inhibitory_cell
    none = state_of(pipeline.configure(*kept), first)
    assert (none.g_in, none.n_inhibitory, none.next_inhibitory_cell) == (0, 0, 0)
    other = state_of(pipeline.configure(*kept, SONG, "inhibition.n_synapses=100"), first)
    assert (other.g_in, other.n_inhibitory) == (end.g_in, end.n_inhibitory + 1)
    assert other.next_inhibitory_cell == end.step * 100
    begun = pipeline.simulate(pipeline.configure(*kept))
    assert state_of(inhibited, begun).next_inhibitory_cell == (500 - 1) * 200


def test_two_phases_are_one_run():
    """With inhibition too: the second goes on where the first ended, on the end state alone."""
    configuration = pipeline.configure(*SHORT, SONG, "record.state=true", "record.spike_times=true")
    first = pipeline.simulate(configuration)
    second = pipeline.simulate(configuration, state=first)
    whole = pipeline.simulate(configuration.replaced({"simulation.duration": 999.0}))
    np.testing.assert_array_equal(second["weight"], whole["weight"])
    spikes = np.concatenate([first["spike_time"], second["spike_time"].values + 499])
    np.testing.assert_array_equal(spikes, whole["spike_time"])
    assert json.loads(second.attrs["earlier"])[0]["configuration"]["inhibition"]["g"] == 0.05


def test_a_longer_run_goes_on_from_a_shorter_one(command, tmp_path):
    """With end states kept: equal to a run of that length from the beginning."""
    run = (*SHORT[1:], SONG, "record=history", "record.weight_interval=100")
    assert command(*run, "simulation.duration=500", "name=x").code == 0
    assert command(*run, "simulation.duration=1000", "name=x").code == 0
    assert command(*run, "simulation.duration=1000", "name=y").code == 0
    grown, whole = (xr.open_dataset(tmp_path / "outputs" / n / "results.nc") for n in "xy")
    with grown, whole:
        np.testing.assert_array_equal(grown["weight_history"], whole["weight_history"])
        assert grown["spike_count"] == whole["spike_count"]
