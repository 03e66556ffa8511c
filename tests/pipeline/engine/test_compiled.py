"""The compiled engine against the reference: identical spikes, weights within 1e-10."""

import ast
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
from pipeline.engine import compiled, constants, drawing, kernel
from pipeline.model import reference
from pipeline.model.initial_weights import initial_weights
from pipeline.model.inputs import (
    INPUT_STREAM,
    SEED_POLICIES,
    bernoulli_cells,
    mean_gap,
)
from pipeline.model.lattice import given_cells
from pipeline.model.parameters import Configuration
from pipeline.model.rules.additive import Additive
from pipeline.model.streams import stream_of
from tests.conftest import golden, golden_overrides

ROOT = Path(__file__).parents[3]
TOLERANCE = 1e-10


@st.composite
def configurations(draw):
    """Draw a run of up to 600 steps, from a silent neuron to one that is always refractory.

    Every parameter is one of its edge cases or, three times in four, any value of its range.
    """
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def pick(low, high, *edges):
        value = draw(st.sampled_from([*edges, *[None] * 3 * max(1, len(edges))]))
        return float(random.uniform(low, high)) if value is None else value

    n_synapses = int(pick(1, 2000, 1, 2, 40, 300, 2000))
    dt = pick(0.05, 1.0, 0.05, 0.1, 1.0)
    n_steps = int(pick(100, 600 if n_synapses <= 300 else 150, 1, 2))
    rate = pick(5, min(1000 / dt, 100), 0.0, 1000 / dt)
    tau_ex, tau_plus = pick(1.5 * dt, 10, 1.01 * dt), pick(1.5 * dt, 50, 1.01 * dt, 1e6)
    V_th, V_reset, E_L = pick(-59, -40), pick(-80, -60), pick(-80, -60, -30.0)
    E_ex, w_init = pick(-20, 20), pick(0.05, 0.95, 0.0, 1.0)
    # From no drive to five times what brings the mean potential to threshold.
    needed = max(0.1, (V_th - E_L) / (E_ex - V_th))
    events_at_a_time = max(1e-3, rate * n_synapses * tau_ex / 1000)
    g_max = min(1000.0, pick(0.5, 5, 0.0) * needed / events_at_a_time / max(0.1, w_init))
    sample = draw(st.none() | st.integers(1, n_steps))
    return Configuration.from_mapping(
        {
            "neuron": {
                "V_th": V_th,
                "V_reset": V_reset,
                "V_init": pick(-90, -30, V_th),
                "E_L": E_L,
                "tau_m": pick(1.5 * dt, 20, 1.01 * dt),
                "t_ref": pick(0, 5, 0.0, 0.3 * dt, dt, 2.0, 2.03, 1e9),
            },
            "synapse": {
                **{"g_max": g_max, "w_init": w_init, "E_ex": E_ex, "tau_ex": tau_ex},
                "w_init_spread": draw(st.sampled_from([0.0, 0.0, 1.0])) * min(w_init, 1 - w_init),
            },
            "stdp": {
                "A_plus": pick(0.001, 0.3, 0.0, 0.008, 1.0),
                "ltd_ratio": pick(0.5, 1.5),
                "A_minus": pick(0.0, 0.3, 0.0, 1.0) if draw(st.booleans()) else None,
                "tau_plus": tau_plus,
                "tau_minus": pick(1.5 * dt, 50, 1.01 * dt) if draw(st.booleans()) else None,
            },
            "input": {
                "process": "poisson",
                "n_synapses": n_synapses,
                "rate_hz": rate,
                "seed_policy": draw(st.sampled_from(SEED_POLICIES)),
            },
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
    """Both engines give equal spikes, weights, history, and largest g; return the reference's."""
    expected = reference.run(configuration, None if events is None else iter([events]))
    got = compiled.run(configuration, None if events is None else iter([events]))
    np.testing.assert_array_equal(got.spike_step, expected.spike_step)
    np.testing.assert_allclose(got.weight, expected.weight, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(got.largest_g, expected.largest_g, rtol=1e-9, atol=1e-12)
    assert got.weight_history.shape == expected.weight_history.shape
    np.testing.assert_allclose(got.weight_history, expected.weight_history, rtol=0, atol=TOLERANCE)
    return expected


@settings(max_examples=300, deadline=None, derandomize=True)
@given(configurations())
def test_engines_agree_on_generated_configurations(configuration):
    """At the bounds and in the usual range of every parameter; each engine draws its own input."""
    assert_same_run(configuration)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(configurations(), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_engines_agree_on_given_events(configuration, share, seed):
    """Any raster as input gives the same run on both engines."""
    n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
    raster = np.random.default_rng(seed).random((n_synapses, n_steps)) < share
    (events,) = given_cells(raster, n_synapses, n_steps)
    assert_same_run(configuration, events)


def test_generated_configurations_spike_and_learn():
    """Many of them spike repeatedly, with LTP and LTD, so that the comparison is meaningful."""
    seen = []

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(configurations())
    def collect(configuration):
        recording = reference.run(configuration)
        change = recording.weight - initial_weights(configuration)
        seen.append((recording.spike_step.size > 1, (change > 0).any(), (change < 0).any()))

    collect()
    assert (np.mean(seen, axis=0) > (0.2, 0.1, 0.2)).all(), np.mean(seen, axis=0)


@pytest.mark.parametrize(
    "name", ["exercise_2", "demo_2_15hz", "demo_2_30hz", "fine_step", "short_window"]
)
def test_compiled_engine_reproduces_the_notebook(name):
    """The notebook's input gives its spike times exactly and its weights within 1e-10."""
    case = golden(name)
    recording = compiled.run(pipeline.configure(*golden_overrides(case)))
    np.testing.assert_array_equal(recording.spike_step * case["dt"], case["spike_times"])
    np.testing.assert_allclose(recording.weight * case["g_max"], case["g_final"], atol=TOLERANCE)


@pytest.mark.parametrize("dt", [1.0, 0.1])
def test_engines_agree_after_a_long_run(dt):
    """30 s at the tutorial's values: accumulated rounding errors change no spike."""
    configuration = pipeline.configure(
        "simulation.duration=30000", f"simulation.dt={dt}", "record=history", "input.rate_hz=25"
    )
    assert assert_same_run(configuration).spike_step.size > 200


def test_a_spike_at_nearly_every_step():
    """A neuron without refractory period under strong drive fills the buffer of its spikes."""
    configuration = pipeline.configure(
        "neuron.t_ref=0", "synapse.g_max=900", "synapse.w_init=1", "stdp.A_minus=0",
        "input.rate_hz=1000", "input.n_synapses=2", "simulation.duration=3000", "simulation.dt=1",
    )  # fmt: skip
    assert assert_same_run(configuration).spike_step.size > 2900


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_shortest_runs(steps):
    """One, two and three steps: the last changes no state, the first no trace."""
    configuration = pipeline.configure(
        f"simulation.duration={steps}", "simulation.dt=1", "input.rate_hz=1000",
        "neuron.V_init=-50", "record=history", "record.weight_interval=1",
    )  # fmt: skip
    assert_same_run(configuration)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(configurations(), st.sampled_from([1, 2, 5, 16, 64, 128]), st.sampled_from([1, 40, 1024]))
def test_blocks_give_the_plain_loop_to_the_last_bit(configuration, longest, drawn):
    """For any length of the blocks, and any number of events drawn at a time."""
    plain = compiled.run(configuration, in_blocks=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "_LONGEST_BLOCK", longest)
        patch.setattr(compiled, "_DRAWN", drawn)
        assert_identical(compiled.run(configuration), plain)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(configurations(), st.sampled_from([1, 16, 128]), st.sampled_from([1, 100]))
def test_blocks_give_the_plain_loop_on_given_events(configuration, longest, buffered):
    """Events that move through the buffer in any number at a time give the same run."""
    plain = compiled.run(configuration, configuration.input_events(), in_blocks=False)
    assert_identical(compiled.run(configuration), plain)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "_LONGEST_BLOCK", longest)
        patch.setattr(compiled, "_GIVEN", buffered)
        assert_identical(compiled.run(configuration, configuration.input_events()), plain)


def assert_identical(got, expected):
    """All that two runs recorded is equal bit by bit."""
    for name in ("weight", "spike_step", "weight_history", "v", "largest_g"):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name))


@pytest.mark.parametrize("p", [1e-7, 0.0015, 0.015, 0.3, 1.0])
def test_drawn_events_equal_those_of_numpy(p):
    """The kernel's draws are those of `bernoulli_cells`, in chunks of any size."""
    n_synapses, n_steps, seed = 300, int(500_000 / p / 300) + 1, 5
    cells = drawn_cells(p, n_synapses, n_steps, seed, [100_000, 1, 33, 499_966])
    expected = np.concatenate(list(bernoulli_cells(p, n_synapses, n_steps, seed)))
    assert expected.size > 490_000
    np.testing.assert_array_equal(cells[: expected.size], expected)
    assert (cells[expected.size :] == n_synapses * n_steps).all()


@pytest.mark.parametrize("n_synapses", [1, 3, 300, 9_999_991])
def test_cells_are_divided_exactly(n_synapses):
    """Step and synapse of an event are right up to the end of the largest lattice."""
    n_steps = 2**48 // n_synapses
    cells = drawn_cells(1e-9, n_synapses, n_steps, 3, [400_000])
    expected = np.concatenate(list(bernoulli_cells(1e-9, n_synapses, n_steps, 3)))
    np.testing.assert_array_equal(cells[: expected.size], expected)


def drawn_cells(p, n_synapses, n_steps, seed, sizes):
    """Return the events that the kernel draws in chunks of some sizes, as cells."""
    start, increment = stream_of(seed, INPUT_STREAM)
    step_constants = constants.StepConstants(
        n_synapses=n_synapses, n_steps=n_steps, start=start, increment=increment,
        mean_gap=mean_gap(p),
    )  # fmt: skip
    of_run = np.frombuffer(bytes(step_constants), dtype=np.dtype(constants.StepConstants))
    state = np.zeros(1, dtype=np.dtype(constants.State))
    cells = []
    for size in sizes:
        steps, synapses = np.empty((2, size), dtype=np.int64)
        drawing.draw(of_run[0], state[0], steps, synapses, np.empty(size))
        assert ((synapses >= 0) & (synapses < n_synapses)).all()
        cells.append(steps * n_synapses + synapses)
    return np.concatenate(cells)


@pytest.mark.parametrize("tau_plus", [1.00000000000001, 1.001, 1e12])
def test_traces_of_any_time_constant(tau_plus):
    """The scale of a trace stays finite, for decay within a step and for no decay at all."""
    configuration = pipeline.configure(
        f"stdp.tau_plus={tau_plus}", "stdp.A_plus=1e-4", "stdp.A_minus=0.01", "simulation.dt=1",
        "simulation.duration=2000", "input.rate_hz=60", "stdp.tau_minus=20",
    )  # fmt: skip
    assert assert_same_run(configuration).spike_step.size > 10


def test_object_code_depends_on_all_of_its_source_files():
    """The kernel is compiled again after a change of any engine module that it imports."""
    package = Path(kernel.__file__).parents[1]
    names = ("kernel", "loops", "membrane", "drawing", "unrolled")
    compiled_ones = [f"engine/{name}.py" for name in names]
    found = {file for name in compiled_ones for file in imported_by(package / name)}
    assert found | set(compiled_ones) == set(compiled.SOURCES)


def imported_by(file):
    """Return the modules of the package that a file imports from, as paths in the package."""
    nodes = [n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.ImportFrom)]
    modules = [
        f"{n.module}.{a.name}" for n in nodes for a in n.names if n.module == "pipeline.model"
    ]
    modules += [n.module for n in nodes if n.module != "pipeline.model"]
    own = [m.removeprefix("pipeline.") for m in modules if m.startswith("pipeline.")]
    return [f"{module.replace('.', '/')}.py" for module in own]


