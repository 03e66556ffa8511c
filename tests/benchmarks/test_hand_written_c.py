"""The program in C that `make bench` compares with computes the same model, by the same law."""

import numpy as np
import pytest

import pipeline
from pipeline.model import reference
from tests.benchmarks.hand_written_c import Program
from tests.support.peers import AbsentError

SONG = tuple(f"{group}=song_abbott_2001" for group in ("neuron", "synapse", "stdp", "input"))

#: From a step in which all synapses spike to one output spike in four steps.
CASES = {
    "demo_2": ("simulation.duration=20000",),
    "fine_step": ("simulation.dt=0.1", "simulation.duration=10000", "synapse.g_max=0.05"),
    "song_abbott": (*SONG, "simulation.dt=0.1", "simulation.duration=5000"),
    "many_output_spikes": ("synapse.g_max=1", "simulation.duration=2000", "stdp.tau_minus=100"),
    "every_cell": ("input.rate_hz=1000", "input.n_synapses=30", "simulation.duration=500"),
    "short_trace": ("stdp.tau_plus=1.01", "simulation.duration=5000"),
    "one_synapse": ("input.n_synapses=1", "synapse.g_max=9", "simulation.duration=20000"),
}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Compile the program."""
    try:
        return Program(tmp_path_factory.mktemp("c"))
    except AbsentError as error:
        pytest.skip(reason=str(error))


@pytest.mark.parametrize("name", CASES)
def test_the_model_is_that_of_the_reference(program, name):
    """On the events that it draws, its output spikes and weights are those of the reference."""
    configuration = pipeline.configure(*CASES[name])
    _, weight, spike_step = program.run(configuration, capacity=10_000)
    recording = reference.run(configuration, iter([program.input_events(configuration)]))
    assert spike_step.size > 5
    np.testing.assert_array_equal(spike_step, recording.spike_step)
    np.testing.assert_allclose(weight, recording.weight, rtol=0, atol=1e-10)


def test_the_input_is_bernoulli(program):
    """Gaps between its events are geometric: mean, second moment and share of adjacent cells."""
    configuration = pipeline.configure("input.rate_hz=40", "simulation.duration=200000")
    gap = np.diff(program.input_events(configuration))
    p = configuration.input.spike_probability(1.0)
    for measured, law in (
        (gap, 1 / p),
        (gap.astype(float) ** 2, (2 - p) / p**2),
        (gap == 1, p),
    ):
        error = measured.std() / np.sqrt(gap.size)
        assert abs(measured.mean() - law) < 4 * error
    np.testing.assert_allclose(np.corrcoef(gap[1:], gap[:-1])[0, 1], 0, atol=4 / gap.size**0.5)
