"""A few trials of each campaign of `make soak`; the counts are printed after the tests."""

import random

import pytest

from tests.soak.damage import damage_and_repair
from tests.soak.full_disk import fill_and_resume
from tests.soak.growth import KINDS, damage_and_grow, kill_and_grow, move_and_grow
from tests.soak.kills import kill_and_resume
from tests.soak.moves import fail_jobs, move_and_repeat
from tests.soak.operations import fail_operations
from tests.soak.requests import make_requests

pytestmark = pytest.mark.long


@pytest.fixture
def chance():
    """Random generator with a fixed seed; `make soak` has random ones."""
    return random.Random(2020)


def test_a_killed_sweep_resumes_to_identical_results(chance, tmp_path, tried):
    """SIGINT, SIGTERM and SIGKILL at random times lose no finished point."""
    counts = kill_and_resume(4, chance, tmp_path)
    tried("kills", counts)
    assert counts["kills"] == 4
    assert counts["ended by the signal"] >= 1
    assert counts["resumed from a part of the points"] >= 1


def test_a_damaged_directory_is_repaired(chance, tmp_path, tried):
    """Bits flipped, bytes overwritten, files truncated or deleted: the next run repairs them."""
    counts = damage_and_repair(16, chance, tmp_path)
    tried("damage", counts)
    assert counts["repaired with identical results"] == 16
    assert all(counts[kind] for kind in ("bits flipped", "truncated", "overwritten", "deleted"))


def test_a_directory_that_is_renamed_or_copied_in_part_is_the_same_experiment(
    chance, tmp_path, tried
):
    """Amid a sweep, and without hidden files, results, records or points: nothing is lost."""
    counts = move_and_repeat(6, chance, tmp_path)
    tried("moves", counts)
    assert counts["repeated with identical results"] == 6
    assert counts["renamed while written"] >= 1
    assert counts["without .lock"] >= 1


def test_sweeps_that_go_on_survive_kills(chance, tmp_path, tried):
    """Until settled or longer, with rising durations: the bits of an uninterrupted run."""
    counts = kill_and_grow(2, chance, tmp_path)
    tried("kills of growth", counts)
    assert counts["identical results, reproduced"] == 2
    assert counts["killed when batches were on disk"] >= 1


def test_sweeps_that_go_on_survive_damage_and_moves(chance, tmp_path, tried):
    """Points whose end states are lost are run again, with the same results."""
    for campaign in (damage_and_grow, move_and_grow):
        counts = campaign(4, chance, tmp_path)
        tried(campaign.__name__.replace("_", " "), counts)
        assert all(counts[kind] == 1 for kind in KINDS)


def test_a_job_that_fails_keeps_no_other_from_running(chance, tmp_path, tried):
    """Jobs of Hydra's own sweeper: all run, and the exit code is 1."""
    counts = fail_jobs(2, chance, tmp_path)
    tried("jobs", counts)
    assert counts["jobs that failed"] >= 1
    assert counts["other jobs, which ran"] >= 1


def test_a_full_disk_is_one_line_and_loses_nothing(chance, tmp_path, tried):
    """Whichever file cannot be written: an error message, and a resume to identical results."""
    counts = fill_and_resume(3, chance, tmp_path)
    tried("full disk", counts)
    assert counts["exit code 1"] >= 1
    assert counts["resumed with identical results"] == 3


def test_an_operation_on_a_file_that_fails_is_one_line_and_loses_nothing(chance, tmp_path, tried):
    """Opened, listed, locked, made, renamed or removed: each kind fails once, the rest is whole."""
    counts = fail_operations(18, chance, tmp_path)
    tried("file operations", counts)
    assert counts["repeated with identical results"] == 18
    assert all(counts[kind] for kind in ("open", "os.listdir", "os.mkdir", "os.rename"))
    assert counts["exit code 1"] >= 5


def test_an_invalid_request_is_refused_in_one_line(chance, tmp_path, tried):
    """Random requests are accepted or refused with exit code 2; a refusal leaves no file."""
    counts = make_requests(30, chance, tmp_path)
    tried("requests", counts)
    assert counts["refused"] >= 15
