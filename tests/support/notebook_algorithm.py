"""The notebook's algorithm, implemented from its description with dense arrays of all steps.

A second derivation of the model, and an upper limit of the reference engine's run time. It shares
only the names of the parameters with `pipeline`.
"""

from __future__ import annotations

import numpy as np

from pipeline.model.parameters import short_name


def run(parameters: dict, spikes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return output spike steps, potential `(n_steps,)` and weights `(n_synapses, n_steps)`."""
    p = parameters
    n_synapses, n_steps = spikes.shape
    dt = p["dt"]
    spikes = spikes.astype(float)

    ltp = np.zeros((n_synapses, n_steps))
    for k in range(1, n_steps):
        ltp[:, k] = ltp[:, k - 1] * (1 - dt / p["tau_plus"]) + p["A_plus"] * spikes[:, k]

    v = np.zeros(n_steps)
    v[0] = p["V_init"]
    ltd = np.zeros(n_steps)
    conductance = np.zeros(n_steps)
    g = np.zeros((n_synapses, n_steps))
    g[:, 0] = p["w_init"] * p["g_max"]
    fired = []
    wait = 0.0
    for k in range(n_steps - 1):
        if wait > 0:
            v[k] = p["V_reset"]
            wait -= 1
        elif v[k] >= p["V_th"]:
            fired.append(k)
            v[k] = p["V_reset"]
            ltd[k] += p["A_minus"]
            g[:, k] = np.minimum(g[:, k] + ltp[:, k] * p["g_max"], p["g_max"])
            wait = p["t_ref"] / dt
        ltd[k + 1] = ltd[k] * (1 - dt / p["tau_minus"])
        arriving = (g[:, k] * spikes[:, k]).sum()
        conductance[k + 1] = conductance[k] * (1 - dt / p["tau_ex"]) + arriving
        g[:, k + 1] = np.maximum(g[:, k] - ltd[k] * spikes[:, k] * p["g_max"], 0)
        current = (p["E_L"] - v[k]) + conductance[k + 1] * (p["E_ex"] - v[k])
        v[k + 1] = v[k] + current * dt / p["tau_m"]
    return np.array(fired, dtype=int), v, g / p["g_max"]


def parameters_of(configuration) -> dict:
    """Return a configuration as one flat dict."""
    nested = configuration.to_mapping() | {"stdp": configuration.stdp.resolved().to_mapping()}
    sections = {name: section for name, section in nested.items() if isinstance(section, dict)}
    return {
        short_name(f"{name}.{key}"): value
        for name, section in sections.items()
        for key, value in section.items()
    }
