"""Quantities of the file have the definitions that `analysis` assumes."""

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from analysis.measures.rule_curves import stdp_window as window_of_file
from analysis.measures.settling import settling
from analysis.measures.spike_trains import cv, input_spikes, isi, mean_firing_rate
from analysis.measures.stationarity import NOT_RECORDED
from analysis.measures.traces import ltd_trace, ltp_trace, synaptic_conductance
from analysis.reading.dataset import parameter
from analysis.reading.metadata import DONE, flat, read_metadata
from analysis.reading.model import POSTSYNAPTIC, PRESYNAPTIC, pair_rule
from analysis.reading.values import canonical
from pipeline.model.parameters import by_key
from pipeline.model.quantity import Quantity
from pipeline.model.rule_steps import stdp_window
from tests.contract.conftest import AXES


def points(dataset):
    """Yield the index of each point, and the data there."""
    status = dataset["status"]
    for index in np.ndindex(status.shape):
        at = dict(zip(status.dims, index, strict=True))
        yield at, dataset.isel(at)


def test_the_points_fire_and_learn(dataset):
    """Without which the tests below would compare nothing."""
    assert (dataset["status"] == DONE).all()
    assert (dataset["spike_count"] > 10).all()
    assert (dataset["weight"].std("synapse") > 0.01).all()


def test_output_rate_cv_and_count_are_those_of_the_spike_times(dataset):
    """Population standard deviation over mean of the intervals; spikes over simulated time."""
    for found, name in ((cv(dataset), "isi_cv"), (mean_firing_rate(dataset), "output_rate")):
        assert found.dims == dataset[name].dims
        np.testing.assert_allclose(found, dataset[name], rtol=1e-12)
    counts = dataset["spike_time"].notnull().sum("spike")
    assert (counts == dataset["spike_count"]).all()


def test_the_cv_is_nan_below_two_intervals(base):
    """On both sides, of one and of two spikes; of three it is a number."""
    seen = set()
    for duration in (20, 30, 40, 60):
        run = pipeline.simulate(
            pipeline.configure(*base.overrides, f"simulation.duration={duration}",
                               "record.weight_interval=10"),
            engine="reference",
        )  # fmt: skip
        n = int(run["spike_count"])
        assert np.isnan(run["isi_cv"]) == np.isnan(cv(run)) == (n < 3)
        assert isi(run["spike_time"].values).size == max(n - 1, 0)
        seen.add(min(n, 3))
    assert {2, 3} <= seen or {1, 3} <= seen


def test_the_rate_history_counts_spikes_in_the_interval_that_ends_at_its_time(dataset):
    """A spike at the boundary belongs to the interval that begins there."""
    ends = dataset["sample_time"].values
    interval = ends[0]
    np.testing.assert_allclose(np.diff(ends), interval)
    edges = np.concatenate([[0.0], ends])
    for _, point in points(dataset):
        times = point["spike_time"].values
        counts = np.histogram(times[np.isfinite(times)], edges - 1e-9)[0]
        np.testing.assert_allclose(point["rate_history"], counts / interval * 1000)


def test_weights_are_those_of_the_end_of_the_history(dataset):
    """The last sample is the final weight, whose mean is the mean weight."""
    last = dataset["weight_history"].isel(sample_time=-1)
    np.testing.assert_array_equal(last, dataset["weight"])
    np.testing.assert_allclose(dataset["weight"].mean("synapse"), dataset["mean_weight"])
    assert dataset["sample_time"].values[-1] == parameter(dataset, "simulation.duration").item()
    assert set(settling(dataset)["settled"].values.ravel()) == {NOT_RECORDED}  # 10 samples


def test_the_effective_ratio_is_that_of_the_parameters(dataset):
    """Areas of both halves of the window; B of the theory."""
    rule = pair_rule(dataset)
    area = (rule["step"].isel(weight_grid=0, drop=True) * rule["tau"]).transpose("side", ...)
    ratio = -area.sel(side=POSTSYNAPTIC, drop=True) / area.sel(side=PRESYNAPTIC, drop=True)
    xr.testing.assert_allclose(
        ratio, dataset["effective_ltd_ratio"].reset_coords(drop=True), rtol=1e-12
    )


def test_parameters_are_the_resolved_ones_of_each_point(dataset, base):
    """Of the rule all, also those that follow others; constants as configured."""
    for at, point in points(dataset):
        A_plus = AXES["stdp.A_plus"][at["A_plus"]]
        stdp = pipeline.configure(*base.overrides, f"stdp.A_plus={A_plus}").stdp.resolved()
        for name in ("A_plus", "A_minus", "tau_plus", "tau_minus"):
            assert float(parameter(point, f"stdp.{name}")) == getattr(stdp, name)
        rule = xr.Dataset(pair_rule(dataset)).isel(weight_grid=0)
        here = rule.isel({dim: i for dim, i in at.items() if dim in rule.dims})
        assert here["step"].values.tolist() == [stdp.A_plus, -stdp.A_minus]
        assert here["tau"].values.tolist() == [stdp.tau_plus, stdp.tau_minus]
        assert here["kind"].values.tolist() == [0, 0]


