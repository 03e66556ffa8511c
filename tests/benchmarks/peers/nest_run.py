"""One run of the model in NEST: `python nest_run.py PARAMETERS`.

A stand-alone script for the interpreter of NEST's environment. PARAMETERS is a JSON object. The
last line of the output is one JSON object.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from typing import Any

import nest

#: With a leak of 1 nS, conductances in nS are relative to it and a capacitance in pF is tau_m.
_LEAK = 1.0


def main() -> None:
    """Run once and print the results."""
    parameters = json.loads(sys.argv[1])
    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.resolution = parameters["dt"]
    nest.local_num_threads = 1
    nest.rng_seed = 1 + parameters["seed"]  # NEST requires a positive seed
    inputs, neuron, output = _build(parameters)
    started = time.perf_counter()
    nest.Prepare()
    prepared = time.perf_counter()
    nest.Run(parameters["duration"])
    seconds = time.perf_counter() - prepared
    nest.Cleanup()
    weights = nest.GetConnections(inputs, neuron).weight
    measured = {
        "seconds": seconds,
        "compile_seconds": prepared - started,
        "spikes": output.n_events,
        "mean_weight": sum(weights) / len(weights) / parameters["g_max"],
        "versions": {"NEST": nest.__version__, "Python": platform.python_version()},
    }
    print(json.dumps(measured))


def _build(p: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return the parrot neurons that relay the input, the neuron and its spike recorder."""
    neuron = nest.Create(
        "iaf_cond_exp",
        params={
            "V_th": p["V_th"],
            "V_reset": p["V_reset"],
            "V_m": p["V_init"],
            "E_L": p["E_L"],
            "g_L": _LEAK,
            "C_m": _LEAK * p["tau_m"],
            "t_ref": p["t_ref"],
            "E_ex": p["E_ex"],
            "tau_syn_ex": p["tau_ex"],
            "tau_minus": p["tau_minus"],
        },
    )
    # A generator cannot drive a plastic synapse: parrot neurons relay its spikes.
    generator = nest.Create("poisson_generator", params={"rate": p["rate_hz"]})
    inputs = nest.Create("parrot_neuron", p["n_synapses"])
    nest.Connect(generator, inputs, syn_spec={"delay": p["dt"]})
    nest.Connect(inputs, neuron, syn_spec=_plastic_synapse(p))
    output = nest.Create("spike_recorder")
    nest.Connect(neuron, output)
    return inputs, neuron, output


def _plastic_synapse(p: dict[str, Any]) -> dict[str, Any]:
    """Return additive STDP with hard bounds, with NEST's parameters."""
    return {
        "synapse_model": "stdp_synapse",
        "weight": p["w_init"] * p["g_max"] * _LEAK,
        "Wmax": p["g_max"] * _LEAK,
        "lambda": p["A_plus"],
        "alpha": p["A_minus"] / p["A_plus"],
        "mu_plus": 0.0,
        "mu_minus": 0.0,
        "tau_plus": p["tau_plus"],
        "delay": p["dt"],
    }


if __name__ == "__main__":
    main()
