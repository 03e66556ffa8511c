"""Measures of spike trains against Elephant; recovery of input spikes from traces."""

import json

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.measures import spike_trains

elephant = pytest.importorskip("elephant", reason="Elephant is the second derivation here")

import neo  # noqa: E402
import quantities as pq  # noqa: E402
from elephant import conversion, spike_train_correlation, statistics  # noqa: E402

#: Elephant 1.2 passes a deprecated argument to Quantity.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The 'copy' argument in Quantity:quantities.QuantitiesDeprecationWarning"
)

DURATION = 20_000.0


def trains():
    """Return spike trains: Poisson, bursts, regular, few spikes, none."""
    random = np.random.default_rng(0)
    poisson = np.sort(random.uniform(0, DURATION, 300))
    bursts = np.sort((random.uniform(0, 19_000, 40)[:, None] + random.uniform(0, 90, 8)).ravel())
    return [poisson, bursts, np.arange(10.0, DURATION, 130), [3.0, 7000.0, 7004.0], [5.0], []]


def made():
    """Return a dataset of these trains, one per rate, and of a point that failed."""
    padded = np.full((len(trains()) + 1, 400), np.nan)
    for row, train in zip(padded, trains(), strict=False):
        row[: len(train)] = train
    status = np.zeros(len(padded), dtype=int)
    status[-1] = 1
    return xr.Dataset(
        {"spike_time": (("rate_hz", "spike"), padded), "status": (("rate_hz",), status)},
        {"rate_hz": np.arange(float(len(padded)))},
        {"configuration": json.dumps({"simulation": {"duration": DURATION, "dt": 1.0}})},
    )


def elephants(train, end=DURATION):
    """Return a train as Elephant's type."""
    train = np.asarray(train, dtype=float)
    return neo.SpikeTrain(train[np.isfinite(train)] * pq.ms, t_start=0 * pq.ms, t_stop=end * pq.ms)


def elephants_fano(train, window, t_start=0.0, end=DURATION):
    """Return Elephant's Fano factor over windows of one train, with the unbiased variance."""
    starts = np.arange(t_start, end - window + 1e-9, window)
    whole = elephants(train, end)
    # Elephant's slices include their end: slightly shorter, so that no spike is in two.
    cut = [whole.time_slice(a * pq.ms, (a + window - 1e-6) * pq.ms) for a in starts]
    return statistics.fanofactor(cut) * len(cut) / (len(cut) - 1)


@pytest.fixture(scope="module")
def recorded():
    """A sweep over rates and seeds, half a second each, with all traces."""
    base = pipeline.configure(
        "synapse.g_max=0.15",
        "input.n_synapses=40",
        "simulation.duration=500",
        "record=everything",
        "stdp.A_plus=0.03",
    )
    swept = {"input.rate_hz": [40, 80], "seed": [0, 1]}
    dataset = pipeline.sweep(base, swept, backend="sequential")
    assert dataset["spike_count"].min() > 10
    return dataset


def points(dataset):
    """Yield each point of a sweep over rates and seeds."""
    for rate in dataset["rate_hz"].values:
        for seed in dataset["seed"].values:
            yield dataset.sel(rate_hz=rate, seed=seed)


@pytest.mark.parametrize("t_start", [0.0, 7000.0, 15_000.5])
def test_firing_rates_are_elephants(t_start):
    """Spikes per second from a given time on; NaN where a point is not done."""
    found = spike_trains.mean_firing_rate(made(), t_start)
    for train, rate in zip(trains(), found.values, strict=False):
        if len(train) == 0:  # an error in Elephant
            assert rate == 0
            continue
        expected = statistics.mean_firing_rate(elephants(train), t_start=t_start * pq.ms)
        assert rate == pytest.approx(expected.rescale(pq.Hz).item())
    assert np.isnan(found.values[-1])


def test_intervals_are_elephants():
    """Interspike intervals of a train, with and without padding."""
    for train in trains():
        expected = statistics.isi(elephants(train)).magnitude
        np.testing.assert_allclose(spike_trains.isi(np.append(train, [np.nan] * 3)), expected)
        np.testing.assert_allclose(spike_trains.isi(np.asarray(train, dtype=float)), expected)


