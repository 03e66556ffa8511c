"""What the workers of a Dask cluster execute: batches, and the receipt of events."""

from __future__ import annotations

import functools
import importlib.metadata
import pickle
from dataclasses import dataclass

import numpy as np

from pipeline.execution.batch import Batch, Task, run_batch
from pipeline.execution.cancel import Stop
from pipeline.model.contents import content_of
from pipeline.model.event_content import EventContent, received_file
from pipeline.model.event_sources import EventFile
from pipeline.model.parameters import MODEL_VERSION
from pipeline.system.host import sources_checksum


@functools.cache
def code() -> dict[str, str]:
    """Return what results depend on in this process, beside the request: by name, a version."""
    return {
        "model version": str(MODEL_VERSION),
        "numpy": np.__version__,
        "numba": importlib.metadata.version("numba"),
        "sources of the package with checksum": sources_checksum("pipeline")[:12],
    }


def code_or_reason() -> dict[str, str] | str:
    """Return `code()`, or why this process cannot tell it."""
    try:
        return code()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class LackingEvents:
    """Answer of a worker that cannot read the events of a batch.

    Attributes
    ----------
    worker : str
        Address of the worker.
    digests : list of str
        Hashes of the events.
    """

    worker: str
    digests: list[str]


class _Release(Stop):
    """Request to stop a task that the scheduler has released: cancelled, or of a client that ended.

    Parameters
    ----------
    key : str
        Name of the task, which this worker is executing.
    """

    def __init__(self, key: str) -> None:
        from distributed import get_worker

        self._key = key
        self._worker = get_worker()
        super().__init__()

    @property
    def requested(self) -> bool:
        task = self._worker.state.tasks.get(self._key)
        return task is None or task.state == "cancelled"

    @requested.setter
    def requested(self, value: bool) -> None:
        """Only the scheduler stops a task."""


def run_task(key: str, expected: dict[str, str], payload: bytes) -> Batch | LackingEvents:
    """Run a batch that was pickled in the process of the sweep.

    Parameters
    ----------
    key : str
        Name of the task.
    expected : dict of str to str
        `code()` of the process of the sweep.
    payload : bytes
        The pickled arguments of `run_batch` up to `stop`.

    Raises
    ------
    RuntimeError
        If the code of this process is another.
    """
    if code() != expected:
        raise RuntimeError("another version of the package or its dependencies")
    task, engine, timeout, fail_fast = pickle.loads(payload)
    release = _Release(key)
    if lacking := _lacking_events(task):
        return LackingEvents(release._worker.address, lacking)
    return run_batch(task, engine, timeout, fail_fast, release)


def _lacking_events(task: Task) -> list[str]:
    """Return the hashes of events whose files this process cannot read."""
    digests = {getattr(job.point.input, "content", None) for job in task}
    contents = [content_of(digest) for digest in digests]
    return [
        content.digest
        for content in contents
        if isinstance(content, EventContent)
        and isinstance(content.source, EventFile)
        and not content.source.is_here()
    ]


def receive(digest: str, transfer: str, block: bytes, is_last: bool) -> None:
    """Append a block to a temporary file with events; after the last one they can be read here.

    Parameters
    ----------
    digest : str
        Hash of the events.
    transfer : str
        Name of the transfer: another may be under way.
    block : bytes
        Part of an npz file.
    is_last : bool
        Whether the file is complete.
    """
    file = received_file(digest)
    part = file.with_suffix(f".{transfer}")
    with part.open("ab") as opened:
        opened.write(block)
    if is_last:
        part.replace(file)
