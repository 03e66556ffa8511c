"""Homeostatic scaling: all weights are multiplied towards a target rate of the output.

It acts between time steps, at intervals, so that neither engine knows of it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.model.integration import Integration, Recording
from pipeline.model.sections import steps
from pipeline.model.state import EndState

if TYPE_CHECKING:
    from pipeline.model.parameters import Configuration


def with_scaling(integration: Integration, configuration: Configuration) -> Integration:
    """Return a run in progress with the homeostatic scaling of its configuration, if any."""
    if configuration.synapse.scaling_target is None:
        return integration
    return ScaledIntegration(integration, configuration)


class ScaledIntegration:
    """An integration between whose steps the weights are scaled.

    Before each step m n, with n steps in an interval and m = 1, 2, ..., the estimate r of the
    output rate takes up the rate of the interval, r -> r q + (1 - q) count / interval with
    q = exp(-interval / tau), from r = target at the beginning; then each weight is multiplied by
    exp(gain (target - r) interval), and clipped at 1. That integrates dw/dt = gain w (target - r),
    the proportional part of van Rossum, Bi & Turrigiano 2000 (J. Neurosci. 20:8812), exactly
    for a rate that is constant between two scalings.

    Parameters
    ----------
    whole : Integration
        A run in progress.
    configuration : Configuration
        Its parameters.
    """

    def __init__(self, whole: Integration, configuration: Configuration) -> None:
        synapse, target = configuration.synapse, configuration.synapse.scaling_target or 0.0
        self._whole, self.start = whole, whole.start
        self._every = steps(synapse.scaling_interval, configuration.simulation.dt)
        self._target, self._seconds = target, synapse.scaling_interval / 1000
        self._gain = synapse.scaling_gain
        self._kept = math.exp(-synapse.scaling_interval / synapse.tau_scaling)
        self._rate, self._n_before = target, 0
        if whole.start is not None:
            self._rate = whole.start.rate_estimate
            last = (max(0, whole.step - 1)) // self._every * self._every  # scaling that was done
            self._n_before = int(np.searchsorted(whole.start.spike_step, last))

    @property
    def step(self) -> int:
        """The next step."""
        return self._whole.step

    @property
    def n_spikes(self) -> int:
        """Number of output spikes so far, as of `Integration`."""
        return self._whole.n_spikes

    def advance(self, stop: int, sample_step: Sequence[int] = ()) -> NDArray[np.float64]:
        """Integrate the steps up to before `stop`; see `Integration.advance`.

        A sample before a step in which weights are scaled has those before it.

        Parameters
        ----------
        stop : int
            A step.
        sample_step : sequence of int
            Numbers of steps after which the weights are sampled.

        Returns
        -------
        ndarray, (n_samples, n_synapses)
            The weights at each of these, dimensionless.
        """
        samples = np.array(sample_step, dtype=np.int64)
        n_now = int(np.searchsorted(samples, self.step, "right"))
        parts, n_taken = [self._whole.advance(self.step, samples[:n_now].tolist())], n_now
        while self.step < stop:
            if self.step and self.step % self._every == 0:
                self._scale()
            end = min(stop, (self.step // self._every + 1) * self._every)
            n_now = int(np.searchsorted(samples, end, "right"))
            parts.append(self._whole.advance(end, samples[n_taken:n_now].tolist()))
            n_taken = n_now
        return np.concatenate(parts)

    def _scale(self) -> None:
        """Estimate the rate, and scale the weights by it."""
        n_spikes = self._whole.n_spikes
        rate, self._n_before = (n_spikes - self._n_before) / self._seconds, n_spikes
        self._rate = self._rate * self._kept + (1 - self._kept) * rate
        self._whole.scale(math.exp(self._gain * (self._target - self._rate) * self._seconds))

    def scale(self, factor: float) -> None:
        """Multiply the weights; see `Integration.scale`."""
        self._whole.scale(factor)

    def spikes(self) -> NDArray[np.int64]:
        """Return the steps of all output spikes so far.

        Returns
        -------
        ndarray of int64, (n_spikes,)
            Rising; indices, dimensionless.
        """
        return self._whole.spikes()

    def state(self) -> EndState:
        """Return the state before the next step, before a scaling that is due there."""
        return dataclasses.replace(self._whole.state(), rate_estimate=self._rate)

    def recording(self, n_steps: int) -> Recording:
        """Return the recording of a run of some steps, of which all but the last were taken."""
        return self._whole.recording(n_steps)
