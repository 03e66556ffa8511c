"""Figures of a sweep: measures of a dataset, drawn slice by slice, with names and titles."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from analysis.figures import titles
from analysis.figures.against import Against, Measure
from analysis.figures.facets import Figures, numeric_axes, slices, thinned
from analysis.figures.histories import mean_histories
from analysis.figures.sample_figures import by_mean_weight, by_parameter
from analysis.figures.titles import lines
from analysis.measures import late_output
from analysis.measures import weights as weight_measures
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import mean_over_seeds
from analysis.plots import histograms, maps, scales, style
from analysis.plots import lines as line_plots
from analysis.reading.dataset import long_name
from analysis.reading.samples import SAMPLE

#: Up to this many values of the second axis are drawn as panels of histograms side by side.
_MAX_COLUMNS = 4

#: Least span of a scale of mean weights, so that noise fills no figure.
LEAST_SPAN = 0.1

#: Of a phase diagram's mean weight, output rate and bimodality: the least span of a colour scale,
#: so that noise has no gradient, the highest possible value, and the span as text.
_COLOURS = (
    (LEAST_SPAN, 1.0, f"{LEAST_SPAN} (mean weight)"),
    (2.0, np.inf, "2 Hz (output rate)"),
    (0.1, 1.0, "0.1 (bimodality)"),
)

#: About as many ticks has the colour scale of the time that runs took.
_N_TICKS = 5


def weights(measured: MeasuredDataset) -> Figures:
    """Yield histograms of weights: ridges for the first axis, panels for the second."""
    row, column, *others = [*measured.swept, None, None]
    if row and column and measured.dataset.sizes[column] > _MAX_COLUMNS:
        column, others = None, [column, *others]
    is_map = row is not None and measured.dataset.sizes[row] > histograms.MAX_RIDGES
    how_many = ""
    if is_map and row == SAMPLE:
        measured, how_many = by_mean_weight(measured)
    highest = _highest_share(measured) if is_map else np.nan
    for one in slices("weights", measured, others):
        here = one.measured
        expected = here.expected
        part = xr.Dataset(
            {
                "share": here.weight_histogram,
                "expected": expected["share"],
                "settled": here.at_equilibrium,
                "silent": here.silent,
                "unsettled": here.unsettled,
                "answer": here.settling["settled"],
            }
            | titles.fit_of(expected)
        )
        pooled = titles.comma_separated(how_many, titles.seeds(here, "{} seeds pooled"))
        columns = titles.dimension("Columns", part["share"], column)
        pale = titles.pale(here) if column and not is_map else ""
        title = titles.heading(one, "After", pooled, lines(columns, pale, _key(part, row)))
        figure = _weights(part, row, column, title, highest)
        rest = titles.beyond_header(figure, title)
        yield one, figure, titles.caption(rest, titles.fit_caption(part))


def _highest_share(measured: MeasuredDataset) -> float:
    """Return the highest share that a map of any slice has."""
    share = measured.weight_histogram
    return float(share.where(~measured.silent).max())


def _key(part: xr.Dataset, row: str | None) -> str:
    """Return the meaning of what is drawn beside the histograms, one line each."""
    if row and _is_map(part, row):
        hidden = part["share"].isnull().any() or part["silent"].any()
        return lines(
            "Bar at the right: not settled" if part["unsettled"].any() else "",
            "Grey: silent or missing" if hidden else "",
        )
    return lines(
        f"Dashed: {style.SAME_MEAN}" if part["expected"].notnull().any() else "",
        "Silent: no weight has increased" if row is None and part["silent"] else "",
    )


def _is_map(part: xr.Dataset, row: str) -> bool:
    return part.sizes[row] > histograms.MAX_RIDGES


def _weights(
    part: xr.Dataset, row: str | None, column: str | None, title: str, highest: float
) -> Figure:
    share, expected, settled = part["share"], part["expected"], part["settled"]
    if row is None:
        note = titles.fit(*(float(part[name]) for name in titles.FIT))
        return histograms.histogram(share, expected, bool(settled), lines(title, note))
    if column or _is_map(part, row):  # no room for a note beside each histogram
        distance = titles.span(part["total_variation"].values)
        title = lines(title, f"TV between histogram and theory: {distance}" if distance else "")
    if _is_map(part, row):
        shown = share.where(~part["silent"]), part["unsettled"]
        return histograms.weight_map(*shown, row, column, title, highest)
    notes = xr.apply_ufunc(
        titles.note,
        *(part[name] for name in ("silent", "answer", *titles.FIT)),
        vectorize=True,
        output_dtypes=["U40"],
    )
    if column:
        notes = notes.where(part["silent"], "")
    return histograms.ridgelines(share, expected, settled, notes, row, column, title)


def rates(measured: MeasuredDataset) -> Figures:
    """Yield the output rate against each axis, with the homeostatic rate."""
    yield from Against(
        "rates",
        _output_rate,
        _period(measured.output_rate),
        expected=lambda here: here.homeostatic_rate,
        theory_name="homeostatic rate",
        remark="The homeostatic rate is c / (2 tau_plus (B - 1)), B the LTD ratio in time steps",
    ).figures(measured)


def _output_rate(here: MeasuredDataset) -> xr.DataArray:
    return here.output_rate


def cv(measured: MeasuredDataset) -> Figures:
    """Yield the coefficient of variation of output interspike intervals against each axis."""
    yield from _against_poisson(measured, "cv", lambda here: here.isi_cv)


def fano(measured: MeasuredDataset) -> Figures:
    """Yield the Fano factor of output spike counts against each axis."""
    if measured.fano_factor is not None:  # which the registry requires
        yield from _against_poisson(measured, "fano", _fano_factor)


def _fano_factor(here: MeasuredDataset) -> xr.DataArray:
    assert here.fano_factor is not None
    return here.fano_factor


def _against_poisson(measured: MeasuredDataset, name: str, variable: Measure) -> Figures:
    """Yield a variable that is 1 for a Poisson process."""

    def one(here: MeasuredDataset) -> xr.DataArray:
        return xr.ones_like(mean_over_seeds(variable(here)))

    period = _period(variable(measured))
    yield from Against(name, variable, period, None, one, "Poisson process").figures(measured)


def _period(statistic: xr.DataArray) -> str:
    """Return the preposition for the simulated time in the title of a statistic of the output."""
    whole = long_name(statistic).endswith(late_output.WHOLE_RUN)
    return "Over" if whole else "Over the last half of"


def mean_weight(measured: MeasuredDataset) -> Figures:
    """Yield the mean weight against each axis."""
    yield from Against("mean_weight", _mean_weight, "After", LEAST_SPAN).figures(measured)


def _mean_weight(here: MeasuredDataset) -> xr.DataArray:
    return here.mean_weight


def shares(measured: MeasuredDataset) -> Figures:
    """Yield the shares of weak, upper and strong weights against each axis, one panel each."""
    yield from Against(
        "shares",
        lambda here: here.shares,
        "After",
        None,
        _expected_shares,
        style.SAME_MEAN,
        "range",
    ).figures(measured)


def _expected_shares(here: MeasuredDataset) -> xr.DataArray:
    share = here.expected["share"]
    bins = share["weight_bin"]
    parts = [
        share.where(chosen, drop=True).sum("weight_bin", skipna=False)
        for chosen in (bins < 0.1, bins > 0.5, bins > 0.9)
    ]
    return xr.concat(parts, here.shares["range"])


def phase_diagram(measured: MeasuredDataset) -> Figures:
    """Yield maps of mean weight, output rate and bimodality over the first two numeric axes."""
    x, y, *_ = numeric_axes(measured)
    others = [axis for axis in measured.swept if axis not in (x, y)]
    contours = [None, None, weight_measures.UNIFORM_BIMODALITY]
    limits = [
        scales.colour_limits(number, least, highest)
        for number, (least, highest, _) in zip(_mapped(measured), _COLOURS, strict=True)
    ]
    scale = "Each colour scale is that of all slices" if any(others) else ""
    spans = f"A colour scale spans at least {', '.join(one[2] for one in _COLOURS)}"
    for one in slices("phase_diagram", measured, others):
        here = one.measured
        title = titles.heading(one, "After", titles.seeds(here, "mean of {} seeds"))
        hatched = here.quiet, here.unsettled
        figure = maps.phase_diagram(_mapped(here), *hatched, x, y, limits, contours, title)
        remark = "A uniform distribution has bimodality 5/9"
        rest = titles.beyond_header(figure, title)
        yield one, figure, titles.caption(rest, scale, spans, remark)


def durations(measured: MeasuredDataset) -> Figures:
    """Yield how long runs took to settle: a map over the first two numeric axes, else lines."""
    if len(numeric_axes(measured)) < 2:
        yield from Against("durations", _run_duration, "", logarithmic=True).figures(measured)
        return
    x, y, *_ = numeric_axes(measured)
    others = [axis for axis in measured.swept if axis not in (x, y)]
    limits, ticks = _doublings(measured.run_duration)
    for one in slices("durations", measured, others):
        here = one.measured
        title = titles.heading(one, "", titles.seeds(here, "mean of {} seeds"))
        number = mean_over_seeds(here.run_duration)
        hatched = here.quiet, here.unsettled
        figure = maps.phase_diagram([number], *hatched, x, y, [limits], [None], title, ticks)
        scale = "The colour scale is that of all slices" if any(others) else ""
        yield one, figure, titles.caption(titles.beyond_header(figure, title), scale)


def _run_duration(here: MeasuredDataset) -> xr.DataArray:
    return here.run_duration


def _doublings(time: xr.DataArray) -> tuple[tuple[float, float], list[float]]:
    """Return the ends of a logarithmic scale of means over seeds, and its ticks.

    Parameters
    ----------
    time : DataArray, (..., [seed])
        Times of runs [s], powers of 2 times the shortest one.

    Returns
    -------
    tuple of float
        The ends [s].
    list of float
        Times of runs between them, or their powers of 4, 16, ... [s].
    """
    mean = mean_over_seeds(time)
    low, high = float(mean.min()), float(mean.max())
    first = float(time.min())
    looks = [first * 2.0**i for i in range(int(np.log2(high / first) + 1e-9) + 1)]
    ticks = [look for look in looks if look >= low * (1 - 1e-9)]
    ticks = ticks[:: len(ticks) // _N_TICKS + 1] or [low]
    return (low, high) if high > low else (low / 2, 2 * low), ticks


def _mapped(here: MeasuredDataset) -> list[xr.DataArray]:
    """Return what a phase diagram shows: mean weight, output rate, bimodality."""
    numbers = here.mean_weight, here.output_rate, here.bimodality
    return [mean_over_seeds(number) for number in numbers]


def approach(measured: MeasuredDataset) -> Figures:
    """Yield weights and output rate against time, a line per value of the first axis."""
    line, *others = [*measured.swept, None]
    measured, unlike = by_parameter(measured, line)
    few, thinning = thinned(measured, line)
    for one in slices("settling", few, others):
        here = one.measured
        time = here.settling["settling_time"]
        dots = "Dots: settling time" if time.notnull().any() else ""
        heading = titles.heading(one, "Over", titles.seeds(here, "mean of {} seeds"), dots)
        title = lines(heading, thinning)
        histories = mean_histories(here)
        figure = line_plots.trajectories(histories, time, line, title)
        is_log = line_plots.has_logarithmic_time(histories)
        remark = scales.LOGARITHMIC_TIME if is_log else ""
        rest = titles.beyond_header(figure, title)
        yield one, figure, titles.caption(rest, unlike, remark)
