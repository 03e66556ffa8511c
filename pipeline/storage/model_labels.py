"""Variables and attributes of the file that describe rules and processes for the analysis.

Theory and figures of a registered rule thus need only the file, not its code.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.inputs import InputProcess
from pipeline.model.plasticity import PRE, Rule
from pipeline.request.grid import Grid
from pipeline.storage.along_axes import LabelledArray, on_axes

#: Weights at which the steps of a rule are stored.
WEIGHTS = np.linspace(0, 1, 101)


def model_variables(grid: Grid) -> dict[str, LabelledArray]:
    """Return the steps and the time constants of the rules, along the axes that change them."""
    along, points = grid.slice_along(["stdp."])
    rules, names = tuple(point.stdp for point in points), tuple(trace_names(grid))
    if len(rules) == 1:
        steps, taus = (array.copy() for array in _kept_tables(rules, names))
    else:
        steps, taus = _tables(rules, names)
    kept = {
        "weight_step": (
            steps,
            ("trace", "weight_grid"),
            {
                "long_name": "weight change by a spike when this trace is 1 and all others are 0",
                "comment": "at an output spike for presynaptic traces, at an input spike for "
                "postsynaptic ones; before clipping; fraction of synapse.g_max",
            },
        ),
        "trace_time_constant": (
            taus,
            ("trace",),
            {"long_name": "time constant of the trace", "units": "ms"},
        ),
    }
    return {
        name: _collapsed(on_axes(grid, along, values, dims, attributes), len(along))
        for name, (values, dims, attributes) in kept.items()
    }


def _tables(
    rules: tuple[Rule, ...], names: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return steps `(n_rules, n_traces, n_weights)` and time constants `(n_rules, n_traces)`."""
    steps = np.full((len(rules), len(names), WEIGHTS.size), np.nan)
    taus = np.full((len(rules), len(names)), np.nan)
    for cls in {type(rule) for rule in rules}:
        rows = [i for i, rule in enumerate(rules) if type(rule) is cls]
        columns = [names.index(name) for name in cls.traces]
        some = [rules[i] for i in rows]
        steps[np.ix_(rows, columns)] = _steps(some)
        taus[np.ix_(rows, columns)] = [list(rule.time_constants().values()) for rule in some]
    return steps, taus


#: The tables of one rule, for single runs: to make them takes longer than a short run.
_kept_tables = functools.lru_cache(maxsize=32)(_tables)


def model_coordinates(grid: Grid) -> dict[str, LabelledArray]:
    """Return the coordinates of the dimensions `trace` and `weight_grid` of `model_variables`."""
    return {
        "trace": (("trace",), np.array(trace_names(grid)), {"long_name": "trace of the STDP rule"}),
        "weight_grid": (
            ("weight_grid",),
            WEIGHTS,
            {"long_name": "synaptic weight", "comment": "fraction of synapse.g_max"},
        ),
    }


def model_attributes(grid: Grid) -> Mapping[str, str]:
    """Return the description of rules and processes, as JSON by name.

    It has whether the statistics are stationary, why the equilibrium theory does not apply (empty
    where it does), the source of registered ones, and the kind of a rule's traces.
    """
    return _attributes_of(tuple((type(p.stdp), type(p.input)) for p in grid.unlike_models))


@functools.lru_cache(maxsize=32)
def _attributes_of(
    models: tuple[tuple[type[Rule], type[InputProcess]], ...],
) -> Mapping[str, str]:
    """Return the description of pairs of a rule and a process, made once."""
    rules = {rule.name: _description(rule) for rule, _ in models}
    for rule, _ in models:
        rules[rule.name]["traces"] = {
            name: {
                "side": trace.side,
                "at_a_spike": "set to 1" if trace.sets else "add 1",
                "read": f"{trace.read} its own jump",
            }
            for name, trace in rule.traces.items()
        }
    processes = {process.name: _description(process) for _, process in models}
    return {"rules": json.dumps(rules), "processes": json.dumps(processes)}


def trace_names(grid: Grid) -> list[str]:
    """Return the names of the traces of all rules."""
    points = grid.unlike_models
    return list(dict.fromkeys(name for point in points for name in point.stdp.traces))


def sources_of(grid: Grid) -> list[str]:
    """Return the source texts of registered rules and processes."""
    models = [cls for p in grid.unlike_models for cls in (type(p.stdp), type(p.input))]
    return list(dict.fromkeys(cls.source for cls in models if cls.source))


def _description(cls: type[Rule] | type[InputProcess]) -> dict[str, Any]:
    return {
        "stationary": cls.stationary,
        "theory_gap": cls.theory_gap,
        "source": cls.source,
    }


def _steps(rules: list[Rule]) -> NDArray[np.float64]:
    """Return the changes by each trace alone, `(n_rules, n_traces, n_weights)`, for all at once."""
    cls = type(rules[0])
    numbers = np.array([rule.numbers() for rule in rules], dtype=float)
    fields = cls.fields_type()(*numbers.T[:, :, np.newaxis])
    zero, one = np.float64(0), np.float64(1)  # which divide without an exception
    names = cls.traces_type()._fields
    silent = cls.traces_type()(*[zero] * len(names))
    steps = np.full((len(rules), len(cls.traces), WEIGHTS.size), np.nan)
    for column, (name, trace) in enumerate(cls.traces.items()):
        change = cls.potentiate if trace.side == PRE else cls.depress
        alone = silent._replace(**{name: one})
        # Whatever a user's own functions do here, results that are computed are written.
        with np.errstate(all="ignore"), contextlib.suppress(Exception):
            steps[:, column] = change(WEIGHTS, alone, fields) - change(WEIGHTS, silent, fields)
    return steps


def _collapsed(variable: LabelledArray, n_axes: int) -> LabelledArray:
    """Return a variable without the first axes along which it does not change."""
    dims, values, attributes = variable
    for i in reversed(range(n_axes)):
        first = values.take([0], axis=i)
        if np.array_equal(np.broadcast_to(first, values.shape), values, equal_nan=True):
            values, dims = values.take(0, axis=i), dims[:i] + dims[i + 1 :]
    return dims, values, attributes
