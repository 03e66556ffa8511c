"""Legends."""

import matplotlib.pyplot as plt

from analysis.plots import style


def test_a_title_wider_than_the_figure_has_two_lines():
    """The legend stays within the figure, and above the panel."""
    with style.paper():
        figure, axes = plt.subplots(figsize=(style.COLUMN, 2.05), layout="constrained")
        lines = axes.plot([0, 1], [[0, 1], [1, 0]])
        title = "Standard deviation of the potential that membrane noise alone causes"
        style.legend(figure, lines, ["0 mV", "1 mV"], title)
        figure.draw_without_rendering()
    (legend,) = figure.legends
    assert legend.get_title().get_text().count("\n") == 1
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    assert box.y0 >= axes.get_window_extent().y1
    plt.close(figure)
