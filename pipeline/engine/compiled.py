"""Compiled engine: event-driven integration of the model in machine code (see `kernel`).

It agrees with `reference` up to rounding: equal output spikes, weights within 1e-10.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.engine.constants import (
    N_INHIBITORY,
    Memory,
    State,
    add_adaptive_threshold,
    add_inhibition,
    add_noise,
    address,
    constants_of,
    rule_constants,
)
from pipeline.engine.cost import seconds_per_spike, seconds_per_step
from pipeline.engine.draws import cache_folder, use_compiled_draws
from pipeline.engine.given import GivenEvents, PrescribedSpikes, SpikesOnWay
from pipeline.model.checks import MOST_CELLS
from pipeline.model.features import NO_FEATURES, Features
from pipeline.model.inhibition import INHIBITION_STREAM
from pipeline.model.initial_weights import initial_weights
from pipeline.model.inputs import INPUT_STREAM, Cells, gaps
from pipeline.model.integration import Integration, Recording, run_to_end
from pipeline.model.noise import NOISE_STREAM
from pipeline.model.output_spikes import configured_output_steps
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import Rule
from pipeline.model.scaling import with_scaling
from pipeline.model.state import UNKNOWN, EndState
from pipeline.model.streams import Stream, stream_of
from pipeline.system import object_code
from pipeline.system.locks import shared_lock

log = logging.getLogger("pipeline.engine")

#: The kernels loaded in this process, by rule, loop and features.
_loaded: dict[tuple[type[Rule], bool, Features], Callable[..., None]] = {}
_LOADING = shared_lock()

#: The modules and other source files of the kernel, beside that of the rule.
_MODULES = ("kernel", "loops", "delayed_loop", "membrane", "drawing", "unrolled", "constants")
_PACKAGE = Path(__file__).parents[1]
SOURCES = (
    *(f"engine/{name}.py" for name in _MODULES),
    *(f"model/{name}.py" for name in ("streams", "plasticity", "features")),
)

#: Seconds in machine code between two calls of `checkpoint`; no signal is handled there.
_SECONDS_PER_STRETCH = 0.05

#: Buffered events beyond the maximum number in one step; drawn ones fit in the L1 cache.
_DRAWN, _GIVEN = 1_024, 16_384


def run(
    configuration: Configuration,
    chunks: Iterator[Cells] | None = None,
    checkpoint: Callable[[], None] | None = None,
    start: EndState | None = None,
    drive: Callable[[Integration, Configuration], Recording] = run_to_end,
    output_steps: NDArray[np.int64] | None = None,
    *,
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
    start : EndState, optional
        The state from which the run goes on.
    drive : callable
        Advances the integration to its end, and returns the recording.
    output_steps : ndarray of int64, (n_spikes,), optional
        Output spikes in place of the neuron's own or those of the process: rising steps, indices.
    in_blocks : bool
        Whether a block of steps is received ahead of the membrane, see `loops`.

    Returns
    -------
    Recording
        As from `reference.run`: equal spikes, weights within 1e-10.
    """
    integration = CompiledIntegration(
        configuration, chunks, checkpoint, start, output_steps, in_blocks
    )
    return drive(with_scaling(integration, configuration), configuration)


