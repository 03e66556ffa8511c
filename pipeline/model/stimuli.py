"""What processes with stimuli have and share: times, latencies, normal variates.

A stimulus is a trial of bursts, or one presentation of a pattern. Its times are drawn in chunks;
memory does not grow with the duration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.streams import Stream, exponentials, uniform, words
from pipeline.model.variates import cosine

Cells = NDArray[np.int64]

#: Stimuli whose times are drawn at a time; the times do not depend on it.
STIMULI = 4096

#: Beyond so many standard deviations normal latencies are drawn anew.
CUT_OFF = 3.0


class Stimuli:
    """What an input process says of its stimuli, if it has any."""

    def latencies(self, dt: float, seed: int) -> NDArray[np.float64] | None:
        """Return when each synapse has its first spike of a stimulus: `synapse_latency`, or None.

        Parameters
        ----------
        dt : float
            Time step [ms].
        seed : int
            Random seed, as of `InputProcess.events`.

        Returns
        -------
        ndarray, (n_synapses,), or None
            Relative to the time of the stimulus [ms]; NaN for synapses that have none in it.
        """
        return None

    def stimulus_times(self, dt: float, n_steps: int, seed: int) -> NDArray[np.float64] | None:
        """Return when stimuli begin, the variable `stimulus_time`; None without stimuli.

        Parameters
        ----------
        dt, n_steps, seed
            As of `InputProcess.events`.

        Returns
        -------
        ndarray, (n_stimuli,), or None
            Rising, within the run [ms].
        """
        return None

    @classmethod
    def has_stimuli(cls) -> bool:
        """Whether it has stimuli: trials, or presentations of a pattern."""
        return cls.stimulus_times is not Stimuli.stimulus_times


class Steps:
    """Steps of stimuli by their number, of which only those that are still needed are held.

    Parameters
    ----------
    chunks : iterator of ndarray of int64, (n_stimuli,)
        Their steps, rising within and across chunks; indices, dimensionless.
    """

    def __init__(self, chunks: Iterator[Cells]) -> None:
        self._chunks = chunks
        self.first = 0  # number of the first one that is held
        self.held: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    @property
    def known(self) -> int:
        """Number of stimuli whose steps are known."""
        return self.first + self.held.size

    def draw(self) -> bool:
        """Add the next chunk; return False if there is none."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self.held = np.concatenate([self.held, chunk])
        return True

    def forget(self, n: int) -> None:
        """Drop the first ones that are held."""
        self.held = self.held[n:]
        self.first += n


def normals(radii: Stream, angles: Stream, first: int, count: int) -> NDArray[np.float64]:
    """Return standard normal variates, two of each word of two streams (Box & Muller 1958).

    Parameters
    ----------
    radii, angles : Stream
        The random streams.
    first, count : int
        Index of the first word, and how many.

    Returns
    -------
    ndarray, (2, count)
        Independent; dimensionless.
    """
    radius = np.sqrt(2 * exponentials(radii, first, count))
    cycles = uniform(words(angles, first, count))
    return radius * np.array([cosine(cycles), cosine(cycles - 0.25)])


def cut_normals(radii: Stream, angles: Stream, n: int) -> NDArray[np.float64]:
    """Return standard normal variates of which those beyond `CUT_OFF` are drawn anew.

    Parameters
    ----------
    radii, angles : Stream
        The random streams.
    n : int
        How many.

    Returns
    -------
    ndarray, (n,)
        Independent; dimensionless.
    """
    parts: list[NDArray[np.float64]] = []
    first = 0
    while sum(part.size for part in parts) < n:
        drawn = normals(radii, angles, first, n).ravel()
        parts.append(drawn[np.abs(drawn) <= CUT_OFF])
        first += n
    return np.concatenate(parts)[:n]


def folded(x: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """Reflect numbers at both ends of an interval, as often as it takes.

    Uniform numbers that are moved by symmetric noise are uniform again.

    Parameters
    ----------
    x : ndarray, (...)
        In the unit of `length` [any].
    length : float
        The interval is from 0 to here, in the same unit.

    Returns
    -------
    ndarray, (...)
        From 0 to `length`, in the same unit [any].
    """
    around = np.mod(x, 2 * length)
    return np.minimum(around, 2 * length - around)


def without_repeated(chunks: Iterator[Any]) -> Iterator[Cells]:
    """Yield events of which some cells have two, each cell once.

    Parameters
    ----------
    chunks : iterator of ndarray of int64, (n_events,)
        Cells of the lattice, not falling within and across chunks; indices, dimensionless.

    Yields
    ------
    ndarray of int64, (n_events,)
        Rising; indices, dimensionless.
    """
    last = -1
    for cells in chunks:
        once = cells[np.diff(cells, prepend=last) > 0]
        last = int(once[-1]) if once.size else last
        yield once
