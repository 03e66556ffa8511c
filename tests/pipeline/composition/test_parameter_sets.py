"""Values of parameter sets where another rule than theirs is chosen."""

import pytest

import pipeline
from pipeline.composition.parameter_sets import Origin, ParameterSet, fitted
from pipeline.model.errors import RequestError
from pipeline.model.plasticity import RULES
from tests.support.rule_files import HARD, SOFT

SET = {"A_plus": 0.008, "tau_plus": 20.0, "ltd_ratio": 1.1, "tau_minus": "${.tau_plus}"}


@pytest.fixture
def hard():
    """A rule with `A_plus`, with a default of `tau_plus`, and with `ltd_share`."""
    yield RULES.register_source(HARD, "HardBounds")
    RULES.unregister("hard_bounds")


def values_of(rule, values, typed=(), is_asked=False, is_own=False):
    """Return the values of a section for a rule."""
    origin = Origin(
        frozenset(f"stdp.{name}" for name in typed), {"stdp": ParameterSet((SET,), is_asked)}
    )
    return fitted(rule, {"rule": "additive", **SET, "tau_minus": 20.0} | values, origin, is_own)


def test_values_of_the_replaced_rule_are_left_out(hard):
    """Of a set that was not asked for, a default goes before its value."""
    assert values_of(hard, {}) == {"rule": "hard_bounds", "A_plus": 0.008, "tau_plus": 17.0}
    assert values_of(hard, {}, is_asked=True)["tau_plus"] == 20.0
    assert values_of(hard, {"tau_plus": 20.0}, typed=["tau_plus"])["tau_plus"] == 20.0
    assert values_of(hard, {"tau_plus": 30.0})["tau_plus"] == 30.0  # as of an experiment


def test_values_that_were_asked_for_are_not_left_out(hard):
    """They are refused where the rule lacks the field: typed, of another file, of its own set."""
    assert values_of(hard, {"ltd_ratio": 1.1}, typed=["ltd_ratio"])["ltd_ratio"] == 1.1
    assert values_of(hard, {"ltd_ratio": 1.2})["ltd_ratio"] == 1.2
    assert values_of(hard, {}, is_own=True)["ltd_ratio"] == 1.1
    assert "pairing" not in values_of(hard, {"pairing": "all_to_all"}, is_own=True)  # neutral


def test_one_of_ours_in_place_of_another():
    """As of a file: fields of the set that it has too are its values."""
    made = pipeline.configure("stdp.rule=multiplicative")
    assert (made.stdp.A_plus, made.stdp.ltd_ratio) == (0.008, 1.1)
    with pytest.raises(RequestError, match=r"^stdp\.A2_plus: missing; .* \(stdp=\? lists them\)$"):
        pipeline.configure("stdp.rule=triplet")
    with pytest.raises(
        RequestError,
        match=r"^stdp\.ltd_ratio=2: a field of additive, .*, not of stdp\.rule=triplet",
    ):
        pipeline.configure("stdp=triplet", "stdp.ltd_ratio=2")
    typed = ("stdp.A_plus=0.1", "stdp.ltd_ratio=1", "stdp.A_minus=null")
    assert pipeline.configure("stdp=triplet", "stdp.rule=additive", *typed).stdp.tau_plus == 16.8


def test_sets_of_unlike_rules_share_what_is_typed(tmp_path):
    """A field is for those that have it; one that none has is refused."""
    (tmp_path / "stdp").mkdir()
    (tmp_path / "soft.py").write_text(SOFT)
    (tmp_path / "stdp/mine.yaml").write_text("rule: ../soft.py\nA: 0.2\n")
    configuration = pipeline.configure("stdp.A_plus=0.004", conf=tmp_path)
    both = pipeline.plan(configuration, {"stdp": ["notebook", "mine"]})
    one, other = both.axes[0].settings
    assert one["stdp.A_plus"] == 0.004
    assert other == {"stdp.rule": "soft_bounds", "stdp.A": 0.2, "stdp.tau": 20.0}
    RULES.unregister("soft_bounds")
    with pytest.raises(RequestError, match=r"^stdp\.nothing=1: unknown key"):
        pipeline.configure("stdp.nothing=1")
