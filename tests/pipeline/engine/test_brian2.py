"""Both engines against Brian2 on the same input events: equal output spikes, equal weights.

The model in Brian2 is `tests/benchmarks/peers/brian2_given.py`. `make test-brian2` installs Brian2
in an environment of its own and runs these tests.
"""

import json

import numpy as np
import pytest

import pipeline
from pipeline.engine import compiled
from pipeline.model import reference
from tests.support.notebook_algorithm import parameters_of
from tests.support.peers import SCRIPTS, AbsentError, answer, interpreter

SONG = tuple(f"{group}=song_abbott_2001" for group in ("neuron", "synapse", "stdp", "input"))

#: Overrides of Demo 2 (300 synapses, dt 1 ms), with the duration [ms].
CASES = {
    "demo_2_15hz": ("simulation.duration=120000",),
    "demo_2_40hz": ("input.rate_hz=40", "simulation.duration=120000"),
    "demo_2_fine_step": ("simulation.dt=0.1", "simulation.duration=20000"),
    "song_abbott": (*SONG, "simulation.dt=0.1", "simulation.duration=10000"),
    "long_ltd_window": (
        "stdp.tau_minus=100",
        "stdp.ltd_ratio=0.21",
        "simulation.duration=60000",
    ),
}

ENGINES = {"compiled": compiled.run, "reference": reference.run}

#: Sums in another order: rounding errors, which no threshold test turns into another spike.
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def in_brian2(tmp_path_factory):
    """Run all cases in Brian2; return the spike steps and the final weights of a case."""
    try:
        python = interpreter("brian2")
    except AbsentError as error:
        pytest.skip(reason=f"Brian2 is {error}")
    folder = tmp_path_factory.mktemp("brian2")
    configurations = {name: pipeline.configure(*case) for name, case in CASES.items()}
    for name, configuration in configurations.items():
        np.save(folder / f"{name}_events.npy", np.concatenate([*configuration.input_events()]))
    parameters = {name: parameters_of(one) for name, one in configurations.items()}
    (folder / "cases.json").write_text(json.dumps(parameters))
    answer([python, SCRIPTS / "brian2_given.py", folder])
    return lambda name: tuple(
        np.load(folder / f"{name}_{what}.npy") for what in ("spikes", "weights")
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CASES)
def test_spikes_and_weights_are_those_of_brian2(in_brian2, name, engine):
    """Given the same input, every output spike is in the same step and every weight the same."""
    spike_step, weights = in_brian2(name)
    recording = ENGINES[engine](pipeline.configure(*CASES[name]))
    assert spike_step.size > 100
    assert weights.std() > 0.01
    np.testing.assert_array_equal(recording.spike_step, spike_step)
    np.testing.assert_allclose(recording.weight, weights, rtol=0, atol=TOLERANCE)
