"""Parameter sweeps of a leaky integrate-and-fire neuron with spike-timing-dependent plasticity.

Public Python API::

    configuration = pipeline.configure("input.rate_hz=20", "stdp.tau_plus=10")
    dataset = pipeline.simulate(configuration)
    dataset = pipeline.simulate(configuration.replaced({"stdp.A_plus": 0.004}))
    dataset = pipeline.sweep(configuration, {"input.rate_hz": [10, 20], "seed": range(5)})
    print(pipeline.plan(configuration, {"seed": range(1000)}))
    dataset = pipeline.simulate_many([configuration, pipeline.configure("stdp=multiplicative")])
    simulate = pipeline.simulator(configuration, ["stdp.A_plus", "input.rate_hz"], "output_rate")
    rates = simulate([[0.004, 10], [0.008, 20]])
"""

from __future__ import annotations

import importlib
from typing import Any

#: Public names by module, imported on first use: a worker needs neither Hydra nor xarray.
_PUBLIC = {
    "configure": "pipeline.composition.compose",
    "simulate": "pipeline.experiment.api",
    "sweep": "pipeline.experiment.api",
    "plan": "pipeline.experiment.api",
    "simulate_many": "pipeline.experiment.many",
    "simulator": "pipeline.experiment.simulator",
    "register": "pipeline.model.registry",
    "Configuration": "pipeline.model.parameters",
    "RequestError": "pipeline.model.errors",
}
__all__ = list(_PUBLIC)

#: What files of rules and input processes may import; most of it needs no import there.
_FOR_FILES = {
    "plasticity": ("Rule", "Trace", "PRE", "POST", "where"),
    "pair_rules": ("PairRule",),
    "quantity": ("quantity",),
    "inputs": ("InputProcess", "Cells", "random_generator", "bernoulli_cells", "INPUT_STREAM"),
}
_MODULES = _PUBLIC | {
    name: f"pipeline.model.{module}" for module, names in _FOR_FILES.items() for name in names
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'pipeline' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
