"""Estimates, and the time between checks for a signal or a limit, count what is recorded."""

import re
import time

RECORDED = ("record=history", "record.weight_interval=1", "name=x")


def test_a_point_that_records_ends_soon_after_its_limit(command):
    """600 s with a weight sample per ms take several seconds; the limit is a third of one."""
    command("simulation.duration=10", "name=first")  # the kernel is compiled
    started = time.process_time()
    ended = command(*RECORDED, "simulation.duration=600000", "run.timeout=0.3")
    assert ended.code == 1
    assert "run.timeout=0.3" in ended.out + ended.err
    assert time.process_time() - started < 1.2  # of the processor, whatever else it does


def test_the_estimate_counts_what_is_recorded(command):
    """A weight sample per ms costs several times the simulation."""
    words = ("simulation.duration=600000", "dry_run=true")
    assert re.search("(?m)^time:? +about a second ", command(*words).out)
    n_seconds = re.search(r"(?m)^time:? +about (\d+) seconds", command(*RECORDED, *words).out)
    assert n_seconds, "no more than a second"
    assert int(n_seconds[1]) > 3
