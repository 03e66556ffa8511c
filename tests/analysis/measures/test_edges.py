"""Spikes at the edges of windows: whatever the rounding of either, a spike belongs to one side."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from analysis.measures.measured import MeasuredDataset
from analysis.measures.spike_trains import (
    cross_correlation_histogram,
    cv,
    fanofactor,
    mean_firing_rate,
)

#: An input spike in every step, each of which makes a neuron fire that is not refractory.
DRIVEN = ("record=history", "neuron.V_init=0", "input.n_synapses=1", "synapse.g_max=900",
          "synapse.w_init=1", "stdp.A_plus=0")  # fmt: skip

#: A step's time as versions of the pipeline and users compute it.
TIMES = {
    "decimal": lambda step, dt: float(f"{step * dt:.15g}"),
    "product": lambda step, dt: step * dt,
    "sum": lambda step, dt: sum([dt] * step),
    "from above": lambda step, dt: (step + 7) * dt - 7 * dt,
    "quotient": lambda step, dt: step / (1 / dt),
}
STEPS = st.sampled_from([0.1, 0.05, 0.3, 0.01, 0.7, 2.7, 1.0, 1 / 3])


def regular(dt, period, refractory):
    """Return a run that fires at 0 and then once in a period [ms]."""
    return pipeline.simulate(
        pipeline.configure(
            *DRIVEN, f"simulation.dt={dt}", f"simulation.duration={4 * period}",
            f"record.weight_interval={period}", f"neuron.t_ref={refractory}",
            f"input.rate_hz={int(1000 / dt)}",
        )
    )  # fmt: skip


def made(times, duration, dt):
    """Return a dataset of one run with these spike times; without time step where it is None."""
    simulation = {"duration": duration} | ({} if dt is None else {"dt": dt})
    return xr.Dataset(
        {"spike_time": ("spike", np.asarray(times, dtype=float)), "status": ((), 0)},
        attrs={"configuration": json.dumps({"simulation": simulation})},
    )


def test_one_spike_in_each_window_has_no_variance():
    """Spikes at 0, 2.7, 5.4 and 8.1 ms, of which 3 * 2.7 is 8.100000000000001."""
    run = regular(0.1, 2.7, 2.6)
    assert run["spike_time"].values.tolist() == [0, 2.7, 5.4, 8.1]
    assert fanofactor(run, window=2.7) == 0
    assert fanofactor(run, window=2.7, t_start=27 * 0.1) == 0


@pytest.mark.parametrize("t_start", [0.9, 3 * 0.3, 0.3 + 0.3 + 0.3])
def test_a_spike_at_the_start_is_counted(t_start):
    """Three spikes in 2.7 ms from the second one on, however its time is computed."""
    run = regular(0.3, 0.9, 0.6)
    assert run["spike_time"].values.tolist() == [0, 0.9, 1.8, 2.7]
    assert mean_firing_rate(run, t_start).item() == pytest.approx(1111.11, abs=0.01)


@settings(deadline=None)
@given(dt=STEPS, start=st.integers(1, 2000), n=st.integers(2, 20), length=st.integers(1, 30),
       spikes=st.sampled_from(list(TIMES)), edge=st.sampled_from(list(TIMES)))  # fmt: skip
def test_edges_are_compared_in_steps(dt, start, n, length, spikes, edge):
    """A spike in the first step of each of n windows, and one a step before them all."""
    fired = [start - 1, *(start + length * i for i in range(n))]
    end = TIMES["decimal"](start + length * n, dt)
    run = made([TIMES[spikes](step, dt) for step in fired], end, dt)
    t_start, window = TIMES[edge](start, dt), TIMES[edge](length, dt)
    rate = mean_firing_rate(run, t_start).item()
    assert round(rate * (end - t_start) / 1000, 6) == n
    assert fanofactor(run, window, t_start) == 0
    if n > 2:
        assert cv(run, t_start).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("late", [0, 10**6, 10**9])
def test_neighbouring_steps_are_told_apart_in_long_runs(late):
    """Counted from a step on, the step before is not, also at the end of 10^9 steps of 0.1 ms."""
    times = [(late + n) * 0.1 for n in range(10)]
    run = made(times, (late + 10) / 10, 0.1)
    assert fanofactor(run, 0.1, late / 10) == 0
    for n in range(10):
        rate = mean_firing_rate(run, (late + n) / 10).item()
        assert rate == pytest.approx(10_000)  # 10 - n spikes in as many steps of 0.1 ms


def test_without_a_time_step_edges_have_a_relative_tolerance():
    """A dataset made by hand need not state its time step."""
    run = made([0.0, 0.3 * 3, 0.6 * 3, 0.9 * 3], 3.6, None)
    assert fanofactor(run, window=0.9) == 0
    assert mean_firing_rate(run, 0.9).item() == pytest.approx(1111.11, abs=0.01)
    assert cv(run.drop_attrs(), 0.9).item() == pytest.approx(0, abs=1e-12)


def test_each_time_step_of_a_sweep_has_its_own_edges(configure):
    """Rates from 2.7 ms on are those of each run alone."""
    overrides = ("record=history", "record.weight_interval=0.9", "simulation.dt=0.1")
    together = pipeline.sweep(
        configure(*overrides), {"simulation.dt": [0.1, 0.3]}, backend="sequential"
    )
    for dt in (0.1, 0.3):
        step = np.round(together["spike_time"].sel(dt=dt).values / dt)
        for t_start in (2.7, 9 * 0.3, 100 * 2.7):
            n_spikes = np.count_nonzero(step >= round(t_start / dt))
            rate = mean_firing_rate(together, t_start).sel(dt=dt).item()
            assert rate == pytest.approx(1000 * n_spikes / (500 - t_start))


def test_lags_are_decimals(configure):
    """A lag of the correlogram is selected by 0.3, not by 3 * 0.1."""
    run = pipeline.simulate(
        configure("record=everything", "simulation.dt=0.1", "simulation.duration=50")
    )
    lags = cross_correlation_histogram(run, 5)["lag"].values
    assert lags.tolist() == [float(f"{n}e-1") for n in range(-50, 51)]


def test_the_end_of_a_run_is_a_time_of_it(configure):
    """Also where the duration is computed: 3 * 0.1 is above 0.3."""
    run = pipeline.simulate(
        configure("record=history", "simulation.duration=0.3", "simulation.dt=0.1",
                  "record.weight_interval=0.1")
    )  # fmt: skip
    assert MeasuredDataset.of(run, at=3 * 0.1).at == 3 * 0.1
