"""Provenance of an experiment: its runs, their environment and their commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from analysis.reading.metadata import DONE, Metadata
from analysis.reading.runs import packages_of
from analysis.reading.values import written

#: Entries of a run that are listed once if all runs agree.
_CONDITIONS = (
    "engine",
    "backend",
    "n_jobs",
    "n_cores",
    "host",
    "processor",
    "platform",
    "python",
    "model_version",
    "coincidence_convention",
    "seed_policy",
)

#: Packages that affect the numbers or the file.
MAIN_PACKAGES = ("numpy", "numba", "llvmlite", "xarray", "netcdf4", "hydra-core", "joblib")


def runs_of(metadata: Metadata) -> list[Mapping[str, Any]]:
    """Return the runs that contributed points; of a file without a list, its global attributes."""
    return list(metadata.runs) or [metadata.attributes]


def n_points_made(dataset: xr.Dataset, n_runs: int) -> list[int | None]:
    """Return the number of points that each run contributed.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` and `made_by`, the index of the run, both (...), dimensionless.
    n_runs : int
        Number of runs.

    Returns
    -------
    list of int or None
        One for each run; None without `made_by`.
    """
    if "made_by" not in dataset:
        return [None] * n_runs
    made_by = dataset["made_by"].values[dataset["status"].values == DONE]
    return [int(np.count_nonzero(made_by == i)) for i in range(n_runs)]


def conditions_of_runs(metadata: Metadata) -> list[tuple[str, str]]:
    """Return name and value of engine, machine, versions and so on; all values if runs differ."""
    rows = [(name, "; ".join(metadata.said(name))) for name in _CONDITIONS]
    versions = package_versions(metadata)
    main = [f"{name} {versions[name]}" for name in MAIN_PACKAGES if name in versions]
    rows.append(("packages", ", ".join(main)))
    return [(name.replace("_", " "), text) for name, text in rows if text]


def package_versions(metadata: Metadata) -> dict[str, str]:
    """Return the version of each package by name; all versions if runs differ."""
    versions: dict[str, dict[str, None]] = {}
    for run in runs_of(metadata):
        for package, version in packages_of(run).items():
            versions.setdefault(package, {})[str(version)] = None
    return {package: "; ".join(found) for package, found in versions.items()}


def recorded_commands(metadata: Metadata) -> list[str]:
    """Return the distinct command lines of all runs, in order."""
    return list(dict.fromkeys(str(run["command"]) for run in runs_of(metadata) if "command" in run))


def run_text(run: Mapping[str, Any], name: str) -> str:
    """Return one entry of a run as text, "" if not recorded."""
    value = run.get(name)
    return "" if value is None else written(value)
