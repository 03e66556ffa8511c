"""Both engines against Brian2 on the same input events: equal output spikes, equal weights.

The model in Brian2 is `tests/benchmarks/peers/brian2_given.py`. `make test-brian2` installs Brian2
in an environment of its own and runs these tests.
"""

import numpy as np
import pytest

import pipeline
from pipeline.engine import compiled
from pipeline.model import reference
from tests.compare.brian2 import run_in_brian2
from tests.compare.cases import (
    FEATURES,
    PROCESSES,
    RULES,
    SONG_2000,
    SONG_GROUPS,
    placed,
    write_given_events,
)
from tests.support.peers import AbsentError

pytestmark = pytest.mark.long

SONG = tuple(f"{group}=song_abbott_2001" for group in SONG_GROUPS)

#: Overrides of Demo 2 (300 synapses, dt 1 ms), with the duration [ms].
CASES = {
    "demo_2_15hz": ("simulation.duration=120000",),
    "demo_2_40hz": ("input.rate_hz=40", "simulation.duration=120000"),
    "demo_2_fine_step": ("simulation.dt=0.1", "simulation.duration=20000"),
    "song_abbott": (*SONG, "simulation.dt=0.1", "simulation.duration=10000"),
    "song_2000": (*SONG_2000, "simulation.duration=10000"),
    "long_ltd_window": (
        "stdp.tau_minus=100",
        "stdp.ltd_ratio=0.21",
        "simulation.duration=60000",
    ),
    **{
        name: ("input.rate_hz=25", "simulation.duration=20000", *overrides)
        for name, overrides in (RULES | FEATURES | {"given_events": PROCESSES["file"]}).items()
        if name != "additive"  # Demo 2
    },
}

ENGINES = {"compiled": compiled.run, "reference": reference.run}

#: Sums in another order: rounding errors, which no threshold test turns into another spike.
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of the cases, and their configurations by name."""
    folder = tmp_path_factory.mktemp("brian2")
    write_given_events(folder)
    return folder, {name: pipeline.configure(*placed(one, folder)) for name, one in CASES.items()}


@pytest.fixture(scope="module")
def in_brian2(made):
    """Run all cases in Brian2; return the spike steps and the final weights of a case."""
    try:
        runs, _ = run_in_brian2(*made)
    except AbsentError as error:
        pytest.skip(reason=f"Brian2 is {error}")
    return lambda name: (runs[name].spike_step, runs[name].weight)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CASES)
def test_spikes_and_weights_are_those_of_brian2(in_brian2, made, name, engine):
    """Given the same input, every output spike is in the same step and every weight the same."""
    spike_step, weights = in_brian2(name)
    recording = ENGINES[engine](made[1][name])
    assert spike_step.size > 100
    assert weights.std() > 0.01
    np.testing.assert_array_equal(recording.spike_step, spike_step)
    np.testing.assert_allclose(recording.weight, weights, rtol=0, atol=TOLERANCE)
