"""Maps over two axes: contours and their labels."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.contour import QuadContourSet

from analysis.plots import maps, style
from tests.support.texts import collisions


def mapped(values):
    """Return a phase diagram of one variable over two axes."""
    n_x, n_y = values.shape
    number = xr.DataArray(values, {"x": np.arange(n_x), "y": np.arange(n_y)}, name="number")
    with style.paper():
        figure = maps.phase_diagram(
            [number], *[xr.zeros_like(number, bool)] * 2, "x", "y", [(0.0, 1.0)], [None], "Header"
        )
    plt.close(figure)
    return figure


@pytest.mark.parametrize("n", [3, 4, 12])
def test_labels_of_contours_keep_clear_of_each_other_and_of_the_edge(n, monkeypatch):
    """Of rough surfaces on coarse and fine grids; some are labelled."""
    for seed in range(3):
        random = np.random.default_rng(seed)
        figure = mapped(random.random((n, n)))
        panel = figure.axes[0]
        assert panel.texts
        assert not collisions(figure, monkeypatch)
        frame = panel.get_window_extent()
        for text in panel.texts:
            box = text.get_window_extent()
            assert frame.x0 <= box.x0 < box.x1 <= frame.x1
            assert frame.y0 <= box.y0 < box.y1 <= frame.y1


def test_a_label_stands_on_the_contour_of_its_level():
    """Of a plane with one contour per level: its value at the label is the level."""
    plane = np.add.outer(np.linspace(0, 0.5, 9), np.linspace(0, 0.5, 9))
    panel = mapped(plane).axes[0]
    assert len(panel.texts) > 2
    for text in panel.texts:
        x, y = text.get_position()
        assert (x + y) / 16 == pytest.approx(float(text.get_text()), abs=0.02)


def test_a_level_next_to_an_extreme_has_no_contour():
    """The corner that exceeds it by 0.001 would have a speck around one point."""
    values = np.add.outer(np.linspace(0, 0.375, 4), np.linspace(0, 0.376, 4))
    found = [one for one in mapped(values).axes[0].collections if isinstance(one, QuadContourSet)]
    assert [contours.levels.tolist() for contours in found] == [[0.25, 0.5]]
