"""Input events and output spikes that the kernel is given, in place of what it draws and fires."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.engine.constants import Memory, State, StepConstants
from pipeline.model.checks import MOST_CELLS
from pipeline.model.inputs import Cells
from pipeline.model.state import EndState

_NO_SPIKES = np.empty(0, dtype=np.int64)


class GivenEvents:
    """Input events that are not drawn by the kernel, as they move through its buffer.

    Parameters
    ----------
    chunks : iterator of ndarray of int64, (n_events,)
        The events in time order: cells of the lattice, indices.
    n_cells : int
        Size of the lattice.
    checkpoint : callable
        Called after every chunk.
    """

    def __init__(
        self, chunks: Iterator[Cells], n_cells: int, checkpoint: Callable[[], None]
    ) -> None:
        self._chunks = chunks
        self._n_cells = n_cells
        self._checkpoint = checkpoint
        self._chunk = np.empty(0, dtype=np.int64)

    def refill(self, events: Cells, state: State) -> None:
        """Move the pending events to the front of the buffer and fill the rest with the next ones.

        Parameters
        ----------
        events : ndarray of int64, (2, n_buffered)
            Steps and synapses; indices, dimensionless. New events are cells, in place of their
            steps, with the cell after the last step behind the last event.
        state : State
            Its `event` is set to 0, `undivided` to the first new event.
        """
        n_buffered = events.shape[1]
        if events[0, -1] >= state.until:  # all steps up to before it are complete
            return
        filled = n_buffered - state.event
        events[:, :filled] = events[:, state.event :].copy()
        state.event, state.undivided = 0, filled
        while filled < n_buffered:
            part = self._chunk[: n_buffered - filled]
            events[0, filled : filled + part.size] = part
            filled += part.size
            self._chunk = self._chunk[part.size :]
            if not self._chunk.size:
                chunk = next(self._chunks, None)
                if chunk is None:
                    events[0, filled:] = self._n_cells
                    return
                self._chunk = chunk
                self._checkpoint()


class PrescribedSpikes:
    """Output spikes that are prescribed, for a kernel that only knows a threshold.

    The neuron never reaches its threshold (NaN), but for steps that are prescribed, where it is
    always above (minus infinity). Each of them is integrated on its own.

    Parameters
    ----------
    steps : ndarray of int64, (n_spikes,)
        Their steps, rising; indices, dimensionless.
    constants : StepConstants
        Its refractory period is set to none.
    state : State
        The state at the beginning; what is left of an earlier refractory period ends there.
    """

    def __init__(self, steps: NDArray[np.int64], constants: StepConstants, state: State) -> None:
        first = np.searchsorted(steps, state.step)
        self._steps = iter([*steps[first:].tolist(), MOST_CELLS])
        self._next = next(self._steps)
        self._V_reset = constants.V_reset
        constants.refractory_steps = 0
        state.free = min(state.free, state.step)

    def prepare(self, constants: StepConstants, state: State) -> None:
        """Set the threshold, and `state.until` to an earlier step where it must change there."""
        if self._next < state.step:
            self._next = next(self._steps)
        if self._next > state.step:
            constants.V_th = math.nan
            state.until = min(state.until, self._next)
        elif state.until > state.step:
            constants.V_th = -math.inf
            state.v = self._V_reset  # NaN, as of an unstable integration, would not be above
            state.until = state.step + 1


class SpikesOnWay:
    """Output spikes on their way to the synapses; none without a dendritic delay.

    Parameters
    ----------
    delay : int
        The delay [steps].
    start : EndState or None
        The state from which a run goes on.

    Attributes
    ----------
    steps : ndarray of int64, (n_spikes,)
        Steps of the latest output spikes, those on their way among them; indices, dimensionless.
    """

    def __init__(self, delay: int, start: EndState | None) -> None:
        self._delay = delay
        self.steps = _NO_SPIKES if start is None else start.spike_step

    def put(self, memory: Memory, state: State) -> int:
        """Place them before the output spikes to come; return how many they are."""
        state.n_spikes = state.n_returned = 0
        if self._delay:
            first = np.searchsorted(self.steps, state.step - self._delay)
            self.steps = self.steps[first:]
            memory.put_spikes(self.steps)
            state.n_spikes = self.steps.size
        return state.n_spikes
