"""Fields that are lists of numbers: every way in, as values and on axes; what is refused."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pipeline
from pipeline.composition.help_text import answer
from pipeline.model.errors import RequestError
from pipeline.model.number_lists import value_of_text
from pipeline.model.parameters import Configuration
from pipeline.model.processes.groups import Groups
from pipeline.model.quantity import Quantity, override_text, quantity, written
from pipeline.request.axis import restored_axis, value_axis
from pipeline.request.grid import Grid
from pipeline.request.merge import united
from pipeline.request.overrides import grid_of_mapping
from pipeline.request.spec import grid_of_request, request_of

SIZES = "input.group_sizes"
RATES = Quantity("rates", "Hz", at_least=0, per_group=True)


@pytest.fixture
def composed():
    """Return a short run with groups."""
    return pipeline.configure("input=groups", "simulation.duration=200")


@pytest.mark.parametrize(
    "given",
    [
        [10, 20],
        (10.0, 20.0),
        np.array([10, 20]),
        np.array([10, 20], dtype=np.float32),
        pd.Series([10, 20]),
        xr.DataArray([10.0, 20.0]),
    ],
)
def test_a_list_of_any_type_becomes_a_tuple(given):
    """Of floats where the kind is float; it does not change any more."""
    assert RATES.admit("a.b", given) == (10.0, 20.0)
    assert all(type(number) is float for number in RATES.admit("a.b", given))


def test_a_number_stays_a_number():
    """It is that of all groups; an array without dimensions is one as well."""
    assert RATES.admit("a.b", 10) == 10 and RATES.admit("a.b", np.array(10)) == 10


@pytest.mark.parametrize(
    "given", [[], (), [[1, 2]], [1, "2"], [1, None], [1, True], [1, np.nan], [1, -1], "[1,2]", {}]
)
def test_other_lists_are_refused_in_one_line(given):
    """Empty, nested, of text, null or truth values, not finite, out of bounds; and text itself."""
    with pytest.raises(RequestError, match=r"^a.b=.*: rates must be a finite number >= 0 Hz, or "):
        RATES.admit("a.b", given)


def test_a_list_where_a_number_is_meant_is_refused(composed):
    """With what it is as an axis."""
    with pytest.raises(RequestError, match=r"rate_hz=\[1,2\]: .*; as an axis it is input.rate_hz="):
        composed.replaced({"input.rate_hz": [1, 2]})


def test_all_doors_give_the_same_configuration(composed):
    """Overrides with and without spaces, `replaced`, and plain values as from YAML."""
    by_words = pipeline.configure(*composed.overrides, f"{SIZES}=[250,50]")
    assert by_words.input.group_sizes == (250, 50)
    assert pipeline.configure(*composed.overrides, f"{SIZES}=[250, 50]") == by_words
    replaced = composed.replaced({SIZES: np.array([250, 50])})
    assert replaced == by_words
    assert replaced.overrides[-1] == f"{SIZES}=[250,50]"
    plain = by_words.to_mapping()
    assert plain["input"]["group_sizes"] == [250, 50]
    assert Configuration.from_mapping(plain) == by_words
    assert hash(by_words.input) == hash(replaced.input)
    assert "[250,50]" in by_words._repr_html_()


def test_text_and_overrides_give_the_list_back():
    """As on the command line, to 15 digits."""
    assert override_text(SIZES, (250, 50)) == f"{SIZES}=[250,50]"
    assert written("a", (10.0, 0.1 + 0.2)) == "a=[10,0.3]"
    assert value_of_text("[10,0.3]") == [10, 0.3] and value_of_text("10") == 10
    assert value_of_text("[10,") == "[10," and value_of_text([1]) == [1]


def test_an_axis_of_lists_has_texts_as_its_coordinate():
    """Also where one value is a number; an axis of numbers alone has these."""
    axis = value_axis("input.group_rates_hz", [10, [10, 20.5]])
    assert axis.values == (10.0, (10.0, 20.5))
    assert axis.coordinate == ["10", "[10,20.5]"]
    assert axis.text == "10.0,[10,20.5]"
    assert restored_axis(axis.key, axis.coordinate) == axis
    assert value_axis("input.group_rates_hz", [10, 20]).coordinate == [10.0, 20.0]


def test_a_list_is_repeated_if_its_numbers_are():
    """However they are written."""
    with pytest.raises(RequestError, match=r"group_rates_hz=\[1,2\]: repeated on its axis"):
        value_axis("input.group_rates_hz", [[1, 2], (1.0, 2.0)])


def test_each_list_makes_its_own_key(composed):
    """Other numbers, another order, or a number in place of the list."""
    lists = [[100, 200], [200, 100], [100, 100]]
    grid = grid_of_mapping(composed, {SIZES: lists, "input.group_rates_hz": [10, [10, 10]]})
    assert len(set(grid.keys)) == 6
    one = Grid(composed.replaced({SIZES: [200, 100], "input.group_rates_hz": [10, 10]}))
    assert one.keys[0] in grid.keys
    assert grid.describe(1) == "group_sizes=[100,200], group_rates_hz=[10,10]"


def test_a_request_is_restored_from_plain_values_and_from_texts(composed):
    """From YAML, where a list is a list, and from a file, where it is the coordinate."""
    grid = grid_of_mapping(composed, {SIZES: [[100, 200], [300]], "input.group_rates_hz": [5, 6]})
    request = request_of(grid)
    assert request["axes"][SIZES] == [[100, 200], [300]]
    assert grid_of_request(request).keys == grid.keys
    texts = {SIZES: ["[100,200]", "[300]"], "input.group_rates_hz": [5.0, 6.0]}
    assert grid_of_request(request | {"axes": texts}).keys == grid.keys


def test_requests_with_and_without_the_axis_are_united(composed):
    """A constant list becomes a value on the axis of the other request, in either order."""
    constant = Grid(composed.replaced({SIZES: [100, 50]}))
    swept = grid_of_mapping(composed, {SIZES: [[200, 100], [150, 150]]})
    for asked, earlier in ((constant, swept), (swept, constant)):
        union = united(asked, request_of(earlier))
        assert set(union.axes[0].values) == {(200, 100), (150, 150), (100, 50)}
        assert union.keys.cover(swept.keys) and union.keys.cover(constant.keys)


def test_a_constant_list_that_is_on_the_other_axis_adds_no_value(composed):
    """It is the same value there, whichever request is the earlier one."""
    constant = Grid(composed.replaced({SIZES: [150, 150]}))
    swept = grid_of_mapping(composed, {SIZES: [[200, 100], [150, 150]]})
    for asked, earlier in ((constant, swept), (swept, constant)):
        assert united(asked, request_of(earlier)).shape == (2,)


def test_lists_and_numbers_of_two_requests_keep_their_order(composed):
    """They are not sorted: lists have no order but the user's, and none with numbers."""
    earlier = grid_of_mapping(composed, {"input.group_rates_hz": [[9, 9], 10]})
    asked = grid_of_mapping(composed, {"input.group_rates_hz": [[1, 2], [1, 3]]})
    union = united(asked, request_of(earlier))
    assert union.axes[0].values == ((9.0, 9.0), 10.0, (1.0, 2.0), (1.0, 3.0))


def test_help_says_that_it_may_be_a_list():
    """In the table of `--help` and in the answer to `key=?`."""
    said = answer(SIZES, [])
    assert said == (
        f"{SIZES}  whole, 1 to 10000000; or [...], one per group  "
        "number of synapses of each group (null: no groups)"
    )


@dataclass(frozen=True)
class TwoLists(Groups):
    """A process of a user's own with a further list."""

    name: ClassVar[str] = "two_lists"

    group_delays: float = quantity("delay of each group", "ms", at_least=0, per_group=True)


def test_a_process_of_the_users_own_has_lists():
    """They must fit its groups as well."""
    values = {"process": "two_lists", "n_synapses": 5, "rate_hz": 1, "group_sizes": [2, 3]}
    assert TwoLists(**values, group_delays=[1, 2]).group_delays == (1.0, 2.0)
    with pytest.raises(RequestError, match=r"^input.group_delays=\[1,2,3\]: must be one number"):
        TwoLists(**values, group_delays=[1, 2, 3])
