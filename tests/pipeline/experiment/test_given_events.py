"""Events from Python, `simulate` and `sweep(..., events=)`: both engines, resume, reproduce."""

import logging
import pickle

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.experiment.reproduction import reproduce
from pipeline.model.arithmetic import multiples
from pipeline.model.errors import RequestError
from pipeline.model.initial_weights import initial_weights
from tests.conftest import numbers_of
from tests.support.contents import forget_all, random_events

ENGINES = ("compiled", "reference")


@pytest.fixture(autouse=True)
def forgotten():
    """Forget the contents of a test, as another process would."""
    yield
    forget_all()


def exported(configuration):
    """Return the input events of a configuration, as times [ms] and synapses."""
    cells = np.concatenate(list(configuration.input_events()))
    n = configuration.input.n_synapses
    return multiples(cells // n, configuration.simulation.dt), cells % n


@pytest.mark.parametrize("engine", ENGINES)
def test_exported_poisson_events_give_the_same_output_bits(configure, engine):
    """Spikes and weights, at a time step of which decimal times are no binary multiples."""
    drawn = configure("simulation.dt=0.1", "simulation.duration=300", "record.spike_times=true")
    expected = pipeline.simulate(drawn, engine=engine)
    given = pipeline.simulate(drawn, events=exported(drawn), engine=engine)
    assert expected["spike_count"] > 10
    for name in ("weight", "spike_time", "output_rate"):
        np.testing.assert_array_equal(given[name], expected[name])


@pytest.mark.parametrize("seed", range(4))
def test_both_engines_agree(configure, seed):
    """On unordered events of a step, two or three to a step, up to the last one."""
    times, synapses = random_events(seed, duration=400)
    times[-1] = 399.4
    made = configure("simulation.duration=400", "record.spike_times=true")
    one, other = (
        pipeline.simulate(made, events=(times, synapses), engine=engine) for engine in ENGINES
    )
    assert one["spike_count"] > 5
    np.testing.assert_array_equal(one["spike_time"], other["spike_time"])
    np.testing.assert_allclose(one["weight"], other["weight"], rtol=0, atol=1e-10)


def test_events_are_those_of_a_matrix(configure):
    """Of `spikes`, in other words; the file says that they are of a process `file`."""
    times, synapses = random_events(5)
    matrix = np.zeros((40, 500))
    matrix[synapses, times.astype(int)] = 1
    given = pipeline.simulate(configure(), events=(times, synapses))
    np.testing.assert_array_equal(given["weight"], pipeline.simulate(configure(), matrix)["weight"])
    assert float(given["rate_hz"]) == pytest.approx(times.size / 40 / 0.5)
    counts = np.bincount(synapses, minlength=40)
    np.testing.assert_allclose(given["synapse_rate"], counts * 1000 / times[-1])


def test_a_sweep_keeps_them_and_another_process_resumes_and_reproduces(
    configure, tmp_path, monkeypatch, caplog
):
    """The directory has the events; they are needed to ask again, and not to reproduce."""
    events = random_events(6)
    first = pipeline.sweep(
        configure(), {"stdp.A_plus": [0.004, 0.008]}, tmp_path / "a", events=events, n_jobs=1
    )
    (kept,) = (tmp_path / "a" / "given").iterdir()
    forget_all()
    assert reproduce(tmp_path / "a", 2, [], run_given_code=False)
    forget_all()
    axes = {"stdp.A_plus": [0.004, 0.008, 0.012]}
    caplog.set_level(logging.INFO)
    more = pipeline.sweep(configure(), axes, tmp_path / "a", events=events, n_jobs=1)
    assert "3 points, 2 of them finished before" in caplog.text
    xr.testing.assert_equal(
        numbers_of(more).isel(A_plus=[0, 1])["weight"], numbers_of(first)["weight"]
    )
    forget_all()
    monkeypatch.chdir(tmp_path)
    named = configure("input=file", f"input.file={kept}", "input.rate_hz=null")
    again = pipeline.sweep(named, axes, tmp_path / "a", n_jobs=1)
    xr.testing.assert_equal(numbers_of(again), numbers_of(more))  # the copy has their name
    other = random_events(7)
    with pytest.raises(RequestError, match="holds an experiment with other settings"):
        pipeline.sweep(configure(), axes, tmp_path / "a", events=other, n_jobs=1)


def test_events_stay_when_a_group_is_swept(configure):
    """Choices are composed anew, with what was given as overrides."""
    events = random_events(8)
    rules = {"stdp": ["notebook", "song_abbott_2001"]}
    swept = pipeline.sweep(
        configure(), rules, events=events, w_init=np.full(40, 0.4), backend="sequential"
    )
    one = pipeline.simulate(configure("stdp=song_abbott_2001"), events=events, w_init=[0.4] * 40)
    np.testing.assert_allclose(
        swept["weight"].sel(stdp="song_abbott_2001"), one["weight"], rtol=1e-6
    )
    groups = {"input": ["file"], "synapse": ["notebook"]}
    again = pipeline.sweep(
        configure(), groups, events=events, w_init=[0.4] * 40, backend="sequential"
    )
    assert (again["initial_weight"] == np.float32(0.4)).all()
    same = pipeline.simulate(configure(), events=events, w_init=[0.4] * 40)
    np.testing.assert_allclose(again["weight"].squeeze(), same["weight"], rtol=1e-6)


def test_a_file_of_simulate_needs_its_events(configure, tmp_path):
    """They are not in it: it is reproduced beside the folder that has them."""
    events = random_events(9)
    given = pipeline.simulate(configure("record.state=true"), events=events)
    later = pipeline.simulate(configure(), state=given)
    for name, dataset in (("given", given), ("later", later)):
        dataset.to_netcdf(tmp_path / f"{name}.nc")
        assert reproduce(tmp_path / f"{name}.nc", 1, [], run_given_code=False)
    forget_all()
    for name in ("given", "later"):
        with pytest.raises(
            RequestError, match=r"input\.file=array:\w{32}: its content is not known"
        ):
            reproduce(tmp_path / f"{name}.nc", 1, [], run_given_code=False)


def test_a_simulation_that_goes_on_begins_with_them_anew(configure):
    """Times are those of the new one: as of its own input spikes in a matrix."""
    events = random_events(10, duration=300)
    first = pipeline.simulate(configure("record.state=true"), events=random_events(11))
    short = configure("simulation.duration=300")
    second = pipeline.simulate(short, state=first, events=events)
    matrix = np.zeros((40, 300))
    matrix[events[1], events[0].astype(int)] = 1
    expected = pipeline.simulate(short, matrix, state=first)
    np.testing.assert_array_equal(second["weight"], expected["weight"])


REFUSED = [
    (([0.0, 500.0], [0, 1]), [], r"event at 500 ms: its nearest time step must be before simul"),
    (([0.0, 499.6], [0, 1]), [], r"499\.6 ms: its nearest .* before simulation\.duration=500 ms"),
    (([0.0, 5.0], [0, 40]), [], r"synapse 40 of an event: must be < input\.n_synapses=40"),
    (([5.0, 5.2], [3, 3]), [], r"synapse 3 has two events in the time step at 5 ms; must be one"),
    (([5.0, 4.0], [3, 3]), [], r"^events: an event at 4 ms comes after one at 5 ms; times"),
    ([5.0], [], r"^events: must be two lists of one length"),
    (
        ([0.0], [0]),
        ["simulation.until=settled", "simulation.duration=1e6"],
        r"until=settled: must be duration with input\.process=file, whose statistics change",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("events", "more", "said"), REFUSED)
def test_what_does_not_fit_is_refused(configure, monkeypatch, events, more, said):
    """In one line, before anything runs."""
    monkeypatch.setattr("pipeline.experiment.api.run_point", None)
    for call in (pipeline.simulate, lambda made, events: pipeline.sweep(made, {}, events=events)):
        with pytest.raises(RequestError, match=said) as refusal:
            call(configure(*more), events=events)
        assert "\n" not in str(refusal.value)
    with pytest.raises(RequestError, match=r"events: must not be given together with spikes"):
        pipeline.simulate(configure(), np.zeros((40, 500)), events=([0.0], [0]))


def test_the_process_itself_refuses(configure):
    """A rate, a run without a file, and a file that is replaced without being read."""
    with pytest.raises(RequestError, match=r"input\.rate_hz=40\.0: must be null with input\.proc"):
        configure("input=file")
    no_rate = configure("input=file", "input.rate_hz=null")
    with pytest.raises(RequestError, match=r"input\.file=null: must be a file of events with"):
        pipeline.simulate(no_rate)
    with pytest.raises(
        RequestError, match=r"input\.file=a\.npz: must be chosen with pipeline\.conf"
    ):
        no_rate.replaced({"input.file": "a.npz"})


def test_the_key_has_the_hash_alone(configure, tmp_path):
    """Whatever the name of the file; the rate of the process that it replaces is no rate of it."""
    times, synapses = random_events(13)
    for name in ("a", "b"):
        np.savez(tmp_path / f"{name}.npz", times=times, synapses=synapses)
    replaced = ("input=poisson", "input.process=file", "input.n_synapses=40")
    one, other = (
        pipeline.configure(
            *replaced, "simulation.duration=500", f"input.file={tmp_path}/{name}.npz"
        )
        for name in ("a", "b")
    )
    assert one.input.file != other.input.file and one.input.rate_hz is None
    assert one.input.key_values() == other.input.key_values()
    assert one.input.key_values().keys() == {"process", "n_synapses", "content"}


@pytest.mark.parametrize(
    ("given", "key", "values"),
    [
        ({"events": random_events(3)}, "input", ["file", "poisson"]),
        ({"events": random_events(3)}, "input.file", ["a.npz"]),
        ({"w_init": [0.3] * 40}, "synapse.w_from", ["a.npz"]),
    ],
)
def test_an_axis_of_others_is_refused(configure, monkeypatch, tmp_path, given, key, values):
    """Its points would be labelled with what they are not made of, or the argument unused."""
    monkeypatch.chdir(tmp_path)
    times, synapses = random_events(4)
    np.savez("a.npz", times=times, synapses=synapses, weights=[0.5] * 40)
    (argument,) = given
    said = rf"^{key}={values[-1]}: must not be an axis together with {argument}, which are"
    for call in (pipeline.sweep, pipeline.plan):
        with pytest.raises(RequestError, match=said):
            call(configure(), {key: values}, **given)


def test_memory_does_not_grow_with_the_file(run_python, tmp_path):
    """Three million events, 36 MB as stored and more as cells, in 12 MB beyond what a few need."""
    n_steps, n = 300_000, 10
    np.savez(tmp_path / "few.npz", times=np.arange(9.0), synapses=np.zeros(9, "i4"))
    times, synapses = (
        np.repeat(np.arange(float(n_steps)), n),
        np.tile(np.arange(n, dtype="i4"), n_steps),
    )
    np.savez(tmp_path / "many.npz", times=times, synapses=synapses)
    code = """
import sys, pipeline
def run(file):
    made = pipeline.configure("input=file", f"input.file={file}", "input.n_synapses=10",
                              "simulation.duration=300000", "synapse.g_max=0")
    return pipeline.simulate(made)
run(sys.argv[1])
before = peak()
assert run(sys.argv[2])["rate_hz"] == 1000
print(peak() - before)
"""
    assert int(run_python(code, tmp_path / "few.npz", tmp_path / "many.npz")) < 12_000


def test_a_worker_that_knows_no_contents_gets_them(configure, monkeypatch):
    """Events and weights go along with the sections that refer to them."""
    sent = []
    monkeypatch.setattr("pipeline.experiment.api.run_grid", lambda grid, *_: sent.append(grid))
    with pytest.raises(AttributeError):
        pipeline.sweep(configure(), {}, events=random_events(12), w_init=[0.3] * 40)
    point = sent[0].points[0]
    expected, content = list(point.input_events()), pickle.dumps(point)
    forget_all()
    with pytest.raises(RequestError, match="its content is not known here"):
        next(point.input_events())
    there = pickle.loads(content)
    np.testing.assert_array_equal(
        np.concatenate(list(there.input_events())), np.concatenate(expected)
    )
    assert (initial_weights(there) == 0.3).all()
