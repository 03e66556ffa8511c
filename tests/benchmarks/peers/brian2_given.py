"""The model of this project in Brian2 on given input events: `python brian2_given.py FOLDER`.

A stand-alone script for the interpreter of Brian2's environment, and a second derivation of the
model: all traces are integrated at every time step. FOLDER has `cases.json`, a JSON object with the
parameters of each case by its name, and for each the input events, `NAME_events.npy`: cells
`step * n_synapses + synapse`, `NAME_inhibitory.npy`, those of the inhibitory synapses, and
`NAME_noise.npy`, what is added to the potential in each step [mV]. With `NAME_output.npy`, the
steps of prescribed output spikes, the neuron fires in these and in no other. Written are, for each,
the time steps of its output spikes, `NAME_spikes.npy`, and its final weights, `NAME_weights.npy`.

A parameter `usual` names what is left as it usually is in Brian2: `schedule`, its order of
operations within a step; `traces`, exact decay between events; `neuron`, exponential Euler steps.
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
dv/dt = (E_L - v + g_ex * (E_ex - v) + g_in * (E_in - v)) / tau_m + noise_at(t) / dt
    : volt (unless refractory)
dg_ex/dt = -g_ex / tau_ex : 1
dg_in/dt = -g_in / tau_in : 1
dtheta/dt = -theta / tau_theta : volt
"""

#: Weights after an output and after an input spike, by rule, with the traces x_in and x_out of
#: spikes on either side, and u_in and u_out, slow ones of earlier spikes only; arrived_at and
#: fired_at are the times of the last spikes, arrived_before and fired_before of those before.
_RULES = {
    "additive": ("w + A_plus * x_in", "w - A_minus * x_out"),
    "multiplicative": ("w + A_plus * (1 - w) * x_in", "w - A_minus * w * x_out"),
    "van_rossum": ("w + A_plus * x_in", "w - A_minus * w * x_out"),
    "gutig": ("w + A_plus * (1 - w)**mu_plus * x_in", "w - A_minus * w**mu_minus * x_out"),
    "power_law": ("w + A_plus * w_0**(1 - mu) * w**mu * x_in", "w - A_minus * w * x_out"),
    "log_stdp": (
        "w + A_plus * exp(-w / (beta * w_0)) * x_in",
        "w - A_minus * x_out * (int(w <= w_0) * w / w_0"
        " + int(w > w_0) * (1 + log(1 + alpha * clip(w / w_0 - 1, 0, inf)) / alpha))",
    ),
    "reduced_nearest": (
        "w + A_plus * x_in * int(arrived_at > fired_before)",
        "w - A_minus * x_out * int(fired_at > arrived_before)",
    ),
    "signed": ("w + A_plus * x_in + w_out", "w - A_minus * x_out + w_in"),
    "triplet": (
        "w + x_in * (A2_plus + A3_plus * u_out)",
        "w - x_out * (A2_minus + A3_minus * u_in)",
    ),
}

#: Dimensionless parameters of the synapse and of the rules.
_NUMBERS = {
    *("g_max", "A_plus", "A_minus", "A2_plus", "A2_minus", "A3_plus", "A3_minus"),
    *("mu", "mu_plus", "mu_minus", "w_0", "alpha", "beta", "w_in", "w_out"),
}

#: Each trace with its time constant.
_TRACES = {"in": "tau_plus", "out": "tau_minus", "slow_in": "tau_x", "slow_out": "tau_y"}


def _synapse(p: dict[str, Any]) -> str:
    """Return variables and equations: of each trace its value and that before its last jump."""
    driven = "event-driven" if p.get("usual") == "traces" else "clock-driven"
    times = ("arrived_at", "arrived_before", "fired_at", "fired_before")
    of_spikes = "".join(f"{time} : second\n" for time in times)
    return (
        "w : 1\n"
        + of_spikes
        + "".join(
            f"dy_{name}/dt = -y_{name} / {tau} : 1 ({driven})\nbefore_{name} : 1\n"
            for name, tau in _traces(p).items()
        )
    )


def _traces(p: dict[str, Any]) -> dict[str, str]:
    return {name: tau for name, tau in _TRACES.items() if tau in p}


def _pairing(p: dict[str, Any]) -> str:
    """Return which pairs count; a rule without the choice has the nearest, in both directions."""
    return p.get("pairing", "nearest")


def _jumps(p: dict[str, Any], side: str, size: str) -> str:
    """Return the statements that keep the traces of a side, and apply a jump."""
    names = [name for name in _traces(p) if name.endswith(side)]
    change = "y_{0} = {1} + (1 - {1}) * y_{0}" if _pairing(p) == "nearest" else "y_{0} += {1}"
    return "; ".join(f"before_{n} = y_{n}; " + change.format(n, size) for n in names)


def _seen(p: dict[str, Any]) -> str:
    """Return the statements that give the traces as the rule sees them at a spike.

    A value before the jump at this very step is one that the coincidence does not count in.
    """
    coincidence = p.get("coincidence", "both")
    late = {"both": (), "ltp_only": ("out",), "neither": ("out", "in")}[coincidence]
    names = {"in": "x_in", "out": "x_out", "slow_in": "u_in", "slow_out": "u_out"}
    lines = []
    for name in _traces(p):
        spiked = f"int({'arrived_at' if name.endswith('in') else 'fired_at'} == t)"
        is_late = name in late or name.startswith("slow")
        value = f"{spiked} * before_{name} + (1 - {spiked}) * y_{name}" if is_late else f"y_{name}"
        lines.append(f"{names[name]} = {value}")
    return "; ".join(lines)


