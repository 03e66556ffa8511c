"""Sizes and repeats of the benchmarks, in full or reduced."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """Repeats and sizes.

    Attributes
    ----------
    folder : Path
        Directory for compiled code and outputs.
    figures : Path
        Directory of the figure of growth.
    repeats : int
        Runs of each contestant and of each command.
    duration, short : float
        Model time of a run, and of runs that are too slow for it at dt 0.1 ms [ms].
    long : float
        Model time at equilibrium [ms].
    n_seeds : int
        Seeds of the wide sweep, at ten input rates each.
    n_points : int
        Points of the sweep on two cores.
    growth_points : int
        Greatest number of points in the figure of growth.
    study : tuple of str
        Overrides that reduce the experiment.
    """

    folder: Path
    figures: Path
    repeats: int = 5
    duration: float = 120_000.0
    short: float = 12_000.0
    long: float = 2_400_000.0
    n_seeds: int = 1_000
    n_points: int = 64
    growth_points: int = 100_000
    study: tuple[str, ...] = ()


def quick(folder: Path) -> Plan:
    """Return the reduced plan."""
    return Plan(
        folder,
        folder,
        repeats=2,
        duration=12_000.0,
        short=2_000.0,
        long=240_000.0,
        n_seeds=100,
        growth_points=3_000,
        study=("seed=range(1)",),
    )
