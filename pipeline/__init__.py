"""Experiment pipeline for spike-timing-dependent plasticity of a LIF neuron.

Three names are all that a script or notebook needs::

    configuration = pipeline.configure("input.rate_hz=20", "stdp.tau_plus=10")
    dataset = pipeline.simulate(configuration)
    dataset = pipeline.sweep(configuration, {"input.rate_hz": [10, 20], "seed": range(5)})
"""

from __future__ import annotations

import importlib
from typing import Any

# Imported when first used: a worker process needs neither Hydra nor xarray.
_DOORS = {
    "configure": "pipeline.request.compose",
    "simulate": "pipeline.experiment.api",
    "sweep": "pipeline.experiment.api",
    "plan": "pipeline.experiment.api",
    "Configuration": "pipeline.model.parameters",
    "RequestError": "pipeline.model.errors",
}
__all__ = list(_DOORS)


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
    return getattr(importlib.import_module(_DOORS[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_DOORS])
