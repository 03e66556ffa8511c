"""The experiment directory: finished batches, `results.nc`, and what made them.

Every file appears whole or not at all: it is written beside its place and moved in.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import logging
import os
import platform
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TextIO

import numpy as np
import yaml

from pipeline.execution.batch import Batch, Failure
from pipeline.model.errors import RequestError
from pipeline.model.quantity import written
from pipeline.request.grid import Grid
from pipeline.request.spec import Request, request_of
from pipeline.storage.failures import read_failures, write_failures
from pipeline.storage.labels import LabelledDataset
from pipeline.storage.netcdf import from_results, n_done_in, request_in, runs_in, write_netcdf
from pipeline.storage.provenance import Made
from pipeline.system.atomic_files import (
    checksum,
    remove_scraps,
    replacing,
    sealed,
    set_aside,
    unsealed,
)

log = logging.getLogger("pipeline")

#: Those in C where they are to be had: an axis may have ten thousand values.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Directory:
    """One experiment's directory, `outputs/NAME`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.points = path / "points"
        self.results = path / "results.nc"
        self.log = path / "sweep.log"
        self.reasons = path / "failures.csv"
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
            _sign(lock)
            for folder in (self.path, self.points):
                remove_scraps(folder)  # of writers that are no more: this one is the only one
            yield

    def refuse_unusable(self) -> None:
        """Refuse what `held` would, without a trace; another sweep may still come in between.

        Raises
        ------
        RequestError
            If the directory cannot be written to, or belongs to something else.
        """
        self._refuse_foreign_place()
        there = next(parent for parent in (self.path, *self.path.parents) if parent.exists())
        if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
            raise RequestError(f"{self.path}: must be a writable directory")

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

    def is_empty(self) -> bool:
        """Whether no point has been finished here."""
        return next(self.points.glob("*.npz"), None) is None

    def finished(self, set_damaged_aside: bool = True) -> Iterator[tuple[Batch, str]]:
        """Yield all finished points, and the run that made them; pass over damaged files."""
        for file in sorted(self.points.glob("*.npz")):
            try:
                content = file.read_bytes()
            except OSError as error:  # says nothing of what is in the file
                raise RequestError(f"{file}: cannot be read ({error.strerror})") from error
            if checksum(content) == file.stem:
                yield _load_batch(content)
            elif set_damaged_aside:
                log.warning("%s is damaged and set aside; its points run again", set_aside(file))
            else:
                log.warning("%s is damaged", file)

    def save(self, batch: Batch, made_by: str) -> None:
        """Keep the finished points of a batch, in a file named by its checksum."""
        if not batch.keys:
            return
        content = io.BytesIO()
        np.savez(content, key=np.array(batch.keys), made_by=np.array(made_by), **batch.columns)
        with replacing(self.points / f"{checksum(content.getbuffer())}.npz") as temporary:
            temporary.write_bytes(content.getbuffer())

    def n_done(self) -> int:
        """Return how many points are done in `results.nc`; 0 where that cannot be read."""
        return from_results(self.results, n_done_in) or 0

    def warn_of_lost_points(self, number: int, dry: bool) -> None:
        """Tell of points in `results.nc` that no batch holds any more, and keep that file."""
        aside = self.results.with_name("results.nc.earlier")
        log.warning(
            "%s has %d finished points that are no longer in %s; it is kept as %s",
            self.results,
            number,
            self.points,
            aside.name,
        )
        if not dry:
            with contextlib.suppress(OSError):
                self.results.replace(aside)

    def request(self) -> Request | None:
        """Return what was asked for here so far, if that can be read anywhere."""
        try:
            return yaml.load(unsealed(self._request.read_text()), Loader=_LOADER)
        except (OSError, ValueError, yaml.YAMLError) as error:
            _report_damage(self._request, error)
            return from_results(self.results, request_in)

    def write_request(self, grid: Grid) -> None:
        """Write the constants and the axes to `configuration.yaml`."""
        text = yaml.dump(request_of(grid), Dumper=_DUMPER, sort_keys=False)
        with replacing(self._request) as temporary:
            temporary.write_text(sealed(text))

    def runs(self) -> list[Made]:
        """Return what `provenance.json` says of the runs that computed anything here."""
        try:
            beside = json.loads(self._made.read_text())
            if beside["sha256"] != _checksum_of(beside["runs"]):
                raise ValueError("the checksum does not fit")
            return beside["runs"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            _report_damage(self._made, error)
            return from_results(self.results, runs_in) or []

    def write_runs(self, runs: list[Made]) -> None:
        """Write `provenance.json`: every run that computed anything here, in order."""
        text = json.dumps({"runs": runs, "sha256": _checksum_of(runs)}, indent=2)
        with replacing(self._made) as temporary:
            temporary.write_text(text + "\n")

    def failures(self) -> dict[str, Failure]:
        """Return why points failed here, by key."""
        return read_failures(self.reasons)

    def write_failures(self, grid: Grid, failures: Mapping[str, Failure]) -> None:
        """Write `failures.csv`, or take it away when there are none."""
        write_failures(self.reasons, grid, failures)

    def write_results(self, results: LabelledDataset) -> None:
        """Write `results.nc`; whoever has the old file open keeps reading the old one."""
        with replacing(self.results) as temporary:
            write_netcdf(results, temporary)


def _sign(lock: TextIO) -> None:
    """Write down who holds the lock; the next holder writes over it."""
    now = datetime.now().isoformat(" ", "seconds")
    with contextlib.suppress(OSError):  # on a full disk the lock holds unsigned
        os.ftruncate(lock.fileno(), 0)
        os.write(lock.fileno(), f"process {os.getpid()} on {platform.node()} since {now}".encode())


def _is_experiment(path: Path) -> bool:
    return (path / "configuration.yaml").is_file() or (path / ".lock").is_file()


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


def _load_batch(content: bytes) -> tuple[Batch, str]:
    with np.load(io.BytesIO(content)) as file:
        columns = {name: file[name] for name in file.files}
    keys, made_by = columns.pop("key").tolist(), columns.pop("made_by").item()
    return Batch(keys, columns), made_by


def _checksum_of(runs: list[Made]) -> str:
    return checksum(json.dumps(runs).encode())


def _report_damage(file: Path, error: Exception) -> None:
    """Warn of a file that is there and cannot be read; it is about to be written anew."""
    if not isinstance(error, FileNotFoundError):
        log.warning("%s is damaged; results.nc is read in its place", file)
