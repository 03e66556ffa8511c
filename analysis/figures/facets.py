"""Facets: one figure per value of the axes that a figure cannot show."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from analysis.measures.measured import MeasuredDataset
from analysis.plots.style import is_categorical
from analysis.reading.dataset import label, long_name, value_label
from analysis.reading.metadata import DONE

log = logging.getLogger("analysis")

#: Up to this many slices are drawn of one figure.
MAX_SLICES = 3

#: Up to this many lines are drawn in one panel.
MAX_LINES = 12


def numeric_axes(measured: MeasuredDataset) -> list[str]:
    """Return the swept axes that a map can have: three or more numbers."""
    return [
        axis
        for axis in measured.swept
        if measured.dataset.sizes[axis] >= 3 and not is_categorical(measured.dataset[axis])
    ]


def thinned(dataset: xr.Dataset, line: str | None) -> tuple[xr.Dataset, str]:
    """Reduce an axis to as many values as can be told apart as lines.

    Parameters
    ----------
    dataset : Dataset, (..., [line])
        What is drawn, in any unit.
    line : str or None
        The axis that is drawn as lines.

    Returns
    -------
    dataset : Dataset, (..., [line])
        In rising order of the axis, with at most `MAX_LINES` values, in the same unit.
    text : str
        Such as "12 of 15 values of Input rate (Hz)"; "" if all are kept.
    """
    if line is None:
        return dataset, ""
    if not is_categorical(dataset[line]):
        dataset = dataset.sortby(line)
    n = dataset.sizes[line]
    if n <= MAX_LINES:
        return dataset, ""
    chosen = _spread(n, MAX_LINES)
    return dataset.isel({line: chosen}), f"{chosen.size} of {n} values of {label(dataset[line])}"


def slices(
    name: str, dataset: xr.Dataset, dims: Sequence[str | None], by: str | None = None
) -> Iterator[tuple[str, str, xr.Dataset]]:
    """Yield a slice of a dataset at each combination of the values of some axes.

    Slices without data, as in a grid that was extended, are left out; of more than `MAX_SLICES`
    some are chosen, which is logged.

    Parameters
    ----------
    name : str
        Of the figure.
    dataset : Dataset, (..., *dims)
        What is drawn, in any unit.
    dims : sequence of str or None
        The axes; None is ignored.
    by : str, optional
        The variable `status`: a slice has data if it is `DONE` anywhere. By default, if the first
        variable is not NaN anywhere.

    Yields
    ------
    name : str
        Of the figure of the slice, such as "weights_tau_m=8.0".
    text : str
        The values, for a title.
    part : Dataset, (...)
        The slice, in the same unit.
    """
    dims = [dim for dim in dims if dim]
    first = next(iter(dataset.data_vars.values()))
    has_data = first.notnull() if by is None else dataset[by] == DONE
    found = has_data.any([dim for dim in has_data.dims if dim not in dims]).transpose(*dims)
    indices = np.argwhere(found.values) if dims else np.zeros((int(found), 0), dtype=int)
    if len(indices) > MAX_SLICES:
        n = len(indices)
        log.warning("%s: %d of %d slices drawn; choose others with --where", name, MAX_SLICES, n)
        indices = indices[_spread(n, MAX_SLICES)]
    for index in indices:
        suffix, lines = "", []
        for dim, i in zip(dims, index, strict=True):
            value = dataset[dim].values[i]
            suffix += f"_{dim}={value}"
            lines.append(f"{long_name(dataset[dim])}: {value_label(dataset[dim], value)}")
        part = dataset.isel(dict(zip(dims, index, strict=True)))
        yield f"{name}{suffix}", "\n".join(lines), part


def _spread(n: int, most: int) -> np.ndarray:
    """Return `most` indices below n, evenly spread, the first and the last among them."""
    return np.linspace(0, n - 1, most).astype(int)
