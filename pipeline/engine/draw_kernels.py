"""Kernels of input processes that are written in numpy: their inner loops as machine code.

Each does what a function of the model does on arrays, with the same results to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, cfunc, types, uint64
from numba.extending import overload

from pipeline.engine.drawing import (
    compile_function,
    exponential,
    mixed,
    prefer_long_vectors,
    uniform,
)
from pipeline.model import streams, variates
from pipeline.model.thinning import BLOCK as _BLOCK

# ruff: noqa: ANN001, ANN202 - numba infers the types

_FLOATS, _INTEGERS = types.CPointer(types.float64), types.CPointer(types.int64)
_WORDS = types.CPointer(types.uint64)


@overload(streams.uniform)
def _(word: Any) -> Any:
    return streams.uniform


@overload(streams.exponential)
def _(u: Any) -> Any:
    return streams.exponential


@overload(variates.cosine)
def _(cycles: Any) -> Any:
    return variates.cosine


_float_of_whole = compile_function(streams.float_of_whole)
_whole_of_float = compile_function(streams.whole_of_float)
_cosine, _normal_of_word = (
    compile_function(variates.cosine),
    compile_function(variates.normal_of_word),
)


@compile_function
def _fill(variates, counter, increment):
    prefer_long_vectors()
    n = uint64(variates.size)
    for j in range(n):
        variates[j] = uniform(mixed(counter))
        counter += increment
    for j in range(n):
        variates[j] = exponential(variates[j])


def _exponentials(variates_at, count, counter, increment):
    """Fill an array with the variates of `streams.exponentials`."""
    _fill(carray(variates_at, count), counter, increment)
    return count


def _cells(
    positions_at,
    cells_at,
    count,
    floats_at,
    synapses_at,
    n_segments,
    parts_at,
    n_parts,
    sizes_at,
    largest,
):
    """Find the cells of points as `superposition.CellLookup.events`; return their number."""
    positions, cells = carray(positions_at, count), carray(cells_at, count)
    floats, synapses = carray(floats_at, (3, n_segments)), carray(synapses_at, (2, n_segments))
    parts, sizes = carray(parts_at, n_parts + 1), carray(sizes_at, 4)
    step, last, n_steps, n_synapses = sizes[0], sizes[1], sizes[2], sizes[3]
    total = floats[0, n_segments - 1]
    per_step, per_part, n_events = 1 / total, n_parts / total, uint64(0)
    for j in range(uint64(count)):
        passed = min(np.floor(positions[j] * per_step), float(n_steps))
        position = min(max(positions[j] - passed * total, 0.0), largest)
        positions[j] = position
        segment = uint64(parts[uint64(position * per_part)])
        while position >= floats[0, segment]:
            segment += uint64(1)
        within = max((position - floats[1, segment]) * floats[2, segment], 0.0)
        synapse = min(synapses[0, segment] + int(within), synapses[1, segment])
        cell = (int(passed) + step) * n_synapses + synapse
        if cell > last:
            cells[n_events] = last = cell
            n_events += uint64(1)
    return n_events


@compile_function
def _divide(cells, n_synapses, steps, synapses):
    """Divide cells into step and synapse, as `drawing.divide`."""
    prefer_long_vectors()
    per_synapse = 1 / n_synapses
    for j in range(uint64(cells.size)):
        cell = _float_of_whole(uint64(cells[j]))
        step = np.floor((cell + 0.5) * per_synapse)
        synapses[j] = _whole_of_float(cell - step * n_synapses)
        steps[j] = step


@compile_function
def _set_intervals(rates, words, shared, counts, interval, left, per_interval):
    """Set rates to their shared part, and add the interval to the words, which have the synapse.

    `left` is the number of candidates that are left of an interval; return both for the next one.
    """
    j, n = uint64(0), uint64(rates.size)
    while j < n:
        while left == 0:
            interval += uint64(1)
            left = uint64(counts[interval])
        end = min(n, j + left)
        left -= end - j
        first, part = interval * per_interval, shared[interval]
        while j < end:
            rates[j] = part
            words[j] += first
            j += uint64(1)
    return interval, left


@compile_function
def _add_normal(rates, words, own, start, increment):
    prefer_long_vectors()
    for j in range(uint64(rates.size)):
        rates[j] += own * _normal_of_word(mixed(start + words[j] * increment))


@compile_function
def _set_phases(rates, synapses, shifts, depths, per_step, shift, depth):
    """Replace steps by the rates of synapses there; the last two arrays are memory."""
    prefer_long_vectors()
    n = uint64(rates.size)
    for j in range(n):
        shift[j] = shifts[synapses[j]]
        depth[j] = depths[synapses[j]]
    for j in range(n):
        rates[j] = 1 + depth[j] * _cosine(rates[j] * per_step - shift[j])


@compile_function
def _keep(cells, kept, n_kept, rates, choices, counter, increment, highest):
    """Append the candidates that are kept, of which there were some; return their number."""
    prefer_long_vectors()
    n = uint64(rates.size)
    for j in range(n):
        choices[j] = uniform(mixed(counter + j * increment)) * highest
    for j in range(n):
        kept[n_kept] = cells[j]
        n_kept += uint64(choices[j] < rates[j])
    return n_kept


def _redrawn(
    cells_at, kept_at, count, shared_at, counts_at, n_intervals, words_at, floats_at, sd, highest
):
    """Thin candidates as `thinning.RedrawnRates.kept`; return the number of those kept.

    The words are start and increment of the stream of rates and of that of choices, the number of
    synapses and the number of the first interval; behind them, and in the floats, is memory.
    """
    cells, kept = carray(cells_at, count), carray(kept_at, count)
    shared, counts = carray(shared_at, n_intervals), carray(counts_at, n_intervals)
    words, floats = carray(words_at, 6 + _BLOCK), carray(floats_at, 2 * _BLOCK)
    start, increment, counter, step, n_synapses = words[0], words[1], words[2], words[3], words[4]
    start += words[5] * n_synapses * increment
    n_kept = interval = uint64(0)
    left = uint64(counts[0])
    for j in range(uint64(0), uint64(count), uint64(_BLOCK)):
        n = min(uint64(_BLOCK), uint64(count) - j)
        part, rates, choices = cells[j : j + n], floats[:n], floats[_BLOCK : _BLOCK + n]
        synapses = words[6 : 6 + n]
        _divide(part, n_synapses, rates, synapses)
        interval, left = _set_intervals(rates, synapses, shared, counts, interval, left, n_synapses)
        _add_normal(rates, synapses, sd, start, increment)
        n_kept = _keep(part, kept, n_kept, rates, choices, counter, step, highest)
        counter += n * step
    return n_kept


def _sinusoidal(
    cells_at, kept_at, count, shifts_at, depths_at, words_at, floats_at, per_step, highest
):
    """Thin candidates as `thinning.SinusoidalRates.kept`; return the number of those kept.

    The words are start and increment of the stream of choices, and the number of synapses; behind
    them, and in the floats, is memory.
    """
    cells, kept = carray(cells_at, count), carray(kept_at, count)
    words, floats = carray(words_at, 3 + _BLOCK), carray(floats_at, 3 * _BLOCK)
    counter, step, n_synapses = words[0], words[1], words[2]
    shifts, depths = carray(shifts_at, n_synapses), carray(depths_at, n_synapses)
    n_kept = uint64(0)
    for j in range(uint64(0), uint64(count), uint64(_BLOCK)):
        n = min(uint64(_BLOCK), uint64(count) - j)
        part, rates, choices = cells[j : j + n], floats[:n], floats[_BLOCK : _BLOCK + n]
        synapses = words[3 : 3 + n]
        _divide(part, n_synapses, rates, synapses)
        depth = floats[2 * _BLOCK : 2 * _BLOCK + n]
        _set_phases(rates, synapses, shifts, depths, per_step, choices, depth)
        n_kept = _keep(part, kept, n_kept, rates, choices, counter, step, highest)
        counter += n * step
    return n_kept


#: The kernels and the types of their arguments, by name.
_KERNELS: dict[str, tuple[Callable[..., int], tuple[Any, ...]]] = {
    "exponentials": (_exponentials, (_FLOATS, types.int64, types.uint64, types.uint64)),
    "cells": (
        _cells,
        (
            *(_FLOATS, _INTEGERS, types.int64, _FLOATS, _INTEGERS, types.int64),
            *(_INTEGERS, types.int64, _INTEGERS, types.float64),
        ),
    ),
    "redrawn": (
        _redrawn,
        (
            *(_INTEGERS, _INTEGERS, types.int64, _FLOATS, _INTEGERS, types.int64),
            *(_WORDS, _FLOATS, types.float64, types.float64),
        ),
    ),
    "sinusoidal": (
        _sinusoidal,
        (
            *(_INTEGERS, _INTEGERS, types.int64, _FLOATS, _FLOATS),
            *(_WORDS, _FLOATS, types.float64, types.float64),
        ),
    ),
}


def compiled(name: str) -> tuple[str, str]:
    """Compile a kernel; return the text of its LLVM module, and its name there."""
    kernel_of, arguments = _KERNELS[name]
    function = cfunc(types.int64(*arguments), error_model="numpy")(kernel_of)
    return function.inspect_llvm(), function.native_name
