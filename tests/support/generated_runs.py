"""Generated runs of any rule, input process and feature, for the comparison of both engines."""

import dataclasses

import numpy as np
from hypothesis import strategies as st

from pipeline.model.contents import remember
from pipeline.model.event_content import read_events
from pipeline.model.event_sources import EventArrays
from pipeline.model.inhibition import Inhibition
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import RULES
from tests.pipeline.engine.test_compiled import configurations
from tests.support.contents import random_events

#: Ranges of the fields; time constants are in time steps, from a trace that lasts for one.
_RANGES = {
    **dict.fromkeys(("A_plus", "A_minus", "A2_plus", "A2_minus", "A3_plus", "A3_minus"), (0, 0.2)),
    **dict.fromkeys(("tau_plus", "tau_minus", "tau_x", "tau_y"), (1.01, 60)),
    **dict.fromkeys(("mu", "mu_plus", "mu_minus"), (0.05, 3)),
    **dict.fromkeys(("w_in", "w_out"), (-0.1, 0.1)),
    "w_0": (0.01, 1.5),
    "alpha": (0.1, 20),
    "beta": (0.1, 100),
}


@st.composite
def generated_runs(draw, rule, pairing, coincidence, features, process):
    """Draw a run of one rule, some features and one process, with any values of their fields."""
    base = draw(configurations())
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    made = dataclasses.replace(
        base,
        neuron=_neuron(base, features, random),
        inhibition=_inhibition(features, random),
        synapse=_synapse(base, features, random),
    )
    mapping = made.to_mapping()
    mapping["stdp"] = _rule(rule, base.simulation.dt, random)
    if "pairing" in RULES.named(rule).quantities():
        mapping["stdp"] |= {"pairing": pairing, "coincidence": coincidence}
    mapping["input"] |= {"process": process, **_INPUTS.get(process, _no_fields)(base, random)}
    if process == "pairing_protocol":  # which has to be over before the run is
        simulation = mapping["simulation"]
        simulation["duration"] = max(base.simulation.n_steps, 20) * simulation["dt"]
    return Configuration.from_mapping(mapping)


def _rule(rule, dt, random):
    def pick(name):
        value = float(random.uniform(*_RANGES[name]))
        if name.startswith("tau"):
            return value * dt
        return value * random.choice([-1, 1]) if rule == "signed" and name[:2] == "A_" else value

    fields = RULES.named(rule).quantities()
    stdp = {name: pick(name) for name in fields.keys() & _RANGES.keys()} | {"rule": rule}
    if "ltd_ratio" in fields:
        stdp |= {"ltd_ratio": 1.1, "effective_ltd_ratio": None}
    return stdp


def _neuron(base, features, random):
    neuron = base.neuron
    if "noise" in features:
        neuron = dataclasses.replace(neuron, noise=float(random.uniform(0.1, 10)))
    if "adaptive_threshold" in features:
        rise, tau = random.uniform(0.01, 5), random.uniform(1.01 * base.simulation.dt, 300)
        neuron = dataclasses.replace(neuron, theta_plus=float(rise), tau_theta=float(tau))
    return neuron


def _inhibition(features, random):
    if "inhibition" not in features:
        return Inhibition()
    return Inhibition(
        n_synapses=int(random.integers(1, 200)),
        rate_hz=float(random.uniform(1, 50)),
        g=float(random.uniform(0.001, 0.1)),
    )


def _synapse(base, features, random):
    """Return the synapse with an axonal delay in half of the runs, and with scalings in a third."""
    synapse, dt, n_steps = base.synapse, base.simulation.dt, base.simulation.n_steps
    axonal, dendritic = (float(min(n_steps - 1, random.integers(1, 40)) * dt) for _ in range(2))
    if random.random() < 0.5:
        synapse = dataclasses.replace(synapse, axonal_delay=axonal)
    if "dendritic_delay" in features and dendritic:
        synapse = dataclasses.replace(synapse, dendritic_delay=dendritic)
    if random.random() < 1 / 3:
        synapse = dataclasses.replace(
            synapse,
            scaling_target=float(random.uniform(0, 200)),
            scaling_gain=float(random.uniform(0, 1)),
            scaling_interval=float(random.integers(1, n_steps + 1) * dt),
            tau_scaling=float(random.uniform(1, 1000)),
        )
    return synapse


