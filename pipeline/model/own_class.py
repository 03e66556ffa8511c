"""Classes of rules and processes outside of this package: completed, and validated before use."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pipeline.model.errors import RequestError
from pipeline.model.quantity import REQUIRED, Quantity

if TYPE_CHECKING:
    from pipeline.model.registry import Variant

#: The functions of a rule, and their arguments.
_FUNCTIONS = ("potentiate", "depress")
_ARGUMENTS = "(w, traces, fields)"

_SIDES = ("presynaptic", "postsynaptic")
_NOT_PROPORTIONAL = (
    "the theory covers weight changes in proportion to one trace each, and dependent on the weight "
    "alone otherwise"
)

#: Names of dimensions and variables that the analysis makes of a file.
OF_THE_ANALYSIS = frozenset(
    ("allowed", "answer", "bound", "difference", "done", "each", "ended", "expected", "history")
    + ("interval", "mean", "order", "pair_steps", "quantity", "range", "rate", "settling_time")
    + ("share", "side", "silent", "step", "stdp_window", "time_difference", "to_come")
    + ("total_variation", "unsettled", "weight_bin", "window_weight")
)

#: Names of variables and coordinates of a file beside those of `variables`.
_OF_THE_FILE = frozenset(
    ("discrete_ltd_ratio", "made_by", "status", "trace", "trace_kind", "trace_time_constant")
    + ("weight_grid", "weight_step")
    + ("group", "synapse_rate", "synapse_phase", "synapse_latency")
)

_WORD_ENDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_FIELD_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


def complete(cls: type[Variant]) -> None:
    """Add what a class of the user's may leave out.

    That is `name`, by default its own name in lower case; annotations of fields; and the decorators
    `dataclass(frozen=True)` of the class and `staticmethod` of the functions of a rule.
    """
    own = vars(cls)
    if "name" not in own:
        cls.name = _WORD_ENDS.sub("_", cls.__name__.lstrip("_")).lower()
    for name in _FUNCTIONS:
        if inspect.isfunction(own.get(name)):
            setattr(cls, name, staticmethod(own[name]))
    if "__dataclass_fields__" in own:
        return
    annotations = dict(own.get("__annotations__", {}))
    for name, value in list(own.items()):
        declared = getattr(value, "metadata", {}).get("quantity")
        if isinstance(declared, Quantity):
            annotations.setdefault(name, declared.kind)
        elif name in annotations:  # `name: str = "mine"` is no field
            annotations[name] = ClassVar
    cls.__annotations__ = annotations
    dataclasses.dataclass(frozen=True)(cls)


def refuse_incomplete(cls: type[Variant]) -> None:
    """Refuse a class of the user's that lacks something, or declares it wrongly.

    Raises
    ------
    RequestError
        If a function or the traces are missing, or a field is not allowed.
    """
    for reason in itertools.chain(_of_functions(cls), _of_fields(cls)):
        raise RequestError(f"{cls.__name__} {reason}")


def say_whether_covered(cls: type[Variant]) -> None:
    """Set `theory_gap` of a rule that does not: whether its functions are as the theory takes them.

    The rest, such as the number of traces and the size of steps, the analysis reads in the file.
    """
    base: Any = cls.registry_base()
    rule: Any = cls
    if hasattr(base, "potentiate") and rule.theory_gap is base.theory_gap:
        rule.theory_gap = "" if _are_proportional(rule) else _NOT_PROPORTIONAL


def _are_proportional(rule: Any) -> bool:
    """Whether the changes by both functions are proportional to the trace of the other side."""
    names = rule.traces_type()._fields
    pre, post = ([name for name in names if rule.traces[name].side == side] for side in _SIDES)
    if len(pre) != 1 or len(post) != 1:
        return True  # which is in the file
    w, trace = np.array([[0.2], [0.55], [0.9]]), np.array([0.0, 0.25, 1.0, 1.0, 1.0])
    other = np.array([1.0, 0.5, 0.0, 0.5, 1.0])
    for number in (0.5, 0.25):
        fields = rule.fields_type()._make([number] * len(rule.fields_type()._fields))
        for function, (name,) in ((rule.potentiate, pre), (rule.depress, post)):
            values = rule.traces_type()._make([trace if one == name else other for one in names])
            with np.errstate(all="ignore"):
                change = function(w, values, fields) - w
            if not np.allclose(change, change[:, -1:] * trace, atol=1e-12, equal_nan=True):
                return False
    return True


def _of_functions(cls: type[Variant]) -> Iterator[str]:
    base = cls.registry_base()
    if hasattr(base, "events"):
        if cls.events is base.events:  # type: ignore[attr-defined]
            yield "must define events(self, dt, n_steps, seed)"
        return
    for name in _FUNCTIONS:
        function = getattr(cls, name)
        if function is getattr(base, name):
            yield f"must define {name}{_ARGUMENTS}"
        elif not _takes_three(function):
            yield f"must define {name}{_ARGUMENTS}, with these three arguments"
    if not isinstance(getattr(cls, "traces", None), dict):
        yield 'must define traces, such as {"x_pre": Trace(PRE, "tau")}, or {} without any'
    followers = getattr(cls, "followers", ())
    for name, trace in cls.traces.items():  # type: ignore[attr-defined]
        if not (isinstance(name, str) and _FIELD_NAME.fullmatch(name) and hasattr(trace, "side")):
            yield f'must define the trace {name} as in {{"x_pre": Trace(PRE, "tau")}}'
        declared = cls.quantities().get(trace.tau)
        stays_null = declared and declared.null and trace.tau not in followers
        if declared and (declared.kind not in (float, int) or stays_null):
            yield f"must give the trace {name} a time constant that is a number, not {trace.tau}"


def _takes_three(function: Any) -> bool:
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError:
        return False
    return True


def _of_fields(cls: type[Variant]) -> Iterator[str]:
    from pipeline.model.parameters import (  # imports the registries
        SECTIONS,
        all_quantities,
        short_name,
    )
    from pipeline.model.variables import DIMENSIONS, VARIABLES

    base = cls.registry_base()
    prefix = f"{base.section}."
    others = {short_name(key) for key in all_quantities() if not key.startswith(prefix)}
    taken = {*SECTIONS, *VARIABLES, *DIMENSIONS, *others} | _OF_THE_FILE | OF_THE_ANALYSIS
    for field in dataclasses.fields(cls):
        name, declared = field.name, field.metadata.get("quantity")
        if name in base.quantities():
            continue
        if not isinstance(declared, Quantity):
            yield f'must declare its field {name} as in {name}: float = quantity("long name", "ms")'
        elif not _FIELD_NAME.fullmatch(name):
            yield f"must name its field {name} by letters, digits and underscores, a letter first"
        elif name in taken:
            yield f"must name its field {name} otherwise: the name is taken"
        elif declared.kind not in (float, int, bool, str):
            yield f"must declare its field {name} with the kind float, int, bool or str"
        elif declared.per_group and (declared.kind not in (float, int) or base.section != "input"):
            yield f"must not declare its field {name} per_group: numbers of a process may be lists"
        else:
            for value in (declared.default, declared.neutral):
                if value is not REQUIRED:
                    declared.admit(cls.key(name), value)
