"""Prescribed output spikes: both engines, cut runs, and weights computed by hand."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.engine import compiled
from pipeline.model import reference
from pipeline.model.lattice import given_cells
from pipeline.model.state import EndState
from tests.pipeline.engine.test_compiled import TOLERANCE, assert_identical, configurations
from tests.pipeline.engine.test_own_rules import configuration_of
from tests.pipeline.engine.test_state import ENGINES, RULE_CLASSES, keeping_state, lasting
from tests.support import toy_rules
from tests.support.unlike_rules import registered

pytestmark = pytest.mark.long


def some_steps(n_steps, share, seed):
    """Return a random train of output steps, from 1 to before the last one."""
    steps = np.arange(1, max(1, n_steps - 1))
    return steps[np.random.default_rng(seed).random(steps.size) < share]


def assert_same_run(configuration, steps, events=None):
    """Both engines, and both loops, give the prescribed spikes and one set of weights."""

    def run(engine, **options):
        chunks = None if events is None else iter([events])
        return engine(configuration, chunks, output_steps=steps, **options)

    expected, got, plain = run(reference.run), run(compiled.run), run(compiled.run, in_blocks=False)
    assert_identical(got, plain)
    np.testing.assert_array_equal(got.spike_step, steps)
    np.testing.assert_array_equal(expected.spike_step, steps)
    np.testing.assert_allclose(got.weight, expected.weight, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(got.weight_history, expected.weight_history, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(got.v, expected.v, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(got.largest_g, expected.largest_g, rtol=1e-9, atol=1e-12)
    return expected


@settings(max_examples=150, deadline=None, derandomize=True)
@given(configurations(), st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]), st.integers(0, 2**32 - 1))
def test_engines_agree_on_any_output_spikes(configuration, share, seed):
    """For any parameters of the neuron, which fires nowhere else, and any recorded history."""
    assert_same_run(configuration, some_steps(configuration.simulation.n_steps, share, seed))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(configurations(), st.floats(0, 0.5), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_engines_agree_on_any_output_spikes_and_events(configuration, share, density, seed):
    """With a raster of input spikes beside the train of output spikes."""
    n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
    raster = np.random.default_rng(seed).random((n_synapses, n_steps)) < density
    (events,) = given_cells(raster, n_synapses, n_steps)
    assert_same_run(configuration, some_steps(n_steps, share, seed + 1), events)


@pytest.mark.parametrize("rule", [*toy_rules.VALUES])
def test_rules_with_traces_of_any_kind(rule):
    """Several on a side, set or added to, read before or after their jump."""
    with registered(getattr(toy_rules, RULE_CLASSES[rule])):
        recording = assert_same_run(configuration_of(rule), some_steps(2000, 0.03, 1))
    assert np.ptp(recording.weight_history) > 0.1


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(configurations(), st.sampled_from([0.01, 0.3, 1.0]), st.floats(0, 1), st.integers(0, 99))
def test_a_run_cut_in_two_is_the_undivided_one(engine, configuration, share, cut, seed):
    """Every bit of spikes, weights, potential and largest conductance; the state has no NaN."""
    n_steps = configuration.simulation.n_steps
    steps = some_steps(n_steps, share, seed)
    part = lasting(configuration, max(1, round(cut * n_steps)))
    first = ENGINES[engine](part, None, None, None, keeping_state, steps)
    assert np.isfinite(first.state.v)
    rest = dataclasses.replace(
        configuration, record=dataclasses.replace(configuration.record, weight_interval=None)
    )
    whole = ENGINES[engine](rest, output_steps=steps)
    assert_identical(ENGINES[engine](rest, None, None, first.state, output_steps=steps), whole)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_refractory_period_before_during_or_after(engine, configure):
    """Not of own spikes before them, not between them, nor for own spikes after them."""
    driven = configure("neuron.t_ref=50", "synapse.g_max=3", "stdp.A_plus=0")
    run = ENGINES[engine]
    own = run(lasting(driven, 200), None, None, None, keeping_state)
    assert own.state.free > own.state.step + 2
    steps = own.state.step + np.arange(1, 4)
    prescribed = run(lasting(driven, 205), None, None, own.state, keeping_state, steps)
    np.testing.assert_array_equal(prescribed.spike_step, [*own.spike_step, *steps])
    assert prescribed.state.free == steps[-1] + 1 <= prescribed.state.step
    after = run(lasting(driven, 300), None, None, prescribed.state)
    assert after.spike_step[prescribed.spike_step.size] < steps[-1] + 50


@pytest.mark.parametrize("engine", ENGINES)
def test_a_potential_beyond_all_bounds_fires_nowhere(engine):
    """An unstable integration reaches infinity and NaN: spikes are the prescribed ones alone."""
    configuration = pipeline.configure(
        "synapse.g_max=1000", "synapse.w_init=1", "input.rate_hz=1000", "stdp.A_minus=0",
        "synapse.tau_ex=1000", "neuron.V_th=900", "neuron.tau_m=1.1", "simulation.duration=300",
        "simulation.dt=1",
    )  # fmt: skip
    steps = np.array([1, 100, 298])
    potentials = []

    def watched(integration, configuration):
        for stop in (99, 100, 101, 299):
            integration.advance(stop)
            potentials.append(integration.state().v)
        return integration.recording(300)

    with np.errstate(all="ignore"):
        recording = ENGINES[engine](configuration, None, None, None, watched, steps)
    np.testing.assert_array_equal(recording.spike_step, steps)
    assert not np.isfinite(potentials[:2]).any()
    assert np.isfinite(potentials[2])  # reset in step 100


@pytest.mark.parametrize("engine", ENGINES)
def test_a_potential_that_is_no_number_is_reset(engine, configure):
    """NaN is not above any threshold, yet the prescribed spike is fired."""
    run = ENGINES[engine]
    state = run(lasting(configure(), 100), None, None, None, keeping_state, np.array([50])).state
    unknown = dataclasses.replace(state, v=np.nan)
    recording = run(lasting(configure(), 200), None, None, unknown, output_steps=np.array([120]))
    np.testing.assert_array_equal(recording.spike_step, [50, 120])
    assert np.isfinite(recording.v)


def test_the_state_of_either_engine_is_that_of_the_other(configure):
    """Before the next step, to rounding."""
    steps = some_steps(500, 0.05, 3)
    states = [
        run(configure(), None, None, None, keeping_state, steps).state for run in ENGINES.values()
    ]
    for name in ("step", "free", "n_events", "next_cell"):
        assert getattr(states[0], name) == getattr(states[1], name)
    np.testing.assert_allclose(states[0].v, states[1].v, rtol=1e-12)
    assert EndState.from_bytes(states[0].to_bytes()).spike_step.tolist() == steps.tolist()


def traces_by_hand(configuration, raster, steps):
    """Return the weights of the additive rule, by the sums over all pairs of spikes."""
    rule, dt, w = configuration.stdp.fields(), configuration.simulation.dt, 0.5
    q_plus, q_minus = 1 - dt / rule.tau_plus, 1 - dt / rule.tau_minus
    pre = [np.flatnonzero(row) for row in raster]
    for synapse in pre:
        total = w
        for step in range(raster.shape[1] - 1):
            if step in steps:
                before = synapse[(synapse <= step) & (synapse > 0)]
                total += rule.A_plus * (q_plus ** (step - before)).sum()
            if step in synapse:
                total -= rule.A_minus * (q_minus ** (step - steps[steps <= step])).sum()
        yield total


@pytest.mark.parametrize("engine", ENGINES)
def test_poisson_trains_change_weights_by_the_sum_over_pairs(engine):
    """Additive rule: each pair counts A q^lag, with q = 1 - dt/tau, coincidences on both sides."""
    configuration = pipeline.configure(
        "input.n_synapses=20", "simulation.duration=4000", "simulation.dt=0.5",
        "synapse.w_init=0.5", "stdp.A_plus=0.002", "stdp.tau_minus=35", "input.rate_hz=20",
    )  # fmt: skip
    cells = np.concatenate(list(configuration.input_events()))
    raster = np.zeros((20, 8000), dtype=bool)
    raster[cells % 20, cells // 20] = True
    steps = some_steps(8000, 0.01, 5)
    weights = ENGINES[engine](configuration, output_steps=steps).weight
    expected = [*traces_by_hand(configuration, raster, steps)]
    assert 0 < min(expected) < max(expected) < 1  # no weight was clipped at the end
    np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-12)
    assert np.ptp(expected) > 0.02
