"""STDP synapses of NEST on given input events: `python nest_given.py FOLDER`.

A stand-alone script for the interpreter of NEST's environment. FOLDER has `cases.json`, a JSON
object with the parameters of each case by its name, and for each its input, `NAME_events.npy`:
cells `step * n_synapses + synapse` of the spikes as they are sent. With `NAME_output.npy`, the
steps of prescribed output spikes, the neuron fires in these and in no other; without, it is NEST's
`iaf_cond_exp`. Written are, for each, the time steps of its output spikes, `NAME_spikes.npy`, and
its final weights, `NAME_weights.npy`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import nest
import numpy as np

#: With a leak of 1 nS, conductances in nS are relative to it and a capacitance in pF is tau_m.
_LEAK = 1.0

#: NEST's time of step 0, in steps: its spikes begin at step 1, and relays take one.
_OFFSET = 2

#: A synapse applies LTP at its next input spike only: each gets one more, so long after the run
#: that it causes no LTD [ms].
_AFTER = 1500.0

#: Potentials and weight by which a given spike makes the neuron fire, and the others do not [mV].
_FAR, _KICK = 1e6, 1e9


def main() -> None:
    """Run all cases and store the results of each."""
    folder = Path(sys.argv[1])
    for name, parameters in json.loads((folder / "cases.json").read_text()).items():
        given = folder / f"{name}_output.npy"
        output = np.load(given) if given.exists() else None
        spike_step, weights = run(parameters, np.load(folder / f"{name}_events.npy"), output)
        np.save(folder / f"{name}_spikes.npy", spike_step)
        np.save(folder / f"{name}_weights.npy", weights)
    print(json.dumps({"versions": {"NEST": nest.__version__}}))


def run(
    p: dict[str, Any], cells: np.ndarray, output_step: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the time steps of the output spikes (n_spikes,) and the weights (n_synapses,)."""
    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.resolution = p["dt"]
    n_synapses, dt = p["n_synapses"], p["dt"]
    n_steps, n_after = round(p["duration"] / dt), round(_AFTER / dt)
    step, synapse = np.divmod(cells, n_synapses)
    # A generator cannot drive a plastic synapse: parrot neurons relay its spikes, a step later.
    inputs = nest.Create("parrot_neuron", n_synapses)
    times = [
        _times(np.append(step[synapse == one], n_steps + n_after), dt) for one in range(n_synapses)
    ]
    generators = nest.Create(
        "spike_generator", n_synapses, params=[{"spike_times": one} for one in times]
    )
    nest.Connect(generators, inputs, "one_to_one", syn_spec={"delay": dt})
    neuron = _neuron(p) if output_step is None else _prescribed(p, output_step)
    nest.Connect(inputs, neuron, syn_spec=_plastic_synapse(p))
    recorder = nest.Create("spike_recorder")
    nest.Connect(neuron, recorder, syn_spec={"delay": dt})
    nest.Simulate((n_steps + n_after + 10) * dt + p["delay"])
    spikes = np.rint(np.array(recorder.events["times"]) / dt).astype(np.int64) - _OFFSET
    connections = nest.GetConnections(inputs, neuron)
    by_source = np.argsort(connections.source)
    weights = np.array(connections.weight)[by_source] / p["Wmax"]
    return np.sort(spikes[spikes < n_steps]), weights


def _times(step: np.ndarray, dt: float) -> list[float]:
    """Return the times [ms] at which a generator sends what a relay sends a step later."""
    return np.round((step + _OFFSET - 1) * dt, 6).tolist()


def _neuron(p: dict[str, Any]) -> Any:
    return nest.Create(
        "iaf_cond_exp",
        params={
            **{name: p[name] for name in ("V_th", "V_reset", "E_L", "E_ex", "t_ref")},
            "V_m": p["E_L"],
            "g_L": _LEAK,
            "C_m": _LEAK * p["tau_m"],
            "tau_syn_ex": p["tau_ex"],
            **_traces(p),
        },
    )


def _prescribed(p: dict[str, Any], output_step: np.ndarray) -> Any:
    """Return a neuron that fires where it is made to."""
    neuron = nest.Create(
        "iaf_psc_delta", params={"V_th": _FAR, "t_ref": p["dt"], "E_L": 0.0, **_traces(p)}
    )
    times = {"spike_times": _times(output_step, p["dt"])}
    generator = nest.Create("spike_generator", params=times)
    nest.Connect(generator, neuron, syn_spec={"weight": _KICK, "delay": p["dt"]})
    return neuron


def _traces(p: dict[str, Any]) -> dict[str, float]:
    """Return the time constants of the postsynaptic traces, which are the neuron's."""
    return {name: p[name] for name in ("tau_minus", "tau_minus_triplet") if name in p}


def _plastic_synapse(p: dict[str, Any]) -> dict[str, Any]:
    own = {"synapse_model": p["model"], "weight": p["w_init"] * p["Wmax"], "delay": p["delay"]}
    if p["model"].endswith("_hom"):  # the parameters are common to all synapses
        nest.SetDefaults(p["model"], p["synapse"])
        return own
    return own | {"Wmax": p["Wmax"]} | p["synapse"]


if __name__ == "__main__":
    main()
