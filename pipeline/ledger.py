"""All that is known of the points of a directory: what is done, by which run, and what failed."""

from __future__ import annotations

import logging

from pipeline import provenance
from pipeline.batches import Batch, Failure
from pipeline.gather import Gather
from pipeline.grid import Grid
from pipeline.labelled import Labelled
from pipeline.parameters import Configuration
from pipeline.quantities import RequestError, written
from pipeline.request import differences, united
from pipeline.store import Directory

log = logging.getLogger("pipeline")


class Ledger:
    """The points asked for now and before, and what has come of them.

    Attributes
    ----------
    asked : Grid
        The points that are asked for now.
    gather : Gather
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
        if directory is None or directory.is_empty():
            self.gather = Gather(asked)
            return
        self.runs = directory.runs()
        self._unite(directory)
        self._take_up(directory, set_damaged_aside=not dry)

    def _unite(self, directory: Directory) -> None:
        self._earlier = directory.request()
        try:
            grid = united(self.asked, self._earlier) if self._earlier else self.asked
        except RequestError as error:
            raise RequestError(f"{directory.path}: {error}; choose another name") from error
        self.gather = Gather(grid)

    def _take_up(self, directory: Directory, set_damaged_aside: bool) -> None:
        """Gather what is finished; refuse to mix it with what does not belong to it."""
        place_of = {made["id"]: place for place, made in enumerate(self.runs)}
        strangers = 0
        for batch, made_by in directory.finished(set_damaged_aside):
            unknown = [key for key in batch.keys if key not in self.gather.grid.positions]
            strangers += len(unknown)
            if not strangers:
                self.gather.add(batch.keys, batch.columns, place_of.get(made_by, -1))
        if strangers:
            raise RequestError(self._refusal(directory, strangers))
        asked = set(self.asked.keys)
        for key, failure in directory.failures().items():
            known = key in self.gather.grid.positions and not self.gather.has(key)
            if known and key not in asked:  # those asked for are tried again
                self.failures[key] = failure
                self.gather.fail(key)

    def _refusal(self, directory: Directory, strangers: int) -> str:
        """Return why the finished points of a directory cannot be in one file with this request."""
        different = differences(self.asked, self._earlier) if self._earlier else {}
        words = [
            f"{written(key, there)} there and {written(key, here)} here"
            for key, (there, here) in different.items()
        ]
        if not self._earlier:
            words = ["its configuration.yaml cannot be read; ask for all that it held"]
        way_out = "choose another name"
        if different and not any(key.startswith("record.") for key in different):
            axes = " ".join(f"{key}={there},{here}" for key, (there, here) in different.items())
            way_out = f"sweep both values to have both in one file ({axes}), or choose another name"
        return (
            f"{directory.path}: holds {strangers} finished points of another study "
            f"({'; '.join(words[:3]) or 'its points are of neither request'}); {way_out}"
        )

    def pending(self) -> dict[str, Configuration]:
        """Return the points that are asked for and not done, by key."""
        points = zip(self.asked.keys, self.asked.points, strict=True)
        return {key: point for key, point in points if not self.gather.has(key)}

    def open(self) -> None:
        """Write down what is asked for, and who is about to do it."""
        if self.directory:
            self.directory.write_request(self.gather.grid)
            self.directory.write_runs(self.runs)

    def enter(self, batch: Batch) -> None:
        """Keep a batch."""
        if self.directory:
            self.directory.save(batch, self.runs[-1]["id"])
        self.gather.add(batch.keys, batch.columns, len(self.runs) - 1)
        for key, failure in batch.failures.items():
            self.gather.fail(key)
            place = self.gather.grid.describe(key)
            log.info("failed at %s: %s\n%s", place, failure.reason, failure.traceback)
        self.failures |= batch.failures

    def conclude(self) -> Labelled:
        """Return all that is done, labelled, and write it."""
        results = self.gather.labelled(provenance.as_attributes(self.runs))
        if self.directory:
            self.directory.write_runs(self.runs)
            self.directory.write_failures(self.gather.grid, self.failures)
            self.directory.write_results(results)
        return results
