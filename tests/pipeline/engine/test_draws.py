"""Machine code for processes in numpy: equal bits, equal engines, and a cache of its own."""

import ast
from pathlib import Path

import numpy as np
import pytest

import pipeline
from pipeline.engine import compiled, draws
from pipeline.model import reference, streams, superposition, thinning
from pipeline.model.inputs import bernoulli_cells
from pipeline.model.streams import exponentials, stream_of


@pytest.fixture
def in_numpy(monkeypatch):
    """Return a function that draws by numpy alone, and one that draws in machine code."""
    monkeypatch.setattr(streams, "_compiled", [])
    monkeypatch.setattr(superposition, "_compiled", [])
    monkeypatch.setattr(thinning, "_compiled", {})

    def both(draw):
        slow = draw()
        draws.use_compiled_draws()
        return slow, draw()

    return both


@pytest.mark.parametrize("seed", [0, 7, 2**31])
@pytest.mark.parametrize(("first", "count"), [(0, 1), (5, 0), (16_384, 20_000), (2**40, 100)])
def test_variates_have_equal_bits(in_numpy, seed, first, count):
    """From any place in the stream, however many."""
    slow, fast = in_numpy(lambda: exponentials(stream_of(seed, 0), first, count))
    assert slow.tobytes() == fast.tobytes()
    assert slow.size == count


@pytest.mark.parametrize("p", [1e-5, 0.01, 0.5, 1.0])
def test_bernoulli_cells_are_equal(in_numpy, p):
    """The events that the kernel draws itself are those of both."""
    slow, fast = in_numpy(lambda: np.concatenate([*bernoulli_cells(p, 30, 5000, 3)]))
    np.testing.assert_array_equal(slow, fast)


@pytest.mark.parametrize(
    "p",
    [
        [0.0, 0.01, 0.01, 0.0, 0.3, 1.0, 0.02, 0.0],
        [1.0] * 5,
        [0.0, 0.0, 1e-7],
        np.random.default_rng(1).lognormal(-4, 1, 300).clip(0, 1),
    ],
)
def test_superposed_cells_are_equal(in_numpy, p):
    """Of synapses without spikes, with one in each step, of one rate and of many."""
    p = np.asarray(p)
    stream = stream_of(2, 0)
    slow, fast = in_numpy(
        lambda: np.concatenate([*superposition.superposed_cells(stream, p, 9000)])
    )
    np.testing.assert_array_equal(slow, fast)
    counts = np.bincount(slow % p.size, minlength=p.size)
    assert (counts[p == 0] == 0).all() and (counts[p == 1] == 9000).all()


@pytest.mark.parametrize(
    "words",
    [
        ["input.correlation_time=1", "input.rate_sd=1"],
        ["input.correlation_time=3000", "input.group_sizes=[1,18]"],
        ["input=oscillating", "input.frequency_hz=33"],
        ["input=oscillating", "input.group_sizes=[9]", "input.group_rates_hz=90"],
    ],
)
def test_thinned_events_are_equal(in_numpy, words):
    """Of intervals that are short or long against a chunk, and of one rate or two."""
    words = ["input=modulated", "input.group_sizes=[15]", *words]
    point = pipeline.configure(*words, "input.n_synapses=30", "input.rate_hz=30").input
    slow, fast = in_numpy(lambda: np.concatenate([*point.events(0.5, 40_000, 3)]))
    np.testing.assert_array_equal(slow, fast)
    assert slow.size > 10_000


@pytest.mark.parametrize(
    "words",
    [
        ["input=modulated", "input.group_sizes=[15,5]"],
        ["input=oscillating"],
        ["input=groups", "input.group_sizes=[5,25]", "input.group_rates_hz=[80,10]"],
        ["input=log_normal", "input.rate_sigma=1"],
        ["input=correlated", "input.group_sizes=[10,5]", "input.group_correlations=[1,0.2]"],
        [
            "input=correlated",
            "input.group_sizes=30",
            "input.group_correlations=0.4",
            "stdp=triplet",
        ],
        ["input=latency", "input.rate_hz=5", "input.trial_cv=0.3"],
        ["input=patterns", "input.rate_hz=20"],
    ],
)
def test_both_engines_are_equal(in_numpy, words):
    """Spikes are equal and weights within 1e-10, whichever draws the events."""
    configuration = pipeline.configure(
        *words, "input.n_synapses=30", "synapse.g_max=0.3", "simulation.duration=3000"
    )
    slow, fast = in_numpy(lambda: reference.run(configuration))
    compiled_run = compiled.run(configuration)
    for other in (fast, compiled_run):
        np.testing.assert_array_equal(slow.spike_step, other.spike_step)
        np.testing.assert_allclose(slow.weight, other.weight, atol=1e-10)
    assert slow.spike_step.size > 3


def test_object_code_depends_on_what_is_compiled():
    """The kernels are compiled again after a change of the modules that they take functions of."""
    source = Path(draws.__file__).with_name("draw_kernels.py")
    nodes = [n for n in ast.walk(ast.parse(source.read_text())) if isinstance(n, ast.ImportFrom)]
    own = {n.module for n in nodes if n.module.startswith("pipeline")}
    # The first compiles the functions of streams.
    assert own == {"pipeline.engine.drawing", "pipeline.model", "pipeline.model.thinning"}
    assert set(draws._SOURCES) == {
        "engine/draw_kernels.py",
        "engine/drawing.py",
        "model/streams.py",
        "model/thinning.py",
        "model/variates.py",
    }
