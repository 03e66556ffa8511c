"""Axonal and dendritic delays: both engines alike, runs that go on, and shifts of known runs."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.engine import compiled, constants
from pipeline.model import reference
from tests.pipeline.engine.test_compiled import (
    TOLERANCE,
    assert_identical,
    assert_same_run,
    configurations,
)
from tests.pipeline.engine.test_state import ENGINES, in_parts

#: A run with some 60 output spikes in 2 s, without an input spike in step 0.
DRIVEN = (
    *("input.rate_hz=40", "input.n_synapses=40", "synapse.g_max=0.15", "seed=6"),
    "simulation.duration=2000",
)


@st.composite
def delayed(draw):
    """Draw a run as `configurations` does, with either delay up to the end of the run."""
    configuration = draw(configurations())
    n_steps, dt = configuration.simulation.n_steps, configuration.simulation.dt
    longest = max(0, n_steps - 1)
    steps = [
        min(longest, draw(st.sampled_from([0, 1, 2, 3, 20, 100]) | st.integers(0, longest)))
        for _ in range(2)
    ]
    axonal, dendritic = (count * dt for count in steps)
    synapse = dataclasses.replace(
        configuration.synapse, axonal_delay=axonal, dendritic_delay=dendritic
    )
    return dataclasses.replace(configuration, synapse=synapse)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(delayed())
def test_engines_agree_on_generated_configurations(configuration):
    """At delays from none to the whole run; several output spikes are on their way at once."""
    assert_same_run(configuration)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(delayed(), st.sampled_from([2, 16, 128]), st.sampled_from([1, 40, 1024]))
def test_blocks_of_one_step_give_the_same_to_the_last_bit(configuration, longest, drawn):
    """So the input of a block may be received ahead of the membrane."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "_LONGEST_BLOCK", 1)
        plain = compiled.run(configuration)
        patch.setattr(constants, "_LONGEST_BLOCK", longest)
        patch.setattr(compiled, "_DRAWN", drawn)
        assert_identical(compiled.run(configuration), plain)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(delayed(), st.floats(0, 1), st.floats(0, 1))
def test_a_run_cut_in_three_is_the_undivided_one(engine, configuration, first, second):
    """Every bit: the state knows the spikes that are on their way."""
    n_steps, synapse = configuration.simulation.n_steps, configuration.synapse
    shortest = max(synapse.delay_steps(configuration.simulation.dt)) + 1  # which is allowed
    cuts = sorted(max(shortest, round(share * n_steps)) for share in (first, second))
    whole = ENGINES[engine](configuration)
    assert_identical(in_parts(configuration, cuts, [engine] * 3), whole)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(delayed(), st.floats(0, 1), st.permutations([*ENGINES]))
def test_either_engine_goes_on_from_the_other(configuration, share, engines):
    """Equal spikes and weights within 1e-10, as of undivided runs."""
    synapse, simulation = configuration.synapse, configuration.simulation
    shortest = max(synapse.delay_steps(simulation.dt)) + 1
    cut = max(shortest, round(share * simulation.n_steps))
    got, expected = in_parts(configuration, [cut], engines), reference.run(configuration)
    np.testing.assert_array_equal(got.spike_step, expected.spike_step)
    np.testing.assert_allclose(got.weight, expected.weight, rtol=0, atol=TOLERANCE)


def test_generated_delays_act():
    """Some change the weights of a run that fires, so that the comparison is meaningful."""
    seen = []

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(delayed())
    def collect(configuration):
        synapse = dataclasses.replace(configuration.synapse, dendritic_delay=0.0)
        runs = [compiled.run(one) for one in (
            configuration, dataclasses.replace(configuration, synapse=synapse)
        )]  # fmt: skip
        fires = runs[0].spike_step.size > 1
        seen.append((fires, not np.array_equal(runs[0].weight, runs[1].weight)))

    collect()
    assert (np.mean(seen, axis=0) > (0.2, 0.1)).all(), np.mean(seen, axis=0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("delay", [1, 37])
def test_an_axonal_delay_alone_shifts_the_run(engine, delay):
    """From rest: the same spikes and weights, so much later, in a run that is so much longer."""
    rest = (*DRIVEN, "neuron.V_init=-75")
    assert next(pipeline.configure(*rest).input_events())[0] >= 40  # a spike in step 0 is no other
    plain = ENGINES[engine](pipeline.configure(*rest))
    later = ENGINES[engine](
        pipeline.configure(
            *rest, f"synapse.axonal_delay={delay}", f"simulation.duration={2000 + delay}"
        )
    )
    assert plain.spike_step.size > 50
    np.testing.assert_array_equal(later.spike_step, plain.spike_step + delay)
    np.testing.assert_allclose(later.weight, plain.weight, rtol=0, atol=TOLERANCE)


def changes_of_pairs(engine, differences, *overrides):
    """Return the weight changes by one isolated pair each, at some t_post - t_pre [ms]."""
    usual = (
        "input=pairing_protocol", "input.n_synapses=2", "input.n_pairs=1", "input.rate_hz=1",
        "synapse.w_init=0.5", "simulation.duration=300", "simulation.dt=0.5", *overrides,
    )  # fmt: skip
    base = pipeline.configure(*usual, "input.post_minus_pre=0")
    return [
        ENGINES[engine](base.replaced({"input.post_minus_pre": d})).weight[0] - 0.5
        for d in differences
    ]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("axonal", "dendritic"), [(12, 0), (0, 12), (3.5, 10), (8, 8)])
def test_delays_shift_the_window(engine, axonal, dendritic):
    """By the axonal minus the dendritic one: what counts is the difference at the synapse."""
    differences = np.array([-40, -12.5, -6.5, -0.5, 0, 4.5, 12, 50])
    delays = (f"synapse.axonal_delay={axonal}", f"synapse.dendritic_delay={dendritic}")
    shifted = changes_of_pairs(engine, differences + axonal - dendritic, *delays)
    plain = changes_of_pairs(engine, differences)
    assert np.count_nonzero(plain) == len(plain)
    np.testing.assert_allclose(shifted, plain, rtol=0, atol=1e-13)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_dendritic_delay_leaves_the_neuron_alone(engine):
    """Without plasticity spikes are the same; the reset and the input do not wait."""
    frozen = (*DRIVEN, "stdp.A_plus=0", "stdp.A_minus=0")
    plain = ENGINES[engine](pipeline.configure(*frozen))
    delayed_run = ENGINES[engine](pipeline.configure(*frozen, "synapse.dendritic_delay=5"))
    assert plain.spike_step.size > 50
    np.testing.assert_array_equal(delayed_run.spike_step, plain.spike_step)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_spike_that_would_arrive_after_the_end_changes_no_weight(engine):
    """Of one pair with the output spike last: it is on its way when the run ends."""
    late = ("synapse.dendritic_delay=100", "simulation.duration=100.5")
    assert changes_of_pairs(engine, [5], *late) == [0]
    assert changes_of_pairs(engine, [5], "simulation.duration=100.5") > [0]


def test_engines_agree_after_a_long_run():
    """8 s at dt 0.1 ms with both delays: rounding errors change no spike."""
    configuration = pipeline.configure(
        "input.rate_hz=25", "simulation.duration=8000", "simulation.dt=0.1",
        "synapse.axonal_delay=1.5", "synapse.dendritic_delay=3",
    )  # fmt: skip
    assert assert_same_run(configuration).spike_step.size > 80
