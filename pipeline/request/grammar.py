"""Hydra's override grammar, with the functions that it computes otherwise than they are defined.

Hydra 1.3 reverses a range by its ends, which are not on the range, shuffles what is sorted, and
adds binary fractions. Each of its functions that makes a range gives the numbers of the definition:
`start + i * step` in decimal. Two functions are added, `logspace` and `linspace`, and an interval
may have a logarithmic scale.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hydra._internal.grammar.functions import Functions
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser import overrides_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    IntervalSweep,
    Override,
    QuotedString,
    RangeSweep,
    Sweep,
)

from pipeline.composition.sweep_functions import FORMS
from pipeline.model.errors import RequestError
from pipeline.model.parameters import all_quantities
from pipeline.request.axis import refuse_too_many
from pipeline.request.drawn_samples import Interval
from pipeline.request.spaced import SpacedSweep, linspace, logspace

_hydras_functions = overrides_parser.create_functions


@dataclasses.dataclass
class DecimalRange(RangeSweep):
    """A range whose numbers are computed in decimal: three steps of 0.1 are 0.3."""

    def range(self) -> list[float]:  # type: ignore[override]
        """Return the numbers in their order; see `numbers_of`."""
        return numbers_of(self, f"range({self.start},{self.stop},{self.step})")


@dataclasses.dataclass
class ScaledInterval(IntervalSweep):
    """An interval whose numbers are as they are typed, on a linear or a logarithmic scale."""

    start: int | float = 0
    end: int | float = 1
    log: bool = False


def _interval(start: int | float, end: int | float, scale: str = "linear") -> ScaledInterval:
    """Numbers from `start` to `end`, uniform on a scale: `linear` or `log`."""
    if scale not in ("linear", "log"):
        raise RequestError("the scale must be linear or log")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RequestError("the ends must be finite")
    return ScaledInterval(start=start, end=end, log=scale == "log")


def numbers_of(sweep: RangeSweep, text: str) -> list[float]:
    """Return the numbers of a range in their order.

    Parameters
    ----------
    sweep : RangeSweep
        The range.
    text : str
        How it is written, for messages.

    Raises
    ------
    RequestError
        If the step is 0, a number is not finite, or there are too many.
    """
    ends = [number for number in (sweep.start, sweep.stop, sweep.step) if number is not None]
    if not all(isinstance(number, int) or math.isfinite(number) for number in ends):
        raise RequestError(f"{text}: the numbers of a range must be finite")
    if sweep.step == 0:
        raise RequestError(f"{text}: the step of a range must not be 0")
    # In integers: the caller may have set the precision of the module decimal, and its division
    # is not exact in any.
    start, stop, step = (Fraction(repr(number)) for number in ends)
    count = max(0, math.ceil((stop - start) / step))
    refuse_too_many(text, count)
    denominator = math.lcm(start.denominator, step.denominator)
    first, increment = int(start * denominator), int(step * denominator)
    numbers = (first + i * increment for i in range(count))
    if all(isinstance(number, int) for number in ends):
        return list(numbers)
    return [number / denominator for number in numbers]


def _decimal(value: Any) -> Any:
    """Return a range with decimal numbers; any other value as it is."""
    if not isinstance(value, RangeSweep):
        return value
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return DecimalRange(**fields)


def _sorted(value: Any, reverse: bool) -> Any:
    """Return a sweep of sorted values, in the order in which they stand; any other value as is."""
    if isinstance(value, RangeSweep):
        values: list[Any] = sorted(_decimal(value).range(), reverse=reverse)
        return ChoiceSweep(tags=value.tags, list=values)
    return dataclasses.replace(value, shuffle=False) if isinstance(value, ChoiceSweep) else value


#: The functions of `FORMS`.
_OURS: dict[str, Callable[..., Any]] = {
    "interval": _interval,
    "logspace": logspace,
    "linspace": linspace,
}


def functions() -> Functions:
    """Return the functions of the grammar by name, with the signatures of Hydra's."""
    table = _hydras_functions()

    def repaired(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if name == "sort":
                given = named.get("sweep", arguments[0] if len(arguments) == 1 else None)
                reverse = named.get("reverse", False)
                if isinstance(given, RangeSweep):
                    return _sorted(given, reverse)
                return _sorted(function(*arguments, **named), reverse)
            made = _decimal(function(*arguments, **named))
            given = [one for one in (*arguments, *named.values()) if isinstance(one, Sweep)]
            if name in ("int", "float") and isinstance(made, IntervalSweep):
                return dataclasses.replace(given[0], start=made.start, end=made.end)
            return made

        return call

    for name, function in table.functions.items():
        table.functions[name] = repaired(name, function)
    for name in FORMS:
        function = _OURS[name]
        table.definitions[name] = inspect.signature(function, eval_str=True)
        table.functions[name] = function
    return table


def parser(config_loader: ConfigLoader | None = None) -> OverridesParser:
    """Return a parser of overrides by this grammar."""
    return OverridesParser(functions(), config_loader)


def use_for_hydras_sweepers() -> None:
    """Make Hydra's own sweepers in this process use this grammar; for a process of ours."""
    overrides_parser.create_functions = functions


def _is_whole(key: str) -> bool:
    quantity = all_quantities().get(key)
    return quantity is not None and quantity.kind is int


def interval_of(sweep: Override) -> Interval:
    """Return the interval of an override that has one."""
    value: Any = sweep.value()
    return Interval(value.start, value.end, getattr(value, "log", False))


def values_of(sweep: Override) -> list[Any]:
    """Return the values of an override that sweeps, in the order of its definition.

    Raises
    ------
    RequestError
        If they are not a list, or that of a range is not allowed.
    """
    text, value = sweep.input_line or "", sweep.value()
    if not sweep.is_discrete_sweep():
        raise RequestError(f"{text}: must be a list, range(...) or choice(...)")
    if isinstance(value, RangeSweep):
        numbers = numbers_of(value, text)
        return random.Random().sample(numbers, len(numbers)) if value.shuffle else numbers
    if isinstance(value, SpacedSweep):
        return value.numbers(_is_whole(sweep.key_or_group))
    values = [v.text if isinstance(v, QuotedString) else v for v in sweep.sweep_iterator()]
    if any(isinstance(value, IntervalSweep) for value in values):
        raise RequestError(f"{text}: must be one interval, or values without any")
    if any(isinstance(value, Sweep) for value in values):
        raise RequestError(f"{text}: must be one list of values, not one within another")
    return values
