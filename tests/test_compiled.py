"""The compiled core against the reference: the same spikes exactly, the same weights to 1e-10."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pipeline
from pipeline import compiled, reference
from pipeline.inputs import given_cells, mean_gap, spike_cells
from pipeline.parameters import Configuration
from tests.conftest import golden, golden_overrides

ROOT = Path(__file__).parent.parent
TOLERANCE = 1e-10


@st.composite
def configurations(draw):
    """Draw a run of up to 600 steps whose neuron is anything from silent to always refractory."""
    n_synapses = draw(st.sampled_from([1, 2, 3, 40, 300, 2000]) | st.integers(1, 2000))
    dt = draw(st.sampled_from([0.05, 0.1, 0.25, 1.0]) | st.floats(0.05, 1.0))
    most_steps = 600 if n_synapses <= 300 else 100
    n_steps = draw(st.integers(most_steps // 2, most_steps) | st.integers(1, most_steps))
    most = 1000 / dt
    rate = draw(st.sampled_from([0.0, most]) | st.floats(0, min(most, 200)) | st.floats(0, most))
    tau = st.floats(1.01 * dt, 100)
    tau_ex, tau_plus = draw(tau), draw(tau)
    # A mean conductance of 0 to 10 leaks at full weights: below, around and far above threshold.
    strength = draw(st.floats(0.3, 10) | st.floats(0, 10))
    g_max = min(1000.0, strength / max(1e-3, rate * n_synapses * tau_ex / 1000))
    A_plus = draw(st.sampled_from([0.0, 0.008, 1.0]) | st.floats(0, 0.3))
    V_reset = draw(st.floats(-80, -60))
    sample = draw(st.none() | st.integers(1, n_steps))
    return Configuration.from_mapping(
        {
            "neuron": {
                "V_th": draw(st.floats(V_reset + 0.1, -40)),
                "V_reset": V_reset,
                "V_init": draw(st.floats(-90, -30)),
                "E_L": draw(st.floats(-80, -30)),
                "tau_m": draw(tau),
                "t_ref": draw(st.sampled_from([0.0, 0.3 * dt, dt, 2.0, 2.03]) | st.floats(0, 10)),
            },
            "synapse": {
                "g_max": g_max,
                "w_init": draw(st.sampled_from([0.0, 1.0]) | st.floats(0, 1)),
                "E_ex": draw(st.floats(-20, 20)),
                "tau_ex": tau_ex,
            },
            "stdp": {
                "A_plus": A_plus,
                "ltd_ratio": 1.1,
                "A_minus": draw(st.none() | st.sampled_from([0.0, 1.0]) | st.floats(0, 0.3)),
                "tau_plus": tau_plus,
                "tau_minus": draw(st.none() | tau),
            },
            "input": {"process": "poisson", "n_synapses": n_synapses, "rate_hz": rate},
            "simulation": {"duration": n_steps * dt, "dt": dt},
            "record": {
                "weight_interval": None if sample is None else sample * dt,
                "spike_times": True,
                "traces": False,
                "dtype": "float64",
            },
            "seed": draw(st.integers(0, 2**32 - 1)),
        }
    )


def assert_same_run(configuration, events=None):
    """Both cores give the same spikes, weights and weight history; return the reference's."""
    expected = reference.run(configuration, None if events is None else iter([events]))
    got = compiled.run(configuration, None if events is None else iter([events]))
    np.testing.assert_array_equal(got.spike_step, expected.spike_step)
    np.testing.assert_allclose(got.weight, expected.weight, rtol=0, atol=TOLERANCE)
    assert got.weight_history.shape == expected.weight_history.shape
    np.testing.assert_allclose(got.weight_history, expected.weight_history, rtol=0, atol=TOLERANCE)
    return expected


