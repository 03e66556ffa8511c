"""Input events of a lattice of synapses and time steps: from a matrix, and step by step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.model.errors import RequestError
from pipeline.model.inputs import Cells

#: Time steps that `active_synapses` sorts events into at once.
_BLOCK = 4_096


def given_cells(spikes: ArrayLike, n_synapses: int, n_steps: int) -> Iterator[Cells]:
    """Convert a matrix of 0 and 1 to events.

    Parameters
    ----------
    spikes : array_like, (n_synapses, n_steps)
        1 where a synapse spikes in a step, dimensionless.
    n_synapses, n_steps : int
        The required shape.

    Returns
    -------
    iterator of ndarray of int64, (n_events,)
        One chunk with all cells in time order; indices, dimensionless.

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


def arriving_cells(chunks: Iterator[Cells], delay: int, n_cells: int) -> Iterator[Cells]:
    """Yield events as they arrive at the synapses, after an axonal delay.

    Parameters
    ----------
    chunks : iterator of ndarray of int64, (n_events,)
        Input spikes in time order: cells of the lattice, indices.
    delay : int
        The delay in cells, a multiple of the number of synapses.
    n_cells : int
        Size of the lattice: those that arrive beyond it are left out.

    Yields
    ------
    ndarray of int64, (n_events,)
        Cells of the lattice, indices, dimensionless.
    """
    for chunk in chunks:
        arrivals = chunk + delay
        yield arrivals[: np.searchsorted(arrivals, n_cells)]
        if arrivals.size and arrivals[-1] >= n_cells:
            return


def active_synapses(
    chunks: Iterator[Cells], n_synapses: int, n_steps: int, first: int = 0
) -> Iterator[NDArray[np.int64]]:
    """Yield the synapses that spike in each time step, in order.

    Parameters
    ----------
    chunks : iterator of ndarray of int64, (n_events,)
        Cells of the lattice in time order; indices, dimensionless.
    n_synapses, n_steps : int
        Size of the lattice.
    first : int
        The first time step.

    Yields
    ------
    ndarray of int64, (n_active,)
        Synapse indices, rising, dimensionless.
    """
    waiting = np.empty(0, dtype=np.int64)
    for start in range(first, n_steps, _BLOCK):
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
