"""Selection of points by parameter values."""

import pytest
import xarray as xr

from analysis.reading.dataset import axes, open_results, parameter
from analysis.reading.errors import ConditionError
from analysis.reading.select import part_of


@pytest.fixture
def dataset(keep):
    """A sweep over a rate, a rule and seeds."""
    swept = {
        "input.rate_hz": [30, 60],
        "stdp": ["notebook", "song_abbott_2001"],
        "seed": [1, 2],
    }
    with open_results(keep("kept", swept, "simulation.duration=50")) as dataset:
        yield dataset


def test_a_part_has_the_points_at_its_values(dataset):
    """By key or short name, in any notation; described for titles and for names of files."""
    part = part_of(dataset, ["input.rate_hz=6e1", "seed=2"])
    assert axes(part.dataset) == ["stdp"]
    xr.testing.assert_identical(part.dataset["weight"], dataset["weight"].sel(rate_hz=60, seed=2))
    assert part.description == "Input rate 60 Hz, Random seed 2"
    assert part.suffix == "_rate_hz=60.0_seed=2"


def test_a_part_at_a_choice_has_what_the_choice_sets(dataset):
    """Its parameters are those of this choice alone, without an axis."""
    part = part_of(dataset, ["stdp=song_abbott_2001"])
    assert axes(part.dataset) == ["rate_hz", "seed"]
    assert parameter(part.dataset, "stdp.A_plus").item() == 0.005
    assert parameter(part.dataset, "stdp.A_minus").item() == pytest.approx(0.00525)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (
            ["seed"],
            "--where seed: must be KEY=VALUE with one of the axes input.rate_hz, stdp, seed",
        ),
        (["tau_m=10"], "--where tau_m=10: must be KEY=VALUE with one of the axes input.rate_hz"),
        (["seed=3"], "--where seed=3: seed must be one of 1,2"),
        (["rate_hz=x"], "--where rate_hz=x: rate_hz must be one of 30,60"),
        (["seed=1", "seed=2"], "--where seed=2: seed was given twice; one value each"),
    ],
)
def test_what_cannot_be_selected_is_refused(dataset, where, message):
    """Axis, value and what is allowed."""
    with pytest.raises(ConditionError) as refused:
        part_of(dataset, where)
    assert str(refused.value).startswith(message)


def test_a_range_of_an_axis_is_a_part_with_this_axis(dataset):
    """Both ends belong to it; one value that is left is no axis."""
    part = part_of(dataset, ["input.rate_hz=30:60", "seed=:2"])
    assert axes(part.dataset) == ["rate_hz", "stdp", "seed"]
    assert part.description == "Input rate 30 to 60 Hz, Random seed up to 2"
    assert part.suffix == "_rate_hz=30_to_60_seed=up_to_2"
    part = part_of(dataset, ["rate_hz= 3e1:6e1"])
    assert part.suffix == "_rate_hz=30_to_60"
    part = part_of(dataset, ["rate_hz=31:"])
    assert axes(part.dataset) == ["stdp", "seed"]
    xr.testing.assert_identical(part.dataset["weight"], dataset["weight"].sel(rate_hz=60))


@pytest.mark.parametrize("where", [["rate_hz=31:", "rate_hz=60"], ["rate_hz=60", "rate_hz=31:"]])
def test_a_range_and_a_value_of_one_axis_hold_together(dataset, where):
    """Also where the first of them has left one value."""
    part = part_of(dataset, where)
    xr.testing.assert_identical(part.dataset["weight"], dataset["weight"].sel(rate_hz=60))
    with pytest.raises(ConditionError, match="^--where rate_hz=30: rate_hz must be one of 60$"):
        part_of(dataset, ["rate_hz=31:", "rate_hz=30"])
