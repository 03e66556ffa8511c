"""All that is known of the points of a directory: what is done, by which run, and what failed."""

from __future__ import annotations

import logging

from pipeline.execution.batch import Batch, Failure
from pipeline.model.errors import RequestError
from pipeline.model.parameters import MODEL_VERSION, Configuration
from pipeline.model.quantity import written
from pipeline.request.grid import Grid
from pipeline.request.merge import differences, united
from pipeline.request.spec import Request
from pipeline.storage import provenance
from pipeline.storage.arrays import ResultArrays
from pipeline.storage.directory import Directory
from pipeline.storage.labels import LabelledDataset

log = logging.getLogger("pipeline")


class SweepState:
    """The points asked for now and before, and what has come of them.

    Attributes
    ----------
    asked : Grid
        The points that are asked for now.
    gather : ResultArrays
        The results of these and of all that the directory was asked for before.
    runs : list of dict
        What made them.
    failures : dict of Failure
        Why points are not done, by key.

    Raises
    ------
    RequestError
        If both cannot be in one file, or that would not fit in memory.
    """

    def __init__(self, asked: Grid, directory: Directory | None, dry: bool = False) -> None:
        self.asked = asked
        self.directory = directory
        self.runs: list[provenance.Made] = []
        self.failures: dict[str, Failure] = {}
        earlier = directory.request() if directory else None
        if directory is None or (earlier is None and directory.is_empty()):
            self.arrays = ResultArrays(asked)
            return
        self.arrays = ResultArrays(self._united(earlier, directory))
        self.runs = directory.runs()
        self._take_up(directory, dry)

    def _united(self, earlier: Request | None, directory: Directory) -> Grid:
        """Return the grid of all that is asked for, now and before."""
        if earlier is None:
            return self.asked
        try:
            return united(self.asked, earlier)
        except RequestError as error:
            if directory.is_empty() and not directory.n_done():
                return self.asked  # nothing had come of it: another request may take its place
            raise RequestError(self._refusal(directory, earlier, str(error))) from error

    def _refusal(self, directory: Directory, earlier: Request, reason: str) -> str:
        """Return why the points of a directory cannot be in one file with those asked for."""
        different = differences(self.asked, earlier)
        if not different or earlier["model_version"] != MODEL_VERSION:
            return f"{directory.path}: {reason}; choose another name"
        words = [
            f"{written(key, there)} there and {written(key, here)} here"
            for key, (there, here) in different.items()
        ]
        way_out = "choose another name"
        values = [value for pair in different.values() for value in pair]
        if not any(value is None or isinstance(value, bool) for value in values):
            axes = " ".join(f"{key}={there},{here}" for key, (there, here) in different.items())
            way_out = f"sweep both values to have both in one file ({axes}), or choose another name"
        return f"{directory.path}: holds another study ({'; '.join(words[:3])}); {way_out}"

    def _take_up(self, directory: Directory, dry: bool) -> None:
        """ResultArrays what is finished; refuse to mix it with what does not belong to it."""
        place_of = {made["id"]: place for place, made in enumerate(self.runs)}
        strangers = 0
        for batch, made_by in directory.finished(set_damaged_aside=not dry):
            strangers += sum(key not in self.arrays.grid.positions for key in batch.keys)
            if not strangers:
                self.arrays.add(batch.keys, batch.columns, place_of.get(made_by, -1))
        if strangers:
            raise RequestError(
                f"{directory.path}: holds {strangers} finished points that neither this request "
                "nor its configuration.yaml names; ask for them too, or choose another name"
            )
        for key, failure in directory.failures().items():
            if key in self.arrays.grid.positions and not self.arrays.has(key):
                self.failures[key] = failure
                self.arrays.fail(key)
        lost = directory.n_done() - self.arrays.counts().done
        if lost > 0:
            directory.warn_of_lost_points(lost, dry)

    def pending(self) -> dict[str, Configuration]:
        """Return the points that are asked for and not done, by key."""
        points = zip(self.asked.keys, self.asked.points, strict=True)
        return {key: point for key, point in points if not self.arrays.has(key)}

    def place_of(self, key: str) -> str:
        """Return the values of a point on the axes, the first where several points are one run."""
        grid = self.arrays.grid
        return grid.describe(grid.positions[key][0])

    def open(self) -> None:
        """Write down what is asked for, and who is about to do it."""
        if self.directory:
            self.directory.write_request(self.arrays.grid)
            self.directory.write_runs(self.runs)

    def enter(self, batch: Batch) -> None:
        """Keep a batch."""
        if self.directory:
            self.directory.save(batch, self.runs[-1]["id"])
        self.arrays.add(batch.keys, batch.columns, len(self.runs) - 1)
        for key in batch.keys:
            self.failures.pop(key, None)
        for key, failure in batch.failures.items():
            self.arrays.fail(key)
            place = self.place_of(key)
            log.info("failed at %s: %s\n%s", place, failure.reason, failure.traceback)
        self.failures |= batch.failures

    def conclude(self) -> LabelledDataset:
        """Return all that is done, labelled, and write it."""
        results = self.arrays.labelled(provenance.as_attributes(self.runs))
        if self.directory:
            self.directory.write_runs(self.runs)
            self.directory.write_failures(self.arrays.grid, self.failures)
            self.directory.write_results(results)
        return results
