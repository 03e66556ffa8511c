"""The last results of `make compare`: what the other simulators gave, to be compared again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.compare.brian2 import PeerRun

RESULTS = Path(__file__).parent / "results.json"

#: Sums in another order: rounding errors, which no threshold test turns into another spike.
TOLERANCE = 1e-9


def stored() -> dict[str, Any]:
    """Return the results of the repository."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {"versions": {}}


def store(part: str, entries: dict[str, Any], versions: dict[str, str]) -> None:
    """Replace one part of the results."""
    results = stored() | {part: entries}
    results["versions"] |= versions
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def same_events(ours: PeerRun, theirs: PeerRun) -> dict[str, Any]:
    """Return the comparison of two runs with the same input, with what identifies the other's."""
    return {
        "spikes": int(theirs.spike_step.size),
        "same_spikes": bool(np.array_equal(ours.spike_step, theirs.spike_step)),
        "largest_weight_difference": float(np.abs(ours.weight - theirs.weight).max()),
        **identity(theirs),
    }


def identity(run: PeerRun) -> dict[str, Any]:
    """Return a hash of the spike times, and mean and standard deviation of the weights."""
    steps = run.spike_step.astype("<i8").tobytes()
    return {
        "spike_hash": hashlib.sha256(steps).hexdigest()[:16],
        "mean_weight": float(run.weight.mean()),
        "sd_weight": float(run.weight.std()),
    }


def divergence(same: PeerRun, other: PeerRun) -> dict[str, Any]:
    """Return spikes and weights of another run with the same input, and the first other spike.

    `first_difference` is its number, from 0; null if all are equal.
    """
    n = min(same.spike_step.size, other.spike_step.size)
    unlike = np.flatnonzero(same.spike_step[:n] != other.spike_step[:n])
    first = int(unlike[0]) if unlike.size else n
    equal = first == same.spike_step.size == other.spike_step.size
    last = same.spike_step.size - 1
    return {
        "spikes": int(other.spike_step.size),
        "first_difference": None if equal else first,
        "at_step": None if equal else int(same.spike_step[min(first, last)]),
        "mean_weight": float(other.weight.mean()),
    }


def over_seeds(runs: Sequence[PeerRun], duration: float) -> dict[str, list[float]]:
    """Return mean and standard deviation over seeds of output rate [Hz] and mean weight."""
    rates = np.array([1000 * run.spike_step.size / duration for run in runs])
    weights = np.array([run.weight.mean() for run in runs])
    return {"rate": _mean_and_sd(rates), "weight": _mean_and_sd(weights)}


def paired(
    ours: Sequence[PeerRun], theirs: Sequence[PeerRun], duration: float
) -> dict[str, list[float]]:
    """Return mean and standard error of ours minus theirs, over seeds with the same input."""
    spikes = [a.spike_step.size - b.spike_step.size for a, b in zip(ours, theirs, strict=True)]
    weights = [a.weight.mean() - b.weight.mean() for a, b in zip(ours, theirs, strict=True)]
    found = {"rate": 1000 * np.array(spikes) / duration, "weight": np.array(weights)}
    return {
        name: [float(one.mean()), float(one.std(ddof=1) / np.sqrt(one.size))]
        for name, one in found.items()
    }


def _mean_and_sd(values: NDArray[np.float64]) -> list[float]:
    return [float(values.mean()), float(values.std(ddof=1))]
