"""Poisson inputs whose rates are drawn anew at random times, correlated within groups."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.grouped import GroupedProcess
from pipeline.model.inputs import INPUT_STREAM, Cells, cells_of_stream
from pipeline.model.quantity import quantity, written
from pipeline.model.streams import Stream, stream_of, words
from pipeline.model.superposition import merged_groups
from pipeline.model.thinning import RedrawnRates
from pipeline.model.variates import normal_of_word

#: Standard deviations above the mean at which rates are clipped: 3 in 100,000 are.
_HIGHEST = 4.0

#: Streams of a group, within that of the input: candidates, ends of intervals, shared parts, parts
#: of the synapses, choice among candidates. Those of the first group have numbers from `_FIRST` on.
_N_STREAMS, _FIRST = 5, 16

#: Shared parts that are drawn beyond those that are needed.
_SHARED = 1_024


@dataclass(frozen=True)
class Modulated(GroupedProcess):
    """Spike trains whose rates are redrawn together, in intervals of exponential length.

    Time is cut into intervals with the mean length `correlation_time`. In each of them a synapse
    has the rate r max(0, 1 + sd z) with a normal variate z = sqrt(c) y + sqrt(1 - c) x, of which y
    is that of its group and x its own: sd is `rate_sd`, and c `group_rate_correlations`, the
    correlation of the rates of two synapses of a group. Groups have intervals and variates of their
    own. The first synapses are the groups of `group_sizes`; in those that are left c is 0.

    Song & Abbott have r (1 + 0.3 x + 0.3 y) in correlated groups and r (1 + 0.3 sqrt(2) x)
    elsewhere: sd = 0.3 sqrt(2) = 0.424 everywhere, and c = 1/2 or 0.

    Rates are clipped at 0, and at 1 + 4 sd. The share of rates that is 0, and what clipping adds to
    the mean rate, which is that of `synapse_rate` in the file:

    | `rate_sd` | rates of 0 | mean rate |
    | --- | --- | --- |
    | 0.2 | 3 in 10,000,000 | r |
    | 0.3 | 0.04 % | 1.00003 r |
    | 0.424 | 0.92 % | 1.0013 r |
    | 0.6 | 4.8 % | 1.012 r |
    | 1 | 15.9 % | 1.083 r |

    An interval ends after each time step with the probability 1 - exp(-dt / correlation_time): at
    every lag the autocorrelation of a rate, and the correlation of two rates of a group over c, is
    exp(-lag / correlation_time), as in continuous time.

    Where `bernoulli_cells` takes 2.1 ns an event, one group takes 15 ns, two 22 and ten 36: of 2.7
    candidates (1 + 4 sd in general) with three random numbers each one is a spike. Nothing is drawn
    for synapses without candidates, so that the time hardly depends on the correlation time: 24 ns
    where it is 1 ms.

    References
    ----------
    Song S & Abbott LF 2001, Cortical development and remapping through spike timing-dependent
    plasticity, Neuron 32:339-350.
    """

    name: ClassVar[str] = "modulated"
    theory_gap: ClassVar[str] = "the theory covers inputs of constant rates, and these change"

    correlation_time: float = quantity(
        "mean time between changes of the input rates", "ms", above=0, at_most=1e9
    )
    rate_sd: float = quantity(
        "standard deviation of input rates over their mean", at_least=0, at_most=2
    )
    group_rate_correlations: float | tuple[float, ...] | None = quantity(
        "correlation of the rates of two inputs of each group",
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
        p_of_all = self.rates_of_groups() * dt / 1000
        shared = np.sqrt(self.of_groups("group_rate_correlations", 0.0))
        ends = -math.expm1(-dt / self.correlation_time)
        trains = []
        for i, (size, p, share) in enumerate(
            zip(self.all_sizes, p_of_all.tolist(), shared.tolist(), strict=True)
        ):
            first = _FIRST + _N_STREAMS * i
            streams = [stream_of(seed, INPUT_STREAM, first + k) for k in range(_N_STREAMS)]
            candidates, intervals, common, own, choices = streams
            sd_own, sd_shared = self.rate_sd * math.sqrt(1 - share**2), self.rate_sd * share
            rates = RedrawnRates(size, sd_own, self._highest, own, choices)
            cells = cells_of_stream(candidates, p * self._highest, n_steps * size)
            begins = cells_of_stream(intervals, ends, n_steps)
            begins = itertools.chain(filter(len, begins), [np.array([n_steps])])
            trains.append(_redrawn_cells(cells, begins, common, sd_shared, rates))
        return merged_groups(trains, self.all_sizes, n_steps, float(p_of_all @ self.all_sizes))

    @property
    def _highest(self) -> float:
        """The highest rate over the mean rate."""
        return 1 + _HIGHEST * self.rate_sd

    def clipped_share(self) -> float:
        """Return the share of rates that are clipped at 0."""
        return math.erfc(1 / (self.rate_sd * math.sqrt(2))) / 2 if self.rate_sd else 0.0

    def _mean_of_clipped(self) -> float:
        """Return the mean of the clipped rates over the rate of a group.

        Of max(0, 1 + sd z) it is q + sd f(1 / sd), q the share that is not clipped and f the normal
        density; the mean of what is above 1 + 4 sd is sd (f(4) - 4 (1 - q4)), q4 the share below.
        """
        sd = self.rate_sd
        if not sd:
            return 1.0
        density = math.exp(-1 / (2 * sd**2)) / math.sqrt(2 * math.pi)
        above = math.exp(-(_HIGHEST**2) / 2) / math.sqrt(2 * math.pi)
        above -= _HIGHEST * math.erfc(_HIGHEST / math.sqrt(2)) / 2
        return 1 - self.clipped_share() + sd * (density - above)

    def rates(self, seed: int) -> NDArray[np.float64]:
        """Return the rate of each synapse; see `InputProcess.rates`.

        Returns
        -------
        ndarray, (n_synapses,)
            Mean rates over time [Hz].
        """
        return super().rates(seed) * self._mean_of_clipped()

    def spike_probability(self, dt: float) -> float:
        """Return the mean probability of an input spike in one cell of the lattice."""
        return super().spike_probability(dt) * self._mean_of_clipped()

    def seconds_per_event(self) -> float:
        """Return the estimated drawing time [s] of an event, of more groups more."""
        return 2e-8 + 4e-9 * len(self.all_sizes)

    def shortest_time_scale(self) -> float:
        """Return the correlation time [ms]."""
        return self.correlation_time

    def longest_time_scale(self) -> tuple[str, float]:
        """Return the correlation time [ms] with its key."""
        return self.key("correlation_time"), self.correlation_time

    def refuse_unfit_time_step(self, dt: float) -> None:
        """Refuse a time step [ms] above the correlation time, or too long for the highest rate."""
        super().refuse_unfit_time_step(dt)
        if self.correlation_time < dt:
            raise RequestError(
                f"{written(self.key('correlation_time'), self.correlation_time)}: must be >= "
                f"simulation.dt={dt:g} ms, in which rates are constant"
            )
        highest = float(self.rates_of_groups().max())
        if highest * dt * self._highest > 1000 * (1 + 1e-12):
            raise RequestError(
                f"{written(self.key('rate_sd'), self.rate_sd)}: with simulation.dt={dt:g} ms and "
                f"an input rate of {highest:g} Hz must be <= "
                f"{(1000 / (highest * dt) - 1) / _HIGHEST:.3g} (one spike per step at each "
                f"synapse, {_HIGHEST:g} standard deviations above the mean)"
            )


def _redrawn_cells(
    candidates: Iterator[Cells],
    begins: Iterator[Cells],
    common: Stream,
    sd_shared: float,
    rates: RedrawnRates,
) -> Iterator[Cells]:
    """Yield the events of one group, in a lattice of its own.

    Parameters
    ----------
    candidates : iterator of ndarray of int64, (n_candidates,)
        Cells of which some are kept, in time order; indices.
    begins : iterator of ndarray of int64, (n_intervals,)
        Steps with which intervals begin, in order, the last of them after all candidates. The first
        interval begins before them.
    common : Stream
        Random stream of the shared part.
    sd_shared : float
        Its standard deviation over the mean rate.
    rates : RedrawnRates
        The relative rates.
    """
    n_before = interval = known = 0
    waiting = next(begins)  # those that have not come yet
    shared = np.empty(0)  # of intervals up to below `known`
    for cells in candidates:
        left = cells
        while left.size:
            here = left[: np.searchsorted(left, waiting[-1] * rates.n_synapses)]
            if here.size:
                n_begun = int(np.searchsorted(waiting, here[-1] // rates.n_synapses, "right"))
                ends = np.searchsorted(here, waiting[:n_begun] * rates.n_synapses)
                counts = np.diff(ends, prepend=0, append=here.size)
                if known < interval + counts.size:
                    variates = normal_of_word(words(common, interval, counts.size + _SHARED))
                    shared, known = 1 + sd_shared * variates, interval + variates.size
                used = shared[shared.size + interval - known :][: counts.size]
                yield rates.kept(here, n_before, interval, used, counts)
                n_before, interval = n_before + here.size, interval + n_begun
                waiting, left = waiting[n_begun:], left[here.size :]
            if left.size:  # no candidate before the last of them is left
                interval += waiting.size
                waiting = next(begins)
