"""Figures of samples: measures against each parameter, and over pairs of parameters."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

from analysis.figures import titles
from analysis.figures.facets import Figures, slices
from analysis.measures.measured import MeasuredDataset
from analysis.measures.samples import by_rank
from analysis.measures.seeds import mean_over_seeds
from analysis.plots import samples as plots
from analysis.plots import scales
from analysis.reading.samples import SAMPLE, sampled_parameters

log = logging.getLogger("analysis")

#: Up to this many samples are drawn in one panel.
MAX_DRAWN = 5000

#: Up to this many parameters are drawn in pairs.
MAX_PARAMETERS = 5


def varied(measured: MeasuredDataset) -> list[str]:
    """Return the sampled parameters that have more than one value."""
    dataset = measured.dataset
    return [name for name in sampled_parameters(dataset) if np.unique(dataset[name]).size > 1]


def few_samples(measured: MeasuredDataset) -> tuple[MeasuredDataset, str]:
    """Return as many samples as can be drawn, and how many these are: "5,000 of 9,000 samples"."""
    n = measured.dataset.sizes[SAMPLE]
    if n <= MAX_DRAWN:
        return measured, f"{n:,} samples"
    chosen = np.linspace(0, n - 1, MAX_DRAWN).astype(int)
    return measured.isel({SAMPLE: chosen}), f"{MAX_DRAWN:,} of {n:,} samples"


def pairs(measured: MeasuredDataset) -> Figures:
    """Yield the mean weight and the output rate as colour over each pair of sampled parameters."""
    parameters = varied(measured)
    if len(parameters) > MAX_PARAMETERS:
        left_out = ", ".join(parameters[MAX_PARAMETERS:])
        log.warning(
            "pairs: the first %d parameters are drawn, without %s", MAX_PARAMETERS, left_out
        )
    others = [axis for axis in measured.swept if axis != SAMPLE]
    for name, variable, least, highest, period in _MAPPED:
        limits = scales.colour_limits(mean_over_seeds(variable(measured)), least, highest)
        for one in slices(f"pairs_{name}", measured, others):
            few, how_many = few_samples(one.measured)
            content = titles.comma_separated(how_many, titles.seeds(few, "mean of {} seeds"))
            silent = "Grey edge: silent, no output spike" if few.silent.any() else ""
            title = titles.heading(one, period, content, silent)
            number = mean_over_seeds(variable(few))
            drawn = parameters[:MAX_PARAMETERS]
            figure = plots.over_pairs(number, few.silent, drawn, limits, title)
            scale = "The colour scale is that of all slices" if others else ""
            yield one, figure, titles.caption(titles.beyond_header(figure, title), scale)


#: What `pairs` shows: name, measure, least span and highest value of its colour scale, period.
_MAPPED: tuple[tuple[str, Callable[[MeasuredDataset], xr.DataArray], float, float, str], ...] = (
    ("mean_weight", lambda here: here.mean_weight, 0.1, 1.0, "After"),
    ("output_rate", lambda here: here.output_rate, 2.0, np.inf, "Over the last half of"),
)


def by_mean_weight(measured: MeasuredDataset) -> MeasuredDataset:
    """Return samples in rising order of their mean weight, the numbers of which are ranks."""
    order = by_rank(measured.mean_weight)
    ranked = measured.isel({SAMPLE: order})
    rank = (SAMPLE, np.arange(order.size), {"long_name": "rank of the sample by mean weight"})
    return replace(ranked, dataset=ranked.dataset.assign_coords({SAMPLE: rank}))
