"""The numpy core: the dense time-step loop. This is the definition of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.model.inputs import Cells, active_synapses, spike_cells
from pipeline.model.parameters import Configuration, steps
from pipeline.model.plasticity import depress, potentiate


@dataclass
class Recording:
    """What one run leaves behind.

    Attributes
    ----------
    weight : ndarray, (n_synapses,)
        Final weights.
    spike_step : ndarray, (n_spikes,)
        Time steps of the output spikes.
    v : float
        Membrane potential at the end [mV].
    weight_history : ndarray, (n_samples, n_synapses)
        Weights after each interval of `record.weight_interval`; no rows when it is null.
    traces : dict of ndarray
        With `record.traces`: `v`, `g_ex`, `x_post` of shape (n_steps,) and `x_pre`, `weight_trace`
        of shape (n_steps, n_synapses), as they stand in a step after its spikes: potentials after
        the reset, traces after their jump, weights after LTP and before LTD, `g_ex` at the step's
        start.
    """

    weight: NDArray[np.float64]
    spike_step: NDArray[np.int64]
    v: float
    weight_history: NDArray[np.float64]
    traces: dict[str, NDArray[np.float64]] = field(default_factory=dict)


#: Synapses times steps between two calls of `checkpoint`: some milliseconds.
_CELLS_PER_STRETCH = 300_000


def run(
    configuration: Configuration,
    chunks: Iterator[Cells] | None = None,
    checkpoint: Callable[[], None] | None = None,
) -> Recording:
    """Integrate one neuron over its input events, the configured ones unless others are given.

    `checkpoint` is called now and then; whatever it raises ends the run.

    The order within a step is the numbered one below. The last step has spikes and traces but no
    next state to write, so it changes neither weights nor potential; as in the notebook.
    """
    neuron, synapse = configuration.neuron, configuration.synapse
    stdp, dt = configuration.stdp.resolved(), configuration.simulation.dt
    n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
    refractory_steps = steps(neuron.t_ref, dt)
    last_step = n_steps - 1
    stretch = max(1, _CELLS_PER_STRETCH // n_synapses)
    chunks = spike_cells(configuration) if chunks is None else chunks
    recorder = _Recorder(configuration)

    v, g_ex, x_post, refractory = neuron.V_init, 0.0, 0.0, 0
    w = np.full(n_synapses, synapse.w_init)
    x_pre = np.zeros(n_synapses)

    for step, active in enumerate(active_synapses(chunks, n_synapses, n_steps)):
        recorder.sample(step, w)
        if checkpoint and step % stretch == 0:
            checkpoint()

        # 1. Presynaptic traces: dx/dt = -x/tau_plus, +1 at an input spike.
        x_pre *= 1 - dt / stdp.tau_plus
        if step > 0:
            x_pre[active] += 1
        if step == last_step:
            break

        # 2. Membrane's spike: silent while refractory, else reset and LTP of every synapse.
        if refractory > 0:
            v = neuron.V_reset
            refractory -= 1
        elif v >= neuron.V_th:
            recorder.spike_step.append(step)
            v = neuron.V_reset
            x_post += 1
            potentiate(w, x_pre, stdp.A_plus)
            refractory = refractory_steps
        if recorder.traces:
            recorder.note(step, v=v, g_ex=g_ex, x_post=x_post, x_pre=x_pre, weight_trace=w)

        # 3. Conductance: dg/dt = -g/tau_ex, +g_max w at an input spike, w before this step's LTD.
        g_ex *= 1 - dt / synapse.tau_ex
        w_active = w[active]
        g_ex += synapse.g_max * w_active.sum()

        # 4. LTD of the synapses that spike, by the trace of output spikes: dx/dt = -x/tau_minus.
        w[active] = depress(w_active, x_post, stdp.A_minus)
        x_post *= 1 - dt / stdp.tau_minus

        # 5. Membrane potential: tau_m dv/dt = -(v - E_L) - g_ex (v - E_ex), one Euler step.
        v += dt / neuron.tau_m * (-(v - neuron.E_L) - g_ex * (v - synapse.E_ex))

    if recorder.traces:
        recorder.note(last_step, v=v, g_ex=g_ex, x_post=x_post, x_pre=x_pre, weight_trace=w)
    recorder.sample(n_steps, w)
    return recorder.recording(w, v)


class _Recorder:
    """Collects what `record` asks for while the loop runs."""

    def __init__(self, configuration: Configuration) -> None:
        record, dt = configuration.record, configuration.simulation.dt
        n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
        interval = record.weight_interval
        self.sample_steps = 0 if interval is None else steps(interval, dt)
        self.spike_step: list[int] = []
        self.history: list[NDArray] = []
        self.traces: dict[str, NDArray] = {}
        if record.traces:
            self.traces |= {name: np.empty(n_steps) for name in ("v", "g_ex", "x_post")}
            shape = (n_steps, n_synapses)
            self.traces |= {name: np.empty(shape) for name in ("x_pre", "weight_trace")}

    def sample(self, steps_done: int, w: NDArray) -> None:
        """Keep the weights whenever an interval has passed."""
        if self.sample_steps and steps_done and steps_done % self.sample_steps == 0:
            self.history.append(w.copy())

    def note(self, step: int, **state: float | NDArray) -> None:
        """Keep the state variables of one step."""
        for name, value in state.items():
            self.traces[name][step] = value

    def recording(self, w: NDArray, v: float) -> Recording:
        """Return everything as arrays."""
        return Recording(
            weight=w,
            spike_step=np.array(self.spike_step, dtype=np.int64),
            v=v,
            weight_history=np.reshape(self.history, (len(self.history), w.size)),
            traces=self.traces,
        )
