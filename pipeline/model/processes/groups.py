"""Independent Poisson inputs whose rates differ between groups of synapses, or between synapses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.model.grouped import GroupedProcess
from pipeline.model.inputs import INPUT_STREAM, Cells
from pipeline.model.quantity import quantity
from pipeline.model.streams import exponentials, stream_of, uniform, words
from pipeline.model.superposition import superposed_cells

#: Number, within the stream of the input, of the stream of the rates.
_RATES = 1


@dataclass(frozen=True)
class Groups(GroupedProcess):
    """Independent spike trains of constant rates, which differ between groups of synapses.

    The first synapses are the groups of `group_sizes`; those that are left are another group, at
    `rate_hz`. With `rate_sigma` the rates within each group are log-normal around its own: their
    mean is the rate of the group, and the standard deviation of their logarithm is `rate_sigma`.
    They are drawn once per seed, and a rate above one spike per time step is one spike per step.

    Where `bernoulli_cells` takes 2.1 ns an event, groups take 9 and log-normal rates 11 ns.
    """

    name: ClassVar[str] = "groups"

    rate_sigma: float = quantity(
        "standard deviation of the logarithm of input rates",
        at_least=0,
        at_most=3,
        neutral=0.0,
    )

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Draw exponential gaps on the axis of cumulated intensities; see `superposed_cells`.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice in time order; indices, dimensionless.
        """
        p = np.minimum(self.rates(seed) * dt / 1000, 1)
        return superposed_cells(stream_of(seed, INPUT_STREAM), p, n_steps)

    def seconds_per_event(self) -> float:
        """Return the estimated drawing time [s] of an event."""
        return 1e-8

    def rates(self, seed: int) -> NDArray[np.float64]:
        """Return the rate of each synapse; see `InputProcess.rates`.

        Returns
        -------
        ndarray, (n_synapses,)
            Mean rates over time [Hz].
        """
        rates = super().rates(seed)
        if not self.rate_sigma:
            return rates
        stream, n = stream_of(seed, INPUT_STREAM, _RATES), self.n_synapses
        # A normal variate by the method of Box & Muller 1958.
        angle = 2 * np.pi * uniform(words(stream, n, n))
        normal = np.sqrt(2 * exponentials(stream, 0, n)) * np.cos(angle)
        return rates * np.exp(self.rate_sigma * normal - self.rate_sigma**2 / 2)
