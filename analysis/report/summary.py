"""Table of the measures: one row per parameter combination, or the range of each measure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures.measured import N_WITHOUT_SPIKE, MeasuredDataset
from analysis.measures.numbers import quantities, seeds_done, varying_ratio
from analysis.measures.seeds import (
    SEED,
    confidence_interval,
    mean_over_seeds,
    spread_over_seeds,
)
from analysis.measures.stationarity import CANNOT_FIRE, NO_SPIKE, NOT_SETTLED
from analysis.reading.dataset import label
from analysis.reading.samples import SAMPLE, sampled_parameters
from analysis.report.point_names import named, value_text

#: Up to this many parameter combinations are listed; of more, the ranges.
MAX_ROWS = 500

#: Text in place of NaN.
NOTHING = "–"

#: Heading and rows.
Table = tuple[list[str], list[list[str]]]


def summary(measured: MeasuredDataset) -> Table:
    """Return the table of all combinations, or of ranges if there are more than `MAX_ROWS`."""
    return by_combination(measured) if measured.done.size <= MAX_ROWS else ranges(measured)


def by_combination(measured: MeasuredDataset) -> Table:
    """Return the measures at each combination of swept values, over seeds."""
    dataset, dims = measured.dataset, measured.done.dims
    rate, *others = _means(measured)
    parameters = sampled_parameters(dataset)
    ratio = varying_ratio(measured)
    ratios = [] if ratio is None else [ratio]
    over_seeds = _OverSeeds(measured)
    heading = [
        *(label(dataset[axis]) for axis in measured.swept),
        *(label(dataset[name]) for name in parameters),
        *map(label, ratios),
        label(rate),
        *over_seeds.heading,
        *map(label, others),
        "Settled",
    ]
    before, after = (
        [(one, one.transpose(*dims).values) for one in some] for some in ([*ratios, rate], others)
    )
    plain = {name: dataset[name].drop_attrs() for name in (*dims, *parameters)}
    values = {name: [value_text(one, i) for i in range(one.size)] for name, one in plain.items()}
    rows = []
    for combination in np.ndindex(measured.done.shape):
        index = dict(zip(dims, combination, strict=True))
        rows.append(
            [
                *(values[axis][i] for axis, i in index.items()),
                *(values[name][index[SAMPLE]] for name in parameters),
                *(number_text(values.item(combination), one) for one, values in before),
                *over_seeds.row(combination),
                *(number_text(values.item(combination), one) for one, values in after),
                settled_text(measured, index),
            ]
        )
    return heading, rows


def ranges(measured: MeasuredDataset) -> Table:
    """Return minimum, maximum and median of each measure, and the first ones of the extremes."""
    rows = []
    for quantity in _means(measured):
        row = [label(quantity)]
        for found in (quantity.argmin(...), quantity.argmax(...)):
            index = {dim: int(i) for dim, i in found.items()}
            row += [number_text(quantity[index].item(), quantity), named(quantity, index)]
        rows.append([*row, number_text(quantity.median().item(), quantity)])
    return ["", "Minimum", "first at", "Maximum", "first at", "Median"], rows


def _means(measured: MeasuredDataset) -> list[xr.DataArray]:
    """Return the mean of each measure over seeds; times, which are long, in s."""
    means = map(mean_over_seeds, quantities(measured).values())
    return [in_seconds(mean) if mean.attrs.get("units") == "ms" else mean for mean in means]


def in_seconds(time: xr.DataArray) -> xr.DataArray:
    """Return times in s.

    Parameters
    ----------
    time : DataArray, (...)
        Times [ms].

    Returns
    -------
    DataArray, (...)
        The same times [s].
    """
    return (time / 1000).assign_attrs(time.attrs | {"units": "s"})


def number_text(value: float, quantity: xr.DataArray) -> str:
    """Format a value of a quantity with the digits that it has, without unit; a dash for NaN.

    Parameters
    ----------
    value : float
        The value, in the unit of the quantity.
    quantity : DataArray, (...)
        In any unit, with the attribute `significant_digits` if it has fewer than four.

    Returns
    -------
    str
        The value.
    """
    if not np.isfinite(value):
        return NOTHING
    if digits := quantity.attrs.get("significant_digits"):
        return np.format_float_positional(value, digits, fractional=False, trim="-")
    text = f"{value:.4g}"
    # Long runs take 15560 s, and not 1.556e+04.
    return f"{float(text):.0f}" if "e+" in text and abs(value) < 1e7 else text


class _OverSeeds:
    """Columns about the seeds of the output rate; none if seeds were not swept.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are reported.
    """

    def __init__(self, measured: MeasuredDataset) -> None:
        self.heading: list[str] = []
        self._n_seeds = measured.dataset.sizes[SEED] if measured.has_seeds else 0
        if not self._n_seeds:
            return
        self.heading = ["95 % interval of the mean", "Seeds done"]
        if self._n_seeds > 1:
            self.heading.insert(1, "Standard deviation over seeds")
        dims, rate = measured.done.dims, measured.output_rate
        self._interval = confidence_interval(rate).transpose(*dims, "bound").values
        self._spread = spread_over_seeds(rate).transpose(*dims)
        self._done = seeds_done(measured).transpose(*dims).values

    def row(self, combination: tuple[int, ...]) -> list[str]:
        """Return the cells of one combination."""
        if not self._n_seeds:
            return []
        spread = self._spread
        spreads = [number_text(spread.values[combination], spread)] if self._n_seeds > 1 else []
        done = f"{self._done[combination]} of {self._n_seeds}"
        return [interval_text(self._interval[combination]), *spreads, done]


def interval_text(bounds: NDArray[np.float64]) -> str:
    """Format an interval with four digits; a dash if it is not known.

    Parameters
    ----------
    bounds : ndarray, (2,)
        Lower and upper bound, in any unit; NaN if not known.

    Returns
    -------
    str
        Such as "11.2 to 12.9".
    """
    low, high = (f"{bound:.4g}" for bound in bounds)
    return f"{low} to {high}" if np.isfinite(bounds).all() else NOTHING


def settled_text(measured: MeasuredDataset, index: Mapping[Hashable, int]) -> str:
    """Return whether the point at an index has settled, and if not, which quantity moves most."""
    if not measured.done[index]:
        return "not done"
    answer = str(measured.settling["settled"][index].item())
    if measured.until_settled and answer == NO_SPIKE:
        bound = N_WITHOUT_SPIKE / measured.last_halves[index].item()
        return f"{answer}: below {bound:.2g} Hz"
    if measured.silent[index] and answer != CANNOT_FIRE:
        return "silent"
    to_come = measured.settling["to_come"][index]
    if answer != NOT_SETTLED or to_come.isnull().all():
        return answer
    if to_come.max() <= 1:  # nothing moves, but hardly anything could have moved the weights
        return f"{answer}: too few output spikes"
    return f"{answer}: {to_come['quantity'][to_come.values.argmax()].item()}"
