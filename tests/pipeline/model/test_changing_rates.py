"""Processes whose rates change: their rate, correlations, spectrum and limits, over seeds."""

import numpy as np
import pytest

from pipeline.model import superposition
from pipeline.model.errors import RequestError
from pipeline.model.inputs import bernoulli_cells
from pipeline.model.processes.modulated import Modulated
from pipeline.model.processes.oscillating import Oscillating
from tests.pipeline.model.test_groups import SEEDS, assert_mean, raster

pytestmark = pytest.mark.usefixtures("numpy_draws")

N_STEPS = 20_000


def modulated(**values):
    """Return groups of 20 and 10 of 36 synapses at 150 Hz, redrawn every 8 ms."""
    usual = {"n_synapses": 36, "rate_hz": 150.0, "group_sizes": [20, 10], "group_rates_hz": None}
    usual |= {"correlation_time": 8.0, "rate_sd": 0.3, "group_rate_correlations": [0.6, 1.0]}
    return Modulated(process="modulated", **usual | values)


def oscillating(**values):
    """Return 12 synapses at 200 Hz, of which the rate oscillates in phase at 20 Hz."""
    usual = {"n_synapses": 12, "rate_hz": 200.0, "group_sizes": None, "group_rates_hz": None}
    usual |= {"frequency_hz": 20.0, "modulation": 0.7}
    return Oscillating(process="oscillating", **usual | values)


def shifted_products(first, second, lag):
    """Return the mean of a count times another some steps later."""
    return (first[: len(first) - lag].astype(float) * second[lag:]).mean()


@pytest.fixture(scope="module")
def rasters():
    """Return the rasters of `modulated()`, one per seed."""
    return [raster(modulated(), N_STEPS, seed) for seed in SEEDS]


def test_two_synapses_of_a_group_have_correlated_rates(rasters):
    """At a lag their covariance is c (p sd)^2 exp(-lag / correlation_time); between groups it is 0.

    The sum over a lag is that of continuous time at each multiple of the time step.
    """
    p, sd = 0.15, 0.3
    for lag in (0, 1, 4, 8, 24):
        decay = np.exp(-lag / 8)
        counts = [
            (s[:, :10].sum(1), s[:, 10:20].sum(1), s[:, 20:25].sum(1), s[:, 25:30].sum(1))
            for s in rasters
        ]
        one = [shifted_products(a, b, lag) / 100 for a, b, _, _ in counts]
        assert_mean(one, p**2 * (1 + 0.6 * sd**2 * decay))
        other = [shifted_products(c, d, lag) / 25 for _, _, c, d in counts]
        assert_mean(other, p**2 * (1 + sd**2 * decay))
        across = [shifted_products(a, c, lag) / 50 for a, _, c, _ in counts]
        assert_mean(across, p**2)


def test_a_synapse_that_is_left_has_its_own_rate(rasters):
    """Its autocovariance is that of a redrawn rate; two of them are independent."""
    p, sd = 0.15, 0.3
    for lag in (1, 8, 24):
        own = [shifted_products(s[:, 30:], s[:, 30:], lag) for s in rasters]
        assert_mean(own, p**2 * (1 + sd**2 * np.exp(-lag / 8)))
    pairs = [shifted_products(s[:, 30:33].sum(1), s[:, 33:].sum(1), 1) / 9 for s in rasters]
    assert_mean(pairs, p**2)


