"""Content keys: their order, and finding many of them at a time."""

import numpy as np
import pytest

import pipeline
from pipeline.request.axis import value_axis
from pipeline.request.grid import Grid
from pipeline.request.keys import Keys
from pipeline.request.overrides import grid_of_mapping

AXES = {
    "seed first": {"seed": [5, 1], "input.rate_hz": [10, 20, 30]},
    "seed last": {"stdp.A_plus": [0.1, 0.2], "input.rate_hz": [10, 20], "seed": range(3)},
    "seed between": {"neuron.tau_m": [10, 20], "seed": [1, 2], "stdp.tau_plus": [10, 20, 30]},
    "no seed": {"stdp": ["notebook", "song_abbott_2001"], "input.rate_hz": [10, 20]},
    "no axis": {},
}


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_every_key_is_that_of_its_point(configure, axes):
    """Each point has the key of its configuration alone, wherever the axis of seeds is."""
    grid = grid_of_mapping(configure(), axes)
    assert list(grid.keys) == [Grid(point.to_mapping()).keys[0] for point in grid.points]
    assert list(grid.keys) == [grid.keys[i] for i in range(len(grid.points))] == grid.keys[:]
    assert dict(grid.points.items()) == dict(zip(grid.keys, grid.points, strict=True))


def test_an_axis_may_set_the_seed_as_well(configure):
    """Where a parameter refers to the seed, each point has its own seed and key."""
    grid = grid_of_mapping(
        configure("neuron.tau_m=${seed}"), {"input.rate_hz": [1], "seed": [9, 8]}
    )
    assert [(p.seed, p.neuron.tau_m) for p in grid.points] == [(9, 9.0), (8, 8.0)]
    assert list(grid.keys) == [Grid(point.to_mapping()).keys[0] for point in grid.points]


def keys_of(*halves):
    """Return keys from pairs of high and low half."""
    return Keys(np.array(halves, dtype=np.uint64))


def test_keys_are_found_by_all_of_their_digits():
    """Keys that share their first half are told apart; equal ones are found at each position."""
    keys = keys_of((7, 1), (3, 5), (7, 2), (7, 1), (2**64 - 1, 0))
    assert keys[0] == f"{7:016x}{1:016x}"
    rows, positions = keys.find([keys[4], f"{7:016x}{9:016x}", keys[0], keys[2]])
    assert rows.tolist() == [0, 2, 2, 3]
    assert positions.tolist() == [4, 0, 3, 2]
    assert keys.first([keys[3], keys[1]]).tolist() == [0, 1]
    assert keys.distinct().tolist() == [0, 1, 2, 4]
    assert not keys.are_distinct()
    assert keys_of((7, 1), (7, 2)).are_distinct()


def test_unknown_keys_are_found_nowhere():
    """An unknown key has no position, and its index is an error."""
    keys, other = keys_of((1, 1), (2, 2)), keys_of((2, 2), (3, 3))
    assert keys.find(other)[1].tolist() == [1]
    assert not keys.cover(other)
    assert keys.cover(keys_of((2, 2)))
    assert other[1] not in keys
    assert other[0] in keys
    assert not any(text in keys for text in ("", "1", "g" * 32, other[0].upper() + "0", None))
    with pytest.raises(ValueError, match="is the key of no point"):
        keys.index(other[1])


@pytest.mark.parametrize("span", [(), (1,), (-2,), (0, 4), (1, -1), (4, 9), (3, 2), (1, 3), (-9,)])
def test_an_index_is_that_of_a_list(span):
    """`index` looks between start and stop, negative ones from the end, as `list.index` does."""
    keys = keys_of((7, 1), (3, 5), (7, 2), (7, 1), (3, 5))
    for text in set(keys):
        try:
            expected = list(keys).index(text, *span)
        except ValueError:
            with pytest.raises(ValueError, match=f"^{text} is the key of no point$"):
                keys.index(text, *span)
        else:
            assert keys.index(text, *span) == expected


def test_points_that_stand_for_others(configure):
    """`unlike` counts the points with each value, and spreads over all where there are many."""
    axes = [value_axis("seed", range(4)), value_axis("input.rate_hz", range(1, 101))]
    points = Grid(configure().to_mapping(), axes).points
    all_rates = points.unlike(["input."], most=1000)
    assert [(p.input.rate_hz, number) for p, number in all_rates] == [
        (rate, 4) for rate in range(1, 101)
    ]
    some = points.unlike(["input."], most=10)
    assert len(some) == 10
    assert [some[0][0].input.rate_hz, some[-1][0].input.rate_hz] == [1, 100]
    assert sum(number for _, number in some) == 400
    assert [number for _, number in points[150:].unlike(["seed"], 5)] == [50, 100, 100]
    assert points[:0].unlike(["input."], 5) == []


MILLION = """
import pipeline
from pipeline.request.overrides import grid_of_mapping
axes = {"seed": range(1000), "input.rate_hz": [10 + i / 100 for i in range(1000)]}
base = pipeline.configure()
before = peak()
grid = grid_of_mapping(base, axes)
assert len(grid.points) == len(grid.keys) == 10**6 and not grid.idle_axes()
assert grid.points[999_999].seed == 999
print(peak() - before)
"""


def test_a_million_points_take_little_memory(run_python):
    """The grid of a million points adds at most 120 MB to the memory of the process."""
    assert int(run_python(MILLION)) < 120_000


def test_points_share_their_sections():
    """Points with the same values of a section share one object."""
    base = pipeline.configure()
    points = grid_of_mapping(base, {"input.rate_hz": [1, 2], "seed": [1, 2]}).points
    assert points[0].input is points[1].input
    assert points[0].input is not points[2].input
    assert points[0].neuron is points[3].neuron
