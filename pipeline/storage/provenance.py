"""What made a result: code, packages, machine, command."""

from __future__ import annotations

import json
import os
import platform
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.model.parameters import MODEL_VERSION
from pipeline.request.run_settings import RunSettings
from pipeline.system import host

#: One run that made results: what `capture` returns, and in the end its `seconds`.
Made = dict[str, Any]

SEED_POLICY = (
    "numpy PCG64 of SeedSequence(seed, spawn_key=(stream,)); input spikes are stream 0; the same "
    "seed draws the same numbers at every point. input.process=notebook: RandomState(seed)."
)


def capture(settings: RunSettings) -> Made:
    """Return everything that is known before the first point runs."""
    return {
        "id": uuid.uuid4().hex,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": host.command_line(),
        **host.code_version(),
        "model_version": MODEL_VERSION,
        "engine": settings.engine,
        "backend": settings.backend,
        "n_jobs": settings.n_jobs,
        "n_cores": os.cpu_count() or "unknown",
        "seed_policy": SEED_POLICY,
        "python": platform.python_version(),
        "packages": host.packages(),
        "platform": platform.platform(),
        "processor": host.processor(),
        "host": platform.node(),
        "seconds": None,  # until it ends
    }


def as_attributes(runs: Sequence[Made]) -> dict[str, Any]:
    """Return the runs that made a file as its attributes; `made_by` counts them.

    The attribute `runs` has all of each but the diff; the others have one line: what the last run
    says, and what the runs before it said where that was something else.
    """
    if not runs:
        return {"runs": "[]"}
    short = [{name: v for name, v in run.items() if name != "git_diff"} for run in runs]
    attributes: dict[str, Any] = {}
    for name, last in short[-1].items():
        values = list(dict.fromkeys(run.get(name) for run in short if not isinstance(last, dict)))
        if isinstance(last, dict):
            attributes[name] = json.dumps(last)
        elif name not in ("id", "seconds"):
            attributes[name] = last if len(values) == 1 else "; ".join(map(str, values))
    attributes["seconds"] = round(sum(run["seconds"] or 0.0 for run in short), 3)
    return attributes | {"runs": json.dumps(short)}
