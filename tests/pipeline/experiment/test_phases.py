"""Simulations that go on from the end state of an earlier one."""

import numpy as np
import pytest

import pipeline
from pipeline.experiment.phases import phase_from
from pipeline.experiment.reproduction import reproduce
from pipeline.model.errors import RequestError
from pipeline.model.inputs import INPUT_STREAM, gaps, mean_gap
from pipeline.model.streams import stream_of

ENGINES = ("compiled", "reference")
KEPT = ("record=history", "record.weight_interval=100")


@pytest.fixture(params=ENGINES)
def engine(request):
    """Run on either engine."""
    return request.param


def test_two_phases_are_one_run(configure, engine):
    """With equal parameters: weights and spikes of a run of both, less the step they share."""
    configuration = configure(*KEPT)
    first = pipeline.simulate(configuration, engine=engine)
    second = pipeline.simulate(configuration, state=first, engine=engine)
    whole = configure(*KEPT, "simulation.duration=999", "record.weight_interval=1")
    whole = pipeline.simulate(whole, engine=engine)
    np.testing.assert_array_equal(second["weight"], whole["weight"])
    shifted = second["spike_time"].values + 499
    spikes = np.concatenate([first["spike_time"], shifted])
    np.testing.assert_array_equal(spikes, whole["spike_time"])
    assert len(shifted) > 5
    times = second["sample_time"].values + 499
    expected = whole["weight_history"].sel(sample_time=times)
    np.testing.assert_array_equal(second["weight_history"], expected)
    assert second["spike_count"] == len(shifted)
    assert second["output_rate"] == 2 * len(shifted)


def test_the_traces_of_every_step_are_those_of_the_phase(configure):
    """With record=everything the arrays begin where the phase does."""
    first = pipeline.simulate(configure("record.state=true"))
    configuration = configure("record=everything", "simulation.duration=100")
    second = pipeline.simulate(configuration, state=first)
    whole = pipeline.simulate(configure("record=everything", "simulation.duration=599"))
    for name in ("v", "g_ex", "x_pre", "x_post", "weight_trace"):
        same = whole[name].isel(time=slice(499, None)).values
        np.testing.assert_allclose(second[name], same, rtol=0, atol=1e-10)


def test_plasticity_can_be_switched_off(configure, engine):
    """Trained weights stay as they are, and the neuron fires on."""
    trained = pipeline.simulate(configure(*KEPT), engine=engine)
    frozen = configure("stdp.A_plus=0", "input.rate_hz=50", "seed=7")
    tested = pipeline.simulate(frozen, state=trained, engine=engine)
    np.testing.assert_array_equal(tested["weight"], trained["weight"])
    assert tested["spike_count"] > 5


def test_another_rate_takes_random_numbers_that_were_not_used(configure):
    """Those after the last event and the gap that reached beyond the end; a seed begins anew."""
    first = pipeline.simulate(configure("record.state=true"))
    n_used = np.concatenate([*configure("simulation.duration=499").input_events()]).size

    def gaps_of(second):
        start = phase_from(second, first).start.state
        cells = np.concatenate([*second.input_events(start)])
        assert start.next_cell == start.step * 40 == 499 * 40
        return start.n_events, np.diff(cells, prepend=start.next_cell - 1)[:100] - 1

    faster, other = configure("input.rate_hz=80"), configure("seed=5")
    n_events, found = gaps_of(faster)
    assert n_events == n_used + 1
    stream, factor = stream_of(2020, INPUT_STREAM), mean_gap(0.08)
    np.testing.assert_array_equal(found, gaps(stream, n_used + 1, 100, factor, 2**40))
    n_events, found = gaps_of(other)
    assert n_events == 0
    beginning = np.concatenate([*other.input_events()])[:100]
    np.testing.assert_array_equal(found, np.diff(beginning, prepend=-1) - 1)


def test_engines_agree_in_a_second_phase(configure):
    """After another rate, another time constant of the rule, and another seed policy."""
    first = {e: pipeline.simulate(configure("record.state=true"), engine=e) for e in ENGINES}
    for changed in (
        ["input.rate_hz=50"],
        ["stdp.tau_plus=35", "stdp.tau_minus=12"],
        ["input.seed_policy=independent"],
        ["seed=9", "neuron.t_ref=5"],
    ):
        configuration = configure(*changed, "record=history", "record.weight_interval=100")
        runs = [
            pipeline.simulate(configuration, state=first[before], engine=e)
            for before in ENGINES
            for e in ENGINES
        ]
        for run in runs[1:]:
            np.testing.assert_array_equal(run["spike_time"], runs[0]["spike_time"])
            np.testing.assert_allclose(run["weight"], runs[0]["weight"], rtol=0, atol=1e-10)


