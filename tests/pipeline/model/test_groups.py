"""Processes with groups: rates and correlations over seeds, their limits, what is refused."""

import numpy as np
import pytest

from pipeline.model import superposition
from pipeline.model.errors import RequestError
from pipeline.model.processes.correlated import Correlated
from pipeline.model.processes.groups import Groups

pytestmark = pytest.mark.usefixtures("numpy_draws")

SEEDS = range(12)


def groups(**values):
    """Return groups of 3 and 5 of 12 synapses at 40, 200 and 80 Hz, with other values."""
    usual = {"n_synapses": 12, "rate_hz": 80.0, "group_sizes": [3, 5]}
    return Groups(process="groups", **usual | {"group_rates_hz": [40.0, 200.0]} | values)


def correlated(**values):
    """Return groups of 6 and 4 of 15 synapses at 40 Hz, with other values."""
    usual = {"n_synapses": 15, "rate_hz": 40.0, "group_sizes": [6, 4], "group_rates_hz": None}
    return Correlated(process="correlated", **usual | {"group_correlations": [0.1, 0.6]} | values)


def raster(inputs, n_steps, seed=0, dt=1.0):
    """Return whether each synapse has a spike in each step, `(n_steps, n_synapses)`."""
    cells = np.concatenate([np.empty(0, dtype=np.int64), *inputs.events(dt, n_steps, seed)])
    assert (np.diff(cells) > 0).all()
    found = np.zeros(n_steps * inputs.n_synapses, dtype=bool)
    found[cells] = True
    return found.reshape(n_steps, inputs.n_synapses)


def assert_mean(samples, nominal):
    """Assert that a mean over seeds is the nominal one, within four standard errors."""
    samples = np.asarray(samples, dtype=float)
    error = samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    assert (np.abs(samples.mean(axis=0) - nominal) < 4.5 * error + 1e-12).all()


def pairs_in_a_step(spikes):
    """Return the mean product of the spikes of two synapses in one step, over all pairs."""
    n, count = spikes.shape[1], spikes.sum(axis=1)
    return (count * (count - 1)).mean() / (n * (n - 1))


MANY = [groups(), groups(rate_sigma=0.5), correlated(), correlated(group_rates_hz=[20.0, 300.0])]


@pytest.mark.parametrize("inputs", MANY, ids=["groups", "log-normal", "correlated", "both"])
@pytest.mark.parametrize("dt", [1.0, 0.3])
def test_each_synapse_has_its_rate(inputs, dt):
    """Counts of each synapse over seeds are those of its own probability, to their error."""
    n_steps = 20_000
    for seed in SEEDS:
        p = inputs.rates(seed) * dt / 1000
        z = (raster(inputs, n_steps, seed, dt).sum(axis=0) - n_steps * p) / np.sqrt(
            n_steps * p * (1 - p)
        )
        assert np.abs(z).max() < 4.5
        assert np.abs(z).mean() > 0.05  # they are random


def test_cells_of_groups_are_independent():
    """Spikes in one step, or in successive ones, are as frequent as of independent cells."""
    inputs = groups()
    p = inputs.rates(0) / 1000
    together, in_a_row = [], []
    for seed in SEEDS:
        spikes = raster(inputs, 20_000, seed)
        together.append((spikes.T.astype(float) @ spikes / len(spikes))[~np.eye(12, dtype=bool)])
        in_a_row.append((spikes[1:] & spikes[:-1]).mean(axis=0))
    assert_mean(np.mean(together, axis=1), np.outer(p, p)[~np.eye(12, dtype=bool)].mean())
    assert_mean(np.mean(in_a_row, axis=1), (p**2).mean())


@pytest.mark.parametrize("c", [0.02, 0.1, 0.6, 0.95])
@pytest.mark.parametrize("rate", [40.0, 400.0])
def test_pairs_of_a_group_have_their_correlation(c, rate):
    """In one step it is c, exactly also where c is near p; in the next step it is 0."""
    inputs = correlated(group_correlations=[c, 0.3], rate_hz=rate)
    p = rate / 1000
    same, next_step, across = [], [], []
    for seed in SEEDS:
        spikes = raster(inputs, 20_000, seed)
        same.append(pairs_in_a_step(spikes[:, :6]))
        next_step.append((spikes[1:, 0] & spikes[:-1, 1]).mean())
        across.append((spikes[:, 2] & spikes[:, 7]).mean() + (spikes[:, 2] & spikes[:, 12]).mean())
    assert_mean(same, p * (c + (1 - c) * p))
    assert_mean(next_step, p**2)
    assert_mean(across, 2 * p**2)


def test_synapses_that_are_left_are_independent():
    """They have no correlation, as a group of correlation 0."""
    inputs = correlated(group_correlations=[0.0, 0.6])
    for part in (slice(0, 6), slice(10, 15)):
        assert_mean([pairs_in_a_step(raster(inputs, 20_000, s)[:, part]) for s in SEEDS], 0.04**2)


def test_a_correlation_of_1_gives_identical_trains():
    """The tutorial's Demo 3: 50 trains are one; the others, and other groups, are not."""
    inputs = correlated(group_correlations=1)
    spikes = raster(inputs, 5000)
    assert (spikes[:, :6] == spikes[:, :1]).all() and (spikes[:, 6:10] == spikes[:, 6:7]).all()
    assert 100 < spikes[:, 0].sum() < 300
    for other in (6, 10, 14):
        assert (spikes[:, 0] != spikes[:, other]).any()