@dataclass(frozen=True)
class Allocating(Additive):
    """A rule that allocates an array for each weight."""

    name: ClassVar[str] = "allocating"

    @staticmethod
    def potentiate(w, traces, fields):
        """Return the weight after LTP."""
        return w + np.full(3, fields.A_plus)[0] * traces.x_pre


@pytest.mark.parametrize("in_blocks", [True, False])
def test_a_kernel_that_allocates_is_refused(in_blocks):
    """Numba's memory allocator is not available in a process that does not import numba."""
    with pytest.raises(ValueError, match="its functions may raise an exception, allocate memory"):
        kernel.compiled(Allocating, in_blocks)


def test_more_input_spikes_in_a_step_than_there_is_room_for(monkeypatch):
    """The run ends with an error, not with a wrong result or never."""
    monkeypatch.setattr(compiled, "_n_drawn", lambda configuration: 20)
    configuration = pipeline.configure("input.rate_hz=1000", "simulation.dt=1")
    with pytest.raises(RuntimeError, match=r"stdp.rule=additive: raised an exception"):
        compiled.run(configuration)


def test_time_between_checkpoints_counts_output_spikes():
    """A run of 20 s at a spike per step and 100,000 synapses can be ended after 0.3 s."""
    configuration = pipeline.configure(
        "input.n_synapses=100000", "input.rate_hz=0.1", "synapse.g_max=5", "neuron.t_ref=0",
        "simulation.duration=20000", "simulation.dt=1",
    )  # fmt: skip
    times = [time.perf_counter()]

    def checkpoint():
        times.append(time.perf_counter())
        if len(times) > 5:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        compiled.run(configuration, checkpoint=checkpoint)
    assert np.median(np.diff(times)) < 0.3


