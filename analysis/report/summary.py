"""Table of the measures of an experiment: one row per cell, or the range of each measure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures import late_output
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import confidence_interval, mean_over_seeds
from analysis.measures.stationarity import NOT_SETTLED
from analysis.reading.dataset import label
from analysis.reading.metadata import DONE
from analysis.report.point_names import named, value_text

#: Up to this many cells are listed; of more, the ranges.
MAX_CELLS = 50

#: Text in place of NaN.
NOTHING = "–"

#: Heading and rows.
Table = tuple[list[str], list[list[str]]]


def quantities(measured: MeasuredDataset) -> list[xr.DataArray]:
    """Return the measures of a dataset, averaged over seeds, without those that are all NaN.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are reported.

    Returns
    -------
    list of DataArray, (...)
        Output rate [Hz], mean weight, shares of weights, CV and Fano factor, dimensionless, and
        settling time [s], along the swept axes without `seed`.
    """
    shares = mean_over_seeds(measured.shares)
    time = measured.settling["settling_time"]
    fano = late_output.fano_factor(measured.dataset)
    found = [
        mean_over_seeds(measured.output_rate),
        mean_over_seeds(measured.dataset["mean_weight"]),
        *(
            shares.sel(range=limits, drop=True).assign_attrs(
                long_name=f"share of weights {limits}", units=""
            )
            for limits in shares["range"].values.tolist()
        ),
        mean_over_seeds(late_output.isi_cv(measured.dataset)),
        *([] if fano is None else [mean_over_seeds(fano)]),
        (time / 1000).assign_attrs(time.attrs | {"units": "s"}),
    ]
    return [quantity for quantity in found if quantity.notnull().any()]


def summary(measured: MeasuredDataset) -> Table:
    """Return the table of all cells, or of the ranges if there are more than `MAX_CELLS`."""
    return by_cell(measured) if measured.done.size <= MAX_CELLS else ranges(measured)


def by_cell(measured: MeasuredDataset) -> Table:
    """Return the measures at each combination of swept values, over seeds."""
    dataset = measured.dataset
    rate, *others = quantities(measured)
    interval = confidence_interval(measured.output_rate)
    heading = [
        *(label(dataset[axis]) for axis in measured.swept),
        label(rate),
        *(["95 % interval", "Seeds done"] if measured.has_seeds else []),
        *map(label, others),
        "Settled",
    ]
    rows = []
    for cell in np.ndindex(measured.done.shape):
        index = dict(zip(measured.done.dims, cell, strict=True))
        rows.append(
            [
                *(value_text(dataset[axis].drop_attrs(), i) for axis, i in index.items()),
                number(rate[index]),
                *_over_seeds(measured, interval, index),
                *(number(quantity[index]) for quantity in others),
                _settled(measured, index),
            ]
        )
    return heading, rows


def ranges(measured: MeasuredDataset) -> Table:
    """Return minimum, maximum and median of each measure, and the first points of the extremes."""
    rows = []
    for quantity in quantities(measured):
        row = [label(quantity)]
        for found in (quantity.argmin(...), quantity.argmax(...)):
            index = {dim: int(i) for dim, i in found.items()}
            row += [number(quantity[index]), named(quantity, index)]
        rows.append([*row, number(quantity.median())])
    return ["", "Minimum", "first at", "Maximum", "first at", "Median"], rows


def number(value: xr.DataArray) -> str:
    """Format a number with four digits.

    Parameters
    ----------
    value : DataArray, ()
        In any unit.

    Returns
    -------
    str
        The number without its unit; a dash for NaN.
    """
    return f"{value.item():.4g}" if np.isfinite(value.item()) else NOTHING


def _over_seeds(
    measured: MeasuredDataset, interval: xr.DataArray, index: Mapping[Hashable, int]
) -> list[str]:
    """Return interval and number of seeds of a cell; no columns if seeds were not swept."""
    if not measured.has_seeds:
        return []
    done = measured.dataset["status"][index] == DONE
    return [_interval(interval[index].values), f"{int(done.sum())} of {done.size}"]


def _interval(bounds: NDArray[np.float64]) -> str:
    low, high = (f"{bound:.4g}" for bound in bounds)
    return f"{low} to {high}" if np.isfinite(bounds).all() else NOTHING


def _settled(measured: MeasuredDataset, index: Mapping[Hashable, int]) -> str:
    if not measured.done[index]:
        return "not done"
    if measured.silent[index]:
        return "silent"
    answer = str(measured.settling["settled"][index].item())
    to_come = measured.settling["to_come"][index]
    if answer != NOT_SETTLED or to_come.isnull().all():
        return answer
    return f"{answer}: {to_come['quantity'][to_come.values.argmax()].item()}"
