"""Whole multiples of decimal numbers, as of a time step, without rounding errors."""

from __future__ import annotations

import decimal
import functools
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.model.quantity import rounded


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
