"""Union of requests: one grid with all points of both."""

import dataclasses
import re

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.model.errors import RequestError
from pipeline.model.parameters import by_key
from pipeline.request.axis import choice_axis, value_axis
from pipeline.request.grid import Grid
from pipeline.request.merge import differences, united
from pipeline.request.overrides import grid_of_mapping
from pipeline.request.spec import grid_of_request, request_of
from tests.conftest import SMALL

BASE = pipeline.configure(*SMALL)

VALUES = {
    "input.rate_hz": st.sampled_from([10, 20.0, 30, 40]),
    "stdp.tau_plus": st.sampled_from([10, 20, 25]),
    "stdp.tau_minus": st.sampled_from([10, 20, 30]),
    "stdp.A_plus": st.sampled_from([0.004, 0.008]),
    "stdp.ltd_ratio": st.sampled_from([1.1, 1.2]),
    "stdp.A_minus": st.sampled_from([0.0088, 0.01]),
    "seed": st.sampled_from([0, 1, 2020]),
    "synapse.tau_ex": st.sampled_from([5, 10, 15]),
}

#: The choices of groups, composed once.
CHOICES = {
    axis.key: dict(zip(axis.values, axis.settings, strict=True))
    for key, names in {
        "stdp": ["notebook", "song_abbott_2001"],
        "input": ["poisson", "notebook"],
    }.items()
    for axis in grid_of_mapping(BASE, {key: names}).axes
}


@st.composite
def grids(draw):
    """Draw grids of up to three axes, values and choices."""
    axes = []
    keys = st.sampled_from([*VALUES, *CHOICES, "neuron.tau_m"])
    for key in draw(st.lists(keys, unique=True, max_size=3)):
        if key == "neuron.tau_m" and any(axis.key == "synapse.tau_ex" for axis in axes):
            continue  # refused within one request
        if key == "synapse.tau_ex" and any(axis.key == "neuron.tau_m" for axis in axes):
            continue
        if key in VALUES:
            values = st.lists(VALUES[key], unique=True, min_size=1, max_size=3)
            axes.append(value_axis(key, draw(values)))
        elif key == "neuron.tau_m":
            axis = value_axis(key, draw(st.sampled_from([[10, 15], [20]])))
            followed = "synapse.tau_ex"  # as with synapse.tau_ex=${neuron.tau_m}
            settings = tuple({key: value, followed: value} for value in axis.values)
            axes.append(dataclasses.replace(axis, settings=settings))
        else:
            names = draw(st.lists(st.sampled_from(list(CHOICES[key])), unique=True, min_size=1))
            axes.append(choice_axis(key, names, [CHOICES[key][name] for name in names]))
    return Grid(BASE.to_mapping(), axes)


def written_down(grid):
    """Return the request of a grid after a round trip through YAML."""
    return yaml.safe_load(yaml.dump(request_of(grid), sort_keys=False))


@settings(max_examples=300, deadline=None)
@given(grids(), grids())
def test_a_union_holds_every_point_of_both(one, other):
    """The union of any two requests holds the points of both, or is refused."""
    try:
        union = united(other, written_down(one))
    except RequestError as error:
        assert re.search("none of these choices|depends on both|do not fit|there and", str(error))
        return
    assert {*one.keys, *other.keys} <= {*union.keys}
    own = {axis.key for axis in union.axes}
    for point, index in zip(union.points, np.ndindex(union.shape), strict=True):
        values = by_key(point.to_mapping())
        for axis, i in zip(union.axes, index, strict=True):
            for key, value in axis.settings[i].items():
                assert values[key] == value or key in own - {axis.key}


@settings(max_examples=50, deadline=None)
@given(grids())
def test_a_request_gives_the_same_grid(grid):
    """The request of a grid gives the same grid, with the same keys."""
    again = grid_of_request(written_down(grid))
    assert again.axes == grid.axes
    assert again.keys == grid.keys
    assert united(grid, request_of(grid)) is grid


