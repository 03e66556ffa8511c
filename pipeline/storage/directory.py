"""The experiment directory: finished batches, `results.nc`, request and provenance.

All files are written atomically.
"""

from __future__ import annotations

import contextlib
import csv
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from pipeline.composition.shard import Shard
from pipeline.execution.batch import Batch, Failure
from pipeline.model.errors import RequestError
from pipeline.model.registry import content_hash
from pipeline.request.grid import Grid
from pipeline.request.spec import GROWN_FROM, Request, model_sources, request_of
from pipeline.storage.arrays import ResultArrays
from pipeline.storage.batch_files import FileColumns, batch_files_in, read_batch, write_batch
from pipeline.storage.compaction import Compaction
from pipeline.storage.content import refuse_other_content
from pipeline.storage.failures import read_failures, write_failures
from pipeline.storage.finished import sound_files
from pipeline.storage.labels import LabelledDataset
from pipeline.storage.lock import current_path, locked
from pipeline.storage.netcdf import (
    from_results,
    n_done_in,
    n_lost_in,
    read_results,
    request_in,
    runs_in,
    write_netcdf,
)
from pipeline.storage.paths import free_directory, why_not_writable
from pipeline.storage.provenance import RunRecord
from pipeline.storage.sample_text import columns_as_lists, columns_as_text
from pipeline.system.atomic_files import (
    StorageError,
    checksum,
    path_aside,
    remove_temporary_files,
    replacing,
    sealed,
    set_aside,
    unsealed,
)

log = logging.getLogger("pipeline")

#: The C implementations where available: an axis may have ten thousand values.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_FROM_RESULTS = "results.nc is read instead"


