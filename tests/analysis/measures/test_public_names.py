"""Measures as names of the package `analysis`."""

import importlib
import inspect

import pytest

import analysis

#: Of datasets, and no measures: what measures are made of.
PARTS = {"covered", "is_paired", "n_not_done", "time_step", "first_step", "swept_axes"}


@pytest.mark.parametrize(
    "module",
    ["weights", "spike_trains", "traces", "seeds", "numbers", "settling", "equilibrium", "pairing"],
)
def test_every_measure_is_a_name_of_the_package(module):
    """Each public function of a dataset is one, so that none is looked for in a module."""
    inside = importlib.import_module(f"analysis.measures.{module}")
    measures = {
        name: function
        for name, function in inspect.getmembers(inside, inspect.isfunction)
        if function.__module__ == inside.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters)) == "dataset"
    }
    for name in measures.keys() - PARTS:
        assert getattr(analysis, name) is measures[name]
    assert measures
