"""Functions of a user's rule, tried before anything runs: finite at weights and traces as they are.

Every weight in [0, 1] is met in a run, and traces from 0 on. A trace that is set is at most 1. One
that adds reaches 1 + rate * tau, and in a burst more; it is tried up to 10.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.plasticity import Rule
from pipeline.model.rule_steps import WEIGHTS

#: Values of a trace that a spike sets to 1, and of one to which it adds 1.
_OF_A_SET_TRACE = (0.0, 0.01, 0.1, 0.5, 1.0)
_OF_AN_ADDING_TRACE = (*_OF_A_SET_TRACE, 2.0, 5.0, 10.0)

#: Combinations of traces that are all tried; of more, each trace alone and all together.
_MOST_COMBINATIONS = 512

#: Rules of a sweep that are tried.
MOST_RULES = 1000


def refuse_not_finite(rules: Iterable[Rule]) -> None:
    """Refuse rules of the user's whose functions give NaN or infinity.

    Parameters
    ----------
    rules : iterable of Rule
        The rules; those of this package are not tried.

    Raises
    ------
    RequestError
        If there is one; the message has the weight and the traces.
    """
    for rule in rules:
        if rule.source:
            _refuse_not_finite(rule)


@functools.lru_cache(maxsize=4 * MOST_RULES)
def _refuse_not_finite(rule: Rule) -> None:
    cls, fields = rule.template, rule.fields()
    values = _tried_traces(cls)  # type: ignore[arg-type]
    traces = cls.traces_type()(*values)
    for function in (cls.potentiate, cls.depress):
        at = f"{rule.key(rule.chosen_by)}={rule.name}: {function.__name__}"
        w = np.tile(WEIGHTS, (values.shape[1], 1))
        try:
            with np.errstate(all="ignore"):
                new = np.asarray(function(w, traces, fields), dtype=float)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise RequestError(f"{at} fails on arrays of weights and traces ({reason})") from error
        if new.shape != (values.shape[1], WEIGHTS.size):
            raise RequestError(f"{at} must return an array of the weights' shape")
        if not np.isfinite(new).all():
            row, column = np.argwhere(~np.isfinite(new))[0]
            numbers = {"w": WEIGHTS[column]} | _by_name(traces._fields, values[:, row, 0])
            raise RequestError(
                f"{at} must be finite for weights in [0, 1] and traces from 0 on; it is "
                f"{new[row, column]} at {_written(numbers)}, with {_written(fields._asdict())}"
            )


def _by_name(names: Iterable[str], values: Iterable[float]) -> dict[str, float]:
    return dict(zip(names, values, strict=True))


def _written(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={number:g}" for name, number in numbers.items()) or "no fields"


@functools.cache
def _tried_traces(cls: type[Rule]) -> NDArray[np.float64]:
    """Return values of the traces of a rule, (n_traces, n_combinations, 1)."""
    levels = [
        _OF_A_SET_TRACE if cls.traces[name].sets else _OF_AN_ADDING_TRACE
        for name in cls.traces_type()._fields
    ]
    n_combinations = math.prod(len(some) for some in levels)
    every = itertools.product(*levels) if n_combinations <= _MOST_COMBINATIONS else _few(levels)
    rows = np.array(list(every), dtype=float)
    return rows.T.reshape(len(levels), -1, 1) if levels else np.zeros((0, 1, 1))


def _few(levels: Sequence[tuple[float, ...]]) -> Iterator[tuple[float, ...]]:
    """Yield combinations of all traces at a level, and of each at a level with others at 0 or 1."""
    for level in _OF_AN_ADDING_TRACE:
        yield tuple(min(level, some[-1]) for some in levels)
    for i, some in enumerate(levels):
        for level, others in itertools.product(some, (0.0, 1.0)):
            yield tuple(level if i == j else others for j in range(len(levels)))