class CompiledIntegration:
    """The memory of a run, and the kernel that advances it.

    Parameters
    ----------
    configuration, chunks, checkpoint, start, output_steps, in_blocks
        As of `run`.
    """

    def __init__(
        self,
        configuration: Configuration,
        chunks: Iterator[Cells] | None,
        checkpoint: Callable[[], None] | None,
        start: EndState | None,
        output_steps: NDArray[np.int64] | None,
        in_blocks: bool,
    ) -> None:
        self._checkpoint = checkpoint or _no_checkpoint
        self._rule_name, n_synapses = configuration.stdp.name, configuration.input.n_synapses
        stream, self._given = _input_of(configuration, chunks, self._checkpoint, start)
        rule = rule_constants(configuration.stdp, configuration.simulation.dt)
        n_buffered = n_synapses + _GIVEN if self._given else _n_drawn(configuration)
        constants = constants_of(configuration, rule.stretch, n_buffered, stream)
        # As many spikes as the refractory period allows: capacity for them, and time.
        per_step = 1 / (1 + constants.refractory_steps)
        seconds = seconds_per_step(configuration) + per_step * seconds_per_spike(n_synapses)
        stretch = int(_SECONDS_PER_STRETCH / seconds) + 1
        self._stretch = min(configuration.simulation.n_steps, stretch)
        # Prescribed spikes, which may be denser, are integrated one by one.
        n_spikes = int(self._stretch * per_step) + constants.dendritic_steps + 2
        w_init = initial_weights(configuration) if start is None else start.weight
        self._features = features = Features.of(configuration)
        self._memory = Memory(constants, rule, n_spikes, w_init, features)
        self._state = _initial_state(configuration, n_buffered, start)
        if features.inhibition:
            own = _stream_of(configuration.input_seed, INHIBITION_STREAM)
            add_inhibition(constants, self._state, configuration, own)
        if features.noise:
            add_noise(constants, configuration, _stream_of(configuration.input_seed, NOISE_STREAM))
        if features.adaptive_threshold:
            add_adaptive_threshold(constants, configuration)
        self._state.rescaling = self._state.base + 1 + rule.stretch
        self._spikes = [] if start is None else [start.spike_step]
        self._on_way = SpikesOnWay(constants.dendritic_steps, start)
        self.start = start
        if start is not None:
            self._memory.pre[...], self._memory.post[...] = start.pre, start.post
        self._stream, self._constants = stream, constants
        if output_steps is None:
            output_steps = configured_output_steps(configuration, start)
        self._prescribed = None
        if output_steps is not None:
            self._prescribed = PrescribedSpikes(output_steps, constants, self._state)
        self._integrate = load(configuration.stdp.template, in_blocks, features)
        self._arguments = (
            ctypes.byref(constants),
            ctypes.byref(self._state),
            *rule.addresses,
            *self._memory.addresses,
        )

    @property
    def step(self) -> int:
        """The next step."""
        return self._state.step

    @property
    def n_spikes(self) -> int:
        """Number of output spikes so far."""
        return self._state.n_earlier

    def scale(self, factor: float) -> None:
        """Multiply all weights by a factor, and clip them at 1."""
        self._memory.scale(factor)

    def advance(self, stop: int, sample_step: Sequence[int] = ()) -> NDArray[np.float64]:
        """Integrate the steps up to before `stop`; see `Integration.advance`.

        Parameters
        ----------
        stop : int
            A step.
        sample_step : sequence of int
            Numbers of steps after which the weights are sampled.

        Returns
        -------
        ndarray, (n_samples, n_synapses)
            The weights at each of these, dimensionless.
        """
        state, constants = self._state, self._constants
        sampled = np.array((*sample_step, constants.n_steps + 1))
        history = np.empty((len(sample_step), constants.n_synapses))
        state.n_asked, state.n_samples = len(sample_step), 0
        places = address(sampled), address(history)
        while True:
            state.until = min(state.step + self._stretch, stop)
            n_before = self._on_way.put(self._memory, state)
            if self._prescribed:
                self._prescribed.prepare(constants, state)
            if self._given:
                self._given.refill(self._memory.events, state)
            begun = state.step
            self._integrate(*self._arguments, *places)
            if state.step == begun < stop:
                raise RuntimeError(
                    f"stdp.rule={self._rule_name}: raised an exception in compiled code"
                )
            if state.n_spikes > n_before:
                self._on_way.steps = self._memory.spike_step(state.n_spikes)
                self._spikes.append(self._on_way.steps[n_before:])
                state.n_earlier += state.n_spikes - n_before
            if state.step >= stop:
                if state.n_samples < state.n_asked:  # after no further step
                    history[state.n_samples :] = self._memory.weights()
                return history
            self._checkpoint()

    def spikes(self) -> NDArray[np.int64]:
        """Return the steps of all output spikes so far.

        Returns
        -------
        ndarray of int64, (n_spikes,)
            Rising; indices, dimensionless.
        """
        if len(self._spikes) != 1:
            self._spikes = [np.concatenate([np.empty(0, dtype=np.int64), *self._spikes])]
        return self._spikes[0]

    def state(self) -> EndState:
        """Return the state before the next step."""
        state, memory = self._state, self._memory
        return EndState(
            state.step,
            state.free,
            state.base,
            *self._position(),
            state.v,
            state.g_ex,
            state.largest_g,
            memory.weights(),
            memory.pre.copy(),
            memory.post.copy(),
            self.spikes(),
            **self._inhibition(),
            theta=state.theta,
        )

    def _inhibition(self) -> dict[str, Any]:
        """Return conductance and position of the inhibitory population; nothing without."""
        state = self._state
        if not self._features.inhibition:
            return {}
        return {
            "n_inhibitory": state.n_inhibitory_drawn - (N_INHIBITORY - state.inhibitory_event),
            "next_inhibitory_cell": state.next_inhibitory_cell,
            "g_in": state.g_in,
        }

    def _position(self) -> tuple[int, int]:
        """Return how many drawn events were received, and the cell after the last of them."""
        if self._stream is None:
            return UNKNOWN, UNKNOWN
        constants, state = self._constants, self._state
        n_pending = constants.n_buffered - state.event
        first = state.n_drawn - n_pending
        if not n_pending:
            return first, state.cell
        step, synapse = self._memory.events[:, state.event].tolist()
        n_cells = constants.n_steps * constants.n_synapses
        (gap,) = gaps(self._stream, first, 1, constants.mean_gap, n_cells).tolist()
        return first, step * constants.n_synapses + synapse - gap

    def recording(self, n_steps: int) -> Recording:
        """Return the recording of a run of some steps, of which all but the last were taken."""
        return Recording(
            n_steps,
            self._memory.weights(),
            self.spikes(),
            self._state.v,
            self._state.largest_g,
        )