@pytest.mark.parametrize("make", [groups, correlated])
def test_rate_0_has_no_spike_and_rate_1_per_step_one_in_every_cell(make):
    """The limits are deterministic; groups at 0 and at the limit stand side by side."""
    assert not raster(make(rate_hz=0.0, group_rates_hz=0), 1000).any()
    assert raster(make(rate_hz=1000.0, group_rates_hz=1000), 1000).all()
    spikes = raster(make(rate_hz=0.0, group_rates_hz=[1000.0, 0.0]), 1000)
    first = make().sizes[0]
    assert spikes[:, :first].all() and not spikes[:, first:].any()


@pytest.mark.parametrize("inputs", MANY)
def test_a_longer_run_has_the_events_of_a_shorter_one(inputs):
    """The events of a seed do not depend on the duration, however they fall into chunks."""
    whole = raster(inputs, 40_000)
    for n_steps in (1, 977, 20_000):
        np.testing.assert_array_equal(raster(inputs, n_steps), whole[:n_steps])


@pytest.mark.parametrize("inputs", MANY)
def test_the_events_do_not_depend_on_the_size_of_chunks(inputs, monkeypatch):
    """Chunks of 50 gaps give the events of chunks of 16,384."""
    whole = raster(inputs, 5000)
    from pipeline.model.processes import correlated as correlated_module

    for module in (superposition, correlated_module):
        monkeypatch.setattr(module, "CHUNK", 50)
    monkeypatch.setattr("pipeline.model.inputs.CHUNK", 50)
    np.testing.assert_array_equal(raster(inputs, 5000), whole)


def test_log_normal_rates_have_their_mean_and_spread():
    """Rates are drawn once per seed; the logarithm has the spread, the rates have the mean."""
    inputs = groups(n_synapses=2000, group_sizes=[1000], group_rates_hz=10, rate_sigma=0.7)
    logarithms = np.log([inputs.rates(seed)[:1000] for seed in SEEDS])
    assert_mean(logarithms.std(axis=1), 0.7)
    assert_mean(np.exp(logarithms).mean(axis=1), 10)
    np.testing.assert_array_equal(inputs.rates(3), inputs.rates(3))
    assert (inputs.rates(3) != inputs.rates(4)).all()
    assert groups(rate_sigma=0.0).rates(1).tolist() == [40] * 3 + [200] * 5 + [80] * 4


def test_groups_are_numbered_in_order_and_those_left_are_the_last():
    """The coordinate `group`; without groups there is none."""
    assert groups().groups().tolist() == [0] * 3 + [1] * 5 + [2] * 4
    assert groups(group_sizes=12, group_rates_hz=1).groups().tolist() == [0] * 12
    assert groups(group_sizes=None, group_rates_hz=None).groups() is None


def test_memory_does_not_grow_with_the_duration():
    """Events of 2**40 cells come in chunks of a bounded size, the first of them at once."""
    for inputs in MANY:
        chunks = inputs.events(0.1, 2**36, 1)
        sizes = [next(chunks).size for _ in range(5)]
        assert 0 < max(sizes) < 100_000


@pytest.mark.parametrize(
    ("make", "values", "said"),
    [
        (groups, {"group_sizes": [9, 5]}, r"group_sizes=\[9,5\]: must add up to <= input.n_syn"),
        (groups, {"group_sizes": [3, 0]}, r"group_sizes=\[3,0\]: number of synapses of each"),
        (groups, {"group_sizes": []}, r"group_sizes=\[\]: number of synapses of each group must"),
        (groups, {"group_sizes": [[3, 5]]}, r"group_sizes=\[\[3, 5\]\]: number of synapses of"),
        (groups, {"group_sizes": "3"}, r"group_sizes='3': number of synapses of each group must"),
        (groups, {"group_sizes": None}, r"group_rates_hz=\[40,200\]: must be null with input.gr"),
        (groups, {"group_rates_hz": [1, 2, 3]}, r"group_rates_hz=\[1,2,3\]: must be one number, "),
        (groups, {"group_rates_hz": [1]}, r"group_rates_hz=\[1\]: must be one number, or 2 in a"),
        (groups, {"group_rates_hz": [1, -1]}, r"group_rates_hz=\[1,-1\]: input rate of each"),
        (groups, {"group_rates_hz": [1, np.nan]}, r"group_rates_hz=\[1,nan\]: input rate of"),
        (groups, {"rate_sigma": 9}, "rate_sigma=9: standard deviation of the logarithm"),
        (correlated, {"group_correlations": 1.5}, "group_correlations=1.5: correlation of two"),
        (correlated, {"group_correlations": [0, -0.1]}, r"group_correlations=\[0,-0.1\]: corre"),
        (correlated, {"group_correlations": [0.1] * 3}, r"group_correlations=\[0.1,0.1,0.1\]: mu"),
    ],
)
def test_what_does_not_fit_is_refused(make, values, said):
    """Sizes, rates and correlations out of bounds or of unlike lengths; the message has the key."""
    with pytest.raises(RequestError, match=f"^input.{said}"):
        make(**values)


def test_a_rate_above_one_spike_per_step_is_refused():
    """Of any group; 1 / dt itself is allowed."""
    groups(group_rates_hz=[1000.0, 1.0]).refuse_unfit_time_step(1.0)
    with pytest.raises(RequestError, match=r"^input.group_rates_hz=\[1001,1\]: with simulation.d"):
        groups(group_rates_hz=[1001.0, 1.0]).refuse_unfit_time_step(1.0)
