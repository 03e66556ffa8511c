"""Compiled functions over the traces and numbers of a rule, with loops unrolled.

In a loop over a tuple, numba does not keep its values in registers. The functions that need such a
loop are generated from a source line that is repeated for every index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from numba import njit

from pipeline.model.plasticity import POST, PRE, Rule

#: Inlined before type inference, so that numba compiles one function instead of thirty.
inlined = njit(error_model="numpy", inline="always")


def tuple_of(arguments: str, element: str, indices: Iterable[int]) -> Callable[..., Any]:
    """Return a compiled function whose value is a tuple: an expression for every index `{j}`."""
    elements = "".join(f"{element.format(j=j)}, " for j in indices)
    return inlined(eval(f"lambda {arguments}: ({elements})"))


def each(arguments: str, statements: Iterable[str]) -> Callable[..., None]:
    """Return a compiled function that executes statements."""
    body = "".join(f"    {statement}\n" for statement in statements) or "    pass\n"
    namespace: dict[str, Any] = {}
    exec(f"def call({arguments}):\n{body}", namespace)
    return inlined(namespace["call"])


@dataclass(frozen=True)
class TraceFunctions:
    """Compiled functions on the traces of a rule.

    Presynaptic traces are the rows of `x`, each divided by its `scale`; `jump` is 1 / scale. The
    array `traces` stores all scales, jumps and postsynaptic traces between two stretches.

    Attributes
    ----------
    scales, jumps, post : callable
        Return a tuple of these, read from `traces`.
    keep : callable
        Store scales, jumps and postsynaptic traces in `traces`.
    zeros : callable
        Return a tuple with a zero per presynaptic trace.
    read : callable
        Return the presynaptic traces of one synapse.
    move, move_late : callable
        Apply the jumps at an input spike to the traces of its synapse that are read after and
        before their jump, respectively; `move` adds `added`, which is 0 if the spike is included
        already.
    post_moved, post_moved_late : callable
        Return the postsynaptic traces after an output spike, likewise.
    times, over, post_times : callable
        Return products and quotients, element by element.
    """

    scales: Callable[..., Any]
    jumps: Callable[..., Any]
    post: Callable[..., Any]
    keep: Callable[..., Any]
    zeros: Callable[..., Any]
    read: Callable[..., Any]
    move: Callable[..., Any]
    move_late: Callable[..., Any]
    post_moved: Callable[..., Any]
    post_moved_late: Callable[..., Any]
    times: Callable[..., Any]
    over: Callable[..., Any]
    post_times: Callable[..., Any]

    @classmethod
    def of(cls, rule: type[Rule]) -> TraceFunctions:
        """Return the functions for the traces of a rule."""
        pre, post = (list(rule.traces_of(side).values()) for side in (PRE, POST))
        n, m = len(pre), len(post)
        kept = [f"a[{j}], a[{n + j}] = scale[{j}], jump[{j}]" for j in range(n)]
        kept += [f"a[{2 * n + j}] = post[{j}]" for j in range(m)]

        def moved(late: bool, added: str) -> list[str]:
            return [
                f"x[{j}, i] = jump[{j}]" if trace.sets else f"x[{j}, i] += {added}[{j}]"
                for j, trace in enumerate(pre)
                if trace.before_jump == late
            ]

        def post_moved(late: bool) -> Callable[..., Any]:
            values = [
                f"post[{j}]" if t.before_jump != late else "1.0" if t.sets else f"post[{j}] + 1.0"
                for j, t in enumerate(post)
            ]
            return inlined(eval(f"lambda post: ({''.join(f'{value}, ' for value in values)})"))

        return cls(
            scales=tuple_of("a", "a[{j}]", range(n)),
            jumps=tuple_of("a", "a[{j}]", range(n, 2 * n)),
            post=tuple_of("a", "a[{j}]", range(2 * n, 2 * n + m)),
            keep=each("a, scale, jump, post", kept),
            zeros=tuple_of("", "0.0", range(n)),
            read=tuple_of("x, i, scale", "scale[{j}] * x[{j}, i]", range(n)),
            move=each("x, i, jump, added", moved(False, "added")),
            move_late=each("x, i, jump", moved(True, "jump")),
            post_moved=post_moved(False),
            post_moved_late=post_moved(True),
            times=tuple_of("a, b", "a[{j}] * b[{j}]", range(n)),
            over=tuple_of("a, b", "a[{j}] / b[{j}]", range(n)),
            post_times=tuple_of("a, b", "a[{j}] * b[{j}]", range(m)),
        )
