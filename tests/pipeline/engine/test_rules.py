"""Both engines on every built-in rule, with all pairs of its choices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.initial_weights import initial_weights
from pipeline.model.pair_rules import COINCIDENCES, PAIRINGS
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import RULES
from tests.pipeline.engine.test_compiled import assert_same_run, configurations

#: Ranges of the fields; time constants are in time steps, from a trace that lasts for one.
RANGES = {
    **dict.fromkeys(("A_plus", "A_minus", "A2_plus", "A2_minus", "A3_plus", "A3_minus"), (0, 0.2)),
    **dict.fromkeys(("tau_plus", "tau_minus", "tau_x", "tau_y"), (1.01, 60)),
    **dict.fromkeys(("mu", "mu_plus", "mu_minus"), (0.05, 3)),
    **dict.fromkeys(("w_in", "w_out"), (-0.1, 0.1)),
    "w_0": (0.01, 1.5),
    "alpha": (0.1, 20),
    "beta": (0.1, 100),
}

#: Every rule with every coincidence, every rule with every pairing, and every pairing with every
#: coincidence: 24 kernels, and one for the rule of van Rossum, whose functions are in two others.
COVERING = [
    (rule, PAIRINGS[(i + j) % len(PAIRINGS)], coincidence)
    for i, rule in enumerate(sorted(RULES.classes().keys() - {"van_rossum"}))
    for j, coincidence in enumerate(COINCIDENCES)
] + [("van_rossum", *PAIRINGS[:1], *COINCIDENCES[:1])]


@st.composite
def of_rule(draw, rule, pairing, coincidence):
    """Draw a run of one rule, all of whose fields have any value of their range."""
    base = draw(configurations()).to_mapping()
    dt = base["simulation"]["dt"]
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def pick(name):
        value = float(random.uniform(*RANGES[name]))
        if name.startswith("tau"):
            return value * dt
        return value * random.choice([-1, 1]) if rule == "signed" and name[:2] == "A_" else value

    fields = RULES.named(rule).quantities()
    stdp = {name: pick(name) for name in fields.keys() & RANGES.keys()}
    stdp |= {"rule": rule, "pairing": pairing, "coincidence": coincidence}
    if "ltd_ratio" in fields:
        stdp |= {"ltd_ratio": 1.1, "effective_ltd_ratio": None}
    return Configuration.from_mapping({**base, "stdp": stdp})


@pytest.mark.parametrize("rule", COVERING, ids="-".join)
def test_engines_agree_on_generated_values_of_rules(rule):
    """Equal spikes, weights within 1e-10: at any time step, with coincidences in many steps."""
    moved = []

    @settings(max_examples=24, deadline=None, derandomize=True, database=None)
    @given(of_rule(*rule))
    def compare(configuration):
        recording = assert_same_run(configuration)
        change = recording.weight - initial_weights(configuration)
        moved.append(recording.spike_step.size > 2 and bool(change.any()))

    compare()
    assert sum(moved) > 2  # the comparison is meaningful


def test_the_rules_cover_each_other_pairwise():
    """Every pair of values of two choices is in a case; none of more than 25 kernels is added."""
    rules = {rule for rule, _, _ in COVERING}
    assert rules == set(RULES.classes())
    general = rules - {"van_rossum"}
    assert {(r, c) for r, _, c in COVERING} >= {(r, c) for r in general for c in COINCIDENCES}
    assert {(r, p) for r, p, _ in COVERING} >= {(r, p) for r in general for p in PAIRINGS}
    assert {(p, c) for _, p, c in COVERING} == {(p, c) for p in PAIRINGS for c in COINCIDENCES}
    assert len(set(COVERING)) <= 25
