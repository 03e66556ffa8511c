"""What is compared with other simulators: rules, processes and features by their overrides.

Rules and features are those of `tests/pipeline/engine/test_brian2.py` too, where runs are longer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import pipeline
from pipeline.model.parameters import Configuration
from tests.support.contents import random_events

#: Events at times between steps, unordered within a step; in the folder of the cases.
GIVEN = "given.npz"

#: Duration of a run that is compared [ms].
DURATION = 10_000

SONG_GROUPS = ("neuron", "synapse", "stdp", "input")
SONG_2000 = (
    *(f"{group}=song_miller_abbott_2000" for group in (*SONG_GROUPS, "inhibition")),
    *("input.rate_hz=20", "simulation.dt=0.1"),
)

#: Every rule, with its choices, at amplitudes at which weights move.
RULES = {
    "additive": (),
    "nearest": ("stdp.pairing=nearest", "stdp.ltd_ratio=2"),
    "ltp_only": ("stdp.coincidence=ltp_only",),
    "neither": ("stdp.coincidence=neither",),
    "nearest_neither": (
        *("stdp.pairing=nearest", "stdp.coincidence=neither"),
        "stdp.ltd_ratio=2",
    ),
    "multiplicative": ("stdp=multiplicative",),
    "van_rossum": ("stdp=van_rossum",),
    "gutig": ("stdp=gutig", "stdp.mu_plus=0.3", "stdp.mu_minus=0.8"),
    "power_law": ("stdp=power_law",),
    "log_stdp": ("stdp=log_stdp",),
    "anti_hebbian": ("stdp=anti_hebbian",),
    "symmetric": (
        *("stdp=symmetric", "stdp.A_plus=0.002", "stdp.A_minus=-0.001"),
        *("stdp.w_in=-0.003", "stdp.w_out=-0.0005", "simulation.duration=3000"),
    ),
    "triplet": ("stdp=triplet", "stdp.A2_minus=0.02"),
    "triplet_nearest": ("stdp=triplet_nearest", "stdp.A3_plus=0.01"),
    "reduced_nearest": ("stdp=masquelier2008",),
}

#: Every input process; patterns with the number of synapses of the others.
PROCESSES = {
    "poisson": ("input.rate_hz=20",),
    "notebook": ("input=notebook", "input.rate_hz=20"),
    "correlated": ("input=correlated",),
    "groups": ("input=groups",),
    "log_normal": ("input=log_normal",),
    "latency": ("input=latency",),
    "modulated": ("input=modulated",),
    "oscillating": ("input=oscillating",),
    "patterns": ("input=patterns", "input.n_synapses=300", "input.rate_hz=20"),
    "pairing_protocol": ("input=pairing_protocol",),
    "file": ("input=file", "input.rate_hz=null", f"input.file={GIVEN}"),
}

FEATURES = {
    "inhibition": ("inhibition=song_miller_abbott_2000", "input.rate_hz=30"),
    "inhibition_triplet": (
        *("stdp=triplet_nearest", "stdp.A3_plus=0.01", "inhibition.n_synapses=50"),
        *("inhibition.rate_hz=20", "inhibition.g=0.02", "inhibition.E_in=-80"),
    ),
    "axonal_delay": ("synapse.axonal_delay=7",),
    "dendritic_delay": ("synapse.dendritic_delay=3",),
    "both_delays": (
        *("synapse.axonal_delay=1.5", "synapse.dendritic_delay=15", "simulation.dt=0.5"),
        *("stdp=triplet_nearest", "stdp.A3_plus=0.01"),
    ),
    "noise": ("neuron.noise=3",),
    "adaptive_threshold": ("neuron.theta_plus=0.5", "neuron.tau_theta=200"),
    "all_features": (
        *("inhibition=song_miller_abbott_2000", "input.rate_hz=35", "stdp=multiplicative"),
        *("synapse.axonal_delay=2", "synapse.dendritic_delay=5", "neuron.noise=2"),
        *("neuron.theta_plus=0.2", "neuron.tau_theta=500"),
    ),
}

#: Values of papers in which several of these meet, and a finer time step.
OTHERS = {"fine_step": ("input.rate_hz=20", "simulation.dt=0.1"), "song_2000": SONG_2000}

#: Built-in rules and processes that have no case, with the reason.
NOT_COMPARED: dict[str, str] = {}

#: The cases of the comparison by kind.
KINDS = {"rule": RULES, "process": PROCESSES, "feature": FEATURES, "other": OTHERS}


#: What is left as it usually is in Brian2, one thing at a time, with the case `additive`.
USUAL = {
    "schedule": "order of operations: integration before the first threshold test",
    "traces": "exact decay of the traces (`event-driven`)",
    "neuron": "`exponential_euler` for neuron and conductance",
}


def overrides_of(kind: str, name: str) -> tuple[str, ...]:
    """Return the overrides of a case."""
    at_25_hz = ("input.rate_hz=25",) if kind in ("rule", "feature") else ()
    return (*at_25_hz, *KINDS[kind][name], f"simulation.duration={DURATION}")


def configurations(folder: Path) -> dict[str, Configuration]:
    """Return every case by its name; events of a file are written into the folder."""
    write_given_events(folder)
    return {
        name: pipeline.configure(*placed(overrides_of(kind, name), folder))
        for kind, cases in KINDS.items()
        for name in cases
    }


def placed(overrides: tuple[str, ...], folder: Path) -> list[str]:
    """Return overrides with the path of the file of events in place of its name."""
    return [one.replace(GIVEN, str(folder / GIVEN)) for one in overrides]


def write_given_events(folder: Path) -> None:
    """Write 10 s of events of 300 synapses."""
    times, synapses = random_events(1, n_synapses=300, duration=DURATION, p=0.025)
    jitter = 0.4 * np.random.default_rng(2).uniform(size=DURATION)[times.astype(int)]
    np.savez(folder / GIVEN, times=times + jitter, synapses=synapses)
