"""Many values of one quantity, admitted at once as each of them is by itself."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.model.errors import RequestError
from pipeline.model.plain_values import rounded, rounded_all
from pipeline.model.quantity import Quantity

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(st.lists(st.one_of(FINITE, st.decimals(-1000, 1000, places=9).map(float)), min_size=2))
@example([0.1 + 0.2, -0.0, 1 / 3, 5e-324, 1.7976931348623157e308, 1e22, 123456789.012345678])
def test_numbers_are_rounded_as_one_by_one(numbers):
    """To the last bit: they decide the keys of points; a negative zero is zero."""
    one_by_one = [rounded(number) + 0.0 for number in numbers]
    assert list(map(repr, rounded_all(numbers))) == list(map(repr, one_by_one))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.1, 1.5, "a", None, True])
def test_the_first_value_that_is_refused_is_named(bad):
    """With the message that it has alone, though a later one is refused as well."""
    quantity = Quantity("amplitude", at_least=0, at_most=1)
    with pytest.raises(RequestError) as alone:
        quantity.admit("A", bad)
    with pytest.raises(RequestError) as among:
        quantity.admit_all("A", [0.5, bad, -7.0])
    assert str(among.value) == str(alone.value)


def test_values_of_other_kinds_are_admitted_one_by_one():
    """Whole numbers in place of numbers, text, null, and lists where they are allowed."""
    assert Quantity("rate").admit_all("r", [1, 2.5]) == [1.0, 2.5]
    assert Quantity("rate", null="none").admit_all("r", [1.0, None]) == [1.0, None]
    assert Quantity("rates", per_group=True).admit_all("r", [[1, 2], 3.0]) == [(1.0, 2.0), 3.0]
    assert Quantity("name", kind=str).admit_all("n", ["a", "b"]) == ["a", "b"]
    assert Quantity("above", above=0).admit_all("x", [0.1, 0.2]) == [0.1, 0.2]