def _at_input(p: dict[str, Any]) -> dict[str, str]:
    """Return what an input spike does, in two parts.

    An input's trace before the output's LTP, its arrival and its LTD after it. The trace ignores an
    input spike at step 0.
    """
    return {
        "trace": f"{_jumps(p, 'in', 'int(t > 0*ms)')}; arrived_before = arrived_at; arrived_at = t",
        "arrival": f"g_ex_post += g_max * w; {_seen(p)}; w = clip({_RULES[p['rule']][1]}, 0, 1)",
    }


def _at_output(p: dict[str, Any]) -> str:
    times = "fired_before = fired_at; fired_at = t"
    change = f"w = clip({_RULES[p['rule']][0]}, 0, 1)"
    return f"{_jumps(p, 'out', '1')}; {times}; {_seen(p)}; {change}"


#: Traces and potentials are integrated at the end of a step, after the spikes and the reset.
_SCHEDULE = ["start", "thresholds", "synapses", "resets", "groups", "end"]


def main() -> None:
    """Run all cases and store the results of each."""
    brian2.prefs.codegen.target = "cython"
    folder = Path(sys.argv[1])
    for name, parameters in json.loads((folder / "cases.json").read_text()).items():
        cells = np.load(folder / f"{name}_events.npy")
        inhibitory = np.load(folder / f"{name}_inhibitory.npy")
        noise = np.load(folder / f"{name}_noise.npy")
        given = folder / f"{name}_output.npy"
        output = np.load(given) if given.exists() else None
        spike_step, weights = run(parameters, cells, inhibitory, noise, output)
        np.save(folder / f"{name}_spikes.npy", spike_step)
        np.save(folder / f"{name}_weights.npy", weights)
    print(json.dumps({"versions": {"Brian2": brian2.__version__}}))


def run(
    p: dict[str, Any],
    cells: np.ndarray,
    inhibitory: np.ndarray,
    noise: np.ndarray,
    output_step: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the time steps of the output spikes (n_spikes,) and the weights (n_synapses,)."""
    brian2.start_scope()
    brian2.defaultclock.dt = p["dt"] * ms
    constants = {n: p[n] for n in p.keys() & _NUMBERS if p[n] is not None}
    potentials = ("V_th", "V_reset", "E_L", "E_ex", "E_in", "theta_plus")
    times = ("tau_m", "tau_ex", "tau_in", "tau_theta", *_traces(p).values())
    constants |= {name: p[name] * mV for name in potentials}
    constants |= {name: p[name] * ms for name in times}
    constants["noise_at"] = brian2.TimedArray(noise * mV, dt=p["dt"] * ms)
    threshold, t_ref = "v >= V_th + theta", p["t_ref"]
    if output_step is not None:  # no refractory period either
        fires = np.zeros(noise.size)
        fires[output_step] = 1
        constants["fires"] = brian2.TimedArray(fires, dt=p["dt"] * ms)
        threshold, t_ref = "fires(t) > 0.5", 0.0
    step, synapse = np.divmod(cells, p["n_synapses"])
    source = brian2.SpikeGeneratorGroup(p["n_synapses"], synapse, step * p["dt"] * ms)
    neuron = brian2.NeuronGroup(
        1,
        _NEURON,
        threshold=threshold,
        reset="v = V_reset; theta += theta_plus",
        refractory=t_ref * ms,
        method="exponential_euler" if p.get("usual") == "neuron" else "euler",
        namespace=constants,
    )
    neuron.v = p["V_init"] * mV
    synapses = brian2.Synapses(
        source,
        neuron,
        _synapse(p),
        on_pre=_at_input(p),
        on_post=_at_output(p),
        method="euler",
        namespace=constants,
    )
    synapses.arrival.order = 2  # `trace` is at -1 and the output's LTP at 1
    synapses.connect()
    synapses.w = p["w_init"]
    # Brian2's delay of a pathway is what it waits for: the input's for all that it does, the
    # output's for what it does at the synapses.
    synapses.trace.delay = synapses.arrival.delay = p["axonal_delay"] * ms
    synapses.post.delay = p["dendritic_delay"] * ms
    synapses.arrived_at = synapses.arrived_before = -1 * ms
    synapses.fired_at = synapses.fired_before = -1 * ms
    output = brian2.SpikeMonitor(neuron)
    network = brian2.Network(source, neuron, synapses, output, *_inhibition(p, inhibitory, neuron))
    if p.get("usual") != "schedule":
        network.schedule = _SCHEDULE
    n_steps = round(p["duration"] / p["dt"])
    network.run((n_steps - 1) * p["dt"] * ms)
    return np.rint(np.array(output.t / ms) / p["dt"]).astype(np.int64), np.array(synapses.w)


def _inhibition(p: dict[str, Any], cells: np.ndarray, neuron: Any) -> list[Any]:
    """Return the inhibitory population and its synapses; nothing without."""
    n_synapses = p["inhibition_n_synapses"]
    if not n_synapses:
        return []
    step, synapse = np.divmod(cells, n_synapses)
    source = brian2.SpikeGeneratorGroup(n_synapses, synapse, step * p["dt"] * ms)
    synapses = brian2.Synapses(source, neuron, on_pre="g_in_post += g", namespace={"g": p["g"]})
    synapses.connect()
    return [source, synapses]


if __name__ == "__main__":
    main()
