"""Stationarity of weights: synthetic histories and simulations."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.measures.stationarity import settling


def made(histories, interval=1000.0):
    """Return a dataset of histories, `(n_points, n_samples, n_synapses)`, a point per rate."""
    histories = np.asarray(histories, dtype=np.float32)
    n_points, n_samples, _ = histories.shape
    return xr.Dataset(
        {
            "weight_history": (("rate_hz", "sample_time", "synapse"), histories),
            "status": (("rate_hz",), np.zeros(n_points, dtype=int)),
        },
        {
            "rate_hz": np.arange(float(n_points)),
            "sample_time": interval * np.arange(1, n_samples + 1),
        },
        {"configuration": '{"synapse": {"w_init": 0.5}}'},
    )


def bimodal(random, strong):
    """Draw a weight near 1 for each strong synapse, and near 0 for the others."""
    shape = np.shape(strong)
    return np.where(strong, random.beta(20, 1, shape), random.beta(1, 20, shape))


def stationary(random, n_samples, n_synapses, stay):
    """Return a stationary history: in each sample some synapses draw a new weight."""
    history = np.empty((n_samples, n_synapses))
    for i in range(n_samples):
        new = bimodal(random, random.random(n_synapses) < 0.4)
        kept = random.random(n_synapses) < (stay if i else 0)
        history[i] = np.where(kept, history[i - 1], new)
    return history


def relaxing(random, n_samples, n_synapses, until):
    """Return a history whose synapses jump from 1/2 to a peak at uniform times until a sample."""
    leaves = random.uniform(0, until, n_synapses)
    gone = np.arange(n_samples)[:, np.newaxis] >= leaves
    strong = np.broadcast_to(random.random(n_synapses) < 0.4, gone.shape)
    return np.where(gone, bimodal(random, strong), 0.5)


def answer(history):
    """Return the answer, the settling time and the distance for one history."""
    found = settling(made([history])).isel(rate_hz=0)
    return found["settled"].item(), found["settling_time"].item(), found["distance"].item()


def test_weights_that_came_far_and_stay_have_settled():
    """Synapses that leave 1/2 for their peaks until sample 40 of 100 settle about then."""
    settled, time, distance = answer(relaxing(np.random.default_rng(0), 100, 600, until=40))
    assert settled == "yes"
    assert 30_000 <= time <= 41_000
    assert distance < 0.01


def test_weights_that_still_change_have_not_settled():
    """If synapses still leave 1/2 in the last quarter, the answer is no and the time NaN."""
    settled, time, distance = answer(relaxing(np.random.default_rng(0), 100, 600, until=120))
    assert settled == "no"
    assert np.isnan(time)
    assert distance > 0.01


def test_the_distance_is_how_far_weights_have_moved():
    """Between quarters in which all weights rise by 0.2 it is 0.2."""
    history = np.full((16, 50), 0.31)
    history[12:] = 0.51
    settled, time, distance = answer(history)
    assert settled == "no"
    assert np.isnan(time)
    assert distance == pytest.approx(0.2)


def test_a_few_samples_are_too_few():
    """Fewer than eight samples are too short, whatever the weights."""
    history = relaxing(np.random.default_rng(1), 7, 600, until=2)
    settled, time, distance = answer(history)
    assert settled == "too short"
    assert np.isnan(time)
    assert np.isnan(distance)


def test_weights_that_hardly_move_are_not_called_settled():
    """Weights that hardly moved, or never did, are no evidence of an equilibrium."""
    random = np.random.default_rng(2)
    crept = 0.5 + np.arange(1, 41)[:, np.newaxis] / 40 * random.normal(0, 0.02, 300)
    still = np.full((40, 300), 0.583333333333333)
    # Half of the synapses strong and half weak, and all as good as at rest.
    apart = np.where(np.arange(300) < 150, 0.05, 0.95) + random.normal(0, 0.005, (40, 300))
    for history, expected in ((crept, "no"), (still, "too short"), (apart, "too short")):
        settled, time, distance = answer(history)
        assert settled == expected  # a drift that does not slow down is extrapolated
        assert np.isnan(time)
        assert distance < 0.01


def test_a_slow_drift_is_no_equilibrium():
    """A change below 0.01 per quarter is extrapolated if the one before was hardly larger."""
    random = np.random.default_rng(3)
    late = 1 - np.exp(-np.arange(100) / 150)  # half of the change is still to come
    strong = random.random(6000) < 0.5 - 0.07 * late[:, np.newaxis]
    settled, _, distance = answer(bimodal(random, strong))
    assert distance < 0.01
    assert settled == "no"


def test_weights_at_the_bounds_have_settled_if_they_came_from_elsewhere():
    """All at 1 since the fourth sample: the weights are stationary there."""
    history = np.ones((40, 300))
    history[:4] = np.linspace(0.5, 0.95, 4)[:, np.newaxis]
    settled, time, _ = answer(history)
    assert (settled, time) == ("yes", 5000.0)
    never_left = made([np.ones((40, 300))])
    never_left.attrs["configuration"] = '{"synapse": {"w_init": 1.0}}'
    assert settling(never_left)["settled"].item() == "too short"


def test_a_difference_that_may_be_chance_is_no_answer():
    """Few synapses that change peaks at random differ from quarter to quarter by chance."""
    random = np.random.default_rng(3)
    found = settling(made([stationary(random, 40, 30, stay=0.95) for _ in range(100)]))
    assert found["distance"].median() > 0.01
    assert (found["settled"] == "too short").mean() > 0.8


@pytest.mark.parametrize(("n_samples", "n_synapses", "stay"), [(40, 300, 0.9), (80, 300, 0.98)])
def test_equilibrium_raises_no_false_alarm(n_samples, n_synapses, stay):
    """Fewer than one in ten stationary distributions are classified as not settled."""
    random = np.random.default_rng(4)
    histories = [stationary(random, n_samples, n_synapses, stay) for _ in range(150)]
    settled = settling(made(histories))["settled"]
    assert (settled == "no").mean() < 0.1
    assert (settled == "yes").mean() > 0.2


def test_equilibrium_from_the_start_has_settled_early():
    """Stationary distributions settle mostly in the first half, rarely in the last quarter."""
    random = np.random.default_rng(5)
    found = settling(made([stationary(random, 80, 300, stay=0) for _ in range(80)]))
    times = found["settling_time"].where(found["settled"] == "yes", drop=True)
    assert times.size > 30
    assert times.median() < 40_000
    assert (times > 60_000).mean() < 0.1


def test_seeds_are_pooled_and_those_not_done_left_out(configure):
    """A point of which a seed failed is classified by the others alone."""
    random = np.random.default_rng(6)
    one, other = (relaxing(random, 40, 200, until=15) for _ in range(2))
    pooled = made([one, other]).rename(rate_hz="seed")
    both, together = settling(pooled), settling(made([np.hstack([one, other])])).isel(rate_hz=0)
    assert both.sizes == {}
    assert both["settled"].item() == together["settled"].item() == "yes"
    assert both["distance"].item() == pytest.approx(together["distance"].item())
    assert both["settling_time"].item() == together["settling_time"].item()
    failed = pooled.copy(deep=True)
    failed["weight_history"][1] = np.nan
    failed["status"][1] = 1
    assert settling(failed)["distance"].item() == pytest.approx(answer(one)[2])
    failed["weight_history"][0] = np.nan
    assert settling(failed)["settled"].item() == "too short"


def test_without_a_history_nothing_is_known(configure):
    """Without `record.weight_interval` the answer says so, along the swept axes without `seed`."""
    swept = {"input.rate_hz": [30, 60], "seed": [1, 2]}
    found = settling(pipeline.sweep(configure(), swept, backend="sequential"))
    assert found["settled"].dims == ("rate_hz",)
    assert found["settled"].values.tolist() == ["not recorded", "not recorded"]
    assert found["settling_time"].isnull().all()
    assert found["distance"].isnull().all()
    assert settling(pipeline.simulate(configure()))["settled"].item() == "not recorded"


def notebook(axes, *overrides):
    """Sweep the notebook's neuron over some axes and two seeds."""
    base = pipeline.configure(*overrides)
    return settling(pipeline.sweep(base, {**axes, "seed": [0, 1]}, backend="sequential"))


