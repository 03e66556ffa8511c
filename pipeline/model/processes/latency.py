"""Bursts of input spikes that come earlier at some synapses than at others, trial after trial."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.model.arithmetic import multiples
from pipeline.model.errors import RequestError
from pipeline.model.inputs import CHUNK, INPUT_STREAM, Cells, InputProcess, cells_of_stream
from pipeline.model.quantity import quantity, written
from pipeline.model.stimuli import CUT_OFF, STIMULI, Steps, cut_normals, without_repeated
from pipeline.model.streams import exponentials, stream_of, uniform, words
from pipeline.model.superposition import merged_cells

#: Numbers, within the stream of the input, of the streams of bursts, intervals and latencies.
_BURSTS, _INTERVALS, _LATENCIES = 2, 3, (4, 5)

#: Most cells of a trial that are looked up in a table, 8 bytes each, not searched for.
_LARGEST_TABLE = 2**22

#: Largest distance of a latency from the mean, in standard deviations.
_REACH = {"normal": CUT_OFF, "uniform": math.sqrt(3)}


@dataclass(frozen=True)
class Latency(InputProcess):
    """Trials in which each synapse has one burst of Poisson spikes, after a latency of its own.

    A burst lasts `burst_duration`, at `burst_rate_hz`; between its bursts a synapse has spikes at
    `rate_hz`. Its latency is the begin of the burst relative to the time of the trial. Latencies
    are drawn once per seed, with mean 0 and standard deviation `latency_sd`: from a uniform
    distribution, or a normal one that is cut off at three standard deviations (which leaves 98.7 %
    of the standard deviation). Synapses are numbered in the order of their latencies.

    Trials come every `trial_interval`, the first one after half of that. With `trial_cv` c above 0
    the intervals are random: a constant part of (1 - c) of the mean, and an exponential part; c is
    their coefficient of variation. The bursts of a trial end before those of the next one begin.
    Begin and end of bursts are rounded to time steps, in which spikes are Bernoulli trials.

    The finding: early bursts strengthen their synapses, late ones weaken them, and the response
    moves to earlier times. The values of the parameter set are those that replications give: the
    inputs are silent between bursts at 100 Hz for 20 ms, latencies are normal with a standard
    deviation of 15 ms.

    Where `bernoulli_cells` takes 2.1 ns an event, bursts take 6 ns, and 9 with a
    background, which is merged with them.

    References
    ----------
    Song, Miller & Abbott 2000, Nature Neuroscience 3:919, figure 4.
    """

    name: ClassVar[str] = "latency"
    theory_gap: ClassVar[str] = "the theory covers constant rates, and these inputs come in bursts"

    burst_rate_hz: float = quantity("input rate within a burst", "Hz", above=0)
    burst_duration: float = quantity("duration of a burst", "ms", above=0, at_most=1_000_000)
    latency_sd: float = quantity(
        "standard deviation of the latencies of synapses", "ms", at_least=0, at_most=1_000_000
    )
    latency_distribution: str = quantity(
        "distribution of the latencies of synapses", kind=str, choices=tuple(_REACH)
    )
    trial_interval: float = quantity(
        "mean interval between trials", "ms", above=0, at_most=1_000_000_000
    )
    trial_cv: float = quantity(
        "coefficient of variation of intervals between trials", at_least=0, at_most=1, neutral=0.0
    )

    def refuse_unfit_values(self) -> None:
        """Refuse values that are not allowed together."""
        super().refuse_unfit_values()
        if self.rate_hz > self.burst_rate_hz:
            raise RequestError(
                f"{written(self.key('rate_hz'), self.rate_hz)}: must be <= "
                f"{written(self.key('burst_rate_hz'), self.burst_rate_hz)} Hz"
            )
        needed = self.burst_duration + 2 * self._reach
        if self._shortest_interval < needed * (1 - 1e-12):
            shortest = f"the shortest interval, {self._shortest_interval:g} ms with "
            shortest += f"{written(self.key('trial_cv'), self.trial_cv)}, must"
            part = shortest if self.trial_cv else "must"
            raise RequestError(
                f"{written(self.key('trial_interval'), self.trial_interval)}: {part} be >= "
                f"{needed:g} ms, the time from the begin of the first to the end of the last burst "
                f"with {written(self.key('burst_duration'), self.burst_duration)} and "
                f"{written(self.key('latency_sd'), self.latency_sd)}"
            )

    @property
    def _reach(self) -> float:
        """Largest possible latency [ms]."""
        return _REACH[self.latency_distribution] * self.latency_sd

    @property
    def _shortest_interval(self) -> float:
        """Constant part of the intervals between trials [ms]."""
        return (1 - self.trial_cv) * self.trial_interval

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Draw bursts, and merge them with the spikes of the background if there is one.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice in time order; indices, dimensionless.
        """
        n, n_cells = self.n_synapses, n_steps * self.n_synapses
        p, background = (min(rate * dt / 1000, 1) for rate in (self.burst_rate_hz, self.rate_hz))
        if not background:
            return self._bursts(p, dt, n_steps, seed)
        # A cell without a spike of the background, or of the bursts, has none: with `p` in bursts.
        added = 1 - (1 - p) / (1 - background) if background < 1 else 0.0
        trains = [
            cells_of_stream(stream_of(seed, INPUT_STREAM), background, n_cells),
            self._bursts(added, dt, n_steps, seed),
        ]
        per_chunk = math.ceil(CHUNK / max(self.spike_probability(dt) * n, 1e-9))
        per_chunk = max(1, min(n_steps, per_chunk))
        return without_repeated(merged_cells(trains, n_cells, per_chunk * n))

    def _bursts(self, p: float, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Yield the spikes of all bursts, with a probability in each of their steps.

        Only the cells within bursts are drawn. In a trial they are numbered in time order: as
        latencies rise with the synapse, those in a burst at one time are neighbours.
        """
        n, size = self.n_synapses, self._burst_steps(dt)
        first = math.floor(self._reach / dt)
        onsets = np.floor(self.latencies(dt, seed) / dt + 0.5).astype(np.int64)
        onsets = np.clip(onsets, -first, first)
        step = np.arange(onsets[0], onsets[-1] + size)
        begin = np.searchsorted(onsets, step - size, "right")
        end = np.cumsum(np.searchsorted(onsets, step, "right") - begin)
        to_cell = step * n + begin - np.concatenate([[0], end[:-1]])
        per_trial, n_cells = size * n, n_steps * n
        table = np.repeat(to_cell, np.diff(end, prepend=0)) if per_trial <= _LARGEST_TABLE else None
        trials = Steps(self._trial_steps(dt, n_steps - int(onsets[0]), seed))
        stream = stream_of(seed, INPUT_STREAM, _BURSTS)
        for numbers in cells_of_stream(stream, p, n_cells):
            left = numbers
            while left.size:
                if left[0] >= trials.known * per_trial and not trials.draw():
                    return
                here = left[: np.searchsorted(left, trials.known * per_trial)]
                left = left[here.size :]
                if not here.size:
                    trials.forget(trials.held.size)
                    continue
                trial = here // per_trial
                here = here - trial * per_trial
                found = np.searchsorted(end, here, "right") if table is None else here
                cells = (to_cell if table is None else table)[found]
                cells += here
                cells += trials.held[trial - trials.first] * n
                trials.forget(int(trial[-1]) - trials.first)
                yield cells[: np.searchsorted(cells, n_cells)]

    def _burst_steps(self, dt: float) -> int:
        """Return the duration of a burst in time steps."""
        return max(1, math.floor(self.burst_duration / dt + 1e-9))

    def _trial_steps(self, dt: float, end: int, seed: int) -> Iterator[Cells]:
        """Yield the steps of the trials, (n_trials,), before a step; a half is rounded up."""
        stream, passed = stream_of(seed, INPUT_STREAM, _INTERVALS), 0.0
        for begin in itertools.count(0, STIMULI):
            number = np.arange(begin, begin + STIMULI)
            time = (number + 0.5) * (self._shortest_interval / dt)
            if self.trial_cv:
                random = exponentials(stream, begin, STIMULI)
                random[0] += passed
                np.cumsum(random, out=random)
                passed = float(random[-1])
                time += random * (self.trial_cv * self.trial_interval / dt)
            if time[-1] >= end - 0.5:
                time = time[: np.searchsorted(time, end - 0.5)]
                yield np.floor(time + 0.5).astype(np.int64)
                return
            yield np.floor(time + 0.5).astype(np.int64)

    def latencies(self, dt: float, seed: int) -> NDArray[np.float64]:
        """Return the latency of each synapse, rising; see `InputProcess.latencies`.

        Returns
        -------
        ndarray, (n_synapses,)
            Begins of the bursts relative to the time of the trial [ms].
        """
        radii, angles = (stream_of(seed, INPUT_STREAM, number) for number in _LATENCIES)
        if self.latency_distribution == "normal":
            unit = cut_normals(radii, angles, self.n_synapses)
        else:
            unit = math.sqrt(3) * (2 * uniform(words(angles, 0, self.n_synapses)) - 1)
        return np.sort(self.latency_sd * unit)

    def stimulus_times(self, dt: float, n_steps: int, seed: int) -> NDArray[np.float64]:
        """Return the times of the trials; see `InputProcess.stimulus_times`.

        Returns
        -------
        ndarray, (n_trials,)
            Rising [ms].
        """
        parts = [np.empty(0, dtype=np.int64), *self._trial_steps(dt, n_steps, seed)]
        return multiples(np.concatenate(parts), dt)

    def spike_probability(self, dt: float) -> float:
        """Return the mean probability of an input spike in one cell of the lattice."""
        p, background = (min(rate * dt / 1000, 1) for rate in (self.burst_rate_hz, self.rate_hz))
        share = self._burst_steps(dt) * dt / self.trial_interval
        return background + share * (p - background)

    def rates(self, seed: int) -> NDArray[np.float64]:
        """Return the rate of each synapse, the same for all; see `InputProcess.rates`.

        Returns
        -------
        ndarray, (n_synapses,)
            Mean rates over time [Hz].
        """
        added = (self.burst_rate_hz - self.rate_hz) * self.burst_duration / self.trial_interval
        return np.full(self.n_synapses, self.rate_hz + added)

    def seconds_per_event(self) -> float:
        """Return the estimated drawing time [s] of an event, which are merged with a background."""
        return 1.2e-8 if self.rate_hz else 5e-9

    def shortest_time_scale(self) -> float:
        """Return the shorter one of the duration of a burst and the spread of latencies [ms]."""
        return min(self.burst_duration, self.latency_sd or self.burst_duration)

    def refuse_unfit_time_step(self, dt: float) -> None:
        """Refuse a time step [ms] that is longer than a burst, or too long for its rate."""
        super().refuse_unfit_time_step(dt)
        if dt > self.burst_duration * (1 + 1e-12):
            raise RequestError(
                f"{written(self.key('burst_duration'), self.burst_duration)}: must be >= "
                f"simulation.dt={dt:g} ms"
            )
        if self.burst_rate_hz * dt > 1000 * (1 + 1e-12):
            raise RequestError(
                f"{written(self.key('burst_rate_hz'), self.burst_rate_hz)}: with simulation.dt="
                f"{dt:g} ms it must be <= {1000 / dt:g} Hz (one spike per step at each synapse)"
            )
