"""What each figure needs of a file."""

from __future__ import annotations

import functools

import pipeline
from analysis.figures.registry import FIGURES
from analysis.measures.measured import MeasuredDataset


@functools.cache
def needs_of_figures() -> dict[str, str]:
    """Return what one short run without recording lacks for each figure, by its name."""
    short = pipeline.simulate(pipeline.configure("simulation.duration=100"), engine="reference")
    measured = MeasuredDataset(short)
    return {name: spec.needs(measured) for name, spec in FIGURES.items()}