def test_two_minutes_of_the_notebooks_neuron_are_no_equilibrium():
    """At 15 Hz weights still move after 120 s: the tutorial's bell shape is no equilibrium."""
    found = notebook({}, "record.weight_interval=5000")
    assert found["settled"].item() == "no"
    assert found["distance"] > 0.02


def test_forty_minutes_of_the_notebooks_neuron_are_an_equilibrium():
    """At 15 Hz the weights settle after 600 to 2,000 s."""
    found = notebook({}, "simulation.duration=2400000", "record.weight_interval=30000")
    assert found["settled"].item() == "yes"
    assert 400_000 < found["settling_time"].item() < 2_000_000


def test_a_silent_neuron_has_not_settled():
    """At 5 and 10 Hz the notebook's neuron never fires in 120 s: its weights do not move."""
    found = notebook({"input.rate_hz": [5, 10]}, "record.weight_interval=5000")
    assert found["settled"].values.tolist() == ["too short", "too short"]


@pytest.mark.parametrize("interval", [250, 1000])
@pytest.mark.parametrize("rate_hz", [15, 30, 60])
def test_ten_seconds_are_never_an_equilibrium(rate_hz, interval):
    """From any initial weight, 10 s of the notebook's neuron are too short."""
    found = notebook(
        {"synapse.w_init": [0.2, 0.583333333333333, 1]},
        "simulation.duration=10000",
        f"record.weight_interval={interval}",
        f"input.rate_hz={rate_hz}",
    )
    assert set(found["settled"].values.tolist()) <= {"no", "too short"}
    assert found["settling_time"].isnull().all()


def test_a_swept_duration_is_judged_run_by_run():
    """Shorter runs, padded with NaN in the file, have the same answers as alone."""
    durations = [60_000, 120_000, 2_400_000]
    found = notebook({"simulation.duration": durations}, "record.weight_interval=10000")
    assert found["settled"].values.tolist() == ["too short", "no", "yes"]
    for duration in durations[:2]:
        alone = notebook({}, "record.weight_interval=10000", f"simulation.duration={duration}")
        together = found["distance"].sel(duration=duration)
        np.testing.assert_equal(together.item(), alone["distance"].item())


def test_answers_follow_the_order_of_the_axes(configure):
    """Along two axes, in any order, each point has the same answer as alone."""
    swept = {"synapse.w_init": [0.2, 1.0], "seed": [1, 2], "input.rate_hz": [30, 60]}
    dataset = pipeline.sweep(
        configure("record.weight_interval=50", "stdp.A_plus=0.1"), swept, backend="sequential"
    )
    found = settling(dataset)
    assert found["distance"].dims == ("w_init", "rate_hz")
    assert np.unique(found["distance"]).size == 4
    for w_init in (0.2, 1.0):
        for rate in (30, 60):
            alone = settling(dataset.sel(w_init=[w_init], rate_hz=[rate]))
            here = found.sel(w_init=w_init, rate_hz=rate)
            assert alone["settled"].item() == here["settled"].item()
            np.testing.assert_equal(alone["distance"].item(), here["distance"].item())
