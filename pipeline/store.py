"""The experiment directory: finished batches, `results.nc`, and what made them.

Every file appears whole or not at all: it is written beside its place and moved in.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import logging
import os
import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import yaml

from pipeline.files import replacing
from pipeline.grid import Grid
from pipeline.labelled import Labelled, write_netcdf
from pipeline.parameters import MODEL_VERSION, by_key
from pipeline.quantities import RequestError, written
from pipeline.runner import Batch

log = logging.getLogger("pipeline")

#: The one in C where it is to be had: an axis may have ten thousand values.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Directory:
    """One experiment's directory, `outputs/NAME`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.points = path / "points"
        self.results = path / "results.nc"
        self.log = path / "sweep.log"
        self._request = path / "configuration.yaml"
        self._made = path / "provenance.json"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Make the directory and hold it during the block. The hold ends with the process.

        Raises
        ------
        RequestError
            If it cannot be written to, belongs to something else, or another sweep holds it.
        """
        self._refuse_foreign_place()
        try:
            self.points.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("a+")
        except OSError as error:
            reason = error.strerror or str(error)
            raise RequestError(f"{self.path}: must be a writable directory ({reason})") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "another sweep"
                raise RequestError(
                    f"{self.path}: {holder} is writing here; wait for it, or choose another name"
                ) from None
            except OSError as error:
                log.warning(
                    "%s: cannot be locked (%s); let no other sweep write here", lock.name, error
                )
            lock.truncate(0)
            now = datetime.now().isoformat(" ", "seconds")
            lock.write(f"process {os.getpid()} on {platform.node()} since {now}")
            lock.flush()
            yield

    def _refuse_foreign_place(self) -> None:
        for parent in (self.path, *self.path.parents):
            if parent.name in ("points", "figures") and _is_experiment(parent.parent):
                raise RequestError(f"{self.path}: must not lie in the {parent.name} of another")
        try:
            files = [file.name for file in self.path.glob("[!.]*") if file.is_file()]
        except OSError:
            return  # not there yet, or told of when it is made
        if files and not _is_experiment(self.path):
            raise RequestError(f"{self.path}: must not hold files of something else ({files[0]})")

    def finished(self) -> Iterator[Batch]:
        """Yield all finished points; set damaged files aside."""
        for file in sorted(self.points.glob("*.npz")):
            try:
                content = io.BytesIO(file.read_bytes())
            except OSError as error:  # says nothing of what is in the file
                raise RequestError(f"{file}: cannot be read ({error.strerror})") from error
            try:
                batch = _load_batch(content)
            except Exception:  # whatever the bytes provoke, they are no batch
                damaged = file.replace(file.with_suffix(".damaged"))
                log.warning("%s is damaged and set aside; its points run again", damaged)
                continue
            yield batch

    def write_request(self, grid: Grid) -> None:
        """Write the constants and the axes to `configuration.yaml`."""
        with replacing(self._request) as temporary:
            temporary.write_text(yaml.dump(_request_of(grid), Dumper=_DUMPER, sort_keys=False))

    def differences(self, grid: Grid) -> str:
        """Return in words how the request of this directory differs from that of a grid."""
        try:
            here = by_key(yaml.safe_load(self._request.read_text()))
        except Exception:  # not there, or no longer YAML
            return "its configuration.yaml cannot be read"
        asked = by_key(_request_of(grid))
        different = [
            f"{written(key, here[key])} there and {written(key, asked[key])} here"
            for key in here.keys() & asked.keys()
            if here[key] != asked[key]
        ]
        swept = [f"{key} is swept in only one of the two" for key in here.keys() ^ asked.keys()]
        return "; ".join(sorted(different)[:3] or sorted(swept)[:3])

    def last_provenance(self) -> dict[str, Any]:
        """Return what `provenance.json` says of the last run that computed anything, or nothing."""
        return self._provenance()[0]

    def write_provenance(self, provenance: dict[str, Any]) -> None:
        """Write `provenance.json`; the runs before this one stay in it."""
        last, runs = self._provenance()
        if last and last != provenance:
            runs.append(last)
        with replacing(self._made) as temporary:
            temporary.write_text(json.dumps(provenance | {"earlier_runs": runs}, indent=2) + "\n")

    def _provenance(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the provenance of the last run and of those before."""
        try:
            last = json.loads(self._made.read_text())
            return last, last.pop("earlier_runs", [])
        except (OSError, ValueError, AttributeError):  # not there, or no longer ours
            return {}, []

    def save(self, batch: Batch) -> None:
        """Keep the finished points of a batch."""
        if not batch.keys:
            return
        name = hashlib.blake2b("".join(batch.keys).encode(), digest_size=12).hexdigest()
        with replacing(self.points / f"{name}.npz") as temporary, temporary.open("wb") as file:
            np.savez(file, key=np.array(batch.keys), **batch.columns)

    def write_results(self, results: Labelled) -> None:
        """Write `results.nc`; whoever has the old file open keeps reading the old one."""
        with replacing(self.results) as temporary:
            write_netcdf(results, temporary)


def _is_experiment(path: Path) -> bool:
    return (path / "configuration.yaml").is_file()


def directory_path(outputs: str, name: str) -> Path:
    """Return `outputs/name`.

    Raises
    ------
    RequestError
        If either is no text, or the name would leave the root.
    """
    for key, value in (("outputs", outputs), ("name", name)):
        if not isinstance(value, str | Path | int) or not str(value).strip():
            raise RequestError(f"{written(key, value)}: must be the name of a directory")
    parts = Path(str(name)).parts
    if not parts or Path(str(name)).is_absolute() or ".." in parts:
        raise RequestError(
            f"{written('name', name)}: must be a path below outputs={outputs}, without '..'"
        )
    return Path(outputs, str(name))


def _request_of(grid: Grid) -> dict[str, Any]:
    axes = {axis.key: list(axis.values) for axis in grid.axes}
    return {"model_version": MODEL_VERSION} | grid.constants() | {"axes": axes}


def _load_batch(content: BinaryIO) -> Batch:
    with np.load(content) as file:
        columns = {name: file[name] for name in file.files}
    keys = columns.pop("key").tolist()
    if any(len(column) != len(keys) for column in columns.values()):
        raise ValueError("columns of different length")
    return Batch(keys, columns)
