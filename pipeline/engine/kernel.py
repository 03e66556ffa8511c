"""Kernel of the compiled engine, in the subset of Python that numba compiles to machine code.

The model is that of `reference`, integrated event by event and specialized for one rule: its
functions and the number and kind of its traces are compile-time constants. For speed, and memory
O(n_synapses) for any duration:

- Presynaptic traces are updated only at events. Each is stored divided by `scale`, the factor
  (1 - dt/tau)^(steps since the last rescaling) common to all synapses. An input spike adds `jump`
  = 1 / scale to one of them; an output spike reads them all as scale * x.
- Input events are drawn here, in chunks, from the same random stream as in `inputs`.
- The loop over steps is in `advance`. It runs in stretches in which all events are buffered and
  nothing is rescaled, recorded or drawn, so options that are off cost nothing there.

The code neither allocates memory nor raises exceptions, so that `object_code` can cache it for
processes that do not import numba.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, from_dtype, njit, types, uint64
from numba.extending import intrinsic, overload
from numba.np.random._constants import fe_double, ke_double, we_double, ziggurat_exp_r

from pipeline.engine.constants import State, StepConstants
from pipeline.engine.unrolled import TraceFunctions, inlined, tuple_of
from pipeline.model.plasticity import POST, PRE, Rule, where

# ruff: noqa: ANN001, ANN202 - numba infers the types

_ADDRESSES = [
    types.CPointer(target)
    for target in (
        from_dtype(np.dtype(StepConstants)),
        from_dtype(np.dtype(State)),
        types.float64,
        types.float64,
        types.uint64,
        types.int64,
        types.float64,
        types.float64,
        types.int64,
        types.float64,
    )
]

_compile = njit(error_model="numpy")

#: What a module has that calls back into Python: exceptions, memory, print, random numbers.
_NEEDS_PYTHON = re.compile(
    r"picklebuf|@NRT_(?:MemInfo_alloc|Allocate)|@PySys_|@numba_rnd|@numba_get_np_random"
)


@overload(where)
def _where(condition, a, b):
    return lambda condition, a, b: a if condition else b


def _generate_high_half(context, a, b):
    """Return the upper 64 of the 128 bits of a product."""

    def generate(context, builder, signature, arguments):
        wide = ir.IntType(128)
        a, b = (builder.zext(argument, wide) for argument in arguments)
        upper = builder.lshr(builder.mul(a, b), ir.Constant(wide, 64))
        return builder.trunc(upper, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


_high_half_of_product: Any = intrinsic(_generate_high_half)


# PCG64 (O'Neill 2014), as in numpy: a linear congruential generator of 128 bits, here in two
# halves; the output is their exclusive or, rotated by the six highest bits.
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
def _draw(stream, events, index, cell, mean_gap, n_cells):
    """Fill `events` from `index` on with the cells of `inputs.bernoulli_cells` after `cell`.

    The exponentials are those of `numpy.random.Generator.standard_exponential`, by the ziggurat
    method with 256 layers (Marsaglia & Tsang 2000). Beyond the lattice every cell is `n_cells`.
    """
    high, low, increment_high, increment_low = stream[0], stream[1], stream[2], stream[3]
    while index < events.size:
        # In 98.9 % of cases the first trial of an exponential is accepted. A separate loop for
        # these keeps the variables of the others out of its registers.
        while True:
            high, low = _next_state(high, low, increment_high, increment_low)
            bits = _output(high, low) >> uint64(3)
            layer = bits & uint64(255)
            bits >>= uint64(8)
            exponential = bits * we_double[layer]
            if bits >= ke_double[layer]:
                break
            cell = _cell_after(cell, exponential, mean_gap, n_cells)
            events[index] = cell
            index += 1
            if index == events.size:
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
        events[index] = cell
        index += 1
    stream[0], stream[1] = high, low


@_compile
def _refill(constants, state, stream, events):
    """Move the pending events to the front of the buffer and fill the rest with new ones."""
    last = events[events.size - 1]
    waiting = events.size - state.event
    for i in range(waiting):
        events[i] = events[state.event + i]
    n_cells = constants.n_steps * constants.n_synapses
    _draw(stream, events, waiting, last, constants.mean_gap, n_cells)
    state.event = 0


@_compile
def _copy(source, target):
    for i in range(source.size):  # slice assignment would check for overlap, and allocate
        target[i] = source[i]


@inlined
def _clipped(w):
    return min(max(w, 0.0), 1.0)  # in this order NaN stays NaN


def _potentiation_of(rule: type[Rule], traces: TraceFunctions) -> Any:
    """Return the compiled LTP at an output spike, after the trace jumps of the step's inputs.

    These are operations 2 and 1 in `reference.run`.
    """
    potentiate, Traces = _compile(rule.potentiate), rule.traces_type()  # noqa: N806 - a type
    read, move = traces.read, traces.move

    @inlined
    def potentiate_all(events, event, first_cell, w, x, scale, jump, post, fields):
        n_synapses = uint64(w.size)
        synapse = uint64(events[uint64(event)] - first_cell)
        while synapse < n_synapses:
            move(x, synapse, jump, jump)
            event += 1
            synapse = uint64(events[uint64(event)] - first_cell)
        for i in range(w.size):
            w[i] = _clipped(potentiate(w[i], Traces(*(read(x, i, scale) + post)), fields))

    return potentiate_all


def _arrival_of(rule: type[Rule], traces: TraceFunctions) -> Any:
    """Return the compiled loop over the input spikes of a step.

    It is operations 1, 3 and 4 in `reference.run`: presynaptic traces, sum of the conductance
    jumps, and LTD.
    """
    depress, Traces = _compile(rule.depress), rule.traces_type()  # noqa: N806 - a type
    read, move, move_late = traces.read, traces.move, traces.move_late

    @inlined
    def arrive(events, event, first_cell, w, x, scale, jump, added, post, fields):
        # Unsigned indices avoid numba's check for negative ones.
        n_synapses = uint64(w.size)
        arriving = 0.0
        synapse = uint64(events[uint64(event)] - first_cell)
        while synapse < n_synapses:
            move(x, synapse, jump, added)
            w_active = w[synapse]
            arriving += w_active
            seen = Traces(*(read(x, synapse, scale) + post))
            w[synapse] = _clipped(depress(w_active, seen, fields))
            move_late(x, synapse, jump)
            event += 1
            synapse = uint64(events[uint64(event)] - first_cell)
        return event, arriving

    return arrive


def _advance_of(rule: type[Rule]) -> Any:
    """Return the compiled loop over steps for a rule."""
    Fields, n_pre = rule.fields_type(), len(rule.traces_of(PRE))  # noqa: N806 - a type
    n_fields, n_all = len(Fields._fields), len(Fields._fields) + len(rule.traces)
    numbers_of = tuple_of("a", "a[{j}]", range(n_fields))
    decays_of = tuple_of("a", "a[{j}]", range(n_fields, n_fields + n_pre))
    post_decays_of = tuple_of("a", "a[{j}]", range(n_fields + n_pre, n_all))
    t = TraceFunctions.of(rule)
    scales_of, jumps_of, post_of, keep, zeros = t.scales, t.jumps, t.post, t.keep, t.zeros
    post_moved, post_moved_late, post_times = t.post_moved, t.post_moved_late, t.post_times
    times, over = t.times, t.over
    potentiate_all, arrive = _potentiation_of(rule, t), _arrival_of(rule, t)

    @_compile
    def advance(constants, state, rule_constants, traces, step, stop, events, w, x, spike_step):
        """Integrate the steps from `step` to before `stop`, numbered as in `reference.run`."""
        # Local copies stay in registers, because no store to an array can alias them.
        V_th, V_reset, E_L, E_ex = constants.V_th, constants.V_reset, constants.E_L, constants.E_ex
        g_max, decay_ex = constants.g_max, constants.decay_ex
        dt_over_tau_m, refractory_steps = constants.dt_over_tau_m, constants.refractory_steps
        fields = Fields(*numbers_of(rule_constants))
        decay, post_decay = decays_of(rule_constants), post_decays_of(rule_constants)
        scale, jump, post = scales_of(traces), jumps_of(traces), post_of(traces)
        v, g_ex = state.v, state.g_ex
        free, event, n_spikes = state.free, state.event, state.n_spikes
        first_cell = step * w.size

        for k in range(step, stop):
            # 2. Output spike.
            added, spiked = jump, False
            if k < free:
                v = V_reset
            elif v >= V_th:
                spiked = True
                spike_step[n_spikes] = k
                n_spikes += 1
                v = V_reset
                free = k + 1 + refractory_steps
                post = post_moved(post)
                potentiate_all(events, event, first_cell, w, x, scale, jump, post, fields)
                added = zeros()  # the traces include this step's input already

            # 3. and 4. Conductance, LTD, and postsynaptic traces.
            event, arriving = arrive(
                events, event, first_cell, w, x, scale, jump, added, post, fields
            )
            g_ex = g_ex * decay_ex + g_max * arriving
            if spiked:
                post = post_moved_late(post)
            post = post_times(post, post_decay)

            # 5. Membrane potential.
            v += dt_over_tau_m * (-(v - E_L) - g_ex * (v - E_ex))

            scale, jump = times(scale, decay), over(jump, decay)
            first_cell += w.size

        keep(traces, scale, jump, post)
        state.v, state.g_ex = v, g_ex
        state.free, state.event, state.n_spikes = free, event, n_spikes

    return advance


def _rescale_of(rule: type[Rule]) -> Any:
    """Return a compiled function that rescales the presynaptic traces of a rule."""
    n_pre = len(rule.traces_of(PRE))

    @_compile
    def rescale(traces, x):
        for j in range(n_pre):
            for i in range(x.shape[1]):
                x[j, i] *= traces[j]
            traces[j] = traces[n_pre + j] = 1.0

    return rescale


def compiled(rule: type[Rule]) -> tuple[str, str]:
    """Compile the kernel for a rule; return the text of its LLVM module, and its name there."""
    function = cfunc(types.void(*_ADDRESSES), error_model="numpy")(_integrate_of(rule))
    module = function.inspect_llvm()
    if _NEEDS_PYTHON.search(module):
        raise ValueError(
            "its functions may raise an exception, allocate memory, print or draw random numbers; "
            "write them with arithmetic, functions of numpy on numbers, and where"
        )
    return module, function.native_name


def _integrate_of(rule: type[Rule]) -> Callable[..., None]:
    advance, rescale = _advance_of(rule), _rescale_of(rule)
    n_pre, n_post = len(rule.traces_of(PRE)), len(rule.traces_of(POST))
    n_constants, n_traces = len(rule.fields_type()._fields) + n_pre + n_post, 2 * n_pre + n_post

    def integrate(
        constants_at, state_at, rule_at, traces_at, stream_at, events_at, w_at, x_at, spike_step_at,
        history_at,
    ):  # fmt: skip
        """Integrate the steps from `state.step` to before `state.until`.

        All arguments are addresses: of a `StepConstants`, a `State`, the rule's constants and
        traces (see `constants`), the random stream (4 words), the buffered events
        (`constants.n_events` in time order), the weights (`constants.n_synapses`), the scaled
        traces (n_pre, n_synapses), the steps of the output spikes (with capacity for the maximum
        number), and the weight history (a row per `constants.sample_steps`). If the last buffered
        event is the cell after the last step, no others are drawn.
        """
        constants, state = carray(constants_at, 1)[0], carray(state_at, 1)[0]
        rule_constants, traces = carray(rule_at, n_constants), carray(traces_at, n_traces)
        stream, events = carray(stream_at, 4), carray(events_at, constants.n_events)
        w, x = carray(w_at, constants.n_synapses), carray(x_at, (n_pre, constants.n_synapses))
        spike_step = carray(spike_step_at, constants.n_steps)
        n_samples = constants.n_steps // constants.sample_steps
        history = carray(history_at, (n_samples, constants.n_synapses))
        last_step = constants.n_steps - 1
        end = min(state.until, last_step)

        while state.step < end:
            step = state.step
            # The step of the last buffered event may have further events that are not drawn yet.
            complete = events[events.size - 1] // constants.n_synapses
            if complete <= step:
                _refill(constants, state, stream, events)
                complete = events[events.size - 1] // constants.n_synapses
            sampling = (state.n_samples + 1) * constants.sample_steps
            stop = min(complete, state.rescaling, sampling, end)
            advance(constants, state, rule_constants, traces, step, stop, events, w, x, spike_step)
            state.step = stop
            if stop == state.rescaling:
                rescale(traces, x)
                state.rescaling += constants.stretch
            if stop == sampling:
                _copy(w, history[state.n_samples])
                state.n_samples += 1
        if state.step == last_step and state.n_samples < n_samples:  # it changes no weight
            _copy(w, history[state.n_samples])

    return integrate
