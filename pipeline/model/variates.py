"""Cosines, and normal variates, as functions that give equal bits in numpy and in machine code.

As those of `streams`, they use operations on unsigned integers and IEEE doubles only; the compiled
engine compiles the same text for scalars.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.model.streams import exponential, uniform

#: Coefficients of 1, z, z**2, ... in sin(2 pi x) / x with z = x**2: the polynomial through seven
#: Chebyshev nodes between 0 and the z of 1/4.
_S0, _S1, _S2 = 6.283185307179269, -41.34170223990431, 81.60524914912124
_S3, _S4, _S5, _S6 = -76.70584755015801, 42.05813505114427, -15.081485591251694, 3.6658672166020168

#: Bits that are moved up to make a word of the lower half of another.
_HALF = np.uint64(32)


def cosine(cycles: Any) -> Any:
    """Return the cosine of angles, with an error below 1e-13.

    It is the sine of what is left to a quarter of a cycle, a polynomial of that.

    Parameters
    ----------
    cycles : ndarray of float64
        Of any shape; an angle of 1 is a whole cycle.

    Returns
    -------
    ndarray of float64
        Of the same shape, dimensionless.
    """
    x = 0.25 - abs(cycles - np.floor(cycles + 0.5))
    z = x * x
    w = z * z
    even = _S0 + w * (_S2 + w * (_S4 + w * _S6))
    odd = z * (_S1 + w * (_S3 + w * _S5))
    return x * (even + odd)


def normal_of_word(word: Any) -> Any:
    """Return standard normal variates, one of each word, by the method of Box & Muller 1958.

    The radius is of the whole word, the angle of its lower half, which moves the radius by less
    than one part in 2**32.

    Parameters
    ----------
    word : ndarray of uint64
        Of any shape, dimensionless.

    Returns
    -------
    ndarray of float64
        Of the same shape, between -8.6 and 8.6, dimensionless.
    """
    return np.sqrt(2 * exponential(uniform(word))) * cosine(uniform(word << _HALF))
