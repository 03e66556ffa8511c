"""Stationarity of the points of a dataset: seeds, axes, padding, and simulations."""

import numpy as np
import pytest

import pipeline
from analysis.measures import stationarity
from analysis.measures.settling import settling
from analysis.measures.stationarity import (
    FROZEN,
    NO_SPIKE,
    NOT_RECORDED,
    NOT_SETTLED,
    QUANTITIES,
    SETTLED,
    STATIONARY,
    UPPER_BOUND,
)
from analysis.reading.model import gross_step_per_spike

pytestmark = pytest.mark.long


def sweep(axes, *overrides, seeds=(0, 1), backend="sequential"):
    """Sweep the notebook's neuron over some axes and seeds."""
    axes = {**axes, "seed": list(seeds)}
    return pipeline.sweep(pipeline.configure(*overrides), axes, backend=backend)


def test_each_run_is_judged_and_their_mean_is_the_answer():
    """As from the functions for one run, applied to each seed."""
    dataset = sweep({}, "record.weight_interval=2000", "simulation.duration=400000", seeds=range(4))
    step = float(gross_step_per_spike(dataset))
    runs = [
        stationarity.compared(
            dataset["sample_time"].values,
            dataset["rate_history"].sel(seed=seed).values,
            stationarity.weight_statistics(dataset["weight_history"].sel(seed=seed).values),
            step,
        )
        for seed in range(4)
    ]
    expected = stationarity.judged(stationarity.mean_of(runs))
    found = settling(dataset)
    assert found["settled"].item() == expected.answer
    np.testing.assert_allclose(found["to_come"].values, expected.to_come)
    assert found["quantity"].values.tolist() == list(QUANTITIES)


def test_seeds_that_are_not_done_are_left_out():
    """A point of which a seed failed is judged by the others alone."""
    dataset = sweep({}, "record.weight_interval=2000", "simulation.duration=400000")
    alone = settling(dataset.isel(seed=[0]))
    dataset["weight_history"][1] = np.nan
    dataset["rate_history"][1] = np.nan
    dataset["status"][1] = 1
    np.testing.assert_allclose(settling(dataset)["to_come"], alone["to_come"])
    dataset["weight_history"][0] = np.nan
    assert settling(dataset)["settled"].item() == NOT_RECORDED


def test_without_a_history_nothing_is_known(configure):
    """Without `record.weight_interval` the answer says so, along the swept axes without `seed`."""
    swept = {"input.rate_hz": [30, 60], "seed": [1, 2]}
    found = settling(pipeline.sweep(configure(), swept, backend="sequential"))
    assert found["settled"].dims == ("rate_hz",)
    assert found["settled"].values.tolist() == [NOT_RECORDED, NOT_RECORDED]
    assert found["settling_time"].isnull().all()
    assert found["to_come"].isnull().all()
    assert settling(pipeline.simulate(configure()))["settled"].item() == NOT_RECORDED


def test_answers_follow_the_order_of_the_axes(configure):
    """Along two axes, in any order, each point has the same answer as alone."""
    swept = {"synapse.w_init": [0.2, 1.0], "seed": [1, 2], "input.rate_hz": [30, 60]}
    dataset = pipeline.sweep(
        configure("record.weight_interval=20", "stdp.A_plus=0.1"), swept, backend="sequential"
    )
    found = settling(dataset)
    assert found["to_come"].dims == ("w_init", "rate_hz", "quantity")
    assert np.unique(found["to_come"].sel(quantity="output rate")).size == 4
    for w_init in (0.2, 1.0):
        for rate in (30, 60):
            alone = settling(dataset.sel(w_init=[w_init], rate_hz=[rate])).squeeze()
            here = found.sel(w_init=w_init, rate_hz=rate)
            assert alone["settled"].item() == here["settled"].item()
            np.testing.assert_equal(alone["to_come"].values, here["to_come"].values)


def test_a_swept_duration_is_judged_run_by_run():
    """Shorter runs, padded with NaN in the file, have the same answers as alone."""
    durations = [60_000, 400_000]
    found = settling(sweep({"simulation.duration": durations}, "record.weight_interval=2000"))
    for duration in durations:
        alone = settling(
            sweep({}, "record.weight_interval=2000", f"simulation.duration={duration}")
        )
        together = found["to_come"].sel(duration=duration)
        np.testing.assert_equal(together.values, alone["to_come"].values)


