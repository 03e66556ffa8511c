"""The compiled core: the law of `reference`, event by event, as fast as one processor core allows.

What makes it fast, and keeps its memory at O(n_synapses) whatever the duration:

- Presynaptic traces are touched only at events. Each is kept as `x_scaled`, its value over `decay`,
  the factor (1 - dt/tau_plus)^(steps since the last rescaling) that all of them share. An input
  spike adds 1 / decay to one of them; an output spike reads them all as decay * x_scaled.
- Input events are drawn here, a chunk at a time, from the very stream that `inputs` draws from.
- The loop over steps runs in `_advance` alone, a stretch at a time, in which every event is in hand
  and nothing is allocated, rescaled or recorded. What is not asked for costs nothing there.

It agrees with `reference` to rounding: the same output spikes, weights within 1e-10.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types, uint64
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from numba.np.random._constants import fe_double, ke_double, we_double, ziggurat_exp_r

from pipeline.inputs import (
    INPUT_STREAM,
    Cells,
    mean_gap,
    random_generator,
    spike_cells,
    spike_probability,
)
from pipeline.parameters import Configuration, steps
from pipeline.reference import Recording

#: Events drawn at a time, beyond the most that one step can hold. Small enough for the L1 cache.
_CHUNK = 1_024

#: Steps between two rescalings of the traces, at most; rounding errors grow with it.
_LONGEST_STRETCH = 256

#: exp(230) = 1e100: no trace comes near the largest number before it is rescaled.
_LARGEST_EXPONENT = 230.0


class Law(NamedTuple):
    """The constants of one run, those of a step already made."""

    n_steps: int
    refractory_steps: int
    stretch: int
    mean_gap: float
    V_th: float
    V_reset: float
    V_init: float
    E_L: float
    E_ex: float
    dt_over_tau_m: float
    g_max: float
    w_init: float
    decay_ex: float
    A_plus: float
    A_minus: float
    decay_plus: float
    decay_minus: float


class State(NamedTuple):
    """What the neuron carries from one step to the next; weights and traces are arrays beside it.

    `decay` scales the presynaptic traces, `jump` is its inverse, `free` the first step after the
    refractory period, `event` the place of the next event in hand, `n_spikes` the spikes so far.
    """

    v: float
    g_ex: float
    x_post: float
    decay: float
    jump: float
    free: int
    event: int
    n_spikes: int


def run(configuration: Configuration, chunks: Iterator[Cells] | None = None) -> Recording:
    """Integrate one neuron; see `reference.run`.

    Without `chunks`, a Poisson process is drawn within the compiled loop.
    """
    simulation, interval = configuration.simulation, configuration.record.weight_interval
    n_synapses, n_steps = configuration.input.n_synapses, simulation.n_steps
    sample_steps = n_steps + 1 if interval is None else steps(interval, simulation.dt)
    history = np.empty((n_steps // sample_steps, n_synapses))
    p = spike_probability(configuration)
    if chunks is None and configuration.input.process == "poisson" and p > 0:
        stream = np.array(_stream_of(configuration.seed), dtype=np.uint64)
        events = np.full(n_synapses + _CHUNK, -1)  # all of them before the first step
    else:
        chunks = spike_cells(configuration) if chunks is None else chunks
        stream = np.zeros(4, dtype=np.uint64)
        events = np.concatenate([*chunks, [n_steps * n_synapses]], dtype=np.int64)
    weight, spike_step = _integrate(
        _law_of(configuration), stream, events, n_synapses, sample_steps, history
    )
    return Recording(weight, spike_step, history)


def _law_of(configuration: Configuration) -> Law:
    neuron, synapse = configuration.neuron, configuration.synapse
    stdp, dt = configuration.stdp.resolved(), configuration.simulation.dt
    decay_plus = 1 - dt / stdp.tau_plus
    return Law(
        n_steps=configuration.simulation.n_steps,
        refractory_steps=steps(neuron.t_ref, dt),
        stretch=_stretch(decay_plus),
        mean_gap=mean_gap(spike_probability(configuration)),
        V_th=neuron.V_th,
        V_reset=neuron.V_reset,
        V_init=neuron.V_init,
        E_L=neuron.E_L,
        E_ex=synapse.E_ex,
        dt_over_tau_m=dt / neuron.tau_m,
        g_max=synapse.g_max,
        w_init=synapse.w_init,
        decay_ex=1 - dt / synapse.tau_ex,
        A_plus=stdp.A_plus,
        A_minus=stdp.A_minus,
        decay_plus=decay_plus,
        decay_minus=1 - dt / stdp.tau_minus,
    )


def _stretch(decay: float) -> int:
    """Return the steps until the traces must be rescaled, so that no number overflows."""
    if decay == 1:
        return _LONGEST_STRETCH
    return max(1, min(_LONGEST_STRETCH, int(_LARGEST_EXPONENT / -math.log(decay))))


@functools.lru_cache(maxsize=4096)
def _stream_of(seed: int) -> tuple[int, ...]:
    """Return the state of the seed's PCG64 and its increment, in 64-bit halves, high before low."""
    state = random_generator(seed, INPUT_STREAM).bit_generator.state["state"]
    return divmod(state["state"], 2**64) + divmod(state["inc"], 2**64)


