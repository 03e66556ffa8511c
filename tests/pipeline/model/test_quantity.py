"""Validation of values; error messages state what is allowed."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from pipeline.model.arithmetic import multiples
from pipeline.model.errors import RequestError
from pipeline.model.plain_values import rounded
from pipeline.model.quantity import Quantity, override_text, unknown_key, written

TAU = Quantity("time constant", "ms", above=0)
COUNT = Quantity("number of items", kind=int, at_least=1, at_most=10)


#: Time steps, and 1/3 as it is read from a configuration.
SPACINGS = (0.1, 0.05, 0.025, 0.3, 0.01, 2.7, 1.0, 25.0, 1e-6, rounded(1 / 3))


@pytest.mark.parametrize("value", [5, 5.0, np.float32(5), np.int64(5)])
def test_numbers_of_any_type_become_plain_floats(value):
    """A float quantity accepts all types of real numbers and returns a Python float."""
    assert TAU.admit("tau", value) == 5.0
    assert type(TAU.admit("tau", value)) is float


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "5", None, True, [5], 1j])
def test_values_other_than_positive_numbers_are_refused(value):
    """Bounds, nan, inf, other types and null are refused with key, value and what is allowed."""
    with pytest.raises(
        RequestError, match=r"^tau=.*: time constant must be a finite number > 0 ms$"
    ):
        TAU.admit("tau", value)


@pytest.mark.parametrize("value", [0, 11, 2.5, 2.0, True, "3"])
def test_an_integer_is_neither_float_nor_bool(value):
    """An integer quantity accepts only integers within its bounds."""
    with pytest.raises(RequestError, match="must be a whole number >= 1 and <= 10"):
        COUNT.admit("n", value)


def test_null_is_accepted_only_where_it_has_a_meaning():
    """A quantity with a meaning of null accepts None, and its error message states that."""
    follows = Quantity("LTD time constant", "ms", above=0, null="tau_plus")
    assert follows.admit("tau_minus", None) is None
    with pytest.raises(RequestError, match=r"> 0 ms, or null \(tau_plus\)"):
        follows.admit("tau_minus", -1)


def test_minus_zero_is_zero():
    """-0.0 and 0.0 are one value."""
    assert math.copysign(1, Quantity("x").admit("x", -0.0)) == 1


@settings(deadline=None)
@given(
    number=st.sampled_from(SPACINGS) | st.floats(1e-6, 1e12).map(rounded),
    counts=st.lists(st.integers(0, 10_000_000), max_size=20).map(sorted),
)
@example(number=0.1, counts=[0, 3, 9_999_999, 10_000_000])
@example(number=rounded(1 / 3), counts=[0, 3, 5, 9_999_999, 10_000_000])
@example(number=rounded(1 / 3), counts=[0, 1, 5])
@example(number=1.23456789012345e-06, counts=[10_000_000])
@example(number=0.1, counts=[2**48])
def test_multiples_are_those_of_the_decimal_number(number, counts):
    """The float nearest to the exact product, rounded to 15 digits; no multiple for no count."""
    exact = [float(Decimal(count) * Decimal(repr(number))) for count in counts]
    found = multiples(np.array(counts, dtype=np.int64), number)
    assert found.dtype == np.float64
    assert found.tolist() == [rounded(value) for value in exact]


@pytest.mark.parametrize("decimals", [1, 2, 3])
def test_multiples_are_the_numbers_that_one_types(decimals):
    """0.3 and not 3 * 0.1, for every multiple up to 100,000 that is a literal."""
    counts = np.arange(100_001)
    typed = [float(f"{count}e-{decimals}") for count in counts]
    assert multiples(counts, float(f"1e-{decimals}")).tolist() == typed
    assert (counts * float(f"1e-{decimals}") != typed).any()


def test_a_refusal_is_one_short_line():
    """Newlines become blanks, and long values are truncated."""
    assert written("key", "a\nb") == "key=a b"
    assert len(written("key", "x" * 500)) < 70


def test_unknown_key_suggests_the_nearest_and_lists_its_section():
    """The message of an unknown key names the most similar key."""
    known = ["stdp.A_plus", "stdp.tau_plus", "neuron.tau_m", "seed"]
    assert "did you mean stdp.A_plus?" in str(unknown_key("stdp.A_pluss", 1, known))
    assert "did you mean neuron.tau_m?" in str(unknown_key("tau_m", 1, known))
    assert "(known: stdp.A_plus, stdp.tau_plus)" in str(unknown_key("stdp.x", 1, known))
    sweep = ["sweep.zip", "sweep.table", "sweep"]
    said = str(unknown_key("sweep.foo", 1, sweep))
    assert said == "sweep.foo=1: unknown key (known: sweep.zip, sweep.table)"
    assert "(known: stdp.*, neuron.*, seed)" in str(unknown_key("colour", 1, known))


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text("ab'\"\\${}, =[]()ü", max_size=12),
    )
)
def test_an_override_gives_its_value_back(value):
    """Hydra reads the text of an override as exactly the value that it was written from."""
    (override,) = OverridesParser.create().parse_overrides([override_text("stdp.x", value)])
    read = OmegaConf.create({"x": getattr(override.value(), "text", override.value())}).x
    assert override.key_or_group == "stdp.x"
    assert (read, type(read)) == (value, type(value))
