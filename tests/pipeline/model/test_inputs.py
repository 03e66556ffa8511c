"""Input events: distribution, order, and dependence on the seed alone."""

import itertools

import numpy as np
import pytest

from pipeline.model import inputs
from pipeline.model.errors import RequestError
from pipeline.model.inputs import (
    bernoulli_cells,
    random_generator,
)
from pipeline.model.lattice import active_synapses, given_cells
from pipeline.model.processes.notebook import Notebook
from tests.conftest import golden


def notebook(**values):
    """Return the notebook's process."""
    return Notebook(process="notebook", **values)


def cells_of(chunks):
    """Return all events of a process in one array."""
    return np.concatenate([np.empty(0, dtype=np.int64), *chunks])


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_bernoulli_is_deterministic_at_its_limits(p):
    """No spike at probability 0, one in every cell at probability 1."""
    cells = cells_of(bernoulli_cells(p, 7, 5000, seed=3))
    np.testing.assert_array_equal(cells, np.arange(7 * 5000 * int(p)))


def test_events_increase_and_stay_in_the_lattice():
    """Events come in time order, each cell once, none beyond the end."""
    cells = cells_of(bernoulli_cells(0.02, 300, 20_000, seed=1))
    assert (np.diff(cells) > 0).all()
    assert cells[0] >= 0
    assert cells[-1] < 300 * 20_000


@pytest.mark.parametrize("p", [0.001, 0.015, 0.3, 0.9])
def test_spike_count_has_the_binomial_mean_and_variance(p):
    """Over 400 seeds of 2,000 cells, mean and variance are those of 2,000 Bernoulli trials."""
    n_cells, n_seeds = 2000, 400
    counts = [cells_of(bernoulli_cells(p, 4, n_cells // 4, seed)).size for seed in range(n_seeds)]
    mean, variance = n_cells * p, n_cells * p * (1 - p)
    assert abs(np.mean(counts) - mean) < 4 * np.sqrt(variance / n_seeds)
    assert 0.7 < np.var(counts) / variance < 1.35  # 4 sd of a chi-square with 399 degrees: 0.28


def test_every_pattern_of_neighbouring_cells_has_its_probability():
    """Cells are independent: the 8 patterns of 3 neighbours occur as products of p and 1 - p."""
    p, n = 0.3, 300_000
    dense = np.zeros(n, dtype=int)
    dense[cells_of(bernoulli_cells(p, 3, n // 3, seed=5))] = 1
    patterns = dense.reshape(-1, 3) @ [4, 2, 1]
    seen = np.bincount(patterns, minlength=8)
    expected = np.array(
        [np.prod([p if b else 1 - p for b in bits]) for bits in itertools.product((0, 1), repeat=3)]
    ) * (n // 3)
    chi_square = ((seen - expected) ** 2 / expected).sum()
    assert chi_square < 24.3  # 0.999 quantile at 7 degrees of freedom


def test_events_do_not_depend_on_the_chunk_length(monkeypatch):
    """The same seed gives the same events for any number of gaps per chunk."""
    whole = cells_of(bernoulli_cells(0.01, 30, 50_000, seed=9))
    monkeypatch.setattr(inputs, "CHUNK", 17)
    np.testing.assert_array_equal(cells_of(bernoulli_cells(0.01, 30, 50_000, seed=9)), whole)


def test_a_longer_run_begins_as_the_shorter_one():
    """Events do not depend on the duration of the run."""
    short = cells_of(bernoulli_cells(0.02, 50, 1000, seed=4))
    long = cells_of(bernoulli_cells(0.02, 50, 3000, seed=4))
    np.testing.assert_array_equal(long[: short.size], short)


def test_seeds_and_streams_differ():
    """0 is a valid seed; two seeds, or two streams of one seed, have different events."""
    draws = {random_generator(seed, stream).random() for seed in (0, 1, 2) for stream in (0, 1)}
    assert len(draws) == 6
    assert random_generator(0, 0).random() == random_generator(0, 0).random()


def test_notebook_process_draws_the_notebooks_spikes():
    """Exercise 1B: the legacy stream gives its raster, 1, 2, 1, 0 and 4 spikes."""
    raster = golden("exercise_1b")["input_spikes"]
    cells = cells_of(notebook(n_synapses=5, rate_hz=10).events(1.0, 200, 2020))
    dense = np.zeros(200 * 5, dtype=int)
    dense[cells] = 1
    np.testing.assert_array_equal(dense.reshape(200, 5).T, raster)
    assert raster.sum(axis=1).tolist() == [1, 2, 1, 0, 4]


def test_notebook_rows_longer_than_a_chunk_are_the_same_stream():
    """A row drawn in chunks equals the row drawn at once."""
    n_steps = inputs.CHUNK * 2 + 5
    dense = (np.random.RandomState(3).rand(2, n_steps) < 0.1).astype(int)
    expected = np.flatnonzero(dense.T)
    drawn = notebook(n_synapses=2, rate_hz=100).events(1.0, n_steps, 3)
    np.testing.assert_array_equal(cells_of(drawn), expected)


@pytest.mark.parametrize("split", [1, 3, 1000])
def test_active_synapses_are_the_columns_of_the_raster(split):
    """For any division into chunks, each step yields its synapses; steps without spikes none."""
    raster = np.random.default_rng(0).random((6, 9000)) < 0.002
    cells = np.flatnonzero(raster.T)
    chunks = iter(np.array_split(cells, split))
    columns = list(active_synapses(chunks, 6, 9000))
    assert len(columns) == 9000
    for step, active in enumerate(columns):
        np.testing.assert_array_equal(active, np.flatnonzero(raster[:, step]))


def test_given_spikes_are_the_raster():
    """A matrix of 0 and 1 becomes its events."""
    raster = np.random.default_rng(1).integers(0, 2, (4, 30))
    np.testing.assert_array_equal(cells_of(given_cells(raster, 4, 30)), np.flatnonzero(raster.T))


@pytest.mark.parametrize(
    ("spikes", "message"),
    [
        (np.zeros((3, 30)), r"shape \(3, 30\): must be \(input\.n_synapses, n_steps\) = \(4, 30\)"),
        (np.full((4, 30), 2), "every value must be 0 or 1"),
        (np.full((4, 30), np.nan), "every value must be 0 or 1"),
    ],
)
def test_given_spikes_must_fit(spikes, message):
    """A raster of another shape or with other values is refused."""
    with pytest.raises(RequestError, match=message):
        given_cells(spikes, 4, 30)


def test_the_configured_process_is_used(configure):
    """`input.process` determines the process, `rate_hz * dt` the probability."""
    poisson = cells_of(configure("seed=1").input_events())
    notebook = cells_of(configure("seed=1", "input=notebook", "input.n_synapses=40").input_events())
    np.testing.assert_array_equal(poisson, cells_of(bernoulli_cells(0.04, 40, 500, 1)))
    assert not np.array_equal(poisson, notebook)
