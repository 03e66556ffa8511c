"""Reference engine: clock-driven integration in numpy, the definition of the model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.arithmetic import fma
from pipeline.model.checks import MOST_CELLS
from pipeline.model.dense_traces import DenseTraces
from pipeline.model.initial_weights import initial_weights
from pipeline.model.inputs import Cells
from pipeline.model.integration import Integration, Recording, run_to_end
from pipeline.model.lattice import active_synapses
from pipeline.model.noise import MembraneNoise
from pipeline.model.output_spikes import configured_output_steps
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import POST, PRE, clipped
from pipeline.model.scaling import with_scaling
from pipeline.model.sections import steps
from pipeline.model.state import UNKNOWN, EndState

#: Synapses times steps between two calls of `checkpoint`, a few milliseconds.
_CELLS_PER_STRETCH = 300_000


def run(
    configuration: Configuration,
    chunks: Iterator[Cells] | None = None,
    checkpoint: Callable[[], None] | None = None,
    start: EndState | None = None,
    drive: Callable[[Integration, Configuration], Recording] = run_to_end,
    output_steps: NDArray[np.int64] | None = None,
) -> Recording:
    """Integrate one neuron, driven by its input events.

    Parameters
    ----------
    configuration : Configuration
        The parameters of the run.
    chunks : iterator of ndarray of int64, (n_events,), optional
        Input events in time order, in place of the configured ones: cells of the lattice, indices.
    checkpoint : callable, optional
        Called several times a second; its exceptions end the run.
    start : EndState, optional
        The state from which the run goes on.
    drive : callable
        Advances the integration to its end, and returns the recording.
    output_steps : ndarray of int64, (n_spikes,), optional
        Output spikes in place of the neuron's own or those of the process: rising steps, indices.

    Returns
    -------
    Recording
        Weights (n_synapses,), spike steps (n_spikes,) and recorded arrays; see there for units.
    """
    integration = ReferenceIntegration(configuration, chunks, checkpoint, start, output_steps)
    return drive(with_scaling(integration, configuration), configuration)


class ReferenceIntegration:
    """The model, step by step.

    The code numbers the operations within a step in their order. The last step of a run has no next
    state: it updates presynaptic traces only, neither weights nor potential, as in the notebook.
    The steps of potential and conductance are grouped so that each waits for one operation.

    Parameters
    ----------
    configuration, chunks, checkpoint, start, output_steps
        As of `run`.
    """

    def __init__(
        self,
        configuration: Configuration,
        chunks: Iterator[Cells] | None = None,
        checkpoint: Callable[[], None] | None = None,
        start: EndState | None = None,
        output_steps: NDArray[np.int64] | None = None,
    ) -> None:
        n_synapses, dt = configuration.input.n_synapses, configuration.simulation.dt
        self._configuration, self._checkpoint = configuration, checkpoint
        self._counts_events = chunks is None and configuration.input.bernoulli
        self._rule = configuration.stdp.resolved()
        self._fields = self._rule.fields()
        self._recorder = _Recorder(configuration, start.step if start else 0)
        self._traces = DenseTraces(self._rule, n_synapses, dt)
        self._refractory_steps = steps(configuration.neuron.t_ref, dt)
        self._a = dt / configuration.neuron.tau_m
        self.step, self._free, self._n_events = 0, 0, 0
        self._next_cell = configuration.axonal_cells
        self._delay = configuration.synapse.delay_steps(dt)[1]
        self._on_way: deque[int] = deque()  # steps in which output spikes arrive at the synapses
        self._v, self._g_ex = configuration.neuron.V_init, 0.0
        self._largest_g = configuration.largest_stable_conductance
        self._inhibition = _Inhibition(configuration, start)
        self._noise, self._theta = MembraneNoise(configuration), 0.0
        self._decay_theta = 1 - dt / configuration.neuron.tau_theta
        self._w = initial_weights(configuration)
        self._spike_step: list[int] = []
        self.start = start
        if start is not None:
            self._go_on_from(start)
        self._first = self.step
        if output_steps is None:
            output_steps = configured_output_steps(configuration, start)
        self._prescribed = None if output_steps is None else frozenset(output_steps.tolist())
        if self._prescribed is not None:  # no refractory period, nor the rest of an earlier one
            self._refractory_steps, self._free = 0, min(self._free, self.step)
        chunks = configuration.input_events(start) if chunks is None else chunks
        lattice = MOST_CELLS // n_synapses
        self._active = active_synapses(chunks, n_synapses, lattice, self.step)

    def _go_on_from(self, start: EndState) -> None:
        self.step, self._free = start.step, start.free
        self._n_events, self._next_cell = start.n_events, start.next_cell
        self._v, self._g_ex, self._largest_g = start.v, start.g_ex, start.largest_g
        self._theta = start.theta
        self._w = start.weight.copy()
        self._spike_step = start.spike_step.tolist()
        arrivals = start.spike_step + self._delay
        self._on_way.extend(arrivals[arrivals >= start.step].tolist())
        self._traces.set(start.pre, start.post, start.step - 1 - start.base)

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
        synapse, dt = self._configuration.synapse, self._configuration.simulation.dt
        n_synapses = self._w.size
        rule, traces, recorder = self._rule, self._traces, self._recorder
        inhibition = self._inhibition
        fields, on_way = self._fields, self._on_way
        stretch = max(1, _CELLS_PER_STRETCH // n_synapses)
        v, g_ex, w, largest_g = self._v, self._g_ex, self._w, self._largest_g
        samples, sampling = [], iter([*sample_step, None])
        next_sample = next(sampling)

        for step in range(self.step, stop):
            if step == next_sample:
                samples.append(w.copy())
                next_sample = next(sampling)
            if self._checkpoint and step % stretch == 0:
                self._checkpoint()
            active = next(self._active)

            # 1. Presynaptic traces: dx/dt = -x/tau, a jump at an input spike.
            self._move_pre(step, active)

            # 2. Output spike: where prescribed, else at threshold unless refractory: reset. LTP of
            #    all synapses where it arrives, in the same step without a dendritic delay.
            v = self._reset(step, v)
            returned = bool(on_way) and on_way[0] == step
            if returned:
                on_way.popleft()
                traces.jump_post()
                w = clipped(rule.potentiate(w, traces.of(...), fields))
            if recorder.traces:
                self._record(step, v, g_ex, w)

            # 3. Conductances: dg/dt = -g/tau_ex, +g_max w at an input spike, w before its LTD;
            #    dg_in/dt = -g_in/tau_in, +g at an inhibitory spike. Likewise the threshold's rise:
            #    dtheta/dt = -theta/tau_theta, +theta_plus at an output spike.
            # 4. LTD of the synapses that spike; then postsynaptic traces: dx/dt = -x/tau.
            arriving = self._receive(step, active, w)
            g_ex = fma(g_ex, 1 - dt / synapse.tau_ex, synapse.g_max * arriving)
            g_in = inhibition.advance(step)
            self._theta *= self._decay_theta
            if returned:
                traces.jump_post(late=True)
            traces.decay_post()

            # 5. Membrane potential.
            largest_g = max(largest_g, g_ex + g_in)
            v = self._potential(v, g_ex, g_in, self._noise.at(step))

        self.step = max(stop, self.step)
        self._v, self._g_ex, self._w, self._largest_g = v, g_ex, w, largest_g
        samples += [w.copy()] * (len(sample_step) - len(samples))
        return np.reshape(samples, (len(samples), n_synapses))

    def _reset(self, step: int, v: float) -> float:
        """Fire where prescribed, else at threshold unless refractory; return the potential."""
        neuron = self._configuration.neuron
        if self._prescribed is None:
            spiked = step >= self._free and v >= neuron.V_th + self._theta
        else:
            spiked = step in self._prescribed
        if spiked:
            self._spike_step.append(step)
            self._on_way.append(step + self._delay)
            self._theta += neuron.theta_plus
            self._free = step + 1 + self._refractory_steps
        return neuron.V_reset if step < self._free else v

    def _record(self, step: int, v: float, g_ex: float, w: NDArray[np.float64]) -> None:
        """Store the state variables of one step, with the weights (n_synapses,), dimensionless."""
        values: dict[str, Any] = {"v": v, "g_ex": g_ex, "weight_trace": w}
        values |= {"g_in": self._inhibition.g_in, "theta": self._theta}
        self._recorder.note(step, **values, **self._traces.values)

    def _potential(self, v: float, g_ex: float, g_in: float, noise: float) -> float:
        """Return the potential after one Euler step with some conductances, and noise.

        tau_m dv/dt = -(v - E_L) - g_ex (v - E_ex) - g_in (v - E_in) + sigma sqrt(2 tau_m) xi
        """
        neuron, a = self._configuration.neuron, self._a
        E_ex, E_in = self._configuration.synapse.E_ex, self._configuration.inhibition.E_in
        target = a * neuron.E_L + a * E_ex * g_ex + a * E_in * g_in
        return fma(v, 1 - a - a * g_ex - a * g_in, target + noise)

    def _receive(self, step: int, active: NDArray[np.int64], w: NDArray[np.float64]) -> float:
        """Apply the LTD of the synapses that spike; return the sum of their weights before it."""
        if not active.size:
            return 0.0
        rule, traces, w_active = self._rule, self._traces, w[active]
        w[active] = clipped(rule.depress(w_active, traces.of(active), self._fields))
        if step > 0 and traces.has_late_pre:
            traces.jump_pre(active, late=True)
        self._n_events += active.size
        self._next_cell = step * w.size + int(active[-1]) + 1
        return float(np.add.reduce(w_active))  # the method's wrapper takes as long again

    def _move_pre(self, step: int, active: NDArray[np.int64]) -> None:
        """Decay the presynaptic traces to a step, and apply its jumps that are read after them."""
        if step > self._first:  # a state has decayed traces
            self._traces.decay_pre()
        if step > 0:
            self._traces.jump_pre(active)

    @property
    def n_spikes(self) -> int:
        """Number of output spikes so far."""
        return len(self._spike_step)

    def scale(self, factor: float) -> None:
        """Multiply all weights by a factor, and clip them at 1."""
        self._w = np.minimum(self._w * factor, 1.0)

    def spikes(self) -> NDArray[np.int64]:
        """Return the steps of all output spikes so far.

        Returns
        -------
        ndarray of int64, (n_spikes,)
            Rising; indices, dimensionless.
        """
        return np.array(self._spike_step, dtype=np.int64)

    def state(self) -> EndState:
        """Return the state before the next step."""
        pre, post = self._traces.decayed(self.step > self._first)
        position = (self._n_events, self._next_cell) if self._counts_events else (UNKNOWN,) * 2
        return EndState(
            self.step,
            self._free,
            max(0, self.step - 1),
            *position,
            self._v,
            self._g_ex,
            self._largest_g,
            self._w.copy(),
            pre,
            post,
            self.spikes(),
            n_inhibitory=self._inhibition.n_events,
            next_inhibitory_cell=self._inhibition.next_cell,
            g_in=self._inhibition.g_in,
            theta=self._theta,
        )

    def recording(self, n_steps: int) -> Recording:
        """Return the recording of a run of some steps, of which all but the last were taken."""
        if self._recorder.traces:
            self._move_pre(self.step, next(self._active))
            self._record(self.step, self._v, self._g_ex, self._w)
        return Recording(
            n_steps=n_steps,
            weight=self._w.copy(),
            spike_step=self.spikes(),
            v=self._v,
            largest_g=self._largest_g,
            traces=self._recorder.traces,
        )


class _Inhibition:
    """Conductance of the inhibitory population; always 0 without."""

    def __init__(self, configuration: Configuration, start: EndState | None) -> None:
        inhibition, dt = configuration.inhibition, configuration.simulation.dt
        self._n_synapses, self._g = inhibition.n_synapses, inhibition.g
        self._decay = 1 - dt / inhibition.tau_in
        self.g_in, self.n_events, self.next_cell = 0.0, 0, 0
        if start is not None:
            self.g_in, self.n_events = start.g_in, start.n_inhibitory
            self.next_cell = start.next_inhibitory_cell
        if self._n_synapses:
            lattice, first = MOST_CELLS // self._n_synapses, start.step if start else 0
            events = configuration.inhibitory_events(start)
            self._active = active_synapses(events, self._n_synapses, lattice, first)

    def advance(self, step: int) -> float:
        """Return the conductance after the decay of a step and its spikes."""
        if not self._n_synapses:
            return 0.0
        active = next(self._active)
        if active.size:
            self.n_events += active.size
            self.next_cell = step * self._n_synapses + int(active[-1]) + 1
        self.g_in = fma(self.g_in, self._decay, self._g * active.size)
        return self.g_in


class _Recorder:
    """Stores the state variables of every step, if `record.traces` selects them."""

    def __init__(self, configuration: Configuration, first: int) -> None:
        n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
        self._first = first
        self.traces: dict[str, NDArray] = {}
        if configuration.record.traces:
            rule, shape = configuration.stdp, (n_steps, n_synapses)
            scalars = ["v", "g_ex", *rule.traces_of(POST)]
            scalars += ["g_in"] if configuration.inhibition.is_present else []
            scalars += ["theta"] if configuration.neuron.theta_plus else []
            self.traces |= {name: np.empty(n_steps) for name in scalars}
            self.traces |= {
                name: np.empty(shape) for name in ("weight_trace", *rule.traces_of(PRE))
            }

    def note(self, step: int, **state: float | NDArray) -> None:
        """Store the state variables of one step."""
        for name in self.traces:
            self.traces[name][step - self._first] = state[name]
