"""Events of the user's own: what is refused, and the cells of the lattice that they become."""

import pickle

import numpy as np
import pytest

from pipeline.model import event_sources
from pipeline.model.errors import RequestError
from pipeline.model.event_content import read_events
from pipeline.model.event_sources import EventArrays, EventFile
from tests.support.contents import random_events


def content_of_pair(*events):
    """Read and check a pair of arrays."""
    return read_events(EventArrays.of(events))


@pytest.mark.parametrize("block", [1, 7, 16_384])
def test_cells_rise_wherever_blocks_end(monkeypatch, block):
    """Events of a step are sorted by synapse, also those that are in two blocks."""
    monkeypatch.setattr(event_sources, "BLOCK", block)
    times, synapses = random_events(1, n_synapses=9, duration=60)
    expected = np.sort((times * 9 + synapses).astype(int))
    chunks = list(content_of_pair(times, synapses).cells(1.0, 9, 60))
    np.testing.assert_array_equal(np.concatenate(chunks), expected)
    steps = [set((chunk // 9).tolist()) for chunk in chunks]
    assert sum(map(len, steps)) == len(set().union(*steps))  # no step is in two chunks


def test_an_event_is_in_the_nearest_step():
    """Also where its time is no multiple of the time step."""
    cells = content_of_pair([0.04, 0.06, 0.3, 0.34, 0.36], [0, 1, 0, 1, 2]).cells(0.1, 3, 10)
    assert np.concatenate(list(cells)).tolist() == [0, 4, 9, 10, 14]


def test_events_beyond_the_last_step_are_left_out():
    """A shorter run has the first events of a longer one, as a trial of a dry run needs."""
    events = content_of_pair([0, 1, 5, 1e300], [0, 1, 0, 1])
    assert np.concatenate(list(events.cells(1.0, 2, 5))).tolist() == [0, 3]
    assert events.up_to(5.0).digest == content_of_pair([0, 1], [0, 1]).digest


def test_a_duplicate_is_found_across_blocks(monkeypatch):
    """It depends on the time step: two events 0.4 ms apart are in one step of 1 ms."""
    monkeypatch.setattr(event_sources, "BLOCK", 2)
    events = content_of_pair([0.0, 2.8, 3.0, 3.2], [2, 1, 0, 1])
    assert events.first_duplicate(1.0) == (3.0, 1)
    assert events.first_duplicate(0.1) is None


def test_the_hash_is_of_the_numbers():
    """Types, layout in memory and negative zero do not matter, order does."""
    one = content_of_pair([0.0, 1.0, 1.0], [0, 1, 2])
    assert content_of_pair(np.array([-0.0, 1, 1], "f4"), np.array([0, 1, 2], "u1")) == one
    assert content_of_pair([0, 1, 1], [0.0, 1.0, 2.0]).digest == one.digest
    strided = np.repeat([0, 1, 1], 2).astype(">f8")[::2], np.repeat([0, 1, 2], 2)[::2]
    assert content_of_pair(*strided).digest == one.digest
    assert content_of_pair([0, 1, 1], [0, 2, 1]).digest != one.digest


def test_workers_get_a_path():
    """What is pickled does not grow with the events; it has the same ones."""
    events = content_of_pair(np.arange(100_000), np.zeros(100_000, int))
    sent = pickle.dumps(events)
    assert len(sent) < 2_000
    again = pickle.loads(sent)
    assert isinstance(again.source, EventFile) and again == again
    assert again.digest == events.digest == read_events(again.source).digest


def test_a_file_that_changes_is_noticed(tmp_path):
    """Before any event of it is used."""
    np.savez(tmp_path / "a.npz", times=[0.0], synapses=[0])
    events = read_events(EventFile.at(tmp_path / "a.npz"))
    np.savez(tmp_path / "a.npz", times=[0.0, 1.0], synapses=[0, 0])
    with pytest.raises(RequestError, match=r"a\.npz: has changed since it was read"):
        list(events.blocks())


REFUSED = [
    (([5.0, 4.0], [0, 0]), r"an event at 4 ms comes after one at 5 ms; times must rise"),
    (([-0.1, 4.0], [0, 0]), r"an event at -0\.1 ms: must be at >= 0 ms"),
    (([0.0, np.nan], [0, 0]), r"an event at nan: every time must be a finite number of ms"),
    (([0.0, np.inf], [0, 0]), r"an event at inf: every time must be a finite number of ms"),
    ((np.ma.masked_equal([0.0, 1.0], 1), [0, 0]), r"an event at nan: every time must be"),
    (([0.0, 1.0], [0, -1]), r"synapse -1 of an event: must be an index from 0 to below input\.n_"),
    (([0.0, 1.0], [0, 10**7]), r"synapse 10000000 of an event: must be an index from 0 to below"),
    (([0.0, 1.0], [0, 0.5]), r"synapse 0\.5 of an event: must be a whole number"),
    (([0.0, 1.0], [0, np.nan]), r"synapse nan of an event: must be a whole number"),
    (([0.0, 1.0], [0]), r"times of shape \(2,\) and synapses of shape \(1,\): must be of one"),
    (([[0.0, 1.0]], [[0, 1]]), r"of shape \(1, 2\) .*: must be of one length, \(n_events,\)"),
    ((["0", "1"], [0, 1]), r"times must be numbers, in ms"),
    (([0, 1], [True, False]), r"synapses must be whole numbers, indices of synapses"),
    (([0, 1],), r"events: must be two lists of one length, times in ms and indices of synapses"),
    (([[0], [1, 2]], [0, 1]), r"events: must be two lists of one length"),
]


@pytest.mark.parametrize(("given", "said"), REFUSED)
def test_what_no_events_are_is_refused(given, said):
    """In one line that says what is allowed."""
    with pytest.raises(RequestError, match=said) as refusal:
        content_of_pair(*given)
    assert "\n" not in str(refusal.value)
