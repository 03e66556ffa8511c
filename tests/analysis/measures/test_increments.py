"""Increments of weights between samples at unequal intervals, from which c is estimated."""

import numpy as np
import pytest

import pipeline
from analysis.measures.equilibrium import _increments, spikes_per_input

#: Samples of a run of 120 s that are kept, one every 5 s recorded: of unequal intervals, also in
#: the last half, and one of them where that begins, at 60 s.
KEPT = np.array([0, 1, 2, 4, 7, 10, 11, 12, 13, 15, 18, 22, 23])

#: Input rate [Hz].
RATE = 30.0


@pytest.fixture(scope="module")
def recorded():
    """A run of the notebook's neuron with weights at some times, and all output spikes."""
    overrides = ("record=history", "record.weight_interval=5000", f"input.rate_hz={RATE}")
    return pipeline.simulate(pipeline.configure(*overrides, "record.dtype=float64"))


def directly(times, weights, spikes):
    """Return what `_increments` does, by loops over samples, synapses and output spikes.

    Parameters
    ----------
    times : ndarray, (n_samples,)
        Times of the samples [ms].
    weights : ndarray, (n_samples, n_synapses)
        Dimensionless.
    spikes : ndarray, (n_spikes,)
        Output spike times [ms].

    Returns
    -------
    list of tuple
        Weight, change, pairs [1/ms] and interval [ms], of each interval and synapse in turn.
    """
    found = []
    for start in range(len(times) - 1):
        if times[start] <= times[-1] / 2:
            continue
        n_spikes = sum(1 for spike in spikes if times[start] <= spike < times[start + 1])
        for synapse in range(weights.shape[1]):
            change = weights[start + 1, synapse] - weights[start, synapse]
            interval = times[start + 1] - times[start]
            found.append((weights[start, synapse], change, RATE / 1000 * n_spikes, interval))
    return found


@pytest.mark.parametrize("n_padded", [0, 3])
def test_increments_of_unequal_intervals_are_those_of_spikes_and_weights(recorded, n_padded):
    """Of the last half of the run alone, without the padding to the length of a longer one."""
    times = recorded["sample_time"].values[KEPT]
    weights = recorded["weight_history"].values[KEPT]
    spikes = recorded["spike_time"].values
    intervals = np.diff(times, prepend=0)
    late = np.diff(times[times > times[-1] / 2])
    assert late.tolist() == [5000, 10_000, 15_000, 20_000, 5000]
    # A spike in the step after a sample is counted in the interval that begins there.
    counts = np.histogram(spikes, np.append(0, times))[0]
    counts[-1] -= np.count_nonzero(spikes == times[-1])
    rates = 1000 * counts / intervals
    padding = np.full(n_padded, np.nan)
    found = _increments(
        RATE,
        np.append(times, times[-1] + 5000 * np.arange(1, n_padded + 1)),
        np.vstack([weights, np.full((n_padded, weights.shape[1]), np.nan)]),
        np.append(rates, padding),
    )
    expected = np.array(directly(times, weights, spikes)).T
    assert expected.shape == (4, 5 * 300)
    for here, there in zip(found, expected, strict=True):
        np.testing.assert_allclose(here.ravel(), there, rtol=1e-12)


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_the_gain_does_not_depend_on_the_intervals(seeds):
    """Weights that drift as in theory, sampled ever more rarely: c is that of the drift."""
    gain = 0.017
    overrides = "record=history", "record.weight_interval=1000", f"input.rate_hz={RATE}"
    dataset = pipeline.sweep(pipeline.configure(*overrides), {"seed": list(seeds)})
    chosen = np.unique(np.geomspace(50, 120, 24).astype(int)) - 1
    random = np.random.default_rng(0)
    drift = 0.008 * 20 - 0.0088 * 20  # areas of LTP and LTD [ms]
    times = dataset["sample_time"].values[chosen]
    rates = random.uniform(3, 7, (len(seeds), chosen.size))
    w = random.uniform(0.4, 0.5, (len(seeds), dataset.sizes["synapse"]))
    history = np.empty((len(seeds), chosen.size, w.shape[1]))
    for i, interval in enumerate(np.diff(times, prepend=times[0] - 1000)):
        pairs = RATE * rates[:, i, np.newaxis] * interval / 1e6
        w = w + pairs * drift + RATE * interval / 1000 * 0.008 * gain * w
        history[:, i] = w
    sampled = dataset.isel(sample_time=chosen)
    sampled["weight_history"] = sampled["weight_history"].copy(data=history)
    sampled["rate_history"] = sampled["rate_history"].copy(data=rates)
    assert spikes_per_input(sampled).item() == pytest.approx(gain, rel=1e-6)
