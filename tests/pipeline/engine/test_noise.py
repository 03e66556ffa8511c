"""Membrane noise: its law, both engines alike, and the rate of a neuron that it drives."""

import math
from statistics import NormalDist

import numpy as np
import pytest

import pipeline
from pipeline.engine import compiled
from pipeline.engine.until import _cannot_fire
from pipeline.model import reference
from pipeline.model.inhibition import INHIBITION_STREAM
from pipeline.model.initial_weights import INITIAL_WEIGHT_STREAM
from pipeline.model.inputs import INPUT_STREAM
from pipeline.model.noise import NOISE_STREAM, noise_of_steps
from pipeline.model.streams import exponentials, normal, stream_of, uniform, words
from tests.pipeline.engine.test_compiled import assert_identical
from tests.pipeline.engine.test_state import ENGINES

#: A membrane of 10 ms without input that is far below its threshold.
FREE = ("input.rate_hz=0", "neuron.V_th=500", "neuron.E_L=-70", "neuron.V_init=-70")


def test_variates_are_those_of_the_formula():
    """sqrt(2 E) sin(pi (u - 1/2)), within a few units of the last place of 1."""
    stream = stream_of(7, 0)
    e, u = exponentials(stream, 0, 100_000), uniform(words(stream, 100_000, 100_000))
    expected = np.sqrt(2 * e) * np.sin(np.pi * (u - 0.5))
    np.testing.assert_allclose(normal(e, u), expected, rtol=0, atol=1e-14)


def test_noise_is_normal_and_white():
    """Kolmogorov's distance, four moments, the tails, and correlations of 200,000 variates."""
    n = 200_000
    configuration = pipeline.configure("neuron.noise=1", "simulation.dt=1", "neuron.tau_m=2")
    noise = noise_of_steps(configuration, 0, n)  # of standard deviation 1
    cdf = np.array([NormalDist().cdf(x) for x in np.sort(noise).tolist()])
    assert np.abs(cdf - (np.arange(n) + 0.5) / n).max() < 1.95 / math.sqrt(n)  # p = 0.001
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert np.mean(noise**power) == pytest.approx(mean, abs=4 * math.sqrt(variance / n))
    tail = n * 2 * NormalDist().cdf(-3.5)
    assert np.count_nonzero(abs(noise) > 3.5) == pytest.approx(tail, abs=4 * math.sqrt(tail))
    for lag in (1, 2, 3, 1000):
        for f in (np.asarray, np.square):
            assert abs(np.corrcoef(f(noise[lag:]), f(noise[:-lag]))[0, 1]) < 4 / math.sqrt(n)


def test_its_stream_is_its_own():
    """No other stream of a seed has its number."""
    assert NOISE_STREAM not in (INPUT_STREAM, INHIBITION_STREAM, INITIAL_WEIGHT_STREAM)


@pytest.mark.parametrize(("dt", "sigma"), [(5.0, 3.0), (0.5, 1.5)])
def test_the_spread_of_the_free_potential(dt, sigma):
    """Its standard deviation over seeds is sigma / sqrt(1 - dt / (2 tau_m)), within 4 errors."""
    configuration = pipeline.configure(
        *FREE, f"neuron.noise={sigma}", f"simulation.dt={dt}", "simulation.duration=80",
        "synapse.tau_ex=6", "input.n_synapses=1",
    )  # fmt: skip
    n = 4000
    v = [compiled.run(configuration.with_seed(seed)).v for seed in range(n)]
    expected = sigma / math.sqrt(1 - dt / 20)
    assert np.std(v) == pytest.approx(expected, rel=4 / math.sqrt(2 * n))
    assert np.mean(v) == pytest.approx(-70, abs=4 * expected / math.sqrt(n))


