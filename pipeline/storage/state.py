"""State of a sweep: points requested now and earlier, their results, failures and runs."""

from __future__ import annotations

import json
import logging
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.execution.batch import Batch, Failure
from pipeline.model.errors import RequestError
from pipeline.model.quantity import written
from pipeline.model.state import Start
from pipeline.model.variables import is_open
from pipeline.request.grid import Grid
from pipeline.request.merge import DURATION
from pipeline.request.points import Points
from pipeline.request.spec import GROWN_FROM
from pipeline.storage import provenance
from pipeline.storage.arrays import Counts, ResultArrays
from pipeline.storage.directory import Directory
from pipeline.storage.labels import LabelledDataset
from pipeline.storage.own_contents import known_and_named, write_request_with_contents
from pipeline.storage.starts import ShorterRuns, Starts
from pipeline.storage.union import united_with_earlier
from pipeline.system import host

log = logging.getLogger("pipeline")


class SweepState:
    """The requested points, those in the directory, and the results of both.

    Parameters
    ----------
    asked : Grid
        The points that are requested now.
    directory : Directory or None
        The experiment directory; None keeps the results in memory only.
    dry : bool
        Whether files are left as they are.

    Attributes
    ----------
    arrays : ResultArrays
        Results of the requested points and of all points requested earlier.
    runs : list of dict
        Provenance of the runs that computed them.
    failures : dict of Failure
        Reasons of failed points, by content key.
    shard : Shard or None
        The part of the requested points that is to be done; None for all.
    n_not_continued : int
        Number of points that could not go on and keep the results that they had.

    Raises
    ------
    RequestError
        If one file cannot hold the points of both requests, or they would not fit in memory.
    """

    def __init__(self, asked: Grid, directory: Directory | None, dry: bool = False) -> None:
        self.asked = asked
        self.directory = directory
        self.runs: list[provenance.RunRecord] = []
        self.failures: dict[str, Failure] = {}
        self.n_not_continued = 0
        self._grown_from: list[float] = []
        is_same = directory is not None and directory.has_request_of(asked)
        earlier = directory.request() if directory and not is_same else None
        grid = asked
        if directory and earlier is not None:
            grid = asked = self.asked = known_and_named(asked, earlier, directory)
            grid, self._grown_from = united_with_earlier(asked, earlier, directory)
        self.arrays = ResultArrays(grid, in_memory=directory is None)
        self._starts = Starts(len(grid.points))
        # Indices of all points of the request on the grid, and of those that are to be done.
        self._everywhere = (
            np.arange(len(grid.points)) if grid is asked else grid.keys.first(asked.keys)
        )
        self.shard = directory.shard if directory else None
        self._positions = self._everywhere
        if self.shard:
            self._positions = self._everywhere[asked.keys.of_shard(self.shard)]
        if directory:
            if is_same or not (earlier is None and directory.is_empty()):
                self.runs = directory.runs()
                self._take_up(directory, dry)
            lost = directory.n_lost(self.arrays)
            if lost:
                directory.keep_lost_points(lost, bool(self._grown_from), dry)

    def _take_up(self, directory: Directory, dry: bool) -> None:
        """Load the finished points; refuse a directory that holds unexpected ones."""
        run_index = {run["id"]: index for index, run in enumerate(self.runs)}
        shorter = ShorterRuns(self.arrays.grid, self._grown_from)
        n_unexpected = 0
        for batch, made_by in directory.finished(changes_files=not dry):
            expected = np.zeros(len(batch.keys), dtype=bool)
            expected[self.arrays.grid.keys.find(batch.keys)[0]] = True
            shorter.take_up(batch, expected, self._starts)
            n_unexpected += int((~expected).sum())
            if not n_unexpected:
                self.arrays.add(batch.keys, batch.columns, run_index.get(made_by, -1))
                self._note_open(batch)
        if n_unexpected:
            raise RequestError(
                f"{directory.path}: holds {n_unexpected} unexpected points, which are neither in "
                "this request nor in its configuration.yaml; request them too, or choose another "
                "name"
            )
        self._grown_from = shorter.durations
        for key, failure in directory.failures().items():
            if key in self.arrays.grid.keys and not self.arrays.has(key):
                self.failures[key] = failure
                self.arrays.fail(key)

    def _note_open(self, batch: Batch) -> None:
        """Note the end states of runs until they have settled, which had not.

        Raises
        ------
        RequestError
            If a run was longer than the limit, which no lost file says any more.
        """
        if "settled" not in batch.columns:
            return
        rows, positions = self.arrays.grid.keys.find(batch.keys)
        durations = batch.columns["run_duration"][rows]
        limit = self.asked.points[0].simulation.duration
        if (longest := float(durations.max(initial=0))) > limit:
            raise RequestError(
                f"{written(DURATION, limit)}: must be >= {longest:.15g} ms, the simulated time of "
                "a run there; choose another name"
            )
        unsettled = is_open(batch.columns["settled"][rows])
        rows, positions = rows[unsettled], positions[unsettled]
        self._starts.add(positions, rows, batch.columns, durations[unsettled])

    def warn_of_other_code(self) -> None:
        """Warn of finished points that other sources of the model or the engine have computed.

        To be called when the record of the new run is the last of `runs`.
        """
        self._warn_of_unknown_runs()
        name = "model_sources"  # missing in records of earlier versions
        *earlier, new = [run.get(name) for run in self.runs]
        others = [i for i, sources in enumerate(earlier) if sources not in (None, new)]
        n_others = self.arrays.n_made_by(others)
        if n_others and self.directory:
            log.warning(
                "%d finished points were made by other code: the sources of the model or the "
                "engine have changed; %s compares",
                n_others,
                host.reproduce_command(str(self.directory.path)),
            )

    def warn_of_unlike_code(self) -> None:
        """Warn of finished points of runs that are not known, or of unlike code."""
        self._warn_of_unknown_runs()
        by_sources: dict[str, list[int]] = {}
        for index, run in enumerate(self.runs):
            if sources := run.get("model_sources"):
                by_sources.setdefault(sources, []).append(index)
        made = [runs for runs in by_sources.values() if self.arrays.n_made_by(runs)]
        if len(made) > 1:
            log.warning(
                "the finished points were made by %d versions of the code: the sources of the "
                "model or the engine differ",
                len(made),
            )

    def _warn_of_unknown_runs(self) -> None:
        if unknown := self.arrays.n_made_by([-1]):
            log.warning(
                "%d finished points are of runs that are not in provenance.json: who made them, "
                "and with what code, is not known",
                unknown,
            )

    def counts(self) -> Counts:
        """Return how many of the requested points are done, failed and missing."""
        return self.arrays.counts(self._positions)

    def pending(self) -> Points:
        """Return the requested points that are not done or go on, one for each content key."""
        distinct = self.asked.keys.distinct()
        if self.shard:
            distinct = np.intersect1d(distinct, self.asked.keys.of_shard(self.shard))
        positions = self._everywhere[distinct]
        missing = ~self.arrays.are_done(positions) | self._are_open(positions)
        return self.asked.at(distinct[missing])

    def _are_open(self, positions: NDArray[np.integer]) -> NDArray[np.bool_]:
        return self.arrays.are_open(positions, self.asked.points[0].simulation.duration)

    def n_finished(self) -> int:
        """Return how many of the requested points are done, and do not go on."""
        return self.counts().done - int(self._are_open(self._positions).sum())

    def n_settled(self) -> int | None:
        """Return how many of the requested points have settled, None where that is not asked."""
        if not self.asked.points[0].simulation.ends_when_settled:
            return None
        open_ones = self.arrays.are_open(self._positions, math.inf)
        return self.counts().done - int(open_ones.sum())

    def start_of(self, key: str) -> Start | None:
        """Return where a pending point goes on, None if it begins."""
        if self._starts.is_empty:  # to look up a key takes as long as a short run
            return None
        return self._starts.at(self.arrays.grid.keys.index(key))

    def n_going_on(self, pending: Points) -> int:
        """Return how many pending points go on from the end of an earlier run; warn of others."""
        if self._starts.is_empty:
            return 0
        positions = self.arrays.grid.keys.first(self.asked.keys.texts(pending.positions))
        ran, goes_on = self._starts.known(positions)
        if not all(point.can_go_on for point in pending.unlike_models()):
            can = np.fromiter((point.can_go_on for point in pending), bool, len(pending))
            _, goes_on = self._starts.known(positions[can])
        if ran > goes_on:
            lacking = "1 point has" if ran - goes_on == 1 else f"{ran - goes_on} points have"
            text = "%s no end state to go on from: run from the beginning"
            log.warning(text, lacking)
        return goes_on

    def describe(self, key: str) -> str:
        """Return the values of the axes at a point, as text."""
        grid = self.arrays.grid
        return grid.describe(grid.keys.index(key))

    def open(self) -> None:
        """Write the request and the runs to the directory, before the first point runs."""
        if self.directory:
            write_request_with_contents(self.arrays.grid, self.directory, self._grown_from)
            self.directory.write_runs(self.runs)

    def enter(self, batch: Batch) -> None:
        """Save the results of a batch and record its failures."""
        if self.directory:
            batch = self.directory.save(batch, self.runs[-1]["id"])
        self.arrays.add(batch.keys, batch.columns, len(self.runs) - 1)
        for key in batch.keys:
            self.failures.pop(key, None)
        for key, failure in batch.failures.items():
            if self.arrays.has(key):
                self.n_not_continued += 1
            else:
                self.arrays.fail(key)
            point = self.describe(key)
            log.info("failed at %s: %s\n%s", point, failure.reason, failure.traceback)
        self.failures |= batch.failures

    def conclude(self) -> LabelledDataset:
        """Write all results to the directory and return them, labelled.

        Returns
        -------
        LabelledDataset, (axes of the grid, further dimensions of each variable)
            The content of `results.nc`; large variables are still in the files of their batches.
            Units [ms, Hz, mV, ...] are in the attribute `units`.

        Raises
        ------
        StorageError
            If a file cannot be written.
        """
        grown_from = {GROWN_FROM: json.dumps(self._grown_from)} if self._grown_from else {}
        shard = self._shard_attributes()
        results = self.arrays.labelled(provenance.as_attributes(self.runs) | grown_from | shard)
        if self.directory:
            self.directory.write_runs(self.runs)
            self.directory.write_failures(self.arrays.grid, self.failures)
            self.directory.write_results(results)
        return results

    def _shard_attributes(self) -> dict[str, Any]:
        """Return which shard the file is of, and how many points of the grid are of it."""
        if self.shard is None:
            return {}
        own = self.arrays.grid.keys.of_shard(self.shard)
        return {"shard": str(self.shard), "shard_points": len(own)}