class Directory:
    """The directory of one experiment, `outputs/NAME`.

    Parameters
    ----------
    path : Path
        The directory, which need not exist.
    unnamed : bool
        Whether the path is one that other commands may choose too: the first that is free is used.

    Attributes
    ----------
    shard : Shard or None
        The part of an experiment that the directory holds; None if it is the whole.
    """

    shard: Shard | None = None

    def __init__(self, path: Path, unnamed: bool = False) -> None:
        self._unnamed = unnamed
        self._damaged: set[str] = set()
        self._folder: int | None = None
        self._compaction = Compaction(lambda: self.points)
        self._locate(path)

    def _locate(self, path: Path) -> None:
        """Set the paths of all files."""
        self.path = path
        self.points = path / "points"
        self.given = path / "given"
        self.results = path / "results.nc"
        self.log = path / "sweep.log"
        self.reasons = path / "failures.csv"
        self._request = path / "configuration.yaml"
        self._made = path / "provenance.json"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Create the directory and lock it during the block, at most until the process ends.

        Raises
        ------
        RequestError
            If it is not writable, holds other files, or is locked by another sweep.
        """
        self.refuse_unusable()
        if self._unnamed:
            self._locate(free_directory(self.path))
        try:
            self.points.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise RequestError(f"{self.path}: must be a writable directory ({reason})") from error
        with locked(self.path) as folder_held:
            self._folder = folder_held
            for folder in (self.path, self.points):
                remove_temporary_files(folder)  # of killed processes
            try:
                yield
            finally:
                self._folder = None

    def _follow(self) -> None:
        """Find the directory again where it was renamed since it is held.

        Raises
        ------
        StorageError
            If it was removed.
        """
        if self._folder is None:
            return
        path = current_path(self._folder, self.path)
        if path != self.path:
            log.warning("%s was renamed: what is still to be written goes to %s", self.path, path)
            self._locate(path)

    def refuse_unusable(self) -> None:
        """Refuse what `held` would refuse, except a lock, without writing anything.

        Raises
        ------
        RequestError
            If the directory is not writable, or holds other files.
        """
        refuse_other_content(self.path)
        reason = why_not_writable(self.points)
        if reason:
            raise RequestError(f"{self.path}: must be a writable directory ({reason})")

    def is_empty(self) -> bool:
        """Whether the directory has no finished points."""
        return not batch_files_in(self.points)

    def has_points(self) -> bool:
        """Whether there are finished points, or may be: in `results.nc` where it cannot be read."""
        return not self.is_empty() or self.n_done() != 0

    def finished(self, changes_files: bool = False) -> Iterator[tuple[Batch, str]]:
        """Yield all finished batches and the identity of the run of each; skip damaged files.

        The columns of a batch stay in its file and are read when they are used.

        Parameters
        ----------
        changes_files : bool
            Whether damaged files are renamed, and many small ones compacted; it must be held.

        Raises
        ------
        RequestError
            If a file cannot be read, which does not mean that it is damaged.
        """
        for file in sound_files(self.points, changes_files):
            columns = self._file_columns(file.name)
            batch, made_by = read_batch(columns)
            yield batch, made_by
            if changes_files:
                self._compaction.note(columns, made_by)

    def save(self, batch: Batch, made_by: str) -> Batch:
        """Write the finished points of a batch to a file; return it with columns in that file.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        if not batch.keys:
            return batch
        self._follow()
        columns = self._file_columns(write_batch(batch, made_by, self.points))
        self._compaction.note(columns, made_by)
        return Batch(batch.keys, columns, batch.failures)

    def _file_columns(self, name: str) -> FileColumns:
        """Return the columns of a batch file, found again when the directory is renamed."""
        return FileColumns(lambda: self.points / name)

    def n_done(self) -> int | None:
        """Return the number of points that are done in `results.nc`, None if it cannot be read."""
        return from_results(self.results, n_done_in) if self.results.exists() else 0

    def n_lost(self, arrays: ResultArrays) -> int:
        """Return how many points are done in `results.nc` and not in some arrays.

        It is 0 if there is no such file, or if it cannot be read: then it is kept as a damaged one.
        """
        if not self.results.exists():
            return 0
        try:
            return read_results(self.results, lambda file: n_lost_in(file, arrays))
        except Exception as error:  # damaged, not of the pipeline, or open for writing elsewhere
            self._note_damage(self.results, error, "it is written anew")
            return 0

    def keep_lost_points(self, number: int, are_shorter: bool, dry: bool) -> None:
        """Warn of points in `results.nc` that the new one will lack; rename that file to keep it.

        Parameters
        ----------
        number : int
            How many.
        are_shorter : bool
            Whether they are runs that go on, or else in no batch.
        dry : bool
            Whether files are left as they are.

        Raises
        ------
        StorageError
            If it cannot be renamed: it would be replaced.
        """
        why = "now run for longer" if are_shorter else f"no longer in {self.points}"
        aside = path_aside(self.results, "earlier").name
        text = "%s has %d finished points that are %s; it is kept as %s"
        log.warning(text, self.results, number, why, aside)
        if not dry:
            _keep(self.results, "earlier")

    def request(self) -> Request | None:
        """Return the request so far, from `configuration.yaml` or else from `results.nc`."""
        try:
            return columns_as_lists(yaml.load(unsealed(self._request.read_text()), Loader=_LOADER))
        except (OSError, ValueError, yaml.YAMLError) as error:
            self._note_damage(self._request, error, _FROM_RESULTS)
            return from_results(self.results, request_in)

    def write_sources(self, grid: Grid) -> None:
        """Write the source of each registered rule and process to a file named by its hash.

        The files document the experiment and can be registered again; they are never executed here.
        """
        for named in model_sources(grid).values():
            for source in named.values():
                file = self.source_file(content_hash(source))
                if not file.exists():
                    with replacing(file) as temporary:
                        temporary.write_text(source, encoding="utf-8")

    def source_file(self, digest: str) -> Path:
        """Return the path of the file with a source of the given hash."""
        return self.given / f"{digest}.py"

    def write_request(self, grid: Grid, grown_from: Sequence[float] = ()) -> None:
        """Write the constants and the axes to `configuration.yaml`, and earlier durations [ms]."""
        self._follow()
        with self._replacing(self._request) as temporary:
            temporary.write_text(_request_text(grid, grown_from))

    def has_request_of(self, grid: Grid) -> bool:
        """Whether `configuration.yaml` is what `write_request` writes of a grid.

        Many samples are compared much faster than they are read.
        """
        try:
            return self._request.read_text() == _request_text(grid)
        except (OSError, ValueError):
            return False

    def runs(self) -> list[RunRecord]:
        """Return the runs so far, from `provenance.json` or else from `results.nc`."""
        try:
            recorded = json.loads(self._made.read_text())
            if recorded["sha256"] != _checksum_of(recorded["runs"]):
                raise ValueError("the checksum does not match")
            return recorded["runs"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._note_damage(self._made, error, _FROM_RESULTS)
            return from_results(self.results, runs_in) or []

    def write_runs(self, runs: list[RunRecord]) -> None:
        """Write `provenance.json`: the runs that computed points here, in order."""
        text = json.dumps({"runs": runs, "sha256": _checksum_of(runs)}, indent=2)
        self._follow()
        with self._replacing(self._made) as temporary:
            temporary.write_text(text + "\n")

    def failures(self) -> dict[str, Failure]:
        """Return the failures from `failures.csv`, by content key; none where it is damaged."""
        try:
            return read_failures(self.reasons)
        except (OSError, ValueError, KeyError, csv.Error) as error:
            self._note_damage(self.reasons, error, "its points count as missing")
            return {}

    def write_failures(self, grid: Grid, failures: Mapping[str, Failure]) -> None:
        """Write `failures.csv`, or remove it when there are no failures."""
        self._follow()
        self._keep_damaged(self.reasons)
        write_failures(self.reasons, grid, failures)

    def write_results(self, results: LabelledDataset) -> None:
        """Replace `results.nc`; a process that has the previous file open reads that one.

        Parameters
        ----------
        results : LabelledDataset, (axes of the grid, further dimensions of each variable)
            Units [ms, Hz, mV, ...] in the attribute `units` of each variable.

        Raises
        ------
        StorageError
            If the file cannot be written.
        """
        self._follow()
        with self._replacing(self.results) as temporary:
            write_netcdf(results, temporary)

    def _note_damage(self, file: Path, error: Exception, instead: str) -> None:
        """Warn of a damaged file, which is kept when it is replaced; a missing one is no damage.

        Raises
        ------
        RequestError
            If the system cannot read it, which does not mean that it is damaged.
        """
        if isinstance(error, FileNotFoundError) or file.name in self._damaged:
            return
        if isinstance(error, OSError) and file != self.results:
            raise RequestError(f"{file}: cannot be read ({error.strerror})") from error
        self._damaged.add(file.name)
        aside = path_aside(file, "damaged").name
        log.warning("%s is damaged; %s, and it is kept as %s", file, instead, aside)

    def _keep_damaged(self, file: Path) -> None:
        """Rename a file that cannot be read, so that what replaces it does not destroy it."""
        if file.name in self._damaged:
            _keep(file, "damaged")
            self._damaged.discard(file.name)

    @contextlib.contextmanager
    def _replacing(self, file: Path) -> Iterator[Path]:
        """Replace a file as `replacing` does; a damaged one is kept."""
        with replacing(file) as temporary:
            yield temporary
            self._keep_damaged(file)


def _keep(file: Path, label: str) -> None:
    """Set a file aside that is about to be replaced, if there is one.

    Raises
    ------
    StorageError
        If it cannot be renamed.
    """
    try:
        set_aside(file, label)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StorageError(f"{file}: cannot be kept aside ({error.strerror})") from error


def _request_text(grid: Grid, grown_from: Sequence[float] = ()) -> str:
    request = request_of(grid) | ({GROWN_FROM: [*grown_from]} if grown_from else {})
    return sealed(yaml.dump(columns_as_text(request), Dumper=_DUMPER, sort_keys=False))


def _checksum_of(runs: list[RunRecord]) -> str:
    return checksum(json.dumps(runs).encode())