def test_the_gross_step_is_that_of_both_traces():
    """rate_hz (A_plus tau_plus + A_minus tau_minus), along the axes that change it."""
    axes = {"input.rate_hz": [10, 20], "stdp.tau_minus": [20, 40]}
    dataset = sweep(axes, "simulation.duration=100", seeds=[0])
    found = gross_step_per_spike(dataset)
    assert set(found.dims) == {"rate_hz", "tau_minus"}
    for rate in (10, 20):
        for tau in (20, 40):
            expected = rate / 1000 * (0.008 * 20 + 0.0088 * tau)
            assert found.sel(rate_hz=rate, tau_minus=tau).item() == pytest.approx(expected)
    bursts = pipeline.simulate(pipeline.configure("input=latency", "simulation.duration=100"))
    of_10_hz = (0.008 + 0.0088) * 20 * 10 / 1000  # 20 ms at 100 Hz every 200 ms, silent between
    assert gross_step_per_spike(bursts).item() == pytest.approx(of_10_hz)
    given = pipeline.simulate(
        pipeline.configure("simulation.duration=100"), spikes=np.zeros((300, 100), dtype=bool)
    )
    assert np.isnan(gross_step_per_spike(given))


@pytest.mark.parametrize("interval", [250, 625])
@pytest.mark.parametrize("rate_hz", [15, 30, 60])
def test_ten_seconds_are_never_an_equilibrium(rate_hz, interval):
    """From any initial weight, 10 s of the notebook's neuron are too short."""
    dataset = sweep(
        {"synapse.w_init": [0.2, 0.583333333333333, 1]},
        "simulation.duration=10000",
        f"record.weight_interval={interval}",
        f"input.rate_hz={rate_hz}",
    )
    found = settling(dataset)
    assert set(found["settled"].values.tolist()) <= {NOT_SETTLED, NO_SPIKE}
    assert found["settling_time"].isnull().all()


def test_forty_minutes_of_the_notebooks_neuron_are_no_equilibrium():
    """At 15 Hz the shares of weak and of strong weights still grow."""
    long = ("simulation.duration=2400000", "record.weight_interval=30000")
    found = settling(sweep({}, *long, seeds=range(8)))
    assert found["settled"].item() == NOT_SETTLED
    for limits in ("below 0.1", "above 0.9"):
        assert found["to_come"].sel(quantity=f"share of weights {limits}") > 1


def test_nine_hours_of_the_notebooks_neuron_are_an_equilibrium():
    """At 15 Hz rate and weights are from 2,000 s on as they are up to 32,000 s."""
    long = ("simulation.duration=32000000", "record.weight_interval=250000")
    found = settling(sweep({}, *long, seeds=range(8), backend="threading"))
    assert found["settled"].item() == SETTLED
    assert 1_000_000 <= found["settling_time"].item() <= 4_000_000


def test_a_rate_that_falls_slowly_has_not_settled_with_the_weights():
    """10 Hz in, B 1.05, tau_minus 10 ms: the weights look settled after 420 s, the rate does not.

    Its quarters of 840 s have 15.4, 13.2, 12.4 and 12.1 Hz, and it is 11.4 Hz after 24,000 s.
    """
    slow = ("input.rate_hz=10", "stdp.effective_ltd_ratio=1.05", "stdp.tau_minus=10")
    long = ("simulation.duration=840000", "record.weight_interval=10000", "synapse.w_init=1")
    found = settling(sweep({}, *slow, *long, seeds=range(4)))
    assert found["settled"].item() == NOT_SETTLED
    assert found["to_come"].sel(quantity="output rate") > 1


@pytest.mark.parametrize("duration", [100_000, 400_000, 3_000_000])
def test_a_rate_that_rises_and_falls_has_not_settled(duration):
    """13 Hz, ratio 1.15: 0.5, 3.2 and 0.9 Hz over 100, 400 and 3,000 s."""
    drifting = ("input.rate_hz=13", "stdp.ltd_ratio=1.15")
    long = (f"simulation.duration={duration}", f"record.weight_interval={duration / 50}")
    found = settling(sweep({}, *drifting, *long, seeds=range(3)))
    assert found["settled"].item() not in STATIONARY


def test_weights_at_the_upper_bound_are_an_answer_from_the_start():
    """LTP that prevails holds the weights where they begin, and LTD does not."""
    long = ("simulation.duration=60000", "record.weight_interval=1000", "synapse.w_init=1")
    found = settling(sweep({"stdp.ltd_ratio": [0.8, 0.9, 1.05]}, *long))
    assert found["settled"].values.tolist() == [UPPER_BOUND, UPPER_BOUND, NOT_SETTLED]
    assert (found["settling_time"].sel(ltd_ratio=[0.8, 0.9]) < 10_000).all()


def test_without_plasticity_and_without_spikes_there_is_no_equilibrium_to_reach():
    """Amplitudes of 0 are frozen; at 5 and 10 Hz the neuron is silent for 120 s."""
    frozen = sweep({}, "record.weight_interval=5000", "stdp.A_plus=0", "stdp.A_minus=0")
    assert settling(frozen)["settled"].item() == FROZEN
    silent = settling(sweep({"input.rate_hz": [5, 10]}, "record.weight_interval=5000"))
    assert silent["settled"].values.tolist() == [NO_SPIKE, NO_SPIKE]
    assert silent["settling_time"].isnull().all()
