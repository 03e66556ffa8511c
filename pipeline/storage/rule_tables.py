"""Weight changes and time constants of the rules of many points, computed when they are used.

A rule is held as its numbers alone, and the changes are computed in blocks: a sweep may have a
million rules, and the changes of one have two hundred values.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.model.plasticity import Rule
from pipeline.model.rule_steps import WEIGHTS, time_constants, trace_kinds, weight_steps

#: Rules whose steps are computed at once.
_BLOCK = 8192

#: Function of the positions of rules that returns an array with a row for each.
RowsAt = Callable[[NDArray[np.intp]], NDArray[np.float64]]


class RuleTables:
    """Weight changes and time constants of rules, by trace.

    Parameters
    ----------
    rules : iterable of Rule
        The rules, which may be of several classes.
    names : sequence of str
        The traces of all of them.
    """

    def __init__(self, rules: Iterable[Rule], names: Sequence[str]) -> None:
        self._names = names
        self._numbers: dict[type[Rule], NDArray[np.float64]] = {}
        numbers: dict[type[Rule], array[float]] = {}
        kinds: dict[type[Rule], int] = {}
        kind = array("b")
        for rule in rules:
            cls = rule.template
            kind.append(kinds.setdefault(cls, len(kinds)))
            numbers.setdefault(cls, array("d")).extend(rule.numbers())
        self._kind = np.frombuffer(kind, np.int8)
        self._row = np.zeros(len(kind), dtype=np.int32)
        for cls, number in kinds.items():
            here = self._kind == number
            self._row[here] = np.arange(here.sum())
            self._numbers[cls] = np.frombuffer(numbers[cls]).reshape(here.sum(), -1)

    def steps_at(self, positions: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the weight changes at a spike when one trace is 1 and all others are 0.

        Parameters
        ----------
        positions : ndarray of int, (n,)
            Indices of rules, dimensionless.

        Returns
        -------
        ndarray, (n, n_traces, n_weights)
            Fractions of `g_max` at the weights `WEIGHTS`; NaN where a rule has no such trace.
        """
        return self._by_class(positions, weight_steps, (WEIGHTS.size,))

    def time_constants_at(self, positions: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the time constants of the traces.

        Parameters
        ----------
        positions : ndarray of int, (n,)
            Indices of rules, dimensionless.

        Returns
        -------
        ndarray, (n, n_traces)
            [ms]; NaN where a rule has no such trace.
        """
        return self._by_class(positions, time_constants, ())

    def kinds_at(self, positions: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the kinds of the traces.

        Parameters
        ----------
        positions : ndarray of int, (n,)
            Indices of rules, dimensionless.

        Returns
        -------
        ndarray, (n, n_traces)
            As of `trace_kinds`, dimensionless; NaN where a rule has no such trace.
        """
        return self._by_class(positions, trace_kinds, ())

    def _by_class(
        self,
        positions: NDArray[np.intp],
        function: Callable[[type[Rule], NDArray[np.float64]], NDArray[np.float64]],
        own_shape: tuple[int, ...],
    ) -> NDArray[np.float64]:
        """Return a function of the numbers of rules, (n_rules, n_traces of its class, ...)."""
        values = np.full((len(positions), len(self._names), *own_shape), np.nan)
        for number, (cls, numbers) in enumerate(self._numbers.items()):
            here = np.flatnonzero(self._kind[positions] == number)
            columns = np.array([self._names.index(name) for name in cls.traces], dtype=np.intp)
            if here.size and columns.size:
                some = numbers[self._row[positions[here]]]
                values[np.ix_(here, columns)] = function(cls, some)
        return values


def changing_axes(rows_at: RowsAt, shape: Sequence[int]) -> list[int]:
    """Return the axes of a grid of rules along which some rows change.

    Parameters
    ----------
    rows_at : callable
        Returns the rows (n, ...) of the rules at some positions (n,), in any unit.
    shape : sequence of int
        Numbers of values of the axes; the last varies fastest.
    """
    n_rules = math.prod(shape)
    constant = list(range(len(shape)))  # as far as seen
    for start in range(0, n_rules, _BLOCK):
        if not constant:
            break
        positions = np.arange(start, min(start + _BLOCK, n_rules))
        rows = rows_at(positions)
        for axis in list(constant):
            stride = math.prod(shape[axis + 1 :])
            first = positions - positions // stride % shape[axis] * stride
            if not np.array_equal(rows, rows_at(first), equal_nan=True):
                constant.remove(axis)
    return [axis for axis in range(len(shape)) if axis not in constant]
