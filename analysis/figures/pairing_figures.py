"""Figures of pairing protocols: weight change against time difference, and against frequency."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from analysis.figures import titles
from analysis.figures.facets import Figures, slices, thinned
from analysis.figures.titles import lines
from analysis.measures.measured import MeasuredDataset
from analysis.measures.pairing import (
    DIFFERENCE,
    FREQUENCY,
    POST_MINUS_PRE,
    isolated_pairing_change,
    pairing_change,
)
from analysis.measures.seeds import confidence_interval, mean_over_seeds
from analysis.plots import lines as line_plots
from analysis.reading.dataset import parameter
from analysis.reading.model import arrival_shift

#: Time differences on either side of 0 at which theory is drawn.
_N_POINTS = 100

#: What the two axes are called, in place of what they are for any input process.
_NAMES = {DIFFERENCE: POST_MINUS_PRE, FREQUENCY: {"long_name": "frequency of pairs", "units": "Hz"}}


def pairing(measured: MeasuredDataset) -> Figures:
    """Yield the weight change by a pairing protocol against time difference and frequency.

    Of the two, those with three values or more, or else any axis; lines are the other one, or the
    next axis. Against the time difference, the change by the STDP window of the rule is dashed: by
    pairs that are far apart, one after the other.
    """
    measured = _renamed(measured)
    has_data = mean_over_seeds(pairing_change(measured.dataset)).notnull()
    for x in _drawn(measured):
        line, *others = [*_after(measured, x), None]
        few, thinning = thinned(measured, line)
        for one in slices("pairing", few, others, has_data, f"_against_{x}"):
            here = one.measured
            shown = _statistics(here)
            curve = _isolated(here) if x == DIFFERENCE else None
            title = lines(
                titles.selection(one),
                _protocol(here),
                titles.missing_points(here.dataset),
                "Dashed: the STDP window of the rule, pair by pair" if curve is not None else "",
                titles.seeds(here, "Mean of {} seeds"),
                thinning,
            )
            figure = line_plots.against_axis(shown, x, line, None, title, curve=curve)
            yield one, figure, titles.caption(titles.beyond_header(figure, title))


def _renamed(measured: MeasuredDataset) -> MeasuredDataset:
    """Return the points with the names of their axes in papers."""
    axes = {
        name: measured.dataset[name].assign_attrs(attributes)
        for name, attributes in _NAMES.items()
        if name in measured.swept
    }
    return replace(measured, dataset=measured.dataset.assign_coords(axes))


def _drawn(measured: MeasuredDataset) -> list[str]:
    """Return the axes that have a figure each."""
    own = [axis for axis in _NAMES if axis in measured.swept]
    long = [axis for axis in own if measured.dataset.sizes[axis] >= 3]
    return long or own[:1] or measured.swept[:1]


def _after(measured: MeasuredDataset, x: str) -> list[str]:
    """Return the other axes, those of the protocol first."""
    others = [axis for axis in measured.swept if axis != x]
    return sorted(others, key=lambda axis: axis not in _NAMES)


def _statistics(here: MeasuredDataset) -> xr.Dataset:
    """Return what `against_axis` draws."""
    change = pairing_change(here.dataset)
    mean = mean_over_seeds(change)
    shown = xr.Dataset({"mean": mean, "interval": confidence_interval(change)})
    if here.each_seed and here.has_seeds:
        shown["each"] = change
    nowhere = xr.zeros_like(mean, dtype=bool)
    unknown = xr.full_like(mean, float("nan"))
    return shown.assign(expected=unknown, silent=nowhere, unsettled=nowhere)


def _isolated(here: MeasuredDataset) -> xr.DataArray | None:
    """Return the change by pairs far apart between the ends of the axis; None if not known."""
    low, high = (float(end(here.dataset[DIFFERENCE].values)) for end in (np.min, np.max))
    nearest = float(parameter(here.dataset, "simulation.dt").min())
    together = np.unique(arrival_shift(here.dataset))  # there the curve is NaN: two branches
    edges = np.concatenate([together - nearest, together, together + nearest])
    times = np.union1d(np.linspace(low, high, 2 * _N_POINTS), edges)
    between = (abs(times[:, np.newaxis] - together) < nearest * (1 - 1e-6)).any(axis=1)
    shown = (~between | np.isin(times, together)) & (low <= times) & (times <= high)
    curve = isolated_pairing_change(here.dataset, times[shown])
    return curve if curve.notnull().any() else None


def _protocol(here: MeasuredDataset) -> str:
    """Return number and frequency of pairs and the initial weight, those that all points share."""
    keys = ("input.n_pairs", f"input.{FREQUENCY}", "synapse.w_init")
    n, frequency, w_init = (parameter(here.dataset, key).values for key in keys)
    number = f"{n:,.0f} pair{'s' if n > 1 else ''}" if n.ndim == 0 else "Pairs"
    rate = f" at {frequency:g} Hz" if frequency.ndim == 0 and number != "1 pair" else ""
    initial = f"initial weight {w_init:g}" if w_init.ndim == 0 else ""
    return titles.comma_separated(number + rate, initial)
