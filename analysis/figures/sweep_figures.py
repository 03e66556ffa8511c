"""The figures of a study: from what is measured of a dataset to figures and their names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis.figures.facets import axes_of_numbers, slices, thinned
from analysis.measures import equilibrium, spike_trains, theory
from analysis.measures import weights as weight_measures
from analysis.measures.measured import MeasuredDataset, lines, settled_words
from analysis.measures.seeds import SEED, confidence_interval, mean_over_seeds
from analysis.measures.stationarity import NO, TOO_SHORT
from analysis.plots import histograms, maps, stdp_window
from analysis.plots import lines as line_plots
from analysis.reading.dataset import axes, long_name, parameter

#: Name as a file, figure, and a remark.
Figures = Iterator[tuple[str, Figure, str]]

#: In a title, of numbers from which the way to equilibrium is left out.
_LATE = "Over the last half of"

#: What is told of the theory beside a histogram.
_FIT = ("total_variation", "alpha", "beta")


def weights(study: MeasuredDataset) -> Figures:
    """Yield the weight histograms: ridges for the first axis, panels for the second."""
    row, column, *others = [*study.swept, None, None]
    dataset = study.dataset
    if row and column and dataset.sizes[column] > 4:
        column, others = None, [column, *others]  # a page has room for a few panels
    parts = {
        "share": weight_measures.weight_histogram(dataset),
        "expected": study.expected["share"],
        "final": study.final,
        "silent": study.silent,
        "settled": study.settling["settled"],
    } | {name: study.expected[name] for name in _FIT}
    heading = study.heading("After", study.seeds("{} seeds pooled"))
    for suffix, where, part in slices(xr.Dataset(parts), others):
        shown = ~part["silent"] & part["share"].notnull().any("weight_bin")
        title = lines(heading, where, settled_words(part["settled"].values[shown.values]))
        yield f"weights{suffix}", _weights(part, row, column, title), _fit_words(part)


def _weights(part: xr.Dataset, row: str | None, column: str | None, title: str) -> Figure:
    share, expected = part["share"], part["expected"]
    if row is None:
        note = _fit(*(part[name] for name in _FIT))
        title = lines(title, "Silent: no weight has risen" if part["silent"] else "")
        return histograms.histogram(share, expected, note, bool(part["final"]), title)
    if fit := _span(part["total_variation"].values):
        crowded = column or share.sizes[row] > histograms.MOST_RIDGES
        title = lines(title, f"TV between histogram and theory: {fit}" if crowded else "")
    if share.sizes[row] > histograms.MOST_RIDGES:
        return histograms.weight_map(share.where(~part["silent"]), row, column, title)
    notes = xr.apply_ufunc(
        lambda still, settled, *fit: "silent" if still else _note(settled, *fit),
        *(part[name] for name in ("silent", "settled", *_FIT)),
        vectorize=True,
        output_dtypes=["U40"],
    )
    if column is None:
        return histograms.ridgelines(share, expected, part["final"], notes, row, title=title)
    notes = notes.where(part["silent"], "")  # no room between panels
    return histograms.ridgelines(share, expected, part["final"], notes, row, column, title)


def _note(settled: str, *fit: float) -> str:
    return {NO: "not settled", TOO_SHORT: "too short"}.get(settled) or _fit(*fit)


def _fit(total_variation: float, alpha: float, beta: float) -> str:
    if np.isnan(total_variation):
        return ""
    return f"TV {total_variation:.2g}, " + r"$\alpha$ " + f"{alpha:.3g} ({beta:.3g})"


def _fit_words(part: xr.Dataset) -> str:
    distance, alpha, beta = (_span(part[name].values) for name in _FIT)
    if not distance:
        return ""
    return (
        f"Total variation between histogram and theory {distance}; alpha {alpha} gives the mean "
        f"weight, the theory's own is {beta}"
    )


def _span(values: np.ndarray) -> str:
    """Return the least and the largest number in words, nothing if there is none."""
    if np.isnan(values).all():
        return ""
    least, most = (f"{end(values):.3g}" for end in (np.nanmin, np.nanmax))
    return least if least == most else f"{least} to {most}"


def _against_axes(
    study: MeasuredDataset,
    name: str,
    variable: xr.DataArray,
    when: str = "Over",
    from_zero: bool = True,
    expected: xr.DataArray | None = None,
    theory_name: str = "",
    panel: str | None = None,
) -> Figures:
    """Yield a variable against each swept axis, seeds averaged, one line per value of another."""
    mean, interval = mean_over_seeds(variable), confidence_interval(variable)
    if not study.swept:  # each seed is a point
        mean, interval = variable, interval * xr.full_like(variable, np.nan)
    if expected is None or not study.swept:
        expected = xr.full_like(mean, np.nan, dtype=float)
    silent = study.silent if study.swept else study.dataset["spike_count"] == 0
    passing = ~study.final & study.done & ~study.silent & study.final.any()
    if not study.swept:
        passing = xr.zeros_like(silent)
    shown = xr.Dataset({"mean": mean, "interval": interval, "expected": expected})
    shown = shown.assign(silent=silent, passing=passing)
    what = _average_words(study, variable, bool(interval.notnull().any()))
    heading = lines(study.heading(when, what), study.settled_words)
    for x in study.swept or [SEED]:
        line, *others = [*(axis for axis in study.swept if axis != x), None]
        few, thinning = thinned(shown, line)
        for suffix, where, part in slices(few, others):
            title = lines(heading, thinning, where)
            figure = line_plots.against_axis(part, x, line, panel, title, from_zero, theory_name)
            against = mean[x].attrs.get("long_name", x)
            yield f"{name}_against_{x}{suffix}", figure, f"Against {against}"


def _average_words(study: MeasuredDataset, variable: xr.DataArray, bars: bool) -> str:
    """Say what is drawn of several seeds."""
    if variable.ndim > 1 and not study.swept:
        return "each seed"
    if study.swept:
        return study.seeds("mean and 95 % interval of {} seeds" if bars else "mean of {} seeds")
    low, high = (float(confidence_interval(variable).sel(bound=end)) for end in ("low", "high"))
    interval = f" (95 % interval {low:.3g} to {high:.3g})" if np.isfinite(low) else ""
    return f"mean {float(mean_over_seeds(variable)):.3g}{interval}"


def rates(study: MeasuredDataset) -> Figures:
    """Yield the output rate against each axis, with the homeostatic rate."""
    rate = equilibrium.late_rate(study.dataset) if study.is_late else study.dataset["output_rate"]
    when = _LATE if study.is_late else "Over"
    name = r"homeostatic rate $c\,/\,[2\tau_+(B-1)]$"
    yield from _against_axes(
        study, "rates", rate, when, expected=study.homeostatic_rate, theory_name=name
    )


def cv(study: MeasuredDataset) -> Figures:
    """Yield the irregularity of the output against each axis."""
    late = study.is_late and "spike_time" in study.dataset
    variable = spike_trains.cv(study.dataset, _half(study)) if late else study.dataset["isi_cv"]
    poisson = xr.ones_like(mean_over_seeds(variable))
    when = _LATE if late else "Over"
    yield from _against_axes(
        study, "cv", variable, when, expected=poisson, theory_name="Poisson process"
    )


def fano(study: MeasuredDataset) -> Figures:
    """Yield the Fano factor of the output against each axis."""
    long = _half(study) >= 2 * spike_trains.WINDOW
    start, when = (_half(study), _LATE) if study.is_late and long else (0.0, "Over")
    variable = spike_trains.fanofactor(study.dataset, t_start=start)
    poisson = xr.ones_like(mean_over_seeds(variable))
    yield from _against_axes(
        study, "fano", variable, when, expected=poisson, theory_name="Poisson process"
    )


def _half(study: MeasuredDataset) -> float:
    """Return half of the simulated time [ms], of the longest run."""
    return float(parameter(study.dataset, "simulation.duration").max()) / 2


def mean_weight(study: MeasuredDataset) -> Figures:
    """Yield the mean weight against each axis."""
    variable = study.dataset["mean_weight"]
    yield from _against_axes(study, "mean_weight", variable, "After", from_zero=False)


def shares(study: MeasuredDataset) -> Figures:
    """Yield the shares of weak, upper and strong weights against each axis, a panel each."""
    share = study.expected["share"]
    bins = share["weight_bin"]
    parts = [
        share.where(chosen, drop=True).sum("weight_bin", skipna=False)
        for chosen in (bins < 0.1, bins > 0.5, bins > 0.9)
    ]
    expected = xr.concat(parts, study.shares["range"])
    name = "theory with the same mean weight"
    yield from _against_axes(study, "shares", study.shares, "After", True, expected, name, "range")


def phase_diagram(study: MeasuredDataset) -> Figures:
    """Yield maps of mean weight, output rate and bimodality over the first two axes of numbers."""
    x, y, *_ = axes_of_numbers(study)
    others = [axis for axis in study.swept if axis not in (x, y)]
    numbers = {
        "mean_weight": mean_over_seeds(study.dataset["mean_weight"]),
        "output_rate": mean_over_seeds(study.dataset["output_rate"]),
        "bimodality": mean_over_seeds(study.bimodality),
    }
    shown = xr.Dataset(numbers | {"silent": study.silent})
    heading = lines(study.heading("After", study.seeds("mean of {} seeds")), study.settled_words)
    for suffix, where, part in slices(shown, others):
        figure = maps.phase_diagram(
            [part[name] for name in numbers],
            part["silent"],
            x,
            y,
            [None, None, weight_measures.UNIFORM_BIMODALITY],
            lines(heading, where),
        )
        yield f"phase_diagram{suffix}", figure, "Bimodality 5/9 is that of the uniform distribution"


def approach(study: MeasuredDataset) -> Figures:
    """Yield weights and output rate against time, a line per value of the first axis."""
    line, *others = [*study.swept, None]
    few, thinning = thinned(study.dataset, line)
    heading = study.heading("Over", study.seeds("mean of {} seeds"))
    for suffix, where, part in slices(few, others, by="status"):
        here = MeasuredDataset(part)
        settled = here.settling["settled"].values[~here.silent.values]
        time = here.settling["settling_time"]
        dots = "dots: settled from here on" if time.notnull().any() else ""
        answers = "; ".join(filter(None, [settled_words(settled), dots]))
        title = lines(heading, thinning, where, answers)
        yield f"settling{suffix}", line_plots.trajectories(_courses(part), time, line, title), ""


def _courses(dataset: xr.Dataset) -> list[xr.DataArray]:
    """Return mean weight, share of weak ones, output rate and share of strong ones in time."""
    shares = weight_measures.shares_of(dataset["weight_history"], [*axes(dataset), "sample_time"])
    return [
        weight_measures.mean_weight_history(dataset),
        _share_course(shares, "below 0.1"),
        mean_over_seeds(dataset["rate_history"]),
        _share_course(shares, "above 0.9"),
    ]


def _share_course(shares: xr.DataArray, limits: str) -> xr.DataArray:
    course = mean_over_seeds(shares.sel({"range": limits}, drop=True))
    return course.assign_attrs(long_name=f"share of weights {limits}")


def window(study: MeasuredDataset) -> Figures:
    """Yield the STDP window: lines for the first axis that shapes it, rows for the second."""
    curve = theory.stdp_window(study.dataset)
    shaping = [axis for axis in study.swept if axis in curve.dims]
    line, row, *others = [*shaping, None, None]
    ratio = study.dataset["effective_ltd_ratio"]
    ratio_words = f"{long_name(ratio)} {ratio.item():.4g}" if ratio.ndim == 0 else ""
    few, thinning = thinned(curve.to_dataset(name="window"), line)
    for suffix, where, part in slices(few, others):
        title = lines(study.part, ratio_words, thinning, where)
        remark = "Spikes in one time step count as both LTP and LTD"
        yield f"window{suffix}", stdp_window.stdp_window(part["window"], row, line, title), remark
