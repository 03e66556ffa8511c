"""Kernel of the compiled engine, in the subset of Python that numba compiles to machine code.

The model is that of `reference`, integrated event by event and specialized for one rule: its
functions and the number and kind of its traces are compile-time constants. For speed, and memory
O(n_synapses) for any duration:

- Traces are updated only at events. Each is stored divided by a scale, the factor (1 - dt/tau)
  to the number of steps since the last rescaling. The scales of all steps between two rescalings
  are in tables. An output spike reads all presynaptic traces as scale * x.
- Input events are drawn here, in chunks, from the same random stream as in `inputs`, in loops over
  one array each, which vectorise.
- The loop over steps is in `loops`. It runs in stretches in which all events are buffered and
  nothing is rescaled, recorded or drawn, so options that are off cost nothing there.

The code neither allocates memory nor raises exceptions, so that `object_code` can cache it for
processes that do not import numba.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numba import carray, cfunc, from_dtype, njit, types, uint64
from numba.extending import intrinsic, overload

from pipeline.engine.constants import State, StepConstants
from pipeline.engine.loops import Arrays, block_loop, plain_loop
from pipeline.engine.unrolled import TraceFunctions, inlined
from pipeline.model import streams
from pipeline.model.plasticity import POST, PRE, Rule

# ruff: noqa: ANN001, ANN202 - numba infers the types

_ADDRESSES = [
    types.CPointer(target)
    for target in (
        from_dtype(np.dtype(StepConstants)),
        from_dtype(np.dtype(State)),
        types.float64,
        types.float64,
        types.float64,
        types.int64,
        types.int64,
        types.float64,
    )
]

_compile = njit(error_model="numpy")

#: What a module has that calls back into Python: exceptions, memory, print, random numbers.
_NEEDS_PYTHON = re.compile(
    r"picklebuf|@NRT_(?:MemInfo_alloc|Allocate)|@PySys_|@numba_rnd|@numba_get_np_random"
)


def _reinterpretation(source: Any, target: Any) -> Any:
    """Return a compiled function that takes the bits of one type as another."""

    def generate(context, value):
        def build(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], context.get_value_type(target))

        return target(source), build

    return intrinsic(generate)


_float_of_bits = _reinterpretation(types.uint64, types.float64)
_bits_of_float = _reinterpretation(types.float64, types.uint64)


@overload(streams.float_of_bits)
def _(bits):
    return lambda bits: _float_of_bits(bits)  # noqa: PLW0108 - numba takes no intrinsic here


@overload(streams.bits_of_float)
def _(x):
    return lambda x: _bits_of_float(x)  # noqa: PLW0108


@overload(streams.float_of_whole)
def _(number: Any) -> Any:
    return streams.float_of_whole


_float_of_whole, _whole_of_float = (
    _compile(streams.float_of_whole),
    _compile(streams.whole_of_float),
)
_mixed, _uniform = _compile(streams.mixed), _compile(streams.uniform)
_exponential = _compile(streams.exponential)


def _generate_preference(context):
    """Vectorise the function that calls this with 512 bits, where the processor has them.

    LLVM prefers 256 bits on Intel's server processors, because the first ones with AVX-512 lower
    their clock for longer vectors. Those with VBMI2 do not. The results are the same.
    """

    def generate(context, builder, signature, arguments):
        if llvm.get_host_cpu_features().get("avx512vbmi2"):
            # `set.add`: llvmlite's own `add` refuses attributes that it does not know.
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), generate


_prefer_long_vectors: Any = intrinsic(_generate_preference)


@_compile
def _divide(n_synapses, n_cells, steps, synapses):
    """Divide cells, given in `steps`, into step and synapse; those beyond the lattice as its end.

    Exact up to 2**48 cells: the half keeps the quotient off whole numbers by more than its rounding
    error.
    """
    _prefer_long_vectors()
    per_synapse = 1 / n_synapses
    for j in range(uint64(steps.size)):  # unsigned indices avoid numba's check for negative ones
        cell = _float_of_whole(uint64(min(steps[j], n_cells)))
        step = np.floor((cell + 0.5) * per_synapse)
        synapses[j] = _whole_of_float(cell - step * n_synapses)
        steps[j] = _whole_of_float(step)


@_compile
def _draw(constants, state, steps, synapses, gaps):
    """Fill the arrays with the next cells of `inputs.bernoulli_cells`.

    Beyond the lattice every cell is the one after the last step.
    """
    _prefer_long_vectors()
    mean_gap, increment = constants.mean_gap, constants.increment
    n_cells = constants.n_steps * constants.n_synapses
    cell, longest = state.cell - 1, float(n_cells)
    counter = constants.start + uint64(state.n_drawn) * increment
    n = uint64(steps.size)
    for j in range(n):
        gaps[j] = _uniform(_mixed(counter))
        counter += increment
    for j in range(n):
        gap = np.floor(min(_exponential(gaps[j]) * mean_gap, longest))
        steps[j] = _whole_of_float(gap)
    for j in range(n):
        cell += 1 + steps[j]
        steps[j] = cell
    _divide(constants.n_synapses, n_cells, steps, synapses)
    state.cell = min(cell, n_cells) + 1
    state.n_drawn += steps.size


@_compile
def _refill(constants, state, steps, synapses, gaps):
    """Move the pending events to the front of the buffer and fill the rest with new ones."""
    waiting = steps.size - state.event
    for i in range(waiting):
        steps[i], synapses[i] = steps[state.event + i], synapses[state.event + i]
    _draw(constants, state, steps[waiting:], synapses[waiting:], gaps)
    state.event = 0


@_compile
def _copy(source, target):
    for i in range(source.size):  # slice assignment would check for overlap, and allocate
        target[i] = source[i]


def _rescale_of(rule: type[Rule]) -> Any:
    """Return a compiled function that multiplies the stored traces of a rule by their scales."""
    n_pre, n_post = len(rule.traces_of(PRE)), len(rule.traces_of(POST))

    @_compile
    def rescale(tables, x, post):
        last = tables.shape[2] - 1
        if n_pre > 0:  # numba types what it does not compile away, and an empty tuple has no item
            for j in range(n_pre):
                for i in range(x[j].size):
                    x[j][i] *= tables[j, 0, last]
        for j in range(n_post):
            post[j] *= tables[n_pre + j, 0, last]

    return rescale


def _arrays_of(rule: type[Rule]) -> Any:
    """Return a compiled function that divides the memory of a run, see `constants.Memory`."""
    rows = TraceFunctions.of(rule).rows
    n_pre, n_post = len(rule.traces_of(PRE)), len(rule.traces_of(POST))

    @inlined
    def arrays_of(constants, tables, floats_at, integers_at):
        n, n_buffered, n_rows = constants.n_synapses, constants.n_buffered, constants.stretch + 2
        first_x = n + n_post + n_rows
        first_saved = first_x + n_pre * n
        floats = carray(floats_at, first_saved + (1 + n_pre) * n_buffered)
        integers = carray(integers_at, 2 * n_buffered + constants.n_steps)
        arrays = Arrays(
            steps=integers[:n_buffered],
            synapses=integers[n_buffered : 2 * n_buffered],
            spike_step=integers[2 * n_buffered :],
            w=floats[:n],
            x=rows(floats, first_x, n),
            tables=tables,
            arriving=floats[n + n_post : first_x],
            saved_w=floats[first_saved : first_saved + n_buffered],
            saved_x=rows(floats, first_saved + n_buffered, n_buffered),
        )
        return arrays, floats[n : n + n_post]

    return arrays_of


def compiled(rule: type[Rule], in_blocks: bool) -> tuple[str, str]:
    """Compile the kernel for a rule; return the text of its LLVM module, and its name there."""
    advance = block_loop(rule) if in_blocks else plain_loop(rule)
    function = cfunc(types.void(*_ADDRESSES), error_model="numpy")(_integrate_of(rule, advance))
    module = function.inspect_llvm()
    if _NEEDS_PYTHON.search(module):
        raise ValueError(
            "its functions may raise an exception, allocate memory, print or draw random numbers; "
            "write them with arithmetic, functions of numpy on numbers, and where"
        )
    return module, function.native_name


def _integrate_of(rule: type[Rule], advance: Any) -> Callable[..., None]:
    rescale, arrays_of = _rescale_of(rule), _arrays_of(rule)
    n_numbers, n_traces = len(rule.fields_type()._fields), len(rule.traces)

    def integrate(
        constants_at,
        state_at,
        numbers_at,
        tables_at,
        floats_at,
        integers_at,
        sample_step_at,
        history_at,
    ):
        """Integrate the steps from `state.step` to before `state.until`.

        All arguments are addresses: of a `StepConstants`, a `State`, the arrays of
        `RuleConstants`, those of `Memory`, the numbers of steps after which the weights are sampled
        (with one behind the last that is never reached), and the samples. It returns early if no
        step is complete in the buffer, since that of the last event may have further ones, and
        events are given.
        """
        constants, state = carray(constants_at, 1)[0], carray(state_at, 1)[0]
        numbers = carray(numbers_at, n_numbers)
        tables = carray(tables_at, (n_traces, 2, constants.stretch + 2))
        a, post = arrays_of(constants, tables, floats_at, integers_at)
        sample_step = carray(sample_step_at, state.n_asked + 1)
        history = carray(history_at, (state.n_asked, constants.n_synapses))

        if state.undivided < constants.n_buffered:
            first, state.undivided = state.undivided, constants.n_buffered
            n_cells = constants.n_steps * constants.n_synapses
            _divide(constants.n_synapses, n_cells, a.steps[first:], a.synapses[first:])
        while state.step < state.until:
            complete = a.steps[constants.n_buffered - 1]
            if complete <= state.step:
                if not constants.draws:
                    return
                _refill(constants, state, a.steps, a.synapses, a.saved_w)
                complete = a.steps[constants.n_buffered - 1]
                if complete <= state.step:  # more input spikes in a step than there is room for
                    return
            sampling = sample_step[state.n_samples]
            stop = min(complete, state.rescaling, sampling, state.until)
            advance(constants, state, numbers, post, stop, a)
            state.step = stop
            if stop == state.rescaling:
                rescale(tables, a.x, post)
                state.base = stop - 1
                state.rescaling += constants.stretch
            if stop == sampling:
                _copy(a.w, history[state.n_samples])
                state.n_samples += 1

    return integrate
