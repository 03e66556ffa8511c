"""STDP window and weight updates of the additive rule."""

import math

import numpy as np
import pytest

from pipeline.model.plasticity import clipped
from pipeline.model.rule_steps import stdp_window, steps_at
from tests.conftest import golden


def test_window_is_the_corrected_one_of_exercise_1a(configure):
    """The window equals the tutorial's on its 50 points once its two errors are corrected."""
    case = golden("exercise_1a")
    dw = stdp_window(case["time_difference"], configure().stdp)
    np.testing.assert_allclose(dw, case["dw"], atol=1e-15)
    assert dw[0] == pytest.approx(5.390e-05, rel=1e-3)
    assert dw[25] == pytest.approx(-7.946e-03, rel=1e-3)


def test_window_has_its_own_time_constant_on_each_side(configure):
    """LTP decays with tau_plus before t = 0, LTD with tau_minus after it."""
    stdp = configure("stdp.tau_plus=10", "stdp.tau_minus=40", "stdp.A_minus=0.02").stdp
    assert stdp_window(-10.0, stdp) == pytest.approx(0.008 / math.e)
    assert stdp_window(40.0, stdp) == pytest.approx(-0.02 / math.e)
    assert stdp_window(0.0, stdp) == pytest.approx(0.008)


def test_steps_of_the_additive_rule_are_its_amplitudes_at_every_weight(configure):
    """Potentiation is A_plus and depression -A_minus, also where clipping would cut them."""
    up, down = steps_at([0.0, 0.5, 1.0], configure("stdp.A_minus=0.02").stdp)
    np.testing.assert_allclose(up, 0.008, atol=1e-15)
    np.testing.assert_allclose(down, -0.02, atol=1e-15)


def test_weights_are_clipped_at_both_ends():
    """LTP ends at 1 and LTD at 0; NaN is not clipped."""
    np.testing.assert_array_equal(clipped(np.array([-0.1, 0.3, 1.2])), [0.0, 0.3, 1.0])
    assert np.isnan(clipped(np.array([np.nan]))).all()


def test_effective_ratio_is_that_of_the_areas(configure):
    """B = A_minus tau_minus / (A_plus tau_plus); NaN without LTP."""
    assert configure().stdp.area_ratio() == pytest.approx(1.10)
    assert configure("stdp.tau_minus=40").stdp.area_ratio() == pytest.approx(2.20)
    assert math.isnan(configure("stdp.A_plus=0").stdp.area_ratio())
