"""Runs of configurations in Brian2, on the same input events and noise.

The model in Brian2 is `tests/benchmarks/peers/brian2_given.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.noise import noise_of_steps
from pipeline.model.output_spikes import configured_output_steps
from pipeline.model.parameters import Configuration
from tests.support.notebook_algorithm import parameters_of
from tests.support.peers import SCRIPTS, answer, interpreter


@dataclass(frozen=True)
class PeerRun:
    """What another simulator did.

    Attributes
    ----------
    spike_step : ndarray of int64, (n_spikes,)
        Time steps of its output spikes.
    weight : ndarray, (n_synapses,)
        Final weights, fraction of `synapse.g_max`, dimensionless.
    """

    spike_step: NDArray[np.int64]
    weight: NDArray[np.float64]


def run_in_brian2(
    folder: Path,
    configurations: Mapping[str, Configuration],
    usual: Mapping[str, str] | None = None,
) -> tuple[dict[str, PeerRun], dict[str, str]]:
    """Return the run of each configuration in Brian2 by its name, and versions.

    What some of them leave as it usually is in Brian2 is `usual`, by their names.

    Raises
    ------
    AbsentError
        If Brian2 is not installed or its script fails.
    """
    python = interpreter("brian2")
    for name, configuration in configurations.items():
        _write_input(folder, name, configuration)
    parameters = {name: parameters_of(one) for name, one in configurations.items()}
    for name, choice in (usual or {}).items():
        parameters[name]["usual"] = choice
    (folder / "cases.json").write_text(json.dumps(parameters))
    versions = answer([python, SCRIPTS / "brian2_given.py", folder])["versions"]
    return {name: read_run(folder, name) for name in configurations}, versions


def read_run(folder: Path, name: str) -> PeerRun:
    """Read what a script has written of a case."""
    return PeerRun(*(np.load(folder / f"{name}_{what}.npy") for what in ("spikes", "weights")))


def _write_input(folder: Path, name: str, configuration: Configuration) -> None:
    # As they are sent: the delay is Brian2's.
    sent = configuration.replaced({"synapse.axonal_delay": 0.0})
    n_steps = configuration.simulation.n_steps
    arrays: dict[str, Any] = {
        "events": np.concatenate([*sent.input_events()]),
        "noise": noise_of_steps(configuration, 0, n_steps),
        "inhibitory": inhibitory_cells(configuration),
    }
    output = configured_output_steps(configuration, None)
    if output is not None:
        arrays["output"] = output
    for what, array in arrays.items():
        np.save(folder / f"{name}_{what}.npy", array)


def inhibitory_cells(configuration: Configuration) -> NDArray[np.int64]:
    """Return the inhibitory spikes of a run.

    Returns
    -------
    ndarray of int64, (n_events,)
        Cells of the lattice of steps and inhibitory synapses; indices, dimensionless.
    """
    n_cells = configuration.simulation.n_steps * configuration.inhibition.n_synapses
    if not n_cells:
        return np.empty(0, dtype=np.int64)
    chunks = []
    for chunk in configuration.inhibitory_events():
        chunks.append(chunk[chunk < n_cells])
        if chunk.size > chunks[-1].size:
            break
    return np.concatenate(chunks)
