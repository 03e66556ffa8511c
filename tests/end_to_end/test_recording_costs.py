"""Estimates, and the time between checks for a signal or a limit, count what is recorded."""

import re
import time

RECORDED = ("record=history", "record.weight_interval=1", "name=x")


def test_a_point_that_records_ends_soon_after_its_limit(command):
    """10,000 s of a weight sample per ms would take half a minute; the limit is half a second."""
    command("simulation.duration=10", "name=first")  # the kernel is compiled
    started = time.monotonic()
    ended = command(*RECORDED, "simulation.duration=600000", "run.timeout=0.3")
    assert ended.code == 1
    assert "0 done, 1 failed" in ended.out or "1 failed" in ended.out + ended.err
    assert time.monotonic() - started < 1.5


def estimate(answer):
    """Return the seconds of a dry run's estimate."""
    return re.search(r"(?m)^.*(about|less than).*$", answer.out)[0]


def test_the_estimate_counts_what_is_recorded(command):
    """A sample per ms costs many times the simulation."""
    words = ("simulation.duration=600000", "dry_run=true")
    plain, recorded = command(*words), command(*RECORDED, *words)
    assert estimate(plain) != estimate(recorded)
