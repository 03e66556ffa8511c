"""Analysis of `results.nc`: measures, theory, figures, reports. Never imports `pipeline`.

Public Python API::

    from analysis import open_results, settling, show

    dataset = open_results("outputs/equilibrium")
    show("outputs/equilibrium", "rates")
"""

from __future__ import annotations

import importlib
from typing import Any

# Imported on first use: a table of experiments needs neither xarray nor matplotlib.
_PUBLIC = {
    "LoadError": "analysis.reading.errors",
    "ConditionError": "analysis.reading.errors",
    "open_results": "analysis.reading.dataset",
    "axes": "analysis.reading.dataset",
    "constants": "analysis.reading.dataset",
    "parameter": "analysis.reading.dataset",
    "label": "analysis.reading.dataset",
    "show": "analysis.figures.save",
    "show_catalogue": "analysis.figures.save",
    "bimodality": "analysis.measures.weights",
    "silent": "analysis.measures.weights",
    "weight_histogram": "analysis.measures.weights",
    "weight_shares": "analysis.measures.weights",
    "cv": "analysis.measures.spike_trains",
    "fanofactor": "analysis.measures.spike_trains",
    "input_spikes": "analysis.measures.spike_trains",
    "mean_firing_rate": "analysis.measures.spike_trains",
    "cross_correlation_histogram": "analysis.measures.spike_trains",
    "input_rate_around_output": "analysis.measures.spike_trains",
    "ltp_trace": "analysis.measures.traces",
    "ltd_trace": "analysis.measures.traces",
    "synaptic_conductance": "analysis.measures.traces",
    "mean_weight_history": "analysis.measures.weights",
    "initial_weight": "analysis.measures.weights",
    "mean_initial_weight": "analysis.measures.weights",
    "stdp_window": "analysis.measures.rule_curves",
    "pairing_change": "analysis.measures.pairing",
    "isolated_pairing_change": "analysis.measures.pairing",
    "stimulus_responses": "analysis.measures.stimuli",
    "weight_by_group": "analysis.measures.synapses",
    "confidence_interval": "analysis.measures.seeds",
    "mean_over_seeds": "analysis.measures.seeds",
    "numbers": "analysis.measures.numbers",
    "tidy_table": "analysis.measures.export",
    "to_neo": "analysis.measures.export",
    "paired_difference": "analysis.measures.seeds",
    "spread_over_seeds": "analysis.measures.seeds",
    "settling": "analysis.measures.settling",
    "expected_histogram": "analysis.measures.equilibrium",
    "homeostatic_rate": "analysis.measures.equilibrium",
    "spikes_per_input": "analysis.measures.equilibrium",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