@pytest.mark.parametrize("t_start", [0.0, 7000.0])
def test_variation_is_elephants(t_start):
    """Coefficient of variation of intervals from a given time on; NaN for fewer than two."""
    found = spike_trains.cv(made(), t_start).values
    n_compared = 0
    for train, variation in zip(trains(), found, strict=False):
        late = np.array([time for time in train if time >= t_start])
        if late.size > 2:
            expected = statistics.cv(statistics.isi(elephants(late)))
            assert variation == pytest.approx(expected, abs=1e-12)
            n_compared += 1
        else:
            assert np.isnan(variation)
    assert n_compared >= 3
    assert found[2] == pytest.approx(0, abs=1e-12)
    assert np.isnan(found[-1])


@pytest.mark.parametrize(("window", "t_start"), [(1000, 0), (250, 0), (300, 0), (700, 1234.5)])
def test_fano_factor_is_elephants(window, t_start):
    """Of counts in windows as trials, times n/(n - 1); an incomplete window is left out."""
    found = spike_trains.fanofactor(made(), window, t_start).values
    for train, factor in zip(trains()[:4], found, strict=False):
        assert factor == pytest.approx(elephants_fano(train, window, t_start))
    assert found[1] > 2 * found[0] > 4 * found[2]
    assert np.isnan(found[-2:]).all()


def test_fano_factor_needs_two_windows():
    """NaN for one window, 0 for two equal counts."""
    dataset = made().isel(rate_hz=[2])
    assert np.isnan(spike_trains.fanofactor(dataset, 15_000)).all()
    clock = dataset.copy()
    clock["spike_time"] = (("rate_hz", "spike"), np.arange(50.0, DURATION, 100)[np.newaxis])
    assert spike_trains.fanofactor(clock, 10_000).item() == 0


def test_measures_of_a_real_sweep_are_elephants(recorded):
    """Rates, intervals and counts of simulated neurons, and the variables of the file."""
    rate, variation = spike_trains.mean_firing_rate(recorded), spike_trains.cv(recorded)
    factor = spike_trains.fanofactor(recorded, 50)
    assert rate.dims == recorded["status"].dims
    xr.testing.assert_allclose(rate, recorded["output_rate"])
    xr.testing.assert_allclose(variation, recorded["isi_cv"])
    for point in points(recorded):
        here = {"rate_hz": point["rate_hz"].item(), "seed": point["seed"].item()}
        train = elephants(point["spike_time"].values, 500)
        expected = statistics.mean_firing_rate(train).rescale(pq.Hz).item()
        assert rate.sel(here).item() == pytest.approx(expected)
        assert variation.sel(here).item() == pytest.approx(statistics.cv(statistics.isi(train)))
        expected = elephants_fano(point["spike_time"].values, 50, end=500)
        assert factor.sel(here).item() == pytest.approx(expected)


def test_rates_go_by_the_duration_of_each_run(configure):
    """Along an axis of durations, each rate is over the duration of its own run."""
    swept = {"simulation.duration": [300, 500], "seed": [1, 2]}
    dataset = pipeline.sweep(configure("record.spike_times=true"), swept, backend="sequential")
    found = spike_trains.mean_firing_rate(dataset)
    xr.testing.assert_allclose(found, dataset["output_rate"].transpose(*found.dims))
    late = spike_trains.mean_firing_rate(dataset, 100)
    count = (dataset["spike_time"] >= 100).sum("spike")
    np.testing.assert_allclose(late.sel(duration=300), 5 * count.sel(duration=300))


@pytest.mark.parametrize(("dt", "tau_plus"), [(1.0, 20.0), (0.1, 20.0), (0.5, 2.0), (1.0, 1.1)])
def test_input_spikes_are_recovered_from_traces(configure, dt, tau_plus):
    """Exactly the given input except for step 0, which leaves no trace."""
    configuration = configure(
        f"simulation.dt={dt}",
        f"stdp.tau_plus={tau_plus}",
        "simulation.duration=200",
        "record=everything",
    )
    random = np.random.default_rng(0)
    given = random.random((40, configuration.simulation.n_steps)) < 0.1
    given[3] = True
    given[4] = False
    found = spike_trains.input_spikes(pipeline.simulate(configuration, given))
    assert found.dims == ("time", "synapse")
    assert found.dtype == bool
    np.testing.assert_array_equal(found.values[1:], given.T[1:])
    assert not found.values[0].any()


