"""Repeated patterns: rates that hide them, repetition, jitter, times, limits, what is refused."""

import numpy as np
import pytest

from pipeline.model.errors import RequestError
from pipeline.model.processes.patterns import Patterns
from pipeline.model.stimuli import cut_normals, folded, normals
from pipeline.model.streams import stream_of

pytestmark = pytest.mark.usefixtures("numpy_draws")

SEEDS = range(40)


def patterns(**values):
    """Return a pattern of 20 ms at 9 of 15 synapses at 60 Hz, in 30 % of the time."""
    usual = {
        "n_synapses": 15,
        "rate_hz": 60.0,
        "pattern_duration": 20.0,
        "pattern_share": 0.3,
        "pattern_fraction": 0.6,
        "pattern_jitter": 0.0,
    }
    return Patterns(process="patterns", **usual | values)


def raster(inputs, n_steps, seed=0, dt=1.0):
    """Return whether each synapse has a spike in each step, `(n_steps, n_synapses)`."""
    cells = np.concatenate([np.empty(0, dtype=np.int64), *inputs.events(dt, n_steps, seed)])
    assert (np.diff(cells) > 0).all()
    assert not cells.size or (cells[0] >= 0 and cells[-1] < n_steps * inputs.n_synapses)
    found = np.zeros(n_steps * inputs.n_synapses, dtype=bool)
    found[cells] = True
    return found.reshape(n_steps, inputs.n_synapses)


def sections(inputs, n_sections, seed=0, dt=1.0):
    """Return spikes by section, and whether it has the pattern."""
    steps = round(inputs.pattern_duration / dt)
    spikes = raster(inputs, n_sections * steps, seed, dt)
    times = inputs.stimulus_times(dt, n_sections * steps, seed)
    has_pattern = np.zeros(n_sections, dtype=bool)
    has_pattern[np.round(times / (steps * dt)).astype(int)] = True
    return spikes.reshape(n_sections, steps, inputs.n_synapses), has_pattern


@pytest.mark.parametrize("jitter", [0.0, 1.5, 300.0])
def test_neither_rate_nor_place_in_a_section_shows_the_pattern(jitter):
    """Over seeds, each synapse and each step has its probability within and without the pattern."""
    inputs, p = patterns(pattern_jitter=jitter), 0.06
    within, without = [], []
    for seed in SEEDS:
        spikes, has_pattern = sections(inputs, 200, seed)
        within.append(spikes[has_pattern].mean(axis=0))
        without.append(spikes[~has_pattern].mean(axis=0))
    for part, means in ((slice(0, 9), within), (slice(9, 15), within), (slice(0, 15), without)):
        chosen = np.array(means)[:, :, part]
        for axis in (1, 2):  # by synapse, by step
            by = chosen.mean(axis=axis)
            error = by.std(axis=0, ddof=1) / np.sqrt(len(by))
            assert (np.abs(by.mean(axis=0) - p) < 4.5 * error).all()


def test_without_jitter_the_pattern_is_the_same_each_time_and_the_rest_is_not():
    """Of the synapses that take part; where there is no pattern, sections differ."""
    spikes, has_pattern = sections(patterns(), 300)
    shown = spikes[has_pattern]
    assert shown.shape[0] > 50
    assert (shown[:, :, :9] == shown[0, :, :9]).all() and shown[0, :, :9].any()
    assert (shown[1:, :, 9:] != shown[0, :, 9:]).any(axis=(1, 2)).all()
    assert (spikes[~has_pattern] != shown[0]).any(axis=(1, 2)).all()
    synapse, time = patterns().pattern(1.0, 0)
    again = np.zeros_like(shown[0])
    again[time.astype(int), synapse] = True
    np.testing.assert_array_equal(shown[0, :, :9], again[:, :9])


