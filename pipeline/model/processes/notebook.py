"""Poisson inputs of the original notebook: numpy's legacy `RandomState`, synapse by synapse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.model.errors import RequestError
from pipeline.model.inputs import CHUNK, SEED_POLICIES, Cells, InputProcess
from pipeline.model.quantity import written


@dataclass(frozen=True)
class Notebook(InputProcess):
    """Independent spike trains of one constant rate, identical to those of the notebook."""

    name: ClassVar[str] = "notebook"
    needs_duration: ClassVar[bool] = True
    theory_gap: ClassVar[str] = ""

    def refuse_unfit_values(self) -> None:
        """Refuse values that are not allowed together."""
        super().refuse_unfit_values()
        if self.seed_policy != SEED_POLICIES[0]:
            raise RequestError(
                f"{written(self.key('seed_policy'), self.seed_policy)}: must be "
                f"{SEED_POLICIES[0]} with input.process=notebook, whose seeds are the notebook's"
            )

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Draw a uniform number per cell; it is a spike if below the spike probability.

        Memory grows with the number of spikes, because the first time step needs the draws of the
        last synapse. Until then chunks are empty.

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
        """Return the estimated time [s] to draw a number for every cell of the lattice."""
        return 7e-9 * n_steps * self.n_synapses
