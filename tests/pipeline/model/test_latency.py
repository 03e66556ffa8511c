"""Bursts with latencies: their rate and place, intervals of trials, limits, what is refused."""

import numpy as np
import pytest

from pipeline.model.errors import RequestError
from pipeline.model.processes.latency import Latency

pytestmark = pytest.mark.usefixtures("numpy_draws")

SEEDS = range(5)


def latency(**values):
    """Return bursts of 8 ms at 100 Hz every 60 ms at 10 synapses, with other values."""
    usual = {
        "n_synapses": 10,
        "rate_hz": 0.0,
        "burst_rate_hz": 100.0,
        "burst_duration": 8.0,
        "latency_sd": 5.0,
        "latency_distribution": "normal",
        "trial_interval": 60.0,
    }
    return Latency(process="latency", **usual | values)


def raster(inputs, n_steps, seed=0, dt=1.0):
    """Return whether each synapse has a spike in each step, `(n_steps, n_synapses)`."""
    cells = np.concatenate([np.empty(0, dtype=np.int64), *inputs.events(dt, n_steps, seed)])
    assert (np.diff(cells) > 0).all()
    assert not cells.size or (cells[0] >= 0 and cells[-1] < n_steps * inputs.n_synapses)
    found = np.zeros(n_steps * inputs.n_synapses, dtype=bool)
    found[cells] = True
    return found.reshape(n_steps, inputs.n_synapses)


def probability(inputs, n_steps, seed=0, dt=1.0):
    """Return the probability of a spike in each cell, from the definition, one by one."""
    p = np.full((n_steps, inputs.n_synapses), inputs.rate_hz * dt / 1000)
    steps = round(inputs.burst_duration / dt)
    for time in inputs.stimulus_times(dt, 2 * n_steps, seed):
        for synapse, delay in enumerate(inputs.latencies(dt, seed)):
            begin = round(time / dt) + int(np.floor(delay / dt + 0.5))
            p[max(0, begin) : max(0, begin + steps), synapse] = inputs.burst_rate_hz * dt / 1000
    return p


MANY = [
    latency(),
    latency(rate_hz=20.0, trial_cv=0.3),
    latency(latency_distribution="uniform", trial_cv=0.2, n_synapses=3),
    latency(rate_hz=5.0, latency_sd=0.0),
]


@pytest.mark.parametrize("inputs", MANY)
@pytest.mark.parametrize("dt", [1.0, 0.4])
def test_cells_have_the_rate_of_the_burst_or_of_the_background(inputs, dt):
    """Spikes are Bernoulli trials with the probability of the definition, cell by cell."""
    n_steps = 30_000
    z = []
    for seed in SEEDS:
        p, spikes = probability(inputs, n_steps, seed, dt), raster(inputs, n_steps, seed, dt)
        assert not spikes[p == 0].any()
        for level in np.unique(p[p > 0]):
            n, n_spikes = (p == level).sum(), spikes[p == level].sum()
            z.append((n_spikes - n * level) / np.sqrt(n * level * (1 - level)))
    assert np.abs(z).max() < 4.5
    assert np.abs(z).mean() > 0.1  # they are random


def test_spikes_of_a_burst_are_independent():
    """Neighbouring steps and synapses of a burst are as often together as independent cells."""
    inputs = latency(latency_sd=0.0, burst_rate_hz=200.0)
    in_bursts = [raster(inputs, 60_000, s)[probability(inputs, 60_000, s) > 0] for s in range(4)]
    spikes = np.concatenate([one.reshape(-1, 8, 10) for one in in_bursts])
    n = spikes[:, 1:].size
    for pair in (
        spikes[:, 1:] & spikes[:, :-1],
        spikes[1:, 0] & spikes[:-1, 7],
        spikes[..., 1:] & spikes[..., :-1],
    ):
        assert abs(pair.mean() - 0.04) < 4.5 * np.sqrt(0.04 * 0.96 / pair.size) * 1.3
    assert n > 100_000


def test_the_spectrum_has_peaks_at_multiples_of_the_frequency_of_trials_only():
    """Of the population, periodic trials have lines; random intervals have none at multiples."""
    n = 2**15
    frequency = np.fft.rfftfreq(n, 1e-3)

    def power(inputs):
        counts = [raster(inputs, n, seed).sum(axis=1) for seed in range(4)]
        return np.mean([np.abs(np.fft.rfft(one - one.mean())) ** 2 for one in counts], axis=0)

    periodic, random = power(latency(trial_interval=64.0)), power(latency(trial_cv=0.3))
    line = n // 64  # 15.6 Hz, and its multiples
    lines = periodic[[line, 2 * line, 3 * line]]
    rest = np.delete(periodic[: 4 * line], [0, *(k * line for k in (1, 2, 3))])
    assert lines.min() > 30 * np.median(rest) and rest.max() < lines.min()
    assert random[frequency > 45].max() < 30 * np.median(random[frequency > 45])


@pytest.mark.parametrize(("distribution", "reach"), [("normal", 3.0), ("uniform", np.sqrt(3))])
def test_latencies_have_mean_0_and_their_spread_and_rise_with_the_synapse(distribution, reach):
    """The spread is the standard deviation, that of normal ones cut at three times it."""
    inputs = latency(n_synapses=3000, latency_distribution=distribution)
    latencies = np.array([inputs.latencies(1.0, seed) for seed in SEEDS])
    assert (np.diff(latencies) >= 0).all()
    assert np.abs(latencies).max() <= 5 * reach
    assert np.abs(latencies).max() > 5 * reach * 0.97
    assert abs(latencies.mean()) < 4.5 * 5 / np.sqrt(latencies.size)
    expected = 5 * (0.98658 if distribution == "normal" else 1)
    assert abs(latencies.std() - expected) < 4.5 * 5 / np.sqrt(2 * latencies.size)
    assert (latencies[0] != latencies[1]).all()
    fourth = ((latencies / latencies.std()) ** 4).mean()
    assert (fourth < 2) == (distribution == "uniform")


