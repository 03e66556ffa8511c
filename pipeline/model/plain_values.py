"""Values of any type as plain Python values, numbers as the decimals that they stand for."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

#: Powers of ten that binary64 holds exactly.
_POWERS = np.array([float(f"1e{exponent}") for exponent in range(23)])


def rounded(number: float) -> float:
    """Round a number to 15 significant digits, which binary64 preserves for every decimal number.

    0.1 + 0.2 becomes 0.3: equal values have one representation, one point and one coordinate.
    """
    return float(f"{number:.15g}")


def rounded_all(values: Sequence[float]) -> list[float]:
    """Return numbers as `rounded` does, of which most are decimals of 15 digits already.

    Such a decimal is a whole number below 1e15 divided by a power of ten: both are exact in
    binary64, so that their quotient is the number itself.

    Parameters
    ----------
    values : sequence of float, (n,)
        Of any unit.

    Returns
    -------
    list of float, (n,)
        The same, without negative zeros; empty if one of them is not finite.
    """
    array = np.array(values, dtype=np.float64)
    if not np.isfinite(array).all():
        return []
    size = np.abs(array)
    n_digits = 14 - np.floor(np.log10(np.where(size > 0, size, 1.0)))
    scale = _POWERS[np.clip(n_digits, 0, len(_POWERS) - 1).astype(int)]
    whole = np.rint(array * scale)
    is_decimal = (whole / scale == array) & (np.abs(whole) < 1e15)
    array += 0.0  # -0.0 and 0.0 are one value
    clean: list[float] = array.tolist()
    for index in np.flatnonzero(~is_decimal).tolist():
        clean[index] = rounded(clean[index]) + 0.0
    return clean


def plain(values: ArrayLike) -> Any:
    """Return an array as plain Python values, nested as it is.

    Numbers of 16 or 32 bits are the shortest decimals that they stand for: 0.1 of 32 bits is 0.1,
    and not 0.10000000149. A masked value is None.

    Parameters
    ----------
    values : array_like, (...)
        Of any unit.
    """
    array = np.asanyarray(values)
    if array.dtype in (np.float16, np.float32):
        shortest = np.array([float(str(number)) for number in np.asarray(array).flat])
        mask = np.ma.getmaskarray(array)
        array = np.ma.masked_array(shortest.reshape(array.shape), mask)
    return array.tolist()


def whole_as_int(value: Any) -> Any:
    """Return a whole number of another type, such as 40.0, as an integer; other values as is.

    Arrays of numpy, and columns of pandas with a gap, have whole numbers as such.
    """
    if getattr(value, "ndim", None) == 0:
        value = plain(value)
    if isinstance(value, list | tuple):  # one for each group
        return [whole_as_int(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_missing(value: Any) -> bool:
    """Return whether a value is none: null, NaN, or what pandas has in place of one."""
    try:
        return value is None or bool(value != value)  # noqa: PLR0124 - as NaN alone is
    except TypeError:  # of `pandas.NA`, whose comparisons are neither true nor false
        return True
    except ValueError:  # of an array
        return False


def _as_float(value: Any) -> float:
    if type(value) is not float:  # the most frequent type first, of a million samples
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError
        value = plain(value) if isinstance(value, np.generic) else float(value)
    number = rounded(value)
    if not math.isfinite(number):
        raise ValueError
    return number + 0.0  # -0.0 and 0.0 are one value


def _as_int(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)


def _as_bool(value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise TypeError
    return bool(value)


def _as_str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return str(value)


#: By kind of a quantity, what returns a value of it as a plain one or raises an error.
CONVERTERS = {float: _as_float, int: _as_int, bool: _as_bool, str: _as_str}
