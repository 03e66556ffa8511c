"""Provenance of results: code, packages, host, command and settings of every run."""

from __future__ import annotations

import functools
import json
import os
import platform
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.composition.run_settings import RunSettings
from pipeline.model.parameters import MODEL_VERSION
from pipeline.model.variables import SCHEMA_VERSION
from pipeline.system import host

#: Record of one run of the pipeline: what `capture` returns, and `seconds` when it has ended.
RunRecord = dict[str, Any]

SEED_POLICY = (
    "mixed counters whose start and increment are SeedSequence(seed, spawn_key=(stream,)); input "
    "spikes are stream 0. input.seed_policy=shared: the same seed draws the same numbers at every "
    "point. input.seed_policy=independent: it is made by SeedSequence([seed, hash]), with the hash "
    "of the point's parameters without seed, duration and recording. "
    "input.process=notebook: RandomState(seed)."
)


def capture(
    settings: RunSettings,
    own_files: Mapping[str, str] | None = None,
    generator: Mapping[str, Any] | None = None,
    sample_origin: str = "",
) -> RunRecord:
    """Return the record of a run that is about to start.

    Parameters
    ----------
    settings : RunSettings
        How the points are run.
    own_files : mapping, optional
        Content of the user's configuration files, by path; recorded where there are any.
    generator : mapping, optional
        Method, seed, intervals and packages of samples that were drawn; recorded likewise.
    sample_origin : str
        What gave samples their values where they were not drawn; recorded likewise.
    """
    record: RunRecord = {
        "id": uuid.uuid4().hex,
        "created": _now(),
        "command": host.command_line(),
        **host.code_version(),
        "model_sources": host.sources_checksum("pipeline/model", "pipeline/engine"),
        "model_version": MODEL_VERSION,
        "schema_version": SCHEMA_VERSION,
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
        "seconds": None,  # set when it has ended
    }
    record |= {"own_files": dict(own_files)} if own_files else {}
    record |= {"sample_generator": dict(generator)} if generator else {}
    return record | ({"sample_origin": sample_origin} if sample_origin else {})


def of_simulation(settings: RunSettings, own_files: Mapping[str, str]) -> dict[str, Any]:
    """Return the attributes of a single simulation: engine, code, packages, host and time."""
    own = {"own_files": json.dumps(dict(own_files))} if own_files else {}
    return _of_this_process(settings) | {"created": _now()} | own


@functools.lru_cache(maxsize=8)
def _of_this_process(settings: RunSettings) -> dict[str, Any]:
    """Return what does not change in a process, captured once: git takes longer than a run."""
    record = capture(settings)
    of_a_sweep = ("id", "seconds", "git_diff", "backend", "n_jobs", "schema_version")
    attributes = as_attributes([{k: v for k, v in record.items() if k not in of_a_sweep}])
    return {name: v for name, v in attributes.items() if name not in ("runs", "seconds")}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def as_attributes(runs: Sequence[RunRecord]) -> dict[str, Any]:
    """Return the records of all runs as attributes of a file; `made_by` is an index into them.

    The attribute `runs` holds the complete records except the diffs. The other attributes hold the
    fields of the last run as text, preceded by those of earlier runs where they differ.
    """
    if not runs:
        return {"runs": "[]"}
    short = [{name: v for name, v in run.items() if name != "git_diff"} for run in runs]
    attributes: dict[str, Any] = {}
    for name, last in short[-1].items():
        values = list(
            dict.fromkeys(run[name] for run in short if name in run and not isinstance(last, dict))
        )
        if isinstance(last, dict):
            attributes[name] = json.dumps(last)
        elif name not in ("id", "seconds", "schema_version"):
            attributes[name] = last if len(values) == 1 else "; ".join(map(str, values))
    attributes["seconds"] = round(sum(run.get("seconds") or 0.0 for run in short), 3)
    return attributes | {"runs": json.dumps(short)}