@settings(max_examples=300, deadline=None, derandomize=True)
@given(configurations())
def test_cores_agree_on_generated_configurations(configuration):
    """Over the whole range of every parameter, input drawn by each core for itself."""
    assert_same_run(configuration)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(configurations(), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_cores_agree_on_given_events(configuration, share, seed):
    """Any raster in place of the process gives the same run on both cores."""
    n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
    raster = np.random.default_rng(seed).random((n_synapses, n_steps)) < share
    (events,) = given_cells(raster, n_synapses, n_steps)
    assert_same_run(configuration, events)


def test_generated_configurations_are_no_idle_ones():
    """A good part of them spikes repeatedly and learns, up and down: the agreement says much."""
    seen = []

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(configurations())
    def collect(configuration):
        recording = reference.run(configuration)
        change = recording.weight - configuration.synapse.w_init
        seen.append((recording.spike_step.size > 1, (change > 0).any(), (change < 0).any()))

    collect()
    assert (np.mean(seen, axis=0) > (0.35, 0.1, 0.15)).all(), np.mean(seen, axis=0)


@pytest.mark.parametrize(
    "name", ["exercise_2", "demo_2_15hz", "demo_2_30hz", "fine_step", "short_window"]
)
def test_compiled_core_repeats_the_notebook(name):
    """The notebook's spikes give its spike times exactly and its weights to 1e-10 here too."""
    case = golden(name)
    recording = compiled.run(pipeline.configure(*golden_overrides(case)))
    np.testing.assert_array_equal(recording.spike_step * case["dt"], case["spike_times"])
    np.testing.assert_allclose(recording.weight * case["g_max"], case["g_final"], atol=TOLERANCE)


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_cores_agree_after_a_long_run(dt):
    """30 s at the tutorial's values: rounding errors do not add up to a spike."""
    configuration = pipeline.configure(
        "simulation.duration=30000", f"simulation.dt={dt}", "record=history", "input.rate_hz=25"
    )
    assert assert_same_run(configuration).spike_step.size > 200


def test_more_spikes_than_fit_at_first():
    """A neuron without refractory period under strong drive spikes 3,000 times, all recorded."""
    configuration = pipeline.configure(
        "neuron.t_ref=0", "synapse.g_max=900", "synapse.w_init=1", "stdp.A_minus=0",
        "input.rate_hz=1000", "input.n_synapses=2", "simulation.duration=3000", "simulation.dt=1",
    )  # fmt: skip
    assert assert_same_run(configuration).spike_step.size > 2900


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_shortest_runs(steps):
    """One, two and three steps: the last changes nothing, the first moves no trace."""
    configuration = pipeline.configure(
        f"simulation.duration={steps}", "simulation.dt=1", "input.rate_hz=1000",
        "neuron.V_init=-50", "record=history", "record.weight_interval=1",
    )  # fmt: skip
    assert_same_run(configuration)


@pytest.mark.parametrize("p", [1e-7, 0.0015, 0.015, 0.3, 1.0])
def test_drawn_events_are_the_references_to_the_last(p):
    """The compiled ziggurat and PCG64 are numpy's: half a million events are the same."""
    n_synapses, n_steps, seed = 300, int(500_000 / p / 300) + 1, 5
    n_cells = n_synapses * n_steps
    events = np.empty(600_000, dtype=np.int64)
    stream = np.array(compiled._stream_of(seed), dtype=np.uint64)
    compiled._draw(stream, events, 0, -1, mean_gap(p), n_cells)
    expected = np.concatenate(list(spike_cells(_poisson(p, n_synapses, n_steps, seed))))
    assert expected.size > 490_000
    np.testing.assert_array_equal(events[: expected.size], expected)
    assert (events[expected.size :] == n_cells).all()


def _poisson(p, n_synapses, n_steps, seed):
    return pipeline.configure(
        f"input.n_synapses={n_synapses}", f"input.rate_hz={1000 * p}", f"seed={seed}",
        f"simulation.duration={n_steps}", "simulation.dt=1",
    )  # fmt: skip


@example(0)
@example(2**32 - 1)
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_stream_starts_where_numpys_does(seed):
    """The four halves are the state of numpy's own PCG64 for this seed's input stream."""
    generator = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(0,)))
    high, low, increment_high, increment_low = compiled._stream_of(seed)
    state = {"state": high << 64 | low, "inc": increment_high << 64 | increment_low}
    assert state == generator.state["state"]


def test_traces_do_not_overflow_between_rescalings():
    """Where a trace decays to 1e-16 in one step, its scale is still a number."""
    assert compiled._stretch(1e-16) == 6
    assert compiled._stretch(0.95) == 256
    assert compiled._stretch(1.0) == 256


@pytest.mark.parametrize("engine", ["compiled", "reference"])
def test_without_numba_the_reference_takes_over_and_says_so(engine, tmp_path):
    """Where numba cannot be imported there is one warning line, and the run is done."""
    code = (
        "import sys; sys.modules['numba'] = None; import runpy;"
        f"sys.argv = ['pipeline', 'simulation.duration=20', 'run.engine={engine}', 'name=x'];"
        "runpy.run_module('pipeline', run_name='__main__')"
    )
    done = subprocess.run(  # noqa: PLW1510
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "numba" in line]
    assert len(warnings) == (engine == "compiled")
    if warnings:
        assert "numba cannot be imported" in warnings[0]
    assert (tmp_path / "outputs" / "x" / "results.nc").exists()
