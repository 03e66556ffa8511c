"""Fixed inhibition: both engines alike, runs that go on, its limits, and the law of its spikes."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.engine import compiled, constants
from pipeline.model import reference
from pipeline.model.inhibition import Inhibition
from pipeline.model.state import EndState
from tests.pipeline.engine.test_compiled import (
    TOLERANCE,
    assert_identical,
    assert_same_run,
    configurations,
)
from tests.pipeline.engine.test_state import ENGINES, in_parts, keeping_state

SONG = "inhibition=song_miller_abbott_2000"

#: A run with some 100 output spikes in 3 s, which inhibition holds down from twice as many.
INHIBITED = ("input.rate_hz=25", "simulation.duration=3000", SONG)


@st.composite
def inhibited(draw):
    """Draw a run as `configurations` does, with an inhibitory population."""
    configuration = draw(configurations())
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def pick(low, high, *edges):
        value = draw(st.sampled_from([*edges, *[None] * 3 * max(1, len(edges))]))
        return float(random.uniform(low, high)) if value is None else value

    dt = configuration.simulation.dt
    return dataclasses.replace(
        configuration,
        inhibition=Inhibition(
            n_synapses=int(pick(1, 400, 1, 2, 400)),
            rate_hz=pick(1, min(1000 / dt, 60), 0.0, 1000 / dt),
            g=pick(0.001, 0.2, 0.0, 3.0),
            E_in=pick(-90, -60, configuration.neuron.V_reset, -20.0),
            tau_in=pick(1.5 * dt, 15, 1.01 * dt),
        ),
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(inhibited())
def test_engines_agree_on_generated_configurations(configuration):
    """At the bounds and in the usual range of every parameter of the population."""
    assert_same_run(configuration)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(inhibited(), st.sampled_from([1, 2, 16, 128]), st.sampled_from([1, 40, 1024]))
def test_blocks_give_the_plain_loop_to_the_last_bit(configuration, longest, drawn):
    """For any length of the blocks: inhibition changes no weight."""
    plain = compiled.run(configuration, in_blocks=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "_LONGEST_BLOCK", longest)
        patch.setattr(compiled, "_DRAWN", drawn)
        assert_identical(compiled.run(configuration), plain)


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(inhibited(), st.floats(0, 1), st.floats(0, 1))
def test_a_run_cut_in_three_is_the_undivided_one(engine, configuration, first, second):
    """Every bit: the state has the conductance, and where in its stream the population is."""
    n_steps = configuration.simulation.n_steps
    cuts = sorted(max(1, round(share * n_steps)) for share in (first, second))
    whole = ENGINES[engine](configuration)
    assert_identical(in_parts(configuration, cuts, [engine] * 3), whole)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(inhibited(), st.floats(0, 1), st.permutations([*ENGINES]))
def test_either_engine_goes_on_from_the_other(configuration, share, engines):
    """Equal spikes and weights within 1e-10, as of undivided runs."""
    cut = max(1, round(share * configuration.simulation.n_steps))
    got, expected = in_parts(configuration, [cut], engines), reference.run(configuration)
    np.testing.assert_array_equal(got.spike_step, expected.spike_step)
    np.testing.assert_allclose(got.weight, expected.weight, rtol=0, atol=TOLERANCE)


def test_generated_populations_act():
    """Some change the spikes of a neuron that fires, so that the comparison is meaningful."""
    seen = []

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(inhibited())
    def collect(configuration):
        without = dataclasses.replace(configuration, inhibition=Inhibition())
        spikes, others = (compiled.run(one).spike_step for one in (configuration, without))
        seen.append((spikes.size > 1, not np.array_equal(spikes, others)))

    collect()
    assert (np.mean(seen, axis=0) > (0.2, 0.1)).all(), np.mean(seen, axis=0)


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_engines_agree_after_a_long_run(dt):
    """20 s of Song's population: rounding errors change no spike, and both draw the same events."""
    configuration = pipeline.configure(
        *INHIBITED, "simulation.duration=20000", f"simulation.dt={dt}"
    )
    assert assert_same_run(configuration).spike_step.size > 200


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("off", ["inhibition.g=0", "inhibition.rate_hz=0"])
def test_without_conductance_or_spikes_it_is_no_inhibition(engine, off):
    """Bit by bit: all that differs is which kernel computes it."""
    with_synapses = ENGINES[engine](pipeline.configure(*INHIBITED, off))
    without = ENGINES[engine](pipeline.configure(*INHIBITED[:2]))
    assert without.spike_step.size > 100
    assert_identical(with_synapses, without)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_spike_at_every_step_is_a_constant_conductance(engine):
    """At one spike per step and synapse g tends to n g tau/dt, and v to the weighted potential."""
    configuration = pipeline.configure(
        "input.rate_hz=0", "simulation.dt=0.1", "simulation.duration=400", "neuron.E_L=-60",
        "inhibition.n_synapses=3",
        "inhibition.rate_hz=10000", "inhibition.g=0.01", "inhibition.E_in=-90",
    )  # fmt: skip
    g = 3 * 0.01 * 5 / 0.1
    recording = ENGINES[engine](configuration)
    assert recording.v == pytest.approx((-60 - 90 * g) / (1 + g), abs=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_shunting_inhibition_moves_no_potential_at_rest(engine):
    """E_in = E_L: the potential stays where it is, and excitation has less effect."""
    shunt = ("inhibition.E_in=-75", "neuron.E_L=-75", "neuron.V_init=-75")
    rest = ENGINES[engine](pipeline.configure(*INHIBITED, *shunt, "input.rate_hz=0"))
    assert rest.v == pytest.approx(-75, abs=1e-9)
    driven = ENGINES[engine](pipeline.configure(*INHIBITED, *shunt))
    free = ENGINES[engine](pipeline.configure(*INHIBITED[:2], *shunt[1:]))
    assert 0 < driven.spike_step.size < 0.8 * free.spike_step.size


@pytest.mark.parametrize("engine", ENGINES)
def test_the_sum_of_both_conductances_decides_what_is_unstable(configure, engine):
    """The largest dt (1 + g_ex + g_in) / tau_m of the recorded steps."""
    overrides = (SONG, "inhibition.g=1", "simulation.dt=0.5", "input.rate_hz=40")
    dataset = pipeline.simulate(configure(*overrides), engine=engine)
    traced = pipeline.simulate(configure(*overrides, "record=everything"))
    total = (traced["g_ex"] + traced["g_in"]).max().item()
    assert total > traced["g_ex"].max() + 5
    expected = 0.5 / 10 * (1 + total) - 1
    assert dataset["euler_overshoot"] == pytest.approx(expected, rel=1e-9)


def test_the_recorded_conductance_is_that_of_its_spikes():
    """g_in decays by (1 - dt/tau_in) and gains g for each spike; it has a name and a unit."""
    configuration = pipeline.configure(*INHIBITED, "simulation.duration=500", "record=everything")
    recorded = pipeline.simulate(configuration)["g_in"]
    counts = spike_counts(configuration)
    assert counts.sum() > 500
    g, expected = 0.0, []
    for count in counts:
        expected.append(g)
        g = g * (1 - 1 / 5) + 0.05 * count
    np.testing.assert_allclose(recorded, expected, rtol=1e-6)
    assert recorded.attrs["long_name"] == "inhibitory conductance relative to the leak"
    assert "g_in" not in pipeline.simulate(
        pipeline.configure("record=everything", "simulation.duration=100")
    )


def spike_counts(configuration):
    """Return the number of inhibitory spikes in each step of a run."""
    n_steps, n = configuration.simulation.n_steps, configuration.inhibition.n_synapses
    chunk = next(configuration.inhibitory_events())
    cells = chunk[chunk < n_steps * n]
    assert cells.size < chunk.size  # the chunk reaches beyond the run
    return np.bincount(cells // n, minlength=n_steps)


def test_the_number_of_spikes_follows_its_law():
    """Binomial over seeds: mean and variance of the count, within 4 standard errors."""
    n_seeds, n_steps, n, p = 400, 500, 200, 10 * 1 / 1000
    configuration = pipeline.configure(SONG, "simulation.duration=501", "input.rate_hz=0")
    runs = [compiled.run(configuration.with_seed(s), drive=keeping_state) for s in range(n_seeds)]
    counts = [run.state.n_inhibitory for run in runs]
    mean, variance = n_steps * n * p, n_steps * n * p * (1 - p)
    assert np.mean(counts) == pytest.approx(mean, abs=4 * np.sqrt(variance / n_seeds))
    assert np.var(counts) == pytest.approx(variance, rel=4 * np.sqrt(2 / n_seeds))


def test_its_spikes_are_independent_of_the_input_and_of_each_other():
    """Counts correlate neither with those of the input of the same seed, nor in time."""
    configuration = pipeline.configure(
        "inhibition.n_synapses=300", "inhibition.rate_hz=15", "simulation.duration=2000"
    )
    inhibitory = spike_counts(configuration)
    cells = np.concatenate([*configuration.input_events()])
    excitatory = np.bincount(cells // 300, minlength=2000)
    assert abs(np.corrcoef(inhibitory, excitatory)[0, 1]) < 4 / np.sqrt(2000)
    assert abs(np.corrcoef(inhibitory[1:], inhibitory[:-1])[0, 1]) < 4 / np.sqrt(2000)


def test_a_state_says_how_many_inhibitory_spikes_there_were():
    """Both engines count those before the last step, however far ahead they draw."""
    configuration = pipeline.configure(*INHIBITED)
    n_steps, n = configuration.simulation.n_steps, 200
    events = next(configuration.inhibitory_events())
    before = events[events < (n_steps - 1) * n]
    for run in ENGINES.values():
        state = run(configuration, drive=keeping_state).state
        assert (state.n_inhibitory, state.next_inhibitory_cell) == (before.size, before[-1] + 1)


def test_states_without_inhibition_are_the_bytes_of_earlier_versions():
    """Version 1, which reads as no inhibition; one with it comes back equal from version 2."""
    without = compiled.run(pipeline.configure(*INHIBITED[:2]), drive=keeping_state).state
    content = without.to_bytes()
    assert int.from_bytes(content[:8], "little") == 1
    again = EndState.from_bytes(content)
    assert (again.n_inhibitory, again.next_inhibitory_cell, again.g_in) == (0, 0, 0)
    state = compiled.run(pipeline.configure(*INHIBITED), drive=keeping_state).state
    content = state.to_bytes()
    assert int.from_bytes(content[:8], "little") == 2
    assert state.g_in > 0
    for field in dataclasses.fields(EndState):
        values = (getattr(one, field.name) for one in (EndState.from_bytes(content), state))
        np.testing.assert_array_equal(*values)


@pytest.mark.parametrize("p", [1e-6, 0.01, 1.0])
def test_drawn_spikes_are_those_of_numpy(p):
    """The kernel counts the spikes of `bernoulli_cells` in each step, in chunks of a stretch."""
    configuration = pipeline.configure(
        "simulation.dt=1", "inhibition.n_synapses=37", f"inhibition.rate_hz={1000 * p}",
        "simulation.duration=5000", "input.rate_hz=0",
    )  # fmt: skip
    whole = compiled.run(configuration, drive=keeping_state).state
    expected = reference.run(configuration, drive=keeping_state).state
    assert (whole.n_inhibitory, whole.next_inhibitory_cell) == (
        expected.n_inhibitory,
        expected.next_inhibitory_cell,
    )
