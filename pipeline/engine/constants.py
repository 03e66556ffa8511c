"""Constants and state of one run as C structures for the kernel; built without numba."""

from __future__ import annotations

import ctypes
import functools
import math
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.model.checks import MOST_CELLS
from pipeline.model.features import Features
from pipeline.model.inputs import mean_gap
from pipeline.model.noise import noise_scale
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import PRE, Rule
from pipeline.model.sections import steps
from pipeline.model.streams import Stream

#: Maximum number of steps between two rescalings of the traces; rounding errors grow with it.
_LONGEST_STRETCH = 512

#: exp(230) = 1e100: traces are rescaled well before they overflow.
_LARGEST_EXPONENT = 230.0


#: Longest block of `loops` [steps]: short enough for a processor to receive the input of the next
#: block while the potential of this one, a chain of dependent operations, is being computed.
_LONGEST_BLOCK = 32

#: Inhibitory spikes drawn at a time.
N_INHIBITORY = 256


def _fields(kind: type, *names: str) -> list[tuple[str, type]]:
    return [(name, kind) for name in names]


class StepConstants(ctypes.Structure):
    """The constants of one run that do not depend on its rule.

    `n_steps` is the size of the lattice of events, which no run exceeds. `longest_block` is the
    longest block of steps [steps] that is received ahead of the membrane.
    `draws` is whether the kernel draws the input events itself, from the stream of `start` and
    `increment`. Of the inhibitory population `g_in` is the jump of its conductance.
    `dendritic_steps` is the time from an output spike to its arrival at the synapses [steps].
    Membrane noise is drawn from a stream of its own; `noise_scale` is its standard deviation in a
    step [mV]. The threshold rises by `theta_plus` [mV] at an output spike.
    """

    _fields_: ClassVar = [
        *_fields(ctypes.c_int64, "n_synapses", "n_steps", "n_buffered", "draws"),
        *_fields(ctypes.c_int64, "refractory_steps", "stretch", "longest_block"),
        *_fields(ctypes.c_uint64, "start", "increment"),
        *_fields(ctypes.c_double, "mean_gap", "V_th", "V_reset", "E_L", "E_ex", "dt_over_tau_m"),
        *_fields(ctypes.c_double, "g_max", "decay_ex"),
        *_fields(ctypes.c_int64, "n_inhibitory_synapses", "n_inhibitory_steps"),
        *_fields(ctypes.c_uint64, "inhibitory_start", "inhibitory_increment"),
        *_fields(ctypes.c_double, "inhibitory_mean_gap", "E_in", "g_in", "decay_in"),
        *_fields(ctypes.c_int64, "dendritic_steps"),
        *_fields(ctypes.c_uint64, "noise_start", "noise_increment"),
        *_fields(ctypes.c_double, "noise_scale", "theta_plus", "decay_theta"),
    ]


class State(ctypes.Structure):
    """State of the neuron between steps; weights and traces are separate arrays.

    `largest_g` is the largest conductance so far, at least the largest stable one, `free` is
    the first step after the refractory period, `event` the index of the next buffered event,
    `undivided` the first one that is given as a cell, `cell` the cell after the last drawn one,
    `n_drawn` the number of events drawn, `n_spikes` the number of output spikes since the start or
    the last stop, `n_earlier` that before it, `step` the next step, `until` the step to stop at,
    `base` the step at which the scale of the traces is 1 / decay, `rescaling` the next step at
    which they are rescaled, `n_asked` the number of samples of the weights that are asked for, and
    `n_samples` that of those taken. Of the inhibitory population `g_in` is the conductance,
    `inhibitory_event` the index of the next spike in its buffer, `inhibitory_cell` the cell after
    the last drawn one, `n_inhibitory_drawn` the number of those drawn, and `next_inhibitory_cell`
    the cell after the last one before `step`. With a dendritic delay `n_returned` is how many of
    the `n_spikes` output spikes have arrived at the synapses. `theta` is the rise of the threshold.
    """

    _fields_: ClassVar = [
        *_fields(ctypes.c_double, "v", "g_ex", "largest_g"),
        *_fields(ctypes.c_int64, "free", "event", "undivided", "cell", "n_drawn"),
        *_fields(ctypes.c_int64, "n_spikes", "n_earlier"),
        *_fields(ctypes.c_int64, "step", "until", "base", "rescaling", "n_asked", "n_samples"),
        *_fields(ctypes.c_double, "g_in"),
        *_fields(ctypes.c_int64, "inhibitory_event", "inhibitory_cell", "n_inhibitory_drawn"),
        *_fields(ctypes.c_int64, "next_inhibitory_cell"),
        *_fields(ctypes.c_int64, "n_returned"),
        *_fields(ctypes.c_double, "theta"),
    ]


