"""Thinning: spikes of a rate that changes, kept from those of a constant rate that is never lower.

Lewis & Shedler 1979, Simulation of nonhomogeneous Poisson processes by thinning. In the lattice a
candidate, of probability `highest * p` in each cell, is kept with the probability that the rate has
there over the highest one; rates are relative to the mean rate. Random numbers are those of a
stream by counter, so that nothing is drawn, or held, for synapses without a candidate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.inputs import Cells
from pipeline.model.streams import Stream, mixed, uniform, words
from pipeline.model.variates import cosine, normal_of_word

#: Candidates that machine code thins at a time, so that their numbers stay in the L1 cache.
BLOCK = 1_024


@dataclass(frozen=True)
class RedrawnRates:
    """Relative rates that are constant in intervals of time: a shared part, and one per synapse.

    Attributes
    ----------
    n_synapses : int
        Number of synapses.
    own : float
        Standard deviation of the part of a synapse.
    highest : float
        A rate above it is this one.
    rates : Stream
        The stream of which word `interval * n_synapses + synapse` makes the part of a synapse.
    choices : Stream
        The stream that decides about each candidate.
    """

    n_synapses: int
    own: float
    highest: float
    rates: Stream
    choices: Stream

    def kept(
        self,
        cells: Cells,
        n_before: int,
        interval: int,
        shared: NDArray[np.float64],
        counts: NDArray[np.int64],
    ) -> Cells:
        """Return the candidates that are spikes.

        Parameters
        ----------
        cells : ndarray of int64, (n_candidates,)
            Candidates of consecutive intervals in time order; cells of the lattice, indices.
        n_before : int
            Number of candidates before.
        interval : int
            Number of the first interval.
        shared : ndarray, (n_intervals,)
            Shared part of the relative rate in each interval, with its mean; dimensionless.
        counts : ndarray of int64, (n_intervals,)
            Number of candidates in each interval.

        Returns
        -------
        ndarray of int64, (n_events,)
            Some of the cells; indices, dimensionless.
        """
        if "redrawn" in _compiled:
            return _compiled["redrawn"](self, cells, n_before, interval, shared, counts)
        n = self.n_synapses
        of_interval = np.repeat((interval + np.arange(counts.size)) * n, counts)
        index = (of_interval + cells % n).astype(np.uint64)
        start, increment = np.uint64(self.rates.start), np.uint64(self.rates.increment)
        rate = np.repeat(shared, counts) + self.own * normal_of_word(
            mixed(start + index * increment)
        )
        choice = uniform(words(self.choices, n_before, cells.size))
        return cells[choice * self.highest < rate]


@dataclass(frozen=True)
class SinusoidalRates:
    """Relative rates 1 + m cos(2 pi (t / period - s)) of each synapse.

    Attributes
    ----------
    per_step : float
        Periods in a time step.
    shifts : ndarray, (n_synapses,)
        When the rate of a synapse is highest: s [periods].
    depths : ndarray, (n_synapses,)
        Depth m of the modulation of each synapse, dimensionless.
    choices : Stream
        The stream that decides about each candidate.
    """

    per_step: float
    shifts: NDArray[np.float64]
    depths: NDArray[np.float64]
    choices: Stream

    @property
    def highest(self) -> float:
        """The highest rate of all."""
        return 1 + float(self.depths.max())

    def kept(self, cells: Cells, n_before: int) -> Cells:
        """Return the candidates that are spikes.

        Parameters
        ----------
        cells : ndarray of int64, (n_candidates,)
            Candidates in time order; cells of the lattice, indices.
        n_before : int
            Number of candidates before.

        Returns
        -------
        ndarray of int64, (n_events,)
            Some of the cells; indices, dimensionless.
        """
        if "sinusoidal" in _compiled:
            return _compiled["sinusoidal"](self, cells, n_before)
        steps, synapses = np.divmod(cells, self.shifts.size)
        rate = 1 + self.depths[synapses] * cosine(steps * self.per_step - self.shifts[synapses])
        choice = uniform(words(self.choices, n_before, cells.size))
        return cells[choice * self.highest < rate]


#: What thins in machine code, if anything does, by name; see `use_compiled`.
_compiled: dict[str, Callable[..., Cells]] = {}


def use_compiled(**functions: Callable[..., Any]) -> None:
    """Make `kept` call functions with the same results to the last bit, or none.

    Parameters
    ----------
    functions : callable
        `redrawn` takes `RedrawnRates` and the arguments of its `kept`, `sinusoidal` likewise
        `SinusoidalRates`.
    """
    _compiled.clear()
    _compiled.update(functions)
