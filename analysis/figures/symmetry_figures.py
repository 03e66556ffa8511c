"""Figures of broken symmetry: how far apart groups or modes of synapses are, against an axis."""

from __future__ import annotations

import xarray as xr

from analysis.figures import titles
from analysis.figures.against import Against, statistics_of
from analysis.figures.facets import Figures, slices
from analysis.figures.sweep_figures import LEAST_SPAN
from analysis.figures.titles import lines
from analysis.measures import synapses
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import mean_over_seeds
from analysis.measures.synapses import BRANCH, BRANCHES
from analysis.plots import lines as line_plots
from analysis.plots import style
from analysis.reading.dataset import long_name
from analysis.reading.samples import SAMPLE

#: Up to this many values of another axis are panels side by side.
_MAX_COLUMNS = 4


def strong_minus_weak(measured: MeasuredDataset) -> Figures:
    """Yield the mean weight of the strongest group less that of the weakest against each axis.

    Lines for a second axis. It is taken of each seed, then averaged: which group wins may differ.
    """
    remark = "Which group is the strongest is found for each seed"
    difference = Against("strong_minus_weak", _difference, "After", LEAST_SPAN)
    for one, figure, said in difference.figures(measured):
        yield one, figure, titles.caption(said, remark)


def _difference(here: MeasuredDataset) -> xr.DataArray:
    return synapses.strong_minus_weak(here.dataset)


def bifurcation(measured: MeasuredDataset) -> Figures:
    """Yield mean weights of the stronger and the weaker synapses, and the spread of all.

    With groups these are the groups of the highest and the lowest mean weight, found for each seed;
    else the synapses above and below the mean. Where the symmetry breaks they part, as two
    branches. Panels are a second axis, if it has at most four values. The standard deviation has
    the one in theory beside it, where the theory covers the rule and the input.
    """
    values = synapses.branches(measured.dataset)
    has_data = mean_over_seeds(values).notnull().any(BRANCH)
    grouped = len(synapses.group_names(measured.dataset)) > 1
    which = "groups of highest and lowest mean weight" if grouped else "above and below the mean"
    said = f"Stronger and weaker: {which}, of each seed"
    for x in measured.swept:
        if x == SAMPLE:  # whose number is no axis
            theory = _expected, style.SAME_MEAN
            parts = Against("bifurcation", _branches, "After", LEAST_SPAN, *theory, panel=BRANCH)
            for one, figure, rest in parts.against_samples(measured, has_data):
                yield one, figure, titles.caption(rest, said)
            continue
        column, others = _column(measured, x)
        for one in slices("bifurcation", measured, others, has_data, f"_against_{x}"):
            here = one.measured
            at = {axis: here.dataset[axis] for axis in others}
            chosen = values.sel(at).reset_coords(drop=True)
            shown, content = statistics_of(here, chosen, _expected)
            columns = titles.dimension("Columns", shown["mean"], column)
            key = lines(columns, titles.key(shown, style.SAME_MEAN))
            title = titles.heading(one, "After", content, key)
            figure = line_plots.against_axis(shown, x, BRANCH, column, title, LEAST_SPAN)
            against = f"Against {long_name(shown[x])}"
            yield one, figure, titles.caption(against, said, titles.beyond_header(figure, title))


def _branches(here: MeasuredDataset) -> xr.DataArray:
    return synapses.branches(here.dataset)


def _column(measured: MeasuredDataset, x: str) -> tuple[str | None, list[str]]:
    """Return the axis whose values are panels, and those that are sliced."""
    others = [axis for axis in measured.swept if axis != x]
    fitting = [axis for axis in others if measured.dataset.sizes[axis] <= _MAX_COLUMNS]
    column = fitting[0] if fitting else None
    return column, [axis for axis in others if axis != column]


def _expected(here: MeasuredDataset) -> xr.DataArray:
    """Return the branches of the histogram in theory, (..., branch).

    NaN for the mean of all, which the theory takes, and with groups for their means, too.
    """
    share = here.expected["share"]
    weight = share["weight_bin"]
    mean = _mean(weight, share)
    spread = _mean((weight - mean) ** 2, share) ** 0.5
    strong, weak = (_mean(weight, share.where(part, 0)) for part in (weight >= mean, weight < mean))
    unknown = xr.full_like(mean, float("nan"))
    if len(synapses.group_names(here.dataset)) > 1:
        strong = weak = unknown
    parts = [strong, unknown, weak, spread]  # in the order of `BRANCHES`
    return xr.concat(parts, BRANCH).assign_coords({BRANCH: list(BRANCHES)})


def _mean(values: xr.DataArray, share: xr.DataArray) -> xr.DataArray:
    """Return the mean over the bins of a histogram; NaN where it is not known."""
    total = share.sum("weight_bin", skipna=False)
    return (values * share).sum("weight_bin", skipna=False) / total
