"""Homeostatic scaling: closed forms of weights and rate, both engines, runs that go on."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.engine import compiled
from pipeline.model import reference
from tests.pipeline.engine.test_compiled import (
    TOLERANCE,
    assert_identical,
    assert_same_run,
    configurations,
)
from tests.pipeline.engine.test_state import ENGINES, in_parts, keeping_state

FROZEN = ("stdp.A_plus=0", "stdp.A_minus=0")


@st.composite
def scaled(draw):
    """Draw a run as `configurations` does, with scalings every few steps or hardly any."""
    configuration = draw(configurations())
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_steps, dt = configuration.simulation.n_steps, configuration.simulation.dt
    every = min(n_steps, draw(st.sampled_from([1, 2, 30, n_steps]) | st.integers(1, 100)))
    synapse = dataclasses.replace(
        configuration.synapse,
        scaling_target=float(draw(st.sampled_from([0.0, random.uniform(0, 200)]))),
        scaling_gain=float(random.uniform(0, 1)),
        scaling_interval=every * dt,
        tau_scaling=float(random.uniform(1, 1000)),
    )
    return dataclasses.replace(configuration, synapse=synapse)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(scaled())
def test_engines_agree_on_generated_configurations(configuration):
    """Equal spikes, weights within 1e-10, at the samples too."""
    assert_same_run(configuration)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(scaled(), st.floats(0, 1), st.floats(0, 1))
def test_a_run_cut_in_three_is_the_undivided_one(engine, configuration, first, second):
    """Every bit: the state has the estimate of the rate, and a scaling is done once."""
    n_steps, dt = configuration.simulation.n_steps, configuration.simulation.dt
    shortest = round(configuration.synapse.scaling_interval / dt)  # which is allowed
    cuts = sorted(max(shortest, round(share * n_steps)) for share in (first, second))
    whole = ENGINES[engine](configuration)
    assert_identical(in_parts(configuration, cuts, [engine] * 3), whole)


@pytest.mark.parametrize("cut", [99, 100, 101, 102, 150, 200, 201])
def test_cuts_around_a_scaling(cut):
    """Every 100 steps: before, at and after the step in which weights are scaled."""
    configuration = pipeline.configure(
        "input.rate_hz=40", "simulation.duration=1000", "synapse.scaling_target=20",
        "synapse.scaling_gain=0.01", "synapse.scaling_interval=100", "synapse.tau_scaling=300",
    )  # fmt: skip
    whole = compiled.run(configuration)
    assert whole.spike_step.size > 20
    cuts = [max(100, cut), max(100, cut) + 1]
    assert_identical(in_parts(configuration, cuts, ["compiled"] * 3), whole)
    got = in_parts(configuration, cuts, ["reference", "compiled", "reference"])
    np.testing.assert_array_equal(got.spike_step, whole.spike_step)
    np.testing.assert_allclose(got.weight, whole.weight, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("engine", ENGINES)
def test_weights_of_a_silent_neuron_grow_as_the_estimate_decays(engine):
    """To w_init exp(gain target sum (1 - q^m) interval), which clips at 1; ratios stay."""
    silent = (
        "synapse.g_max=0", *FROZEN, "synapse.w_init=0.3", "synapse.w_init_spread=0.1",
        "synapse.scaling_target=10", "synapse.scaling_gain=0.04", "synapse.scaling_interval=200",
        "synapse.tau_scaling=1000", "simulation.dt=1", "input.n_synapses=50",
    )  # fmt: skip
    configuration = pipeline.configure(*silent, "simulation.duration=2000")
    q = math.exp(-0.2)
    exponent = 0.04 * 10 * 0.2 * sum(1 - q**m for m in range(1, 10))  # none after the last step
    start = pipeline.simulate(configuration)["initial_weight"].values
    weight = ENGINES[engine](configuration).weight
    np.testing.assert_allclose(weight, start * math.exp(exponent), rtol=1e-12)
    later = ENGINES[engine](pipeline.configure(*silent, "simulation.duration=20000"))
    assert (later.weight == 1).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_an_output_at_the_target_leaves_weights_alone(engine):
    """Of prescribed spikes at 50 Hz; at 100 Hz they shrink by the closed form."""
    configuration = pipeline.configure(
        *FROZEN, "synapse.scaling_target=50", "synapse.scaling_interval=200", "simulation.dt=1",
        "simulation.duration=2000", "synapse.scaling_gain=0.001", "synapse.tau_scaling=500",
        "input.n_synapses=2",
    )  # fmt: skip
    w_init, q = configuration.synapse.w_init, math.exp(-0.4)
    on_target = ENGINES[engine](configuration, output_steps=np.arange(10, 1999, 20))
    np.testing.assert_allclose(on_target.weight, w_init, rtol=1e-12)
    above = ENGINES[engine](configuration, output_steps=np.arange(5, 1999, 10))
    excess = sum(50 * (1 - q**m) for m in range(1, 10))
    np.testing.assert_allclose(above.weight, w_init * math.exp(-0.001 * excess * 0.2), rtol=1e-12)


@pytest.mark.parametrize("target", [5, 20, 40])
def test_the_output_rate_tends_to_the_target(target):
    """Without plasticity, from a rate of 7 Hz: within 5 % over the last 100 s of 200."""
    configuration = pipeline.configure(
        *FROZEN, f"synapse.scaling_target={target}", "synapse.scaling_gain=0.005",
        "synapse.tau_scaling=5000", "simulation.duration=200000",
    )  # fmt: skip
    spikes = compiled.run(configuration).spike_step
    assert np.count_nonzero(spikes > 100_000) / 100 == pytest.approx(target, rel=0.05)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_gain_of_zero_is_no_scaling(engine):
    """Bit by bit: weights are multiplied by 1."""
    run = ("input.rate_hz=25", "simulation.duration=2000")
    plain = ENGINES[engine](pipeline.configure(*run))
    idle = ENGINES[engine](
        pipeline.configure(
            *run, "synapse.scaling_target=3", "synapse.scaling_gain=0",
            "synapse.scaling_interval=10",
        )
    )  # fmt: skip
    assert plain.spike_step.size > 100
    assert_identical(idle, plain)


def test_the_estimate_is_in_the_state():
    """Both engines keep it: that of the scalings before the last step."""
    configuration = pipeline.configure(
        "input.rate_hz=40", "simulation.duration=301", "synapse.scaling_target=20",
        "synapse.scaling_interval=100", "synapse.tau_scaling=300", "simulation.dt=1",
    )  # fmt: skip
    q = math.exp(-1 / 3)
    for run in (compiled.run, reference.run):
        recording = run(configuration, drive=keeping_state)
        counts = np.histogram(recording.spike_step, [0, 100, 200])[0]
        rate = 20.0
        for count in counts:
            rate = rate * q + (1 - q) * count / 0.1
        assert counts.min() > 0
        assert recording.state.rate_estimate == pytest.approx(rate, rel=1e-12)
