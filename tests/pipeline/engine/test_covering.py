"""Both engines on all pairs of rules, their choices, optional features and input processes."""

import itertools
from typing import NamedTuple

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from pipeline.engine import compiled
from pipeline.model.features import FEATURE_KEYS, Features
from pipeline.model.initial_weights import initial_weights as weights
from pipeline.model.inputs import PROCESSES
from pipeline.model.pair_rules import COINCIDENCES, PAIRINGS
from pipeline.model.plasticity import RULES
from tests.pipeline.engine.test_compiled import assert_identical, assert_same_run, configurations
from tests.pipeline.engine.test_state import ENGINES, in_parts
from tests.support.generated_runs import generated_runs

FEATURES = Features._fields


class Case(NamedTuple):
    """What one kernel is compiled for."""

    rule: str
    pairing: str
    coincidence: str
    features: tuple[str, ...]


#: A kernel for each rule with each coincidence, found by a search for which all pairs of values of
#: all columns are there; rows without features have the plain kernel of most runs.
COVERING = [
    Case(rule, pairing, coincidence, tuple(features))
    for rule, pairing, coincidence, *features in (
        ("additive", "all_to_all", "both", "inhibition"),
        ("additive", "nearest", "ltp_only"),
        ("additive", "nearest", "neither", "dendritic_delay", "noise", "adaptive_threshold"),
        ("gutig", "nearest", "both", "inhibition", "noise"),
        ("gutig", "nearest", "ltp_only", "dendritic_delay", "adaptive_threshold"),
        ("gutig", "all_to_all", "neither"),
        ("log_stdp", "nearest", "both", "dendritic_delay", "adaptive_threshold"),
        ("log_stdp", "all_to_all", "ltp_only", "inhibition", "noise"),
        ("log_stdp", "nearest", "neither"),
        ("multiplicative", "nearest", "both", "dendritic_delay", "adaptive_threshold"),
        ("multiplicative", "all_to_all", "ltp_only", "inhibition", "noise"),
        ("multiplicative", "nearest", "neither"),
        ("power_law", "nearest", "both", "inhibition", "dendritic_delay"),
        ("power_law", "all_to_all", "ltp_only", "noise", "adaptive_threshold"),
        ("power_law", "all_to_all", "neither"),
        ("signed", "all_to_all", "both", "dendritic_delay", "adaptive_threshold"),
        ("signed", "nearest", "ltp_only"),
        ("signed", "nearest", "neither", "inhibition", "noise"),
        ("triplet", "nearest", "both", "noise"),
        ("triplet", "all_to_all", "ltp_only"),
        ("triplet", "all_to_all", "neither", "inhibition", "dendritic_delay", "adaptive_threshold"),
        # Whose functions are those of two rules above, and which has no choices.
        ("van_rossum", "all_to_all", "both"),
        ("reduced_nearest", "nearest", "both"),
    )
]

#: Runs of each kernel with each process, the first of which is the simplest one there is.
EXAMPLES = 4


def label(case):
    """Return the name of a case in the names of tests."""
    return "-".join([*case[:3], *case.features])


@pytest.mark.parametrize(
    "case",
    # Each rule once in `make test`: most of the time goes into compiling.
    [
        case if case.coincidence == "both" else pytest.param(case, marks=pytest.mark.long)
        for case in COVERING
    ],
    ids=label,
)
def test_engines_agree_on_generated_runs(case):
    """Equal spikes, weights within 1e-10, for every process; the loops agree to the last bit.

    With an axonal delay in half of the runs, with scaling of the weights in a third, and the run
    cut in three is the undivided one.
    """
    moved, n_cut = set(), 0

    def compare(configuration, is_cut, shares):
        nonlocal n_cut
        recording, process = assert_same_run(configuration), configuration.input
        if "dendritic_delay" not in case.features:
            plain = compiled.run(configuration, in_blocks=False)
            assert_identical(compiled.run(configuration), plain)
        if is_cut and process.stationary and not process.needs_duration:
            assert_cut_runs_are_undivided(configuration, shares)
            n_cut += 1
        if recording.spike_step.size > 2 and (recording.weight != weights(configuration)).any():
            moved.add(process.name)

    shares = st.tuples(st.floats(0, 1), st.floats(0, 1))
    for number, process in enumerate(PROCESSES.classes()):
        drawn = given(generated_runs(*case, process), st.booleans(), shares)(compare)
        few = settings(max_examples=EXAMPLES, deadline=None, database=None)(drawn)
        seed(100 * COVERING.index(case) + number)(few)()
    assert n_cut > 2  # the comparison is meaningful
    assert len(moved) >= 4


def assert_cut_runs_are_undivided(configuration, shares):
    """Every bit of a run that goes on twice from the state of a shorter one, on either engine."""
    n_steps, dt = configuration.simulation.n_steps, configuration.simulation.dt
    shortest = max(configuration.synapse.delay_steps(dt)) + 1
    if configuration.synapse.scaling_target is not None:
        shortest = max(shortest, round(configuration.synapse.scaling_interval / dt))
    cuts = sorted(max(shortest, round(share * n_steps)) for share in shares)
    for engine, run in ENGINES.items():
        assert_identical(in_parts(configuration, cuts, [engine] * 3), run(configuration))


def test_all_pairs_are_covered():
    """Of rules, pairings, coincidences and features, on and off; no more than 23 kernels."""
    assert {case.rule for case in COVERING} == set(RULES.classes())
    rows = [
        [case.rule, case.pairing, case.coincidence, *(name in case.features for name in FEATURES)]
        for case in COVERING
        if case.rule not in ("van_rossum", "reduced_nearest")
    ]
    rules = sorted(RULES.classes().keys() - {"van_rossum", "reduced_nearest"})
    values = [rules, PAIRINGS, COINCIDENCES, *[(False, True)] * len(FEATURES)]
    for i, j in itertools.combinations(range(len(values)), 2):
        pairs = {(row[i], row[j]) for row in rows}
        assert pairs == set(itertools.product(values[i], values[j]))
    assert len(COVERING) <= 23
    assert len(FEATURE_KEYS) == len(FEATURES)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(configurations())
def test_features_that_are_off_are_not_in_the_kernel(configuration):
    """Of a configuration without any."""
    assert not any(Features.of(configuration))
    assert Features.of(configuration).label == ""
