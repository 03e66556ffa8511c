"""Earlier runs of the points of a grid, from whose end states longer runs go on."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.execution.batch import Batch
from pipeline.model.errors import RequestError
from pipeline.model.state import STATE, EndState, Start, are_of_this_version
from pipeline.request.grid import Grid
from pipeline.request.keys import Keys
from pipeline.request.merge import DURATION
from pipeline.storage import batch_files
from pipeline.storage.batch_files import STATE_ENDS


class Starts:
    """Where the points of a grid go on, filled batch by batch; each state is read when it is used.

    Parameters
    ----------
    n_points : int
        Number of points.
    """

    def __init__(self, n_points: int) -> None:
        self._n_points = n_points
        self._sources: list[Mapping[str, NDArray]] = []
        self._source: NDArray[np.int32] | None = None  # until there is any
        self._row = np.empty(0, dtype=np.int32)
        self._duration = np.empty(0)
        self._ran = np.empty(0, dtype=bool)

    @property
    def is_empty(self) -> bool:
        """Whether no point has an earlier run."""
        return self._source is None

    def add(
        self,
        positions: NDArray[np.integer],
        rows: NDArray[np.integer],
        source: Mapping[str, NDArray],
        durations: NDArray[np.float64],
    ) -> None:
        """Note where points were before, unless a longer run of them is known.

        Parameters
        ----------
        positions : ndarray of int, (n,)
            Indices of the points, dimensionless.
        rows : ndarray of int, (n,)
            Their indices in `source`, dimensionless.
        source : mapping of str to ndarray, (n_rows, ...)
            Columns of a batch, with those of the states if it has any.
        durations : ndarray, (n,)
            Simulated times of these runs [ms].
        """
        if not len(positions):
            return
        if self._source is None:
            self._source = np.full(self._n_points, -1, dtype=np.int32)
            self._row = np.zeros(self._n_points, dtype=np.int32)
            self._duration = np.zeros(self._n_points)
            self._ran = np.zeros(self._n_points, dtype=bool)
        self._ran[positions] = True
        if STATE not in source:
            return
        ends = np.asarray(source[STATE_ENDS])[rows]
        first = np.concatenate([[0], source[STATE_ENDS]])[rows]
        useful = np.flatnonzero((ends > first) & (durations > self._duration[positions]))
        useful = useful[are_of_this_version(source[STATE], first[useful])]
        positions = positions[useful]
        self._source[positions] = len(self._sources)
        self._row[positions] = rows[useful]
        self._duration[positions] = durations[useful]
        self._sources.append(source)

    def at(self, position: int) -> Start | None:
        """Return where a point goes on, None if it begins."""
        if self._source is None or self._source[position] < 0:
            return None
        source, row = self._sources[self._source[position]], int(self._row[position])
        ends = source[STATE_ENDS]
        content = source[STATE][ends[row - 1] if row else 0 : ends[row]]
        state = EndState.from_bytes(content.tobytes())
        if "weight_history" not in source:
            return Start(state)
        return Start(state, np.array(source["weight_history"][row]))

    def known(self, positions: NDArray[np.integer]) -> tuple[int, int]:
        """Return of how many points there is an earlier run, and of how many its end state.

        Parameters
        ----------
        positions : ndarray of int, (n,)
            Indices of the points, dimensionless.
        """
        if self._source is None:
            return 0, 0
        return int(self._ran[positions].sum()), int((self._source[positions] >= 0).sum())


class ShorterRuns:
    """Shorter runs of the points of a grid, which their keys do not tell: known by their durations.

    Parameters
    ----------
    grid : Grid
        The points.
    durations : iterable of float
        The durations [ms] that they had before, as far as the earlier request says.
    """

    def __init__(self, grid: Grid, durations: Iterable[float]) -> None:
        self._grid = grid
        self._keys: dict[float, Keys] = {}
        for duration in durations:
            self._keys[duration] = _at(grid, duration).keys

    @property
    def durations(self) -> list[float]:
        """All durations [ms] from which points go on, rising."""
        return sorted(self._keys)

    @functools.cached_property
    def _longer(self) -> NDArray[np.float64]:
        """The duration of each point of the grid [ms], (n_points,)."""
        along, points = self._grid.slice_along([DURATION])
        sizes = [size if i in along else 1 for i, size in enumerate(self._grid.shape)]
        times = np.array([point.simulation.duration for point in points]).reshape(sizes)
        return np.broadcast_to(times, self._grid.shape).ravel()

    def take_up(self, batch: Batch, expected: NDArray[np.bool_], starts: Starts) -> None:
        """Mark shorter runs of a batch as expected, and note them where points go on.

        Parameters
        ----------
        batch : Batch
            Points that are done.
        expected : ndarray of bool, (n_keys,)
            Which of them are on the grid, dimensionless; True is entered for shorter runs.
        starts : Starts
            Where the points of the grid go on, filled with the shorter runs.
        """
        self._learn(batch, ~expected)
        for duration, there in self._keys.items():
            rows, positions = there.find(batch.keys)
            expected[rows] = True
            longer = self._longer[positions] > duration
            rows, positions = rows[longer], positions[longer]
            starts.add(positions, rows, batch.columns, np.full(len(rows), duration))

    def _learn(self, batch: Batch, unexpected: NDArray[np.bool_]) -> None:
        """Note durations that no file names any more, by the points that are not on the grid."""
        if not unexpected.any() or batch_files.DURATION not in batch.columns:
            return
        keys = list(itertools.compress(batch.keys, unexpected))
        durations = np.unique(batch.columns[batch_files.DURATION][unexpected])
        for duration in durations[durations < self._longer.max()].tolist():
            if duration in self._keys:
                continue
            try:
                there = _at(self._grid, duration).keys
            except RequestError:  # not allowed with what is asked: a run of something else
                continue
            if there.first(keys).size:
                self._keys[duration] = there


def _at(grid: Grid, duration: float) -> Grid:
    """Return a grid with another duration [ms] of all points, along an axis of it too."""
    simulation = grid.base["simulation"] | {"duration": duration}
    axes = [
        axis.mapped(lambda own: own | {DURATION: duration} if DURATION in own else own)
        for axis in grid.axes
    ]
    return Grid(grid.base | {"simulation": simulation}, axes)
