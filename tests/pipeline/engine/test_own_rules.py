"""Rules and processes defined outside the package give equal runs on both engines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engine import compiled
from pipeline.model import reference
from pipeline.model.dense_traces import DenseTraces
from pipeline.model.inputs import PROCESSES
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import RULES
from tests.support import toy_rules
from tests.support.toy_rules import VALUES


@pytest.fixture(autouse=True, scope="module")
def registered():
    """Register the toy rules and the toy process for this module."""
    rules = [toy_rules.SoftOrHard, toy_rules.ToyTriplet, toy_rules.AntiHebbian]
    for rule in rules:
        RULES.register(rule)
    PROCESSES.register(toy_rules.Regular)
    yield
    for rule in rules:
        RULES.unregister(rule.name)
    PROCESSES.unregister("toy_regular")


def configuration_of(rule, process="poisson", **changed):
    """Return a run with strong drive of a toy rule."""
    inputs = {"process": process, "n_synapses": 40, "rate_hz": 40.0}
    values = {
        "neuron": {"V_th": -55.0, "V_reset": -75.0, "V_init": -65.0, "E_L": -75.0, "tau_m": 10.0,
                   "t_ref": 2.0},
        "synapse": {"g_max": 0.15, "w_init": 0.5, "E_ex": 0.0, "tau_ex": 5.0},
        "stdp": {"rule": rule, **VALUES[rule]},
        "input": inputs | ({"phases": 0.7} if process == "toy_regular" else {}),
        "simulation": {"duration": 2000.0, "dt": 1.0},
        "record": {"weight_interval": 100.0, "spike_times": True, "traces": False,
                   "dtype": "float64"},
        "seed": 1,
    }  # fmt: skip
    for key, value in changed.items():
        section, _, name = key.partition("__")
        values[section][name] = value
    return Configuration.from_mapping(values)


def assert_same_run(configuration):
    """Both engines give the same spikes and weights; return the reference's recording.

    The two loops of the compiled engine give the same bits.
    """
    expected, got = reference.run(configuration), compiled.run(configuration)
    plain = compiled.run(configuration, in_blocks=False)
    for name in ("weight", "spike_step", "weight_history", "v"):
        np.testing.assert_array_equal(getattr(got, name), getattr(plain, name))
    np.testing.assert_array_equal(got.spike_step, expected.spike_step)
    np.testing.assert_allclose(got.weight, expected.weight, rtol=0, atol=1e-10)
    np.testing.assert_allclose(got.weight_history, expected.weight_history, rtol=0, atol=1e-10)
    return expected


@pytest.mark.parametrize("process", ["poisson", "toy_regular"])
@pytest.mark.parametrize("rule", VALUES)
def test_engines_agree_on_registered_rules_and_processes(rule, process):
    """The same spikes and weights to 1e-10, for a run that spikes and learns in both directions."""
    recording = assert_same_run(configuration_of(rule, process))
    change = np.diff(recording.weight_history, axis=0)
    assert recording.spike_step.size > 20
    assert (change > 1e-3).any()
    assert (change < -1e-3).any()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.sampled_from(list(VALUES)), st.sampled_from([0.1, 0.5, 1.0]), st.integers(0, 2**32 - 1),
    st.floats(0, 1), st.sampled_from([20.0, 60.0, 300.0]),
)  # fmt: skip
def test_engines_agree_at_generated_values_of_toy_rules(rule, dt, seed, w_init, rate):
    """For various time steps, weights at both bounds, and coincidences in most steps."""
    made = configuration_of(
        rule, simulation__dt=dt, simulation__duration=300.0, input__rate_hz=rate,
        synapse__w_init=w_init, record__weight_interval=10.0,
    )  # fmt: skip
    assert_same_run(made.with_seed(seed))


def test_a_nearest_trace_counts_one_spike_only():
    """With three input spikes before an output spike, the trace is that of the last one."""
    made = configuration_of("toy_anti_hebbian", input__n_synapses=1, record__weight_interval=None)
    traces = DenseTraces(made.stdp, 1, 1.0)
    for _ in range(3):
        traces.decay_pre()
        traces.jump_pre(np.array([0]))
    assert traces.of(...).near_pre == [1.0]


def test_a_trace_read_before_its_jump_misses_its_own_spike():
    """At the first output spike the slow trace of the triplet rule is still 0."""
    made = configuration_of(
        "toy_triplet", neuron__V_init=-50.0, synapse__g_max=0.0, input__rate_hz=1000.0,
        simulation__duration=3.0, record__weight_interval=1.0,
    )  # fmt: skip
    history = assert_same_run(made).weight_history
    # The output spike is in step 0, where input moves no trace: only depress acts, with o1 = 1 and
    # r2 = 0, so by A2_minus alone.
    np.testing.assert_allclose(history[0], 0.5 - VALUES["toy_triplet"]["A2_minus"], atol=1e-15)
