"""Constants and state of one run, laid out for machine code; no numba needed to fill them in."""

from __future__ import annotations

import ctypes
import math
from typing import ClassVar

from pipeline.model.inputs import mean_gap, spike_probability
from pipeline.model.parameters import Configuration, steps

#: Steps between two rescalings of the traces, at most; rounding errors grow with it.
_LONGEST_STRETCH = 256

#: exp(230) = 1e100: no trace comes near the largest number before it is rescaled.
_LARGEST_EXPONENT = 230.0


def _fields(kind: type, *names: str) -> list[tuple[str, type]]:
    return [(name, kind) for name in names]


class StepConstants(ctypes.Structure):
    """The constants of one run, those of a step already made."""

    _fields_: ClassVar = [
        *_fields(ctypes.c_int64, "n_synapses", "n_steps", "n_events"),
        *_fields(ctypes.c_int64, "sample_steps", "refractory_steps", "stretch"),
        *_fields(ctypes.c_double, "mean_gap", "V_th", "V_reset", "E_L", "E_ex", "dt_over_tau_m"),
        *_fields(ctypes.c_double, "g_max", "decay_ex"),
        *_fields(ctypes.c_double, "A_plus", "A_minus", "decay_plus", "decay_minus"),
    ]


class State(ctypes.Structure):
    """What the neuron carries from one step to the next; weights and traces are arrays beside it.

    `decay` scales the presynaptic traces and `jump` is its inverse; `free` is the first step after
    the refractory period, `event` the place of the next event in hand. `step` is the next to be
    taken, `until` the one to stop at, `n_spikes` the output spikes since the start or the last
    stop, `rescaling` the next step at which the traces are rescaled, and `n_samples` the number of
    rows that the weight history has.
    """

    _fields_: ClassVar = [
        *_fields(ctypes.c_double, "v", "g_ex", "x_post", "decay", "jump"),
        *_fields(ctypes.c_int64, "free", "event", "n_spikes"),
        *_fields(ctypes.c_int64, "step", "until", "rescaling", "n_samples"),
    ]


def constants_of(configuration: Configuration, n_events: int) -> StepConstants:
    """Return the constants of a configuration; `n_events` are kept in hand at a time."""
    neuron, synapse = configuration.neuron, configuration.synapse
    stdp, dt = configuration.stdp.resolved(), configuration.simulation.dt
    n_steps, interval = configuration.simulation.n_steps, configuration.record.weight_interval
    decay_plus = 1 - dt / stdp.tau_plus
    return StepConstants(
        n_synapses=configuration.input.n_synapses,
        n_steps=n_steps,
        n_events=n_events,
        sample_steps=n_steps + 1 if interval is None else steps(interval, dt),
        refractory_steps=steps(neuron.t_ref, dt),
        stretch=_stretch(decay_plus),
        mean_gap=mean_gap(spike_probability(configuration)),
        V_th=neuron.V_th,
        V_reset=neuron.V_reset,
        E_L=neuron.E_L,
        E_ex=synapse.E_ex,
        dt_over_tau_m=dt / neuron.tau_m,
        g_max=synapse.g_max,
        decay_ex=1 - dt / synapse.tau_ex,
        A_plus=stdp.A_plus,
        A_minus=stdp.A_minus,
        decay_plus=decay_plus,
        decay_minus=1 - dt / stdp.tau_minus,
    )


def _stretch(decay: float) -> int:
    """Return the steps until the traces must be rescaled, so that no number overflows."""
    if decay == 1:
        return _LONGEST_STRETCH
    return max(1, min(_LONGEST_STRETCH, int(_LARGEST_EXPONENT / -math.log(decay))))
