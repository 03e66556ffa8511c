"""Independent Poisson inputs of one rate: a Bernoulli trial per time step and synapse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from pipeline.model.inputs import Cells, InputProcess, bernoulli_cells


@dataclass(frozen=True)
class Poisson(InputProcess):
    """Independent spike trains of one constant rate."""

    name: ClassVar[str] = "poisson"
    bernoulli: ClassVar[bool] = True
    theory_gap: ClassVar[str] = ""

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Draw the gaps between spikes; see `InputProcess.events`.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice in time order; indices, dimensionless.
        """
        return bernoulli_cells(self.spike_probability(dt), self.n_synapses, n_steps, seed)
