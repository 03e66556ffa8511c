"""Numbers between two ends, equally spaced in the value or in its logarithm."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hydra.core.override_parser.types import ChoiceSweep

from pipeline.model.errors import RequestError
from pipeline.model.plain_values import rounded
from pipeline.request.axis import MOST_POINTS

#: Significant digits of a number of a logarithmic scale; more where its neighbours need them.
_DIGITS = 6


@dataclass
class SpacedSweep(ChoiceSweep):
    """A choice of spaced numbers."""

    def numbers(self, whole: bool) -> list[Any]:
        """Return the numbers in their order; the nearest whole ones for a key of whole numbers."""
        numbers: list[Any] = list(self.list)
        numbers = list(map(round, numbers)) if whole else numbers
        return random.Random().sample(numbers, len(numbers)) if self.shuffle else numbers


def logspace(start: int | float, stop: int | float, n: int) -> SpacedSweep:
    """`n` numbers from `start` to `stop`, both included, equally spaced in the logarithm.

    `start` and `stop` are the values, not exponents. The numbers have 6 significant digits, and
    more where two neighbours differ by less than 1 %: what is shown is the value itself.
    """
    _refuse_unfit(start, stop, n)
    if start <= 0 or stop <= 0:
        raise RequestError("both ends must be > 0: they are the values, not exponents")
    if n == 1:
        return SpacedSweep(list=[start])
    step = math.log(stop / start) / (n - 1)
    more = max(0, math.ceil(-2 - math.log10(abs(step)))) if step else 0
    digits = min(15, _DIGITS + more)
    inner = [float(f"{start * math.exp(i * step):.{digits}g}") for i in range(1, n - 1)]
    return SpacedSweep(list=_alike([start, *inner, stop]))


def linspace(start: int | float, stop: int | float, n: int) -> SpacedSweep:
    """`n` numbers from `start` to `stop`, both included, equally spaced."""
    _refuse_unfit(start, stop, n)
    if n == 1:
        return SpacedSweep(list=[start])
    first = Fraction(repr(start))
    step = (Fraction(repr(stop)) - first) / (n - 1)
    numbers = [first + i * step for i in range(n)]
    return SpacedSweep(list=_alike([rounded(float(number)) for number in numbers]))


def _alike(numbers: list[int | float]) -> list[Any]:
    """Return numbers as whole ones if all of them are."""
    whole = all(number == int(number) for number in numbers)
    return [int(number) if whole else float(number) for number in numbers]


def _refuse_unfit(start: float, stop: float, n: int) -> None:
    if not (math.isfinite(start) and math.isfinite(stop)):
        raise RequestError("the ends must be finite")
    if n < 1 or (n == 1) != (start == stop):
        raise RequestError("must be two or more numbers from one end to another one")
    if n > MOST_POINTS:
        raise RequestError(f"{n} values; an axis must have <= {MOST_POINTS}")