def test_jitter_moves_spikes_by_its_standard_deviation():
    """Between two presentations a lone spike differs by sqrt(2) of it; far from the ends."""
    inputs = patterns(n_synapses=2000, rate_hz=2.0, pattern_duration=100.0, pattern_jitter=3.0)
    synapse, time = inputs.pattern(0.1, 0)
    spikes, has_pattern = sections(inputs, 80, 0, 0.1)
    alone = np.flatnonzero(np.bincount(synapse, minlength=2000) == 1)
    time = dict(zip(synapse.tolist(), time.tolist(), strict=True))
    middle = [s for s in alone.tolist() if 20 < time[s] < 80]
    shown = spikes[has_pattern][:, :, middle]
    assert (shown.sum(axis=1) == 1).all()
    moved = (np.argmax(shown, axis=1) + 0.5) * 0.1 - np.array([time[s] for s in middle])
    assert abs(moved.mean()) < 4.5 * 3 / np.sqrt(moved.size)
    assert abs(moved.std() - 3) < 4.5 * 3 / np.sqrt(2 * moved.size)
    between = np.corrcoef(moved[:, :-1].ravel(), moved[:, 1:].ravel())[0, 1]
    assert abs(between) < 4.5 / np.sqrt(moved.size)


def test_presentations_take_their_share_of_the_time_and_never_two_in_a_row():
    """Gaps are geometric; a share of one half alternates; a share of 0 has none."""
    for share in (0.05, 0.25, 0.4):
        times = patterns(pattern_share=share).stimulus_times(1.0, 2_000_000, 5) / 20
        gap = np.diff(times) - 2
        assert gap.min() == 0 and times[0] >= 1
        q = share / (1 - share)
        mean, sd = (1 - q) / q, np.sqrt(1 - q) / q
        assert abs(gap.mean() - mean) < 4.5 * sd / np.sqrt(gap.size)
        assert abs((gap == 0).mean() - q) < 4.5 * np.sqrt(q / gap.size)
        assert abs(times.size / 100_000 - share) < 4.5 * share**1.5 * sd / np.sqrt(100_000)
    half = patterns(pattern_share=0.5).stimulus_times(1.0, 1000, 5)
    assert half.tolist() == list(range(20, 1000, 40))
    assert patterns(pattern_share=0.0).stimulus_times(1.0, 1000, 5).size == 0


