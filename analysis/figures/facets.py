"""Facets: one figure per value of the axes that a figure cannot show."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.measures.measured import MeasuredDataset
from analysis.plots.style import is_categorical
from analysis.reading.dataset import label, long_name, value_label
from analysis.reading.samples import SAMPLE, sampled_parameters
from analysis.reading.values import written

log = logging.getLogger("analysis")

#: Up to this many slices are drawn of one figure.
MAX_SLICES = 3

#: Up to this many lines are drawn in one panel.
MAX_LINES = 12


@dataclass(frozen=True)
class Slice:
    """The points of one figure.

    Attributes
    ----------
    name : str
        File name of the figure without suffix, such as "weights_tau_m=8.0".
    text : str
        The values of the sliced axes, for a title.
    where : tuple of str
        The same as `KEY=VALUE`, for the command line.
    measured : MeasuredDataset
        The points; it lacks the sliced axes.
    """

    name: str
    text: str
    where: tuple[str, ...]
    measured: MeasuredDataset


#: What is drawn, its figure, and a remark for the caption.
Figures = Iterator[tuple[Slice, Figure, str]]


def numeric_axes(measured: MeasuredDataset) -> list[str]:
    """Return the swept axes that a map can have: three or more numbers."""
    return [
        axis
        for axis in measured.swept
        if axis != SAMPLE
        and measured.dataset.sizes[axis] >= 3
        and not is_categorical(measured.dataset[axis])
    ]


def thinned(measured: MeasuredDataset, line: str | None) -> tuple[MeasuredDataset, str]:
    """Reduce an axis to as many values as can be told apart as lines.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are drawn.
    line : str or None
        The axis that is drawn as lines.

    Returns
    -------
    measured : MeasuredDataset
        In rising order of the axis, with at most `MAX_LINES` values.
    text : str
        Such as "12 of 15 values of Input rate (Hz)"; "" if all are kept.
    """
    if line is None:
        return measured, ""
    coordinate = measured.dataset[line]
    n = coordinate.size
    order = np.arange(n) if is_categorical(coordinate) else np.argsort(coordinate.values)
    if n <= MAX_LINES:
        return measured.isel({line: order}), ""
    order = order[np.linspace(0, n - 1, MAX_LINES).astype(int)]
    return measured.isel({line: order}), f"{order.size} of {n:,} values of {label(coordinate)}"


def slices(
    figure: str,
    measured: MeasuredDataset,
    dims: Sequence[str | None],
    has_data: xr.DataArray | None = None,
    suffix: str = "",
) -> Iterator[Slice]:
    """Yield a slice of the points at each combination of the values of some axes.

    Slices without data, as in a grid that was extended, are left out. Of more than `MAX_SLICES`,
    those are drawn in which weights have settled, else in which the neuron fires, and among equals
    those nearest to the middle of the axes; this is logged.

    Parameters
    ----------
    figure : str
        Name of the figure on the command line.
    measured : MeasuredDataset
        The points.
    dims : sequence of str or None
        The axes; None is ignored.
    has_data : DataArray of bool, (..., *dims), optional
        Where there is something to draw, dimensionless; by default where points are done.
    suffix : str
        Added to the name of the figure before the values.

    Yields
    ------
    Slice
        In the order of the axes.
    """
    sliced = [dim for dim in dims if dim]
    found = _anywhere(measured.done if has_data is None else has_data, sliced)
    indices = np.argwhere(found.values) if sliced else np.zeros((int(found), 0), dtype=int)
    if len(indices) > MAX_SLICES:
        first = np.lexsort(_preference(measured, sliced, indices))
        chosen, left = np.sort(first[:MAX_SLICES]), first[MAX_SLICES]
        other = _where(measured, sliced, indices[left])
        log.warning(
            "%s: %d of %d slices drawn; choose others as by --figure %s %s",
            figure + suffix,
            MAX_SLICES,
            len(indices),
            figure,
            shlex.join(word for condition in other for word in ("--where", condition)),
        )
        indices = indices[chosen]
    for index in indices:
        name, lines = figure + suffix, []
        for dim, i in zip(sliced, index, strict=True):
            coordinate = measured.dataset[dim]
            value = coordinate.values[i]
            name += f"_{dim}={value}"
            lines.append(f"{long_name(coordinate)}: {value_label(coordinate, value)}")
            if dim == SAMPLE:
                lines += _of_sample(measured.dataset, i)
        part = measured.isel(dict(zip(sliced, index, strict=True)))
        yield Slice(name, "\n".join(lines), _where(measured, sliced, index), part)


def _of_sample(dataset: xr.Dataset, i: int) -> list[str]:
    """Return the values of the parameters that a sample sets."""
    parameters = [dataset[name] for name in sampled_parameters(dataset)]
    return [f"{long_name(one)}: {value_label(one[i], one.values[i])}" for one in parameters]


def _anywhere(condition: xr.DataArray, dims: Sequence[str]) -> xr.DataArray:
    """Return where a condition holds at any point of a slice, `(*dims)`."""
    return condition.any([dim for dim in condition.dims if dim not in dims]).transpose(*dims)


def _preference(
    measured: MeasuredDataset, dims: Sequence[str], indices: NDArray
) -> tuple[NDArray, ...]:
    """Return the sort keys of slices, the last one first: settled, firing, in the middle."""
    settled = _anywhere(measured.at_equilibrium, dims).values[tuple(indices.T)]
    fires = _anywhere(measured.done & ~measured.silent, dims).values[tuple(indices.T)]
    sizes = np.array([measured.dataset.sizes[dim] for dim in dims])
    from_middle = np.square((indices - (sizes - 1) / 2) / sizes).sum(axis=1)
    return from_middle, ~fires, ~settled


def _where(measured: MeasuredDataset, dims: Sequence[str], index: NDArray) -> tuple[str, ...]:
    """Return what selects a slice as `KEY=VALUE`, as `--where` takes it."""
    coordinates = [measured.dataset[dim] for dim in dims]
    return tuple(
        f"{one.attrs.get('config_key', one.name)}={written(one.values[i].item())}"
        for one, i in zip(coordinates, index, strict=True)
    )
