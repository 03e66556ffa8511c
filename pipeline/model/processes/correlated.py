"""Poisson inputs with an instantaneous correlation between all pairs of a group of synapses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.model.grouped import GroupedProcess
from pipeline.model.inputs import CHUNK, INPUT_STREAM, Cells, cells_of_stream
from pipeline.model.quantity import quantity
from pipeline.model.streams import Stream, stream_of
from pipeline.model.superposition import merged_groups

#: Numbers, within the stream of the input, of the streams of a group: twice its own, from here on.
_FIRST = 16


@dataclass(frozen=True)
class Correlated(GroupedProcess):
    """Spike trains of which those of a group share spikes in the same time step.

    Each pair of synapses of a group has the correlation `group_correlations`, from 0 for
    independent to 1 for identical trains; synapses of different groups are independent. The first
    synapses are the groups of `group_sizes`; those that are left are independent, at `rate_hz`.

    A group has a mother train with a spike in a step with probability p/q, of which each synapse
    keeps each spike with probability q = c + (1 - c) p: so a synapse spikes with probability
    p = rate * dt, and two of them in the same step with p q, whose correlation is
    (p q - p^2) / (p - p^2) = c exactly.

    Where `bernoulli_cells` takes 2.2 ns an event, one group of all synapses takes 6 ns, one of some
    of them 8 to 10, two groups 13 and ten 25 ns: it is the merging in time order that grows.
    """

    name: ClassVar[str] = "correlated"
    theory_gap: ClassVar[str] = "the theory covers independent inputs, and these are correlated"

    group_correlations: float | tuple[float, ...] | None = quantity(
        "correlation of two inputs of each group",
        at_least=0,
        at_most=1,
        per_group=True,
        null="independent",
        neutral=None,
    )

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Draw the trains of each group, and merge them.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice in time order; indices, dimensionless.
        """
        p_of_all = np.minimum(self.rates_of_groups() * dt / 1000, 1)
        correlations = self.of_groups("group_correlations", 0.0)
        trains = []
        for i, (size, p, c) in enumerate(
            zip(self.all_sizes, p_of_all.tolist(), correlations.tolist(), strict=True)
        ):
            mothers, children = (
                stream_of(seed, INPUT_STREAM, _FIRST + 2 * i + k) for k in range(2)
            )
            trains.append(_correlated_cells(mothers, children, p, c, size, n_steps))
        mean = float((p_of_all * self.all_sizes).sum())
        return merged_groups(trains, self.all_sizes, n_steps, mean)

    def seconds_per_event(self) -> float:
        """Return the estimated drawing time [s] of an event: groups are merged."""
        return 5e-9 + 2e-9 * len(self.all_sizes)


def _correlated_cells(
    mothers: Stream, children: Stream, p: float, c: float, size: int, n_steps: int
) -> Iterator[Cells]:
    """Yield the events of one group, in a lattice of its own.

    Parameters
    ----------
    mothers, children : Stream
        Random streams of the mother train, and of what is kept of it.
    p, c : float
        Probability of a spike in a cell, and correlation of two trains.
    size, n_steps : int
        Number of synapses of the group, and of time steps.
    """
    q = c + (1 - c) * p
    if p <= 0:
        return
    if p >= q:  # independent: the mother train has a spike in each step
        yield from cells_of_stream(children, p, n_steps * size)
        return
    mother = cells_of_stream(mothers, p / q, n_steps)
    # The steps of its spikes from number `before` on; those below `known` were drawn.
    steps, before, known = np.empty(0, dtype=np.int64), 0, 0
    # Kept spikes are numbered by the spike of the mother train and the synapse.
    for kept in cells_of_stream(children, q, n_steps * size):
        number = kept // size
        parts = [steps]
        while number.size and known <= number[-1] and (part := next(mother, None)) is not None:
            parts.append(part)
            known += part.size
        steps = np.concatenate(parts)
        number = number[: np.searchsorted(number, known)]
        yield kept[: number.size] + (steps[number - before] - number) * size
        if number.size < CHUNK:  # the mother train has ended, or the lattice
            return
        steps, before = steps[number[-1] - before :], int(number[-1])
