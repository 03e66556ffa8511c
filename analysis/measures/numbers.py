"""Table of the measures of each parameter combination: mean, spread and interval over seeds."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from analysis.measures.measured import MeasuredDataset
from analysis.measures.pairing import pairing_change
from analysis.measures.seeds import (
    SEED,
    confidence_interval,
    mean_over_seeds,
    spread_over_seeds,
)
from analysis.reading.dataset import axes, broadcast_to
from analysis.reading.metadata import DONE

#: Name of the effective LTD ratio, in the file and in the table.
RATIO = "effective_ltd_ratio"

#: That of the Fano factor.
FANO = "late_fano_factor"


def quantities(measured: MeasuredDataset) -> dict[str, xr.DataArray]:
    """Return the measures of a dataset at each point, without those that are all NaN.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are reported.

    Returns
    -------
    dict of DataArray, (...)
        By the name of the variable in the file, or of `settling`: output rate [Hz], mean weight,
        its change by a pairing protocol, shares of weights, CV and Fano factor, dimensionless,
        along the swept axes; settling time [ms], along those without `seed`; of runs until they
        have settled also means over the last half, dimensionless, with standard errors, and
        `run_duration` [ms]. Of the whole run, where there are none of the last half, rate and CV
        have the names of those.
    """
    rate, cv, fano = measured.output_rate, measured.isi_cv, measured.fano_factor
    shares = measured.shares
    found = {
        str(rate.name): rate,
        "mean_weight": measured.mean_weight,
        "pairing_change": pairing_change(measured.dataset),
        **{
            f"share_{limits.replace(' ', '_')}": shares.sel(range=limits, drop=True).assign_attrs(
                long_name=f"share of weights {limits}", units=""
            )
            for limits in shares["range"].values.tolist()
        },
        str(cv.name): cv,
        **({} if fano is None else {str(fano.name): fano}),
        **_of_last_halves(measured, {str(rate.name), str(cv.name)}),
        "settling_time": measured.settling["settling_time"],
    }
    return {name: one for name, one in found.items() if one.notnull().any()}


def _of_last_halves(measured: MeasuredDataset, known: set[str]) -> dict[str, xr.DataArray]:
    """Return what only runs until they have settled have, by the name of the variable."""
    if not measured.until_settled:
        return {}
    dataset, swept = measured.dataset, set(axes(measured.dataset))
    names = [str(name) for name in dataset if str(name).startswith("late_")]
    known = known | {FANO}
    late = [name for name in names if name not in known and swept >= {*dataset[name].dims}]
    return {name: dataset[name].reset_coords(drop=True) for name in (*late, "run_duration")}


def is_statistic(name: str) -> bool:
    """Whether the mean of a measure over seeds has an interval: not of errors and durations."""
    return name != "run_duration" and not name.endswith("_error")


def seeds_done(measured: MeasuredDataset) -> xr.DataArray:
    """Return how many seeds of each parameter combination are done.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are reported.

    Returns
    -------
    DataArray of int, (...)
        Dimensionless, along the swept axes without `seed`.
    """
    done = measured.dataset["status"] == DONE
    number = done.sum(SEED) if measured.has_seeds else done.astype(int)
    return number.assign_attrs(long_name="number of seeds that are done")


def varying_ratio(measured: MeasuredDataset) -> xr.DataArray | None:
    """Return the effective LTD ratio where it differs between combinations and is no axis itself.

    Parameters
    ----------
    measured : MeasuredDataset
        The points that are reported.

    Returns
    -------
    DataArray, (...), or None
        Dimensionless, along the swept axes without `seed`; NaN where a rule has none.
    """
    ratio = measured.dataset[RATIO]
    if not ratio.ndim or RATIO in measured.swept or not ratio.notnull().any():
        return None
    return broadcast_to(ratio.reset_coords(drop=True), measured.done)


def numbers(dataset: xr.Dataset, where: Sequence[str] = ()) -> xr.Dataset:
    """Return the measures of each parameter combination; `to_dataframe()` makes a table of them.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.
    where : sequence of str
        `KEY=VALUE`: only the points at these values.

    Returns
    -------
    Dataset, (...)
        Along the swept axes without `seed`, or `point`, of length 1, where there are none, in the
        units of the attribute `units`, such as [Hz]: of each measure, such as `late_output_rate`,
        which is named as in the file, the mean over the seeds that are done; standard errors, such
        as `late_output_rate_error`, are those of one run, on average. Where there are
        several seeds, also `late_output_rate_spread`, the standard deviation over seeds, and
        `late_output_rate_low` and `late_output_rate_high`, the 95 % interval of the mean. Further
        the number of `seeds_done`, the effective LTD ratio where it differs, and whether rate and
        weights have `settled`.

    Raises
    ------
    ConditionError
        If there are no points at these values.
    """
    measured = MeasuredDataset.of(dataset, where)
    found: dict[str, xr.DataArray] = {}
    for name, variable in quantities(measured).items():
        found[name] = mean_over_seeds(variable)
        if SEED in variable.dims and variable.sizes[SEED] > 1 and is_statistic(name):
            interval = confidence_interval(variable)
            found[f"{name}_spread"] = spread_over_seeds(variable)
            found[f"{name}_low"] = interval.sel(bound="low", drop=True)
            found[f"{name}_high"] = interval.sel(bound="high", drop=True)
    ratio = varying_ratio(measured)
    found |= {"seeds_done": seeds_done(measured), "settled": measured.settling["settled"]}
    table = xr.Dataset(found if ratio is None else {RATIO: ratio} | found)
    return table if measured.swept else table.expand_dims("point")
