"""Compiled engine: event-driven integration of the model in machine code (see `kernel`).

It agrees with `reference` up to rounding: equal output spikes, weights within 1e-10.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.engine.constants import State, constants_of, rule_constants
from pipeline.engine.cost import estimated_seconds
from pipeline.model.inputs import INPUT_STREAM, Cells, random_generator
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import Rule
from pipeline.model.reference import Recording
from pipeline.system import object_code

log = logging.getLogger("pipeline.engine")

#: The kernels loaded in this process, by rule.
_loaded: dict[type[Rule], Callable[..., None]] = {}
_LOADING = threading.Lock()

#: The source files of the kernel, beside that of the rule.
SOURCES = ("kernel.py", "unrolled.py", "constants.py")

#: Seconds in machine code between two calls of `checkpoint`; no signal is handled there.
_SECONDS_PER_STRETCH = 0.05

#: Buffered events beyond the maximum number in one step; small enough for the L1 cache.
_CHUNK = 512


def run(
    configuration: Configuration,
    chunks: Iterator[Cells] | None = None,
    checkpoint: Callable[[], None] | None = None,
) -> Recording:
    """Integrate one neuron; Poisson inputs are drawn within the compiled loop.

    Parameters
    ----------
    configuration : Configuration
        The parameters of the run.
    chunks : iterator of ndarray of int64, (n_events,), optional
        Input events in time order, in place of the configured ones: cells of the lattice, indices.
    checkpoint : callable, optional
        Called several times a second; its exceptions end the run.

    Returns
    -------
    Recording
        As from `reference.run`: equal spikes, weights within 1e-10.
    """
    rule, n_synapses = configuration.stdp, configuration.input.n_synapses
    checkpoint = checkpoint or _no_checkpoint
    stream, events, first_event = _events_of(configuration, chunks, checkpoint)
    of_rule = rule_constants(rule, configuration.simulation.dt)
    constants = constants_of(configuration, events.size, of_rule.stretch)
    state = State(v=configuration.neuron.V_init, event=first_event, rescaling=1)
    w = np.full(n_synapses, configuration.synapse.w_init)
    x_scaled = np.zeros((of_rule.n_pre, n_synapses))
    history = np.empty((constants.n_steps // constants.sample_steps, n_synapses))
    stretch = min(constants.n_steps, _steps_per_stretch(configuration))
    # Capacity for as many spikes as the refractory period allows in a stretch.
    spike_step = np.empty(stretch // (1 + constants.refractory_steps) + 1, dtype=np.int64)
    arrays = (
        of_rule.numbers,
        of_rule.initial_traces.copy(),
        stream,
        events,
        w,
        x_scaled,
        spike_step,
        history,
    )
    arguments = ctypes.byref(constants), ctypes.byref(state), *map(_address, arrays)
    integrate = load(type(rule))
    spikes = []
    while True:
        state.until, state.n_spikes = state.step + stretch, 0
        begun = state.step
        integrate(*arguments)
        if state.step == begun < constants.n_steps - 1:
            raise RuntimeError(f"stdp.rule={rule.name}: raised an exception in compiled code")
        spikes.append(spike_step[: state.n_spikes].copy())
        if state.step >= constants.n_steps - 1:
            spike_step = spikes[0] if len(spikes) == 1 else np.concatenate(spikes)
            return Recording(w, spike_step, state.v, history)
        checkpoint()


def _no_checkpoint() -> None:
    """Do nothing."""


def _steps_per_stretch(configuration: Configuration) -> int:
    """Return the number of steps that take about `_SECONDS_PER_STRETCH`."""
    seconds = estimated_seconds(configuration, "compiled") / configuration.simulation.n_steps
    return max(1, int(_SECONDS_PER_STRETCH / seconds))


def _address(array: NDArray) -> Any:
    """Return a ctypes reference to an array's data; faster than `array.ctypes`."""
    return ctypes.byref(ctypes.c_char.from_buffer(cast(Any, array))) if array.size else None


def _events_of(
    configuration: Configuration, chunks: Iterator[Cells] | None, checkpoint: Callable[[], None]
) -> tuple[NDArray[np.uint64], Cells, int]:
    """Return the random stream, the buffered events, and the index of the first pending one."""
    inputs = configuration.input
    n_synapses = inputs.n_synapses
    if chunks is None and inputs.bernoulli and inputs.rate_hz > 0:
        # No event is pending: the kernel fills the buffer before its first step.
        events = np.full(n_synapses + _CHUNK, -1)
        return np.array(_stream_of(configuration.seed), dtype=np.uint64), events, events.size
    parts = []
    for chunk in configuration.input_events() if chunks is None else chunks:
        parts.append(chunk)
        checkpoint()
    end = configuration.simulation.n_steps * n_synapses
    events = np.concatenate([*parts, [end]], dtype=np.int64)
    return np.empty(4, dtype=np.uint64), events, 0


@functools.lru_cache(maxsize=4096)
def _stream_of(seed: int) -> tuple[int, ...]:
    """Return the state of the seed's PCG64 and its increment, in 64-bit halves, high before low."""
    state = random_generator(seed, INPUT_STREAM).bit_generator.state["state"]
    return divmod(state["state"], 2**64) + divmod(state["inc"], 2**64)


def load(rule: type[Rule]) -> Callable[..., None]:
    """Return the kernel for a rule; called through ctypes, it runs without the GIL.

    The first process that needs it compiles it; each process links it once.

    Raises
    ------
    ImportError
        If it is not compiled yet and numba cannot be imported.
    """
    found = _loaded.get(rule)
    if found is None:
        with _LOADING:  # one thread loads, the others wait
            found = _loaded[rule] = _loaded.get(rule) or _linked(rule)
    return found


def _linked(rule: type[Rule]) -> Callable[..., None]:
    """Link the kernel for a rule, compiled first if it is not in the cache on disk."""

    def compile_kernel() -> tuple[str, str]:
        from pipeline.engine import kernel  # slow to import

        logging.getLogger("pipeline.engine").info(
            "compiling the engine for stdp.rule=%s", rule.name
        )
        return kernel.compiled(rule)

    here = Path(__file__).parent
    sources = [(here / name).read_text() for name in SOURCES]
    address = object_code.address(
        f"kernel_{rule.name}", here / "__pycache__", [*sources, rule.source_text()], compile_kernel
    )
    # StepConstants, State and the eight arrays of `run`.
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 10)(address)
