"""Figures of a sweep: measures of a dataset, drawn slice by slice, with names and titles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis.figures import titles
from analysis.figures.facets import numeric_axes, slices, thinned
from analysis.figures.titles import lines
from analysis.measures import late_output, theory
from analysis.measures import weights as weight_measures
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import SEED, confidence_interval, mean_over_seeds
from analysis.plots import histograms, maps, stdp_window, style
from analysis.plots import lines as line_plots
from analysis.reading.dataset import axes, long_name

#: Name, figure, and a remark for the caption.
Figures = Iterator[tuple[str, Figure, str]]

#: Up to this many values of the second axis are drawn as panels of histograms side by side.
_MAX_COLUMNS = 4


def weights(measured: MeasuredDataset) -> Figures:
    """Yield histograms of weights: ridges for the first axis, panels for the second."""
    row, column, *others = [*measured.swept, None, None]
    dataset = measured.dataset
    if row and column and dataset.sizes[column] > _MAX_COLUMNS:
        column, others = None, [column, *others]
    parts = {
        "share": weight_measures.weight_histogram(dataset),
        "expected": measured.expected["share"],
        "settled": measured.at_equilibrium,
        "silent": measured.silent,
        "answer": measured.settling["settled"],
    } | {name: measured.expected[name] for name in titles.FIT}
    heading = titles.heading(measured, "After", titles.seeds(measured, "{} seeds pooled"))
    for name, where, part in slices("weights", xr.Dataset(parts), others):
        shown = ~part["silent"] & part["share"].notnull().any("weight_bin")
        answers = titles.settled_answers(part["answer"].values[shown.values])
        figure = _weights(part, row, column, lines(heading, where, answers))
        yield name, figure, titles.fit_caption(part)


def _weights(part: xr.Dataset, row: str | None, column: str | None, title: str) -> Figure:
    share, expected, settled = part["share"], part["expected"], part["settled"]
    if row is None:
        note = titles.fit(*(float(part[name]) for name in titles.FIT))
        title = lines(title, "Silent: no weight has increased" if part["silent"] else "")
        return histograms.histogram(share, expected, note, bool(settled), title)
    is_map = share.sizes[row] > histograms.MAX_RIDGES
    if column or is_map:  # no room for a note beside each histogram
        distance = titles.span(part["total_variation"].values)
        title = lines(title, f"TV between histogram and theory: {distance}" if distance else "")
    if is_map:
        return histograms.weight_map(share.where(~part["silent"]), row, column, title)
    notes = xr.apply_ufunc(
        titles.note,
        *(part[name] for name in ("silent", "answer", *titles.FIT)),
        vectorize=True,
        output_dtypes=["U40"],
    )
    if column:
        notes = notes.where(part["silent"], "")
    return histograms.ridgelines(share, expected, settled, notes, row, column, title)


def _against_axes(
    measured: MeasuredDataset,
    name: str,
    variable: xr.DataArray,
    period: str = "Over",
    from_zero: bool = True,
    expected: xr.DataArray | None = None,
    theory_name: str = "",
    panel: str | None = None,
) -> Figures:
    """Yield a variable against each swept axis, averaged over seeds; lines for a second axis."""
    mean, interval = mean_over_seeds(variable), confidence_interval(variable)
    if not measured.swept:  # each seed is a point
        mean, interval = variable, interval * xr.full_like(variable, np.nan)
    if expected is None or not measured.swept:
        expected = xr.full_like(mean, np.nan, dtype=float)
    silent = measured.silent if measured.swept else measured.dataset["spike_count"] == 0
    unsettled = measured.done & ~measured.silent & ~measured.at_equilibrium & measured.any_settled
    if not measured.swept:
        unsettled = xr.zeros_like(silent)
    shown = xr.Dataset({"mean": mean, "interval": interval, "expected": expected})
    shown = shown.assign(silent=silent, unsettled=unsettled)
    content = titles.average(measured, variable, bool(interval.notnull().any()))
    heading = lines(titles.heading(measured, period, content), titles.settled(measured))
    for x in measured.swept or [SEED]:
        line, *others = [*(axis for axis in measured.swept if axis != x), None]
        few, thinning = thinned(shown, line)
        for file_name, where, part in slices(f"{name}_against_{x}", few, others):
            title = lines(heading, thinning, where)
            figure = line_plots.against_axis(part, x, line, panel, title, from_zero, theory_name)
            yield file_name, figure, f"Against {mean[x].attrs.get('long_name', x)}"


def rates(measured: MeasuredDataset) -> Figures:
    """Yield the output rate against each axis, with the homeostatic rate."""
    name = r"homeostatic rate $c\,/\,[2\tau_+(B-1)]$"
    rate, expected = measured.output_rate, measured.homeostatic_rate
    yield from _against_axes(measured, "rates", rate, _period(rate), True, expected, name)


def cv(measured: MeasuredDataset) -> Figures:
    """Yield the coefficient of variation of output interspike intervals against each axis."""
    yield from _against_poisson(measured, "cv", late_output.isi_cv(measured.dataset))


def fano(measured: MeasuredDataset) -> Figures:
    """Yield the Fano factor of output spike counts against each axis."""
    factor = late_output.fano_factor(measured.dataset)
    if factor is not None:  # which the registry requires
        yield from _against_poisson(measured, "fano", factor)


def _against_poisson(measured: MeasuredDataset, name: str, variable: xr.DataArray) -> Figures:
    """Yield a variable that is 1 for a Poisson process."""
    one = xr.ones_like(mean_over_seeds(variable))
    period = _period(variable)
    yield from _against_axes(measured, name, variable, period, True, one, "Poisson process")


def _period(statistic: xr.DataArray) -> str:
    """Return the preposition for the simulated time in the title of a statistic of the output."""
    whole = long_name(statistic).endswith(late_output.WHOLE_RUN)
    return "Over" if whole else "Over the last half of"


def mean_weight(measured: MeasuredDataset) -> Figures:
    """Yield the mean weight against each axis."""
    variable = measured.dataset["mean_weight"]
    yield from _against_axes(measured, "mean_weight", variable, "After", from_zero=False)


def shares(measured: MeasuredDataset) -> Figures:
    """Yield the shares of weak, upper and strong weights against each axis, one panel each."""
    share = measured.expected["share"]
    bins = share["weight_bin"]
    parts = [
        share.where(chosen, drop=True).sum("weight_bin", skipna=False)
        for chosen in (bins < 0.1, bins > 0.5, bins > 0.9)
    ]
    found = measured.shares
    expected = xr.concat(parts, found["range"])
    name = style.SAME_MEAN
    yield from _against_axes(measured, "shares", found, "After", True, expected, name, "range")


def phase_diagram(measured: MeasuredDataset) -> Figures:
    """Yield maps of mean weight, output rate and bimodality over the first two numeric axes."""
    x, y, *_ = numeric_axes(measured)
    others = [axis for axis in measured.swept if axis not in (x, y)]
    numbers = {
        "mean_weight": mean_over_seeds(measured.dataset["mean_weight"]),
        "output_rate": mean_over_seeds(measured.output_rate),
        "bimodality": mean_over_seeds(measured.bimodality),
    }
    contours = [None, None, weight_measures.UNIFORM_BIMODALITY]
    heading = lines(
        titles.heading(measured, "After", titles.seeds(measured, "mean of {} seeds")),
        titles.settled(measured),
    )
    shown = xr.Dataset(numbers | {"silent": measured.silent})
    for name, where, part in slices("phase_diagram", shown, others):
        maps_shown = [part[number] for number in numbers]
        title = lines(heading, where)
        figure = maps.phase_diagram(maps_shown, part["silent"], x, y, contours, title)
        yield name, figure, "A uniform distribution has bimodality 5/9"


def approach(measured: MeasuredDataset) -> Figures:
    """Yield weights and output rate against time, a line per value of the first axis."""
    line, *others = [*measured.swept, None]
    few, thinning = thinned(measured.dataset, line)
    heading = titles.heading(measured, "Over", titles.seeds(measured, "mean of {} seeds"))
    for name, where, part in slices("settling", few, others, by="status"):
        here = MeasuredDataset(part)
        answers = titles.settled_answers(here.settling["settled"].values[~here.silent.values])
        time = here.settling["settling_time"]
        dots = "dots: settling time" if time.notnull().any() else ""
        title = lines(heading, thinning, where, "; ".join(filter(None, [answers, dots])))
        yield name, line_plots.trajectories(_histories(part), time, line, title), ""


def _histories(dataset: xr.Dataset) -> list[xr.DataArray]:
    """Return the histories of mean weight, share of weak weights, output rate, share of strong."""
    kept = [*axes(dataset), "sample_time"]
    shares_in_time = weight_measures.shares_of(dataset["weight_history"], kept)
    return [
        weight_measures.mean_weight_history(dataset),
        _share_history(shares_in_time, "below 0.1"),
        mean_over_seeds(dataset["rate_history"]),
        _share_history(shares_in_time, "above 0.9"),
    ]


def _share_history(shares_in_time: xr.DataArray, limits: str) -> xr.DataArray:
    history = mean_over_seeds(shares_in_time.sel({"range": limits}, drop=True))
    return history.assign_attrs(long_name=f"share of weights {limits}")


def window(measured: MeasuredDataset) -> Figures:
    """Yield the STDP window: lines for the first axis that changes it, rows for the second."""
    curve = theory.stdp_window(measured.dataset)
    changing = [axis for axis in measured.swept if axis in curve.dims]
    line, row, *others = [*changing, None, None]
    ratio = measured.dataset["effective_ltd_ratio"]
    known = ratio.ndim == 0 and bool(ratio.notnull())  # some rules have none
    ratio_text = f"{long_name(ratio)} {ratio.item():.4g}" if known else ""
    few, thinning = thinned(curve.to_dataset(name="window"), line)
    for name, where, part in slices("window", few, others):
        title = lines(measured.part, ratio_text, thinning, where)
        figure = stdp_window.stdp_window(part["window"], row, line, title)
        yield name, figure, "Spikes in one time step count as both LTP and LTD"
