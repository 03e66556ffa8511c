"""Samples that are drawn from intervals."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.composition.sweep_settings import METHODS, SweepSettings
from pipeline.model.errors import RequestError
from pipeline.request.drawn_samples import Interval, drawn, intervals_of
from pipeline.request.overrides import grid_of_mapping

RATE, AMPLITUDE = Interval(10, 40), Interval(0.001, 0.1, log=True)


def draw(samples, method="sobol", seed=0, **intervals):
    """Return the samples of some intervals, by default of a rate and an amplitude."""
    intervals = intervals or {"input.rate_hz": RATE, "stdp.A_plus": AMPLITUDE}
    return drawn(intervals, SweepSettings(samples=samples, method=method, seed=seed)).columns


def rows(columns):
    """Return the samples of columns."""
    return list(zip(*columns.values(), strict=True))


@pytest.mark.parametrize("method", ["sobol", "random"])
def test_a_longer_sequence_begins_with_the_shorter_one(method):
    """So only the rest is run when there are to be more."""
    assert rows(draw(64, method))[:16] == rows(draw(16, method))
    assert rows(draw(21, method)) == rows(draw(64, method))[:21]


@pytest.mark.parametrize("method", METHODS)
def test_numbers_are_uniform_within_their_interval(method):
    """Of a logarithmic one the logarithms are; other seeds have other numbers."""
    columns = draw(1024, method)
    shares = [
        (np.array(columns["input.rate_hz"]) - 10) / 30,
        np.log(np.array(columns["stdp.A_plus"]) / 0.001) / math.log(100),
    ]
    for one in shares:
        assert one.min() >= 0
        assert one.max() <= 1
        counts = np.histogram(one, np.linspace(0, 1, 9))[0]
        bound = 5 * math.sqrt(128 * 7 / 8) if method == "random" else 2
        assert abs(counts - 128).max() <= bound
    assert rows(columns) == rows(draw(1024, method))
    assert rows(columns) != rows(draw(1024, method, seed=1))


def test_whole_numbers_include_both_ends():
    """They are drawn with equal probability; those that are drawn again are left out."""
    columns = draw(64, "random", **{"input.n_synapses": Interval(1, 4)})
    assert sorted(columns["input.n_synapses"]) == [1, 2, 3, 4]
    assert all(type(one) is int for one in columns["input.n_synapses"])


def test_what_drew_the_samples_is_kept():
    """The number is the one that was asked for, where samples that repeat others are left out."""
    key, whole = "input.n_synapses", Interval(1, 4)
    found = drawn({key: whole}, SweepSettings(samples=64, method="random", seed=3))
    assert len(found.columns[key]) == 4
    assert found.generator == {
        "method": "random",
        "seed": 3,
        "samples": 64,
        "intervals": {key: [1, 4]},
        "numpy": np.__version__,
    }
    assert intervals_of(found.generator) == {key: whole}


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1e-6, 1e3),
    st.floats(1.0001, 1e4),
    st.booleans(),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=5),
)
def test_a_number_is_the_decimal_that_is_shown(start, factor, log, shares):
    """It has at most 15 digits, and is within the interval."""
    interval = Interval(start, start * factor, log)
    for number in interval.at(np.array(shares), whole=False):
        assert float(f"{number:.15g}") == number or number in (interval.start, interval.end)
        assert interval.start <= number <= interval.end


@pytest.mark.parametrize(
    ("key", "interval", "message"),
    [
        ("stdp", RATE, "stdp=interval.10,40.: must be the values themselves"),
        ("stdp.rule", RATE, "must be the values themselves"),
        ("record.traces", RATE, "must be the values themselves"),
        ("record.weight_interval", RATE, "cannot be sampled"),
        ("run.n_jobs", RATE, "run.n_jobs=interval.10,40.: cannot be sampled"),
        ("stdp.foo", RATE, "unknown key"),
        ("input.rate_hz", Interval(40, 10), "the first end must be below the second one"),
        ("input.rate_hz", Interval(10, 10), "the first end must be below the second one"),
        (
            "input.rate_hz",
            Interval(-1, 10),
            "^input.rate_hz=interval.-1,10.: input.rate_hz=-1: input rate must be",
        ),
        ("stdp.A_minus", Interval(-2, 1), "stdp.A_minus=-2: LTD amplitude must be .* <= 1000$"),
        ("input.rate_hz", Interval(0, 10, log=True), "both ends must be > 0 on a log scale"),
        ("input.n_synapses", Interval(1.5, 3), "input.n_synapses=1.5: number of synapses must be"),
    ],
)
def test_an_interval_that_is_not_allowed_is_refused(key, interval, message):
    """By its key."""
    with pytest.raises(RequestError, match=message):
        draw(4, **{key: interval})


def test_an_interval_has_the_bounds_of_any_rule():
    """The values are those of the rule of each sample, which is named with its interval."""
    interval = {"stdp.A_plus": Interval(-0.5, 0.5)}
    samples = drawn(interval, SweepSettings(samples=4, method="random"))
    grid = grid_of_mapping(pipeline.configure("stdp=anti_hebbian"), {}, samples)
    assert min(point.stdp.A_plus for point in grid.points) < 0
    line = r"^sweep.samples=4 stdp.A_plus=interval\(-0.5,0.5\): sample \d, stdp.A_plus=-0\.\d*: LTP"
    with pytest.raises(RequestError, match=line):
        grid_of_mapping(pipeline.configure(), {}, samples)


def test_without_scipy_the_extra_is_named(monkeypatch):
    """Independent random numbers do not need it."""
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(RequestError, match=r"needs scipy, pip install 'stdp-pipeline\[samples\]'"):
        draw(4)
    assert len(rows(draw(4, "random"))) == 4


def test_a_sobol_sequence_of_another_length_warns(caplog):
    """It is drawn, though it is not balanced."""
    assert len(rows(draw(20))) == 20
    assert "sweep.samples=20: a Sobol sequence is balanced for powers of two" in caplog.text


@pytest.mark.parametrize(
    ("number", "line"),
    [(3, "1 of 3 samples is the same as another"), (4, "2 of 4 samples are the same as others")],
)
def test_samples_that_are_the_same_are_counted(caplog, number, line):
    """Of two whole numbers, any third one is one of them."""
    settings = SweepSettings(samples=number, method="lhs", seed=1)
    drawn({"seed": Interval(1, 2)}, settings)
    assert line in caplog.text
