"""Statistics of the output over the last half of each run, the window of figures and report.

They are variables of the file, which the pipeline computes from the spikes of each run. Of points
that have none, in files of earlier versions, they are computed from the spike times or, for the
rate, from its history; where neither is recorded, the statistics are those of the whole run,
transient included, and their names say so.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis.measures import spike_trains
from analysis.reading.metadata import DONE
from analysis.reading.until import run_durations

#: Window of a statistic, for the end of its name.
LAST_HALF, WHOLE_RUN = "last half of the run", "whole run, transient included"

#: Fewest windows of a Fano factor. Of n windows of a Poisson process, it has the standard deviation
#: sqrt(2 / (n - 1)) (Eden & Kramer 2010, J Neurosci Methods 190:149): 1.4 for two, 0.47 for ten.
MIN_WINDOWS = 10


def output_rate(dataset: xr.Dataset) -> xr.DataArray:
    """Return the output firing rate over the last half of each run.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` (...), dimensionless, and `late_output_rate` (...) [Hz]; else with
        `spike_time` (..., spike) [ms], `rate_history` (..., sample_time) [Hz] or `output_rate`
        (...) [Hz].

    Returns
    -------
    DataArray, (...)
        Rate [Hz] along all axes of the sweep; the attribute `long_name` states the window.
    """
    if _all_recorded(dataset):
        return dataset["late_output_rate"]
    if "spike_time" in dataset:
        computed = spike_trains.mean_firing_rate(dataset, _halves(dataset))
    elif "rate_history" in dataset:
        computed = _from_history(dataset)
    else:
        return _without_late(dataset, "late_output_rate", "output_rate")
    return _completed(dataset, "late_output_rate", computed)


def isi_cv(dataset: xr.Dataset) -> xr.DataArray:
    """Return the coefficient of variation of output intervals over the last half of each run.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` and `late_isi_cv` (...), dimensionless; else with `spike_time`
        (..., spike) [ms] or `isi_cv` (...), dimensionless.

    Returns
    -------
    DataArray, (...)
        Dimensionless, along all axes of the sweep; NaN below three spikes. The attribute
        `long_name` states the window.
    """
    if _all_recorded(dataset):
        return dataset["late_isi_cv"]
    if "spike_time" in dataset:
        computed = spike_trains.cv(dataset, _halves(dataset))
        return _completed(dataset, "late_isi_cv", computed)
    return _without_late(dataset, "late_isi_cv", "isi_cv")


def fano_factor(dataset: xr.Dataset) -> xr.DataArray | None:
    """Return the Fano factor of output spike counts in 1 s over the last half of each run.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` and `late_fano_factor` (...), dimensionless; else with `spike_time`
        (..., spike) [ms].

    Returns
    -------
    DataArray, (...), or None
        Dimensionless, along all axes of the sweep; NaN without a spike and for fewer than
        `MIN_WINDOWS` counts, also where the file has a number. None if neither is recorded. The
        attribute `long_name` states the window.
    """
    factor = _fano_factor(dataset)
    if factor is None:
        return None
    start, end, dt = _halves(dataset), run_durations(dataset), spike_trains.time_step(dataset)
    n_windows = spike_trains.n_windows(start, end, dt, spike_trains.WINDOW)
    return factor.where(n_windows >= MIN_WINDOWS).transpose(*factor.dims)


def _fano_factor(dataset: xr.Dataset) -> xr.DataArray | None:
    """Return the Fano factor of any number of windows."""
    if _all_recorded(dataset):
        return dataset["late_fano_factor"]
    if "spike_time" in dataset:
        computed = spike_trains.fanofactor(dataset, t_start=_halves(dataset))
        return _completed(dataset, "late_fano_factor", computed)
    return dataset.get("late_fano_factor")


def _recorded(dataset: xr.Dataset) -> xr.DataArray:
    """Return where the statistics are recorded: where the rate is a number."""
    if "late_output_rate" not in dataset:
        return xr.zeros_like(dataset["status"], dtype=bool)
    return dataset["late_output_rate"].notnull()


def _all_recorded(dataset: xr.Dataset) -> bool:
    """Whether the statistics are recorded of all points that are done."""
    lacking = (dataset["status"] == DONE) & ~_recorded(dataset)
    return "late_output_rate" in dataset and not bool(lacking.any())


def _completed(dataset: xr.Dataset, name: str, computed: xr.DataArray) -> xr.DataArray:
    """Return a statistic where it is recorded, elsewhere as computed."""
    computed = _named(computed, LAST_HALF).rename(name)
    if name not in dataset:
        return computed
    return dataset[name].where(_recorded(dataset), computed)


def _without_late(dataset: xr.Dataset, name: str, whole: str) -> xr.DataArray:
    """Return a statistic where it is recorded; if it is nowhere, that of the whole run."""
    if bool(_recorded(dataset).any()):
        return dataset[name]
    return _named(dataset[whole], WHOLE_RUN)


def _halves(dataset: xr.Dataset) -> xr.DataArray:
    """Return the time at which the last half of each run begins [ms], at a time step."""
    duration = run_durations(dataset)
    dt = spike_trains.time_step(dataset)
    n_steps = np.round(duration / dt)
    return xr.where(dt > 0, n_steps // 2 * dt, duration / 2)


def _from_history(dataset: xr.Dataset) -> xr.DataArray:
    """Return the mean of the history over the intervals that lie in the last half of the run."""
    history, end = dataset["rate_history"], dataset["sample_time"]
    interval = end - end.shift(sample_time=1, fill_value=0.0)
    inside = end - interval >= _halves(dataset) - 1e-6 * interval
    rate = history.where(inside).mean("sample_time")
    return rate.transpose(*dataset["status"].dims).assign_attrs(history.attrs)


def _named(statistic: xr.DataArray, window: str) -> xr.DataArray:
    name = f"{statistic.attrs.get('long_name', statistic.name)}, {window}"
    return statistic.assign_attrs(long_name=name)
