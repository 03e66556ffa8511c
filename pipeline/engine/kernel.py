"""Kernel of the compiled engine, in the subset of Python that numba compiles to machine code.

The model is that of `reference`, integrated event by event and specialized for one rule: its
functions and the number and kind of its traces are compile-time constants. For speed, and memory
O(n_synapses) for any duration:

- Traces are updated only at events. Each is stored divided by a scale, the factor (1 - dt/tau)
  to the number of steps since the last rescaling. The scales of all steps between two rescalings
  are in tables. An output spike reads all presynaptic traces as scale * x.
- Input events are drawn in `drawing`, in chunks, from the same random stream as in `inputs`.
- The loop over steps is in `loops`. It runs in stretches in which all events are buffered and
  nothing is rescaled, recorded or drawn, so options that are off cost nothing there.

The code neither allocates memory nor raises exceptions, so that `object_code` can cache it for
processes that do not import numba.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, cfunc, from_dtype, njit, types

from pipeline.engine.constants import N_INHIBITORY, State, StepConstants
from pipeline.engine.delayed_loop import delayed_loop
from pipeline.engine.drawing import (
    counting_of,
    divide,
    draw,
    inhibition_arrays_of,
    noise_arrays_of,
    noising_of,
)
from pipeline.engine.loops import Arrays, block_loop, plain_loop
from pipeline.engine.unrolled import TraceFunctions, inlined
from pipeline.model.features import NO_FEATURES, Features
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


@_compile
def _refill(constants, state, steps, synapses, gaps):
    """Move the pending events to the front of the buffer and fill the rest with new ones."""
    waiting = steps.size - state.event
    for i in range(waiting):
        steps[i], synapses[i] = steps[state.event + i], synapses[state.event + i]
    draw(constants, state, steps[waiting:], synapses[waiting:], gaps)
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


def _arrays_of(rule: type[Rule], features: Features) -> Any:
    """Return a compiled function that divides the memory of a run, see `constants.Memory`."""
    inhibition_of, noise_of = inhibition_arrays_of(features), noise_arrays_of(features)
    n_inhibitory = N_INHIBITORY if features.inhibition else 0
    n_inhibitory_rows, n_noise_rows = int(features.inhibition), 3 * int(features.noise)
    rows = TraceFunctions.of(rule).rows
    n_pre, n_post = len(rule.traces_of(PRE)), len(rule.traces_of(POST))

    @inlined
    def arrays_of(constants, tables, floats_at, integers_at):
        n, n_buffered, n_rows = constants.n_synapses, constants.n_buffered, constants.stretch + 2
        first_x = n + n_post + n_rows
        first_saved = first_x + n_pre * n
        end, first_spike = first_saved + (1 + n_pre) * n_buffered, 2 * (n_buffered + n_inhibitory)
        first_noise = end + n_inhibitory_rows * n_rows + n_inhibitory
        floats = carray(floats_at, first_noise + n_noise_rows * n_rows)
        integers = carray(integers_at, first_spike + constants.n_steps)
        arrays = Arrays(
            steps=integers[:n_buffered],
            synapses=integers[n_buffered : 2 * n_buffered],
            spike_step=integers[first_spike:],
            w=floats[:n],
            x=rows(floats, first_x, n),
            tables=tables,
            arriving=floats[n + n_post : first_x],
            saved_w=floats[first_saved : first_saved + n_buffered],
            saved_x=rows(floats, first_saved + n_buffered, n_buffered),
            inhibition=inhibition_of(floats[end:], n_rows, integers[2 * n_buffered :]),
            noise=noise_of(floats[first_noise:], n_rows),
        )
        return arrays, floats[n : n + n_post]

    return arrays_of


def compiled(
    rule: type[Rule], in_blocks: bool, features: Features = NO_FEATURES
) -> tuple[str, str]:
    """Compile the kernel for a rule; return the text of its LLVM module, and its name there."""
    undelayed = block_loop if in_blocks else plain_loop
    advance = (delayed_loop if features.dendritic_delay else undelayed)(rule, features)
    integrate = _integrate_of(rule, features, advance)
    function = cfunc(types.void(*_ADDRESSES), error_model="numpy")(integrate)
    module = function.inspect_llvm()
    if _NEEDS_PYTHON.search(module):
        raise ValueError(
            "its functions may raise an exception, allocate memory, print or draw random numbers; "
            "write them with arithmetic, functions of numpy on numbers, and where"
        )
    return module, function.native_name


def _integrate_of(rule: type[Rule], features: Features, advance: Any) -> Callable[..., None]:
    rescale, arrays_of = _rescale_of(rule), _arrays_of(rule, features)
    count_inhibitory, draw_noise = counting_of(features), noising_of(features)
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
            divide(constants.n_synapses, n_cells, a.steps[first:], a.synapses[first:])
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
            count_inhibitory(constants, state, stop, a.inhibition)
            draw_noise(constants, state, stop, a.noise)
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
