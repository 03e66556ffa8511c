"""Kernels of input processes that are written in numpy: their inner loops as machine code.

Each does what a function of the model does on arrays, with the same results to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, cfunc, types, uint64

from pipeline.engine.drawing import (
    compile_function,
    exponential,
    mixed,
    prefer_long_vectors,
    uniform,
)

# ruff: noqa: ANN001, ANN202 - numba infers the types

_FLOATS, _INTEGERS = types.CPointer(types.float64), types.CPointer(types.int64)


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
}


def compiled(name: str) -> tuple[str, str]:
    """Compile a kernel; return the text of its LLVM module, and its name there."""
    kernel_of, arguments = _KERNELS[name]
    function = cfunc(types.int64(*arguments), error_model="numpy")(kernel_of)
    return function.inspect_llvm(), function.native_name
