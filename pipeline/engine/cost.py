"""Estimated run times of simulations."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pipeline.model.looks import first_look
from pipeline.model.parameters import Configuration

#: Time to record a value of a weight history [s]: most of it is for memory that is new.
_SECONDS_PER_RECORDED = 5e-9

#: Time for a step of the inhibitory conductance, and for a spike of its population [s].
_SECONDS_PER_INHIBITED_STEP, _SECONDS_PER_INHIBITORY_SPIKE = 1.5e-9, 3e-9

#: Time for a step with membrane noise, with an adaptive threshold, with a dendritic delay [s].
_SECONDS_PER_NOISY_STEP, _SECONDS_PER_ADAPTIVE_STEP, _SECONDS_PER_DELAYED_STEP = 1.5e-9, 4e-10, 1e-9

#: Time for a scaling of the weights [s].
_SECONDS_PER_SCALING = 2e-5

#: Time to write a byte of results [s]: to the file of a batch, compressed to `results.nc`.
SECONDS_PER_BYTE = 1.5e-8


def estimated_seconds(point: Configuration, engine: str) -> float:
    """Return the estimated time [s] of one simulation on a processor core of 2020."""
    n_steps, n_synapses = _expected_steps(point), point.input.n_synapses
    drawing = point.input.drawing_seconds(n_steps)
    if engine == "reference":
        return 1e-3 + drawing + n_steps * (1e-5 + 5e-9 * n_synapses)
    return 2e-5 + drawing + n_steps * seconds_per_step(point)


def _expected_steps(point: Configuration) -> int:
    """Return the number of steps, of a run until it has settled one between first and last look.

    Their geometric mean: near a balance runs are up to a thousand times as long as elsewhere.
    """
    n_steps = point.simulation.n_steps
    if not point.simulation.ends_when_settled:
        return n_steps
    first = first_look(point.settle.minimum) / point.simulation.dt
    return int(math.sqrt(first * max(first, n_steps)))


def seconds_per_step(point: Configuration) -> float:
    """Return the estimated time [s] of one time step of the compiled engine, with its input.

    Weight samples are counted: at every step they take most of the time.
    """
    p = point.input.spike_probability(point.simulation.dt)
    seconds = 4e-9 + (5e-9 + point.input.seconds_per_event()) * p * point.input.n_synapses
    if point.inhibition.is_present:
        n_spikes = point.inhibition.spike_probability(point.simulation.dt)
        n_spikes *= point.inhibition.n_synapses
        seconds += _SECONDS_PER_INHIBITED_STEP + _SECONDS_PER_INHIBITORY_SPIKE * n_spikes
    neuron, synapse = point.neuron, point.synapse
    if neuron.noise:
        seconds += _SECONDS_PER_NOISY_STEP
    if neuron.theta_plus:
        seconds += _SECONDS_PER_ADAPTIVE_STEP
    if synapse.dendritic_delay:
        seconds += _SECONDS_PER_DELAYED_STEP
    if synapse.scaling_target is not None:
        seconds += _SECONDS_PER_SCALING * point.simulation.dt / synapse.scaling_interval
    if point.record.weight_interval is not None:
        samples = point.simulation.dt / point.record.weight_interval
        seconds += _SECONDS_PER_RECORDED * samples * point.input.n_synapses
    return seconds


def seconds_per_spike(n_synapses: int) -> float:
    """Return the estimated time [s] of LTP of all synapses in the compiled engine."""
    return 1e-7 + 1e-9 * n_synapses


def longest_seconds(points: Iterable[Configuration], engine: str) -> float:
    """Return the estimated time [s] of the longest simulation."""
    return max((estimated_seconds(point, engine) for point in _unlike_in_size(points)), default=0.0)


def _unlike_in_size(points: Iterable[Configuration]) -> list[Configuration]:
    """Return one point for each pair of input and time grid objects.

    Points of a grid share their sections, so few differ in run time and memory.
    """
    return list({(id(point.input), id(point.simulation)): point for point in points}.values())
