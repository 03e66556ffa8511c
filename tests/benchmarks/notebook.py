"""The algorithm of the original notebook with its input, in numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support import notebook_algorithm


def run(parameters: dict[str, Any]) -> tuple[int, float]:
    """Draw the input and run; return the number of output spikes and the mean weight."""
    p = parameters
    n_steps = round(p["duration"] / p["dt"])
    uniform = np.random.RandomState(p["seed"]).rand(p["n_synapses"], n_steps)
    spikes = uniform < p["rate_hz"] * p["dt"] / 1000
    spike_step, _, weight = notebook_algorithm.run(p, spikes)
    return spike_step.size, weight[:, -1].mean()
