"""Figures of samples: measures against each parameter, and over pairs of parameters."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.figures import titles
from analysis.figures.facets import Figures, slices
from analysis.measures.measured import MeasuredDataset
from analysis.measures.samples import by_rank
from analysis.measures.seeds import mean_over_seeds
from analysis.plots import samples as plots
from analysis.plots import scales
from analysis.plots.style import is_categorical
from analysis.reading.dataset import long_name
from analysis.reading.samples import SAMPLE, generator, how_drawn, sampled_parameters

log = logging.getLogger("analysis")

#: Up to this many samples are drawn in one panel.
MAX_DRAWN = 5000

#: Fewer samples are not drawn in pairs of parameters, where they say nothing.
MIN_IN_PAIRS = 8

#: Up to this many parameters are drawn in pairs.
MAX_PARAMETERS = 5


def varied(measured: MeasuredDataset) -> list[str]:
    """Return the sampled parameters that have more than one value."""
    dataset = measured.dataset
    return [name for name in sampled_parameters(dataset) if np.unique(dataset[name]).size > 1]


def few_samples(measured: MeasuredDataset) -> tuple[MeasuredDataset, str]:
    """Return as many samples as can be drawn, and how many these are: "5,000 of 9,000 samples"."""
    n = measured.dataset.sizes[SAMPLE]
    chosen = _evenly(np.arange(n))
    if chosen.size == n:
        return measured, f"{n:,} samples"
    return measured.isel({SAMPLE: chosen}), f"{chosen.size:,} of {n:,} samples"


def _evenly(indices: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return as many indices of samples as can be drawn, evenly over all."""
    if indices.size <= MAX_DRAWN:
        return indices
    return indices[np.linspace(0, indices.size - 1, MAX_DRAWN).astype(int)]


def by_parameter(
    measured: MeasuredDataset, line: str | None, section: str = ""
) -> tuple[MeasuredDataset, str]:
    """Return samples that differ in a section, by the value of a key of it instead of their number.

    The number says nothing. Of samples with the same values there is one. The key is the first one
    with numbers, else with names; where none of the section is sampled, of all keys.

    Parameters
    ----------
    measured : MeasuredDataset
        The points.
    line : str or None
        The axis that is drawn as lines; of another one than samples all is returned as it is.
    section : str
        First word of the keys, such as `stdp`; by default all keys.

    Returns
    -------
    measured : MeasuredDataset
        Its dimension `sample` has the values, name and unit of the key.
    text : str
        Which further keys of the section differ, for the caption; "" if there are none.
    """
    if line != SAMPLE:
        return measured, ""
    dataset = measured.dataset
    known = {name: dataset[name].attrs["config_key"].partition(".")[0] for name in varied(measured)}
    own = [name for name in known if known[name] == section] or [*known]
    if not own:
        return measured, ""
    numbers = [name for name in own if not is_categorical(dataset[name])]
    chosen = (numbers or own)[0]
    columns = [dataset[name].values.tolist() for name in own]
    first = {row: i for i, row in reversed([*enumerate(zip(*columns, strict=True))])}
    unlike = np.array(sorted(first.values()))
    part = measured if unlike.size == dataset.sizes[SAMPLE] else measured.isel({SAMPLE: unlike})
    values = part.dataset[chosen]
    along = (SAMPLE, values.values, values.attrs)
    others = [long_name(dataset[name]) for name in own if name != chosen]
    text = f"Samples also differ in {titles.comma_separated(*others)}" if others else ""
    return replace(part, dataset=part.dataset.assign_coords({SAMPLE: along})), text


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
            sampled = how_drawn(generator(measured.dataset))
            yield one, figure, titles.caption(sampled, titles.beyond_header(figure, title), scale)


#: What `pairs` shows: name, measure, least span and highest value of its colour scale, period.
_MAPPED: tuple[tuple[str, Callable[[MeasuredDataset], xr.DataArray], float, float, str], ...] = (
    ("mean_weight", lambda here: here.mean_weight, 0.1, 1.0, "After"),
    ("output_rate", lambda here: here.output_rate, 2.0, np.inf, "Over the last half of"),
)


def by_mean_weight(measured: MeasuredDataset) -> tuple[MeasuredDataset, str]:
    """Return samples in rising order of their mean weight, the numbers of which are ranks.

    Silent ones come last, as their weights are the initial ones, not what the rule leads to.

    Returns
    -------
    measured : MeasuredDataset
        As many samples as can be drawn, evenly over all ranks.
    text : str
        How many these are, "5,000 of 9,000 samples"; "" for all.
    """
    n = measured.dataset.sizes[SAMPLE]
    ranks = _evenly(np.arange(n))
    order = by_rank(measured.mean_weight.where(~measured.silent))[ranks]
    ranked = measured.isel({SAMPLE: order})
    rank = (SAMPLE, ranks, {"long_name": "rank of the sample by mean weight"})
    text = f"{ranks.size:,} of {n:,} samples" if ranks.size < n else ""
    return replace(ranked, dataset=ranked.dataset.assign_coords({SAMPLE: rank})), text
