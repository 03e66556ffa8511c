"""A few trials of each campaign of `make soak`; what was tried is told at the end of the tests."""

import random

import pytest

from tests.soak.damage import damage_and_repair
from tests.soak.full_disk import fill_and_make_room
from tests.soak.kills import kill_and_resume
from tests.soak.requests import ask_for_nonsense


@pytest.fixture
def chance():
    """The same trials every time; other ones are the campaigns' matter."""
    return random.Random(2020)


def test_a_killed_sweep_goes_on_to_the_same_numbers(chance, tmp_path, tried):
    """SIGINT, SIGTERM and SIGKILL at random moments lose nothing that had finished."""
    tried("kills", kill_and_resume(6, chance, tmp_path))


def test_a_damaged_directory_is_repaired(chance, tmp_path, tried):
    """Bytes flipped, cut off and overwritten in any file: the next run repairs them."""
    tried("damage", damage_and_repair(30, chance, tmp_path))


def test_a_full_disk_is_one_line_and_what_was_there_stays(chance, tmp_path, tried):
    """Whichever file cannot be written: a line that says so, and nothing lost."""
    tried("full disk", fill_and_make_room(3, chance, tmp_path))


def test_nonsense_is_refused_in_one_line(chance, tmp_path, tried):
    """Whatever a user types is run or refused with exit code 2, and a refusal leaves no trace."""
    tried("requests", ask_for_nonsense(60, chance, tmp_path))
