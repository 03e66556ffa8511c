"""Runs that end when they have settled, by the criterion of `analysis.measures.stationarity`."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from analysis.measures import stationarity
from analysis.measures.stationarity import STATIONARY, Windows
from pipeline.model.integration import Integration, Recording
from pipeline.model.looks import SAMPLES_PER_LOOK, looks_until, sample_times
from pipeline.model.parameters import Configuration
from pipeline.model.rule_steps import gross_step_per_spike
from pipeline.model.sections import steps
from pipeline.model.variables import CANNOT_FIRE, FLAGS, LATE_STATISTICS

#: Samples that the criterion looks at: of three doublings of time, and the one before them.
_N_KEPT = 3 * SAMPLES_PER_LOOK + 1


def run_until_settled(integration: Integration, configuration: Configuration) -> Recording:
    """Integrate until the criterion holds, at most for the configured duration.

    Parameters
    ----------
    integration : Integration
        A run at its beginning, or that goes on from the state of a run that had not settled.
    configuration : Configuration
        The parameters of the run.

    Returns
    -------
    Recording
        Its `further` has what only such a run has, its state the samples that were looked at last.
    """
    run = _Run(integration, configuration)
    answer = stationarity.NOT_SETTLED
    for look in looks_until(configuration.simulation.duration):
        if steps(look, configuration.simulation.dt) - 1 > integration.step:
            run.advance_to(look)
            if look >= configuration.settle.minimum:
                answer = run.answer()
            if answer in (*STATIONARY, CANNOT_FIRE):
                break
    return run.recording(answer)


class _Run:
    """A run in progress, and the statistics of its last samples.

    The run is looked at after the times of `looks`. As a run of that length does not take its last
    step, the sample there is taken before it, whether the run ends there or goes on.
    """

    def __init__(self, integration: Integration, configuration: Configuration) -> None:
        simulation, inputs = configuration.simulation, configuration.input
        self._integration, self._configuration = integration, configuration
        self._times, self._steps = _samples_until(simulation.duration, simulation.dt)
        self._step_per_spike = gross_step_per_spike(
            configuration.stdp, inputs.spike_probability(simulation.dt) * 1000 / simulation.dt
        )
        #: Number of samples taken, by this run or before its state.
        n_steps = integration.step + 1 if integration.step else 0
        self._n_taken = self._n_before = int(np.searchsorted(self._steps, n_steps, "right"))
        start = integration.start
        self._rows = np.empty((0, 0)) if start is None else start.samples
        self._weights: list[NDArray[np.float64]] = []
        self._n_steps = 0
        self._windows: Windows | None = None

    def advance_to(self, look: float) -> None:
        """Integrate to a time [ms], and sample the weights."""
        self._n_steps = steps(look, self._configuration.simulation.dt)
        end = int(np.searchsorted(self._steps, self._n_steps, "right"))
        new = np.minimum(self._steps[self._n_taken : end], self._n_steps - 1)
        weights = self._integration.advance(self._n_steps - 1, new.tolist())
        rows = stationarity.weight_statistics(weights)
        self._rows = np.concatenate([self._rows.reshape(-1, rows.shape[1]), rows])[-_N_KEPT:]
        if self._configuration.record.weight_interval is not None:
            self._weights.append(weights)
        self._n_taken = end

    def answer(self) -> str:
        """Return whether the run has settled, one of `stationarity.ANSWERS` or `CANNOT_FIRE`."""
        first = self._n_taken - len(self._rows)
        dt = self._configuration.simulation.dt
        bounds = np.concatenate([[0], self._steps])[first : self._n_taken + 1]
        counts = np.diff(np.searchsorted(self._integration.spikes(), bounds))
        times, rates = self._times[first : self._n_taken], 1000 * counts / (np.diff(bounds) * dt)
        self._windows = stationarity.compared(times, rates, self._rows, self._step_per_spike)
        is_silent = not self._integration.spikes().size  # unless output spikes are prescribed
        if is_silent and _cannot_fire(self._configuration):
            return CANNOT_FIRE
        return stationarity.judged(self._windows, self._configuration.settle.tolerance).answer

    def recording(self, answer: str) -> Recording:
        """Return the recording of the run, with its answer."""
        recording = self._integration.recording(self._n_steps)
        duration = self._times[self._n_taken - 1].item()
        recording.further = {
            "run_duration": duration,
            "settled": FLAGS.index(answer),
            **_late_statistics(self._windows),
        }
        interval = self._configuration.record.weight_interval
        if interval is not None:
            kept = np.isin(self._times[: self._n_taken], sample_times(duration, interval))
            recording.sample_step = self._steps[: self._n_taken][kept]
            new = kept[self._n_before :]
            recording.weight_history = np.concatenate(self._weights)[new]
        if self._configuration.keeps_state:
            recording.state = self._integration.state().with_samples(self._rows)
        return recording


@functools.lru_cache(maxsize=64)
def _samples_until(limit: float, dt: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return times [ms] and steps of all samples up to a limit [ms], (n_samples,) each."""
    times = sample_times(limit)
    return times, np.array([steps(time, dt) for time in times.tolist()])


def _cannot_fire(configuration: Configuration) -> bool:
    """Whether the threshold is out of reach, as no input arrives."""
    neuron, synapse, dt = configuration.neuron, configuration.synapse, configuration.simulation.dt
    inhibition = configuration.inhibition
    is_driven = synapse.g_max > 0 and configuration.input.spike_probability(dt) > 0
    lowers = not inhibition.is_present or inhibition.E_in < neuron.V_th
    is_driven = is_driven or neuron.noise > 0
    return not is_driven and lowers and max(neuron.E_L, neuron.V_init) < neuron.V_th


def _late_statistics(windows: Windows | None) -> dict[str, float]:
    """Return the means over the last half of the run, and their standard errors."""
    if windows is None:
        return {}
    means, errors = windows.means[0].tolist(), windows.error.tolist()
    if not windows.firing:
        errors[0] = np.nan  # of no spike, batches tell nothing
    further = {}
    for column, name in enumerate(LATE_STATISTICS):
        further[f"{name}_error"] = errors[column]
        if column:  # the rate is that of every run
            further[name] = means[column]
    return further
