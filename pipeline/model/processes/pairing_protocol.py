"""Pairing protocol: pairs of an input and an output spike at a fixed time difference."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.inputs import Cells, InputProcess
from pipeline.model.output_spikes import FIRST
from pipeline.model.plain_values import rounded
from pipeline.model.quantity import quantity, written
from pipeline.model.sections import steps

#: Estimated time of an output spike that is prescribed [s].
_SECONDS_PER_PAIR = 1e-5

#: Events per chunk, but for those of one pair.
_CHUNK = 16_384


@dataclass(frozen=True)
class PairingProtocol(InputProcess):
    """Pairs of one input spike of every synapse and one output spike, in a row at a frequency.

    The output spikes replace those of the neuron, which does not fire at threshold. The first spike
    of all is in step 1. Each pair begins in the step nearest to its time, so that the intervals
    between pairs differ by a step at most; the time difference within each pair is exact.
    """

    name: ClassVar[str] = "pairing_protocol"
    stationary: ClassVar[bool] = False
    theory_gap: ClassVar[str] = "the theory covers independent inputs, and these are paired"

    rate_hz: float = quantity("frequency of the pairs", "Hz", at_least=1e-9)
    post_minus_pre: float = quantity(
        "time difference t_post - t_pre", "ms", at_least=-1_000_000, at_most=1_000_000
    )
    n_pairs: int = quantity("number of pairs", kind=int, at_least=1, at_most=1_000_000)

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Yield the input spikes of all synapses, pair after pair.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice in time order; indices, dimensionless.
        """
        rising, n = self._input_steps(dt), self.n_synapses
        rising = rising[rising < n_steps]
        n_at_once = max(1, _CHUNK // n)
        for first in range(0, rising.size, n_at_once):
            part = rising[first : first + n_at_once, np.newaxis]
            yield (part * n + np.arange(n)).ravel()

    def output_steps(self, dt: float, n_steps: int, seed: int) -> NDArray[np.int64]:
        """Return the steps of the output spikes; see `InputProcess.output_steps`.

        Returns
        -------
        ndarray of int64, (n_spikes,)
            Rising; indices, dimensionless.
        """
        rising = self._input_steps(dt) + self._lag(dt)
        return rising[rising < n_steps]

    def _lag(self, dt: float) -> int:
        """Return the steps from the input spike of a pair to its output spike."""
        return round(self.post_minus_pre / dt)

    def _input_steps(self, dt: float) -> NDArray[np.int64]:
        """Return the steps of the input spikes, (n_pairs,); a half is rounded up."""
        first = FIRST + max(0, -self._lag(dt))
        return first + self._steps_from_first(np.arange(self.n_pairs), dt).astype(np.int64)

    def _steps_from_first(self, pair: Any, dt: float) -> Any:
        """Return the steps, as floats, from the first pair to others, numbered from 0."""
        return np.floor(pair * (1000 / (self.rate_hz * dt)) + 0.5)

    def drawing_seconds(self, n_steps: int) -> float:
        """Return the estimated time [s] of the output spikes, each a step of its own."""
        return _SECONDS_PER_PAIR * self.n_pairs

    def shortest_time_scale(self) -> float:
        """Return the shorter one of period and time difference [ms], unless that is 0."""
        period, lag = 1000 / self.rate_hz, abs(self.post_minus_pre)
        return min(period, lag) if lag else period

    def refuse_unfit_time_step(self, dt: float) -> None:
        """Refuse a time step [ms] in which two pairs would begin, or that no lag is made of."""
        super().refuse_unfit_time_step(dt)
        if abs(self.post_minus_pre / dt - self._lag(dt)) > 1e-6:
            raise RequestError(
                f"{written(self.key('post_minus_pre'), self.post_minus_pre)}: must be a multiple "
                f"of simulation.dt={dt:g} ms"
            )

    def cut_to(self, duration: float, dt: float) -> PairingProtocol:
        """Return the protocol with as many pairs as a run [ms] has time for, one at least."""
        last = self._input_steps(dt) + max(0, self._lag(dt))
        n_pairs = int(np.searchsorted(last, steps(duration, dt) - 2, "right"))
        return dataclasses.replace(self, n_pairs=max(1, n_pairs))

    def refuse_unfit_duration(self, duration: float, dt: float) -> None:
        """Refuse a run [ms] in which not all pairs change weights: the last step does not."""
        last = FIRST + abs(self._lag(dt)) + self._steps_from_first(self.n_pairs - 1, dt)
        if steps(duration, dt) < last + 2:
            shortest = rounded(float(last + 2) * dt)
            raise RequestError(
                f"{written('simulation.duration', duration)}: must be >= {shortest:.15g} ms with "
                f"input.n_pairs={self.n_pairs} at {self.rate_hz:g} Hz and "
                f"input.post_minus_pre={self.post_minus_pre:g} ms"
            )
