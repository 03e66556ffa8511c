"""Variables and attributes of the file that describe rules and processes for the analysis.

Theory and figures of a registered rule thus need only the file, not its code.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.model.inputs import InputProcess
from pipeline.model.parameters import SECTIONS, Configuration
from pipeline.model.plasticity import Rule
from pipeline.model.quantity import REQUIRED, Section
from pipeline.model.rule_steps import BEFORE_JUMP, SETS, WEIGHTS
from pipeline.request.grid import Grid
from pipeline.storage.along_axes import LabelledArray, LabelledVariable, dimensions
from pipeline.storage.columns import Column, GatheredVariable
from pipeline.storage.rule_tables import RowsAt, RuleTables, changing_axes

#: Of the kind of traces; see `rule_steps.trace_kinds`.
_KIND_ATTRIBUTES = {
    "long_name": "kind of the trace",
    "comment": f"bit {SETS}: a spike sets it to 1 (else it adds 1); bit {BEFORE_JUMP}: in the time "
    "step of its own spike it is read before its jump (else after); NaN where a rule lacks it",
}

#: Values of a variable up to which they are held in memory [bytes].
_MOST_HELD = 16_000_000


def model_variables(grid: Grid) -> dict[str, LabelledVariable]:
    """Return steps and traces of the rules, along the axes that change them."""
    along, points = grid.slice_along(["stdp."])
    names = tuple(trace_names(grid))
    if len(points) == 1:
        steps_at, time_constants_at, kinds_at = _rows_of_one(points[0].stdp, names)
    else:
        tables = RuleTables((point.stdp for point in points), names)
        steps_at, time_constants_at = tables.steps_at, tables.time_constants_at
        kinds_at = tables.kinds_at
    return {
        "weight_step": _along_changing_axes(
            grid,
            along,
            steps_at,
            {"trace": len(names), "weight_grid": WEIGHTS.size},
            {
                "long_name": "weight change by a spike when this trace is 1 and all others are 0",
                "comment": "at an output spike for presynaptic traces, at an input spike for "
                "postsynaptic ones; before clipping; fraction of synapse.g_max",
            },
        ),
        "trace_time_constant": _along_changing_axes(
            grid,
            along,
            time_constants_at,
            {"trace": len(names)},
            {"long_name": "time constant of the trace", "units": "ms"},
        ),
        "trace_kind": _along_changing_axes(
            grid, along, kinds_at, {"trace": len(names)}, _KIND_ATTRIBUTES
        ),
    }


@functools.lru_cache(maxsize=32)
def _rows_of_one(rule: Rule, names: tuple[str, ...]) -> tuple[RowsAt, ...]:
    """Return what gives the variables of one rule: made once, copied for each run."""
    tables, first = RuleTables([rule], names), np.zeros(1, dtype=np.intp)
    all_rows = (tables.steps_at(first), tables.time_constants_at(first), tables.kinds_at(first))
    return tuple(rows.__getitem__ for rows in all_rows)


def _along_changing_axes(
    grid: Grid,
    along: Sequence[int],
    rows_at: RowsAt,
    own: Mapping[str, int],
    attributes: Mapping[str, str],
) -> LabelledVariable:
    """Return rows of the rules along those of some axes on which they change.

    `own` has the further dimensions and their sizes.
    """
    _, shape = dimensions(grid, along)
    changing = changing_axes(rows_at, shape)
    first = tuple(slice(None) if i in changing else 0 for i in range(len(shape)))
    positions = np.arange(math.prod(shape)).reshape(shape)[first].ravel()
    dims, sizes = dimensions(grid, [along[i] for i in changing])
    variable = GatheredVariable(
        lambda start, stop: rows_at(positions[start:stop]),
        Column(np.dtype(float), tuple(own.values())),
        tuple(sizes),
    )
    held = variable.size * variable.dtype.itemsize <= _MOST_HELD
    return (*dims, *own), np.asarray(variable) if held else variable, attributes


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
    """Return the description of parameters, rules and processes, as JSON by key or name.

    Of each parameter it has the long name, the unit unless it is dimensionless, and the neutral
    value if it has one, which files of earlier versions do not list. Of rules and
    processes it has whether the statistics are stationary, why the equilibrium theory does not
    apply (empty where it does), the source of registered ones, and the side of a rule's traces.
    """
    return _attributes_of(tuple((type(p.stdp), type(p.input)) for p in grid.unlike_models))


@functools.lru_cache(maxsize=32)
def _attributes_of(
    models: tuple[tuple[type[Rule], type[InputProcess]], ...],
) -> Mapping[str, str]:
    """Return the description of pairs of a rule and a process, made once."""
    variants = [variant for pair in models for variant in pair]
    rules = {rule.name: _description(rule) for rule, _ in models}
    for rule, _ in models:
        rules[rule.name]["traces"] = {
            name: {"side": trace.side} for name, trace in rule.traces.items()
        }
    processes = {process.name: _description(process) for _, process in models}
    return {
        "parameters": json.dumps(_parameters(variants)),
        "rules": json.dumps(rules),
        "processes": json.dumps(processes),
    }


def _parameters(variants: Sequence[type[Section]]) -> dict[str, dict[str, Any]]:
    """Return long name, unit and neutral value of each key, of these rules and processes only."""
    described: dict[str, dict[str, Any]] = {}
    fixed = [section for section in SECTIONS.values() if not section.choosing_keys()]
    every: list[type[Section]] = [*fixed, Configuration, *variants]
    for section in every:
        for name, declared in section.quantities().items():
            entry: dict[str, Any] = {"long_name": declared.long_name}
            entry |= {"units": declared.units} if declared.units else {}
            entry |= {} if declared.neutral is REQUIRED else {"neutral": declared.neutral}
            described.setdefault(section.key(name), entry)
    return described


def trace_names(grid: Grid) -> list[str]:
    """Return the names of the traces of all rules."""
    points = grid.unlike_models
    return list(dict.fromkeys(name for point in points for name in point.stdp.traces))


def _description(cls: type[Rule] | type[InputProcess]) -> dict[str, Any]:
    return {
        "stationary": cls.stationary,
        "theory_gap": cls.theory_gap,
        "source": cls.source,
    }
