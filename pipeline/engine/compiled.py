"""Compiled engine: event-driven integration of the model in machine code (see `kernel`).

It agrees with `reference` up to rounding: equal output spikes, weights within 1e-10.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from pipeline.engine.constants import Memory, State, address, constants_of, rule_constants
from pipeline.engine.cost import seconds_per_spike, seconds_per_step
from pipeline.model.inputs import INPUT_STREAM, Cells
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import Rule
from pipeline.model.reference import Recording
from pipeline.model.streams import Stream, stream_of
from pipeline.system import object_code
from pipeline.system.locks import shared_lock

log = logging.getLogger("pipeline.engine")

#: The kernels loaded in this process, by rule and loop.
_loaded: dict[tuple[type[Rule], bool], Callable[..., None]] = {}
_LOADING = shared_lock()

#: The source files of the kernel, beside that of the rule.
_PACKAGE = Path(__file__).parents[1]
SOURCES = (
    *(f"engine/{name}.py" for name in ("kernel", "loops", "unrolled", "constants")),
    "model/streams.py",
    "model/plasticity.py",
)

#: Seconds in machine code between two calls of `checkpoint`; no signal is handled there.
_SECONDS_PER_STRETCH = 0.05

#: Buffered events beyond the maximum number in one step; drawn ones fit in the L1 cache.
_DRAWN, _GIVEN = 1_024, 16_384


def run(
    configuration: Configuration,
    chunks: Iterator[Cells] | None = None,
    checkpoint: Callable[[], None] | None = None,
    in_blocks: bool = True,
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
    in_blocks : bool
        Whether a block of steps is received ahead of the membrane, see `loops`.

    Returns
    -------
    Recording
        As from `reference.run`: equal spikes, weights within 1e-10.
    """
    checkpoint = checkpoint or _no_checkpoint
    simulation, n_synapses = configuration.simulation, configuration.input.n_synapses
    n_steps = simulation.n_steps
    stream, given = _input_of(configuration, chunks, checkpoint)
    rule = rule_constants(configuration.stdp, simulation.dt)
    n_buffered = n_synapses + _GIVEN if given else _n_drawn(configuration)
    constants = constants_of(configuration, rule.stretch, n_buffered, stream)
    state = State(v=configuration.neuron.V_init, event=n_buffered, rescaling=rule.stretch + 1)
    state.undivided = n_buffered
    state.largest_g_ex = configuration.largest_stable_conductance
    # As many spikes as the refractory period allows: capacity for them, and time.
    per_step = 1 / (1 + constants.refractory_steps)
    seconds = seconds_per_step(configuration) + per_step * seconds_per_spike(n_synapses)
    stretch = min(n_steps, int(_SECONDS_PER_STRETCH / seconds) + 1)
    n_spikes = int(stretch * per_step) + 2
    memory = Memory(constants, rule, n_spikes, configuration.synapse.w_init)
    history = np.empty((n_steps // constants.sample_steps, n_synapses))
    arguments = (
        ctypes.byref(constants),
        ctypes.byref(state),
        *rule.addresses,
        *memory.addresses,
        address(history),
    )
    integrate = load(type(configuration.stdp), in_blocks)
    spikes = []
    while True:
        state.until, state.n_spikes = state.step + stretch, 0
        if given:
            given.refill(memory.events, state)
        begun = state.step
        integrate(*arguments)
        if state.step == begun < n_steps - 1:
            name = configuration.stdp.name
            raise RuntimeError(f"stdp.rule={name}: raised an exception in compiled code")
        spikes.append(memory.spike_step(state.n_spikes))
        state.n_earlier += state.n_spikes
        if state.step >= n_steps - 1:
            spike_step = spikes[0] if len(spikes) == 1 else np.concatenate(spikes)
            return Recording(memory.weights(), spike_step, state.v, state.largest_g_ex, history)
        checkpoint()


def _no_checkpoint() -> None:
    """Do nothing."""


def _input_of(
    configuration: Configuration, chunks: Iterator[Cells] | None, checkpoint: Callable[[], None]
) -> tuple[Stream | None, _GivenEvents | None]:
    """Return the stream from which the kernel draws the events, or else the events."""
    inputs = configuration.input
    if chunks is None and inputs.bernoulli and inputs.rate_hz > 0:
        return _stream_of(configuration.input_seed), None
    chunks = configuration.input_events() if chunks is None else chunks
    n_cells = configuration.simulation.n_steps * inputs.n_synapses
    return None, _GivenEvents(chunks, n_cells, checkpoint)


@functools.lru_cache(maxsize=4096)
def _stream_of(seed: int) -> Stream:
    return stream_of(seed, INPUT_STREAM)


def _n_drawn(configuration: Configuration) -> int:
    """Return the capacity of the buffer of drawn events.

    It holds the events of a step, whose number is below 30 + 12 standard deviations above the mean
    with a probability of 1 - 1e-30 or more, and those drawn at a time, no more than a short run
    needs.
    """
    simulation, inputs = configuration.simulation, configuration.input
    mean = inputs.n_synapses * inputs.spike_probability(simulation.dt)
    in_a_step = min(inputs.n_synapses, int(mean + 12 * math.sqrt(mean)) + 30)
    in_all = simulation.n_steps * mean
    return in_a_step + min(_DRAWN, int(in_all + 5 * math.sqrt(in_all)) + 1)


class _GivenEvents:
    """Input events that are not drawn by the kernel, as they move through its buffer.

    Parameters
    ----------
    chunks : iterator of ndarray of int64, (n_events,)
        The events in time order: cells of the lattice, indices.
    n_cells : int
        Size of the lattice.
    checkpoint : callable
        Called after every chunk.
    """

    def __init__(
        self, chunks: Iterator[Cells], n_cells: int, checkpoint: Callable[[], None]
    ) -> None:
        self._chunks = chunks
        self._n_cells = n_cells
        self._checkpoint = checkpoint
        self._chunk = np.empty(0, dtype=np.int64)

    def refill(self, events: Cells, state: State) -> None:
        """Move the pending events to the front of the buffer and fill the rest with the next ones.

        Parameters
        ----------
        events : ndarray of int64, (2, n_buffered)
            Steps and synapses; indices, dimensionless. New events are cells, in place of their
            steps, with the cell after the last step behind the last event.
        state : State
            Its `event` is set to 0, `undivided` to the first new event.
        """
        n_buffered = events.shape[1]
        filled = n_buffered - state.event
        events[:, :filled] = events[:, state.event :].copy()
        state.event, state.undivided = 0, filled
        while filled < n_buffered:
            part = self._chunk[: n_buffered - filled]
            events[0, filled : filled + part.size] = part
            filled += part.size
            self._chunk = self._chunk[part.size :]
            if not self._chunk.size:
                chunk = next(self._chunks, None)
                if chunk is None:
                    events[0, filled:] = self._n_cells
                    return
                self._chunk = chunk
                self._checkpoint()


def load(rule: type[Rule], in_blocks: bool = True) -> Callable[..., None]:
    """Return the kernel for a rule; called through ctypes, it runs without the GIL.

    The first process that needs it compiles it; each process links it once.

    Raises
    ------
    ImportError
        If it is not compiled yet and numba cannot be imported.
    """
    key = rule, in_blocks
    found = _loaded.get(key)
    if found is None:
        with _LOADING:  # one thread loads, the others wait
            found = _loaded[key] = _loaded.get(key) or _linked(rule, in_blocks)
    return found


def _linked(rule: type[Rule], in_blocks: bool) -> Callable[..., None]:
    """Link the kernel for a rule, compiled first if it is not in the cache on disk."""

    def compile_kernel() -> tuple[str, str]:
        from pipeline.engine import kernel  # slow to import

        logging.getLogger("pipeline.engine").info(
            "compiling the engine for stdp.rule=%s", rule.name
        )
        return kernel.compiled(rule, in_blocks)

    sources = [(_PACKAGE / name).read_text() for name in SOURCES]
    name = f"kernel_{rule.name}" + ("" if in_blocks else "_plain")
    address = object_code.address(name, _cache(), [*sources, rule.source_text()], compile_kernel)
    # See `kernel.integrate` for the seven addresses.
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 7)(address)


def _cache() -> Path:
    """Return the folder of the object code: beside the source in a checkout, else the user's.

    An installation belongs to its installer, who removes only what it has put there.
    """
    is_installed = (_PACKAGE / "conf").is_dir()
    return object_code.USERS_CACHE if is_installed else Path(__file__).parent / "__pycache__"