def test_constants_of_the_metadata_are_those_of_the_configuration(experiment, base):
    """By the same keys, flattened alike on both sides."""
    constants = read_metadata(experiment / "results.nc").constants
    configured = by_key(base.to_mapping())
    assert constants == {key: value for key, value in configured.items() if key not in AXES}
    assert flat(base.to_mapping()) == configured


def test_the_window_of_the_file_is_that_of_the_model(dataset, base):
    """On both sides, at all time differences but 0, where it occurs twice."""
    curve = window_of_file(dataset)
    t = curve["time_difference"].values
    away = t != 0
    for A_plus in AXES["stdp.A_plus"]:
        stdp = pipeline.configure(*base.overrides, f"stdp.A_plus={A_plus}").stdp
        here = curve.sel(A_plus=A_plus).values
        np.testing.assert_allclose(here[away], stdp_window(t[away], stdp), rtol=1e-9, atol=1e-16)


def test_recovered_input_spikes_are_those_that_the_process_draws(dataset, base):
    """In every time step after the first, whose spikes leave no trace."""
    spikes = input_spikes(dataset)
    n_synapses, n_steps = base.input.n_synapses, base.simulation.n_steps
    for at, _ in points(dataset):
        process = pipeline.configure(
            *base.overrides, f"input.rate_hz={AXES['input.rate_hz'][at['rate_hz']]}"
        ).input
        drawn = np.zeros(n_steps * n_synapses, dtype=bool)
        for cells in process.events(base.simulation.dt, n_steps, AXES["seed"][at["seed"]]):
            drawn[cells] = True
        expected = drawn.reshape(n_steps, n_synapses)
        np.testing.assert_array_equal(spikes.isel(at).values[1:], expected[1:])


@pytest.fixture(scope="module")
def steps(dataset):
    """One point, with the steps of its output spikes."""
    point = dataset.isel(rate_hz=1, A_plus=1, seed=0)
    dt = float(parameter(dataset, "simulation.dt"))
    times = point["spike_time"].values
    return point, np.round(times[np.isfinite(times)] / dt).astype(int)


def test_output_spikes_are_resets_in_their_time_step(steps):
    """The potential is recorded after the reset, and `time` is that of the steps."""
    point, k = steps
    np.testing.assert_array_equal(point["v"].values[k], parameter(point, "neuron.V_reset").item())
    np.testing.assert_allclose(point["time"].values[k], point["spike_time"].values[: k.size])


def test_P_and_M_are_the_changes_of_weights_at_spikes(steps):
    """Weights are recorded after LTP and before LTD, traces after their jumps, all in one step."""
    point, k = steps
    weight = point["weight_trace"].values
    P, M = ltp_trace(point).values, ltd_trace(point).values
    spikes = input_spikes(point).values
    for step in range(1, len(weight)):
        depressed = np.where(spikes[step - 1], weight[step - 1] + M[step - 1], weight[step - 1])
        before = np.clip(depressed, 0, 1)
        expected = np.clip(before + P[step], 0, 1) if step in k else before
        if step > 1:  # input spikes of step 0 are not recovered
            np.testing.assert_allclose(weight[step], expected, atol=1e-12)


def test_the_conductance_gains_that_of_the_synapses_that_spike(steps):
    """g_ex is recorded at the start of a step, and gains the sum of g_max w of its spikes in it."""
    point, _ = steps
    g_ex, gained = point["g_ex"].values, synaptic_conductance(point).values
    spikes = input_spikes(point).values
    decay = 1 - float(parameter(point, "simulation.dt")) / float(parameter(point, "synapse.tau_ex"))
    expected = decay * g_ex[1:-1] + (gained * spikes).sum(axis=1)[1:-1]
    np.testing.assert_allclose(g_ex[2:], expected, atol=1e-12)


TRICKY = [0, -0.0, 0.1 + 0.2, 1 / 3, 1e-300, 5e-324, 2**53 + 1, 123456789012345678, 1e22, 0.1, 20]


@pytest.mark.parametrize("number", TRICKY)
def test_numbers_are_rounded_alike(number):
    """`canonical`, and what `pipeline` admits before it computes a key, of the same sign."""
    admitted = Quantity("a number").admit("key", number)
    assert canonical(number) == admitted
    assert math.copysign(1, canonical(number)) == math.copysign(1, admitted)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.floats(-1e308, 1e308))
def test_all_numbers_are_rounded_alike(number):
    """Those that stay finite when they are rounded."""
    assert canonical(number) == Quantity("a number").admit("key", number)
