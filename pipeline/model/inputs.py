"""Input processes: presynaptic spike trains as events in time order.

An event is an integer, its cell `step * n_synapses + synapse` in the lattice of time steps and
synapses, so that events in time order increase strictly. They are generated in chunks; memory does
not grow with the duration.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.quantity import quantity, written
from pipeline.model.registry import REGISTRIES, Registry, Variant
from pipeline.model.stimuli import Stimuli
from pipeline.model.streams import Stream, exponentials, stream_of

Cells = NDArray[np.int64]

#: Gaps drawn per chunk; the events do not depend on it.
CHUNK = 16_384

#: Number (spawn key) of a random stream of a seed: adding a stream leaves the others unchanged.
INPUT_STREAM = 0

#: Whether the random numbers of a seed are the same at all points of a sweep, or each point has its
#: own; see `Configuration.input_seed`.
SEED_POLICIES = ("shared", "independent")

#: A mean gap beyond the end of any lattice, finite when multiplied by an exponential variate.
_LONGEST_GAP = 1e300


@dataclass(frozen=True)
class InputProcess(Stimuli, Variant):
    """Base of input processes; a process is a frozen dataclass that defines these class variables.

    Attributes
    ----------
    name : str
        The value of `input.process`.
    bernoulli : bool
        Whether its events are those of `bernoulli_cells`, which the compiled engine draws itself.
    needs_duration : bool
        Whether the events depend on the number of steps: a longer run has other ones.
    theory_gap : str
        Why the equilibrium theory of weights (`analysis.measures.theory`) does not cover the
        process; empty where it does. It covers independent Poisson trains of one constant rate.
    """

    registry: ClassVar[Registry]
    section: ClassVar[str] = "input"
    title: ClassVar[str] = "input process"
    chosen_by: ClassVar[str] = "process"
    bernoulli: ClassVar[bool] = False
    needs_duration: ClassVar[bool] = False
    theory_gap: ClassVar[str] = "the theory covers independent Poisson inputs of one rate only"

    process: str = quantity("input process", kind=str)
    n_synapses: int = quantity("number of synapses", kind=int, at_least=1, at_most=10_000_000)
    rate_hz: float = quantity("input rate", "Hz", at_least=0)
    seed_policy: str = quantity(
        "whether points with one seed share the random numbers of their input",
        kind=str,
        choices=SEED_POLICIES,
        neutral=SEED_POLICIES[0],
    )

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Yield the events of one run in time order, in chunks.

        Parameters
        ----------
        dt : float
            Time step [ms].
        n_steps : int
            Number of time steps.
        seed : int
            Random seed; the same seed gives the same events, however long the run.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice, rising within and across chunks; indices, dimensionless. Empty
            chunks are allowed; a run can be cancelled between chunks.
        """
        raise NotImplementedError

    def output_steps(self, dt: float, n_steps: int, seed: int) -> NDArray[np.int64] | None:
        """Return the steps of output spikes that replace the neuron's own; None: it fires itself.

        Parameters
        ----------
        dt, n_steps, seed
            As of `events`.

        Returns
        -------
        ndarray of int64, (n_spikes,), or None
            Rising, each from 1 to below `n_steps`; indices, dimensionless. There is no refractory
            period.
        """
        return None

    @classmethod
    def prescribes_output(cls) -> bool:
        """Whether its output spikes replace the neuron's own."""
        return cls.output_steps is not InputProcess.output_steps

    def rate_in(self, duration: float) -> float:
        """Return the input rate [Hz], where it is null that of a run [ms]."""
        return self.rate_hz

    def spike_probability(self, dt: float) -> float:
        """Return the mean probability of an input spike in one cell of the lattice."""
        return min(1.0, self.rate_hz * dt / 1000)

    def drawing_seconds(self, n_steps: int) -> float:
        """Return the estimated drawing time [s] beside the time per event."""
        return 0.0

    def seconds_per_event(self) -> float:
        """Return the estimated drawing time [s] of an event that the engine does not draw."""
        return 0.0 if self.bernoulli else 5e-9

    def shortest_time_scale(self) -> float:
        """Return the shortest time scale of its statistics [ms]; 0 where spikes are independent."""
        return 0.0

    def longest_time_scale(self) -> tuple[str, float]:
        """Return the key of the longest time scale of its statistics, and that in ms; 0: none.

        Runs until they have settled are refused beyond the time between their samples.
        """
        return "", 0.0

    def synapse_phases(self) -> NDArray[np.float64] | None:
        """Return the phase of the rate of each synapse, the coordinate `synapse_phase`, or None.

        Returns
        -------
        ndarray, (n_synapses,), or None
            From 0 to below 1 [cycles], dimensionless.
        """
        return None

    def groups(self) -> NDArray[np.int64] | None:
        """Return the group of each synapse, the coordinate `group`; None where there are none.

        Returns
        -------
        ndarray of int64, (n_synapses,), or None
            Group numbers from 0, dimensionless.
        """
        return None

    def rates(self, seed: int) -> NDArray[np.float64] | None:
        """Return the rate of each synapse, the coordinate `synapse_rate`; None: all `rate_hz`.

        Parameters
        ----------
        seed : int
            Random seed, as of `events`.

        Returns
        -------
        ndarray, (n_synapses,), or None
            Mean rates over time [Hz].
        """
        return None

    def cut_to(self, duration: float, dt: float) -> Self:
        """Return a process that begins as this one and, if it has an end, fits into a run [ms]."""
        return self

    def refuse_unfit_duration(self, duration: float, dt: float) -> None:
        """Raise `RequestError` if a run [ms] in time steps [ms] is too short for the process."""

    def refuse_unfit_time_step(self, dt: float) -> None:
        """Raise `RequestError` if a time step [ms] is too long for the process."""
        if self.rate_hz * dt > 1000 * (1 + 1e-12):  # 1000 / dt is allowed, however it was rounded
            raise RequestError(
                f"{written('input.rate_hz', self.rate_hz)}: with simulation.dt={dt:g} ms input "
                f"rate must be <= {1000 / dt:g} Hz (one spike per step at each synapse)"
            )