@dataclass(frozen=True)
class RuleConstants:
    """The constants of a rule for one time step.

    Attributes
    ----------
    numbers : ndarray, (n_fields,)
        The rule's numbers in their units. Read only.
    tables : ndarray, (n_traces, 2, n_rows)
        The scale of each trace, presynaptic ones first, and its inverse, the stored value of a
        jump by 1, by the number of steps since `State.base`; dimensionless. Row 1 has scale 1. The
        inverse of presynaptic traces is 0 in row 0, which is used for step 0 only: the input of
        that step changes no trace. Read only.
    stretch : int
        Steps between two rescalings of the traces: all rows but the first and the last.
    n_pre, n_post : int
        Numbers of presynaptic and postsynaptic traces.
    """

    numbers: NDArray[np.float64]
    tables: NDArray[np.float64]
    stretch: int
    n_pre: int
    n_post: int

    @functools.cached_property
    def addresses(self) -> tuple[Any, Any]:
        """The addresses of `numbers` and `tables`."""
        return address(self.numbers), address(self.tables)


@functools.lru_cache(maxsize=1024)
def rule_constants(rule: Rule, dt: float) -> RuleConstants:
    """Return the constants of a rule for a time step [ms]; points of a sweep share them."""
    tau = rule.time_constants()
    names = rule.traces_type()._fields
    n_pre = len(rule.traces_of(PRE))
    tables, stretch = _trace_tables(tuple(tau[name] for name in names), n_pre, dt)
    numbers = np.array(rule.numbers(), dtype=np.float64)
    return RuleConstants(numbers, tables, stretch, n_pre, len(names) - n_pre)


@functools.lru_cache(maxsize=1024)
def _trace_tables(tau: tuple[float, ...], n_pre: int, dt: float) -> tuple[NDArray[np.float64], int]:
    """Return `RuleConstants.tables` and `stretch` for some time constants [ms].

    Returns
    -------
    ndarray, (n_traces, 2, n_rows)
        Scales and jumps, dimensionless.
    int
        Steps between two rescalings.
    """
    decays = np.array([1 - dt / one for one in tau]).reshape(-1, 1)
    stretch = min(map(_stretch, decays[:, 0].tolist()), default=_LONGEST_STRETCH)
    scales = decays ** np.arange(-1, stretch + 1)
    tables = np.stack([scales, 1 / scales], axis=1)
    tables[:n_pre, 1, 0] = 0
    return tables, stretch


def constants_of(
    configuration: Configuration, stretch: int, n_buffered: int, stream: Stream | None
) -> StepConstants:
    """Return the constants of a configuration.

    Parameters
    ----------
    configuration : Configuration
        The parameters of the run.
    stretch : int
        Steps between two rescalings of the traces.
    n_buffered : int
        Capacity of the buffer of input events.
    stream : Stream or None
        The random stream of the input events; None where they are given.
    """
    neuron, synapse = configuration.neuron, configuration.synapse
    inputs, dt = configuration.input, configuration.simulation.dt
    start, increment = stream or (0, 0)
    return StepConstants(
        n_synapses=inputs.n_synapses,
        n_steps=MOST_CELLS // inputs.n_synapses,
        n_buffered=n_buffered,
        draws=stream is not None,
        refractory_steps=steps(neuron.t_ref, dt),
        stretch=stretch,
        longest_block=_LONGEST_BLOCK,
        start=start,
        increment=increment,
        mean_gap=mean_gap(inputs.spike_probability(dt)),
        V_th=neuron.V_th,
        V_reset=neuron.V_reset,
        E_L=neuron.E_L,
        E_ex=synapse.E_ex,
        dt_over_tau_m=dt / neuron.tau_m,
        g_max=synapse.g_max,
        decay_ex=1 - dt / synapse.tau_ex,
        dendritic_steps=synapse.delay_steps(dt)[1],
    )


def add_inhibition(
    constants: StepConstants, state: State, configuration: Configuration, stream: Stream
) -> None:
    """Set the constants of the inhibitory population, of which no spike is in the buffer yet.

    Parameters
    ----------
    constants, state
        Of the run, changed in place.
    configuration : Configuration
        The parameters of the run.
    stream : Stream
        The random stream of the inhibitory spikes.
    """
    inhibition, dt = configuration.inhibition, configuration.simulation.dt
    constants.n_inhibitory_synapses = inhibition.n_synapses
    constants.n_inhibitory_steps = MOST_CELLS // inhibition.n_synapses
    constants.inhibitory_start, constants.inhibitory_increment = stream
    constants.inhibitory_mean_gap = mean_gap(inhibition.spike_probability(dt))
    constants.E_in, constants.g_in = inhibition.E_in, inhibition.g
    constants.decay_in = 1 - dt / inhibition.tau_in
    state.inhibitory_event = N_INHIBITORY


def add_noise(constants: StepConstants, configuration: Configuration, stream: Stream) -> None:
    """Set the constants of membrane noise, drawn from a stream."""
    constants.noise_start, constants.noise_increment = stream
    constants.noise_scale = noise_scale(configuration)


