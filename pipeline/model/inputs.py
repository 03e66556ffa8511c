"""Presynaptic spike trains: parameters and a seed in, spike events in time order out.

An event is one number, its cell `step * n_synapses + synapse` in the lattice of time steps and
synapses, so that events in time order are a rising sequence. They come in chunks, and memory does
not grow with the duration.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.model.errors import RequestError
from pipeline.model.parameters import Configuration

Cells = NDArray[np.int64]

#: Gaps drawn at a time. A chunk's length never shows in the events.
CHUNK = 16_384

#: Time steps handed to `active_synapses` at a time.
_BLOCK = 4_096

#: The random streams of one seed are told apart by a number, so that a new one moves none.
INPUT_STREAM = 0

#: Beyond any lattice, and still a number when multiplied with an exponential.
_ENDLESS = 1e300


def spike_cells(configuration: Configuration) -> Iterator[Cells]:
    """Yield the events of the configured input process, in time order, in chunks."""
    draw = {"poisson": bernoulli_cells, "notebook": notebook_cells}[configuration.input.process]
    return draw(
        spike_probability(configuration),
        configuration.input.n_synapses,
        configuration.simulation.n_steps,
        configuration.seed,
    )


def spike_probability(configuration: Configuration) -> float:
    """Return the probability of an input spike in one cell."""
    return min(1.0, configuration.input.rate_hz * configuration.simulation.dt / 1000)


def mean_gap(p: float) -> float:
    """Return the factor that makes gaps between spikes of exponentials of mean 1.

    The number of empty cells before the next spike is geometric, floor(-E / log(1 - p)) with E
    exponential of mean 1 (Devroye 1986, Non-Uniform Random Variate Generation, X.2).
    """
    if p <= 0:
        return _ENDLESS
    return 0.0 if p >= 1 else min(-1 / math.log1p(-p), _ENDLESS)


def random_generator(seed: int, stream: int) -> np.random.Generator:
    """Return the generator of one named stream of a seed."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(stream,))))


def bernoulli_cells(p: float, n_synapses: int, n_steps: int, seed: int) -> Iterator[Cells]:
    """Draw a spike with probability `p` in every cell, by skipping from spike to spike.

    The cost goes with the spikes and not with the cells.
    """
    if p <= 0:
        return
    n_cells = n_steps * n_synapses
    factor = mean_gap(p)
    generator = random_generator(seed, INPUT_STREAM)
    last = -1
    while True:
        gaps = generator.standard_exponential(CHUNK) * factor
        gaps = np.minimum(gaps, n_cells)  # what lies beyond the end need not fit an integer
        cells = last + np.cumsum(gaps.astype(np.int64) + 1)
        if cells[-1] >= n_cells:
            yield cells[: np.searchsorted(cells, n_cells)]
            return
        yield cells
        last = cells[-1]


def notebook_cells(p: float, n_synapses: int, n_steps: int, seed: int) -> Iterator[Cells]:
    """Draw the notebook's own spikes: its legacy uniform stream, one synapse after the other.

    Only the spikes are kept, not the draws; still, memory grows with their number, because the
    first time step needs the last synapse's draws. Until then chunks are empty: a pause for whoever
    may want to end early.
    """
    uniform = np.random.RandomState(seed)
    cells = []
    for synapse in range(n_synapses):
        for start in range(0, n_steps, CHUNK):
            draws = uniform.rand(min(CHUNK, n_steps - start))
            cells.append((start + np.flatnonzero(draws < p)) * n_synapses + synapse)
        yield np.empty(0, dtype=np.int64)
    yield np.sort(np.concatenate(cells))


def given_cells(spikes: ArrayLike, n_synapses: int, n_steps: int) -> Iterator[Cells]:
    """Turn a matrix of 0 and 1, `(n_synapses, n_steps)`, into events.

    Raises
    ------
    RequestError
        If the shape is not that of the configuration, or a value is neither 0 nor 1.
    """
    try:
        matrix = np.asarray(spikes)
    except ValueError:
        raise RequestError("spikes: must be a matrix, all rows of one length") from None
    if matrix.shape != (n_synapses, n_steps):
        raise RequestError(
            f"spikes of shape {matrix.shape}: must be (input.n_synapses, n_steps) = "
            f"({n_synapses}, {n_steps})"
        )
    if matrix.dtype != bool and not np.isin(matrix, (0, 1)).all():
        raise RequestError("spikes: every value must be 0 or 1")
    return iter([np.flatnonzero(matrix.T)])


def active_synapses(
    chunks: Iterator[Cells], n_synapses: int, n_steps: int
) -> Iterator[NDArray[np.int64]]:
    """Yield for every time step, in order, the indices of the synapses that spike in it."""
    waiting = np.empty(0, dtype=np.int64)
    for start in range(0, n_steps, _BLOCK):
        stop = min(start + _BLOCK, n_steps)
        parts = [waiting]
        while parts[-1].size == 0 or parts[-1][-1] < stop * n_synapses:
            chunk = next(chunks, None)
            if chunk is None:
                break
            parts.append(chunk)
        cells = parts[0] if len(parts) == 1 else np.concatenate(parts)
        bounds = np.searchsorted(cells, np.arange(start, stop + 1) * n_synapses)
        waiting = cells[bounds[-1] :]
        synapses = cells[: bounds[-1]] % n_synapses
        bounds = bounds.tolist()
        for first, last in zip(bounds, bounds[1:], strict=False):
            yield synapses[first:last]
