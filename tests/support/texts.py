"""Where the texts of a figure stand once it is drawn."""

from itertools import combinations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text


def drawn_texts(figure, monkeypatch):
    """Return the texts that a figure draws, with their corners in pixels, `(4, 2)`.

    Texts that are drawn by the renderer alone: others, such as ticks beyond the limits, are not.
    """
    found = []
    draw = Text.draw

    def noted(self, renderer, *arguments, **more):
        if self.get_visible() and self.get_text().strip():
            found.append((self, _corners(self, renderer)))
        return draw(self, renderer, *arguments, **more)

    FigureCanvasAgg(figure)  # that of a closed figure draws nothing
    figure.draw_without_rendering()  # the layout of the first drawing differs
    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", noted)
        figure.draw_without_rendering()
    assert found
    return found


def _corners(text, renderer):
    """Return the corners of a text, which may be tilted, `(4, 2)`."""
    box, rotation = text.get_window_extent(renderer), text.get_rotation()
    if rotation % 90:
        text.set_rotation(0)
        upright = text.get_window_extent(renderer)
        text.set_rotation(rotation)
        half = np.array([upright.width, upright.height]) / 2
    else:
        half, rotation = np.array([box.width, box.height]) / 2, 0
    turn = np.deg2rad(rotation)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2
    return centre + (half * [[-1, -1], [1, -1], [1, 1], [-1, 1]]) @ matrix.T


def _depth(one, other):
    """Return how far two rectangles overlap [pixels], by the axes of their sides; < 0 if apart."""
    depths = []
    for sides in (one, other):
        for side in (sides[1] - sides[0], sides[2] - sides[1]):
            if length := np.hypot(*side):
                a, b = (corners @ side / length for corners in (one, other))
                depths.append(min(a.max(), b.max()) - max(a.min(), b.min()))
    return min(depths)


def collisions(figure, monkeypatch):
    """Return the texts that overlap another one by more than a pixel, or leave the figure."""
    texts = drawn_texts(figure, monkeypatch)
    size = figure.bbox.size
    bad = [
        f"{text.get_text()!r} leaves the figure"
        for text, corners in texts
        if (corners < -1).any() or (corners > size + 1).any()
    ]
    for (one, a), (other, b) in combinations(texts, 2):
        if _depth(a, b) > 1:
            bad.append(f"{one.get_text()!r} overlaps {other.get_text()!r}")
    return bad