def test_the_spectrum_of_a_synapse_is_flat_without_the_pattern_and_not_with_it():
    """A synapse repeats its spikes: power at low frequencies; the others are white."""
    inputs = patterns(n_synapses=20, pattern_fraction=0.5, pattern_share=0.5)
    n = 2**15
    power = np.zeros((n // 2 + 1, 20))
    for seed in range(3):
        power += np.abs(np.fft.rfft(raster(inputs, n, seed), axis=0)) ** 2
    lines = power[np.arange(1, 20) * n // 40] / np.median(power, axis=0)  # of 40 ms
    assert lines[:, :10].max() > 50 and lines[:, 10:].max() < 20


MANY = [
    patterns(),
    patterns(pattern_jitter=2.0),
    patterns(rate_hz=0.5, pattern_share=0.5, pattern_jitter=1.0),
    patterns(pattern_fraction=1.0, pattern_share=0.02),
]


@pytest.mark.parametrize("inputs", MANY)
def test_a_longer_run_has_the_events_and_presentations_of_a_shorter_one(inputs):
    """The events of a seed do not depend on the duration."""
    whole, times = raster(inputs, 20_000), inputs.stimulus_times(1.0, 20_000, 0)
    for n_steps in (1, 33, 977, 10_000):
        np.testing.assert_array_equal(raster(inputs, n_steps), whole[:n_steps])
        np.testing.assert_array_equal(
            inputs.stimulus_times(1.0, n_steps, 0), times[times < n_steps]
        )


@pytest.mark.parametrize("inputs", MANY)
def test_the_events_do_not_depend_on_the_size_of_chunks(inputs, monkeypatch):
    """Chunks of 50 gaps and 7 presentations give the events of large ones."""
    whole = raster(inputs, 6000)
    from pipeline.model.processes import patterns as module

    for place in ("pipeline.model.inputs", module.__name__):
        monkeypatch.setattr(f"{place}.CHUNK", 50)
    monkeypatch.setattr(module, "STIMULI", 7)
    np.testing.assert_array_equal(raster(inputs, 6000), whole)


def test_a_share_or_fraction_of_0_leaves_poisson_trains():
    """The events are those of the background alone, at the limits of both."""
    poisson = raster(patterns(pattern_share=0.0), 3000)
    np.testing.assert_array_equal(raster(patterns(pattern_fraction=0.0), 3000), poisson)
    assert (raster(patterns(), 3000) != poisson).any()
    assert raster(patterns(rate_hz=1000.0, pattern_jitter=1.0), 300).mean() > 0.999
    assert not raster(patterns(rate_hz=0.0), 3000).any()


def test_groups_and_latencies_are_those_of_the_pattern():
    """The first synapses take part; latency is the first spike of each, NaN without one."""
    inputs = patterns(rate_hz=20.0)
    assert inputs.groups().tolist() == [0] * 9 + [1] * 6
    latencies = inputs.latencies(1.0, 3)
    spikes, has_pattern = sections(inputs, 100, 3)
    pattern = spikes[has_pattern][0][:, :9]
    first = np.where(pattern.any(axis=0), np.argmax(pattern, axis=0), np.nan)
    np.testing.assert_array_equal(np.floor(latencies[:9]), first)
    assert np.isnan(latencies[9:]).all() and np.isnan(first).any()


def test_memory_does_not_grow_with_the_duration():
    """Events of 2**40 cells come in chunks of a bounded size, the first of them at once."""
    for inputs in MANY:
        chunks = inputs.events(0.1, 2**36, 1)
        assert 0 < max(next(chunks).size for _ in range(5)) < 100_000


def test_normal_variates_and_reflection():
    """Normal ones have their moments, cut ones their bound; reflected uniform ones stay uniform."""
    radii, angles = stream_of(1, 0, 4), stream_of(1, 0, 5)
    drawn = normals(radii, angles, 0, 100_000)
    assert np.abs(drawn.mean(axis=1)).max() < 4.5 / np.sqrt(100_000)
    assert np.abs(drawn.std(axis=1) - 1).max() < 4.5 / np.sqrt(200_000)
    assert abs(np.corrcoef(*drawn)[0, 1]) < 4.5 / np.sqrt(100_000)
    assert abs((drawn**4).mean() - 3) < 0.12
    np.testing.assert_array_equal(normals(radii, angles, 50, 7), drawn[:, 50:57])
    cut = cut_normals(radii, angles, 50_000)
    assert cut.size == 50_000 and 2.9 < np.abs(cut).max() <= 3
    assert folded(np.array([-1.0, 0.0, 3.0, 5.0, 9.0, 11.0, 25.0]), 4.0).tolist() == [
        *(1.0, 0.0, 3.0, 3.0, 1.0, 3.0, 1.0)
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pattern_share": 0.6}, "pattern_share=0.6: share of the time that the pattern takes"),
        ({"pattern_share": -0.1}, "pattern_share=-0.1: share of the time"),
        ({"pattern_fraction": 1.1}, "pattern_fraction=1.1: fraction of the synapses that take"),
        ({"pattern_jitter": -1.0}, "pattern_jitter=-1.0: standard deviation of the jitter"),
        ({"pattern_duration": 0.0}, "pattern_duration=0.0: duration of the pattern must be"),
        (
            {"n_synapses": 10**6, "pattern_duration": 1e4},
            r"pattern_duration=10000.0: the pattern must have <= 10,000,000 spikes, with 600000 sy",
        ),
    ],
)
def test_what_does_not_fit_is_refused(values, said):
    """One line with the key, the value and what is allowed."""
    with pytest.raises(RequestError, match=f"^input.{said}"):
        patterns(**values)


def test_a_time_step_longer_than_the_pattern_is_refused():
    """One step is the shortest pattern."""
    patterns(pattern_duration=1.0).refuse_unfit_time_step(1.0)
    with pytest.raises(RequestError, match=r"^input.pattern_duration=1.0: must be >= simulation.d"):
        patterns(pattern_duration=1.0).refuse_unfit_time_step(2.0)
