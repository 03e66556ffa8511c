"""Fused multiplication and addition, equal on every machine and in both engines."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable


def _library_fma() -> Callable[[float, float, float], float]:
    """Return `fma` of the C library, for Python before 3.13."""
    function = ctypes.CDLL(None).fma
    function.argtypes, function.restype = [ctypes.c_double] * 3, ctypes.c_double
    return function


#: `fma(a, b, c)` is a * b + c, rounded once (IEEE 754-2008, 5.4.1). Processors compute it in the
#: time of a product, about half of that of a product and a sum that waits for it.
fma: Callable[[float, float, float], float] = getattr(math, "fma", None) or _library_fma()
