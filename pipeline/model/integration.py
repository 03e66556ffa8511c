"""What an engine is to the rest: an integration that advances, and the recording of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.model.parameters import Configuration
from pipeline.model.state import EndState

_NO_STEPS, _NO_SAMPLES = np.empty(0, dtype=np.int64), np.empty((0, 0))


@dataclass
class Recording:
    """Result of one run, as an engine returns it.

    Attributes
    ----------
    n_steps : int
        Time steps of the run.
    weight : ndarray, (n_synapses,)
        Final weights.
    spike_step : ndarray, (n_spikes,)
        Time steps of the output spikes.
    v : float
        Membrane potential at the end [mV].
    largest_g : float
        Largest sum of the conductances of any step, but at least
        `Configuration.largest_stable_conductance`; relative to the leak, dimensionless.
    sample_step : ndarray of int64, (n_samples,)
        Steps after which the weights were sampled; set by what advances the integration.
    weight_history : ndarray, (n_samples, n_synapses)
        Weights at these; of a run that goes on from a state, those after it. Set likewise.
    traces : dict of ndarray
        With `record.traces`: `v`, `g_ex`, with inhibition `g_in`, with an adaptive threshold
        `theta` [mV], and the rule's postsynaptic
        traces of shape (n_steps,), its presynaptic traces and `weight_trace` of shape (n_steps,
        n_synapses). Within a step: potentials after the reset [mV], traces after their jump,
        weights after LTP and before LTD, conductances at the step's start; all but `v` and
        `theta` dimensionless.
    further : dict
        Variables of the point that only this kind of run has, by the names in
        `variables.VARIABLES`, with its units.
    state : EndState or None
        The state at the end, where it is kept.
    """

    n_steps: int
    weight: NDArray[np.float64]
    spike_step: NDArray[np.int64]
    v: float
    largest_g: float
    sample_step: NDArray[np.int64] = field(default_factory=lambda: _NO_STEPS)
    weight_history: NDArray[np.float64] = field(default_factory=lambda: _NO_SAMPLES)
    traces: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    further: dict[str, float] = field(default_factory=dict)
    state: EndState | None = None


class Integration(Protocol):
    """A run in progress.

    Attributes
    ----------
    start : EndState or None
        The state from which it went on.
    """

    start: EndState | None

    @property
    def step(self) -> int:
        """The next step."""
        ...

    def advance(self, stop: int, sample_step: Sequence[int] = ()) -> NDArray[np.float64]:
        """Integrate the steps up to before `stop`.

        Parameters
        ----------
        stop : int
            A step, not before the next one.
        sample_step : sequence of int
            Numbers of steps after which the weights are sampled, rising, not before the next step
            and not after `stop`.

        Returns
        -------
        ndarray, (n_samples, n_synapses)
            The weights at each of these, dimensionless.
        """
        ...

    @property
    def n_spikes(self) -> int:
        """Number of output spikes so far, those in the state from which it went on too."""
        ...

    def scale(self, factor: float) -> None:
        """Multiply all weights by a factor, and clip them at 1."""
        ...

    def spikes(self) -> NDArray[np.int64]:
        """Return the steps of all output spikes so far.

        Returns
        -------
        ndarray of int64, (n_spikes,)
            Rising; indices, dimensionless.
        """
        ...

    def state(self) -> EndState:
        """Return the state before the next step."""
        ...

    def recording(self, n_steps: int) -> Recording:
        """Return the recording of a run of some steps, of which all but the last were taken."""
        ...


class Phase:
    """An integration that goes on from a state, with steps that are counted from there.

    Parameters
    ----------
    whole : Integration
        The integration; its state has no output spikes before it but those on their way to the
        synapses, and those since the last scaling.
    """

    start: EndState | None = None

    def __init__(self, whole: Integration) -> None:
        self._whole, self._first = whole, whole.step

    @property
    def step(self) -> int:
        """The next step."""
        return self._whole.step - self._first

    @property
    def n_spikes(self) -> int:
        """Number of output spikes so far, those of the state too."""
        return self._whole.n_spikes

    def scale(self, factor: float) -> None:
        """Multiply the weights; see `Integration.scale`."""
        self._whole.scale(factor)

    def advance(self, stop: int, sample_step: Sequence[int] = ()) -> NDArray[np.float64]:
        """Integrate the steps up to before `stop`; see `Integration.advance`.

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
        first = self._first
        return self._whole.advance(stop + first, [step + first for step in sample_step])

    def spikes(self) -> NDArray[np.int64]:
        """Return the steps of all output spikes so far.

        Returns
        -------
        ndarray of int64, (n_spikes,)
            Rising; indices, dimensionless.
        """
        spikes = self._whole.spikes() - self._first
        return spikes[np.searchsorted(spikes, 0) :]

    def state(self) -> EndState:
        """Return the state before the next step, whose steps are those of the whole."""
        return self._whole.state()

    def recording(self, n_steps: int) -> Recording:
        """Return the recording of a run of some steps, of which all but the last were taken."""
        recording = self._whole.recording(n_steps)
        recording.spike_step = self.spikes()
        return recording


def run_to_end(integration: Integration, configuration: Configuration) -> Recording:
    """Integrate until the end of the configured duration.

    The last step has no next state: it is not taken. The run that goes on from here begins with it,
    and takes the sample of the last step again.
    """
    n_steps, sample_step = configuration.simulation.n_steps, configuration.sample_steps()
    new: list[int] = []
    if sample_step.size:
        new = np.minimum(sample_step[sample_step > integration.step], n_steps - 1).tolist()
    history = integration.advance(n_steps - 1, new)
    recording = integration.recording(n_steps)
    recording.sample_step, recording.weight_history = sample_step, history
    if configuration.keeps_state:
        recording.state = integration.state()
    return recording