def grid(*axes, base=BASE):
    """Return the grid of some value axes."""
    return Grid(base.to_mapping(), [value_axis(key, values) for key, values in axes])


def union_of(*grids):
    """Return the axes of the union of requests, made one after the other."""
    first, *others = grids
    for other in others:
        first = united(other, request_of(first))
    return {axis.key: list(axis.values) for axis in first.axes}


def test_values_stay_in_order():
    """Sorted axes stay sorted; others keep their order, and new values are last."""
    assert union_of(grid(("seed", [1, 5])), grid(("seed", [3]))) == {"seed": [1, 3, 5]}
    assert union_of(grid(("seed", [5, 1])), grid(("seed", [3]))) == {"seed": [5, 3, 1]}
    assert union_of(grid(("seed", [5, 1, 7])), grid(("seed", [3]))) == {"seed": [5, 1, 7, 3]}
    names = grid(("input.process", ["poisson"])), grid(("input.process", ["notebook"]))
    assert union_of(*names) == {"input.process": ["poisson", "notebook"]}


def test_a_new_axis_has_the_old_points_at_their_default():
    """A constant of one request is a value on the axis of the other."""
    seeds, amplitudes = grid(("seed", [1, 2])), grid(("stdp.A_plus", [0.004, 0.016]))
    assert union_of(seeds, amplitudes) == {
        "seed": [1, 2, 2020],
        "stdp.A_plus": [0.004, 0.008, 0.016],
    }
    # What follows other parameters when null had their values.
    widths, halves = grid(("stdp.tau_plus", [10, 20])), grid(("stdp.tau_minus", [30]))
    assert union_of(widths, halves) == {
        "stdp.tau_plus": [10, 20],
        "stdp.tau_minus": [10, 20, 30],
    }


def test_axes_are_in_the_requested_order():
    """A request with all axes sets their order; one with fewer does not."""
    a, b = ("seed", [1, 2]), ("input.rate_hz", [10, 20])
    assert list(union_of(grid(a, b), grid(b, a))) == ["input.rate_hz", "seed"]
    assert list(union_of(grid(a, b), grid(b))) == ["seed", "input.rate_hz"]


def test_values_equal_up_to_rounding_are_one():
    """0.1 + 0.2 and 0.3 are one value."""
    thirds = grid(("stdp.A_plus", [0.1 + 0.2])), grid(("stdp.A_plus", [0.3, 3 / 10, 0.4][::2]))
    assert union_of(*thirds) == {"stdp.A_plus": [0.3, 0.4]}
    assert thirds[0].keys[0] == thirds[1].keys[0]
    product = pipeline.configure(*SMALL, "stdp.A_plus=0.003", "stdp.ltd_ratio=1.1")
    spelt = pipeline.configure(*SMALL, "stdp.A_plus=0.003", "stdp.A_minus=0.0033")
    assert 1.1 * 0.003 != 0.0033
    assert grid(base=product).keys == grid(base=spelt).keys


def test_changed_choices_are_refused():
    """A choice whose file has changed is not merged with the earlier one."""
    now = grid_of_mapping(BASE, {"stdp": ["notebook", "song_abbott_2001"]})
    then = request_of(now)
    then["axes"]["stdp"]["notebook"] = then["axes"]["stdp"]["notebook"] | {"stdp.tau_plus": 19.0}
    with pytest.raises(
        RequestError, match=r"^stdp=notebook: sets stdp.tau_plus=19.0 there and stdp.tau_plus=20.0"
    ):
        united(now, then)
    changed = request_of(grid())
    changed["stdp"] = changed["stdp"] | {"tau_plus": 19.0}
    with pytest.raises(RequestError, match=r"^stdp=notebook,song_abbott_2001: the constants there"):
        united(now, changed)
    assert differences(grid(), changed) == {"stdp.tau_plus": (19.0, 20.0)}


def test_another_version_is_refused():
    """Requests of another version of the model are refused."""
    with pytest.raises(RequestError, match=r"^made by model version 1, and this is version \d+"):
        united(grid(), request_of(grid()) | {"model_version": 1})
