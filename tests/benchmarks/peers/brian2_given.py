"""The model of this project in Brian2 on given input events: `python brian2_given.py FOLDER`.

A stand-alone script for the interpreter of Brian2's environment, and a second derivation of the
model: all traces are integrated at every time step. FOLDER has `cases.json`, a JSON object with the
parameters of each case by its name, and for each the input events, `NAME_events.npy`: cells
`step * n_synapses + synapse`. Written are, for each, the time steps of its output spikes,
`NAME_spikes.npy`, and its final weights, `NAME_weights.npy`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2 import ms, mV

_NEURON = """
dv/dt = (E_L - v + g_ex * (E_ex - v)) / tau_m : volt (unless refractory)
dg_ex/dt = -g_ex / tau_ex : 1
"""

_SYNAPSE = """
w : 1
dx_in/dt = -x_in / tau_plus : 1 (clock-driven)
dx_out/dt = -x_out / tau_minus : 1 (clock-driven)
"""

#: In two parts: an input's trace before the output's LTP, its arrival and its LTD after it, so that
#: a coincidence counts as both. The trace ignores an input spike at step 0.
_AT_INPUT = {
    "trace": "x_in += int(t > 0*ms)",
    "arrival": "g_ex_post += g_max * w; w = clip(w - A_minus * x_out, 0, 1)",
}

_AT_OUTPUT = "x_out += 1; w = clip(w + A_plus * x_in, 0, 1)"

#: Traces and potentials are integrated at the end of a step, after the spikes and the reset.
_SCHEDULE = ["start", "thresholds", "synapses", "resets", "groups", "end"]


def main() -> None:
    """Run all cases and store the results of each."""
    brian2.prefs.codegen.target = "cython"
    folder = Path(sys.argv[1])
    for name, parameters in json.loads((folder / "cases.json").read_text()).items():
        cells = np.load(folder / f"{name}_events.npy")
        spike_step, weights = run(parameters, cells)
        np.save(folder / f"{name}_spikes.npy", spike_step)
        np.save(folder / f"{name}_weights.npy", weights)
    print(json.dumps({"versions": {"Brian2": brian2.__version__}}))


def run(p: dict[str, Any], cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the time steps of the output spikes (n_spikes,) and the weights (n_synapses,)."""
    brian2.start_scope()
    brian2.defaultclock.dt = p["dt"] * ms
    constants = {name: p[name] for name in ("g_max", "A_plus", "A_minus")}
    constants |= {name: p[name] * mV for name in ("V_th", "V_reset", "E_L", "E_ex")}
    constants |= {name: p[name] * ms for name in ("tau_m", "tau_ex", "tau_plus", "tau_minus")}
    step, synapse = np.divmod(cells, p["n_synapses"])
    source = brian2.SpikeGeneratorGroup(p["n_synapses"], synapse, step * p["dt"] * ms)
    neuron = brian2.NeuronGroup(
        1,
        _NEURON,
        threshold="v >= V_th",
        reset="v = V_reset",
        refractory=p["t_ref"] * ms,
        method="euler",
        namespace=constants,
    )
    neuron.v = p["V_init"] * mV
    synapses = brian2.Synapses(
        source,
        neuron,
        _SYNAPSE,
        on_pre=_AT_INPUT,
        on_post=_AT_OUTPUT,
        method="euler",
        namespace=constants,
    )
    synapses.arrival.order = 2  # `trace` is at -1 and the output's LTP at 1
    synapses.connect()
    synapses.w = p["w_init"]
    output = brian2.SpikeMonitor(neuron)
    network = brian2.Network(source, neuron, synapses, output)
    network.schedule = _SCHEDULE
    n_steps = round(p["duration"] / p["dt"])
    network.run((n_steps - 1) * p["dt"] * ms)
    return np.rint(np.array(output.t / ms) / p["dt"]).astype(np.int64), np.array(synapses.w)


if __name__ == "__main__":
    main()