def add_adaptive_threshold(constants: StepConstants, configuration: Configuration) -> None:
    """Set the constants of a threshold that rises at output spikes."""
    neuron = configuration.neuron
    constants.theta_plus = neuron.theta_plus
    constants.decay_theta = 1 - configuration.simulation.dt / neuron.tau_theta


class Memory:
    """The arrays of one run that the kernel changes, in one block of memory for each number type.

    Parameters
    ----------
    constants : StepConstants
        The sizes.
    rule : RuleConstants
        The numbers of traces.
    n_spikes : int
        Capacity for output spikes.
    w_init : ndarray, (n_synapses,)
        Initial weights, dimensionless.
    features : Features
        Whether there is memory for the inhibitory population, and for noise.

    Attributes
    ----------
    floats : ndarray
        Weights (n_synapses), postsynaptic traces, arriving weights (a row of `RuleConstants.tables`
        each), presynaptic traces (n_synapses each), saved weights (n_buffered), saved presynaptic
        traces (n_buffered each); with inhibition its spikes (a row of the tables each) and gaps
        (N_INHIBITORY); dimensionless. With membrane noise that of each row [mV], and memory for
        two random numbers each.
    integers : ndarray of int64
        Steps and synapses of the buffered input events (n_buffered each), of which none is pending,
        with inhibition those of its next spikes (N_INHIBITORY each), and steps of output spikes
        (n_spikes); indices, dimensionless.
    addresses : tuple
        Of the block of floats and of that of integers.
    post, pre : ndarray, (n_post,) and (n_pre, n_synapses)
        Views of the stored traces; dimensionless.
    """

    def __init__(
        self,
        constants: StepConstants,
        rule: RuleConstants,
        n_spikes: int,
        w_init: NDArray[np.float64],
        features: Features,
    ) -> None:
        n, n_buffered = constants.n_synapses, constants.n_buffered
        n_saved = (1 + rule.n_pre) * n_buffered
        n_rows, n_inhibitory = rule.stretch + 2, N_INHIBITORY if features.inhibition else 0
        n_floats = (1 + rule.n_pre) * n + rule.n_post + n_rows + n_saved
        n_floats += n_rows + n_inhibitory if features.inhibition else 0
        n_floats += 3 * n_rows if features.noise else 0
        self.floats = np.zeros(n_floats)
        self.floats[:n] = w_init
        self._first_spike = 2 * (n_buffered + n_inhibitory)
        self.integers = np.empty(self._first_spike + n_spikes, dtype=np.int64)
        self.integers[n_buffered - 1] = -1
        self.addresses = address(self.floats), address(self.integers)
        self._n_synapses, self._n_buffered = n, n_buffered
        first_pre = n + rule.n_post + rule.stretch + 2
        self.post = self.floats[n : n + rule.n_post]
        self.pre = self.floats[first_pre : first_pre + rule.n_pre * n].reshape(rule.n_pre, n)

    @property
    def events(self) -> NDArray[np.int64]:
        """Steps and synapses of the buffered input events.

        Returns
        -------
        ndarray of int64, (2, n_buffered)
            Indices, dimensionless.
        """
        return self.integers[: 2 * self._n_buffered].reshape(2, -1)

    def weights(self) -> NDArray[np.float64]:
        """Return a copy of the weights.

        Returns
        -------
        ndarray, (n_synapses,)
            Fraction of `synapse.g_max`, dimensionless.
        """
        return self.floats[: self._n_synapses].copy()

    def scale(self, factor: float) -> None:
        """Multiply all weights by a factor, and clip them at 1."""
        weights = self.floats[: self._n_synapses]
        np.minimum(weights * factor, 1.0, out=weights)

    def put_spikes(self, steps: NDArray[np.int64]) -> None:
        """Place output spikes before those to come.

        Parameters
        ----------
        steps : ndarray of int64, (n_spikes,)
            Their steps, rising; indices, dimensionless.
        """
        self.integers[self._first_spike : self._first_spike + steps.size] = steps

    def spike_step(self, n_spikes: int) -> NDArray[np.int64]:
        """Return a copy of the steps of some output spikes.

        Returns
        -------
        ndarray of int64, (n_spikes,)
            Indices, dimensionless.
        """
        return self.integers[self._first_spike : self._first_spike + n_spikes].copy()


def address(array: NDArray) -> Any:
    """Return a ctypes reference to the data of an array; faster than `array.ctypes`.

    Parameters
    ----------
    array : ndarray
        Of any shape and unit, contiguous.
    """
    return ctypes.byref(ctypes.c_char.from_buffer(cast(Any, array))) if array.size else None


def _stretch(decay: float) -> int:
    """Return the steps until a trace must be rescaled, so that no number overflows."""
    if decay == 1:
        return _LONGEST_STRETCH
    return max(1, min(_LONGEST_STRETCH, int(_LARGEST_EXPONENT / -math.log(decay))))
