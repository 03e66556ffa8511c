"""A frozen pattern of input spikes that comes back at random times amid Poisson spikes."""

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
from pipeline.model.inputs import (
    CHUNK,
    INPUT_STREAM,
    Cells,
    InputProcess,
    cells_of_stream,
    gaps,
    mean_gap,
)
from pipeline.model.quantity import quantity, written
from pipeline.model.stimuli import STIMULI, Steps, folded, normals
from pipeline.model.streams import exponentials, stream_of
from pipeline.model.superposition import merged_cells

#: Numbers, within the stream of the input, of the streams of the pattern, its times and its jitter.
_PATTERN, _TIMES, _JITTER = 6, 7, (8, 9)

#: Intensity of a cell that always has a spike: none with a probability of 2**-60.
_ALWAYS = 60 * math.log(2)

#: Most spikes of a pattern: 160 MB.
_MOST_SPIKES = 10_000_000


@dataclass(frozen=True)
class Patterns(InputProcess):
    """Poisson trains into which one pattern of some synapses is pasted, again and again.

    Time is cut into sections of `pattern_duration`. In a share `pattern_share` of them, never in
    two in a row, the first synapses, `pattern_fraction` of all, repeat the same spikes, each moved
    by normal noise of standard deviation `pattern_jitter`; the spikes of the other synapses go on.
    The pattern is drawn once per seed, from the same Poisson process as all other spikes, so that
    neither the rate of a synapse nor that of the population shows where it is: noise that would
    move a spike out of its section reflects it at the end. Spikes that fall into one time step are
    one spike.

    The number of sections between two presentations, beyond the one that there must be, is
    geometric; the first section has none.

    In the paper, of 2,000 synapses one half takes part, for 50 ms in a quarter of the time, with a
    jitter of 1 ms; their rates vary, with a mean of 54 Hz and 10 Hz of noise. Here all have one
    constant rate. The paper finds that the neuron fires at the pattern alone, near its begin. Its
    rule takes each spike once (`stdp=masquelier2008`); where all pairs count, synapses that fire
    between output spikes are depressed more (Hathway & Goodman 2018).

    Where `bernoulli_cells` takes 2.1 ns an event, this takes 12 ns, and 8.5 without jitter: the
    normal variates take 25 ns each.

    References
    ----------
    Masquelier, Guyonneau & Thorpe 2008, PLoS ONE 3:e1377.
    Hathway & Goodman 2018, ReScience 4 (a replication, from which the values are).
    """

    name: ClassVar[str] = "patterns"
    theory_gap: ClassVar[str] = "the theory covers independent inputs, and these repeat a pattern"

    pattern_duration: float = quantity("duration of the pattern", "ms", above=0, at_most=1_000_000)
    pattern_share: float = quantity(
        "share of the time that the pattern takes", at_least=0, at_most=0.5
    )
    pattern_fraction: float = quantity(
        "fraction of the synapses that take part in the pattern", at_least=0, at_most=1
    )
    pattern_jitter: float = quantity(
        "standard deviation of the jitter of the pattern's spikes",
        "ms",
        at_least=0,
        at_most=1_000_000,
    )

    def refuse_unfit_values(self) -> None:
        """Refuse values that are not allowed together."""
        super().refuse_unfit_values()
        if self._n_members * self.rate_hz * self.pattern_duration / 1000 > _MOST_SPIKES:
            raise RequestError(
                f"{written(self.key('pattern_duration'), self.pattern_duration)}: the pattern must "
                f"have <= {_MOST_SPIKES:,} spikes, with {self._n_members} synapses at "
                f"{self.rate_hz:g} Hz"
            )

    @property
    def _n_members(self) -> int:
        """Number of synapses that take part."""
        return math.floor(self.pattern_fraction * self.n_synapses + 0.5)

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Draw the pattern, its presentations, and the spikes around them.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice in time order; indices, dimensionless.
        """
        p, n, n_cells = self.spike_probability(dt), self.n_synapses, n_steps * self.n_synapses
        background = cells_of_stream(stream_of(seed, INPUT_STREAM), p, n_cells)
        if not (self.pattern_share and self._n_members and p):
            return background
        trains = [
            self._around(background, dt, n_steps, seed),
            self._presentations(dt, n_steps, seed),
        ]
        per_chunk = max(1, min(n_steps, math.ceil(CHUNK / (p * n))))
        return merged_cells(trains, n_cells, per_chunk * n)

    def _around(
        self, background: Iterator[Cells], dt: float, n_steps: int, seed: int
    ) -> Iterator[Cells]:
        """Drop the spikes of the synapses of the pattern while it is presented."""
        n, members = self.n_synapses, self._n_members
        size = self._section_steps(dt) * n
        onsets = Steps(self._onset_steps(dt, n_steps, seed))
        for cells in background:
            left = cells
            while left.size:
                while onsets.held.size == 0 or onsets.held[-1] * n <= left[0]:
                    onsets.forget(max(0, onsets.held.size - 1))
                    if not onsets.draw():
                        break
                last = onsets.held[-1] * n if onsets.held.size else 0
                # Presentations up to the last one that is known decide about cells before its end.
                here = left[: np.searchsorted(left, last + size)] if left[0] < last else left
                left = left[here.size :]
                yield _without(here, onsets.held * n, size, n, members)

    def _presentations(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Yield the spikes of the pattern at each presentation."""
        n, steps = self.n_synapses, self._section_steps(dt)
        synapse, time = self.pattern(dt, seed)
        radii, angles = (stream_of(seed, INPUT_STREAM, number) for number in _JITTER)
        length, pairs = steps * dt, (time.size + 1) // 2
        if not time.size:
            return
        at_once, number = max(1, CHUNK // time.size), 0
        for chunk in self._onset_steps(dt, n_steps, seed):
            for begin in range(0, chunk.size, at_once):
                onsets = chunk[begin : begin + at_once, np.newaxis]
                moved = np.broadcast_to(time, (onsets.size, time.size))
                if self.pattern_jitter:
                    noise = normals(radii, angles, number * pairs, onsets.size * pairs)
                    noise = noise.reshape(2, -1, pairs).swapaxes(0, 1)
                    noise = noise.reshape(-1, 2 * pairs)[:, : time.size]
                    moved = folded(time + self.pattern_jitter * noise, length)
                number += onsets.size
                step = np.minimum((moved * (1 / dt)).astype(np.int64), steps - 1)
                cells = np.sort((step + onsets) * n + synapse, axis=1).ravel()
                cells = cells[np.diff(cells, prepend=-1) > 0]
                yield cells[: np.searchsorted(cells, n_steps * n)]

    def pattern(self, dt: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the spikes of the pattern, by synapse and then by time.

        Parameters
        ----------
        dt : float
            Time step [ms].
        seed : int
            Random seed.

        Returns
        -------
        synapse : ndarray of int64, (n_spikes,)
            Indices, dimensionless.
        time : ndarray, (n_spikes,)
            Times from the begin of the pattern, without jitter [ms].
        """
        members, length = self._n_members, self._section_steps(dt) * dt
        # In this Poisson process a time step has one spike or more with the probability of others.
        p = self.spike_probability(dt)
        per_ms = (_ALWAYS if p >= 1 else min(-math.log1p(-p), _ALWAYS)) / dt
        total = members * length * per_ms
        stream, parts, position = stream_of(seed, INPUT_STREAM, _PATTERN), [], 0.0
        for begin in itertools.count(0, CHUNK):
            if position >= total:
                break
            places = exponentials(stream, begin, CHUNK)
            places[0] += position
            np.cumsum(places, out=places)
            position = float(places[-1])
            parts.append(places[: np.searchsorted(places, total)])
        place = np.concatenate([np.empty(0), *parts]) / per_ms if per_ms else np.empty(0)
        synapse = np.minimum((place / length).astype(np.int64), members - 1)
        return synapse, np.clip(place - synapse * length, 0, length)

    def _section_steps(self, dt: float) -> int:
        """Return the duration of a section in time steps."""
        return max(1, math.floor(self.pattern_duration / dt + 1e-9))

    def _onset_steps(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Yield the steps at which presentations begin, (n_presentations,)."""
        if not self.pattern_share:
            return
        steps = self._section_steps(dt)
        # The mean interval is one section of the pattern, one other, and (1 - p)/p more of these.
        factor = mean_gap(self.pattern_share / (1 - self.pattern_share))
        stream, last, n_sections = stream_of(seed, INPUT_STREAM, _TIMES), -1, n_steps // steps + 1
        for begin in itertools.count(0, STIMULI):
            section = gaps(stream, begin, STIMULI, factor, n_sections) + 2
            section = np.cumsum(section) + last
            if section[-1] >= n_sections:
                onsets = section[: np.searchsorted(section, n_sections)] * steps
                yield onsets[: np.searchsorted(onsets, n_steps)]
                return
            yield section * steps
            last = int(section[-1])

    def groups(self) -> NDArray[np.int64]:
        """Return 0 for the synapses that take part in the pattern, 1 for the others.

        Returns
        -------
        ndarray of int64, (n_synapses,)
            Dimensionless.
        """
        return (np.arange(self.n_synapses) >= self._n_members).astype(np.int64)

    def latencies(self, dt: float, seed: int) -> NDArray[np.float64]:
        """Return the time of each synapse's first spike; see `InputProcess.latencies`.

        Returns
        -------
        ndarray, (n_synapses,)
            From the begin of the pattern, without jitter [ms]; NaN for synapses without a spike in
            it.
        """
        latencies = np.full(self.n_synapses, np.nan)
        synapse, time = self.pattern(dt, seed)
        first = np.diff(synapse, prepend=-1) > 0
        latencies[synapse[first]] = time[first]
        return latencies

    def stimulus_times(self, dt: float, n_steps: int, seed: int) -> NDArray[np.float64]:
        """Return when presentations begin; see `InputProcess.stimulus_times`.

        Returns
        -------
        ndarray, (n_presentations,)
            Rising [ms].
        """
        parts = [np.empty(0, dtype=np.int64), *self._onset_steps(dt, n_steps, seed)]
        return multiples(np.concatenate(parts), dt)

    def seconds_per_event(self) -> float:
        """Return the estimated drawing time [s] of an event, those of a pattern with jitter."""
        return 2e-8 if self.pattern_jitter else 1.5e-8

    def shortest_time_scale(self) -> float:
        """Return the jitter [ms], or the duration of the pattern without any."""
        return self.pattern_jitter or self.pattern_duration

    def refuse_unfit_time_step(self, dt: float) -> None:
        """Refuse a time step [ms] that is longer than the pattern, or too long for the rate."""
        super().refuse_unfit_time_step(dt)
        if dt > self.pattern_duration * (1 + 1e-12):
            raise RequestError(
                f"{written(self.key('pattern_duration'), self.pattern_duration)}: must be >= "
                f"simulation.dt={dt:g} ms"
            )


def _without(
    cells: Cells, onsets: NDArray[np.int64], size: int, n_synapses: int, members: int
) -> Cells:
    """Return the cells without those of some of the first synapses within presentations.

    Parameters
    ----------
    cells, onsets : ndarray of int64, (n_events,), (n_presentations,)
        Cells, and those at which presentations begin, both rising; indices.
    size, n_synapses, members : int
        Cells of a presentation and of a step, and number of the synapses.
    """
    if not cells.size:
        return cells
    onsets = onsets[
        np.searchsorted(onsets, cells[0] - size) : np.searchsorted(onsets, cells[-1] + 1)
    ]
    begin, end = np.searchsorted(cells, onsets), np.searchsorted(cells, onsets + size)
    change = np.zeros(cells.size + 1, dtype=np.int64)
    np.add.at(change, begin, 1)
    np.add.at(change, end, -1)
    within = np.flatnonzero(np.cumsum(change[:-1]))
    inside = cells[within]
    dropped = within[inside - inside // n_synapses * n_synapses < members]
    kept = np.ones(cells.size, dtype=bool)
    kept[dropped] = False
    return cells[kept]
