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
from pipeline.model.noise import noise_of_steps
from tests.support.contents import random_events
from tests.support.notebook_algorithm import parameters_of
from tests.support.peers import SCRIPTS, AbsentError, answer, interpreter

pytestmark = pytest.mark.long

SONG_GROUPS = ("neuron", "synapse", "stdp", "input")
SONG = tuple(f"{group}=song_abbott_2001" for group in SONG_GROUPS)

#: Events at times between steps, unordered within a step; in the folder of the cases.
GIVEN = "given.npz"

#: Overrides of Demo 2 (300 synapses, dt 1 ms), with the duration [ms].
CASES = {
    "demo_2_15hz": ("simulation.duration=120000",),
    "demo_2_40hz": ("input.rate_hz=40", "simulation.duration=120000"),
    "demo_2_fine_step": ("simulation.dt=0.1", "simulation.duration=20000"),
    "song_abbott": (*SONG, "simulation.dt=0.1", "simulation.duration=10000"),
    "song_2000": (
        *(f"{group}=song_miller_abbott_2000" for group in (*SONG_GROUPS, "inhibition")),
        *("input.rate_hz=20", "simulation.dt=0.1", "simulation.duration=10000"),
    ),
    "long_ltd_window": (
        "stdp.tau_minus=100",
        "stdp.ltd_ratio=0.21",
        "simulation.duration=60000",
    ),
    **{
        name: ("input.rate_hz=25", "simulation.duration=20000", *overrides)
        for name, overrides in {
            "nearest": ("stdp.pairing=nearest", "stdp.ltd_ratio=2"),
            "ltp_only": ("stdp.coincidence=ltp_only",),
            "neither": ("stdp.coincidence=neither",),
            "nearest_neither": (
                "stdp.pairing=nearest",
                "stdp.coincidence=neither",
                "stdp.ltd_ratio=2",
            ),
            "multiplicative": ("stdp=multiplicative",),
            "van_rossum": ("stdp=van_rossum",),
            "gutig": ("stdp=gutig", "stdp.mu_plus=0.3", "stdp.mu_minus=0.8"),
            "power_law": ("stdp=power_law",),
            "log_stdp": ("stdp=log_stdp",),
            "anti_hebbian": ("stdp=anti_hebbian",),
            "symmetric": (
                *("stdp=symmetric", "stdp.A_plus=0.002", "stdp.A_minus=-0.001"),
                *("stdp.w_in=-0.003", "stdp.w_out=-0.0005", "simulation.duration=3000"),
            ),
            "triplet": ("stdp=triplet", "stdp.A2_minus=0.02"),
            "triplet_nearest": ("stdp=triplet_nearest", "stdp.A3_plus=0.01"),
            "given_events": ("input=file", "input.rate_hz=null", f"input.file={GIVEN}"),
            "inhibition": ("inhibition=song_miller_abbott_2000", "input.rate_hz=30"),
            "inhibition_triplet": (
                *("stdp=triplet_nearest", "stdp.A3_plus=0.01", "inhibition.n_synapses=50"),
                *("inhibition.rate_hz=20", "inhibition.g=0.02", "inhibition.E_in=-80"),
            ),
            "axonal_delay": ("synapse.axonal_delay=7",),
            "dendritic_delay": ("synapse.dendritic_delay=3",),
            "both_delays": (
                *("synapse.axonal_delay=1.5", "synapse.dendritic_delay=15", "simulation.dt=0.5"),
                *("stdp=triplet_nearest", "stdp.A3_plus=0.01"),
            ),
            "noise": ("neuron.noise=3",),
            "adaptive_threshold": ("neuron.theta_plus=0.5", "neuron.tau_theta=200"),
            "all_features": (
                *("inhibition=song_miller_abbott_2000", "input.rate_hz=35", "stdp=multiplicative"),
                *("synapse.axonal_delay=2", "synapse.dendritic_delay=5", "neuron.noise=2"),
                *("neuron.theta_plus=0.2", "neuron.tau_theta=500"),
            ),
        }.items()
    },
}

ENGINES = {"compiled": compiled.run, "reference": reference.run}

#: Sums in another order: rounding errors, which no threshold test turns into another spike.
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of the cases, and their configurations by name."""
    folder = tmp_path_factory.mktemp("brian2")
    times, synapses = random_events(1, n_synapses=300, duration=20_000, p=0.025)
    jitter = 0.4 * np.random.default_rng(2).uniform(size=20_000)[times.astype(int)]
    np.savez(folder / GIVEN, times=times + jitter, synapses=synapses)
    placed = {
        name: [one.replace(GIVEN, str(folder / GIVEN)) for one in case]
        for name, case in CASES.items()
    }
    return folder, {name: pipeline.configure(*case) for name, case in placed.items()}


@pytest.fixture(scope="module")
def in_brian2(made):
    """Run all cases in Brian2; return the spike steps and the final weights of a case."""
    try:
        python = interpreter("brian2")
    except AbsentError as error:
        pytest.skip(reason=f"Brian2 is {error}")
    folder, configurations = made
    for name, configuration in configurations.items():
        # As they are sent: the delay is Brian2's.
        sent = configuration.replaced({"synapse.axonal_delay": 0.0})
        np.save(folder / f"{name}_events.npy", np.concatenate([*sent.input_events()]))
        n_steps = configuration.simulation.n_steps
        np.save(folder / f"{name}_noise.npy", noise_of_steps(configuration, 0, n_steps))
        np.save(folder / f"{name}_inhibitory.npy", inhibitory_cells(configuration))
    parameters = {name: parameters_of(one) for name, one in configurations.items()}
    (folder / "cases.json").write_text(json.dumps(parameters))
    answer([python, SCRIPTS / "brian2_given.py", folder])
    return lambda name: tuple(
        np.load(folder / f"{name}_{what}.npy") for what in ("spikes", "weights")
    )


def inhibitory_cells(configuration):
    """Return the inhibitory spikes of a run: cells of the lattice of steps and synapses."""
    n_cells = configuration.simulation.n_steps * configuration.inhibition.n_synapses
    if not n_cells:
        return np.empty(0, dtype=np.int64)
    chunks = []
    for chunk in configuration.inhibitory_events():
        chunks.append(chunk[chunk < n_cells])
        if chunk.size > chunks[-1].size:
            break
    return np.concatenate(chunks)


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
