"""What a class of the user's may leave out, and at which values its functions are tried."""

import dataclasses

import numpy as np
import pytest

from pipeline.model.errors import RequestError
from pipeline.model.own_class import _NOT_PROPORTIONAL
from pipeline.model.parameters import all_quantities
from pipeline.model.plasticity import RULES, Rule, Trace
from pipeline.model.trial import _tried_traces, refuse_not_finite
from tests.support.rule_files import SOFT, replaced

#: The same class with everything written out, as the rules of the package are.
WRITTEN_OUT = replaced(
    SOFT,
    ("class SoftBounds(Rule)", "@dataclass(frozen=True)\nclass SoftBounds(Rule)"),
    ("    A =", '    name: ClassVar[str] = "soft_bounds"\n    A: float ='),
    ("    tau =", "    tau: float ="),
    ("    traces =", "    traces: ClassVar ="),
    ("    def ", "    @staticmethod\n    def "),
)


def test_what_may_be_left_out_is_added():
    """Name, annotations, decorators: the class is the one that is written out."""
    short, long = RULES.class_of(SOFT), RULES.class_of(WRITTEN_OUT)
    for attribute in ("name", "traces", "section"):
        assert getattr(short, attribute) == getattr(long, attribute)
    assert short.quantities() == long.quantities()
    assert [field.name for field in dataclasses.fields(short)] == ["rule", "A", "tau"]
    for cls in (short, long):
        rule = cls(A=0.5)
        assert rule.to_mapping() == {"rule": "soft_bounds", "A": 0.5, "tau": 20.0}
        assert rule.potentiate(0.5, rule.traces_type()(1.0, 0.0), rule.fields()) == 0.75
        with pytest.raises(dataclasses.FrozenInstanceError):
            rule.A = 1.0
        with pytest.raises(RequestError, match="^stdp.A=-1: amplitude must be"):
            cls(A=-1)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("MyRule", "my_rule"),
        ("STDPRule", "stdp_rule"),
        ("Log2Rule", "log2_rule"),
        ("soft", "soft"),
        ("_Hidden", "hidden"),
    ],
)
def test_a_name_is_that_of_the_class_in_lower_case(written, name):
    """Words are separated."""
    assert RULES.class_of(SOFT.replace("SoftBounds", written), written).name == name


def test_kinds_of_fields_without_annotations():
    """They are of the kind of their quantity."""
    text = replaced(SOFT, ("default=0.01", "default=1, kind=int"), ("fields.A *", "0.1 *"))
    rule = RULES.class_of(text)()
    assert isinstance(rule.A, int)
    with pytest.raises(RequestError, match="^stdp.A=0.5: amplitude must be a whole number"):
        RULES.class_of(text)(A=0.5)


def test_a_default_is_no_neutral_value():
    """It is in the key, and other rules need a value of such a field as before."""
    rule = RULES.class_of(replaced(SOFT, ("A =", "A_plus ="), ("fields.A *", "fields.A_plus *")))()
    assert rule.key_values()["A_plus"] == 0.01
    assert "A_plus" not in rule.neutral_values()
    assert rule.default_values() == {"A_plus": 0.01, "tau": 20.0}
    RULES.register_source(rule.source)
    assert Rule.from_mapping({"rule": "soft_bounds"}).A_plus == 0.01
    RULES.unregister("soft_bounds")
    with pytest.raises(RequestError, match="^stdp.A_plus: missing; it needs a value"):
        Rule.from_mapping({"rule": "additive", "ltd_ratio": 1.0})


def test_traces_are_tried_up_to_what_they_reach():
    """One that is set up to 1; all combinations of two, fewer of many, with each at each value."""
    both = RULES.class_of(replaced(SOFT, ('Trace(PRE, "tau")', 'Trace(PRE, "tau", sets=True)')))
    pre, post = _tried_traces(both)[..., 0]
    assert (pre.min(), pre.max(), post.max()) == (0.0, 1.0, 10.0)
    assert len(pre) == len(set(pre)) * len(set(post)) == 40
    names = [f"x{i}" for i in range(6)]
    many = type("Many", (both,), {"traces": {name: Trace("presynaptic", "tau") for name in names}})
    values = _tried_traces(many)[..., 0]
    assert values.shape[1] < 200
    for own in values:
        assert set(own) == {0.0, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0}
    none = type("None_", (both,), {"traces": {}})
    assert _tried_traces(none).shape == (0, 1, 1)


@pytest.mark.parametrize(
    ("change", "is_covered"),
    [
        (("(1 - w)", "(1 - w)"), True),
        (("* traces.x_pre", "* np.sqrt(traces.x_pre)"), False),
        (("* traces.x_pre", "* (traces.x_pre + traces.x_post)"), False),
        (("* traces.x_post", "* traces.x_post + 0.1 * w"), False),
        (("* traces.x_post", "* traces.x_post * (1 + traces.x_pre)"), False),
        (("    A =", '    theory_gap = "it is mine"\n    A ='), False),
        (('{"x_pre"', '{"x_new": Trace(PRE, "tau"), "x_pre"'), True),  # the file has their number
    ],
)
def test_the_theory_covers_changes_in_proportion_to_one_trace(change, is_covered):
    """It is found out by trying; a rule may also say that it is not covered, and why."""
    gap = RULES.class_of(replaced(SOFT, change)).theory_gap
    assert (gap == "") == is_covered
    assert is_covered or gap in ("it is mine", _NOT_PROPORTIONAL)


def test_rules_of_this_package_are_not_tried():
    """They are tested; a million of them in a sweep cost nothing."""
    rule = RULES.named("additive")(A_plus=0.01, ltd_ratio=1.0, A_minus=None, tau_plus=20.0,
                                   tau_minus=None)  # fmt: skip
    object.__setattr__(rule, "potentiate", lambda *_: np.nan)
    refuse_not_finite([rule])


def test_names_of_fields_of_ours_stay():
    """A class that was made and not registered adds no key."""
    RULES.class_of(SOFT)
    assert "stdp.A" not in all_quantities()
