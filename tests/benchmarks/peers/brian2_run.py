"""One run of the model in Brian2: `python brian2_run.py TARGET RULE DIRECTORY PARAMETERS`.

A stand-alone script for the interpreter of Brian2's environment. TARGET is `cpp` (C++ standalone)
or `cython`. RULE is the treatment of an input and an output spike in one step: `same` as in this
project, LTP and LTD; `usual`, LTP only, as in Brian2's examples. Compiled code is kept in DIRECTORY
and reused. PARAMETERS is a JSON object. The output is one JSON object on one line.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import brian2
from brian2 import Hz, ms, mV

_NEURON = """
dv/dt = (E_L - v + g_ex * (E_ex - v)) / tau_m : volt (unless refractory)
dg_ex/dt = -g_ex / tau_ex : 1
"""

_SYNAPSE = """
w : 1
dx_in/dt = -x_in / tau_plus : 1 (event-driven)
dx_out/dt = -x_out / tau_minus : 1 (event-driven)
"""

_TRACE = "x_in += 1"

_ARRIVAL = """
g_ex_post += g_max * w
w = clip(w - A_minus * x_out, 0, 1)
"""

#: An input's trace before the output's LTP, its LTD after it.
_IN_TWO_PARTS = {"trace": _TRACE, "arrival": _ARRIVAL}

_AT_OUTPUT = """
x_out += 1
w = clip(w + A_plus * x_in, 0, 1)
"""


def main() -> None:
    """Run once and print the results."""
    target, rule, directory, words = sys.argv[1:]
    parameters = json.loads(words) | {"rule": rule}
    brian2.defaultclock.dt = parameters["dt"] * ms
    timed_run = {"cpp": _run_standalone, "cython": _run_cython}[target]
    print(json.dumps(timed_run(parameters, directory) | {"versions": _versions()}))


def _run_standalone(parameters: dict[str, Any], directory: str) -> dict[str, Any]:
    """Return the time that the compiled program reports, without its start-up and output."""
    brian2.set_device("cpp_standalone", directory=directory, build_on_run=False)
    brian2.prefs.devices.cpp_standalone.openmp_threads = 0
    brian2.seed(parameters["seed"])
    network, synapses, output = _build(parameters)
    network.run(parameters["duration"] * ms)
    device = brian2.device
    device.build(directory=directory)
    return {
        "seconds": device._last_run_time,
        "compile_seconds": device.timers["compile"]["make"],
        **_measured(synapses, output),
    }


def _run_cython(parameters: dict[str, Any], directory: str) -> dict[str, Any]:
    """Return the time of the loop over time steps from the progress report, after compilation."""
    brian2.prefs.codegen.target = "cython"
    brian2.prefs.codegen.runtime.cython.cache_dir = str(Path(directory).resolve())
    brian2.seed(parameters["seed"])
    network, synapses, output = _build(parameters)
    elapsed = []
    started = time.perf_counter()
    network.run(
        parameters["duration"] * ms,
        report=lambda seconds, *_: elapsed.append(float(seconds)),
        report_period=1e6 * brian2.second,
    )
    whole = time.perf_counter() - started
    return {
        "seconds": elapsed[-1],
        "compile_seconds": whole - elapsed[-1],
        **_measured(synapses, output),
    }


def _build(p: dict[str, Any]) -> tuple[brian2.Network, brian2.Synapses, brian2.SpikeMonitor]:
    """Return the network, its plastic synapses and the monitor of its output."""
    # The equations find their constants by name.
    constants = {name: p[name] for name in ("g_max", "A_plus", "A_minus")}
    constants |= {name: p[name] * mV for name in ("V_th", "V_reset", "E_L", "E_ex")}
    constants |= {name: p[name] * ms for name in ("tau_m", "tau_ex", "tau_plus", "tau_minus")}
    source = brian2.PoissonGroup(p["n_synapses"], rates=p["rate_hz"] * Hz)
    neuron = brian2.NeuronGroup(
        1,
        _NEURON,
        threshold="v > V_th",
        reset="v = V_reset",
        refractory=p["t_ref"] * ms,
        method="euler",
        namespace=constants,
    )
    neuron.v = p["V_init"] * mV
    on_pre = _IN_TWO_PARTS if p["rule"] == "same" else f"{_TRACE}\n{_ARRIVAL}"
    synapses = brian2.Synapses(
        source, neuron, _SYNAPSE, on_pre=on_pre, on_post=_AT_OUTPUT, namespace=constants
    )
    if p["rule"] == "same":
        synapses.arrival.order = 2  # `trace` is at -1 and the output's LTP at 1
    synapses.connect()
    synapses.w = p["w_init"]
    output = brian2.SpikeMonitor(neuron)
    return brian2.Network(source, neuron, synapses, output), synapses, output


def _measured(synapses: brian2.Synapses, output: brian2.SpikeMonitor) -> dict[str, Any]:
    weights = synapses.w[:]
    return {"spikes": int(output.num_spikes), "mean_weight": float(weights.mean())}


def _versions() -> dict[str, str]:
    return {"Brian2": brian2.__version__, "Python": platform.python_version()}


if __name__ == "__main__":
    main()
