"""The notebook's loop compiled by numba: dense, every synapse at every step.

It stores only the current state, and its input matrix is laid out in the order of access: the best
performance of this algorithm.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def run(parameters: dict[str, Any]) -> tuple[int, float]:
    """Draw the input and run; return the number of output spikes and the mean weight."""
    p = parameters
    n_steps = round(p["duration"] / p["dt"])
    uniform = np.random.default_rng(p["seed"]).random((n_steps, p["n_synapses"]))
    spikes = uniform < p["rate_hz"] * p["dt"] / 1000
    neuron = tuple(p[name] for name in ("V_th", "V_reset", "V_init", "E_L", "tau_m", "t_ref"))
    synapse = tuple(p[name] for name in ("g_max", "w_init", "E_ex", "tau_ex"))
    stdp = tuple(p[name] for name in ("A_plus", "A_minus", "tau_plus", "tau_minus"))
    n_spikes, weight = _integrate(spikes, p["dt"], neuron, synapse, stdp)
    return n_spikes, weight.mean()


@njit
def _integrate(
    spikes: NDArray[np.bool_],
    dt: float,
    neuron: tuple[float, ...],
    synapse: tuple[float, ...],
    stdp: tuple[float, ...],
) -> tuple[int, NDArray[np.float64]]:
    V_th, V_reset, v, E_L, tau_m, t_ref = neuron
    g_max, w_init, E_ex, tau_ex = synapse
    A_plus, A_minus, tau_plus, tau_minus = stdp
    n_steps, n_synapses = spikes.shape
    w = np.full(n_synapses, w_init)
    x_pre = np.zeros(n_synapses)
    g_ex, x_post, wait, n_spikes = 0.0, 0.0, 0.0, 0
    for k in range(n_steps - 1):
        for i in range(n_synapses):
            x_pre[i] = x_pre[i] * (1 - dt / tau_plus) + spikes[k, i]
        if wait > 0:
            v = V_reset
            wait -= 1
        elif v >= V_th:
            n_spikes += 1
            v = V_reset
            x_post += 1
            for i in range(n_synapses):
                w[i] = min(w[i] + A_plus * x_pre[i], 1)
            wait = t_ref / dt
        arriving = 0.0
        for i in range(n_synapses):
            arriving += w[i] * spikes[k, i]
            w[i] = max(w[i] - A_minus * x_post * spikes[k, i], 0)
        g_ex = g_ex * (1 - dt / tau_ex) + g_max * arriving
        x_post *= 1 - dt / tau_minus
        v += dt / tau_m * (E_L - v + g_ex * (E_ex - v))
    return n_spikes, w
