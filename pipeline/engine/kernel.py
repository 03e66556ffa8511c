"""The inner loop of the compiled core, in the part of Python that numba turns into machine code.

The law is that of `reference`, taken event by event. What makes it fast, and keeps its memory at
O(n_synapses) whatever the duration:

- Presynaptic traces are touched only at events. Each is kept as `x_scaled`, its value over `decay`,
  the factor (1 - dt/tau_plus)^(steps since the last rescaling) that all of them share. An input
  spike adds 1 / decay to one of them; an output spike reads them all as decay * x_scaled.
- Input events are drawn here, a chunk at a time, from the very stream that `inputs` draws from.
- The loop over steps runs in `_advance` alone, a stretch at a time, in which every event is in hand
  and nothing is rescaled, recorded or drawn. What is not asked for costs nothing there.

Nothing here allocates memory or raises: `machine_code` keeps what numba makes of it for processes
that never import numba.
"""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, from_dtype, njit, types, uint64
from numba.extending import intrinsic
from numba.np.random._constants import fe_double, ke_double, we_double, ziggurat_exp_r

from pipeline.engine.constants import State, StepConstants

# ruff: noqa: ANN001, ANN202 - numba finds the types

_ADDRESSES = [
    types.CPointer(target)
    for target in (
        from_dtype(np.dtype(StepConstants)),
        from_dtype(np.dtype(State)),
        types.uint64,
        types.int64,
        types.float64,
        types.float64,
        types.int64,
        types.float64,
    )
]

_compile = njit(error_model="numpy")


