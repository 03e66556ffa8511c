"""Both engines on pairs of optional features, with unlike rules and input processes."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engine import compiled
from pipeline.model.features import FEATURE_KEYS, Features
from pipeline.model.inhibition import Inhibition
from pipeline.model.parameters import Configuration
from tests.pipeline.engine.test_compiled import assert_identical, assert_same_run, configurations
from tests.pipeline.engine.test_rules import of_rule
from tests.pipeline.engine.test_state import ENGINES, in_parts

#: Each pair of features together in a kernel, of unlike rules: four kernels.
COVERING = {
    "multiplicative": ("noise", "adaptive_threshold"),
    "triplet": ("inhibition", "dendritic_delay", "noise"),
    "gutig": ("dendritic_delay", "adaptive_threshold"),
    "log_stdp": ("inhibition", "adaptive_threshold"),
}


@st.composite
def with_features(draw, rule, names):
    """Draw a run of a rule, with values of all fields of some features, and an axonal delay."""
    base = draw(of_rule(rule, "all_to_all", "both"))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_steps, dt = base.simulation.n_steps, base.simulation.dt
    delays = [float(min(n_steps - 1, random.integers(1, 40)) * dt) for _ in range(2)]
    neuron, synapse = base.neuron, dataclasses.replace(base.synapse, axonal_delay=delays[0])
    inhibition = Inhibition()
    if "noise" in names:
        neuron = dataclasses.replace(neuron, noise=float(random.uniform(0.1, 10)))
    if "adaptive_threshold" in names:
        rise, tau = float(random.uniform(0.01, 5)), float(random.uniform(1.01 * dt, 300))
        neuron = dataclasses.replace(neuron, theta_plus=rise, tau_theta=tau)
    if "dendritic_delay" in names and delays[1]:
        synapse = dataclasses.replace(synapse, dendritic_delay=delays[1])
    if "inhibition" in names:
        inhibition = Inhibition(
            n_synapses=int(random.integers(1, 200)),
            rate_hz=float(random.uniform(1, 50)),
            g=float(random.uniform(0.001, 0.1)),
        )
    made = dataclasses.replace(base, neuron=neuron, synapse=synapse, inhibition=inhibition)
    mapping = made.to_mapping()
    mapping["input"] |= draw(st.sampled_from([
        {},
        {"process": "notebook", "seed_policy": "shared"},
        {"process": "correlated", "group_sizes": [(base.input.n_synapses + 1) // 2],
         "group_correlations": 0.5},
    ]))  # fmt: skip
    return Configuration.from_mapping(mapping)


def test_all_pairs_of_features_are_covered():
    """Each is in a case together with each other; each has a key that decides on it."""
    pairs = {(a, b) for names in COVERING.values() for a in names for b in names}
    features = Features._fields
    assert pairs == {(a, b) for a in features for b in features}
    assert len(FEATURE_KEYS) == len(features)


@pytest.mark.parametrize("rule", COVERING)
def test_engines_agree_on_pairs_of_features(rule):
    """Equal spikes, weights within 1e-10; a run cut in three is the undivided one, bit by bit."""
    seen = []

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(with_features(rule, COVERING[rule]), st.floats(0, 1), st.floats(0, 1))
    def compare(configuration, first, second):
        assert_same_run(configuration)
        n_steps, dt = configuration.simulation.n_steps, configuration.simulation.dt
        shortest = max(configuration.synapse.delay_steps(dt)) + 1
        cuts = sorted(max(shortest, round(share * n_steps)) for share in (first, second))
        whole = compiled.run(configuration)
        seen.append(whole.spike_step.size > 2)
        if not configuration.input.needs_duration:
            for engine in ENGINES:
                expected = ENGINES[engine](configuration)
                assert_identical(in_parts(configuration, cuts, [engine] * 3), expected)

    compare()
    assert sum(seen) > 5  # the comparison is meaningful


@settings(max_examples=40, deadline=None, derandomize=True)
@given(with_features("multiplicative", COVERING["multiplicative"]))
def test_blocks_give_the_plain_loop_to_the_last_bit(configuration):
    """With noise and an adaptive threshold too."""
    plain = compiled.run(configuration, in_blocks=False)
    assert_identical(compiled.run(configuration), plain)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(configurations())
def test_features_that_are_off_are_not_in_the_kernel(configuration):
    """Of a configuration without any."""
    assert not any(Features.of(configuration))
    assert Features.of(configuration).label == ""
