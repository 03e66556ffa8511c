"""Panels of a page: figures whose data are replaced, in the colours of `analysis.plots.style`."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from bokeh.models import BasicTickFormatter, ColumnDataSource, Range1d
from bokeh.plotting import figure
from numpy.typing import ArrayLike

from analysis.plots import style
from analysis.reading.dataset import long_name
from stdp.browser.combination import Combination

#: Height of a panel [pixel].
HEIGHT = 230

#: Opacity of what has not settled: about the pale colour of the figures.
_PALE_ALPHA = 0.35

#: Dashes of theory [pixel].
_DASHES = [6, 3]

_COURSE_COLOURS = {"mean": style.NEUTRAL, "weak": style.LTD, "strong": style.LTP}


def panel(title: str, x_label: str, y_label: str, **options: Any) -> figure:
    """Return an empty panel of the common style, as wide as its place.

    Parameters
    ----------
    title, x_label, y_label : str
        Title, and labels of the axes with their units.
    **options
        Of `bokeh.plotting.figure`.
    """
    settings: dict[str, Any] = {
        "height": HEIGHT,
        "sizing_mode": "stretch_width",
        "tools": "pan,box_zoom,reset,save",
        "toolbar_location": "above",
        "min_border_right": 14,
    }
    drawn = figure(title=title, x_axis_label=x_label, y_axis_label=y_label, **(settings | options))
    drawn.toolbar.logo = None
    drawn.toolbar.autohide = True
    drawn.outline_line_color = None
    drawn.grid.grid_line_color = "#EEEEEE"
    for axis in (drawn.xaxis, drawn.yaxis):
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = "12px"
        axis.major_label_text_font_size = "11px"
        axis.minor_tick_line_color = None
        axis.formatter = BasicTickFormatter(power_limit_low=-5)  # 0.001, and not 1.000e-3
    drawn.title.text_font_size = "13px"
    return drawn


def source(name: str, *columns: str) -> ColumnDataSource:
    """Return an empty source of data with some columns."""
    return ColumnDataSource(data={column: [] for column in columns}, name=name)


class HistogramPanel:
    """Histogram of weights; dashed, the theory where it applies; pale if not settled."""

    def __init__(self) -> None:
        self.bars = source("bars", "left", "right", "top")
        self.theory = source("theory", "w", "share")
        self.figure = panel("Final weights", "Weight (fraction of g_max)", "Share of synapses")
        self.figure.x_range = Range1d(0, 1)
        self.figure.y_range.start = 0
        self._glyph = self.figure.quad(
            left="left",
            right="right",
            top="top",
            bottom=0,
            source=self.bars,
            fill_color=style.NEUTRAL,
            line_color="white",
        ).glyph
        self.figure.line(
            "w", "share", source=self.theory, color="black", line_dash=_DASHES, line_width=1.5
        )

    def show(self, shown: Combination) -> None:
        """Draw the histogram of a combination."""
        drawn = shown.histogram
        self.bars.data = {"left": drawn.edges[:-1], "right": drawn.edges[1:], "top": drawn.share}
        has_theory = np.isfinite(drawn.expected).any()
        w, share = _stairs(drawn.edges, drawn.expected) if has_theory else ([], [])
        self.theory.data = {"w": w, "share": share}
        self._glyph.fill_alpha = 1.0 if drawn.is_settled else _PALE_ALPHA
        self.figure.title.text = f"Final weights ({shown.short_state})"


def _stairs(edges: ArrayLike, values: ArrayLike) -> tuple[list[float], list[float]]:
    """Return the corners of a histogram's outline."""
    return np.repeat(edges, 2)[1:-1].tolist(), np.repeat(values, 2).tolist()


class CoursePanels:
    """Two panels against time: mean and shares of the weights, and the output rate."""

    def __init__(self) -> None:
        self.sources = {
            name: source(f"course_{name}", "t", "y") for name in ("mean", "weak", "strong", "rate")
        }
        self.weights = panel("Weights in time", "Time (s)", "Weight, share of synapses")
        self.weights.y_range = Range1d(0, 1)
        names = {"mean": "mean", "weak": "share below 0.1", "strong": "share above 0.9"}
        for name, colour in _COURSE_COLOURS.items():
            self.weights.line(
                "t",
                "y",
                source=self.sources[name],
                color=colour,
                line_width=1.8,
                legend_label=names[name],
            )
        self.weights.legend.label_text_font_size = "11px"
        self.weights.legend.location = "top_left"
        self.weights.legend.orientation = "horizontal"
        self.weights.legend.padding = 2
        self.weights.legend.margin = 2
        self.weights.legend.background_fill_alpha = 0.6
        self.weights.legend.border_line_color = None
        self.rate = panel("Output rate in time", "Time (s)", "Output firing rate (Hz)")
        self.rate.y_range.start = 0
        self.rate.line("t", "y", source=self.sources["rate"], color=style.NEUTRAL, line_width=1.5)

    def show(self, courses: dict[str, xr.DataArray]) -> None:
        """Draw courses in time.

        Parameters
        ----------
        courses : dict of DataArray, (sample_time,)
            As of `combination.courses`, dimensionless and [Hz].
        """
        for name, drawn in self.sources.items():
            course = courses.get(name)
            t, y = ([], []) if course is None else (course["sample_time"].values, course.values)
            drawn.data = {"t": t, "y": y}
        shown = "" if courses else ": not done"
        self.weights.title.text = f"Weights in time{shown}"
        self.rate.title.text = f"Output rate in time{shown}"


class WindowPanel:
    """STDP window: LTP and LTD in their colours."""

    def __init__(self) -> None:
        self.halves = {
            colour: source(f"window_{name}", "t", "change")
            for name, colour in (("ltp", style.LTP), ("ltd", style.LTD))
        }
        self.figure = panel(
            "STDP window", "Time of input spike minus time of output spike (ms)", "Weight change"
        )
        self.figure.ygrid.grid_line_color = "#DDDDDD"
        for colour, drawn in self.halves.items():
            self.figure.line("t", "change", source=drawn, color=colour, line_width=2)

    def show(self, window: xr.DataArray) -> None:
        """Draw a window.

        Parameters
        ----------
        window : DataArray, (time_difference,)
            Weight change, dimensionless, along time differences [ms]; as of `stdp_window`.
        """
        t, change = window["time_difference"].values, window.values
        halves = [slice(0, t.size // 2), slice(t.size // 2, None)]  # 0 occurs in both
        for colour, drawn in self.halves.items():
            of_colour = [
                half for half in halves if (change[half].sum() < 0) == (colour == style.LTD)
            ]
            drawn.data = {
                name: np.concatenate([[], *(np.append(values[half], np.nan) for half in of_colour)])
                for name, values in (("t", t), ("change", change))
            }
        self.figure.title.text = long_name(window)
