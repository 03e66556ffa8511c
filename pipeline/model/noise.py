"""Membrane noise: independent normal variates of each time step, from a stream of the seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.model.streams import Stream, exponentials, normal, stream_of, uniform, words

if TYPE_CHECKING:
    from pipeline.model.parameters import Configuration

#: Number (spawn key) of the random stream of a seed; see `inputs.INPUT_STREAM`.
NOISE_STREAM = 3

#: Steps whose noise the reference draws at once.
_BLOCK = 4_096


def noise_scale(configuration: Configuration) -> float:
    """Return the standard deviation of what noise adds to the potential in a time step [mV].

    sigma sqrt(2 dt / tau_m), the Euler-Maruyama scheme of
    tau_m dv/dt = ... + sigma sqrt(2 tau_m) xi (Gardiner 2009, Stochastic Methods, 10.2).
    """
    neuron = configuration.neuron
    return neuron.noise * math.sqrt(2 * configuration.simulation.dt / neuron.tau_m)


def noise_of_steps(configuration: Configuration, first: int, count: int) -> NDArray[np.float64]:
    """Return what noise adds to the potential in consecutive time steps.

    Variate k of the stream, of its words 2k and 2k + 1, is that of step k of any run of the seed.

    Parameters
    ----------
    configuration : Configuration
        The parameters of the run.
    first, count : int
        The first step, and how many.

    Returns
    -------
    ndarray, (count,)
        Independent and normal, of mean 0 [mV].
    """
    stream = stream_of(configuration.input_seed, NOISE_STREAM)
    even = Stream(stream.start, 2 * stream.increment % 2**64)
    odd = even._replace(start=(stream.start + stream.increment) % 2**64)
    variates = normal(exponentials(even, first, count), uniform(words(odd, first, count)))
    variates *= noise_scale(configuration)
    return variates


class MembraneNoise:
    """Noise step by step, for the reference; 0 without.

    Parameters
    ----------
    configuration : Configuration
        The parameters of the run.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._first, self._block = 0, np.empty(0)

    def at(self, step: int) -> float:
        """Return what is added to the potential in a step [mV]."""
        if not self._configuration.neuron.noise:
            return 0.0
        if not self._first <= step < self._first + self._block.size:
            self._first = step
            self._block = noise_of_steps(self._configuration, step, _BLOCK)
        return float(self._block[step - self._first])
