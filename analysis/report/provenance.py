"""Who made an experiment: its runs, what they ran on, and the commands that make it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from analysis.reading.metadata import Metadata, packages_of
from analysis.reading.values import written

#: What is told once where all runs say the same, and who they are if not.
_TOLD = (
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

#: The packages that have a say in the numbers, or in the file.
MAIN_PACKAGES = ("numpy", "numba", "llvmlite", "xarray", "netcdf4", "hydra-core", "joblib")


def runs_of(metadata: Metadata) -> list[Mapping[str, Any]]:
    """Return the runs that made a file; of one that does not list them, what it says itself."""
    return list(metadata.runs) or [metadata.attributes]


def n_points_made(dataset: xr.Dataset, n_runs: int) -> list[int | None]:
    """Return how many points each run made; None where the file does not tell."""
    if "made_by" not in dataset:
        return [None] * n_runs
    made_by = dataset["made_by"].values[dataset["status"].values == 0]
    return [int(np.count_nonzero(made_by == i)) for i in range(n_runs)]


def conditions_of_runs(metadata: Metadata) -> list[tuple[str, str]]:
    """Return engine, machine, versions and so on; several, where runs differ."""
    rows = [(name, "; ".join(metadata.said(name))) for name in _TOLD]
    versions = package_versions(metadata)
    main = [f"{name} {versions[name]}" for name in MAIN_PACKAGES if name in versions]
    rows.append(("packages", ", ".join(main)))
    return [(name.replace("_", " "), words) for name, words in rows if words]


def package_versions(metadata: Metadata) -> dict[str, str]:
    """Return the version of each package; several, where runs differ."""
    versions: dict[str, dict[str, None]] = {}
    for run in runs_of(metadata):
        for package, version in packages_of(run).items():
            versions.setdefault(package, {})[str(version)] = None
    return {package: "; ".join(found) for package, found in versions.items()}


def recorded_commands(metadata: Metadata) -> list[str]:
    """Return the command lines that made a file, each once, in their order."""
    return list(dict.fromkeys(str(run["command"]) for run in runs_of(metadata) if "command" in run))


def run_words(run: Mapping[str, Any], name: str) -> str:
    """Return what a run says of one thing, "" if nothing."""
    value = run.get(name)
    return "" if value is None else written(value)
