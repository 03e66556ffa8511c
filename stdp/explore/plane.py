"""A measure over one or two axes of an experiment: what a map or a line shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures import weights
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import SEED, confidence_interval, mean_over_seeds
from analysis.plots.scales import colour_limits
from analysis.reading.dataset import label
from stdp.explore.experiment import AxisChoice, Experiment

#: The measures, by name: the attribute of `MeasuredDataset`, the smallest span of a colour scale,
#: as in the phase diagram of the figures, and the highest possible value.
MEASURES: dict[str, tuple[str, float, float]] = {
    "Output rate": ("output_rate", 2.0, np.inf),
    "Mean weight": ("mean_weight", 0.1, 1.0),
    "CV of output intervals": ("isi_cv", 0.1, np.inf),
    "Fano factor of output": ("fano_factor", 0.1, np.inf),
    "Bimodality of weights": ("bimodality", 0.1, 1.0),
}


@dataclass(frozen=True)
class Plane:
    """A measure over one or two axes, at the chosen values of all others.

    Attributes
    ----------
    label : str
        Long name and unit of the measure.
    values : ndarray, (n_x, n_y) or (n_x,)
        Means over seeds, in the order of `AxisChoice.texts`; NaN where no seed is done.
    silent : ndarray of bool, the same shape
        Where the neuron never fired.
    low, high : ndarray, (n_x,), or None
        Of one axis, the 95 % interval of the mean.
    limits : tuple of float
        Ends of the colour scale: of two axes, those of the whole experiment where the measure is
        one number per point.
    """

    label: str
    values: NDArray[np.float64]
    silent: NDArray[np.bool_]
    limits: tuple[float, float]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None


def measures_of(experiment: Experiment) -> list[str]:
    """Return the measures that an experiment has."""
    fano = experiment.measured.fano_factor
    has_fano = fano is not None and bool(fano.notnull().any())
    return [name for name in MEASURES if has_fano or MEASURES[name][0] != "fano_factor"]


def plane(
    experiment: Experiment,
    measure: str,
    axes: tuple[AxisChoice, ...],
    chosen: Mapping[str, int],
    seed: int | None = None,
) -> Plane:
    """Return a measure over one or two axes.

    Parameters
    ----------
    experiment : Experiment
        The experiment.
    measure : str
        One of `MEASURES`.
    axes : tuple of AxisChoice
        One or two axes.
    chosen : mapping of str to int
        Number of the value of each other axis; as for `Experiment.at`.
    seed : int, optional
        Number of one seed; the mean over all by default.
    """
    names = [axis.name for axis in axes]
    others = {
        axis.name: axis.order[chosen[axis.name]]
        for axis in experiment.axes
        if axis.name not in names
    }
    attribute, least, highest = MEASURES[measure]
    if attribute == "bimodality":  # of the weights, which are read of this plane only
        found = weights.bimodality(experiment.measured.dataset.isel(others))
        whole = found
    else:
        whole = getattr(experiment.measured, attribute)
        found = whole.isel(others)
    if seed is not None and experiment.seeds is not None:
        found = found.isel({SEED: experiment.seeds.order[seed]})
    order = {axis.name: list(axis.order) for axis in axes}
    limits = colour_limits(mean_over_seeds(whole), least, highest)
    interval = None
    if len(axes) == 1 and SEED in found.dims:
        bounds = confidence_interval(found).isel(order).transpose("bound", *names)
        interval = bounds.values
    silent = _silent(experiment.measured, others, seed, experiment).isel(order).transpose(*names)
    return Plane(
        label(found),
        mean_over_seeds(found).isel(order).transpose(*names).values.astype(float),
        silent.values,
        limits,
        None if interval is None else interval[0],
        None if interval is None else interval[1],
    )


def _silent(
    measured: MeasuredDataset, others: Mapping[str, int], seed: int | None, experiment: Experiment
) -> xr.DataArray:
    """Return where the neuron never fired, in any seed or in one."""
    if seed is None or experiment.seeds is None:
        return measured.silent.isel(others)
    one = measured.dataset[["spike_count", "status"]].isel(
        {**others, SEED: experiment.seeds.order[seed]}
    )
    return weights.silent(one)