def checked_cells(chunks: Iterable[Any], n_cells: int, process: str) -> Iterator[Cells]:
    """Yield the events of a process that need checking.

    Parameters
    ----------
    chunks : iterable of ndarray of int, (n_events,)
        Cells of the lattice as the process yields them; indices, dimensionless.
    n_cells : int
        Size of the lattice.
    process : str
        Name of the process, for the error.

    Yields
    ------
    ndarray of int64, (n_events,)
        The same cells; indices, dimensionless.

    Raises
    ------
    ValueError
        If events are no integers, not in time order, repeated, or outside the lattice.
    """
    last = -1
    for chunk in chunks:
        cells = np.asarray(chunk)
        if cells.ndim != 1 or (cells.size and cells.dtype.kind not in "iu"):
            raise ValueError(f"input.process={process}: events must be arrays of whole numbers")
        cells = cells.astype(np.int64)
        if cells.size:
            if cells[0] <= last or cells[-1] >= n_cells or (cells[1:] <= cells[:-1]).any():
                raise ValueError(
                    f"input.process={process}: events must rise, each cell once, from 0 to below "
                    "n_steps * n_synapses"
                )
            last = int(cells[-1])
        yield cells


def mean_gap(p: float) -> float:
    """Return the factor that converts standard exponential variates to gaps between spikes.

    The number of empty cells before the next spike is geometric, floor(-E / log(1 - p)) with E
    exponential of mean 1 (Devroye 1986, Non-Uniform Random Variate Generation, X.2).
    """
    if p <= 0:
        return _LONGEST_GAP
    return 0.0 if p >= 1 else min(-1 / math.log1p(-p), _LONGEST_GAP)