def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call, without the GIL, and keep the machine code for later processes."""
    try:
        return njit(nogil=True, cache=True)(function)
    except (NumbaError, RuntimeError):  # nowhere to keep it: no folder can be written to
        return njit(nogil=True)(function)


@_compile
def _integrate(law, stream, events, n_synapses, sample_steps, history):  # noqa: ANN001, ANN202
    """Run all steps; return the final weights and the steps of the output spikes.

    `events` holds cells in time order: either all of them, with the cell after the last step behind
    them, or nothing but negative numbers, and then they are drawn from `stream`.
    """
    w = np.full(n_synapses, law.w_init)
    x_scaled = np.zeros(n_synapses)
    spike_step = np.empty(1024, dtype=np.int64)
    n_cells = law.n_steps * n_synapses
    last_step = law.n_steps - 1
    first_event = 0 if events[-1] > 0 else events.size
    # The input of step 0 moves no trace: the jump is 0 until the traces are first rescaled.
    state = State(law.V_init, 0.0, 0.0, 1.0, 0.0, 0, first_event, 0)
    rescaling, sample, n_samples = 1, sample_steps, 0

    step = 0
    while step < last_step:
        if events[-1] // n_synapses <= step and events[-1] < n_cells:
            state = _refill(law, state, stream, events, n_cells)
        # Behind the last event in hand, others of its step may be yet to come.
        stop = min(events[-1] // n_synapses, rescaling, sample, last_step)
        if state.n_spikes + (stop - step) > spike_step.size:
            spike_step = np.concatenate((spike_step, np.empty_like(spike_step)))
        state = _advance(law, state, step, stop, events, w, x_scaled, spike_step)
        step = stop
        if step == rescaling:
            x_scaled *= state.decay
            state = _rescaled(state)
            rescaling += law.stretch
        if step == sample:
            history[n_samples] = w
            n_samples += 1
            sample += sample_steps
    if n_samples < len(history):  # the last step changes nothing
        history[n_samples] = w
    return w, spike_step[: state.n_spikes].copy()


@_compile
def _advance(law, state, step, stop, events, w, x_scaled, spike_step):  # noqa: ANN001, ANN202
    """Integrate the steps from `step` to before `stop`, numbered as in `reference.run`."""
    v, g_ex, x_post, decay, jump, free, event, n_spikes = state
    # Unsigned indices spare numba the question whether they count from the end.
    n_synapses = uint64(w.size)
    first_cell = step * w.size
    for k in range(step, stop):
        # 2. Membrane's spike. LTP by x_pre as it stood before this step's input; for the synapses
        # that have a spike in this very step, the rest of it follows below.
        ltp = 0.0
        if k < free:
            v = law.V_reset
        elif v >= law.V_th:
            spike_step[n_spikes] = k
            n_spikes += 1
            v = law.V_reset
            x_post += 1
            for i in range(w.size):
                w[i] = min(w[i] + law.A_plus * decay * x_scaled[i], 1.0)
            ltp = law.A_plus * decay * jump
            free = k + 1 + law.refractory_steps

        # 1., 3. and 4. Presynaptic traces, sum of the conductance jumps, and LTD.
        ltd = law.A_minus * x_post
        arriving = 0.0
        synapse = uint64(events[uint64(event)] - first_cell)
        while synapse < n_synapses:
            x_scaled[synapse] += jump
            w_active = min(w[synapse] + ltp, 1.0)
            arriving += w_active
            w[synapse] = max(w_active - ltd, 0.0)
            event += 1
            synapse = uint64(events[uint64(event)] - first_cell)
        g_ex = g_ex * law.decay_ex + law.g_max * arriving
        x_post *= law.decay_minus

        # 5. Membrane potential.
        v += law.dt_over_tau_m * (-(v - law.E_L) - g_ex * (v - law.E_ex))

        decay *= law.decay_plus
        jump /= law.decay_plus
        first_cell += w.size
    return State(v, g_ex, x_post, decay, jump, free, event, n_spikes)


@_compile
def _rescaled(state):  # noqa: ANN001, ANN202
    """Return the state with a trace's scale back at 1."""
    return State(
        state.v,
        state.g_ex,
        state.x_post,
        1.0,
        1.0,
        state.free,
        state.event,
        state.n_spikes,
    )