def run_without(modules, tmp_path, *words):
    """Run the command in a process that cannot import some modules."""
    code = (
        f"import sys, runpy; sys.modules |= dict.fromkeys({modules});"
        f"sys.argv = {['pipeline', 'simulation.duration=200', 'name=x', *words]};"
        "runpy.run_module('pipeline', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(tmp_path / "outputs" / "x" / "results.nc") as dataset:
        return dataset.load(), [line for line in done.stderr.splitlines() if "WARNING" in line]


def test_without_numba_the_reference_is_used_with_a_warning(tmp_path):
    """If the kernel cannot be compiled there is one warning line, and the run succeeds."""
    dataset, warnings = run_without(["numba", "llvmlite"], tmp_path)
    assert dataset.attrs["engine"] == "reference"
    assert len(warnings) == 1
    assert (
        "run.engine=compiled is not available for stdp.rule=additive (import of llvmlite"
        in warnings[0]
    )


def test_the_reference_needs_no_numba(tmp_path):
    """With run.engine=reference there is no warning about numba."""
    dataset, warnings = run_without(["numba", "llvmlite"], tmp_path, "run.engine=reference")
    assert dataset.attrs["engine"] == "reference"
    assert warnings == []


def test_code_once_compiled_runs_without_importing_numba(tmp_path):
    """A process that finds cached object code gives the same run without importing numba."""
    compiled.load(Additive)
    dataset, warnings = run_without(["numba"], tmp_path)
    assert dataset.attrs["engine"] == "compiled"
    assert warnings == []
    alone = pipeline.simulate(pipeline.configure("simulation.duration=200"))
    np.testing.assert_array_equal(dataset["weight"], alone["weight"].astype(np.float32))


@pytest.mark.parametrize("dt", [1.0, 0.1])
@pytest.mark.parametrize("threshold", [-55.0, -54.3, -60.7, -50.0])
def test_a_neuron_whose_rest_is_its_threshold(threshold, dt):
    """It fires at step 0 if it starts there, and never reaches threshold from below.

    Rounding of the Euler step lets the potential come to rest less than 1e-12 mV below.
    """
    for start, spikes in ((threshold, [0]), (threshold - 5, [])):
        configuration = pipeline.configure(
            f"neuron.V_th={threshold}", f"neuron.E_L={threshold}", f"neuron.V_init={start}",
            "input.rate_hz=0", f"simulation.dt={dt}", "simulation.duration=2000",
        )  # fmt: skip
        recording = assert_same_run(configuration)
        assert recording.spike_step.tolist() == spikes
        assert recording.v == pytest.approx(threshold, rel=0, abs=1e-12)
