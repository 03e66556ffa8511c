"""The grid: order, validation and keys of its points."""

import itertools

import pytest

from pipeline.model.errors import RequestError
from pipeline.request.axis import MOST_POINTS, choice_axis, value_axis
from pipeline.request.grid import Grid

NINE_AXES = {
    "input.rate_hz": [10, 20],
    "stdp.A_plus": [0.004, 0.008],
    "stdp.A_minus": [0.005, 0.009],
    "stdp.ltd_ratio": [1.0, 1.1],
    "stdp.tau_plus": [10, 20],
    "stdp.tau_minus": [15, 30],
    "neuron.tau_m": [10, 15],
    "synapse.w_init": [0.2, 0.6],
    "seed": [0, 1],
}


SEEDS = value_axis("seed", range(3))


def value_of(point, key):
    """Return the value of a key such as `stdp.A_plus` in a configuration."""
    for name in key.split("."):
        point = getattr(point, name)
    return point


@pytest.mark.parametrize("key", NINE_AXES)
def test_each_axis_sets_its_key_and_nothing_else(configure, key):
    """Along an axis its key has its values, and all other keys those of the base."""
    base = configure()
    points = Grid(base.to_mapping(), [value_axis(key, NINE_AXES[key])]).points
    assert [value_of(point, key) for point in points] == NINE_AXES[key]
    section, _, short_name = key.rpartition(".")
    for point in points:
        mapping, expected = point.to_mapping(), base.to_mapping()
        for nested in (mapping, expected):
            (nested[section] if section else nested).pop(short_name)
        assert mapping == expected


def test_all_axes_together_form_the_product_in_order(configure):
    """Nine axes of two values are 512 points, the last axis fastest."""
    grid = Grid(
        configure().to_mapping(), [value_axis(key, values) for key, values in NINE_AXES.items()]
    )
    assert grid.shape == (2,) * 9
    expected = list(itertools.product(*NINE_AXES.values()))
    assert [tuple(value_of(p, key) for key in NINE_AXES) for p in grid.points] == expected


def key_of(point):
    """Return the content key of a point."""
    return Grid(point.to_mapping()).keys[0]


def test_integer_and_float_are_one_value(configure):
    """10 and 10.0 are the same value on an axis, and have the same content key."""
    with pytest.raises(RequestError, match=r"^input\.rate_hz=10\.0: repeated on its axis"):
        value_axis("input.rate_hz", [10, 10.0])
    assert key_of(configure("input.rate_hz=20")) == key_of(configure("input.rate_hz=2e1"))


def test_the_key_is_of_the_resolved_configuration(configure):
    """Null and its resolved value have the same key; every other parameter changes it."""
    base = key_of(configure())
    assert key_of(configure("stdp.tau_minus=20")) == base
    given = configure("stdp.A_minus=0.01")
    assert key_of(given) == key_of(configure("stdp.A_minus=0.01", "stdp.ltd_ratio=3"))
    changed = {
        "neuron.t_ref=1",
        "synapse.tau_ex=4",
        "stdp.tau_minus=19",
        "input=notebook",
        "seed=1",
        "simulation.duration=400",
        "record.spike_times=true",
        "input.rate_hz=39",
    }
    assert len({key_of(configure(change)) for change in changed} | {base}) == 1 + len(changed)


def test_the_1999th_value_is_checked_too(configure):
    """A combination of values that is not allowed is found before any run."""
    rates = [*range(1, 1999), 2500]
    with pytest.raises(RequestError, match=r"^input\.rate_hz=2500\.0: .* <= 2000 Hz"):
        Grid(configure("simulation.dt=0.5").to_mapping(), [value_axis("input.rate_hz", rates)])
    dts = value_axis("simulation.dt", [0.1, 1.0])
    with pytest.raises(RequestError, match=r"with simulation\.dt=1 ms"):
        Grid(configure().to_mapping(), [value_axis("input.rate_hz", [*range(1, 999), 1500]), dts])


def test_an_axis_given_twice_is_refused(configure):
    """Two axes of one key are refused."""
    axis = value_axis("seed", [1, 2])
    with pytest.raises(RequestError, match="^seed: the axis is given twice"):
        Grid(configure().to_mapping(), [axis, axis])


