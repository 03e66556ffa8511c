"""`logspace` and `linspace` in overrides."""

import math

import pytest
from hydra.core.override_parser.types import Override
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.request.grammar import parser, values_of
from pipeline.request.spaced import linspace, logspace


def values(text: str) -> list[float]:
    """Return the values of an override."""
    override: Override = parser().parse_override(text)
    return values_of(override)


def test_both_ends_are_included_as_they_are_written():
    """The numbers between have six digits."""
    assert values("stdp.A_plus=logspace(0.001,0.1,5)") == [0.001, 0.00316228, 0.01, 0.0316228, 0.1]
    assert values("stdp.A_plus=logspace(0.1,0.001,3)") == [0.1, 0.01, 0.001]
    assert values("input.rate_hz=linspace(10,40,4)") == [10, 20, 30, 40]
    assert values("stdp.A_plus=linspace(0,0.3,4)") == [0, 0.1, 0.2, 0.3]


def test_a_key_of_whole_numbers_has_the_nearest_ones():
    """Of a key of other numbers they stay as they are."""
    assert values("input.n_synapses=logspace(10,1000,5)") == [10, 32, 100, 316, 1000]
    assert values("input.rate_hz=logspace(10,1000,3)") == [10, 100, 1000]


def test_they_work_with_the_other_functions_of_the_grammar():
    """Sorted, and in an order of chance."""
    assert values("seed=sort(linspace(3,1,3))") == [1, 2, 3]
    assert sorted(values("seed=shuffle(linspace(1,9,9))")) == [*range(1, 10)]


@settings(deadline=None)  # up to 2000 numbers each
@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9), st.integers(2, 2000))
def test_numbers_of_a_logspace_differ_and_are_spaced_equally(start, stop, n):
    """To one part in a thousand of their distance."""
    start, stop = float(f"{start:.6g}"), float(f"{stop:.6g}")
    if abs(math.log(stop / start)) < 1e-3:
        return
    found = logspace(start, stop, n).list
    assert found[0] == start
    assert found[-1] == stop
    assert len({*found}) == n
    step = math.log(stop / start) / (n - 1)
    for i, number in enumerate(found):
        assert math.log(number / start) == pytest.approx(i * step, abs=2e-3 * abs(step))


@given(st.integers(2, 50), st.integers(2, 8))
def test_a_finer_logspace_has_the_numbers_of_the_coarser_one(n, factor):
    """So a sweep that is refined runs only the new points."""
    coarse, fine = logspace(0.001, 0.1, n).list, logspace(0.001, 0.1, factor * (n - 1) + 1).list
    if math.log(100) / (len(fine) - 1) > 0.01:
        assert {*coarse} <= {*fine}


@given(st.integers(-100, 100), st.integers(1, 100), st.integers(2, 30))
def test_numbers_of_a_linspace_are_those_of_the_definition(start, width, n):
    """To 15 digits."""
    found = linspace(start, start + width, n).list
    for i, number in enumerate(found):
        assert number == pytest.approx(start + i * width / (n - 1), rel=1e-14, abs=1e-13)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("logspace(0,1,3)", "both ends must be > 0: they are the values, not exponents"),
        ("logspace(-3,-1,3)", "both ends must be > 0: they are the values, not exponents"),
        ("logspace(1,2,1)", "must be two or more numbers from one end to another one"),
        ("logspace(2,2,3)", "must be two or more numbers from one end to another one"),
        ("linspace(1,2,0)", "must be two or more numbers from one end to another one"),
        ("linspace(1,inf,3)", "the ends must be finite"),
        ("linspace(1,2,3000000)", "3000000 values; an axis must have <= "),
        ("logspace(1,2)", "logspace must be logspace(a,b,n), n whole"),
        ("logspace(1,2,3.5)", "logspace must be logspace(a,b,n), n whole"),
        ("interval(1)", "interval must be interval(a,b) or interval(a,b,log)"),
        ("interval(1,2,lin)", "the scale must be linear or log"),
        ("interval(1,2),0.5", "must be one interval, or values without any"),
        ("[interval(1,2)]", "must stand without brackets"),
        ("[0.1,range(1,2)]", "must stand without brackets"),
    ],
)
def test_what_is_not_spaced_is_refused_in_one_line(refused, text, line):
    """Exit code 2, before anything is written."""
    assert refused(f"stdp.A_plus={text}").startswith(f"error: stdp.A_plus={text}: {line}")