def test_input_spikes_are_recovered_from_single_precision(configure):
    """Traces stored as float32, large at 500 Hz, still resolve each spike."""
    everything = ("record=everything", "simulation.duration=250", "simulation.dt=0.1")
    everything += ("input.rate_hz=500",)
    swept = {"stdp.tau_plus": [5, 100], "seed": [1, 2]}
    exact, single = (
        pipeline.sweep(configure(*everything, *more), swept, backend="sequential")
        for more in ((), ("record.dtype=float32",))
    )
    assert single["x_pre"].dtype == np.float32
    assert single["x_pre"].max() > 30
    found = spike_trains.input_spikes(single)
    xr.testing.assert_equal(found, spike_trains.input_spikes(exact))
    # The same seed has the same input, whatever the time constant of the trace.
    np.testing.assert_array_equal(found.sel(tau_plus=5), found.sel(tau_plus=100))
    assert found.mean().item() == pytest.approx(0.05, rel=0.02)


def binned(times, dt, n_steps):
    """Return a train in Elephant's bins of one time step, spikes at their centres."""
    end = n_steps * dt * pq.ms
    train = neo.SpikeTrain((np.sort(times) + dt / 2) * pq.ms, t_start=0 * pq.ms, t_stop=end)
    return conversion.BinnedSpikeTrain(
        train, bin_size=dt * pq.ms, n_bins=n_steps, t_start=0 * pq.ms, t_stop=end
    )


def elephants_histogram(point, dt, n_lags):
    """Return Elephant's cross-correlation histogram of the output with all input."""
    spikes = spike_trains.input_spikes(point).values
    steps = np.repeat(np.arange(len(spikes)), spikes.sum(axis=1))
    output = point["spike_time"].values
    histogram, lags = spike_train_correlation.cross_correlation_histogram(
        binned(output[np.isfinite(output)], dt, len(spikes)),
        binned(steps * dt, dt, len(spikes)),
        window=[-n_lags, n_lags],
        border_correction=False,
    )
    return histogram.magnitude.ravel(), lags * dt


@pytest.mark.parametrize("max_lag", [50, 7])
def test_cross_correlation_histogram_is_elephants(recorded, max_lag):
    """Pairs of an output and an input spike by lag, negative if the input spike is first."""
    found = spike_trains.cross_correlation_histogram(recorded, max_lag)
    assert found.dims == ("rate_hz", "seed", "lag")
    for point in points(recorded):
        expected, lags = elephants_histogram(point, 1.0, max_lag)
        here = found.sel(rate_hz=point["rate_hz"], seed=point["seed"])
        np.testing.assert_array_equal(here, expected)
        np.testing.assert_allclose(here["lag"], lags)
        assert here.sum() > 100


def test_cross_correlation_histogram_at_a_fine_step(configure):
    """Also in steps of 0.1 ms, for a single run."""
    configuration = configure("record=everything", "simulation.dt=0.1", "simulation.duration=300")
    dataset = pipeline.simulate(configuration)
    found = spike_trains.cross_correlation_histogram(dataset, 20)
    expected, lags = elephants_histogram(dataset, 0.1, 200)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(found["lag"], lags)


def test_only_the_spikes_asked_for_are_counted(recorded):
    """The histograms of two kinds of input spikes add up to that of all."""
    strong = recorded["weight_trace"] > 0.5
    parts = [
        spike_trains.cross_correlation_histogram(recorded, 20, among) for among in (strong, ~strong)
    ]
    assert all(part.sum() > 100 for part in parts)
    whole = spike_trains.cross_correlation_histogram(recorded, 20)
    np.testing.assert_array_equal(parts[0] + parts[1], whole)


