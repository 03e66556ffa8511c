"""Statistics of output spike trains against known trains and their expectations."""

import numpy as np
import pytest

from pipeline.engine.statistics import fano_factor, isi_cv, late_statistics

NO_SPIKES = np.array([], dtype=np.int64)


def test_isi_cv_of_known_trains():
    """0 for a regular train, the analytical value for two intervals, NaN below three spikes."""
    assert isi_cv(np.arange(10)) == 0
    assert isi_cv(np.array([0, 1, 4])) == pytest.approx(0.5)
    assert np.isnan(isi_cv(np.array([0, 1])))
    assert np.isnan(isi_cv(NO_SPIKES))


@pytest.mark.parametrize(("n_steps", "first"), [(10, 5), (11, 5), (2, 1)])
def test_the_last_half_begins_with_the_middle_step(n_steps, first):
    """A spike in that step counts, one in the step before does not; an odd step belongs to it."""
    dt = 0.1
    every = late_statistics(np.arange(n_steps), n_steps, dt)["late_output_rate"]
    assert every == pytest.approx(1000 / dt)
    at = late_statistics(np.array([first]), n_steps, dt)["late_output_rate"]
    assert at == pytest.approx(1000 / ((n_steps - first) * dt))
    assert late_statistics(np.array([first - 1]), n_steps, dt)["late_output_rate"] == 0
    assert late_statistics(NO_SPIKES, n_steps, dt)["late_output_rate"] == 0


def test_late_intervals_lie_within_the_last_half():
    """The interval that begins before it is left out: 1 and 3 steps, of which the CV is 1/2."""
    late = late_statistics(np.array([0, 40, 50, 51, 54]), 100, 1.0)
    assert late["late_isi_cv"] == pytest.approx(0.5)
    assert np.isnan(late_statistics(np.array([0, 40, 49, 50, 51]), 100, 1.0)["late_isi_cv"])


def test_the_fano_factor_of_known_counts():
    """Unbiased variance over mean; the incomplete window at the end is left out."""
    train = np.array([0, 1, 2, 10, 29, 30])  # 3, 1, 1 in windows of 10 steps, and one beyond
    assert fano_factor(train, 35, 10) == pytest.approx(np.var([3, 1, 1], ddof=1) / (5 / 3))
    assert np.isnan(fano_factor(train, 19, 10))
    assert np.isnan(fano_factor(np.array([31]), 35, 10))
    assert np.isnan(fano_factor(NO_SPIKES, 35, 10))
    assert late_statistics(3000 + 500 * np.arange(6), 6000, 1.0)["late_fano_factor"] == 0
    assert late_statistics(30_000 + 5000 * np.arange(6), 60_000, 0.1)["late_fano_factor"] == 0


@pytest.mark.parametrize("n_windows", [2, 3, 10])
def test_the_fano_factor_of_a_poisson_process_is_1_on_average(n_windows):
    """However few the windows, where the factor with division by n would be (n - 1)/n."""
    random = np.random.default_rng(1)
    n_steps = 1000 * n_windows
    found = np.array(
        [
            fano_factor(np.flatnonzero(random.random(n_steps) < 0.01), n_steps, 1000)
            for _ in range(4000)
        ]
    )
    assert found.mean() == pytest.approx(0.99, abs=4 * found.std() / np.sqrt(found.size))
