"""Division of points among shards, and the values of `run.shard`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline
from pipeline.model.errors import RequestError
from pipeline.request.compose import default_run_settings
from pipeline.request.keys import keys_of
from pipeline.request.overrides import grid_of_mapping
from pipeline.request.shard import MOST_SHARDS, Shard, shard_of
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


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "1/0", "a/b", "1/2/3", "-1/4", "1/9999999"])
def test_another_text_is_refused(text):
    """In one line with the key, the value and what is allowed."""
    with pytest.raises(RequestError, match=r"run\.shard=.*must be i/n, shard i of n with 1 <= i"):
        default_run_settings(shard=text)


def test_settings_without_it_are_complete():
    """A user's own file of run settings need not have the key."""
    assert default_run_settings().shard is None
    assert shard_of("3/16") == Shard(3, 16)
    assert default_run_settings(shard="slurm").shard == "slurm"
