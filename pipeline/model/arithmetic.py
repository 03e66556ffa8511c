"""Arithmetic that is equal on every machine: fused operations, multiples of decimal numbers."""

from __future__ import annotations

import ctypes
import decimal
import functools
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.model.plain_values import rounded


def _library_fma() -> Callable[[float, float, float], float]:
    """Return `fma` of the C library, for Python before 3.13."""
    function = ctypes.CDLL(None).fma
    function.argtypes, function.restype = [ctypes.c_double] * 3, ctypes.c_double
    return function


#: `fma(a, b, c)` is a * b + c, rounded once (IEEE 754-2008, 5.4.1). Processors compute it in the
#: time of a product, about half of that of a product and a sum that waits for it.
fma: Callable[[float, float, float], float] = getattr(math, "fma", None) or _library_fma()


def multiples(counts: NDArray[np.int64], number: float) -> NDArray[np.float64]:
    """Return whole multiples of a decimal number, rounded to 15 digits as `rounded` does.

    The times of steps: step 3 of 0.1 ms is at 0.3 ms, where 3 * 0.1 is 0.30000000000000004.

    Parameters
    ----------
    counts : ndarray of int64, (n,)
        How many times the number, rising, >= 0; dimensionless.
    number : float
        A value > 0 of 15 digits, such as a time step [ms]; at most 22 of its digits are decimals.

    Returns
    -------
    ndarray of float64, (n,)
        Multiples in the unit of the number: the float nearest to each product, rounded.
    """
    digits, denominator = _as_ratio(number)
    if not counts.size or int(counts[-1]) * digits < 10**15:
        # Both integers are exact as floats, so that their division rounds correctly: it gives the
        # float nearest to a decimal number of at most 15 digits, which `rounded` preserves.
        return counts * digits / float(denominator)
    return np.array([rounded(count * digits / denominator) for count in counts.tolist()])


@functools.lru_cache(maxsize=64)
def _as_ratio(number: float) -> tuple[int, int]:
    """Return a decimal number of 15 digits as an integer over a power of ten."""
    text = f"{number:.15g}"
    denominator = 10 ** max(0, -int(decimal.Decimal(text).as_tuple().exponent))
    # Not by `decimal`, whose precision the caller may have set.
    return int(Fraction(text) * denominator), denominator
