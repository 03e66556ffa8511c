"""Runs of configurations in NEST, on the same input events, and its parameters for them.

The runs in NEST are those of `tests/benchmarks/peers/nest_given.py`. A synapse of NEST has one
delay d, which is here an axonal delay of d and a dendritic one of 2 d, and lets no pair of spikes
count that are coincident at it (docs/explanation/other_simulators.md).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pipeline
from pipeline.engine import compiled
from pipeline.model.integration import Recording
from pipeline.model.parameters import Configuration
from tests.compare.brian2 import PeerRun, read_run
from tests.support.notebook_algorithm import parameters_of
from tests.support.peers import SCRIPTS, answer, interpreter

#: Time constants of a rule, which NEST's traces decay by exactly.
_TAUS = ("tau_plus", "tau_minus", "tau_x", "tau_y")

#: Output spikes are prescribed from here on, and up to that long before the end [ms]. All synapses
#: have had an input spike by then: `stdp_nn_symm_synapse` begins with one at time 0.
_FIRST, _LAST = 1_000, 1_000


@dataclass(frozen=True)
class NestCase:
    """A rule in NEST.

    Attributes
    ----------
    model : str
        NEST's synapse model.
    overrides : tuple of str
        The same rule here.
    delay : float
        That of NEST's synapse [ms].
    prescribed : bool
        Whether output spikes are prescribed, and time constants such that decays are equal.
    first : float
        When the first one may be prescribed [ms].
    """

    model: str
    overrides: tuple[str, ...]
    delay: float
    prescribed: bool = False
    first: float = _FIRST

    @property
    def configuration(self) -> Configuration:
        """The same in this project."""
        return pipeline.configure(*self.overrides, *conventions(self.delay))


def conventions(delay: float) -> tuple[str, ...]:
    """Return the overrides with which this project treats spikes as NEST does with a delay [ms]."""
    return (
        "stdp.coincidence=neither",
        f"synapse.axonal_delay={delay:g}",
        f"synapse.dendritic_delay={2 * delay:g}",
        "neuron.V_init=${neuron.E_L}",
    )


def run_here(case: NestCase, seed: int, run: Callable[..., Recording] = compiled.run) -> PeerRun:
    """Return the run of a case, with the compiled engine by default."""
    configuration = case.configuration.with_seed(seed)
    recording = run(configuration, output_steps=output_steps(case, configuration))
    return PeerRun(recording.spike_step, recording.weight)


def run_in_nest(
    folder: Path, cases: Mapping[str, NestCase], seeds: Mapping[str, range]
) -> tuple[dict[str, list[PeerRun]], dict[str, str]]:
    """Return the runs of each case in NEST by its name, one for each of its seeds, and versions.

    Raises
    ------
    AbsentError
        If NEST is not installed or its script fails.
    """
    python = interpreter("nest")
    parameters = {}
    for name, case in cases.items():
        for seed in seeds[name]:
            configuration = case.configuration.with_seed(seed)
            parameters[f"{name}_{seed}"] = nest_parameters(case, configuration)
            sent = configuration.replaced({"synapse.axonal_delay": 0.0})
            np.save(folder / f"{name}_{seed}_events.npy", np.concatenate([*sent.input_events()]))
            output = output_steps(case, configuration)
            if output is not None:
                np.save(folder / f"{name}_{seed}_output.npy", output)
    (folder / "cases.json").write_text(json.dumps(parameters))
    versions = answer([python, SCRIPTS / "nest_given.py", folder])["versions"]
    runs = {name: [read_run(folder, f"{name}_{seed}") for seed in seeds[name]] for name in cases}
    return runs, versions


def output_steps(case: NestCase, configuration: Configuration) -> NDArray[np.int64] | None:
    """Return the prescribed output spikes of a case, at 20 Hz; None if the neuron fires itself.

    Returns
    -------
    ndarray of int64, (n_spikes,)
        Rising; indices, dimensionless. No two are in successive steps.
    """
    if not case.prescribed:
        return None
    dt, duration = configuration.simulation.dt, configuration.simulation.duration
    step = np.arange(round(case.first / dt), round((duration - _LAST) / dt), 2)
    chosen = np.random.default_rng(configuration.seed).random(step.size) < 0.02 * 2 * dt
    return step[chosen]


def nest_parameters(case: NestCase, configuration: Configuration) -> dict[str, Any]:
    """Return the parameters of the script for a run."""
    p = parameters_of(configuration)
    if case.prescribed:
        dt = p["dt"]
        p |= {name: -dt / math.log1p(-dt / p[name]) for name in _TAUS if name in p}
    w_max = 1.0 if case.prescribed else p["g_max"]
    if p["rule"] == "power_law":  # NEST's reference weight is 1
        w_max = 1 / p["w_0"]
    kept = ("dt", "duration", "n_synapses", "w_init", "V_th", "V_reset", "E_L", "E_ex", "t_ref")
    given = {name: p[name] for name in (*kept, "tau_m", "tau_ex", "tau_minus")}
    if "tau_y" in p:
        given["tau_minus_triplet"] = p["tau_y"]
    synapse = {"triplet": _triplet, "power_law": _power_law}.get(p["rule"], _pair)(p, w_max)
    return given | {"model": case.model, "delay": case.delay, "Wmax": w_max, "synapse": synapse}


def _pair(p: dict[str, Any], w_max: float) -> dict[str, float]:
    mu_plus, mu_minus = {
        "additive": (0.0, 0.0),
        "multiplicative": (1.0, 1.0),
        "van_rossum": (0.0, 1.0),
    }.get(p["rule"]) or (p["mu_plus"], p["mu_minus"])
    return {
        "lambda": p["A_plus"],
        "alpha": p["A_minus"] / p["A_plus"],
        "mu_plus": mu_plus,
        "mu_minus": mu_minus,
        "tau_plus": p["tau_plus"],
    }


def _power_law(p: dict[str, Any], w_max: float) -> dict[str, float]:
    alpha = p["A_minus"] / p["A_plus"]
    return {"lambda": p["A_plus"], "alpha": alpha, "mu": p["mu"], "tau_plus": p["tau_plus"]}


def _triplet(p: dict[str, Any], w_max: float) -> dict[str, float]:
    """Return the parameters of the triplet rule, whose amplitudes are changes of NEST's weight."""
    return {
        "Aplus": p["A2_plus"] * w_max,
        "Aplus_triplet": p["A3_plus"] * w_max,
        "Aminus": p["A2_minus"] * w_max,
        "Aminus_triplet": p["A3_minus"] * w_max,
        "tau_plus": p["tau_plus"],
        "tau_plus_triplet": p["tau_x"],
    }