def _initial_state(configuration: Configuration, n_buffered: int, start: EndState | None) -> State:
    """Return the state at the beginning, or where a run goes on, without buffered events."""
    state = State(event=n_buffered, undivided=n_buffered)
    if start is None:
        state.v, state.cell = configuration.neuron.V_init, configuration.axonal_cells
        state.largest_g = configuration.largest_stable_conductance
        return state
    for name in ("v", "g_ex", "largest_g", "step", "free", "base", "theta"):
        setattr(state, name, getattr(start, name))
    state.n_earlier = start.spike_step.size
    if start.n_events != UNKNOWN:
        state.n_drawn, state.cell = start.n_events, start.next_cell
    state.g_in, state.n_inhibitory_drawn = start.g_in, start.n_inhibitory
    state.inhibitory_cell = state.next_inhibitory_cell = start.next_inhibitory_cell
    return state


def _no_checkpoint() -> None:
    """Do nothing."""


def _input_of(
    configuration: Configuration,
    chunks: Iterator[Cells] | None,
    checkpoint: Callable[[], None],
    start: EndState | None,
) -> tuple[Stream | None, GivenEvents | None]:
    """Return the stream from which the kernel draws the events, or else the events."""
    inputs = configuration.input
    is_known = start is None or start.n_events != UNKNOWN
    if chunks is None and inputs.bernoulli and inputs.rate_hz > 0 and is_known:
        return _stream_of(configuration.input_seed, INPUT_STREAM), None
    if chunks is None:
        use_compiled_draws()
        chunks = configuration.input_events(start)
    return None, GivenEvents(
        chunks, MOST_CELLS // inputs.n_synapses * inputs.n_synapses, checkpoint
    )


@functools.lru_cache(maxsize=4096)
def _stream_of(seed: int, number: int) -> Stream:
    return stream_of(seed, number)


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


def load(
    rule: type[Rule], in_blocks: bool = True, features: Features = NO_FEATURES
) -> Callable[..., None]:
    """Return the kernel for a rule; called through ctypes, it runs without the GIL.

    The first process that needs it compiles it; each process links it once.

    Raises
    ------
    ImportError
        If it is not compiled yet and numba cannot be imported.
    """
    key = rule, in_blocks, features
    found = _loaded.get(key)
    if found is None:
        with _LOADING:  # one thread loads, the others wait
            found = _loaded[key] = _loaded.get(key) or _linked(*key)
    return found


def _linked(rule: type[Rule], in_blocks: bool, features: Features) -> Callable[..., None]:
    """Link the kernel for a rule, compiled first if it is not in the cache on disk."""

    def compile_kernel() -> tuple[str, str]:
        from pipeline.engine import kernel  # slow to import

        logging.getLogger("pipeline.engine").info(
            "compiling the engine for stdp.rule=%s", rule.label()
        )
        return kernel.compiled(rule, in_blocks, features)

    sources = [(_PACKAGE / name).read_text() for name in SOURCES]
    name = f"kernel_{rule.name}{features.label}" + ("" if in_blocks else "_plain")
    address = object_code.address(
        name, cache_folder(), [*sources, rule.source_text()], compile_kernel
    )
    # See `kernel.integrate` for the eight addresses.
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 8)(address)
