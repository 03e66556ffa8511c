"""Figures of weights by what each synapse has: its group, latency, phase, rate or index."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis.figures import titles
from analysis.figures.against import Against, statistics_of
from analysis.figures.facets import Figures, slices
from analysis.figures.sweep_figures import LEAST_SPAN
from analysis.figures.titles import lines
from analysis.measures import synapses
from analysis.measures import weights as weight_measures
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import HIGHEST, LOWEST, SEED, mean_over_seeds
from analysis.measures.synapses import GROUP
from analysis.plots import histograms
from analysis.plots import lines as line_plots
from analysis.plots.synapses import Cloud, clouds
from analysis.reading.dataset import label, long_name, value_label
from analysis.reading.samples import SAMPLE

#: Up to this many values of the first axis are panels side by side.
_MAX_COLUMNS = 4

#: Most dots of one group in one panel: of more synapses, every second, third, ... is drawn.
_MOST_DOTS = 4000


def by_synapse(measured: MeasuredDataset) -> Figures:
    """Yield weights against latency, phase, rate and index of the synapse, one figure for each.

    Dots are synapses of all seeds, in a colour for each group; lines are means in bins of equal
    numbers of synapses. The values of the first axis are panels, if there are at most four.
    """
    names = synapses.coordinates_of_synapses(measured.dataset)
    with_index = [*names, *(["synapse"] if synapses.group_names(measured.dataset) else [])]
    column, others = _column(measured)
    for name in with_index:
        differs = measured.done & synapses.differing(
            measured.dataset, GROUP if name == "synapse" else name
        )
        for one in slices("by_synapse", measured, others, differs, f"_against_{name}"):
            here = one.measured.dataset
            parts = (
                [here.isel({column: i}) for i in range(here.sizes[column])] if column else [here]
            )
            panels = [_clouds(part, name) for part in parts]
            if not any(cloud.x.size for panel in panels for cloud in panel):
                continue
            above = [_value(part, column) for part in parts]
            pooled = titles.seeds(one.measured, "{} seeds")
            columns = titles.dimension("Columns", here["weight"], column)
            key = lines(columns, "Lines: means over synapses")
            title = titles.heading(one, "After", pooled, key)
            figure = clouds(panels, above, label(here[name]), label(here["weight"]), title)
            yield one, figure, titles.caption(titles.beyond_header(figure, title))


def _column(measured: MeasuredDataset) -> tuple[str | None, list[str]]:
    """Return the axis whose values are panels, and those that are sliced."""
    swept = measured.swept
    if not swept or measured.dataset.sizes[swept[0]] > _MAX_COLUMNS:
        return None, swept
    return swept[0], swept[1:]


def _value(part: xr.Dataset, column: str | None) -> str:
    return str(value_label(part[column], part[column].item())) if column else ""


def _clouds(part: xr.Dataset, name: str) -> list[Cloud]:
    """Return the weights of one panel by group; those without a value of the synapse are left."""
    groups = synapses.group_names(part)
    found = []
    for group in groups or [""]:
        weight = synapses.of_group(part, group) if groups else part["weight"]
        weight, x = xr.broadcast(weight.reset_coords(drop=True), part[name].reset_coords(drop=True))
        known = (weight.notnull() & x.notnull()).values
        y, values = weight.values[known].astype(float), x.values[known].astype(float)
        if y.size:
            chosen = slice(None, None, 1 + y.size // _MOST_DOTS)
            means = synapses.binned_mean(values, y)
            said = f"Group {group}" if isinstance(group, int) else str(group)
            found.append(Cloud(said, values[chosen], y[chosen], *means))
    return found


def weights_by_group(measured: MeasuredDataset) -> Figures:
    """Yield histograms of weights, a ridge for each group; panels for the first axis."""
    column, others = _column(measured)
    names = synapses.group_names(measured.dataset)
    grouped = measured.done & synapses.differing(measured.dataset, GROUP)
    for one in slices("weights_by_group", measured, others, grouped):
        here = one.measured
        kept = here.dataset[["weight", "status"]].drop_vars(GROUP)
        shares = [
            weight_measures.weight_histogram(kept.assign(weight=synapses.of_group(here.dataset, g)))
            for g in names
        ]
        share = _along_groups(shares, names)
        unknown = xr.full_like(share, np.nan)
        settled = xr.ones_like(share.isel(weight_bin=0, drop=True), dtype=bool)
        settled = settled & (here.at_equilibrium | ~here.any_settled)
        notes = xr.full_like(settled, "", dtype="U40").where(~here.silent, "silent")
        pooled = titles.seeds(here, "{} seeds pooled")
        columns = titles.dimension("Columns", share, column)
        title = titles.heading(one, "After", pooled, columns)
        arrays = share, unknown, settled.transpose(GROUP, ...), notes.transpose(GROUP, ...)
        figure = histograms.ridgelines(*arrays, GROUP, column, title)
        yield one, figure, titles.caption(titles.beyond_header(figure, title))


def _along_groups(parts: list[xr.DataArray], names: list) -> xr.DataArray:
    """Join what there is of each group along a first dimension of groups."""
    joined = xr.concat(parts, GROUP).assign_coords({GROUP: [str(name) for name in names]})
    joined[GROUP].attrs = {"long_name": "group of synapses"}
    return joined


def mean_weight_by_group(measured: MeasuredDataset) -> Figures:
    """Yield the mean weight of each group against each axis, averaged over seeds."""
    mean = _mean_by_group(measured)
    has_data = mean_over_seeds(mean).notnull().any(GROUP)
    for x in measured.swept or [SEED]:
        if x == SAMPLE:  # whose number is no axis
            means = Against(
                "mean_weight_by_group", _mean_by_group, "After", LEAST_SPAN, panel=GROUP
            )
            yield from means.against_samples(measured, has_data)
            continue
        others = [axis for axis in measured.swept if axis != x]
        for one in slices("mean_weight_by_group", measured, others, has_data, f"_against_{x}"):
            here = one.measured
            values = mean.sel({axis: here.dataset[axis] for axis in others})
            shown, content = statistics_of(here, values.reset_coords(drop=True))
            title = titles.heading(one, "After", content, titles.key(shown, ""))
            figure = line_plots.against_axis(shown, x, GROUP, None, title, LEAST_SPAN)
            against = f"Against {long_name(shown[x])}"
            yield one, figure, titles.caption(against, titles.beyond_header(figure, title))


def _mean_by_group(here: MeasuredDataset) -> xr.DataArray:
    """Return the mean weight of each group by its name."""
    mean = synapses.weight_by_group(here.dataset).assign_attrs({LOWEST: 0.0, HIGHEST: 1.0})
    names = [str(name) for name in mean[GROUP].values]
    return mean.assign_coords({GROUP: (GROUP, names, mean[GROUP].attrs)})
