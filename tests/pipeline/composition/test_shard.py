"""The values of `run.shard`."""

import pytest

from pipeline.composition.compose import default_run_settings
from pipeline.composition.shard import Shard, shard_of
from pipeline.model.errors import RequestError


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
