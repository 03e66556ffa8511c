"""The numbers of a study in a table: of each point, seeds pooled, or their ranges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import confidence_interval, mean_over_seeds
from analysis.reading.dataset import label
from analysis.report.point_names import named, value_words

#: Of more cells than this only the ranges are told.
MOST_CELLS = 50

#: Where there is no number.
NOTHING = "–"

#: Heading and rows.
Table = tuple[list[str], list[list[str]]]


def quantities(study: MeasuredDataset) -> list[xr.DataArray]:
    """Return what a study measured, seeds averaged, the output rate first; no empty ones."""
    shares = mean_over_seeds(study.shares)
    time = study.settling["settling_time"]
    found = [
        mean_over_seeds(study.dataset["output_rate"]),
        mean_over_seeds(study.dataset["mean_weight"]),
        *(
            shares.sel(range=limits, drop=True).assign_attrs(
                long_name=f"share of weights {limits}", units=""
            )
            for limits in shares["range"].values.tolist()
        ),
        mean_over_seeds(study.dataset["isi_cv"]),
        (time / 1000).assign_attrs(time.attrs | {"units": "s"}),
    ]
    return [quantity for quantity in found if quantity.notnull().any()]


def summary(study: MeasuredDataset) -> Table:
    """Return the numbers of each cell, a row each, or of many cells the ranges."""
    return by_cell(study) if study.done.size <= MOST_CELLS else ranges(study)


def by_cell(study: MeasuredDataset) -> Table:
    """Return the numbers at each combination of values, seeds pooled."""
    dataset = study.dataset
    rate, *others = quantities(study)
    interval = confidence_interval(dataset["output_rate"])
    heading = [
        *(label(dataset[axis]) for axis in study.swept),
        label(rate),
        *(["95 % interval", "Seeds done"] if study.has_seeds else []),
        *map(label, others),
        "Settled",
    ]
    rows = []
    for cell in np.ndindex(study.done.shape):
        place = dict(zip(study.done.dims, cell, strict=True))
        rows.append(
            [
                *(value_words(dataset[axis].drop_attrs(), i) for axis, i in place.items()),
                number(rate[place]),
                *_over_seeds(study, interval, place),
                *(number(quantity[place]) for quantity in others),
                _settled(study, place),
            ]
        )
    return heading, rows


def ranges(study: MeasuredDataset) -> Table:
    """Return least, largest and median of each quantity, and where it first takes them."""
    rows = []
    for quantity in quantities(study):
        row = [label(quantity)]
        for found in (quantity.argmin(...), quantity.argmax(...)):
            place = {dim: int(i) for dim, i in found.items()}
            row += [number(quantity[place]), named(quantity, place)]
        rows.append([*row, number(quantity.median())])
    return ["", "Least", "first at", "Largest", "first at", "Median"], rows


def number(value: xr.DataArray) -> str:
    """Return a number in four digits."""
    value = float(value)
    return f"{value:.4g}" if np.isfinite(value) else NOTHING


def _over_seeds(study: MeasuredDataset, interval: xr.DataArray, place: dict[str, int]) -> list[str]:
    """Return interval and number of seeds of a cell, nothing where no seeds were swept."""
    if not study.has_seeds:
        return []
    done = study.dataset["status"][place] == 0
    return [_interval(interval[place].values), f"{int(done.sum())} of {done.size}"]


def _interval(bounds: Sequence[float]) -> str:
    low, high = (f"{bound:.4g}" for bound in bounds)
    return f"{low} to {high}" if np.isfinite(bounds).all() else NOTHING


def _settled(study: MeasuredDataset, place: dict[str, int]) -> str:
    if not study.done[place]:
        return "not done"
    return "silent" if study.silent[place] else str(study.settling["settled"][place].item())
