"""Measures of a sweep against its axes, and against what samples set, averaged over seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.figures import titles
from analysis.figures.facets import Figures, Slice, slices, thinned
from analysis.figures.sample_figures import few_samples, varied
from analysis.figures.titles import lines
from analysis.measures.measured import MeasuredDataset
from analysis.measures.samples import means_in_bins
from analysis.measures.seeds import SEED, confidence_interval, mean_over_seeds
from analysis.plots import lines as line_plots
from analysis.plots import samples as sample_plots
from analysis.plots.style import MAX_LEGEND_ENTRIES
from analysis.reading.dataset import long_name
from analysis.reading.samples import SAMPLE, generator, how_drawn

#: Returns a measure of some points, along their axes.
Measure = Callable[[MeasuredDataset], xr.DataArray]


@dataclass(frozen=True)
class Against:
    """How a measure is drawn against each swept axis, or against each parameter of samples.

    Attributes
    ----------
    name : str
        First part of the names of its figures.
    variable : callable
        The measure, along all axes.
    period : str
        Preposition for the simulated time in the title; "" if it does not tell it.
    least_span : float, optional
        What the vertical axis spans at least, in the unit of the measure.
    expected : callable, optional
        The measure in theory, averaged over seeds.
    theory_name : str
        What that is in the title.
    panel : str, optional
        A further dimension of the measure, drawn as panels, or against parameters as colours.
    remark : str
        What the caption says where theory is drawn.
    logarithmic : bool
        Whether the vertical axis is logarithmic.
    """

    name: str
    variable: Measure
    period: str = "Over"
    least_span: float | None = None
    expected: Measure | None = None
    theory_name: str = ""
    panel: str | None = None
    remark: str = ""
    logarithmic: bool = False

    def figures(self, measured: MeasuredDataset) -> Figures:
        """Yield the figures: lines for a second axis, one for each value of further ones."""
        measured.settling  # noqa: B018 - computed once here, not anew for the slices of each axis
        has_data = mean_over_seeds(self.variable(measured)).notnull()
        for x in measured.swept or [SEED]:
            if x == SAMPLE:
                yield from self.against_samples(measured, has_data)
            else:
                yield from self._against_axis(measured, x, has_data)

    def _against_axis(self, measured: MeasuredDataset, x: str, has_data: xr.DataArray) -> Figures:
        # Of samples, whose number says nothing, a line or a colour would not tell either.
        ordinary = [axis for axis in measured.swept if axis not in (x, SAMPLE)]
        samples = [SAMPLE] if SAMPLE in measured.swept else []
        line = ordinary[0] if ordinary else None
        others = [*ordinary[1:], *samples]
        few, thinning = thinned(measured, line)
        for one in slices(self.name, few, others, has_data, f"_against_{x}"):
            shown, content = statistics_of(one.measured, self.variable(one.measured), self.expected)
            title = lines(self._title(one, shown, content), thinning)
            figure = line_plots.against_axis(
                shown, x, line, self.panel, title, self.least_span, self.logarithmic
            )
            against = f"Against {_lower(long_name(shown[x]))}"
            rest = titles.beyond_header(figure, title)
            yield one, figure, titles.caption(against, rest, *self._remarks(one, shown))

    def against_samples(self, measured: MeasuredDataset, has_data: xr.DataArray) -> Figures:
        """Yield the figures against what samples set, a panel for each parameter that differs.

        Parameters
        ----------
        measured : MeasuredDataset
            The points, along samples.
        has_data : DataArray of bool, (...)
            Where there is something to draw, dimensionless.
        """
        parameters = varied(measured)
        if not parameters:
            return
        colour, others = self._colour(measured)
        for one in slices(self.name, measured, others, has_data, f"_against_{SAMPLE}s"):
            variable = mean_over_seeds(self.variable(one.measured))
            # A measure of groups, such as their difference, may have lost them.
            variable = variable.assign_coords({name: measured.dataset[name] for name in parameters})
            means = {name: means_in_bins(variable, name) for name in parameters}
            few, number = few_samples(one.measured)
            shown, content = statistics_of(few, self.variable(few), self.expected)
            title = self._title(one, shown, titles.comma_separated(number, content))
            figure = sample_plots.against_parameters(
                shown, parameters, means, colour, title, self.least_span, self.logarithmic
            )
            names = [_lower(long_name(shown[name])) for name in parameters]
            against = f"Against what samples set: {titles.comma_separated(*names)}"
            line = "Lines: means over samples in bins of equal numbers"
            binned = line if any(one is not None for one in means.values()) else ""
            rest = titles.beyond_header(figure, title)
            drawn = how_drawn(generator(measured.dataset))
            remarks = self._remarks(one, shown)
            yield one, figure, titles.caption(against, drawn, binned, rest, *remarks)

    def _colour(self, measured: MeasuredDataset) -> tuple[str | None, list[str]]:
        """Return what is drawn as colours against parameters, and the axes that are sliced."""
        others = [axis for axis in measured.swept if axis != SAMPLE]
        if self.panel:
            return self.panel, others
        fitting = [axis for axis in others if measured.dataset.sizes[axis] <= MAX_LEGEND_ENTRIES]
        colour = fitting[0] if fitting else None
        return colour, [axis for axis in others if axis != colour]

    def _title(self, one: Slice, shown: xr.Dataset, content: str) -> str:
        return titles.heading(one, self.period, content, titles.key(shown, self.theory_name))

    def _remarks(self, one: Slice, shown: xr.Dataset) -> list[str]:
        """Return what the caption says besides."""
        span = f"The vertical axis spans at least {self.least_span}" if self.least_span else ""
        dashed = self.remark if shown["expected"].notnull().any() else ""
        return [titles.seeds_of_points(one.measured), dashed, span]


def _lower(name: str) -> str:
    """Return a name within a sentence: "input rate", but "LTP time constant"."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def statistics_of(
    here: MeasuredDataset, values: xr.DataArray, expected: Measure | None = None
) -> tuple[xr.Dataset, str]:
    """Return what `against_axis` draws of some values, and how several seeds are drawn.

    Parameters
    ----------
    here : MeasuredDataset
        The points.
    values : DataArray, (..., [seed], [further dimensions])
        Of each point, in any unit.
    expected : callable, optional
        Returns the values in theory, averaged over seeds.

    Returns
    -------
    Dataset, (..., [further dimensions])
        As `lines.against_axis` takes it, in the unit of the values.
    str
        Such as "mean and 95 % interval of 3 seeds".
    """
    mean, interval = mean_over_seeds(values), confidence_interval(values)
    if not here.swept:  # each seed is a point
        mean, interval = values, interval * xr.full_like(values, np.nan)
    unknown = xr.full_like(mean, np.nan, dtype=float)
    theory_here = expected(here) if expected and here.swept else unknown
    silent = here.quiet if here.swept else here.dataset["spike_count"] == 0
    unsettled = here.unsettled if here.swept else xr.zeros_like(silent)
    shown = xr.Dataset({"mean": mean, "interval": interval, "expected": theory_here})
    if here.each_seed and here.swept and here.has_seeds:
        shown["each"] = values
    content = titles.average(here, values, bool(interval.notnull().any()))
    return shown.assign(silent=silent, unsettled=unsettled), content
