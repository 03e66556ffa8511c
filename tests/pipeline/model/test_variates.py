"""Cosines and normal variates: exact within rounding, and the same bits in machine code."""

import math

import numpy as np
from numba import njit

from pipeline.engine import draw_kernels
from pipeline.model.streams import stream_of, words
from pipeline.model.variates import cosine, normal_of_word
from tests.pipeline.model.test_streams import EDGES, some_words


def test_cosines_are_those_of_cycles():
    """Within 1e-13 of the cosine, at quarters of a cycle too, and after a million cycles."""
    cycles = np.concatenate([np.linspace(-2, 2, 100_001), np.arange(-8, 9) / 4, [1e6 + 0.125]])
    assert np.abs(cosine(cycles) - np.cos(2 * np.pi * (cycles % 1))).max() < 2e-13


def test_normal_variates_have_the_normal_distribution():
    """The distance to it is that of a sample (Kolmogorov & Smirnov), next ones are independent."""
    z = normal_of_word(words(stream_of(2, 0), 0, 1_000_000))
    share = np.searchsorted(np.sort(z), grid := np.linspace(-5, 5, 1001)) / z.size
    exact = np.array([math.erfc(-x / math.sqrt(2)) / 2 for x in grid])
    assert np.abs(share - exact).max() < 1.63 / 1000  # exceeded once in a hundred seeds
    for power in (1, 2):
        product = (z[1:] ** power - (power == 2)) * (z[:-1] ** power - (power == 2))
        assert abs(product.mean()) < 4 * product.std() / 1000
    assert np.abs(normal_of_word(EDGES)).max() < 8.6


@njit(error_model="numpy")
def compiled_variates(counters, out):
    """Apply the compiled function of the kernel."""
    for j in range(counters.size):
        out[j] = draw_kernels._normal_of_word(counters[j])


def test_compiled_variates_have_the_bits_of_numpy():
    """The same text gives equal variates on both engines, for any word."""
    counters = some_words()
    compiled = np.empty(counters.size)
    compiled_variates(counters, compiled)
    np.testing.assert_array_equal(compiled, normal_of_word(counters))