def test_the_potential_forgets_noise_with_the_membrane():
    """Its autocorrelation is (1 - dt/tau_m)^lag; every step adds the noise of that step."""
    configuration = pipeline.configure(
        *FREE, "neuron.noise=2", "simulation.duration=40000", "record=everything",
        "input.n_synapses=1", "simulation.dt=1",
    )  # fmt: skip
    v = reference.run(configuration).traces["v"] + 70
    noise = noise_of_steps(configuration, 0, v.size - 1)
    np.testing.assert_allclose(v[1:], 0.9 * v[:-1] + noise, rtol=0, atol=1e-11)
    for lag in (5, 10, 20):
        found = np.corrcoef(v[lag:], v[:-lag])[0, 1]
        assert found == pytest.approx(0.9**lag, abs=4 * math.sqrt(20 / v.size))


@pytest.mark.parametrize("duration", [1, 2, 700, 1500])
def test_both_engines_add_the_same_bits(duration):
    """Without input the potential is equal to the last bit, before and after a rescaling."""
    configuration = pipeline.configure(
        *FREE, "neuron.noise=2", f"simulation.duration={duration}", "simulation.dt=1"
    )
    expected = reference.run(configuration).v
    assert compiled.run(configuration).v == expected
    assert expected != -70 or duration == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_noise_too_small_to_matter_is_none(engine):
    """Bit by bit: all that differs is which kernel computes it."""
    run = ("input.rate_hz=25", "simulation.duration=2000")
    noisy = ENGINES[engine](pipeline.configure(*run, "neuron.noise=1e-200"))
    plain = ENGINES[engine](pipeline.configure(*run))
    assert plain.spike_step.size > 100
    assert_identical(noisy, plain)


def test_a_seed_has_the_same_input_with_noise():
    """Noise takes no random number from input, inhibition or initial weights."""
    song = ("inhibition=song_miller_abbott_2000", "synapse.w_init_spread=0.1", "stdp.A_plus=0")
    runs = [
        pipeline.simulate(pipeline.configure(*song, *noise, "stdp.A_minus=0", "record.state=true",
                                             "simulation.duration=200"))
        for noise in ((), ("neuron.noise=3",))
    ]  # fmt: skip
    np.testing.assert_array_equal(runs[0]["weight"], runs[1]["weight"])
    assert runs[0]["spike_count"] != runs[1]["spike_count"]


def test_a_neuron_with_noise_alone_can_fire():
    """So a run until settled does not say that it cannot."""
    silent = ("input.rate_hz=0", "simulation.until=settled", "simulation.duration=1e6")
    assert _cannot_fire(pipeline.configure(*silent))
    assert not _cannot_fire(pipeline.configure(*silent, "neuron.noise=1"))


def rate_of_siegert(neuron, sigma, threshold):
    """Return the rate [Hz] of a neuron driven by white noise (Siegert 1951, Phys. Rev. 81:617)."""
    low, high = ((v - neuron.E_L) / (sigma * math.sqrt(2)) for v in (neuron.V_reset, threshold))
    x = np.linspace(low, high, 20_001)
    f = np.exp(x**2) * np.array([math.erfc(-one) for one in x.tolist()])  # 1 + erf
    integral = np.sum((f[1:] + f[:-1]) / 2 * np.diff(x))
    return 1000 / (neuron.t_ref + neuron.tau_m * math.sqrt(math.pi) * integral)


@pytest.mark.parametrize(("E_L", "sigma"), [(-60.0, 4.0), (-54.0, 2.0)])
def test_the_rate_that_noise_causes(E_L, sigma):
    """Siegert's formula, below threshold and above it, within 4 standard errors and 1 %.

    In time steps a threshold is crossed as one that is higher by 0.5826 standard deviations of a
    step (Broadie, Glasserman & Kou 1997, Math. Finance 7:325).
    """
    configuration = pipeline.configure(
        "input.rate_hz=0", "input.n_synapses=1", f"neuron.E_L={E_L}", f"neuron.noise={sigma}",
        "simulation.dt=0.02", "simulation.duration=60000",
    )  # fmt: skip
    spikes = compiled.run(configuration).spike_step.size
    neuron = configuration.neuron
    threshold = neuron.V_th + 0.5826 * sigma * math.sqrt(2 * 0.02 / neuron.tau_m)
    expected = 60 * rate_of_siegert(neuron, sigma, threshold)
    assert expected > 500
    assert spikes == pytest.approx(expected, abs=4 * math.sqrt(expected) + 0.01 * expected)