def random_generator(seed: int, stream: int) -> np.random.Generator:
    """Return the generator of one numbered stream of a seed."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(stream,))))


def bernoulli_cells(
    p: float,
    n_synapses: int,
    n_steps: int,
    seed: int,
    first: int = 0,
    cell: int = 0,
    stream_number: int = INPUT_STREAM,
) -> Iterator[Cells]:
    """Draw a Bernoulli trial of probability `p` in every cell, by geometric gaps between spikes.

    The cost is proportional to the number of spikes, not of cells.

    Parameters
    ----------
    p : float
        Probability of a spike in one cell.
    n_synapses, n_steps : int
        Size of the lattice.
    seed : int
        Random seed.
    first, cell : int
        Number of events that are left out, and the cell after the last of them.
    stream_number : int
        Number of the seed's random stream.

    Yields
    ------
    ndarray of int64, (n_events,)
        Cells of the lattice in time order; indices, dimensionless.
    """
    n_cells = n_steps * n_synapses
    yield from cells_of_stream(stream_of(seed, stream_number), p, n_cells, first, cell)


def cells_of_stream(
    stream: Stream, p: float, n_cells: int, first: int = 0, cell: int = 0
) -> Iterator[Cells]:
    """Draw a Bernoulli trial of probability `p` in each of some cells, as `bernoulli_cells`.

    Parameters
    ----------
    stream : Stream
        The random stream.
    p : float
        Probability of an event in one cell.
    n_cells : int
        Number of cells, at most 2**48.
    first, cell : int
        As of `bernoulli_cells`.

    Yields
    ------
    ndarray of int64, (n_events,)
        Rising; indices, dimensionless.
    """
    if p <= 0:
        return
    factor, last = mean_gap(p), cell - 1
    for begin in itertools.count(first, CHUNK):
        cells = gaps(stream, begin, CHUNK, factor, n_cells)
        cells += 1
        np.cumsum(cells, out=cells)
        cells += last
        if cells[-1] >= n_cells:
            yield cells[: np.searchsorted(cells, n_cells)]
            return
        yield cells
        last = cells[-1]


def gaps(stream: Stream, first: int, count: int, factor: float, longest: int) -> NDArray[np.int64]:
    """Return the numbers of empty cells before consecutive events of `bernoulli_cells`.

    Parameters
    ----------
    stream : Stream
        The random stream.
    first, count : int
        Index of the first event, and how many.
    factor : float
        As of `mean_gap`.
    longest : int
        Longer gaps, which may overflow an integer, are this long.

    Returns
    -------
    ndarray of int64, (count,)
        Numbers of cells, dimensionless.
    """
    variates = exponentials(stream, first, count)
    variates *= factor
    return np.minimum(variates, longest, out=variates).astype(np.int64)


def cells_from(chunks: Iterable[Cells], first: int) -> Iterator[Cells]:
    """Yield the events from a cell on.

    Parameters
    ----------
    chunks : iterable of ndarray of int64, (n_events,)
        Cells of the lattice in time order; indices, dimensionless.
    first : int
        The cell.

    Yields
    ------
    ndarray of int64, (n_events,)
        The same cells without those before; indices, dimensionless. Chunks may be empty.
    """
    for chunk in chunks:
        yield chunk[np.searchsorted(chunk, first) :]


def _vocabulary() -> dict[str, Any]:
    """Return the names that the source of a registered process may use."""
    return {
        "np": np,
        "math": math,
        "dataclass": dataclass,
        "dataclasses": dataclasses,
        "ClassVar": ClassVar,
        "Any": Any,
        "Iterator": Iterator,
        "InputProcess": InputProcess,
        "Cells": Cells,
        "quantity": quantity,
        "random_generator": random_generator,
        "bernoulli_cells": bernoulli_cells,
        "INPUT_STREAM": INPUT_STREAM,
    }


#: The input processes by name.
PROCESSES = InputProcess.registry = Registry(
    "input.process", "pipeline.model.processes", _vocabulary
)
REGISTRIES[PROCESSES.key] = PROCESSES
