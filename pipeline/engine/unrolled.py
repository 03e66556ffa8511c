"""Compiled functions over the traces and numbers of a rule, with loops unrolled.

In a loop over a tuple, numba does not keep its values in registers. The functions that need such a
loop are generated from a source line that is repeated for every index.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from numba import njit

from pipeline.model.plasticity import POST, PRE, Rule

#: Inlined before type inference, so that numba compiles one function instead of thirty.
inlined = njit(error_model="numpy", inline="always")


def with_helpers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls compiled forms of the plain functions of its own module."""
    known = function.__globals__
    helpers = {
        name: inlined(with_helpers(known[name]))
        for name in function.__code__.co_names
        if isinstance(known.get(name), types.FunctionType)
        and known[name].__module__ == function.__module__
        and known[name] is not function
    }
    if not helpers:
        return function
    namespace = {**known, **helpers}
    return types.FunctionType(function.__code__, namespace, function.__name__)


def tuple_of(arguments: str, elements: Iterable[str]) -> Callable[..., Any]:
    """Return a compiled function whose value is the tuple of some expressions."""
    text = "".join(f"{element}, " for element in elements)
    return inlined(eval(f"lambda {arguments}: ({text})"))


def each(arguments: str, statements: Iterable[str]) -> Callable[..., None]:
    """Return a compiled function that executes statements."""
    body = "".join(f"    {statement}\n" for statement in statements) or "    pass\n"
    namespace: dict[str, Any] = {}
    exec(f"def call({arguments}):\n{body}", namespace)
    return inlined(namespace["call"])


@dataclass(frozen=True)
class TraceFunctions:
    """Compiled functions on the traces of a rule, each stored divided by a scale.

    The stored presynaptic traces are a tuple of arrays `x`, the postsynaptic ones a tuple `post`.
    Scale and jump of trace `j` at a step are `tables[j, 0, row]` and `tables[j, 1, row]`, see
    `RuleConstants`.

    Attributes
    ----------
    rows : callable
        Return the presynaptic traces, or as many other arrays, from one that holds them in turn.
    post, keep_post : callable
        Return the stored postsynaptic traces as a tuple, read from an array; store them there.
    read : callable
        Return all traces of one synapse at a step.
    move, move_late : callable
        Apply the jumps at an input spike to the traces of its synapse that are read after and
        before their jump, respectively.
    post_moved, post_moved_late : callable
        Return the stored postsynaptic traces after an output spike, likewise.
    save, restore : callable
        Copy the stored presynaptic traces of a synapse to a column of other arrays, and back.
    """

    rows: Callable[..., Any]
    post: Callable[..., Any]
    keep_post: Callable[..., Any]
    read: Callable[..., Any]
    move: Callable[..., Any]
    move_late: Callable[..., Any]
    post_moved: Callable[..., Any]
    post_moved_late: Callable[..., Any]
    save: Callable[..., Any]
    restore: Callable[..., Any]

    @classmethod
    def of(cls, rule: type[Rule]) -> TraceFunctions:
        """Return the functions for the traces of a rule."""
        pre, post = (list(rule.traces_of(side).values()) for side in (PRE, POST))
        n, m = len(pre), len(post)

        def moved(late: bool) -> Callable[..., Any]:
            return each(
                "x, i, tables, row",
                [
                    f"x[{j}][i] {'=' if trace.sets else '+='} tables[{j}, 1, row]"
                    for j, trace in enumerate(pre)
                    if trace.before_jump == late
                ],
            )

        def post_moved(late: bool) -> Callable[..., Any]:
            jumps = [f"tables[{n + j}, 1, row]" for j in range(m)]
            values = [
                f"post[{j}]" if t.before_jump != late else jump if t.sets else f"post[{j}] + {jump}"
                for j, (t, jump) in enumerate(zip(post, jumps, strict=True))
            ]
            return tuple_of("post, tables, row", values)

        values = [f"tables[{j}, 0, row] * x[{j}][i]" for j in range(n)]
        values += [f"tables[{n + j}, 0, row] * post[{j}]" for j in range(m)]
        return cls(
            rows=tuple_of(
                "a, first, n", [f"a[first + {j} * n : first + ({j} + 1) * n]" for j in range(n)]
            ),
            post=tuple_of("a", [f"a[{j}]" for j in range(m)]),
            keep_post=each("a, post", [f"a[{j}] = post[{j}]" for j in range(m)]),
            read=tuple_of("x, i, post, tables, row", values),
            move=moved(False),
            move_late=moved(True),
            post_moved=post_moved(False),
            post_moved_late=post_moved(True),
            save=each("x, i, saved, column", [f"saved[{j}][column] = x[{j}][i]" for j in range(n)]),
            restore=each(
                "x, i, saved, column", [f"x[{j}][i] = saved[{j}][column]" for j in range(n)]
            ),
        )
