"""Input spikes and correlograms of datasets that were cut in time."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis import LoadError
from analysis.measures.spike_trains import cross_correlation_histogram, input_spikes


@pytest.mark.parametrize("times", [slice(None), slice(20, None), slice(20, 70), slice(40, 41)])
def test_a_dataset_cut_in_time_has_the_spikes_of_the_whole(times):
    """One input spike at 40 ms, whose output spike follows: at lag -1 ms, cut or not."""
    spikes = np.zeros((1, 100))
    spikes[0, 40] = 1
    neuron = "input.n_synapses=1", "synapse.g_max=20", "synapse.w_init=0.9", "neuron.t_ref=50"
    grid = "simulation.duration=100", "simulation.dt=1", "stdp.A_plus=0", "record=everything"
    whole = pipeline.simulate(pipeline.configure(*neuron, *grid), spikes)
    cut = whole.sel(time=times)
    n_spikes = 0 if times == slice(40, 41) else 1  # in the first step it leaves no jump
    assert input_spikes(cut).sum() == n_spikes
    found = cross_correlation_histogram(cut, max_lag=30)
    assert found["lag"].values[found > 0].tolist() == [-1.0] * n_spikes
    assert found.sum() == n_spikes


@pytest.mark.parametrize("times", [slice(60, None), slice(None, 30)])
def test_output_spikes_that_were_cut_off_do_not_count(times):
    """No pair, and no error of shapes, where the time that is left has none."""
    base = pipeline.configure("simulation.duration=100", "record=everything")
    train = [20.0, 50.0] if times.start is None else [50.0, 95.0]
    dataset = pipeline.simulate(base)
    dataset = dataset.drop_dims("spike").assign(spike_time=("spike", train)).sel(time=times)
    kept = [t for t in train if dataset["time"][0] <= t <= dataset["time"][-1]]
    alone = dataset.drop_dims("spike").assign(spike_time=("spike", kept))
    xr.testing.assert_equal(
        cross_correlation_histogram(dataset), cross_correlation_histogram(alone)
    )
    assert len(kept) == 1


def test_thinned_time_steps_are_refused():
    """Every fifth step does not tell in which step an input spike was."""
    dataset = pipeline.simulate(pipeline.configure("simulation.duration=100", "record=everything"))
    with pytest.raises(LoadError, match="time: must be consecutive steps of simulation.dt"):
        input_spikes(dataset.isel(time=slice(None, None, 5)))