@intrinsic
def _high_half_of_product(context, a, b):
    """Return the upper 64 of the 128 bits of a product."""

    def generate(context, builder, signature, arguments):
        wide = ir.IntType(128)
        a, b = (builder.zext(argument, wide) for argument in arguments)
        upper = builder.lshr(builder.mul(a, b), ir.Constant(wide, 64))
        return builder.trunc(upper, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


# PCG64 (O'Neill 2014), as in numpy: a linear congruence of 128 bits, here in two halves, whose
# exclusive or is rotated by the six highest bits.
_MULTIPLIER_HIGH, _MULTIPLIER_LOW = uint64(0x2360ED051FC65DA4), uint64(0x4385DF649FCCF645)


@_compile
def _next_state(high, low, increment_high, increment_low):
    product_high = high * _MULTIPLIER_LOW + low * _MULTIPLIER_HIGH
    product_high += _high_half_of_product(low, _MULTIPLIER_LOW)
    product_low = low * _MULTIPLIER_LOW
    low = product_low + increment_low
    carry = uint64(low < product_low)
    return product_high + increment_high + carry, low


@_compile
def _output(high, low):
    mixed, turn = high ^ low, high >> uint64(58)
    return (mixed >> turn) | (mixed << (-turn & uint64(63)))


@_compile
def _cell_after(cell, exponential, mean_gap, n_cells):
    gap = min(exponential * mean_gap, float(n_cells))
    return min(cell + 1 + int(gap), n_cells)


@_compile
def _draw(stream, events, place, cell, mean_gap, n_cells):
    """Fill `events` from `place` on with the cells that `inputs.bernoulli_cells` has after `cell`.

    The exponentials are those of `numpy.random.Generator.standard_exponential`, by the ziggurat of
    256 layers (Marsaglia & Tsang 2000). Behind the lattice every cell is `n_cells`.
    """
    high, low, increment_high, increment_low = stream[0], stream[1], stream[2], stream[3]
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
def _refill(constants, state, stream, events):
    """Move the events still to come to the front and draw others behind them."""
    last = events[events.size - 1]
    waiting = events.size - state.event
    for i in range(waiting):
        events[i] = events[state.event + i]
    _draw(
        stream, events, waiting, last, constants.mean_gap, constants.n_steps * constants.n_synapses
    )
    state.event = 0


@_compile
def _advance(constants, state, step, stop, events, w, x_scaled, spike_step):
    """Integrate the steps from `step` to before `stop`, numbered as in `reference.run`."""
    # Copies, which no store to an array can change, stay in registers.
    V_th, V_reset, E_L, E_ex = constants.V_th, constants.V_reset, constants.E_L, constants.E_ex
    g_max, A_plus, A_minus = constants.g_max, constants.A_plus, constants.A_minus
    decay_ex, decay_plus, decay_minus = (
        constants.decay_ex,
        constants.decay_plus,
        constants.decay_minus,
    )
    dt_over_tau_m, refractory_steps = constants.dt_over_tau_m, constants.refractory_steps
    v, g_ex, x_post, decay, jump = state.v, state.g_ex, state.x_post, state.decay, state.jump
    free, event, n_spikes = state.free, state.event, state.n_spikes
    # Unsigned indices spare numba the question whether they count from the end.
    n_synapses = uint64(w.size)
    first_cell = step * w.size

    for k in range(step, stop):
        # 2. Membrane's spike. LTP by x_pre as it stood before this step's input; for the synapses
        # that have a spike in this very step, the rest of it follows below.
        ltp = 0.0
        if k < free:
            v = V_reset
        elif v >= V_th:
            spike_step[n_spikes] = k
            n_spikes += 1
            v = V_reset
            x_post += 1
            for i in range(w.size):
                w[i] = min(w[i] + A_plus * decay * x_scaled[i], 1.0)
            ltp = A_plus * decay * jump
            free = k + 1 + refractory_steps

        # 1., 3. and 4. Presynaptic traces, sum of the conductance jumps, and LTD.
        ltd = A_minus * x_post
        arriving = 0.0
        synapse = uint64(events[uint64(event)] - first_cell)
        while synapse < n_synapses:
            x_scaled[synapse] += jump
            w_active = min(w[synapse] + ltp, 1.0)
            arriving += w_active
            w[synapse] = max(w_active - ltd, 0.0)
            event += 1
            synapse = uint64(events[uint64(event)] - first_cell)
        g_ex = g_ex * decay_ex + g_max * arriving
        x_post *= decay_minus

        # 5. Membrane potential.
        v += dt_over_tau_m * (-(v - E_L) - g_ex * (v - E_ex))

        decay *= decay_plus
        jump /= decay_plus
        first_cell += w.size

    state.v, state.g_ex, state.x_post, state.decay, state.jump = v, g_ex, x_post, decay, jump
    state.free, state.event, state.n_spikes = free, event, n_spikes


@_compile
def _copy(source, target):
    for i in range(source.size):  # a slice would first ask whether the two overlap, and allocate
        target[i] = source[i]


def compiled() -> tuple[str, str]:
    """Compile `_integrate` and return it as a module of LLVM, and its name there."""
    function = cfunc(types.void(*_ADDRESSES), error_model="numpy")(_integrate)
    return function.inspect_llvm(), function.native_name


def _integrate(
    constants_at, state_at, stream_at, events_at, w_at, x_scaled_at, spike_step_at, history_at
):
    """Run the steps from `state.step` to before `state.until`; every argument is an address.

    They are those of a `StepConstants`, a `State`, the random stream (4 words), the buffered events
    (`constants.n_events` in time order), the weights and the scaled traces
    (`constants.n_synapses`), the steps of the output spikes (room for all that there can be), and
    the weight history (a row each `constants.sample_steps`). If the last buffered event is the cell
    after the last step, no others are drawn.
    """
    constants, state = carray(constants_at, 1)[0], carray(state_at, 1)[0]
    stream, events = carray(stream_at, 4), carray(events_at, constants.n_events)
    w, x_scaled = carray(w_at, constants.n_synapses), carray(x_scaled_at, constants.n_synapses)
    spike_step = carray(spike_step_at, constants.n_steps)
    n_samples = constants.n_steps // constants.sample_steps
    history = carray(history_at, (n_samples, constants.n_synapses))
    last_step = constants.n_steps - 1
    end = min(state.until, last_step)

    while state.step < end:
        step = state.step
        # Behind the last event in hand, others of its step may be yet to come.
        complete = events[events.size - 1] // constants.n_synapses
        if complete <= step:
            _refill(constants, state, stream, events)
            complete = events[events.size - 1] // constants.n_synapses
        sampling = (state.n_samples + 1) * constants.sample_steps
        stop = min(complete, state.rescaling, sampling, end)
        _advance(constants, state, step, stop, events, w, x_scaled, spike_step)
        state.step = stop
        if stop == state.rescaling:
            for i in range(w.size):
                x_scaled[i] *= state.decay
            state.decay = state.jump = 1.0
            state.rescaling += constants.stretch
        if stop == sampling:
            _copy(w, history[state.n_samples])
            state.n_samples += 1
    if state.step == last_step and state.n_samples < n_samples:  # the last step changes nothing
        _copy(w, history[state.n_samples])
