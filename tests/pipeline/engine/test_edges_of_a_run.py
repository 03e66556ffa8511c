"""Start and end of a run, and the shortest interval between two output spikes."""

import numpy as np
import pytest

import pipeline

ENGINES = ("reference", "compiled")

#: A neuron that reaches threshold in every step in which it may.
DRIVEN = (
    "input.n_synapses=1", "input.rate_hz=1000", "synapse.g_max=900", "synapse.w_init=1",
    "stdp.A_plus=0", "simulation.dt=1", "simulation.duration=9.5", "neuron.t_ref=0",
)  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sample_after_the_end_is_not_taken(engine):
    """The tenth step ends at 10 ms, after the run of 9.5 ms: its only sample is that at 5 ms."""
    configuration = pipeline.configure(*DRIVEN, "record=history", "record.weight_interval=5")
    dataset = pipeline.simulate(configuration, engine=engine)
    assert dataset["sample_time"].values.tolist() == [5]
    assert dataset["weight_history"].shape == (1, 1)
    n_early = int((dataset["spike_time"] < 5).sum())
    assert n_early == 4  # the input spike of step 0 arrives at the threshold test of step 1
    assert dataset["rate_history"].values.tolist() == [1000 * n_early / 5]


def test_a_file_of_such_a_run_has_no_sample_after_the_end(command, tmp_path):
    """Swept with a whole duration, the shorter run ends with NaN where the longer has a sample."""
    import xarray as xr

    words = (*DRIVEN, "record.weight_interval=5", "name=x")
    swept = ["simulation.duration=9.5,10" if "duration" in word else word for word in words]
    assert command("-m", *swept).code == 0
    with xr.open_dataset(tmp_path / "outputs" / "x" / "results.nc") as dataset:
        assert dataset["sample_time"].values.tolist() == [5, 10]
        missing = dataset["weight_history"].isnull().squeeze("synapse")
        assert missing.values.tolist() == [[False, True], [False, False]]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("V_init", [-55, -54, 0])
def test_an_initial_potential_at_threshold_is_a_spike_at_step_0(engine, V_init):
    """Without any input, at the threshold of -55 mV and above; just below there is none."""
    silent = ("input.rate_hz=0", "record=history", "simulation.duration=1000")
    dataset = pipeline.simulate(
        pipeline.configure(*silent, f"neuron.V_init={V_init}"), engine=engine
    )
    assert dataset["spike_time"].values.tolist() == [0]
    below = pipeline.configure(*silent, "neuron.V_init=-55.001")
    assert pipeline.simulate(below, engine=engine)["spike_count"] == 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("t_ref", [0, 0.25, 2, 2.1])
def test_the_shortest_interval_is_the_refractory_period_and_a_step(engine, t_ref):
    """t_ref + dt, with t_ref rounded up to whole steps, of a neuron that is driven without end."""
    dt = 0.5
    strong = ("simulation.duration=100", f"simulation.dt={dt}", f"neuron.t_ref={t_ref}")
    configuration = pipeline.configure(*DRIVEN, *strong, "input.rate_hz=2000", "record=history",
                                       "record.weight_interval=10")  # fmt: skip
    dataset = pipeline.simulate(configuration, engine=engine)
    shortest = np.diff(dataset["spike_time"]).min()
    assert shortest == np.ceil(t_ref / dt) * dt + dt
