"""Numbers of simulated points as rows of a matrix, as `pipeline.simulator` returns them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.execution.batch import Batch
from pipeline.model.errors import RequestError
from pipeline.model.parameters import Configuration
from pipeline.model.quantity import written
from pipeline.model.variables import ABOUT_RUNS, VARIABLES
from pipeline.request.size import lengths_of

#: The output that is made of `weight`: fractions of the synapses in bins.
HISTOGRAM = "weight_histogram"

#: Further dimensions of a variable whose length may be the same for all rows.
_FIXED = {
    "synapse": lambda key: key == "input.n_synapses",
    "sample_time": lambda key: key.startswith("simulation."),
}

#: An output: the name of a variable, or a function of the variables of a point.
Output = str | Callable[[Mapping[str, Any]], Any]


def weight_histogram(weight: NDArray, n_bins: int) -> NDArray[np.float64]:
    """Return the fractions of synapses in equal bins of the weight over [0, 1].

    Parameters
    ----------
    weight : ndarray, (n_points, n_synapses)
        Final weights in [0, 1], dimensionless; NaN is not counted.
    n_bins : int
        Number of bins; 0 is in the first one and 1 in the last, as in `analysis.weight_histogram`.

    Returns
    -------
    ndarray, (n_points, n_bins)
        Fractions, dimensionless; the sum of a row is 1.
    """
    rows = np.asarray(weight, dtype=np.float64)
    counted = ~np.isnan(rows)
    bins = np.minimum((np.where(counted, rows, 0) * n_bins).astype(np.int64), n_bins - 1)
    bins += n_bins * np.arange(len(rows))[:, np.newaxis]
    counts = np.bincount(bins[counted], minlength=len(rows) * n_bins).reshape(len(rows), n_bins)
    return counts / counts.sum(axis=1, keepdims=True)


class Outputs:
    """The columns of the matrix of outputs.

    Parameters
    ----------
    configuration : Configuration
        What decides which variables there are.
    names : sequence of str
        The keys in which points differ.
    outputs : str, callable, or sequence of them
        Names of variables with a number or a vector for each point, `weight_histogram`, and
        functions that return numbers.
    n_bins : int
        Bins of `weight_histogram`.

    Raises
    ------
    RequestError
        If there is no such variable, or its length differs from point to point.
    """

    def __init__(
        self, configuration: Configuration, names: Sequence[str], outputs: Any, n_bins: int
    ) -> None:
        single = isinstance(outputs, str) or callable(outputs)
        given = [outputs] if single else list(outputs) if isinstance(outputs, Iterable) else []
        if not given:
            raise RequestError(
                f"{written('outputs', outputs)}: must be names of variables, or functions of them"
            )
        if isinstance(n_bins, bool) or not isinstance(n_bins, int | np.integer) or n_bins < 1:
            raise RequestError(f"{written('n_bins', n_bins)}: must be a whole number >= 1")
        sizes = _lengths_by_name(configuration, names) | {HISTOGRAM: int(n_bins)}
        for output in given:
            if not callable(output) and not (isinstance(output, str) and output in sizes):
                raise RequestError(
                    f"{written('outputs', output)}: must be a variable of every simulation "
                    f"({', '.join(sizes)}), or a function of the variables"
                )
        self._outputs: list[Output] = given
        self._is_one = single
        self._n_bins = int(n_bins)
        #: Numbers of each output; of a function known once it was called.
        self._sizes = [None if callable(output) else sizes[output] for output in given]

    @property
    def is_known(self) -> bool:
        """Whether the number of columns is known."""
        return None not in self._sizes

    @property
    def is_number(self) -> bool:
        """Whether they are one number, and not a list of one."""
        return self._is_one and not self._sizes[0]

    @property
    def n_columns(self) -> int:
        """Number of columns; an output of which it is not known yet has one."""
        return sum(1 if size is None else max(1, size) for size in self._sizes)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the columns, with an index where an output is a vector."""
        labels: list[str] = []
        for output, size in zip(self._outputs, self._sizes, strict=True):
            name = output if isinstance(output, str) else getattr(output, "__name__", "output")
            labels += [f"{name}[{i}]" for i in range(size)] if size else [name]
        return tuple(labels)

    def of_batch(self, batch: Batch) -> NDArray[np.float64]:
        """Return the outputs of the points of a batch that are done.

        Parameters
        ----------
        batch : Batch
            Variables in their units, see `variables.VARIABLES`.

        Returns
        -------
        ndarray, (n_done, n_columns)
            In the units of the variables.

        Raises
        ------
        RequestError
            If a function returns anything but numbers, as many at each point.
        """
        n_done = len(batch.keys)
        points: list[dict[str, Any]] = []
        if any(map(callable, self._outputs)):
            points = [_variables_at(batch.columns, row) for row in range(n_done)]
        parts = []
        for i, output in enumerate(self._outputs):
            if not isinstance(output, str):
                part = np.array([self._called(i, output, point) for point in points])
            elif output == HISTOGRAM:
                part = weight_histogram(batch.columns["weight"], self._n_bins)
            else:
                part = batch.columns[output]
            parts.append(np.asarray(part, dtype=np.float64).reshape(n_done, -1))
        return np.hstack(parts)

    def _called(self, i: int, function: Callable, point: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the numbers of a function at a point; (1,) where it returns a single one."""
        name = getattr(function, "__name__", "output")
        returned = function(point)
        try:
            numbers = np.asarray(returned, dtype=np.float64)
        except (TypeError, ValueError):
            numbers = np.empty(0)
        if numbers.ndim > 1 or not numbers.size:
            raise RequestError(f"{written('outputs', name)}: must return a number, or a vector")
        size = numbers.size if numbers.ndim else 0
        if self._sizes[i] is None:
            self._sizes[i] = size
        if self._sizes[i] != size:
            raise RequestError(
                f"{written('outputs', name)}: must return as many numbers at each point; "
                f"{max(1, size)} after {max(1, self._sizes[i] or 0)}"
            )
        return numbers.reshape(-1)


def _lengths_by_name(configuration: Configuration, names: Sequence[str]) -> dict[str, int]:
    """Return the variables that all rows have, and their lengths; 0 of a number."""
    lengths = lengths_of(configuration)
    fixed = {dim for dim, changes in _FIXED.items() if not any(map(changes, names))}
    if configuration.simulation.ends_when_settled:
        fixed.discard("sample_time")
    return {
        name: lengths[variable.dims[0]] if variable.dims else 0
        for name, variable in VARIABLES.items()
        if variable.when(configuration) and len(variable.dims) <= 1
        if name not in ABOUT_RUNS and fixed.issuperset(variable.dims)
    }


def _variables_at(columns: Mapping[str, NDArray], row: int) -> dict[str, Any]:
    """Return the variables of a point by name, as of a simulation of it alone."""
    return {name: _unpadded(column[row]) for name, column in columns.items()}


def _unpadded(values: Any) -> Any:
    """Return an array without the NaN at its ends that fills it up; a vector may be empty."""
    if not values.ndim or not values.size or not np.isnan(values.flat[-1]):
        return values
    finite = ~np.isnan(values)
    if not finite.any():
        return values[:0] if values.ndim == 1 else values
    for axis in range(values.ndim):
        others = tuple(i for i in range(values.ndim) if i != axis)
        n_kept = np.flatnonzero(finite.any(axis=others))[-1] + 1
        values = values.take(range(n_kept), axis=axis)
    return values
