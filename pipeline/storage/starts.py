"""Earlier runs of the points of a grid, from whose end states longer runs go on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.model.state import STATE, EndState, Start, are_of_this_version
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
