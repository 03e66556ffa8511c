"""`simulate(..., output_spikes=...)`: what it takes, what it refuses, and what the results say."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.experiment.reproduction import reproduce
from pipeline.model.errors import RequestError

ENGINES = ("compiled", "reference")


@pytest.fixture(params=ENGINES)
def engine(request):
    """Run on either engine."""
    return request.param


@pytest.fixture
def fine(configure):
    """Compose a run of 100 ms in steps of 0.1 ms."""
    return lambda *more: configure("simulation.duration=100", "simulation.dt=0.1", *more)


@pytest.mark.parametrize(
    "given",
    [
        [0.1, 33.3, 99.8],
        np.array([0.13, 33.349, 99.81]),  # each to the nearest step
        (0.1, np.float32(33.3), 99.8),
        xr.DataArray([0.1, 33.3, 99.8], dims="spike"),
    ],
)
def test_spikes_are_those_that_are_given(fine, engine, given):
    """From the second step to the last but one, in times of steps."""
    run = pipeline.simulate(fine("record.spike_times=true"), output_spikes=given, engine=engine)
    assert run["spike_time"].values.tolist() == [0.1, 33.3, 99.8]
    assert run["spike_count"] == 3
    assert run["output_rate"] == 30


def test_none_may_be_given(fine, engine):
    """The neuron then never fires, whatever its input: there is LTD alone, and no LTD without M."""
    driven = fine("synapse.g_max=3", "record.spike_times=true")
    assert pipeline.simulate(driven, engine=engine)["spike_count"] > 5
    run = pipeline.simulate(driven, output_spikes=[], engine=engine)
    assert run["spike_count"] == 0
    assert (run["weight"] == driven.synapse.w_init).all()


def test_whole_numbers_are_times_too(configure):
    """A list of ints, and an array of them, at dt 1 ms."""
    for given in ([1, 7, 498], np.array([1, 7, 498], np.int16)):
        run = pipeline.simulate(configure("record.spike_times=true"), output_spikes=given)
        assert run["spike_time"].values.tolist() == [1, 7, 498]


REFUSED = [
    ([5.0, 4.0], r"output_spikes: 4 ms comes after 5 ms; times must rise"),
    ([4.0, 5.0, 5.0], r"output_spikes: 5 ms is given twice; times must rise"),
    ([5.0, 5.04], r"output_spikes: 5 and 5.04 ms: must be in two time steps of simulation.dt=0.1"),
    ([-3.0, 5.0], r"output_spikes: -3 ms: must be >= 0.1 and <= 99.8 ms, as no spike may be in "),
    ([0.0, 5.0], r"output_spikes: 0 ms: must be >= 0.1 .* in the first step or the last one of"),
    ([0.04, 5.0], r"output_spikes: 0.04 ms: must be >= 0.1"),
    ([5.0, 99.9], r"output_spikes: 99.9 ms: must be >= 0.1 and <= 99.8 ms"),
    ([5.0, 1e300], r"output_spikes: 1e\+300 ms: must be >= 0.1"),
    ([5.0, np.nan], r"output_spikes: nan: every time must be a finite number of ms"),
    ([5.0, np.inf], r"output_spikes: inf: every time must be a finite number of ms"),
    (np.ma.masked_greater([5.0, 6.0], 5.5), r"output_spikes: nan: every time must be a finite"),
    ([[5.0, 6.0]], r"output_spikes of shape \(1, 2\): must be a list of times in ms"),
    (5.0, r"output_spikes of shape \(\): must be a list of times in ms"),
    ([[5.0], [6.0, 7.0]], r"output_spikes: must be a list of numbers, times in ms"),
    ("5", r"output_spikes: must be a list of numbers, times in ms"),
    ([None, 5.0], r"output_spikes: must be a list of numbers, times in ms"),
    ([True, False], r"output_spikes: must be a list of numbers, times in ms"),
    ([5j], r"output_spikes: must be a list of numbers, times in ms"),
    ({5.0: 1}, r"output_spikes: must be a list of numbers, times in ms"),
    (np.array(["2020-01-01"], "datetime64[ms]"), r"output_spikes: must be a list of numbers"),
]


@pytest.mark.parametrize(("given", "said"), REFUSED)
def test_what_no_train_is_is_refused_in_one_line(fine, monkeypatch, given, said):
    """Before anything runs."""
    monkeypatch.setattr("pipeline.experiment.api.run_point", None)
    with pytest.raises(RequestError, match=said) as refusal:
        pipeline.simulate(fine(), output_spikes=given)
    assert "\n" not in str(refusal.value)


def test_a_run_of_two_steps_has_none(configure):
    """Its steps are the first and the last."""
    short = configure("simulation.duration=2")
    assert pipeline.simulate(short, output_spikes=[])["spike_count"] == 0
    with pytest.raises(RequestError, match=r"must be empty, as simulation.duration has 2 steps"):
        pipeline.simulate(short, output_spikes=[1])


def test_a_run_until_it_has_settled_takes_none(configure):
    """Neither output nor input can be given for a time that is not known."""
    until = configure("simulation.until=settled", "simulation.duration=1e6")
    with pytest.raises(RequestError, match=r"must be duration where output_spikes are given"):
        pipeline.simulate(until, output_spikes=[5.0])
    with pytest.raises(RequestError, match=r"must be duration where spikes are given"):
        pipeline.simulate(until, np.zeros((40, 1_000_000)))


def test_input_and_output_can_both_be_given(configure, engine):
    """One pair of spikes in steps 10 and 14: A_plus (1 - dt/tau)^4 for synapse 3 alone."""
    configuration = configure("record.spike_times=true")
    spikes = np.zeros((40, 500))
    spikes[3, 10] = 1
    run = pipeline.simulate(configuration, spikes, output_spikes=[14.0], engine=engine)
    expected = np.full(40, configuration.synapse.w_init)
    expected[3] += configuration.stdp.A_plus * (1 - 1 / 20) ** 4
    np.testing.assert_allclose(run["weight"], expected, rtol=0, atol=1e-15)
    assert run.attrs["input"] == "spikes given by the caller"
    assert run.attrs["output"] == "output spikes given by the caller"


def test_all_state_variables_are_recorded(configure):
    """The potential is reset at each, and at no other step; the trace M jumps by 1."""
    everything = configure("record=everything", "simulation.duration=60", "input.rate_hz=0")
    run = pipeline.simulate(everything, output_spikes=[20.0, 21.0])
    v, x_post = run["v"].values, run["x_post"].values
    assert (v[[20, 21]] == everything.neuron.V_reset).all()
    assert (np.diff(np.delete(v, [20, 21])) <= 0).all()  # from V_init to E_L, which is V_reset
    np.testing.assert_allclose(x_post[[19, 20, 21]], [0, 1, 1.95], atol=1e-12)


def test_a_phase_goes_on_as_if_undivided(configure, engine):
    """With `state` a spike may be in the first step, which the earlier simulation did not take."""
    kept = configure("record=history", "record.weight_interval=100", "simulation.duration=300")
    first = pipeline.simulate(kept, output_spikes=[100, 298], engine=engine)
    second = pipeline.simulate(kept, state=first, output_spikes=[0, 1, 250], engine=engine)
    long = configure("record.spike_times=true", "simulation.duration=599")
    whole = pipeline.simulate(long, output_spikes=[100, 298, 299, 300, 549], engine=engine)
    assert second["spike_time"].values.tolist() == [0, 1, 250]
    np.testing.assert_array_equal(second["weight"], whole["weight"])
    with pytest.raises(RequestError, match=r"-1 ms: must be >= 0 and <= 298 ms, as no spike may "):
        pipeline.simulate(kept, state=first, output_spikes=[-1, 1])


def test_the_neuron_fires_itself_after_a_phase_of_given_spikes(configure, engine):
    """And not before: what was prescribed ends with the phase."""
    kept = configure("record=history", "record.weight_interval=100", "synapse.g_max=3")
    first = pipeline.simulate(kept, output_spikes=[100], engine=engine)
    second = pipeline.simulate(kept, state=first, engine=engine)
    assert first["spike_count"] == 1
    assert second["spike_count"] > 50


def test_what_was_given_is_not_reproduced(configure, tmp_path):
    """The refusal says which, of the file and of the simulations before."""
    kept = configure("record.state=true")
    given = pipeline.simulate(kept, output_spikes=[100])
    later = pipeline.simulate(configure(), state=given)
    both = pipeline.simulate(configure(), np.zeros((40, 500)), state=given)
    for dataset, what in ((given, "output"), (later, "output"), (both, "input and output")):
        dataset.to_netcdf(tmp_path / "one.nc")
        with pytest.raises(RequestError, match=f"its {what} spikes were given by the caller, and"):
            reproduce(tmp_path / "one.nc", 1, [], run_given_code=False)