def test_too_many_points_are_refused_at_once(configure):
    """A billion points are refused by their number, before they are built."""
    axes = [value_axis(key, range(1, 1001)) for key in ("seed", "stdp.tau_plus", "neuron.tau_m")]
    with pytest.raises(RequestError, match=f"1000 x 1000 x 1000 points; .* <= {MOST_POINTS}"):
        Grid(configure().to_mapping(), axes)


def test_traces_need_one_time_axis(configure):
    """Traces of runs with different time steps cannot share a coordinate."""
    with pytest.raises(RequestError, match=r"record\.traces=true: .* simulation\.dt is swept"):
        Grid(configure("record=everything").to_mapping(), [value_axis("simulation.dt", [0.5, 1])])


def test_a_single_key_overrides_the_choice_of_a_group(configure):
    """The axis of a single key overrides the choice of its group, in either order of the axes."""
    choice = choice_axis(
        "stdp",
        ["slow", "fast"],
        [
            {"stdp.tau_plus": 40.0, "stdp.A_plus": 0.001},
            {"stdp.tau_plus": 5.0, "stdp.A_plus": 0.002},
        ],
    )
    value = value_axis("stdp.A_plus", [0.1, 0.2])
    for axes in ([choice, value], [value, choice]):
        points = Grid(configure().to_mapping(), axes).points
        assert {(p.stdp.tau_plus, p.stdp.A_plus) for p in points} == {
            (40.0, 0.1),
            (40.0, 0.2),
            (5.0, 0.1),
            (5.0, 0.2),
        }


def test_only_points_are_checked_not_the_base(configure):
    """The base may be invalid where the axes replace its values."""
    base = configure().to_mapping()
    base["synapse"]["tau_ex"] = 0.8
    grid = Grid(base, [value_axis("simulation.dt", [0.1, 0.2])])
    assert [point.simulation.dt for point in grid.points] == [0.1, 0.2]


def test_a_point_is_described_by_its_values(configure):
    """A point is described by its values on the axes."""
    axes = [value_axis("input.rate_hz", [10, 20]), value_axis("seed", [1, 2, 3])]
    grid = Grid(configure().to_mapping(), axes)
    assert grid.describe(4) == "rate_hz=20.0, seed=2"
    alone = Grid(configure().to_mapping())
    assert alone.describe(0) == "the only point"


def test_an_axis_without_effect_is_detected(configure):
    """ltd_ratio has no effect where A_minus is given."""
    axes = [value_axis("stdp.ltd_ratio", [1, 2]), value_axis("seed", [1, 2])]
    assert [a.key for a in Grid(configure("stdp.A_minus=0.1").to_mapping(), axes).idle_axes()] == [
        "stdp.ltd_ratio"
    ]
    assert Grid(configure().to_mapping(), axes).idle_axes() == []


def test_constants_are_what_no_axis_sets(configure):
    """Swept keys are not among the constants, nor are all keys of a swept group."""
    constants = Grid(
        configure().to_mapping(), [value_axis("stdp.A_plus", [1]), value_axis("seed", [1])]
    )
    constants = constants.constants()
    assert "seed" not in constants
    ratios = {"ltd_ratio", "effective_ltd_ratio"}
    others = {"rule", "A_minus", "tau_plus", "tau_minus", "pairing", "coincidence"}
    assert set(constants["stdp"]) == others | ratios


@pytest.mark.parametrize("axes", [[], [value_axis("stdp.A_plus", [0.01, 0.02])], [SEEDS]])
def test_a_grid_of_a_configuration_is_that_of_its_mapping(configure, axes):
    """Its sections are taken where no axis sets a key of theirs: same keys, same points."""
    configuration = configure("stdp.tau_minus=30", "seed=7")
    taken, made = Grid(configuration, axes), Grid(configuration.to_mapping(), axes)
    assert taken.keys == made.keys
    assert list(taken.points) == list(made.points)
    assert taken.points[0].neuron is configuration.neuron
    assert (taken.points[0].stdp is configuration.stdp) == (not axes or axes == [SEEDS])
