"""Constants and state of one run as C structures for the kernel; built without numba."""

from __future__ import annotations

import ctypes
import functools
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.model.inputs import mean_gap
from pipeline.model.parameters import Configuration, steps
from pipeline.model.plasticity import POST, PRE, Rule

#: Maximum number of steps between two rescalings of the traces; rounding errors grow with it.
_LONGEST_STRETCH = 256

#: exp(230) = 1e100: traces are rescaled well before they overflow.
_LARGEST_EXPONENT = 230.0


def _fields(kind: type, *names: str) -> list[tuple[str, type]]:
    return [(name, kind) for name in names]


class StepConstants(ctypes.Structure):
    """The constants of one run that do not depend on its rule."""

    _fields_: ClassVar = [
        *_fields(ctypes.c_int64, "n_synapses", "n_steps", "n_events"),
        *_fields(ctypes.c_int64, "sample_steps", "refractory_steps", "stretch"),
        *_fields(ctypes.c_double, "mean_gap", "V_th", "V_reset", "E_L", "E_ex", "dt_over_tau_m"),
        *_fields(ctypes.c_double, "g_max", "decay_ex"),
    ]


class State(ctypes.Structure):
    """State of the neuron between steps; weights and traces are separate arrays.

    `free` is the first step after the refractory period, `event` the index of the next buffered
    event, `step` the next step, `until` the step to stop at, `n_spikes` the number of output spikes
    since the start or the last stop, `rescaling` the next step at which the traces are rescaled,
    and `n_samples` the number of rows of the weight history so far.
    """

    _fields_: ClassVar = [
        *_fields(ctypes.c_double, "v", "g_ex"),
        *_fields(ctypes.c_int64, "free", "event", "n_spikes"),
        *_fields(ctypes.c_int64, "step", "until", "rescaling", "n_samples"),
    ]


@dataclass(frozen=True)
class RuleConstants:
    """The constants of a rule for one time step.

    Attributes
    ----------
    numbers : ndarray, (n_fields + n_pre + n_post,)
        The rule's numbers in their units; then the decay factors per step of presynaptic and
        postsynaptic traces, dimensionless. Read only.
    initial_traces : ndarray, (2 n_pre + n_post,)
        The scale of each presynaptic trace, the inverse of each, and the postsynaptic traces,
        dimensionless. The inverse is what an input spike adds; 0 until the traces are first
        rescaled, because the input of step 0 changes no trace. Read only.
    n_pre : int
        Number of presynaptic traces.
    stretch : int
        Steps between two rescalings of the presynaptic traces.
    """

    numbers: NDArray[np.float64]
    initial_traces: NDArray[np.float64]
    n_pre: int
    stretch: int


@functools.lru_cache(maxsize=1024)
def rule_constants(rule: Rule, dt: float) -> RuleConstants:
    """Return the constants of a rule for a time step [ms]; points of a sweep share them."""
    resolved = rule.resolved()
    tau = resolved.time_constants()
    decays = [1 - dt / tau[name] for name in rule.traces_type()._fields]
    n_pre, n_post = len(rule.traces_of(PRE)), len(rule.traces_of(POST))
    return RuleConstants(
        numbers=np.array([*resolved.numbers(), *decays], dtype=np.float64),
        initial_traces=np.array([1.0] * n_pre + [0.0] * (n_pre + n_post)),
        n_pre=n_pre,
        stretch=min(map(_stretch, decays[:n_pre]), default=_LONGEST_STRETCH),
    )


def constants_of(configuration: Configuration, n_events: int, stretch: int) -> StepConstants:
    """Return the constants of a configuration.

    Parameters
    ----------
    configuration : Configuration
        The parameters of the run.
    n_events : int
        Number of buffered input events.
    stretch : int
        Steps between two rescalings of the presynaptic traces.
    """
    neuron, synapse = configuration.neuron, configuration.synapse
    inputs, dt = configuration.input, configuration.simulation.dt
    n_steps, interval = configuration.simulation.n_steps, configuration.record.weight_interval
    return StepConstants(
        n_synapses=inputs.n_synapses,
        n_steps=n_steps,
        n_events=n_events,
        sample_steps=n_steps + 1 if interval is None else steps(interval, dt),
        refractory_steps=steps(neuron.t_ref, dt),
        stretch=stretch,
        mean_gap=mean_gap(inputs.spike_probability(dt)),
        V_th=neuron.V_th,
        V_reset=neuron.V_reset,
        E_L=neuron.E_L,
        E_ex=synapse.E_ex,
        dt_over_tau_m=dt / neuron.tau_m,
        g_max=synapse.g_max,
        decay_ex=1 - dt / synapse.tau_ex,
    )


def _stretch(decay: float) -> int:
    """Return the steps until a trace must be rescaled, so that no number overflows."""
    if decay == 1:
        return _LONGEST_STRETCH
    return max(1, min(_LONGEST_STRETCH, int(_LARGEST_EXPONENT / -math.log(decay))))
