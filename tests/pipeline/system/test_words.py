"""Numbers in messages."""

from pipeline.system.words import counted, counted_points


def test_one_thing_is_not_several():
    """The noun follows the number."""
    assert [counted(n, "shard") for n in (0, 1, 2)] == ["0 shards", "1 shard", "2 shards"]
    assert counted(1, "more shard") == "1 more shard"
    assert counted_points(2000) == "2,000 points"
