"""Panel of a measure over one or two axes, in which a tap chooses a combination."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from bokeh.events import Tap
from bokeh.models import (
    BasicTicker,
    ColorBar,
    CustomJSTickFormatter,
    FixedTicker,
    LinearColorMapper,
    Range1d,
)
from bokeh.plotting import figure

from analysis.plots import style
from stdp.browser.panels import panel, source
from stdp.explore.experiment import AxisChoice
from stdp.explore.plane import Plane

#: Most labels along an axis, and along an axis of names, which are longer.
_MAX_LABELS = 8

#: The chosen one of more cells along an axis is marked by a circle, as an outline would cover it.
_SMALL = 30

#: Height of a map [pixel].
_HEIGHT = 330


class PlanePanel:
    """A map over two axes, or a line over one, at the positions 0, 1, ... of their values.

    Parameters
    ----------
    tapped : callable
        Takes the chosen number of the value of each axis, by name.
    """

    def __init__(self, tapped: Callable[[Mapping[str, int]], None]) -> None:
        self._tapped = tapped
        self._axes: tuple[AxisChoice, ...] = ()
        self.image = source("map", "image", "dw", "dh")
        self.dots = source("line", "x", "y", "low", "high")
        self.silent = source("silent", "x", "y")
        self.marker = source("marker", "x", "y")
        self.figure = panel("Map", "", "", height=_HEIGHT, tools="reset,save")
        self.figure.x_range, self.figure.y_range = Range1d(0, 1), Range1d(0, 1)
        self.figure.grid.visible = False
        self._colours = LinearColorMapper("Viridis256", low=0, high=1, nan_color=style.PALE)
        self._map = self.figure.image(
            image="image", x=-0.5, y=-0.5, dw="dw", dh="dh", source=self.image,
            color_mapper=self._colours,
        )  # fmt: skip
        self._bar = ColorBar(
            color_mapper=self._colours, ticker=BasicTicker(desired_num_ticks=5), width=12,
            title_text_font_style="normal", title_text_font_size="12px",
        )  # fmt: skip
        self.figure.add_layout(self._bar, "right")
        self._draw_lines()
        self.figure.rect(
            "x", "y", width=1, height=1, source=self.silent, fill_alpha=0, line_alpha=0,
            hatch_pattern="right_diagonal_line", hatch_color="#555555", hatch_scale=7,
        )  # fmt: skip
        self._cell = self.figure.rect(
            "x", "y", width=1, height=1, source=self.marker, fill_alpha=0, line_color=style.LTP,
            line_width=3,
        )  # fmt: skip
        self.figure.name = "map_figure"
        self.figure.on_event(Tap, self._on_tap)

    def _draw_lines(self) -> None:
        self._line = self.figure.line(
            "x", "y", source=self.dots, color=style.NEUTRAL, name="joined"
        )
        self._points = self.figure.scatter("x", "y", source=self.dots, color=style.NEUTRAL, size=7)
        self._bars = self.figure.segment("x", "low", "x", "high", source=self.dots,
                                         color=style.NEUTRAL)  # fmt: skip
        self._chosen = self.figure.scatter(
            "x", "y", source=self.marker, size=14, fill_alpha=0, line_color=style.LTP, line_width=3
        )

    def show(self, drawn: Plane, axes: tuple[AxisChoice, ...]) -> None:
        """Draw a measure.

        Parameters
        ----------
        drawn : Plane
            The measure.
        axes : tuple of AxisChoice
            Its one or two axes.
        """
        self._axes = axes
        is_map = len(axes) == 2
        self._map.visible = is_map
        for glyph in (self._line, self._points, self._bars):
            glyph.visible = not is_map
        self._line.visible &= axes[0].is_ordered
        small = max(len(axis.texts) for axis in axes) > _SMALL
        self._cell.visible, self._chosen.visible = is_map and not small, not is_map or small
        self._bar.visible = is_map
        _label_axis(self.figure, axes[0], "x")
        if is_map:
            self._show_map(drawn, axes[1])
        else:
            self._show_line(drawn)
        hatched = ". Hatched: silent" if is_map and drawn.silent.any() else ""
        self.figure.title.text = f"{drawn.label}{hatched}"

    def _show_map(self, drawn: Plane, y: AxisChoice) -> None:
        n_x, n_y = drawn.values.shape
        self._colours.update(low=drawn.limits[0], high=drawn.limits[1])
        _label_axis(self.figure, y, "y")
        self.image.data = {"image": [drawn.values.T.astype(np.float32)], "dw": [n_x], "dh": [n_y]}
        across, up = np.nonzero(drawn.silent)
        self.silent.data = {"x": across, "y": up}
        self.dots.data = {"x": [], "y": [], "low": [], "high": []}

    def _show_line(self, drawn: Plane) -> None:
        x = np.arange(drawn.values.size)
        nothing = np.full(x.size, np.nan)
        low, high = (nothing if end is None else end for end in (drawn.low, drawn.high))
        self.dots.data = {"x": x, "y": drawn.values, "low": low, "high": high}
        ends = np.concatenate([drawn.values, low, high, [0.0, drawn.limits[1]]])
        self.figure.y_range.update(start=0, end=1.05 * float(np.nanmax(ends)) or 1.0)
        self.figure.yaxis.axis_label = drawn.label

    def mark(self, chosen: Mapping[str, int]) -> None:
        """Mark the chosen combination."""
        if not self._axes:
            return
        x = chosen[self._axes[0].name]
        if len(self._axes) == 2:
            y: float = chosen[self._axes[1].name]
        else:
            values = self.dots.data["y"]
            y = float(values[x])
        self.marker.data = {"x": [x], "y": [y]}

    def _on_tap(self, event: Tap) -> None:
        places = {}
        for axis, place in zip(self._axes, (event.x, event.y), strict=False):
            if place is None:
                return
            number = round(place)
            if not 0 <= number < len(axis.texts):
                return
            places[axis.name] = number
        self._tapped(places)


def _label_axis(drawn: figure, choice: AxisChoice, dimension: str) -> None:
    """Label the positions along an axis with the values there."""
    n = len(choice.texts)
    axis = drawn.xaxis[0] if dimension == "x" else drawn.yaxis[0]
    ends = drawn.x_range if dimension == "x" else drawn.y_range
    ends.update(start=-0.5, end=n - 0.5, reset_start=-0.5, reset_end=n - 0.5)
    ticks = sorted({round(i) for i in np.linspace(0, n - 1, min(n, _MAX_LABELS))})
    axis.ticker = FixedTicker(ticks=ticks)
    unit = f" {choice.units}" if choice.units else ""
    bare = [choice.texts[tick].removesuffix(unit) for tick in ticks]
    axis.formatter = CustomJSTickFormatter(
        args={"at": ticks, "texts": bare}, code="return texts[at.indexOf(tick)] ?? ''"
    )
    axis.axis_label = choice.label
