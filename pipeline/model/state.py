"""State of a run between two steps, from which either engine goes on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Name of the end state, as bytes: beside the variables of a point, in a batch and in a dataset.
STATE = "state"

#: Position in a random stream that is not known: events were given, or drawn otherwise.
UNKNOWN = -1

#: Versions of the bytes: of a run without optional features, with inhibition, and with further.
_VERSION, _WITH_INHIBITION, _WITH_ALL = _VERSIONS = 1, 2, 3

_COUNTS = ("step", "free", "base", "n_events", "next_cell")
_POTENTIALS = ("v", "g_ex", "largest_g")

#: At the end of the bytes by their version: of inhibition two counts, and a conductance.
_INHIBITION = [("n_inhibitory", "<i8"), ("next_inhibitory_cell", "<i8"), ("g_in", "<f8")]
_OPTIONAL = {
    _VERSION: np.dtype([]),
    _WITH_INHIBITION: np.dtype(_INHIBITION),
    _WITH_ALL: np.dtype([*_INHIBITION, ("theta", "<f8"), ("rate_estimate", "<f8")]),
}


@dataclass(frozen=True)
class EndState:
    """State of a run before a step, the last of a run of `step` + 1 steps, which does not take it.

    Attributes
    ----------
    step : int
        The next step.
    free : int
        First step after the refractory period.
    base : int
        Traces are divided by a scale, the factor (1 - dt/tau) to the power of `step` - 1 - `base`:
        a trace times its scale has decayed to `step`.
    n_events, next_cell : int
        Number of input events before `step`, and the cell after the last of them, for a process
        whose events are Bernoulli trials; else `UNKNOWN`.
    v, g_ex : float
        Membrane potential [mV], conductance relative to the leak [dimensionless].
    largest_g : float
        See `Recording`.
    weight : ndarray, (n_synapses,)
        Weights, dimensionless.
    pre : ndarray, (n_pre, n_synapses)
        Presynaptic traces over their scales, dimensionless, in the order of `Rule.traces_type`.
    post : ndarray, (n_post,)
        Postsynaptic traces over their scales, dimensionless.
    spike_step : ndarray of int64, (n_spikes,)
        Steps of all output spikes before `step`.
    samples : ndarray, (n_samples, n_statistics)
        Of a run until it has settled: statistics of the latest samples of its weights, as of
        `stationarity.weight_statistics`, dimensionless; else no rows.
    n_inhibitory, next_inhibitory_cell : int
        Number of inhibitory spikes before `step`, and the cell after the last of them; 0 without.
    g_in : float
        Inhibitory conductance relative to the leak [dimensionless]; 0 without inhibition.
    theta : float
        Rise of the threshold [mV]; 0 where it does not adapt.
    rate_estimate : float
        Estimate of the output rate by which weights are scaled [Hz]; 0 where they are not.
    """

    step: int
    free: int
    base: int
    n_events: int
    next_cell: int
    v: float
    g_ex: float
    largest_g: float
    weight: NDArray[np.float64]
    pre: NDArray[np.float64]
    post: NDArray[np.float64]
    spike_step: NDArray[np.int64]
    samples: NDArray[np.float64] = dataclasses.field(default_factory=lambda: np.empty((0, 0)))
    n_inhibitory: int = 0
    next_inhibitory_cell: int = 0
    g_in: float = 0.0
    theta: float = 0.0
    rate_estimate: float = 0.0

    def with_samples(self, samples: NDArray[np.float64]) -> EndState:
        """Return the state with other statistics of samples.

        Parameters
        ----------
        samples : ndarray, (n_samples, n_statistics)
            Dimensionless.
        """
        return dataclasses.replace(self, samples=samples)

    def to_bytes(self) -> bytes:
        """Return the state as bytes, of which spikes take one to eight each."""
        intervals = np.diff(self.spike_step, prepend=0)
        dtype = np.min_scalar_type(int(intervals.max(initial=0)))
        sizes = [*self.pre.shape, self.post.size, *self.samples.shape, dtype.itemsize]
        version, optional = self._optional()
        counts = [version, *(getattr(self, name) for name in _COUNTS), *sizes]
        numbers = [np.array([getattr(self, name) for name in _POTENTIALS]), self.weight]
        numbers += [self.pre.ravel(), self.post, self.samples.ravel()]
        return b"".join(
            [
                np.array(counts, "<i8").tobytes(),
                np.concatenate(numbers).astype("<f8").tobytes(),
                intervals.astype(dtype.newbyteorder("<")).tobytes(),
                optional,
            ]
        )

    def _optional(self) -> tuple[int, bytes]:
        """Return the first version that has all that is not 0, and the values of its fields."""
        values = [getattr(self, name) for name in _OPTIONAL[_WITH_ALL].names or ()]
        sizes = {version: len(dtype.names or ()) for version, dtype in _OPTIONAL.items()}
        version = next(version for version, n in sizes.items() if not any(values[n:]))
        kept = tuple(values[: sizes[version]])
        return version, np.array(kept, _OPTIONAL[version]).tobytes() if kept else b""

    @classmethod
    def from_bytes(cls, content: bytes) -> EndState:
        """Return the state that `to_bytes` has written.

        Raises
        ------
        ValueError
            If the bytes are those of another version.
        """
        n_counts = 1 + len(_COUNTS) + 6
        version, *counts = np.frombuffer(content, "<i8", n_counts).tolist()
        if version not in _VERSIONS:
            raise ValueError(f"state of version {version}, and this is version {_VERSIONS[-1]}")
        optional, dtype = {}, _OPTIONAL[version]
        if dtype.names:
            content, last = content[: -dtype.itemsize], content[-dtype.itemsize :]
            (values,) = np.frombuffer(last, dtype).tolist()
            optional = dict(zip(dtype.names, values, strict=True))
        n_pre, n_synapses, n_post, n_samples, n_statistics, itemsize = counts[len(_COUNTS) :]
        sizes = [len(_POTENTIALS), n_synapses, n_pre * n_synapses, n_post, n_samples * n_statistics]
        numbers = np.frombuffer(content, "<f8", sum(sizes), offset=8 * n_counts)
        potentials, weight, pre, post, samples = np.split(numbers, np.cumsum(sizes)[:-1])
        intervals = np.frombuffer(content, f"<u{itemsize}", offset=8 * (n_counts + numbers.size))
        return cls(
            **dict(zip(_COUNTS, counts[: len(_COUNTS)], strict=True)),
            **dict(zip(_POTENTIALS, potentials.tolist(), strict=True)),
            weight=weight,
            pre=pre.reshape(n_pre, n_synapses),
            post=post,
            spike_step=np.cumsum(intervals.astype(np.int64)),
            samples=samples.reshape(n_samples, n_statistics),
            **optional,
        )


def are_of_this_version(
    content: NDArray[np.uint8], first: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Return which states, of several one after the other, `EndState.from_bytes` can read.

    Parameters
    ----------
    content : ndarray of uint8, (n_bytes,)
        The states as bytes, dimensionless.
    first : ndarray of int, (n_states,)
        Index of the first byte of each, dimensionless.

    Returns
    -------
    ndarray of bool, (n_states,)
        Dimensionless.
    """
    heads = np.ascontiguousarray(content[first[:, np.newaxis] + np.arange(8)])
    return np.isin(heads.view("<i8")[:, 0], _VERSIONS)


@dataclass(frozen=True)
class Start:
    """Where a run goes on.

    Attributes
    ----------
    state : EndState
        The end of the earlier run.
    weight_history : ndarray, (n_samples, n_synapses)
        The samples of its weights, fraction of `g_max`, dimensionless; where they are recorded.
    begins_anew : bool
        Whether times, spikes and statistics are those of the new run alone.
    """

    state: EndState
    weight_history: NDArray[Any] = dataclasses.field(default_factory=lambda: np.empty((0, 0)))
    begins_anew: bool = False
