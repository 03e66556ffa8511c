"""Histories for figures: those of weights begin at the initial weight, at t = 0."""

from __future__ import annotations

import xarray as xr

from analysis.measures import weights
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import mean_over_seeds
from analysis.reading.dataset import axes, parameter
from analysis.reading.until import ends_when_settled


def weight_history(dataset: xr.Dataset) -> xr.DataArray:
    """Return the weights in time, from the initial weight on.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight_history` (..., sample_time, synapse), dimensionless.

    Returns
    -------
    DataArray, (..., sample_time, synapse)
        Dimensionless, with `sample_time` [ms] from 0 on; NaN where a point is not done.
    """
    return _begun(dataset["weight_history"], weights.initial_weight(dataset), dataset)


def mean_histories(measured: MeasuredDataset) -> list[xr.DataArray]:
    """Return the histories of mean weight, share of weak weights, output rate, share of strong.

    Parameters
    ----------
    measured : MeasuredDataset
        Points with `weight_history` and `rate_history`.

    Returns
    -------
    list of DataArray, (..., sample_time)
        Means over synapses and seeds, dimensionless and [Hz]; after the end of a run over those
        that went on. The rate, a mean over the time before a sample, has no value at t = 0.
    """
    dataset = measured.dataset
    shares = weights.shares_of(dataset["weight_history"], [*axes(dataset), "sample_time"])
    w_init = weights.initial_weight(dataset)
    first = {"below 0.1": w_init < 0.1, "above 0.9": w_init > 0.9}
    weak, strong = (
        _begun(
            mean_over_seeds(shares.sel({"range": limits}, drop=True)),
            _mean_over_synapses_and_seeds(initial.astype(float)),
            dataset,
        ).assign_attrs(long_name=f"share of weights {limits}")
        for limits, initial in first.items()
    )
    mean = _begun(
        weights.mean_weight_history(dataset), _mean_over_synapses_and_seeds(w_init), dataset
    )
    return [mean, weak, mean_over_seeds(dataset["rate_history"]), strong]


def _mean_over_synapses_and_seeds(values: xr.DataArray) -> xr.DataArray:
    by_run = values.mean("synapse") if "synapse" in values.dims else values
    return mean_over_seeds(by_run)


def _begun(history: xr.DataArray, initial: xr.DataArray, dataset: xr.Dataset) -> xr.DataArray:
    """Add the value at t = 0 to a history, unless its beginning was cut off."""
    times = history["sample_time"]
    interval = float(parameter(dataset, "record.weight_interval"))
    if ends_when_settled(dataset):  # samples are at doubling times, no nearer than the interval
        interval = float(times[1] - times[0]) if times.size > 1 else float(times[0])
    if not 0 < float(times[0]) <= interval:
        return history
    first = history.isel(sample_time=[0])
    at_zero = initial.reset_coords(drop=True).where(first.notnull())
    at_zero = at_zero.transpose(*first.dims).assign_coords(sample_time=[0.0])
    joined = xr.concat([at_zero, history], "sample_time").assign_attrs(history.attrs)
    joined["sample_time"].attrs = times.attrs
    return joined