def test_the_spectrum_of_a_group_is_that_of_its_rates(rasters):
    """Spikes are white; rates add the spectrum of a variate that is kept with probability q."""
    n, p, sd, c, q = 20, 0.15, 0.3, 0.6, np.exp(-1 / 8)
    powers = [np.abs(np.fft.rfft(s[:, :n].sum(1)))[1:] ** 2 / N_STEPS for s in rasters]
    angle = 2 * np.pi * np.arange(1, N_STEPS // 2 + 1) / N_STEPS
    white = n * (p - p**2 * (1 + sd**2))
    variance = (p * sd) ** 2 * (n + n * (n - 1) * c)
    expected = white + variance * (1 - q**2) / (1 - 2 * q * np.cos(angle) + q**2)
    bands = np.array_split(np.arange(angle.size), [40, 160, 640, 2500])
    assert_mean([[power[b].mean() for b in bands] for power in powers],
                [expected[b].mean() for b in bands])  # fmt: skip
    assert expected[bands[0]].mean() > 4 * white


@pytest.mark.parametrize("sd", [0.4, 1.0, 1.4])
def test_clipped_rates_have_the_mean_that_is_stated(sd):
    """It is that of the density, and of the spikes; so is the share of rates that are 0."""
    z = np.linspace(-9, 9, 400_001)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    clipped = np.clip(1 + sd * z, 0, 1 + 4 * sd)
    inputs = modulated(rate_sd=sd, correlation_time=1.0)
    assert inputs.rates(0)[0] == pytest.approx(150 * (clipped * density).sum(), rel=1e-6)
    assert inputs.clipped_share() == pytest.approx(density[clipped == 0].sum(), abs=1e-5)
    assert inputs.spike_probability(1.0) == pytest.approx(inputs.rates(0)[0] / 1000)
    assert_mean([raster(inputs, 5000, seed).mean() for seed in SEEDS], inputs.rates(0)[0] / 1000)


def test_rates_that_do_not_vary_are_those_of_poisson_inputs():
    """With a standard deviation of 0 cells are independent, in a step and in successive ones."""
    inputs = modulated(rate_sd=0.0, group_rates_hz=[150.0, 300.0])
    counts = [raster(inputs, N_STEPS, seed)[:, :20].sum(1) for seed in SEEDS]
    assert_mean([count.var() for count in counts], 20 * 0.15 * 0.85)
    assert_mean([shifted_products(count, count, 1) for count in counts], 9.0)
    assert inputs.rates(0)[25] == 300
    assert not raster(modulated(rate_hz=0.0), 1000).any()


def test_the_rate_is_a_cosine_of_time_and_phase():
    """In each step of a period, and of each synapse, it is the one that is stated."""
    inputs = oscillating(phase_spread=0.5, group_sizes=[4], group_phases=0.2, group_modulations=0.9)
    period, n = 50, 12
    counts = sum(raster(inputs, N_STEPS, seed).reshape(-1, period, n).sum(0) for seed in SEEDS)
    trials = len(SEEDS) * N_STEPS / period
    phase = np.concatenate([0.2 + 0.5 * np.arange(4) / 4, 0.5 * np.arange(8) / 8])
    np.testing.assert_allclose(inputs.synapse_phases(), phase)
    depth = np.repeat([0.9, 0.7], [4, 8])
    p = 0.2 * (1 + depth * np.sin(2 * np.pi * (np.arange(period)[:, None] / period + phase)))
    z = (counts - trials * p) / np.sqrt(trials * p * (1 - p))
    assert np.abs(z).max() < 4.5
    assert 0.95 < (z**2).mean() < 1.05 + 4 * np.sqrt(2 / z.size)


def test_the_spectrum_of_synapses_in_phase_has_one_line():
    """At the frequency it is (n p m / 2)^2 T, elsewhere white, at twice the frequency too."""
    n, p, m = 12, 0.2, 0.7
    spectra = [np.fft.rfft(raster(oscillating(), N_STEPS, s).sum(1)) / N_STEPS for s in SEEDS]
    line = N_STEPS * 20 // 1000
    assert_mean([-spectrum[line].imag for spectrum in spectra], n * p * m / 2)
    assert_mean([spectrum[line].real for spectrum in spectra], 0)
    white = n * p * (1 - p * (1 + m**2 / 2)) / N_STEPS
    assert_mean([(np.abs(s[1:line]) ** 2).mean() for s in spectra], white)
    assert_mean([(np.abs(s[line + 1 :]) ** 2).mean() for s in spectra], white)
    assert max(np.abs(s[2 * line]) ** 2 for s in spectra) < 12 * white


def test_phases_of_a_whole_cycle_cancel():
    """The sum over synapses has the spectrum of independent trains."""
    spectra = [np.fft.rfft(raster(oscillating(phase_spread=1.0), N_STEPS, s).sum(1)) for s in SEEDS]
    line = N_STEPS * 20 // 1000
    assert_mean([spectrum[line].imag / N_STEPS for spectrum in spectra], 0)


def test_without_modulation_spikes_are_those_of_poisson_inputs():
    """The same cells, for each seed; a full modulation is silent at the trough."""
    cells = np.concatenate([*oscillating(modulation=0.0).events(1.0, 5000, 3)])
    np.testing.assert_array_equal(cells, np.concatenate([*bernoulli_cells(0.2, 12, 5000, 3)]))
    full = raster(oscillating(modulation=1.0, frequency_hz=250.0), 4000)
    assert not full[3::4].any() and full[1::4].mean() > 0.3
    assert not raster(oscillating(rate_hz=0.0), 1000).any()


MANY = [modulated(), modulated(correlation_time=1.0, rate_hz=2.0), oscillating(phase_spread=1.0),
        oscillating(group_sizes=[4], group_rates_hz=50.0)]  # fmt: skip


@pytest.mark.parametrize("inputs", MANY)
def test_a_longer_run_has_the_events_of_a_shorter_one(inputs):
    """The events of a seed do not depend on the duration, however they fall into chunks."""
    whole = raster(inputs, 20_000)
    for n_steps in (1, 977, 10_000):
        np.testing.assert_array_equal(raster(inputs, n_steps), whole[:n_steps])


@pytest.mark.parametrize("inputs", MANY)
def test_the_events_do_not_depend_on_the_size_of_chunks(inputs, monkeypatch):
    """Chunks of 50 gaps, and few shared parts at a time, give the same events."""
    whole = raster(inputs, 3000)
    monkeypatch.setattr(superposition, "CHUNK", 50)
    monkeypatch.setattr("pipeline.model.inputs.CHUNK", 50)
    monkeypatch.setattr("pipeline.model.processes.modulated._SHARED", 3)
    np.testing.assert_array_equal(raster(inputs, 3000), whole)


def test_memory_does_not_grow_with_the_duration():
    """Chunks are bounded, also where thousands of intervals pass between two spikes."""
    slow = modulated(n_synapses=1, group_sizes=None, group_rate_correlations=None, rate_hz=0.5)
    for inputs in (*MANY, slow):
        chunks = inputs.events(0.1, 2**30, 1)
        assert max(next(chunks).size for _ in range(5)) < 100_000


@pytest.mark.parametrize(
    ("make", "values", "dt", "said"),
    [
        (modulated, {"correlation_time": 0.0}, 1, "correlation_time=0.0: mean time between"),
        (modulated, {"correlation_time": -5.0}, 1, "correlation_time=-5.0: mean time between"),
        (modulated, {"correlation_time": 0.5}, 1, "correlation_time=0.5: must be >= simulation.dt"),
        (modulated, {"rate_sd": -0.1}, 1, "rate_sd=-0.1: standard deviation of input rates"),
        (modulated, {"rate_sd": 1.5}, 1, "rate_sd=1.5: with simulation.dt=1 ms and an input rate"),
        (modulated, {"group_rate_correlations": 2}, 1, "group_rate_correlations=2: correlation of"),
        (modulated, {"group_rate_correlations": [1]}, 1, r"group_rate_correlations=\[1\]: must be"),
        (modulated, {"group_sizes": [30, 10]}, 1, r"group_sizes=\[30,10\]: must add up to <="),
        (oscillating, {"frequency_hz": 0}, 1, "frequency_hz=0: frequency of the input rates must"),
        (oscillating, {"frequency_hz": 501}, 1, "frequency_hz=501.0: must be <= 500 Hz with simul"),
        (oscillating, {"modulation": 1.1}, 1, "modulation=1.1: amplitude of input rates over"),
        (oscillating, {"modulation": 0.9}, 3, "modulation=0.9: with simulation.dt=3 ms and an"),
        (oscillating, {"phase_spread": 2}, 1, "phase_spread=2: range over which the phases"),
        (oscillating, {"group_phases": 0.5}, 1, "group_phases=0.5: must be null with input.group"),
        (oscillating, {"group_modulations": 0.5}, 1, "group_modulations=0.5: must be null with"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(make, values, dt, said):
    """Out of bounds, of unlike lengths, or too fast for the time step; the message has the key."""
    with pytest.raises(RequestError, match=f"^input.{said}"):
        make(**values).refuse_unfit_time_step(dt)


def test_a_limit_of_the_time_step_is_allowed():
    """As the message states it: the highest rate is one spike per step."""
    modulated(rate_sd=1.41, correlation_time=1.0).refuse_unfit_time_step(1.0)
    oscillating(modulation=1.0, rate_hz=500.0).refuse_unfit_time_step(1.0)
