"""The posterior that sbi infers covers the truth at its nominal rate."""

import numpy as np
import pytest

from tests.inference.__main__ import RESULTS, page
from tests.inference.calibration import LEVELS, PRIOR, Coverage, inferred_ranks


@pytest.mark.parametrize(("width", "is_nominal"), [(1.0, True), (1.15, False), (0.85, False)])
def test_coverage_tells_a_posterior_that_is_too_narrow_or_too_wide(width, is_nominal):
    """Ranks of a standard normal truth in normal posteriors 15 % too wide or narrow are refused."""
    truths = np.random.default_rng(1).standard_normal((1000, 3))
    samples = width * np.random.default_rng(2).standard_normal(2000)
    ranks = np.searchsorted(np.sort(samples), truths) / 2000
    assert Coverage.of(ranks).is_nominal == is_nominal


def test_a_biased_posterior_is_not_nominal():
    """Truths that are half a standard deviation from the centre are too often outside."""
    truths = np.random.default_rng(1).standard_normal((1000, 3)) + 0.5
    samples = np.sort(np.random.default_rng(2).standard_normal(2000))
    assert not Coverage.of(np.searchsorted(samples, truths) / 2000).is_nominal


def test_the_last_full_run_was_nominal():
    """RESULTS.md has the coverage of every parameter at every level, and the answer."""
    text = RESULTS.read_text()
    assert "The coverage is nominal" in text
    rows = [line for line in text.splitlines() if line.startswith("| stdp.")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(PRIOR)
    shares = np.array([[float(s.strip(" |%")) for s in row.split(" | ")[1:]] for row in rows]) / 100
    errors = np.sqrt(np.array(LEVELS) * (1 - np.array(LEVELS)) / 1000)
    assert Coverage(shares, errors + 0.0005).is_nominal
    assert page(Coverage(shares, errors), 100_000, 1_000, 0).splitlines()[6] in text


@pytest.mark.long
def test_a_small_inference_finds_the_truth_roughly():
    """Few simulations give a posterior that is too narrow, and yet has most truths within."""
    pytest.importorskip("sbi", reason="sbi is not installed: make test-inference")
    with pytest.warns():  # of sbi: few simulations, outliers
        ranks = inferred_ranks(400, 50, 100, seed=0)
    assert ranks.shape == (50, 3)
    assert 0.2 < ranks.mean() < 0.8
    assert Coverage.of(ranks).shares[:, 2].min() > 0.5
