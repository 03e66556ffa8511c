"""Drawing of Bernoulli events in the compiled engine, from the random streams of `inputs`.

Events are drawn in chunks, in loops over one array each, which vectorise.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numba import njit, types, uint64
from numba.extending import intrinsic, overload

from pipeline.engine.constants import N_INHIBITORY
from pipeline.engine.unrolled import inlined
from pipeline.model import streams
from pipeline.model.features import Features

# ruff: noqa: ANN001, ANN202 - numba infers the types

_compile = njit(error_model="numpy")


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
_exponential, _normal = _compile(streams.exponential), _compile(streams.normal)


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

# For the kernels of `draw_kernels`.
compile_function, prefer_long_vectors = _compile, _prefer_long_vectors
mixed, uniform, exponential = _mixed, _uniform, _exponential


@_compile
def divide(n_synapses, n_cells, steps, synapses) -> None:
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


@inlined
def _next_cells(counter, increment, mean_gap, longest, cell, cells, gaps):
    """Fill `cells` with the next cells of `inputs.bernoulli_cells`; return the last one.

    `cell` is the last one before, `gaps` is memory of the same size.
    """
    n = uint64(cells.size)
    for j in range(n):
        gaps[j] = _uniform(_mixed(counter))
        counter += increment
    for j in range(n):
        gap = np.floor(min(_exponential(gaps[j]) * mean_gap, longest))
        cells[j] = _whole_of_float(gap)
    for j in range(n):
        cell += 1 + cells[j]
        cells[j] = cell
    return cell


@_compile
def draw(constants, state, steps, synapses, gaps) -> None:
    """Fill the arrays with the next input events.

    Beyond the lattice every cell is the one after the last step.
    """
    _prefer_long_vectors()
    mean_gap, increment = constants.mean_gap, constants.increment
    n_cells = constants.n_steps * constants.n_synapses
    counter = constants.start + uint64(state.n_drawn) * increment
    cell = _next_cells(counter, increment, mean_gap, float(n_cells), state.cell - 1, steps, gaps)
    divide(constants.n_synapses, n_cells, steps, synapses)
    state.cell = min(cell, n_cells) + 1
    state.n_drawn += steps.size


#: The arrays of the inhibitory population: number of its spikes in each step, by the row of the
#: tables, and steps and synapses of the next ones, with memory for their gaps.
InhibitionArrays = namedtuple("InhibitionArrays", "n_spikes gaps steps synapses")


@_compile
def _draw_inhibitory(constants, state, a):
    """Fill the arrays with the next spikes of the inhibitory population, as `draw`."""
    _prefer_long_vectors()
    mean_gap, increment = constants.inhibitory_mean_gap, constants.inhibitory_increment
    n_synapses = constants.n_inhibitory_synapses
    n_cells = constants.n_inhibitory_steps * n_synapses
    counter = constants.inhibitory_start + uint64(state.n_inhibitory_drawn) * increment
    cell = _next_cells(
        counter, increment, mean_gap, float(n_cells), state.inhibitory_cell - 1, a.steps, a.gaps
    )
    divide(n_synapses, n_cells, a.steps, a.synapses)
    state.inhibitory_cell = min(cell, n_cells) + 1
    state.n_inhibitory_drawn += a.steps.size


@_compile
def _count_inhibitory(constants, state, stop, a):
    """Count the inhibitory spikes of the steps up to before `stop`."""
    event, base, n = state.inhibitory_event, state.base, a.steps.size
    while True:
        begun = event
        while event < n and a.steps[event] < stop:
            a.n_spikes[uint64(a.steps[event] - base)] += 1.0
            event += 1
        if event > begun:
            cell = a.steps[event - 1] * constants.n_inhibitory_synapses + a.synapses[event - 1]
            state.next_inhibitory_cell = cell + 1
        if event < n:
            break
        _draw_inhibitory(constants, state, a)
        event = 0
    state.inhibitory_event = event


@inlined
def _count_nothing(constants, state, stop, a):
    pass


def counting_of(features: Features) -> Callable[..., None]:
    """Return the compiled function that counts the inhibitory spikes before a step."""
    return _count_inhibitory if features.inhibition else _count_nothing


#: The arrays of membrane noise: what it adds to the potential in each step, by the row of the
#: tables, and memory for the random numbers that it is made of.
NoiseArrays = namedtuple("NoiseArrays", "added exponential uniform")


@_compile
def _draw_noise(constants, state, stop, a):
    """Draw the noise of the steps up to before `stop`, as `noise.noise_of_steps`."""
    _prefer_long_vectors()
    first, n = uint64(state.step - state.base), uint64(stop - state.step)
    increment = constants.noise_increment
    counter = constants.noise_start + uint64(2 * state.step) * increment
    for j in range(n):
        a.exponential[j] = _uniform(_mixed(counter))
        a.uniform[j] = _uniform(_mixed(counter + increment))
        counter += increment + increment
    for j in range(n):
        a.exponential[j] = _exponential(a.exponential[j])
    for j in range(n):
        a.added[first + j] = _normal(a.exponential[j], a.uniform[j]) * constants.noise_scale


def noising_of(features: Features) -> Callable[..., None]:
    """Return the compiled function that draws the membrane noise before a step."""
    return _draw_noise if features.noise else _count_nothing


def noise_arrays_of(features: Features) -> Any:
    """Return a compiled function that divides the memory of the noise, see `Memory`.

    Without noise it returns an empty tuple, and uses no memory.
    """

    @inlined
    def arrays_of(floats, n_rows):
        return NoiseArrays(
            added=floats[:n_rows],
            exponential=floats[n_rows : 2 * n_rows],
            uniform=floats[2 * n_rows : 3 * n_rows],
        )

    @inlined
    def none_of(floats, n_rows):
        return ()

    return arrays_of if features.noise else none_of


def inhibition_arrays_of(features: Features) -> Any:
    """Return a compiled function that divides the memory of the population, see `Memory`.

    Without inhibition it returns an empty tuple, and uses no memory.
    """
    n = N_INHIBITORY

    @inlined
    def arrays_of(floats, n_rows, integers):
        return InhibitionArrays(
            n_spikes=floats[:n_rows],
            gaps=floats[n_rows : n_rows + n],
            steps=integers[:n],
            synapses=integers[n : 2 * n],
        )

    @inlined
    def none_of(floats, n_rows, integers):
        return ()

    return arrays_of if features.inhibition else none_of
