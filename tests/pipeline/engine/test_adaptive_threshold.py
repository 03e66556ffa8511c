"""Adaptive threshold: rate at a constant drive, the recorded rise, and its limits."""

import math

import numpy as np
import pytest

import pipeline
from pipeline.engine import compiled
from pipeline.model import reference
from pipeline.model.state import EndState
from tests.pipeline.engine.test_compiled import assert_identical, assert_same_run
from tests.pipeline.engine.test_state import ENGINES, keeping_state

#: A constant drive: the leak alone takes the membrane above threshold.
DRIVEN = ("input.rate_hz=0", "input.n_synapses=1", "neuron.E_L=-40", "simulation.dt=0.01")


def interval_at(neuron):
    """Return the interval T between spikes [ms] at which drive and adaptation balance.

    From V_reset the membrane takes T - t_ref to the threshold V_th + theta, where theta is the
    sum of theta_plus exp(-j T / tau_theta) over all spikes before, j = 1, 2, ...; by bisection.
    """

    def excess(interval):
        q = math.exp(-interval / neuron.tau_theta)
        reached = neuron.E_L - (neuron.E_L - neuron.V_reset) * math.exp(
            -(interval - neuron.t_ref) / neuron.tau_m
        )
        return reached - neuron.V_th - neuron.theta_plus * q / (1 - q)

    low, high = neuron.t_ref, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if excess(middle) > 0 else (middle, high)
    return high


@pytest.mark.parametrize(("theta_plus", "tau_theta"), [(5, 20), (1, 100), (0.05, 2000)])
def test_the_interval_at_a_constant_drive(theta_plus, tau_theta):
    """The closed form, within two time steps; it grows from that without adaptation."""
    configuration = pipeline.configure(
        *DRIVEN, f"neuron.theta_plus={theta_plus}", f"neuron.tau_theta={tau_theta}",
        f"simulation.duration={10 * tau_theta + 500}",
    )  # fmt: skip
    intervals = np.diff(compiled.run(configuration).spike_step) * 0.01
    neuron = configuration.neuron
    first = neuron.t_ref + neuron.tau_m * math.log(35 / 15)
    expected = interval_at(neuron)
    assert expected > 1.1 * first
    assert intervals[0] < expected
    assert np.mean(intervals[-10:]) == pytest.approx(expected, abs=0.02)


def test_without_decay_the_neuron_falls_silent():
    """After as many spikes as take the threshold to the potential that the drive tends to."""
    configuration = pipeline.configure(
        *DRIVEN, "neuron.theta_plus=2", "neuron.tau_theta=1e9", "simulation.duration=1000"
    )
    assert compiled.run(configuration).spike_step.size == math.ceil(15 / 2)


def test_the_recorded_rise_is_that_of_the_spikes():
    """Theta jumps at each output spike and decays by (1 - dt/tau_theta); name and unit."""
    overrides = ("input.rate_hz=30", "simulation.duration=500", "record=everything")
    configuration = pipeline.configure(*overrides, "neuron.theta_plus=1.5", "neuron.tau_theta=50")
    recorded = pipeline.simulate(configuration)
    fired = set(np.rint(recorded["spike_time"].values).astype(int).tolist())
    theta, expected = 0.0, []
    for step in range(500):
        theta += 1.5 * (step in fired)
        expected.append(theta)
        theta *= 1 - 1 / 50
    assert len(fired) > 10
    np.testing.assert_allclose(recorded["theta"], expected, rtol=1e-6)
    assert recorded["theta"].attrs["units"] == "mV"
    assert "theta" not in pipeline.simulate(pipeline.configure(*overrides))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_rise_too_small_to_matter_is_none(engine):
    """Bit by bit: all that differs is which kernel computes it."""
    run = ("input.rate_hz=25", "simulation.duration=2000")
    adapting = ENGINES[engine](pipeline.configure(*run, "neuron.theta_plus=1e-200"))
    plain = ENGINES[engine](pipeline.configure(*run))
    assert plain.spike_step.size > 100
    assert_identical(adapting, plain)


def test_engines_agree_after_a_long_run():
    """8 s at Diehl & Cook's rise of 0.05 mV that hardly decays: no spike differs."""
    configuration = pipeline.configure(
        "neuron.theta_plus=0.05", "neuron.tau_theta=1e7", "simulation.duration=8000",
        "input.rate_hz=25", "simulation.dt=0.1",
    )  # fmt: skip
    assert assert_same_run(configuration).spike_step.size > 50


def test_the_rise_is_in_the_state():
    """Both engines keep it as bytes of version 3, which comes back equal; without it version 1."""
    configuration = pipeline.configure("neuron.theta_plus=1", "simulation.duration=500",
                                       "input.rate_hz=30")  # fmt: skip
    for run in (compiled.run, reference.run):
        state = run(configuration, drive=keeping_state).state
        content = state.to_bytes()
        assert int.from_bytes(content[:8], "little") == 3
        assert EndState.from_bytes(content).theta == state.theta > 0.5
        plain = configuration.replaced({"neuron.theta_plus": 0.0})
        content = run(plain, drive=keeping_state).state.to_bytes()
        assert int.from_bytes(content[:8], "little") == 1
        assert EndState.from_bytes(content).theta == 0