def test_given_spikes_come_after_the_state(configure, engine):
    """A matrix holds the events of the new phase alone."""
    first = pipeline.simulate(configure("record.state=true"), engine=engine)
    silence = np.zeros((40, 500))
    history = configure("record=history", "record.weight_interval=100")
    second = pipeline.simulate(history, spikes=silence, state=first, engine=engine)
    assert second["spike_count"] <= 1
    silence[:, 250] = 1
    third = pipeline.simulate(history, spikes=silence, state=first, engine=engine)
    times = third["spike_time"].values
    assert times[times > 10][0] in (251, 252)


def test_a_phase_until_it_has_settled(configure):
    """It is looked at after times of its own."""
    strong = configure("record.state=true", "stdp.ltd_ratio=0.5", "simulation.duration=20000")
    trained = pipeline.simulate(strong)
    until = ["simulation.until=settled", "simulation.duration=1e6", "stdp.ltd_ratio=0.5"]
    settled = pipeline.simulate(configure(*until), state=trained)
    assert settled["run_duration"] == 64_000
    assert settled["settled"] == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("input.n_synapses=41", "input.n_synapses=41: must be 40, as it is in the state"),
        ("simulation.dt=0.5", "simulation.dt=0.5: must be 1, as it is in the state"),
    ],
)
def test_what_a_state_fixes_is_refused_by_name(configure, changed, said):
    """Number of synapses and time step."""
    first = pipeline.simulate(configure("record.state=true", "simulation.duration=50"))
    with pytest.raises(RequestError, match=said):
        pipeline.simulate(configure(changed), state=first)


def test_what_is_no_state_is_refused(configure):
    """A dataset without one, something else, a cut one, another version."""
    plain = pipeline.simulate(configure("simulation.duration=50"))
    with pytest.raises(RequestError, match=r"must have an end state, as simulate .*record.state"):
        pipeline.simulate(configure(), state=plain)
    with pytest.raises(RequestError, match=r"state=dict: must be a dataset of pipeline.simulate"):
        pipeline.simulate(configure(), state={})
    kept = pipeline.simulate(configure("simulation.duration=50", "record.state=true"))
    with pytest.raises(RequestError, match=r"state: must be complete"):
        pipeline.simulate(configure(), state=kept.isel(state_byte=slice(100)))
    with pytest.raises(RequestError, match=r"state: made by model version 1, and this is version"):
        pipeline.simulate(configure(), state=kept.assign_attrs(model_version=1))


def test_a_state_survives_a_file(configure, tmp_path):
    """Saved as netCDF and opened again, with the chain of what came before."""
    import xarray as xr

    first = pipeline.simulate(configure("record.state=true"))
    second = pipeline.simulate(configure("record.state=true", "seed=3"), state=first)
    second.to_netcdf(tmp_path / "second.nc")
    with xr.open_dataset(tmp_path / "second.nc") as opened:
        third = pipeline.simulate(configure(), state=opened)
    xr.testing.assert_equal(third, pipeline.simulate(configure(), state=second))
    chain = third.attrs["earlier"]
    assert chain.count('"seed": 3') == 1
    assert chain.index('"seed": 2020') < chain.index('"seed": 3')


def test_a_chain_of_phases_is_reproduced_whole(configure, tmp_path, capsys):
    """`reproduce` runs all of them again from the last one's file; a changed bit is found."""
    trained = pipeline.simulate(configure("record.state=true"))
    faster = configure("input.rate_hz=55", "seed=4", "record.state=true")
    second = pipeline.simulate(faster, state=trained, engine="reference")
    third = pipeline.simulate(configure("stdp.tau_plus=12", *KEPT), state=second)
    third.to_netcdf(tmp_path / "third.nc")
    assert reproduce(tmp_path / "third.nc", 1, [], run_given_code=False)
    assert "1 of 1 points are the same bit for bit" in capsys.readouterr().out
    changed = third.assign_attrs(earlier=third.attrs["earlier"].replace('"seed": 4', '"seed": 5'))
    changed.to_netcdf(tmp_path / "changed.nc")
    assert not reproduce(tmp_path / "changed.nc", 1, [], run_given_code=False)


def test_given_spikes_are_not_reproduced(configure, tmp_path):
    """A file, or an earlier phase, whose input was a matrix is refused."""
    silence = np.zeros((40, 500))
    first = pipeline.simulate(configure("record.state=true"), spikes=silence)
    second = pipeline.simulate(configure(), state=first)
    for number, dataset in enumerate((first, second)):
        dataset.to_netcdf(tmp_path / f"{number}.nc")
        with pytest.raises(RequestError, match=r"input spikes were given by the caller"):
            reproduce(tmp_path / f"{number}.nc", 1, [], run_given_code=False)
