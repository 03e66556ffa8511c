"""Runs that go on from the state of a shorter one, against undivided runs."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engine import compiled
from pipeline.model import reference
from pipeline.model.inputs import PROCESSES
from pipeline.model.integration import run_to_end
from pipeline.model.parameters import Configuration
from pipeline.model.state import UNKNOWN, EndState
from tests.pipeline.engine.test_compiled import TOLERANCE, assert_identical, configurations
from tests.pipeline.engine.test_own_rules import configuration_of
from tests.support import toy_rules
from tests.support.unlike_rules import registered

RULE_CLASSES = {
    cls.name: name
    for name, cls in vars(toy_rules).items()
    if getattr(cls, "name", None) in toy_rules.VALUES
}

ENGINES = {"compiled": compiled.run, "reference": reference.run}


def lasting(configuration: Configuration, n_steps: int) -> Configuration:
    """Return a configuration with the duration of some steps, its sampling interval kept."""
    if n_steps == configuration.simulation.n_steps:
        return configuration
    simulation, record = configuration.simulation, configuration.record
    duration = n_steps * simulation.dt
    if record.weight_interval is not None and record.weight_interval > duration:
        record = dataclasses.replace(record, weight_interval=None)
    simulation = dataclasses.replace(simulation, duration=duration)
    return dataclasses.replace(configuration, simulation=simulation, record=record)


def keeping_state(integration, configuration):
    """Run to the end, and keep the state, as bytes and back."""
    recording = run_to_end(integration, configuration)
    state = EndState.from_bytes(integration.state().to_bytes())
    return dataclasses.replace(recording, state=state)


def in_parts(configuration, cuts, engines, events=lambda: None):
    """Return the recording of a run that was cut after some steps, with its whole history."""
    n_steps = configuration.simulation.n_steps
    start, history, sampled = None, [], 0
    for stop, engine in zip([*cuts, n_steps], engines, strict=True):
        part = lasting(configuration, stop)
        run = ENGINES[engine](part, events(), None, start, keeping_state)
        # The sample after the last step of a part is taken again by the next one.
        kept = len(part.sample_steps()) - len(run.weight_history)
        history = [*history[:kept], *run.weight_history]
        assert len(history) == len(part.sample_steps())
        start, sampled = run.state, len(history)
    shape = (sampled, configuration.input.n_synapses)
    return dataclasses.replace(run, weight_history=np.reshape(history, shape))


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=100, deadline=None, derandomize=True)
@given(configurations(), st.floats(0, 1), st.floats(0, 1))
def test_a_run_cut_in_three_is_the_undivided_one(engine, configuration, first, second):
    """Every bit of spikes, weights, history, potential and largest conductance."""
    n_steps = configuration.simulation.n_steps
    cuts = sorted(max(1, round(share * n_steps)) for share in (first, second))
    whole = ENGINES[engine](configuration)
    assert_identical(in_parts(configuration, cuts, [engine] * 3), whole)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(configurations(), st.floats(0, 1), st.permutations([*ENGINES]))
def test_either_engine_goes_on_from_the_other(configuration, share, engines):
    """Equal spikes and weights within 1e-10, as of undivided runs."""
    cut = max(1, round(share * configuration.simulation.n_steps))
    got, expected = in_parts(configuration, [cut], engines), reference.run(configuration)
    np.testing.assert_array_equal(got.spike_step, expected.spike_step)
    np.testing.assert_allclose(got.weight, expected.weight, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(got.weight_history, expected.weight_history, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rule", [*toy_rules.VALUES])
def test_traces_of_any_kind_are_in_the_state(engine, rule):
    """Rules with several traces on a side or none, set or added to, read before or after."""
    with registered(getattr(toy_rules, RULE_CLASSES[rule])):
        configuration = configuration_of(rule)
        whole = ENGINES[engine](configuration)
        assert whole.spike_step.size > 5
        assert_identical(in_parts(configuration, [1, 1311], [engine] * 3), whole)


@pytest.mark.parametrize("engine", ENGINES)
def test_given_events_go_on_where_they_were(engine, configure):
    """Events before the state are left out; drawn ones follow given ones, from the same stream."""
    configuration = configure()
    whole = ENGINES[engine](configuration)

    def events():
        return iter([np.concatenate(list(configuration.input_events()))])

    part = ENGINES[engine](lasting(configuration, 300), events(), None, None, keeping_state)
    assert part.state.n_events == UNKNOWN
    assert_identical(ENGINES[engine](configuration, None, None, part.state), whole)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_process_of_its_own_stream_is_drawn_again(engine):
    """Its events from the beginning, without those before the state."""
    PROCESSES.register(toy_rules.Regular)
    try:
        with registered(toy_rules.SoftOrHard):
            configuration = configuration_of("toy_branch", "toy_regular")
            whole = ENGINES[engine](configuration)
            assert whole.spike_step.size > 5
            assert_identical(in_parts(configuration, [1, 777], [engine] * 3), whole)
    finally:
        PROCESSES.unregister("toy_regular")


def test_a_state_says_how_many_events_there_were(configure):
    """Both engines count those before the last step, however far ahead they draw."""
    configuration = configure()
    events = np.concatenate(list(configuration.input_events()))
    last = (configuration.simulation.n_steps - 1) * configuration.input.n_synapses
    before = events[events < last]
    for run in ENGINES.values():
        state = run(configuration, None, None, None, keeping_state).state
        assert (state.n_events, state.next_cell) == (before.size, before[-1] + 1)


def test_rare_events_far_beyond_the_end(configure):
    """Where the next event is long after the end of a part, it comes when it would have come."""
    configuration = configure("input.rate_hz=0.03", "simulation.duration=5000")
    assert 2 < np.concatenate(list(configuration.input_events())).size < 12
    for engine in ENGINES:
        whole = ENGINES[engine](configuration)
        for cut in (1, 77, 2_000, 4_999):
            assert_identical(in_parts(configuration, [cut], [engine] * 2), whole)


def test_a_state_as_bytes(configure):
    """Comes back equal, at one to two bytes per spike beside weights and traces."""
    run = compiled.run(configure("simulation.duration=5000"), None, None, None, keeping_state)
    state = run.state.with_samples(np.arange(6.0).reshape(2, 3))
    content = state.to_bytes()
    again = EndState.from_bytes(content)
    for field in dataclasses.fields(EndState):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(state, field.name))
    n = state.weight.size
    assert state.spike_step.size > 50
    assert len(content) < 8 * (12 + 3 + 2 * n + 1 + 6) + 2 * state.spike_step.size + 1
    with pytest.raises(ValueError, match="state of version 9, and this is version 3"):
        EndState.from_bytes((9).to_bytes(8, "little") + content[8:])
