"""Parts of a dataset, a figure each: what no axis of a figure can show."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from analysis.measures.measured import MeasuredDataset
from analysis.plots.style import has_words
from analysis.reading.dataset import label, long_name, value_label

log = logging.getLogger("analysis")

#: What no axis of a figure can show gets a figure per value, up to this many.
MOST_SLICES = 3

#: More values than this of a second axis are thinned out.
MOST_LINES = 12


def axes_of_numbers(study: MeasuredDataset) -> list[str]:
    """Return the axes that a map can have."""
    return [
        axis
        for axis in study.swept
        if study.dataset.sizes[axis] >= 3 and not has_words(study.dataset[axis])
    ]


def thinned(dataset: xr.Dataset, line: str | None) -> tuple[xr.Dataset, str]:
    """Leave out values of an axis of which there are too many to be told apart, and say so."""
    if line is None:
        return dataset, ""
    if not has_words(dataset[line]):
        dataset = dataset.sortby(line)
    if dataset.sizes[line] <= MOST_LINES:
        return dataset, ""
    n = dataset.sizes[line]
    chosen = np.unique(np.linspace(0, n - 1, MOST_LINES).astype(int))
    return dataset.isel({line: chosen}), f"{chosen.size} of {n} values of {label(dataset[line])}"


def slices(
    dataset: xr.Dataset, dims: Sequence[str | None], by: str | None = None
) -> Iterator[tuple[str, str, xr.Dataset]]:
    """Yield file suffix, words and data at each combination of the values of some axes.

    A sweep that has grown may have points nowhere near: left out is where `by`, the status, is
    nowhere 0, or where the first variable has no number.
    """
    dims = [dim for dim in dims if dim]
    first = next(iter(dataset.data_vars.values()))
    something = first.notnull() if by is None else dataset[by] == 0
    there = something.any([dim for dim in something.dims if dim not in dims]).transpose(*dims)
    places = np.argwhere(there.values) if dims else np.zeros((int(there), 0), dtype=int)
    if len(places) > MOST_SLICES:
        log.warning("%d figures of a kind: %d are drawn; see --where", len(places), MOST_SLICES)
        places = places[np.linspace(0, len(places) - 1, MOST_SLICES).astype(int)]
    for place in places:
        suffix, words = "", []
        for dim, i in zip(dims, place, strict=True):
            value = dataset[dim].values[i]
            suffix += f"_{dim}={value}"
            words.append(f"{long_name(dataset[dim])}: {value_label(dataset[dim], value)}")
        yield suffix, "\n".join(words), dataset.isel(dict(zip(dims, place, strict=True)))
