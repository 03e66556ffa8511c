"""Samples of an experiment that grows: each once, in the order of arrival."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.composition.sweep_settings import METHODS, SweepSettings
from pipeline.model.errors import RequestError
from pipeline.request.drawn_samples import Interval, drawn
from pipeline.request.merge import united
from pipeline.request.overrides import grid_of_mapping
from pipeline.request.sample_source import SampleSource
from pipeline.request.samples import Samples
from pipeline.request.spec import request_of

#: A few samples, which often have some in common.
SAMPLES = st.lists(
    st.tuples(st.sampled_from([0.01, 0.02, 0.03]), st.sampled_from([10.0, 20.0])),
    min_size=1,
    max_size=6,
    unique=True,
)


def grid(samples, *overrides, axes=()):
    """Return the grid of samples by key."""
    return grid_of_mapping(pipeline.configure(*overrides), dict(axes), samples)


def of_rows(rows):
    """Return the grid of rows of an amplitude and a time constant."""
    columns = dict(zip(["stdp.A_plus", "stdp.tau_plus"], zip(*rows, strict=True), strict=True))
    return grid(columns)


def both(first, second):
    """Return the union of two grids, of which the first one is stored."""
    return united(second, request_of(first))


def columns(made):
    """Return the values by key of the samples of a grid."""
    return {column.key: list(column.values) for column in made.axes[0].columns}


@settings(max_examples=30, deadline=None)
@given(SAMPLES, SAMPLES)
def test_the_union_has_the_first_samples_and_then_the_new_ones(first, second):
    """No sample is there twice, and the keys are those of both."""
    rows = list(dict.fromkeys([*first, *second]))
    assert both(of_rows(first), of_rows(second)).keys == of_rows(rows).keys


def test_a_key_that_only_one_of_them_samples_has_its_constant_value():
    """Also where one of them samples nothing: its only point is a sample."""
    made = both(
        grid({"stdp.A_plus": [0.01, 0.02]}), grid({"input.rate_hz": [3.0]}, "stdp.A_plus=0.03")
    )
    assert columns(made) == {"stdp.A_plus": [0.01, 0.02, 0.03], "input.rate_hz": [15, 15, 3]}
    made = both(grid(None, "stdp.A_plus=0.03"), grid({"stdp.A_plus": [0.01, 0.03]}))
    assert columns(made) == {"stdp.A_plus": [0.03, 0.01]}


def test_choices_unite_as_well():
    """With what they set."""
    made = both(grid({"stdp": ["notebook"], "seed": [1]}), grid({"stdp": ["triplet"], "seed": [1]}))
    assert columns(made) == {"stdp": ["notebook", "triplet"], "seed": [1, 1]}
    assert [point.stdp.name for point in made.points] == ["additive", "triplet"]


def test_an_axis_of_a_sampled_key_is_refused():
    """No dimension could hold both."""
    with pytest.raises(RequestError, match="seed: is sampled there, and an axis here"):
        both(grid({"seed": [1, 2]}), grid(None, axes={"seed": [1, 2]}))


def draw(samples, method="sobol", seed=0, end=40):
    """Return the grid of samples that are drawn."""
    settings_ = SweepSettings(samples=samples, method=method, seed=seed)
    return grid(drawn({"input.rate_hz": Interval(10, end)}, settings_))


@pytest.mark.parametrize("method", ["sobol", "random"])
def test_a_sequence_is_extended(method):
    """Whichever part of it comes first; the generator is that of the longer one."""
    few, many = draw(4, method), draw(8, method)
    for made in (both(few, many), both(many, few)):
        assert made.keys == many.keys
        assert made.axes[0].settings.generator["samples"] == 8


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: draw(8, seed=1), "drawn with sweep.seed=0 there and with sweep.seed=1 here"),
        (lambda: draw(8, "random"), "sweep.method=sobol there and with sweep.method=random here"),
        (lambda: draw(8, end=50), "input.rate_hz=interval.10,40. there and with input.rate_hz=in"),
        (
            lambda: grid({"input.rate_hz": [1.0]}),
            "^samples there are drawn from input.rate_hz=interval.10,40., and those here are not",
        ),
        (
            lambda: grid(Samples({"seed": [1]}, source=SampleSource("sweep.table=p.csv"))),
            "interval.10,40., and those here are of sweep.table=p.csv",
        ),
        (lambda: grid(None), "interval.10,40., and the points here are a grid"),
    ],
)
def test_other_samples_do_not_join_those_that_are_drawn(other, message):
    """They would no longer be the samples of their generator."""
    with pytest.raises(RequestError, match=message):
        both(draw(8), other())


@pytest.mark.parametrize(
    ("earlier", "message"),
    [
        (
            lambda: grid({"seed": [1, 2]}),
            "^samples here are drawn from input.rate_hz=interval.10,40., and those there are not$",
        ),
        (
            lambda: grid(None),
            "^samples here are drawn from input.rate_hz=.*, and the points there are a grid$",
        ),
    ],
)
def test_samples_that_are_drawn_do_not_join_others(earlier, message):
    """Neither other samples nor a grid."""
    with pytest.raises(RequestError, match=message):
        both(earlier(), draw(8))


@pytest.mark.parametrize("method", METHODS)
def test_intervals_in_another_order_are_refused_with_both_orders(method):
    """The order decides which samples are drawn, and is told from other causes."""
    intervals = {"input.rate_hz": Interval(10, 40), "stdp.A_plus": Interval(0.01, 0.1)}
    settings_ = SweepSettings(samples=4, method=method)
    first, other = drawn(intervals, settings_), drawn(dict(reversed(intervals.items())), settings_)
    with pytest.raises(
        RequestError,
        match="in the order input.rate_hz, stdp.A_plus there and in the order stdp.A_plus, input.r"
        "ate_hz here, which gives others",
    ):
        both(grid(first), grid(other))
    assert both(grid(first), grid(first)).keys == grid(first).keys


def test_a_latin_hypercube_cannot_be_extended():
    """The same one can be requested again."""
    assert both(draw(4, "lhs"), draw(4, "lhs")).keys == draw(4, "lhs").keys
    with pytest.raises(RequestError, match="hypercube has 4 samples there and 8 here; it cannot"):
        both(draw(4, "lhs"), draw(8, "lhs"))
    with pytest.raises(RequestError, match="8 samples there and 4 here; the smaller one is no"):
        both(draw(8, "lhs"), draw(4, "lhs"))


def test_a_sequence_that_begins_otherwise_is_refused():
    """As of another version of numpy: its samples are not the first ones of a longer sequence."""
    intervals = {"input.rate_hz": Interval(10, 40)}
    few, many = (drawn(intervals, SweepSettings(samples=n, method="random")) for n in (4, 8))
    generator = {**few.generator, "numpy": "1.0"}
    other = dataclasses.replace(
        few, columns={"input.rate_hz": [11.0, 12.0, 13.0, 14.0]}, generator=generator
    )
    with pytest.raises(
        RequestError,
        match=r"not the first ones of those here \(drawn by numpy 1.0 there and by numpy "
        + re.escape(np.__version__),
    ):
        both(grid(other), grid(many))
    assert both(grid(few), grid(many)).keys == grid(many).keys


def test_a_key_that_follows_the_samples_otherwise_is_named():
    """The samples are the same ones: no version of a package is to blame."""
    samples = drawn({"input.rate_hz": Interval(10, 40)}, SweepSettings(samples=4, method="random"))
    there, here = (
        grid(samples, "stdp.tau_plus=${input.rate_hz}", f"stdp.tau_minus=${{input.{name}}}")
        for name in ("rate_hz", "n_synapses")
    )
    line = r"^samples there set stdp.tau_minus=\d.* where those here set stdp.tau_minus=\d"
    with pytest.raises(RequestError, match=line):
        both(there, here)
