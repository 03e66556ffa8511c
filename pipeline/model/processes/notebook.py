"""The notebook's own Poisson inputs: numpy's legacy uniform stream, synapse by synapse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.model.inputs import CHUNK, Cells, InputProcess


@dataclass(frozen=True)
class Notebook(InputProcess):
    """Independent spike trains of one constant rate, spike for spike those of the notebook."""

    name: ClassVar[str] = "notebook"
    theory_gap: ClassVar[str] = ""

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Draw a uniform number for every cell, and keep those below the probability.

        Only the spikes are kept, not the draws; still, memory grows with their number, because the
        first time step needs the last synapse's draws. Until then chunks are empty.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice in time order; indices, dimensionless.
        """
        p, n_synapses = self.spike_probability(dt), self.n_synapses
        uniform = np.random.RandomState(seed)
        cells = []
        for synapse in range(n_synapses):
            for start in range(0, n_steps, CHUNK):
                draws = uniform.rand(min(CHUNK, n_steps - start))
                cells.append((start + np.flatnonzero(draws < p)) * n_synapses + synapse)
            yield np.empty(0, dtype=np.int64)
        yield np.sort(np.concatenate(cells))

    def drawing_seconds(self, n_steps: int) -> float:
        """Return the time of a number for every cell of the lattice, spike or not."""
        return 1e-8 * n_steps * self.n_synapses
