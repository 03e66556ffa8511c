"""Scales of axes: ticks of logarithmic time."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.plots import scales


@pytest.mark.parametrize(
    ("last", "labelled", "between"),
    [(20, [0, 2, 5, 10, 20], [3, 4, 6, 7, 8, 9]), (300, [0, 10, 100], [2, 3, 4, 5, 6])],
)
def test_logarithmic_time_is_seen_by_its_ticks(last, labelled, between):
    """A label at a single decade would look linear: labels at twice and five times, small ticks."""
    axes = Figure().subplots()
    axes.plot([0, last], [0, 1])
    scales.set_logarithmic_time(axes, np.array([0.0, 1.0, 2.0, last]))
    assert axes.get_xticks().tolist() == labelled
    assert axes.get_xticks(minor=True).tolist()[: len(between)] == between
    axes.figure.canvas.draw()
    assert not any(text.get_text() for text in axes.get_xticklabels(minor=True))
