"""`simulate`: results of one configuration as a labelled dataset."""

import numpy as np
import pytest

import pipeline
from pipeline.model.errors import RequestError
from tests.conftest import golden, golden_overrides


def test_simulate_reports_the_tutorials_demo_2():
    """Demo 2 at 15 Hz: 1,219 output spikes and mean weight 0.60378."""
    dataset = pipeline.simulate(pipeline.configure("input=notebook", "seed=2020"))
    assert dataset["spike_count"] == 1219
    assert dataset["mean_weight"].item() == pytest.approx(0.60378, abs=5e-6)
    assert dataset["output_rate"].item() == pytest.approx(1219 / 120)


def test_given_spikes_drive_the_neuron():
    """The raster of the process gives the same run, in full precision, and is recorded as input."""
    case = golden("exercise_2")
    configuration = pipeline.configure(*golden_overrides(case))
    spikes = np.random.RandomState(2020).rand(300, 200) < 0.01
    assert spikes.sum() == 616
    dataset = pipeline.simulate(configuration, spikes)
    np.testing.assert_allclose(dataset["weight"] * 0.024, case["g_final"], atol=1e-10)
    assert dataset.identical(pipeline.simulate(configuration).assign_attrs(dataset.attrs))
    assert dataset.attrs["input"] == "spikes given by the caller"
    assert dataset["mean_weight"].item() == pytest.approx(0.9967, abs=5e-5)


def test_simulate_runs_on_either_engine(configure):
    """Reference and compiled engine agree up to rounding."""
    one, other = (pipeline.simulate(configure(), engine=e) for e in ("reference", "compiled"))
    assert one["spike_count"] == other["spike_count"] > 5
    np.testing.assert_allclose(one["weight"], other["weight"], rtol=0, atol=1e-10)
    with pytest.raises(RequestError, match=r"^run\.engine=fast: engine must be compiled or ref"):
        pipeline.simulate(configure(), engine="fast")


def test_given_spikes_must_fit_the_configuration(configure):
    """A raster of the wrong shape is refused."""
    with pytest.raises(RequestError, match=r"spikes of shape \(300, 5\)"):
        pipeline.simulate(configure(), np.zeros((300, 5)))


def test_histories_agree_with_spikes_and_weights(configure):
    """rate_history counts the recorded spikes interval by interval; the last weights are final."""
    dataset = pipeline.simulate(configure("record=history", "record.weight_interval=125"))
    assert dataset["sample_time"].values.tolist() == [125, 250, 375, 500]
    counts, _ = np.histogram(dataset["spike_time"], [0, 125, 250, 375, 500])
    np.testing.assert_allclose(dataset["rate_history"], counts * 8)
    np.testing.assert_array_equal(dataset["weight_history"][-1], dataset["weight"])
    assert dataset["spike_time"].size == dataset["spike_count"]


def test_only_requested_variables_are_recorded(configure):
    """By default final weights and statistics; traces only if requested."""
    plain = {"weight", "output_rate", "spike_count", "isi_cv", "mean_weight", "status"}
    plain |= {"late_output_rate", "late_isi_cv", "late_fano_factor", "euler_overshoot"}
    plain |= {"effective_ltd_ratio", "discrete_ltd_ratio"}
    plain |= {"weight_step", "trace_time_constant", "trace_kind"}
    assert set(pipeline.simulate(configure())) == plain
    everything = pipeline.simulate(configure("record=everything"))
    assert set(everything) == plain | {
        "spike_time",
        "v",
        "g_ex",
        "x_post",
        "x_pre",
        "weight_trace",
    }
    assert everything["x_pre"].dims == ("time", "synapse")


def test_times_are_selected_by_the_decimals_that_they_stand_for(configure):
    """Steps, samples and spikes are at 0.3 ms and not at 3 * 0.1 ms, as one would type them."""
    overrides = ("record=everything", "simulation.duration=100", "simulation.dt=0.1")
    dataset = pipeline.simulate(configure(*overrides, "record.weight_interval=0.3"))
    assert dataset["time"].values.tolist() == [float(f"{k}e-1") for k in range(1000)]
    assert dataset["sample_time"].values.tolist() == [float(f"{k}e-1") for k in range(3, 1000, 3)]
    assert dataset["v"].sel(time=0.3) == dataset["v"][3]
    sample = dataset["weight_history"].sel(sample_time=0.9)
    np.testing.assert_array_equal(sample, dataset["weight_history"][2])
    # A spike is at the step in which the membrane potential is reset.
    assert dataset["spike_count"] > 1
    at_reset = dataset["v"].sel(time=dataset["spike_time"].values)
    np.testing.assert_allclose(at_reset, at_reset[0])


def test_the_rate_history_counts_in_steps():
    """A spike in the first step of each interval of 0.9 ms, also where 3 * 0.3 is below 0.9."""
    driven = ("input.n_synapses=1", "input.rate_hz=3333", "synapse.g_max=900", "synapse.w_init=1")
    driven += ("neuron.V_init=0", "neuron.t_ref=0.6", "stdp.A_plus=0", "record=history")
    times = ("simulation.dt=0.3", "simulation.duration=90", "record.weight_interval=0.9")
    dataset = pipeline.simulate(pipeline.configure(*driven, *times))
    assert dataset["spike_time"].values.tolist() == [float(f"{9 * n}e-1") for n in range(100)]
    np.testing.assert_allclose(dataset["rate_history"], 1 / 0.9e-3)