@_compile
def _refill(law, state, stream, events, n_cells):  # noqa: ANN001, ANN202
    """Move the events still to come to the front and draw others behind them."""
    waiting = events.size - state.event
    last = events[-1]
    events[:waiting] = events[state.event :]
    _draw(stream, events, waiting, last, law.mean_gap, n_cells)
    return State(
        state.v,
        state.g_ex,
        state.x_post,
        state.decay,
        state.jump,
        state.free,
        0,
        state.n_spikes,
    )


@_compile
def _draw(stream, events, place, cell, mean_gap, n_cells):  # noqa: ANN001, ANN202
    """Fill `events` from `place` on with the cells that `inputs.bernoulli_cells` has after `cell`.

    The exponentials are those of `numpy.random.Generator.standard_exponential`, by the ziggurat of
    256 layers (Marsaglia & Tsang 2000). Behind the lattice every cell is `n_cells`.
    """
    high, low, increment_high, increment_low = stream
    while place < events.size:
        # The first try of an exponential serves in 98.9 of 100 cases. It has its own loop so that
        # the other ones cost it no registers.
        while True:
            high, low = _next_state(high, low, increment_high, increment_low)
            bits = _output(high, low) >> uint64(3)
            layer = bits & uint64(255)
            bits >>= uint64(8)
            exponential = bits * we_double[layer]
            if bits >= ke_double[layer]:
                break
            cell = _cell_after(cell, exponential, mean_gap, n_cells)
            events[place] = cell
            place += 1
            if place == events.size:
                stream[0], stream[1] = high, low
                return

        high, low = _next_state(high, low, increment_high, increment_low)
        uniform = (_output(high, low) >> uint64(11)) * 2.0**-53
        if layer == 0:
            exponential = ziggurat_exp_r - math.log1p(-uniform)
        else:
            above, below = fe_double[layer - uint64(1)], fe_double[layer]
            if (above - below) * uniform + below >= math.exp(-exponential):
                continue
        cell = _cell_after(cell, exponential, mean_gap, n_cells)
        events[place] = cell
        place += 1
    stream[0], stream[1] = high, low


@_compile
def _cell_after(cell, exponential, mean_gap, n_cells):  # noqa: ANN001, ANN202
    gap = min(exponential * mean_gap, float(n_cells))
    return min(cell + 1 + int(gap), n_cells)


# PCG64 (O'Neill 2014), as in numpy: a linear congruence of 128 bits, here in two halves, whose
# exclusive or is rotated by the six highest bits.
_MULTIPLIER_HIGH, _MULTIPLIER_LOW = uint64(0x2360ED051FC65DA4), uint64(0x4385DF649FCCF645)


@_compile
def _next_state(high, low, increment_high, increment_low):  # noqa: ANN001, ANN202
    product_high = high * _MULTIPLIER_LOW + low * _MULTIPLIER_HIGH
    product_high += _high_half_of_product(low, _MULTIPLIER_LOW)
    product_low = low * _MULTIPLIER_LOW
    low = product_low + increment_low
    carry = uint64(low < product_low)
    return product_high + increment_high + carry, low


@_compile
def _output(high, low):  # noqa: ANN001, ANN202
    mixed, turn = high ^ low, high >> uint64(58)
    return (mixed >> turn) | (mixed << (-turn & uint64(63)))


@intrinsic
def _high_half_of_product(context, a, b):  # noqa: ANN001, ANN202
    """Return the upper 64 of the 128 bits of a product."""

    def generate(context, builder, signature, arguments):  # noqa: ANN001, ANN202
        wide = ir.IntType(128)
        a, b = (builder.zext(argument, wide) for argument in arguments)
        upper = builder.lshr(builder.mul(a, b), ir.Constant(wide, 64))
        return builder.trunc(upper, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate
