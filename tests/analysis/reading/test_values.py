"""Parameter values: equality to 15 digits, what a text stands for, formatting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.reading.values import allowed_text, canonical, printable, span, stands_for, written


def test_numbers_are_equal_to_fifteen_digits():
    """Rounding errors of the last bits and the sign of zero make no difference; types do."""
    assert canonical(0.1 + 0.2) == canonical(0.3)
    assert canonical(0.3) != canonical(0.300000000000001)
    assert str(canonical(-0.0)) == "0.0"
    assert canonical(True) is True


@pytest.mark.parametrize(
    ("text", "value"),
    [("20", 20.0), ("2e1", 20), ("0.3", 0.1 + 0.2), ("null", None), ("NULL", None)]
    + [("true", True), ("False", False), ("poisson", "poisson"), ("null", "null")],
)
def test_a_text_stands_for_the_value_that_it_sets_on_the_command_line(text, value):
    """Numbers in any notation, null and truth values in any case, text as it is."""
    assert stands_for(text, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("20.1", 20), ("1", True), ("true", 1), ("null", 0), ("0", None), ("", 0), ("nan", 1)]
    + [("Poisson", "poisson"), ("20", "20.0")],
)
def test_a_text_stands_for_no_value_of_another_type(text, value):
    """1 is not true, 0 is not null, and text differs by case and notation."""
    assert not stands_for(text, value)


@pytest.mark.parametrize("text", ["10:30", "20:30", "10:20", "10:", ":20", "-1:2e1", "19.9:20.1"])
def test_a_range_stands_for_the_numbers_from_one_end_to_the_other(text):
    """Both ends belong to it; either may be left out."""
    assert stands_for(text, 20.0)
    assert not stands_for(text, True)
    assert not stands_for(text, "20")
    assert not stands_for(text, None)


@pytest.mark.parametrize("text", ["10:19.9", "20.1:", ":19.9", "30:10", ":", "a:b", "10:20:30", ""])
def test_other_ranges_do_not(text):
    """The first end is the lower one."""
    assert not stands_for(text, 20.0)


def test_a_range_names_a_text_where_values_are_texts():
    """A path with a colon, as of initial weights, is a value like any other."""
    assert stands_for("outputs/a:seed=1", "outputs/a:seed=1")
    assert stands_for("1:2", "1:2")


def test_what_a_condition_may_have_is_said_in_words():
    """Few values one by one; of many numbers how many, the smallest, the largest, and a range."""
    assert allowed_text("seed", [1, 2]) == "one of 1,2"
    assert allowed_text("x", ["a", "b", "c", "d"]) == "one of 4 values, such as a, b, c"
    assert allowed_text("rate_hz", [30.0, 10.0, 25.5, 40.0, 10.0]) == (
        "one of 4 values, of which the smallest is 10 and the largest 40, or a range of them, as "
        "rate_hz=10:30"
    )


@given(st.one_of(st.none(), st.booleans(), st.integers(-(10**14), 10**14), st.floats(-1e9, 1e9)))
def test_a_written_value_stands_for_itself(value):
    """What is shown can be given again."""
    assert stands_for(written(value), value)


def test_values_are_abbreviated():
    """Few one by one, many numbers by their ends, many texts by the first."""
    assert span([10.0, 0.5]) == "10,0.5"
    assert span([3, 1, 2, 0]) == "0..3 (4)"
    assert span(["a", "b", "c", "d"]) == "a,b,c,.. (4)"
    assert span([None, True]) == "null,true"


def test_what_is_not_printable_is_escaped():
    """Line ends, control characters and marks of direction; the allowed ones stay."""
    assert printable("a\nb\x1b\u202ec\xa0d") == "a\\nb\\x1b\\u202ec\xa0d"
    assert printable("a\nb\xa0", allowed="\n") == "a\nb\\xa0"