def _no_fields(base, random):
    return {}


def _notebook(base, random):
    return {"seed_policy": "shared"}


def _groups(base, random):
    half, rate = (base.input.n_synapses + 1) // 2, base.input.rate_hz
    sigma = float(random.choice([0, 0.5]))
    return {"group_sizes": [half], "group_rates_hz": [rate / 2], "rate_sigma": sigma}


def _correlated(base, random):
    half, rest = (base.input.n_synapses + 1) // 2, base.input.n_synapses // 2
    sizes = [half, rest] if rest else [half]
    correlations = [float(c) for c in random.choice([0, 0.1, 0.7, 1], len(sizes))]
    return {"group_sizes": sizes, "group_correlations": correlations}


def _modulated(base, random):
    sd, dt = float(random.uniform(0, 1)), base.simulation.dt
    return {
        "rate_hz": min(base.input.rate_hz, 1000 / dt / (1 + 4 * sd)),
        "rate_sd": sd,
        "correlation_time": float(random.uniform(1, 50) * dt),
        "group_sizes": [(base.input.n_synapses + 1) // 2],
        "group_rate_correlations": float(random.uniform(0, 1)),
    }


def _oscillating(base, random):
    depth, dt = float(random.uniform(0, 1)), base.simulation.dt
    return {
        "rate_hz": min(base.input.rate_hz, 1000 / dt / (1 + depth)),
        "modulation": depth,
        "frequency_hz": float(random.uniform(5, 500) / dt),
        "phase_spread": float(random.uniform(0, 1)),
    }


def _latency(base, random):
    dt, rate = base.simulation.dt, base.input.rate_hz
    duration, sd = random.uniform(2, 20) * dt, random.uniform(0, 8) * dt
    cv = float(random.choice([0, 0.3]))
    return {
        "rate_hz": rate * float(random.choice([0, 0.5])),
        "burst_rate_hz": max(1.0, min(1000 / dt, rate * random.uniform(1, 8))),
        "burst_duration": float(duration),
        "latency_sd": float(sd),
        "latency_distribution": str(random.choice(["normal", "uniform"])),
        "trial_interval": float((duration + 6 * sd) * random.uniform(1.01, 2) / (1 - cv)),
        "trial_cv": cv,
    }


def _patterns(base, random):
    dt = base.simulation.dt
    return {
        "pattern_duration": float(random.uniform(1, 60) * dt),
        "pattern_share": float(random.uniform(0, 0.5)),
        "pattern_fraction": float(random.uniform(0, 1)),
        "pattern_jitter": float(random.choice([0, 3 * dt])),
    }


def _file(base, random):
    n_steps, dt = base.simulation.n_steps, base.simulation.dt
    seed, p = int(random.integers(2**32)), base.input.spike_probability(dt)
    events = random_events(seed, base.input.n_synapses, n_steps * dt, dt, min(p, 0.5))
    content = read_events(EventArrays.of(events))
    remember(content)
    return {"rate_hz": None, "file": f"array:{content.digest}", "content": content.digest}


def _pairing_protocol(base, random):
    dt, n_steps = base.simulation.dt, max(base.simulation.n_steps, 20)
    lag, period = int(random.integers(-6, 7)), int(random.integers(1, 30))
    return {
        "rate_hz": 1000 / (period * dt),
        "post_minus_pre": lag * dt,
        "n_pairs": 1 + (n_steps - 10) // period,
    }


_INPUTS = {
    "notebook": _notebook,
    "groups": _groups,
    "correlated": _correlated,
    "modulated": _modulated,
    "oscillating": _oscillating,
    "latency": _latency,
    "patterns": _patterns,
    "file": _file,
    "pairing_protocol": _pairing_protocol,
}
