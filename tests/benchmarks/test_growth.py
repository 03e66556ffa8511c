"""The figure of growth: its fit finds the law of the times, and its panels state it."""

import matplotlib.pyplot as plt
import pytest

from tests.benchmarks.growth import Series, draw

SIZES = (100.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5)


def series(slope, constant=0.5, units=float):
    """Return times that are a constant plus a power of the units."""
    seconds = tuple(constant + 2e-5 * units(size) ** slope for size in SIZES)
    return Series("Number of points", "sweep", "point", SIZES, seconds, units)


@pytest.mark.parametrize("slope", [0.8, 1.0, 1.13])
@pytest.mark.parametrize("constant", [0.0, 0.5])
def test_the_fit_finds_slope_and_constant(slope, constant):
    """Times without noise give the slope to its two digits, the constant and the factor."""
    one = series(slope, constant)
    assert one.slope() == pytest.approx(slope, abs=0.002)
    assert one.fit(slope) == pytest.approx((constant, 2e-5), rel=1e-6, abs=1e-12)


def test_the_constant_is_not_negative():
    """Times that grow faster than the fit allows have the constant 0."""
    constant, per_unit = series(1.4, 0.0).fit(1.0)
    assert constant == 0
    assert per_unit > 0


def test_each_panel_states_its_slope():
    """A panel has the measured times, axes with units, the slope and the linear law."""
    falling = series(1.0, 0.5, lambda size: 12_000 / size)
    one = draw([series(1.0), series(1.1), series(1.0), falling])
    plt.close(one)
    texts = [{text.get_text() for text in axes.texts} for axes in one.axes]
    assert texts[0] == {"slope 1.00 beyond 500 ms", "500 ms + 20 µs per point"}
    assert "slope 1.10 beyond 500 ms" in texts[1]
    assert "slope -1.00 beyond 500 ms" in texts[3]
    for axes in one.axes:
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("Number of points", "Time (s)")
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert tuple(axes.lines[-1].get_xdata()) == SIZES
