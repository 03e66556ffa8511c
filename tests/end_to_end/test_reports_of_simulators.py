"""Reports of users of NEST, Brian2, PyNN and others about neurons, rules and inputs, tried here."""

import numpy as np
import pytest

import pipeline

ENGINES = ("compiled", "reference")

#: One strong synapse whose input spike fires the neuron, and that learns from each pair.
PAIR = (
    "input.n_synapses=1", "simulation.dt=1", "simulation.duration=60", "neuron.t_ref=5",
    "synapse.g_max=4", "synapse.w_init=0.5", "synapse.tau_ex=2", "stdp.A_plus=0.1",
    "stdp.A_minus=0.05", "stdp.tau_plus=20", "stdp.tau_minus=20",
    "record.spike_times=true",
)  # fmt: skip


def run_of_spikes(steps, engine, *overrides):
    """Return the dataset of input spikes at some steps of the only synapse."""
    spikes = np.zeros((1, 60))
    spikes[0, list(steps)] = 1
    return pipeline.simulate(pipeline.configure(*PAIR, *overrides), spikes=spikes, engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_pair_changes_the_weight_and_with_the_right_sign(engine):
    """Input before output is LTP by A_plus (1 - dt/tau_plus)^lag; no later spike is needed."""
    causal = run_of_spikes([20], engine)
    (output,) = causal["spike_time"].values
    lag = output - 20
    assert lag > 0
    assert float(causal["weight"][0]) == pytest.approx(0.5 + 0.1 * 0.95**lag, abs=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_input_spike_after_the_output_depresses(engine):
    """By A_minus (1 - dt/tau_minus)^lag on top of the causal pair, also within refractoriness."""
    alone = run_of_spikes([20], engine)
    (output,) = alone["spike_time"].values
    late = int(output) + 3
    both = run_of_spikes([20, late], engine, "neuron.t_ref=38")
    assert both["spike_time"].values.tolist() == [output]
    change = float(both["weight"][0]) - float(alone["weight"][0])
    assert change == pytest.approx(-0.05 * 0.95**3, abs=1e-12)


def test_traces_of_an_earlier_run_are_not_in_the_next(configure):
    """The same configuration gives the same weights, whatever ran before in the process."""
    once = pipeline.simulate(configure("seed=5"))
    pipeline.simulate(configure("seed=6", "stdp.A_plus=0.5"))
    again = pipeline.simulate(configure("seed=5"))
    np.testing.assert_array_equal(once["weight"], again["weight"])
    assert once["spike_count"] == again["spike_count"] > 0


def test_the_refractory_period_is_as_long_at_all_times():
    """10 steps of 0.1 ms for 1 ms, and one to fire, in all 90,908 intervals of 100 s."""
    configuration = pipeline.configure(
        "input.n_synapses=1", "input.rate_hz=10000", "synapse.g_max=900", "synapse.w_init=1",
        "stdp.A_plus=0", "simulation.dt=0.1", "neuron.t_ref=1", "simulation.duration=100000",
        "record.spike_times=true",
    )  # fmt: skip
    times = pipeline.simulate(configuration)["spike_time"].values
    assert np.unique(np.round(np.diff(times) / 0.1)).tolist() == [11]
    assert len(times) == 90909


@pytest.mark.parametrize("rate", [0, 0.01, 0.05, 1, 100, 1000])
def test_poisson_inputs_have_the_rate_asked_for(rate):
    """From one spike in 100 s to one per step: within four standard deviations of the mean."""
    n_cells = 100 * 100_000
    configuration = pipeline.configure(
        "input.n_synapses=100", f"input.rate_hz={rate}", "simulation.duration=100000"
    )
    count = sum(len(cells) for cells in configuration.input_events())
    p = rate / 1000
    assert abs(count - n_cells * p) <= 4 * np.sqrt(n_cells * p * (1 - p))


def test_a_rate_of_more_than_a_spike_per_step_is_refused():
    """Where other generators saturate in silence."""
    with pytest.raises(pipeline.RequestError, match=r"must be <= 1000 Hz \(one spike per step"):
        pipeline.configure("input.rate_hz=1001", "simulation.dt=1")
    assert pipeline.configure("input.rate_hz=1001", "simulation.dt=0.5").input.rate_hz == 1001


def test_poisson_inputs_do_not_end():
    """Five parts of 5,000 s have as many spikes, within four standard deviations."""
    configuration = pipeline.configure(
        "input.n_synapses=2", "input.rate_hz=20", "simulation.duration=5e6", "simulation.dt=1"
    )
    steps = np.concatenate(list(configuration.input_events())) // 2
    counts, _ = np.histogram(steps, bins=5, range=(0, 5_000_000))
    assert (abs(counts - 40_000) < 4 * np.sqrt(40_000)).all()


def test_a_longer_run_begins_as_the_shorter_one(configure):
    """Output spikes of 500 ms are the first ones of 900 ms, recorded or not."""
    record = "record.spike_times=true"
    short = pipeline.simulate(configure(record))["spike_time"].values
    long = pipeline.simulate(configure(record, "simulation.duration=900"))["spike_time"].values
    np.testing.assert_array_equal(long[long < 500], short)
    assert len(long) > len(short) > 0


def test_a_seed_that_would_be_cut_is_refused(command):
    """1 and 1 + 2**40 are not the same stream: the second is no seed."""
    refusal = "random seed must be a whole number >= 0 and <= 4294967295"
    for seed in (2**32, 2**40 + 1, -1):
        with pytest.raises(pipeline.RequestError, match=refusal):
            pipeline.configure(f"seed={seed}")
    ended = command("-m", f"seed=1,{1 + 2**40}", "dry_run=true")
    assert ended.code == 2
    assert refusal in ended.err


def test_seeds_at_the_end_of_the_range_are_told_apart(configure, sweep):
    """2**31 - 1, 2**31 and 2**32 - 1 are themselves in the file, and differ in their runs."""
    seeds = [2**31 - 1, 2**31, 2**32 - 1]
    dataset = sweep({"seed": seeds})
    assert dataset["seed"].values.tolist() == seeds
    assert len(np.unique(dataset["mean_weight"])) == 3
