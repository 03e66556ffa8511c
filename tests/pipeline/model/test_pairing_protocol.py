"""Pairing protocols: times of the spikes, what is refused, and the window that they measure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.engine import compiled
from pipeline.model import reference
from pipeline.model.errors import RequestError
from pipeline.model.output_spikes import configured_output_steps
from pipeline.model.processes.pairing_protocol import PairingProtocol
from pipeline.model.rule_steps import stdp_window


def protocol(**values):
    """Return a protocol of 60 pairs at 10 Hz, 10 ms apart, with other values."""
    usual = {"n_synapses": 3, "rate_hz": 10.0, "post_minus_pre": 10.0, "n_pairs": 60}
    return PairingProtocol(process="pairing_protocol", **usual | values)


def steps_of(inputs, dt, n_steps=10**8):
    """Return the steps of input and output spikes; every synapse has the same."""
    cells = np.concatenate([*inputs.events(dt, n_steps, 0)])
    n = inputs.n_synapses
    np.testing.assert_array_equal(cells % n, np.tile(np.arange(n), cells.size // n))
    return cells[::n] // n, inputs.output_steps(dt, n_steps, 0)


@pytest.mark.parametrize("lag", [10.0, -10.0, 0.0, 250.0, -250.0])
def test_pairs_come_at_the_frequency_and_the_time_difference(lag):
    """60 pairs every 100 ms; the first spike of all is in step 1, also where pairs overlap."""
    before, after = steps_of(protocol(post_minus_pre=lag), 0.1)
    np.testing.assert_array_equal(np.diff(before), np.full(59, 1000))
    np.testing.assert_array_equal(after - before, np.full(60, round(lag / 0.1)))
    assert min(before[0], after[0]) == 1


def test_a_frequency_that_is_no_multiple_of_steps_does_not_drift():
    """30 Hz at dt 1 ms: intervals of 33 and 34 steps, 300 of them in 10 s."""
    before, after = steps_of(protocol(rate_hz=30.0, n_pairs=301), 1.0)
    assert set(np.diff(before)) == {33, 34}
    assert before[-1] - before[0] == 10_000
    assert (after - before == 10).all()


def test_a_pair_in_every_step_is_the_highest_frequency():
    """1,000 Hz at dt 1 ms; at 16 Hz halves of a step are rounded up."""
    before, _ = steps_of(protocol(rate_hz=1000.0), 1.0)
    np.testing.assert_array_equal(before, 1 + np.arange(60))
    before, _ = steps_of(protocol(rate_hz=16.0, n_pairs=5), 1.0)
    np.testing.assert_array_equal(before, [1, 64, 126, 189, 251])


def test_a_cut_protocol_has_the_spikes_up_to_there():
    """Events and output steps of fewer steps are those before, as the beginning of a run has."""
    whole, part = steps_of(protocol(), 1.0), steps_of(protocol(), 1.0, 1_000)
    for all_steps, some in zip(whole, part, strict=True):
        np.testing.assert_array_equal(some, all_steps[all_steps < 1_000])
        assert some.size == 10


def test_events_come_in_chunks_of_bounded_size():
    """However many pairs and synapses there are."""
    inputs = protocol(n_synapses=2_000, n_pairs=1_000, rate_hz=100.0)
    sizes = [chunk.size for chunk in inputs.events(1.0, 10**6, 0)]
    assert sum(sizes) == 2_000_000
    assert max(sizes) < 20_000


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("input.rate_hz=0", "input.rate_hz=0: frequency of the pairs must be a finite number >= "),
        ("input.rate_hz=-1", "input.rate_hz=-1: frequency of the pairs must be a finite number"),
        ("input.rate_hz=1001", "input.rate_hz=1001.0: with simulation.dt=1 ms input rate must be"),
        ("input.n_pairs=0", "input.n_pairs=0: number of pairs must be a whole number >= 1"),
        ("input.n_pairs=2000000", "input.n_pairs=2000000: number of pairs must be a whole number"),
        ("input.n_pairs=1.5", "input.n_pairs=1.5: number of pairs must be a whole number"),
        ("input.post_minus_pre=.5", "input.post_minus_pre=0.5: must be a multiple of simulation."),
        ("input.post_minus_pre=2e6", "input.post_minus_pre=2000000.0: time difference t_post - "),
        ("input.post_minus_pre=nan", "input.post_minus_pre=nan: time difference t_post - t_pre"),
        ("input.post_minus_pre=null", "input.post_minus_pre=null: time difference t_post - t_pre"),
        ("simulation.duration=5912", "simulation.duration=5912.0: must be >= 5913 ms with input."),
        ("input.rate_hz=1e-9", "simulation.duration=120000.0: must be >= 59000000000013 ms with"),
        ("simulation.until=settled", "simulation.until=settled: must be duration with input."),
        ("input.pair_rate=5", "input.pair_rate=5: unknown key; did you mean input.rate_hz?"),
    ],
)  # fmt: skip
def test_what_is_no_protocol_is_refused(changed, said):
    """In one line with key, value and what is allowed."""
    with pytest.raises(RequestError, match=said) as refusal:
        pipeline.configure("input=pairing_protocol", changed)
    assert "\n" not in str(refusal.value)


def test_a_point_of_a_sweep_that_does_not_fit_is_refused():
    """Before the first one runs: at 0.1 Hz 60 pairs take 590 s."""
    base = pipeline.configure("input=pairing_protocol")
    with pytest.raises(RequestError, match=r"simulation.duration=120000.0: must be >= 590013 ms"):
        pipeline.sweep(base, {"input.rate_hz": [10, 0.1]})


@pytest.mark.parametrize("lag", [10.0, -10.0])
def test_the_shortest_run_has_all_pairs(lag):
    """Its last spike is in the last step but one, whose change of weights counts."""
    base = ["input=pairing_protocol", "synapse.w_init=0.5", f"input.post_minus_pre={lag}"]
    short = pipeline.simulate(pipeline.configure(*base, "simulation.duration=5913"))
    long = pipeline.simulate(pipeline.configure(*base, "simulation.duration=7000"))
    assert short["spike_count"] == long["spike_count"] == 60
    assert float(short["mean_weight"]) == float(long["mean_weight"])


def isolated(rule, lag, dt):
    """Return the change by a pair in discrete time: A q^(lag/dt) with q = 1 - dt/tau."""
    fields, n = rule.fields(), round(abs(lag) / dt)
    ltp = fields.A_plus * (1 - dt / fields.tau_plus) ** n
    ltd = -fields.A_minus * (1 - dt / fields.tau_minus) ** n
    return (lag >= 0) * ltp + (lag <= 0) * ltd


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_isolated_pairs_measure_the_window(engine, dt):
    """One pair: the discrete window exactly, and the window of the rule within the time step."""
    lags = np.arange(-100.0, 101.0, 20.0)
    base = pipeline.configure(
        "input=pairing_protocol", "input.n_pairs=1", f"simulation.dt={dt}", "stdp.tau_minus=30",
        "simulation.duration=110", "synapse.w_init=0.5",
    )  # fmt: skip
    found = pipeline.sweep(base, {"input.post_minus_pre": lags}, engine=engine)
    change = found["mean_weight"].values - 0.5
    expected = [isolated(base.stdp, lag, dt) for lag in lags]
    np.testing.assert_allclose(change, expected, rtol=0, atol=1e-15)
    apart = lags != 0
    window = stdp_window(-lags, base.stdp)
    np.testing.assert_allclose(change[apart], window[apart], rtol=3 * dt / 20, atol=0)


def test_pairs_far_apart_add_up(configure):
    """60 pairs at 1 Hz change the weight by 60 times what one does, but for 1e-12 of others."""
    base = ["input=pairing_protocol", "synapse.w_init=0.5", "simulation.dt=0.1", "input.rate_hz=1"]
    for lag in (10.0, -20.0):
        configuration = pipeline.configure(*base, f"input.post_minus_pre={lag}")
        run = pipeline.simulate(configuration)
        expected = 60 * isolated(configuration.stdp, lag, 0.1)
        np.testing.assert_allclose(run["weight"] - 0.5, expected, rtol=1e-9)


def test_all_synapses_end_alike_whatever_the_neuron():
    """Nor do seed, drive and threshold matter: the neuron's own spikes are replaced."""
    base = pipeline.configure("input=pairing_protocol", "input.n_synapses=20", "synapse.w_init=0.5")
    usual = pipeline.simulate(base)["weight"].values
    assert np.ptp(usual) == 0 and usual[0] != 0.5
    for changed in ({"synapse.g_max": 9.0}, {"neuron.V_th": -74.0}, {"seed": 3}):
        run = pipeline.simulate(base.replaced(changed))
        np.testing.assert_array_equal(run["weight"], usual)
        assert run["spike_count"] == 60


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.floats(5, 200), st.integers(-80, 80), st.integers(1, 30), st.sampled_from([0.1, 0.5, 1.0]),
    st.integers(1, 3),
)  # fmt: skip
def test_engines_agree_on_any_protocol(rate, n_lag, n_pairs, dt, n_synapses):
    """Equal spikes, weights to 1e-10; also in runs that are longer than the protocol."""
    duration = n_pairs * 1000 / rate + 200
    configuration = pipeline.configure(
        "input=pairing_protocol", f"input.rate_hz={rate}", f"input.post_minus_pre={n_lag * dt}",
        f"input.n_pairs={n_pairs}", f"input.n_synapses={n_synapses}", f"simulation.dt={dt}",
        f"simulation.duration={duration}", "stdp.A_plus=0.05", "synapse.g_max=1",
    )  # fmt: skip
    expected, got = reference.run(configuration), compiled.run(configuration)
    np.testing.assert_array_equal(got.spike_step, configured_output_steps(configuration))
    np.testing.assert_array_equal(got.spike_step, expected.spike_step)
    np.testing.assert_allclose(got.weight, expected.weight, rtol=0, atol=1e-10)
    assert got.spike_step.size == n_pairs


def test_a_protocol_begins_anew_in_a_second_phase():
    """After other input, or after itself: its times are those of its own simulation."""
    kept = ["synapse.w_init=0.5", "simulation.duration=6000", "record.state=true"]
    kept.append("stdp.A_plus=0.004")
    poisson = pipeline.configure("input.n_synapses=1", *kept)
    paired = pipeline.configure("input=pairing_protocol", *kept)
    alone = float(pipeline.simulate(paired)["mean_weight"]) - 0.5
    first = pipeline.simulate(poisson, output_spikes=[])
    second = pipeline.simulate(paired, state=first)
    third = pipeline.simulate(paired, state=second)
    assert second["spike_count"] == third["spike_count"] == 60
    changes = np.diff([float(run["mean_weight"]) for run in (first, second, third)])
    np.testing.assert_allclose(changes, alone, rtol=0.02)
