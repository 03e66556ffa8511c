"""Random streams by counter: any part of a stream can be drawn without the parts before it.

Word `j` of a stream is a mixing function of `start + j * increment` modulo 2**64 (Steele, Lea &
Flood 2014, Fast splittable pseudorandom number generators, OOPSLA). Start and odd increment are the
stream's own, so that no two streams run through the same sequence of words.

The functions of words use operations on unsigned integers and IEEE doubles only. numpy applies them
to arrays; the compiled engine compiles the same text for scalars, with equal results to the last
bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Constants of the mixing function moremur (P. Evensen 2019), a finalizer like that of SplitMix64,
#: with an avalanche that is nearer to the ideal for counters.
_MULTIPLIER_1, _MULTIPLIER_2 = np.uint64(0x3C79AC492BA7B653), np.uint64(0x1C69B3F74AC4AE35)
_SHIFT_1, _SHIFT_2 = np.uint64(27), np.uint64(33)

# A double is a sign, an exponent of 11 bits that is stored plus 1023, and a fraction of 52 bits.
_FRACTION_BITS = np.uint64(52)
_WORD_TO_FRACTION = np.uint64(64 - 52)
_FRACTION = np.uint64(2**52 - 1)
_BITS_OF_1 = np.uint64(0x3FF0000000000000)
_BITS_OF_ROOT_HALF = np.uint64(0x3FE6A09E667F3BCD)
#: As bits of a double, 2**52 + n for an integer n below 2**52 that takes the place of the fraction.
_BITS_OF_2_52 = np.uint64(0x4330000000000000)

_LN_2 = 0.6931471805599453

#: Coefficients of z, z**2, ... in log((1 + s) / (1 - s)) / s with z = s**2, after the constant 2:
#: the polynomial through seven Chebyshev nodes between 0 and the z of sqrt(2).
_C1, _C2, _C3, _C4 = 0.666666666666667, 0.399999999998995, 0.28571428625975487, 0.2222221113479508
_C5, _C6, _C7 = 0.18182889125261723, 0.15331721600556042, 0.14616449685043406


#: Coefficients of 1, z, z**2, ... in sin(pi s) / s with z = s**2: the polynomial through eight
#: Chebyshev nodes between 0 and 1/4.
_S0, _S1, _S2, _S3 = (
    3.1415926535897927,
    -5.1677127800497855,
    2.5501640398618677,
    -0.5992645288252314,
)
_S4, _S5 = 0.08214587881641831, -0.007370364327267842
_S6, _S7 = 0.0004659870181429037, -2.113363014236431e-05


class Stream(NamedTuple):
    """A random stream: word `j` is the mixed `start + j * increment` modulo 2**64."""

    start: int
    increment: int


def point_seed(seed: int, text: str) -> int:
    """Return the seed of one point, 128 bits, from the seed of a sweep and a text of the point."""
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    sequence = np.random.SeedSequence([seed, int.from_bytes(digest)])
    return int.from_bytes(sequence.generate_state(4).astype(">u4").tobytes())


def stream_of(seed: int, *numbers: int) -> Stream:
    """Return one numbered stream of a seed; by further numbers one of those within a stream."""
    sequence = np.random.SeedSequence(seed, spawn_key=numbers)
    start, increment = sequence.generate_state(2, np.uint64).tolist()
    return Stream(start, increment | 1)


def words(stream: Stream, first: int, count: int) -> NDArray[np.uint64]:
    """Return consecutive words of a stream.

    Parameters
    ----------
    stream : Stream
        The stream.
    first, count : int
        Index of the first word, and how many.

    Returns
    -------
    ndarray of uint64, (count,)
        Independent and uniform over all values; dimensionless.
    """
    index = np.arange(first, first + count, dtype=np.uint64)
    return mixed(np.uint64(stream.start) + index * np.uint64(stream.increment))


def exponentials(stream: Stream, first: int, count: int) -> NDArray[np.float64]:
    """Return consecutive standard exponential variates of a stream, one of each word.

    Parameters
    ----------
    stream : Stream
        The stream.
    first, count : int
        Index of the first word, and how many.

    Returns
    -------
    ndarray, (count,)
        Independent, above 0, of mean 1; dimensionless.
    """
    if not _compiled:
        return exponential(uniform(words(stream, first, count)))
    variates = np.empty(count)
    _compiled[-1](variates, (stream.start + first * stream.increment) % 2**64, stream.increment)
    return variates


#: What fills an array with exponential variates in machine code, if any; see `use_compiled`.
_compiled: list[Callable[[NDArray[np.float64], int, int], None]] = []


def use_compiled(fill: Callable[[NDArray[np.float64], int, int], None] | None) -> None:
    """Make `exponentials` call a function with the same results to the last bit, or none.

    Parameters
    ----------
    fill : callable or None
        Takes the array to be filled, (count,), the counter of its first word, and the increment.
    """
    _compiled[:] = [] if fill is None else [fill]


def float_of_bits(bits: Any) -> Any:
    """Return the doubles with given bits.

    Parameters
    ----------
    bits : ndarray of uint64
        Of any shape, dimensionless.

    Returns
    -------
    ndarray of float64
        Of the same shape, dimensionless.
    """
    return bits.view(np.float64)


def bits_of_float(x: Any) -> Any:
    """Return the bits of doubles, the inverse of `float_of_bits`.

    Parameters
    ----------
    x : ndarray of float64
        Of any shape, dimensionless.

    Returns
    -------
    ndarray of uint64
        Of the same shape, dimensionless.
    """
    return x.view(np.uint64)


def float_of_whole(number: Any) -> Any:
    """Return whole numbers as doubles, by operations that every processor has for vectors.

    Parameters
    ----------
    number : ndarray of uint64
        Of any shape, below 2**52; dimensionless.

    Returns
    -------
    ndarray of float64
        Of the same shape, dimensionless.
    """
    return float_of_bits(number | _BITS_OF_2_52) - 2.0**52


def whole_of_float(x: Any) -> Any:
    """Return doubles that are whole numbers as integers, the inverse of `float_of_whole`.

    Parameters
    ----------
    x : ndarray of float64
        Of any shape, whole, from 0 to below 2**52; dimensionless.

    Returns
    -------
    ndarray of uint64
        Of the same shape, dimensionless.
    """
    return bits_of_float(x + 2.0**52) ^ _BITS_OF_2_52


def mixed(counter: Any) -> Any:
    """Return the words of counters, by a bijection that spreads each bit over the whole word.

    Parameters
    ----------
    counter : ndarray of uint64
        Of any shape, dimensionless.

    Returns
    -------
    ndarray of uint64
        Of the same shape, dimensionless.
    """
    word = (counter ^ (counter >> _SHIFT_1)) * _MULTIPLIER_1
    word = (word ^ (word >> _SHIFT_2)) * _MULTIPLIER_2
    return word ^ (word >> _SHIFT_1)


def uniform(word: Any) -> Any:
    """Return numbers between 0 and 1, both excluded: the odd multiples of 2**-53.

    Parameters
    ----------
    word : ndarray of uint64
        Of any shape, dimensionless.

    Returns
    -------
    ndarray of float64
        Of the same shape, dimensionless.
    """
    return float_of_bits((word >> _WORD_TO_FRACTION) | _BITS_OF_1) - (1 - 2.0**-53)


def exponential(u: Any) -> Any:
    """Return standard exponential variates -log(u), within three units of the last place.

    With u = m 2**n and m between sqrt(1/2) and sqrt(2), the logarithm is n log(2) + log(m), and
    log(m) = log((1 + s) / (1 - s)) with s = (m - 1) / (m + 1) (as in fdlibm, Sun Microsystems
    1993). Even and odd powers are summed apart, which shortens the chain of operations.

    Parameters
    ----------
    u : ndarray of float64
        Of any shape, between 0 and 1, both excluded; dimensionless.

    Returns
    -------
    ndarray of float64
        Of the same shape, above 0, dimensionless.
    """
    bits = bits_of_float(u) - _BITS_OF_ROOT_HALF + _BITS_OF_1
    n = float_of_whole(bits >> _FRACTION_BITS) - 1023
    m = float_of_bits((bits & _FRACTION) + _BITS_OF_ROOT_HALF)
    s = (1 - m) / (1 + m)
    z = s * s
    w = z * z
    even = w * (_C2 + w * (_C4 + w * _C6))
    odd = z * (_C1 + w * (_C3 + w * (_C5 + w * _C7)))
    return s * (2 + (even + odd)) - n * _LN_2


def normal(e: Any, u: Any) -> Any:
    """Return standard normal variates from exponential and uniform ones (Box & Muller 1958).

    With R = sqrt(2 E) and an angle that is uniform over the half circle on which the cosine is
    positive, R sin(angle) is normal. The sine is within four units of the last place of 1.

    Parameters
    ----------
    e : ndarray of float64
        Standard exponential variates of any shape, dimensionless.
    u : ndarray of float64
        Uniform between 0 and 1, of the same shape, dimensionless.

    Returns
    -------
    ndarray of float64
        Of the same shape, of mean 0 and variance 1, dimensionless.
    """
    s = u - 0.5
    z = s * s
    w = z * z
    even = _S0 + w * (_S2 + w * (_S4 + w * _S6))
    odd = z * (_S1 + w * (_S3 + w * (_S5 + w * _S7)))
    return np.sqrt(2 * e) * (s * (even + odd))
