"""What made a result: code, packages, machine, command."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.parameters import MODEL_VERSION
from pipeline.runner import Run

_PACKAGES = ("numpy", "hydra-core", "xarray", "netCDF4", "joblib", "numba")

SEED_POLICY = (
    "numpy PCG64 of SeedSequence(seed, spawn_key=(stream,)); input spikes are stream 0; the same "
    "seed draws the same numbers at every point. input.process=notebook: RandomState(seed)."
)


def capture(run: Run) -> dict[str, Any]:
    """Return everything that is known before the first point runs."""
    commit = _git("rev-parse", "HEAD")
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": _command(),
        "git_commit": commit or "unknown",
        "git_dirty": "unknown"
        if commit is None
        else str(bool(_git("status", "--porcelain"))).lower(),
        "model_version": MODEL_VERSION,
        "engine": run.engine,
        "backend": run.backend,
        "n_jobs": run.n_jobs,
        "n_cores": os.cpu_count() or "unknown",
        "seed_policy": SEED_POLICY,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "platform": platform.platform(),
        "processor": _processor(),
        "host": platform.node(),
    }


def as_attributes(provenance: dict[str, Any]) -> dict[str, Any]:
    """Return provenance as netCDF attributes: nothing nested."""
    return {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in provenance.items()
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # numba, where the reference does its work
        return "not installed"


def _command() -> str:
    program = Path(sys.argv[0])
    words = ["python", "-m", program.parent.name] if program.stem == "__main__" else [program.name]
    return shlex.join([*words, *sys.argv[1:]])


def _git(*arguments: str) -> str | None:
    """Return what git says of this code, or None where it is no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    """Return the processor's name as Linux gives it, else as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