def test_input_rate_around_output_counted_one_by_one(recorded):
    """Spikes of strong synapses at a lag from output spikes, over the number of possible ones."""
    found = spike_trains.input_rate_around_output(recorded, 5)
    assert found.dims == ("rate_hz", "seed", "strength", "lag")
    for point in points(recorded):
        spikes, weight = spike_trains.input_spikes(point).values, point["weight_trace"].values
        times = point["spike_time"].values
        fired = times[np.isfinite(times)].astype(int)
        here = found.sel(rate_hz=point["rate_hz"], seed=point["seed"])
        for name, chosen in (("weak", weight <= 0.5), ("strong", weight > 0.5)):
            for lag in (-5, -1, 0, 3):
                steps = [step + lag for step in fired if 0 <= step + lag < len(spikes)]
                pairs = sum((spikes[step] & chosen[step]).sum() for step in steps)
                expected = 1000 * pairs / sum(chosen[step].sum() for step in steps)
                got = here.sel(strength=name, lag=lag).item()
                assert got == pytest.approx(expected)


@pytest.mark.parametrize("w_init", [0.6, 1.0])
def test_strong_synapses_fire_before_the_output_does(w_init):
    """Far from output spikes, inputs have the mean rate; just before, strong ones have more.

    Also if the weights drift from all strong to half of them strong.
    """
    configuration = pipeline.configure(
        "record=everything",
        "simulation.duration=30000",
        "input.n_synapses=60",
        "synapse.g_max=0.12",
        f"synapse.w_init={w_init}",
        "input.rate_hz=20",
        "stdp.A_plus=0.03",
    )
    dataset = pipeline.simulate(configuration)
    rate = spike_trains.input_rate_around_output(dataset, 200)
    assert dataset["spike_count"] > 300
    far = rate.where(abs(rate["lag"]) > 60, drop=True).mean("lag")
    np.testing.assert_allclose(far, 20, rtol=0.04)
    before = rate.where((rate["lag"] >= -4) & (rate["lag"] < 0), drop=True).mean("lag")
    strong, weak = before.sel(strength="strong"), before.sel(strength="weak")
    assert strong > 1.4 * far.sel(strength="strong")
    assert weak < 0.8 * strong
    after = rate.sel(strength="strong").where((rate["lag"] > 5) & (rate["lag"] < 50))
    assert after.mean().item() == pytest.approx(20, rel=0.1)


def test_without_output_or_such_synapses_there_is_no_rate(configure):
    """NaN for a silent neuron, and for strong synapses if all are weak."""
    everything = ("record=everything", "stdp.A_plus=0")
    silent = pipeline.simulate(configure(*everything, "synapse.w_init=0"))
    assert spike_trains.input_rate_around_output(silent, 5).isnull().all()
    weak = pipeline.simulate(configure(*everything, "synapse.w_init=0.4"))
    rate = spike_trains.input_rate_around_output(weak, 5)
    assert weak["spike_count"] > 0
    assert rate.sel(strength="strong").isnull().all()
    assert rate.sel(strength="weak").notnull().all()


def test_shorter_runs_have_the_rates_that_they_have_alone(configure):
    """Along an axis of durations, padding is not counted."""
    everything = ("record=everything", "stdp.A_plus=0.05")
    swept = {"simulation.duration": [300, 900]}
    together = pipeline.sweep(configure(*everything), swept, backend="sequential")
    found = spike_trains.input_rate_around_output(together, 100)
    for duration in (300, 900):
        alone = pipeline.simulate(configure(*everything, f"simulation.duration={duration}"))
        expected = spike_trains.input_rate_around_output(alone, 100)
        assert expected.notnull().all()
        np.testing.assert_allclose(found.sel(duration=duration), expected)


def test_a_point_that_failed_has_no_rate(configure, fail_for_seed):
    """Where a point is not done its measures are NaN, and the others are the same as alone."""
    fail_for_seed(1, FloatingPointError("v is inf at the end"))
    base, swept = configure("record=everything"), {"seed": [0, 1]}
    dataset = pipeline.sweep(base, swept, backend="sequential")
    assert dataset["status"].values.tolist() == [0, 1]
    for measure in (
        spike_trains.mean_firing_rate,
        spike_trains.cv,
        spike_trains.fanofactor,
        spike_trains.input_rate_around_output,
    ):
        assert measure(dataset).sel(seed=1).isnull().all()
    rate = spike_trains.input_rate_around_output(dataset, 10).sel(seed=0)
    alone = pipeline.simulate(configure("record=everything", "seed=0"))
    expected = spike_trains.input_rate_around_output(alone, 10)
    np.testing.assert_allclose(rate, expected)
