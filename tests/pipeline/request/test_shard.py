"""Division of points among shards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline
from pipeline.composition.shard import MOST_SHARDS, Shard
from pipeline.request.keys import keys_of
from pipeline.request.overrides import grid_of_mapping
from tests.conftest import SMALL


@given(
    st.lists(st.integers(0, 2**128 - 1), min_size=1),
    st.integers(1, MOST_SHARDS),
)
def test_the_remainder_is_that_of_a_number_of_128_bits(numbers, divisor):
    """Computed from two halves without overflow, as by Python's own integers."""
    digests = b"".join(number.to_bytes(16, "big") for number in numbers)
    remainders = keys_of(digests, len(numbers)).modulo(divisor)
    assert remainders.tolist() == [number % divisor for number in numbers]


@pytest.mark.parametrize("total", [1, 2, 7, 40])
def test_every_point_is_of_one_shard(total):
    """The shards of any number divide the points among them."""
    keys = pipeline_grid(range(50)).keys
    parts = [keys.of_shard(Shard(i, total)) for i in range(1, total + 1)]
    assert sorted(np.concatenate(parts)) == list(range(50))


def test_a_point_stays_in_its_shard_when_an_axis_grows():
    """Its key decides, not its place on the grid."""
    small, large = pipeline_grid(range(10, 20)), pipeline_grid(range(25))
    for number in range(1, 5):
        before = {small.keys[i] for i in small.keys.of_shard(Shard(number, 4))}
        after = {large.keys[i] for i in large.keys.of_shard(Shard(number, 4))}
        assert before == after & {*small.keys}


def pipeline_grid(seeds):
    """Return a grid of some seeds."""
    return grid_of_mapping(pipeline.configure(*SMALL), {"seed": list(seeds)})