def test_intervals_between_trials_have_their_mean_and_coefficient_of_variation():
    """Without variation they are equal; the constant part is the shortest one."""
    regular = latency().stimulus_times(1.0, 600_000, 0)
    assert regular[0] == 30 and (np.diff(regular) == 60).all() and regular.size == 10_000
    times = latency(trial_cv=0.3).stimulus_times(0.1, 10_000_000, 3)
    intervals = np.diff(times)
    assert abs(intervals.mean() - 60) < 4.5 * 18 / np.sqrt(intervals.size)
    assert abs(intervals.std() / intervals.mean() - 0.3) < 0.02
    assert intervals.min() >= 41.99


@pytest.mark.parametrize("inputs", MANY)
def test_a_longer_run_has_the_events_and_trials_of_a_shorter_one(inputs):
    """The events of a seed do not depend on the duration."""
    whole, times = raster(inputs, 20_000), inputs.stimulus_times(1.0, 20_000, 0)
    for n_steps in (1, 33, 977, 10_000):
        np.testing.assert_array_equal(raster(inputs, n_steps), whole[:n_steps])
        np.testing.assert_array_equal(
            inputs.stimulus_times(1.0, n_steps, 0), times[times < n_steps]
        )


@pytest.mark.parametrize("inputs", MANY)
def test_the_events_do_not_depend_on_the_size_of_chunks_or_tables(inputs, monkeypatch):
    """Chunks of 50 gaps and 7 trials give the events of large ones, with and without the table."""
    whole = raster(inputs, 5000)
    from pipeline.model.processes import latency as module

    monkeypatch.setattr("pipeline.model.inputs.CHUNK", 50)
    monkeypatch.setattr(module, "CHUNK", 50)
    monkeypatch.setattr(module, "STIMULI", 7)
    monkeypatch.setattr(module, "_LARGEST_TABLE", 0)
    np.testing.assert_array_equal(raster(inputs, 5000), whole)


def test_the_mean_rate_is_that_of_the_coordinate_and_of_the_estimate():
    """Bursts of 8 ms at 100 Hz every 60 ms and 10 Hz between them: 22 Hz on average."""
    inputs = latency(rate_hz=10.0)
    assert inputs.rates(0).tolist() == [22.0] * 10
    assert inputs.spike_probability(1.0) == pytest.approx(0.022)
    assert inputs.spike_probability(0.1) == pytest.approx(0.0022)


def test_a_burst_at_one_spike_per_step_fills_its_cells():
    """The limit is deterministic, with a background and without."""
    for background in (0.0, 500.0, 1000.0):
        inputs = latency(burst_rate_hz=1000.0, rate_hz=background, n_synapses=4)
        p, spikes = probability(inputs, 500), raster(inputs, 500)
        assert spikes[p == 1].all()
        assert spikes[p < 1].any() == (background == 500)


def test_memory_does_not_grow_with_the_duration():
    """Events of 2**40 cells come in chunks of a bounded size, the first of them at once."""
    for inputs in (*MANY, latency(burst_rate_hz=1e-6)):
        chunks = inputs.events(0.1, 2**36, 1)
        assert max(next(chunks).size for _ in range(3)) < 100_000


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"trial_interval": 7.0}, r"trial_interval=7.0: must be >= 38 ms, the time from the begin"),
        ({"trial_interval": 37.0}, r"trial_interval=37.0: must be >= 38 ms"),
        (
            {"trial_cv": 0.5},
            r"trial_interval=60.0: the shortest interval, 30 ms with input.trial_cv=0",
        ),
        ({"trial_cv": 1.5}, "trial_cv=1.5: coefficient of variation of intervals between"),
        ({"latency_sd": -1.0}, "latency_sd=-1.0: standard deviation of the latencies"),
        ({"latency_distribution": "beta"}, "latency_distribution=beta: distribution of the laten"),
        ({"burst_duration": 0.0}, "burst_duration=0.0: duration of a burst must be"),
        ({"rate_hz": 200.0}, "rate_hz=200.0: must be <= input.burst_rate_hz=100.0 Hz"),
        ({"burst_rate_hz": np.nan}, "burst_rate_hz=nan: input rate within a burst"),
    ],
)
def test_what_does_not_fit_is_refused(values, said):
    """One line with the key, the value and what is allowed."""
    with pytest.raises(RequestError, match=f"^input.{said}"):
        latency(**values)


def test_time_steps_that_do_not_fit_are_refused():
    """Longer than a burst, or too long for its rate; one spike per step is allowed."""
    latency(burst_rate_hz=1000.0).refuse_unfit_time_step(1.0)
    with pytest.raises(RequestError, match=r"^input.burst_rate_hz=1001.0: with simulation.dt=1 ms"):
        latency(burst_rate_hz=1001.0).refuse_unfit_time_step(1.0)
    with pytest.raises(
        RequestError, match=r"^input.burst_duration=8.0: must be >= simulation.dt=9"
    ):
        latency().refuse_unfit_time_step(9.0)
