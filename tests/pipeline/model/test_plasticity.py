"""The window and its updates."""

import math

import numpy as np
import pytest

from pipeline.model.plasticity import depress, effective_ltd_ratio, potentiate, window
from tests.conftest import golden


def test_window_is_the_corrected_one_of_exercise_1a(configure):
    """The window equals the tutorial's on its 50 points once its two errors are mended."""
    case = golden("exercise_1a")
    dw = window(case["time_difference"], configure().stdp)
    np.testing.assert_allclose(dw, case["dw"], atol=1e-15)
    assert dw[0] == pytest.approx(5.390e-05, rel=1e-3)
    assert dw[25] == pytest.approx(-7.946e-03, rel=1e-3)


def test_window_has_its_own_time_constant_on_each_side(configure):
    """LTP decays with tau_plus before t = 0, LTD with tau_minus after it."""
    stdp = configure("stdp.tau_plus=10", "stdp.tau_minus=40", "stdp.A_minus=0.02").stdp
    assert window(-10.0, stdp) == pytest.approx(0.008 / math.e)
    assert window(40.0, stdp) == pytest.approx(-0.02 / math.e)
    assert window(0.0, stdp) == 0.008


def test_updates_stop_at_the_bounds():
    """LTP ends at 1 and LTD at 0."""
    w = np.array([0.1, 0.95])
    potentiate(w, np.array([1.0, 1.0]), 0.1)
    np.testing.assert_allclose(w, [0.2, 1.0])
    np.testing.assert_allclose(depress(w, 0.5, 0.5), [0.0, 0.75])


def test_effective_ratio_is_that_of_the_areas(configure):
    """B = A_minus tau_minus / (A_plus tau_plus); there is none without LTP."""
    assert effective_ltd_ratio(configure().stdp) == pytest.approx(1.10)
    assert effective_ltd_ratio(configure("stdp.tau_minus=40").stdp) == pytest.approx(2.20)
    assert math.isnan(effective_ltd_ratio(configure("stdp.A_plus=0").stdp))
