"""Reference engine: clock-driven integration in numpy, the definition of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.arithmetic import fma
from pipeline.model.inputs import Cells, active_synapses
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import POST, PRE, Rule, clipped
from pipeline.model.sections import steps


@dataclass
class Recording:
    """Result of one run, as an engine returns it.

    Attributes
    ----------
    weight : ndarray, (n_synapses,)
        Final weights.
    spike_step : ndarray, (n_spikes,)
        Time steps of the output spikes.
    v : float
        Membrane potential at the end [mV].
    largest_g_ex : float
        Largest conductance of any step, but at least
        `Configuration.largest_stable_conductance`; relative to the leak, dimensionless.
    weight_history : ndarray, (n_samples, n_synapses)
        Weights after each interval of `record.weight_interval`; no rows when it is null.
    traces : dict of ndarray
        With `record.traces`: `v`, `g_ex` and the rule's postsynaptic traces of shape (n_steps,),
        its presynaptic traces and `weight_trace` of shape (n_steps, n_synapses). Within a step:
        potentials after the reset [mV], traces after their jump, weights after LTP and before LTD,
        `g_ex` at the step's start; all but `v` dimensionless.
    """

    weight: NDArray[np.float64]
    spike_step: NDArray[np.int64]
    v: float
    largest_g_ex: float
    weight_history: NDArray[np.float64]
    traces: dict[str, NDArray[np.float64]] = field(default_factory=dict)


#: Synapses times steps between two calls of `checkpoint`, a few milliseconds.
_CELLS_PER_STRETCH = 300_000


def run(
    configuration: Configuration,
    chunks: Iterator[Cells] | None = None,
    checkpoint: Callable[[], None] | None = None,
) -> Recording:
    """Integrate one neuron, driven by its input events.

    The code numbers the operations within a step in their order. The last step has no next state:
    it updates presynaptic traces only, neither weights nor potential, as in the notebook. The
    steps of potential and conductance are grouped so that each waits for one operation.

    Parameters
    ----------
    configuration : Configuration
        The parameters of the run.
    chunks : iterator of ndarray of int64, (n_events,), optional
        Input events in time order, in place of the configured ones: cells of the lattice, indices.
    checkpoint : callable, optional
        Called several times a second; its exceptions end the run.

    Returns
    -------
    Recording
        Weights (n_synapses,), spike steps (n_spikes,) and recorded arrays; see there for units.
    """
    neuron, synapse = configuration.neuron, configuration.synapse
    rule, dt = configuration.stdp.resolved(), configuration.simulation.dt
    n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
    refractory_steps = steps(neuron.t_ref, dt)
    last_step, stretch = n_steps - 1, max(1, _CELLS_PER_STRETCH // n_synapses)
    chunks, recorder = chunks or configuration.input_events(), _Recorder(configuration)
    v, g_ex, refractory, a = neuron.V_init, 0.0, 0, dt / neuron.tau_m
    largest_g_ex = configuration.largest_stable_conductance
    w = np.full(n_synapses, synapse.w_init)
    traces, fields = _Traces(rule, n_synapses, dt), rule.fields()

    for step, active in enumerate(active_synapses(chunks, n_synapses, n_steps)):
        recorder.sample(step, w)
        if checkpoint and step % stretch == 0:
            checkpoint()

        # 1. Presynaptic traces: dx/dt = -x/tau, a jump at an input spike.
        traces.decay_pre()
        if step > 0:
            traces.jump_pre(active)
        if step == last_step:
            break

        # 2. Output spike: none while refractory, else at threshold: reset and LTP of all synapses.
        spiked = False
        if refractory > 0:
            v = neuron.V_reset
            refractory -= 1
        elif v >= neuron.V_th:
            spiked = True
            recorder.spike_step.append(step)
            v = neuron.V_reset
            traces.jump_post()
            w = clipped(rule.potentiate(w, traces.of(...), fields))
            refractory = refractory_steps
        if recorder.traces:
            recorder.note(step, v=v, g_ex=g_ex, weight_trace=w, **traces.values)

        # 3. Conductance: dg/dt = -g/tau_ex, +g_max w at an input spike, w before this step's LTD.
        # 4. LTD of the synapses that spike; then postsynaptic traces: dx/dt = -x/tau.
        arriving = 0.0
        if active.size:
            w_active = w[active]
            arriving = w_active.sum()
            w[active] = clipped(rule.depress(w_active, traces.of(active), fields))
            if step > 0:
                traces.jump_pre(active, late=True)
        g_ex = fma(g_ex, 1 - dt / synapse.tau_ex, synapse.g_max * arriving)
        if spiked:
            traces.jump_post(late=True)
        traces.decay_post()

        # 5. Membrane potential: tau_m dv/dt = -(v - E_L) - g_ex (v - E_ex), one Euler step.
        largest_g_ex = max(largest_g_ex, g_ex)
        v = fma(v, 1 - a - a * g_ex, a * neuron.E_L + a * synapse.E_ex * g_ex)

    if recorder.traces:
        recorder.note(last_step, v=v, g_ex=g_ex, weight_trace=w, **traces.values)
    recorder.sample(n_steps, w)
    return recorder.recording(w, v, largest_g_ex)


class _Traces:
    """Traces of a rule, with access by attribute for `Rule.potentiate` and `Rule.depress`.

    Presynaptic traces are arrays `(n_synapses,)`, of which the synapses chosen by `of` are read;
    postsynaptic traces are scalars.
    """

    def __init__(self, rule: Rule, n_synapses: int, dt: float) -> None:
        pre, post = rule.traces_of(PRE), rule.traces_of(POST)
        factor = {name: 1 - dt / tau for name, tau in rule.time_constants().items()}
        self.values: dict[str, Any] = {name: np.zeros(n_synapses) for name in pre}
        self.values |= dict.fromkeys(post, 0.0)
        self._decay_pre = [(self.values[name], factor[name]) for name in pre]
        self._decay_post = [(name, factor[name]) for name in post]
        # Grouped by whether they are read before their jump.
        self._pre = {
            late: [(self.values[n], t.sets) for n, t in pre.items() if t.before_jump == late]
            for late in (False, True)
        }
        self._post = {
            late: [(n, t.sets) for n, t in post.items() if t.before_jump == late]
            for late in (False, True)
        }
        self._names_pre = frozenset(pre)
        self._active: Any = ...

    def __getattr__(self, name: str) -> Any:
        value = self.values[name]
        return value[self._active] if name in self._names_pre else value

    def of(self, active: Any) -> _Traces:
        """Choose the synapses whose presynaptic traces are read; `...` chooses all."""
        self._active = active
        return self

    def decay_pre(self) -> None:
        """Decay the presynaptic traces by one step."""
        for x, factor in self._decay_pre:
            np.multiply(x, factor, out=x)

    def decay_post(self) -> None:
        """Decay the postsynaptic traces by one step."""
        for name, factor in self._decay_post:
            self.values[name] *= factor

    def jump_pre(self, active: NDArray[np.int64], late: bool = False) -> None:
        """Apply the jumps of presynaptic traces read after the jump, or before it if `late`."""
        for x, sets in self._pre[late]:
            if sets:
                x[active] = 1
            else:
                x[active] += 1

    def jump_post(self, late: bool = False) -> None:
        """Apply the jumps of postsynaptic traces read after the jump, or before it if `late`."""
        for name, sets in self._post[late]:
            self.values[name] = 1.0 if sets else self.values[name] + 1


class _Recorder:
    """Stores the variables that `record` selects during the integration."""

    def __init__(self, configuration: Configuration) -> None:
        record, dt = configuration.record, configuration.simulation.dt
        n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
        interval = record.weight_interval
        self.sample_steps = 0 if interval is None else steps(interval, dt)
        self.spike_step: list[int] = []
        self.history: list[NDArray] = []
        self.traces: dict[str, NDArray] = {}
        if record.traces:
            rule, shape = configuration.stdp, (n_steps, n_synapses)
            self.traces |= {
                name: np.empty(n_steps) for name in ("v", "g_ex", *rule.traces_of(POST))
            }
            self.traces |= {
                name: np.empty(shape) for name in ("weight_trace", *rule.traces_of(PRE))
            }

    def sample(self, steps_done: int, w: NDArray) -> None:
        """Store the weights at the end of each sampling interval."""
        if self.sample_steps and steps_done and steps_done % self.sample_steps == 0:
            self.history.append(w.copy())

    def note(self, step: int, **state: float | NDArray) -> None:
        """Store the state variables of one step."""
        for name, value in state.items():
            self.traces[name][step] = value

    def recording(self, w: NDArray, v: float, largest_g_ex: float) -> Recording:
        """Return the stored variables as arrays."""
        return Recording(
            weight=w,
            spike_step=np.array(self.spike_step, dtype=np.int64),
            v=v,
            largest_g_ex=largest_g_ex,
            weight_history=np.reshape(self.history, (len(self.history), w.size)),
            traces=self.traces,
        )
