"""Fused multiply-add: a * b + c rounded once."""

from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.model.arithmetic import _library_fma, fma

NUMBERS = st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(NUMBERS, NUMBERS, NUMBERS)
@example(1 + 2.0**-30, 1 + 2.0**-30, -1.0)  # 2**-29 + 2**-60, which a product loses
@example(0.1, 10.0, -1.0)
def test_the_exact_result_is_rounded_once(a, b, c):
    """The value of Python, and that of the C library, is the double nearest to a * b + c."""
    exact = float(Fraction(a) * Fraction(b) + Fraction(c))
    assert fma(a, b, c) == exact
    assert _library_fma()(a, b, c) == exact


def test_it_differs_from_product_and_sum():
    """(1 + x)^2 - 1 keeps the square of x."""
    x = 2.0**-30
    assert fma(1 + x, 1 + x, -1.0) == 2 * x + x * x
    assert (1 + x) * (1 + x) - 1 == 2 * x
