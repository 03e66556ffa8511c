"""Random streams: exact functions of words, and words that pass tests of randomness.

The generator was tested at length once, see tests/benchmarks/NOTES.md; these are small parts of it.
"""

import math

import numpy as np
import pytest
from numba import njit

from pipeline.engine import drawing
from pipeline.model.streams import Stream, exponential, mixed, stream_of, uniform, words

#: Words at which conversions and the logarithm change branch.
EDGES = np.array(
    [
        0,
        1,
        2**12 - 1,
        2**12,
        2**63 - 1,
        2**63,
        2**64 - 2**12,
        2**64 - 1,
        int(math.sqrt(0.5) * 2**64),
    ],
    dtype=np.uint64,
)


def some_words():
    """Return edge cases and a million words."""
    return np.concatenate([EDGES, words(stream_of(1, 0), 0, 1_000_000)])


def test_uniform_numbers_lie_between_0_and_1():
    """The smallest is 2**-53 and the largest 1 - 2**-53, of words 0 and 2**64 - 1."""
    u = uniform(some_words())
    assert u.min() == 2.0**-53
    assert u.max() == 1 - 2.0**-53


def test_exponentials_are_logarithms():
    """Within three units of the last place of -log(u), and finite at both ends."""
    u = uniform(some_words())
    expected = -np.log(u.astype(np.longdouble))
    error = np.abs(exponential(u) - expected) / np.spacing(expected.astype(float))
    assert error.max() < 3
    assert exponential(u).max() == pytest.approx(53 * math.log(2), rel=1e-15)


@njit(error_model="numpy")
def compiled_exponentials(counters, out):
    """Apply the compiled functions of the kernel."""
    for j in range(counters.size):
        out[j] = drawing.exponential(drawing.uniform(drawing.mixed(counters[j])))


def test_compiled_functions_give_the_bits_of_numpy():
    """The same text gives equal exponentials on both engines, for any word."""
    counters = some_words()
    compiled = np.empty(counters.size)
    compiled_exponentials(counters, compiled)
    np.testing.assert_array_equal(compiled, exponential(uniform(mixed(counters))))


def test_any_part_of_a_stream_can_be_drawn_on_its_own():
    """Words do not depend on the words drawn before."""
    stream = stream_of(4, 1)
    np.testing.assert_array_equal(words(stream, 5000, 100), words(stream, 0, 5100)[5000:])


def test_a_word_is_the_mixed_counter():
    """Word j is the mixed start + j increment modulo 2**64; the mixing is that of moremur."""

    def moremur(x):
        x = (x ^ (x >> 27)) * 0x3C79AC492BA7B653 % 2**64
        x = (x ^ (x >> 33)) * 0x1C69B3F74AC4AE35 % 2**64
        return x ^ (x >> 27)

    stream = Stream(2**64 - 3, 2**63 + 5)
    expected = [moremur((stream.start + j * stream.increment) % 2**64) for j in range(50)]
    assert words(stream, 0, 50).tolist() == expected


def test_no_two_streams_share_start_or_increment():
    """Over 10,000 seeds and three streams of each; all increments are odd."""
    streams = [stream_of(seed, number) for seed in range(10_000) for number in range(3)]
    assert len({stream.start for stream in streams}) == len(streams)
    assert len({stream.increment for stream in streams}) == len(streams)
    assert all(stream.increment % 2 for stream in streams)


def test_each_bit_of_a_counter_flips_half_of_the_word():
    """Avalanche: over 20,000 counters every output bit flips with probability 1/2 within 5 sd."""
    counters = np.arange(20_000, dtype=np.uint64)
    bits = np.uint64(1) << np.arange(64, dtype=np.uint64)
    for bit in bits:
        changed = mixed(counters) ^ mixed(counters ^ bit)
        share = np.array([np.mean((changed & out) != 0) for out in bits])
        assert np.abs(share - 0.5).max() < 5 * 0.5 / math.sqrt(counters.size)


def test_neighbouring_seeds_and_streams_are_uncorrelated():
    """Uniform numbers of neighbouring seeds, streams and lags correlate as chance has it."""
    n = 200_000
    u = np.array([uniform(words(stream_of(s, k), 0, n)) for s in range(4) for k in range(3)]) - 0.5
    pairs = np.corrcoef(u)[np.triu_indices(len(u), 1)]
    lags = [np.corrcoef(u[0][:-lag], u[1][lag:])[0, 1] for lag in (1, 2, 3, 64, 300)]
    lags += [np.corrcoef(u[0][:-lag], u[0][lag:])[0, 1] for lag in (1, 2, 3, 64, 300)]
    assert np.abs([*pairs, *lags]).max() < 4.5 / math.sqrt(n)


def test_uniform_numbers_are_uniform():
    """Chi-square over 1,000 classes of a million numbers, at both ends within 5 sd."""
    counts = np.histogram(uniform(words(stream_of(2, 0), 0, 1_000_000)), 1000, (0, 1))[0]
    chi_square = ((counts - 1000) ** 2 / 1000).sum()
    assert abs(chi_square - 999) < 5 * math.sqrt(2 * 999)
