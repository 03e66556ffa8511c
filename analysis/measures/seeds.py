"""Statistics over seeds, which are repetitions: mean, standard deviation, confidence interval."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.reading.dataset import axes

SEED = "seed"

#: Attributes with the limits of a variable's possible values (CF conventions, section 2.5.1).
LOWEST, HIGHEST = "valid_min", "valid_max"

_N_RESAMPLES = 2000

#: With more seeds than this, of which the mean is normally distributed, none are resampled.
_MOST_RESAMPLED = 1000

#: Up to this many numbers are held at once of resampled seeds, and of means of resamples.
_MAX_HELD = 2_000_000


def swept_axes(dataset: xr.Dataset) -> list[str]:
    """Return the swept dimensions other than `seed`.

    Parameters
    ----------
    dataset : Dataset
        Results, with `status` (...), dimensionless, along all swept axes.

    Returns
    -------
    list of str
        In the order of the sweep.
    """
    return [axis for axis in axes(dataset) if axis != SEED]


def least_over_seeds(variable: xr.DataArray) -> xr.DataArray:
    """Return the minimum over seeds.

    Parameters
    ----------
    variable : DataArray, (..., seed)
        Any unit; `seed` may stand anywhere or be absent.

    Returns
    -------
    DataArray, (...)
        In the unit of the variable; the variable itself without `seed`.
    """
    return variable.min(SEED) if SEED in variable.dims else variable


def mean_over_seeds(variable: xr.DataArray) -> xr.DataArray:
    """Return the mean over seeds.

    Parameters
    ----------
    variable : DataArray, (..., seed)
        Any unit; NaN where a point is not done. `seed` may stand anywhere or be absent.

    Returns
    -------
    DataArray, (...)
        Mean of the seeds that are done, in the unit of the variable; the variable itself without
        `seed`.
    """
    if SEED not in variable.dims:
        return variable
    return variable.mean(SEED, keep_attrs=True)


def spread_over_seeds(variable: xr.DataArray) -> xr.DataArray:
    """Return the sample standard deviation over seeds.

    Parameters
    ----------
    variable : DataArray, (..., seed)
        Any unit; NaN where a point is not done. `seed` may stand anywhere or be absent.

    Returns
    -------
    DataArray, (...)
        In the unit of the variable; NaN for fewer than two seeds.
    """
    if SEED not in variable.dims or variable.sizes[SEED] < 2:
        without = variable.isel({SEED: 0}, drop=True) if SEED in variable.dims else variable
        return xr.full_like(without, np.nan, dtype=float)
    done = variable.notnull()
    n_done = done.sum(SEED)
    squares = (variable - variable.mean(SEED)) ** 2
    # Where one seed is done, `std` would give 0 / 0 and, before xarray 2026.9, a warning.
    variance = squares.where(done, 0).sum(SEED, skipna=False) / (n_done - 1).where(n_done > 1)
    return (variance**0.5).assign_attrs(variable.attrs)


def confidence_interval(variable: xr.DataArray, level: float = 0.95) -> xr.DataArray:
    """Return the bootstrap confidence interval of the mean over seeds.

    Percentiles of the means of resampled seeds (Efron & Tibshirani 1993, An Introduction to the
    Bootstrap, chapter 13). As these intervals are too narrow for few seeds, deviations are widened
    by sqrt(n / (n - 1)) and by the ratio of Student's quantile to the normal one (the expanded
    percentile interval of Hesterberg 2015, The American Statistician 69:371). The random numbers
    are fixed, and the same for all points. For more than 1,000 seeds it is Student's interval.

    Parameters
    ----------
    variable : DataArray, (..., seed)
        Any unit; NaN where a point is not done. `seed` may stand anywhere or be absent. Its
        attributes `valid_min` and `valid_max`, if any, are the limits of its possible values.
    level : float
        Coverage, dimensionless, between 0 and 1.

    Returns
    -------
    DataArray, (..., bound)
        The bounds "low" and "high" in the unit of the variable, within its limits; NaN for fewer
        than three seeds.
    """
    mean = mean_over_seeds(variable)
    bounds = xr.DataArray(["low", "high"], dims="bound")
    if SEED not in variable.dims:
        empty = xr.full_like(variable, np.nan, dtype=float)
        return empty.expand_dims(bound=bounds.values, axis=-1)
    rows = variable.transpose(*mean.dims, SEED).values.astype(float)
    limits = (variable.attrs.get(LOWEST, -np.inf), variable.attrs.get(HIGHEST, np.inf))
    interval = _intervals(rows.reshape(-1, rows.shape[-1]), level).clip(*limits)
    return xr.DataArray(
        interval.reshape(*mean.shape, 2),
        dims=[*mean.dims, "bound"],
        coords=dict(mean.coords) | {"bound": bounds.values},
        attrs=variable.attrs,
    )


def paired_difference(
    variable: xr.DataArray, axis: str, reference: float | str | None = None
) -> xr.Dataset:
    """Return how a variable differs between values of an axis, seed by seed.

    The points of a sweep share their seeds: at neighbouring points a seed is the same input noise,
    and much of what it does to the variable cancels in the difference (common random numbers; Law
    2015, Simulation Modeling and Analysis, section 11.2). Where it does, the interval of the
    difference is narrower than those of the two means suggest.

    Parameters
    ----------
    variable : DataArray, (..., axis, seed)
        Any unit; NaN where a point is not done. Its dimensions may be in any order.
    axis : str
        The dimension along which values are compared.
    reference : number or str, optional
        The value of `axis` with which all others are compared; by default each value is compared
        with the one before it.

    Returns
    -------
    Dataset, (..., axis)
        In the unit of the variable: `difference`, the mean over the seeds that are done at both
        values, and `interval` (..., axis, bound), its 95 % bootstrap interval, NaN for fewer than
        three of them. Without a reference `axis` begins with its second value.

    Raises
    ------
    KeyError
        If the axis has no such value, or the variable no such axis.
    """
    if axis not in variable.dims:
        raise KeyError(f"{axis}: must be one of {', '.join(map(str, variable.dims))}")
    if reference is None:
        each = (variable - variable.shift({axis: 1})).isel({axis: slice(1, None)})
        versus = "the value before"
    else:
        each = variable - variable.sel({axis: reference}, drop=True)
        versus = f"{axis} = {reference}"
    name = f"difference of {variable.attrs.get('long_name', variable.name)} from {versus}"
    each.attrs = {
        key: value for key, value in variable.attrs.items() if key not in (LOWEST, HIGHEST)
    } | {"long_name": name}
    return xr.Dataset({"difference": mean_over_seeds(each), "interval": confidence_interval(each)})


def _intervals(rows: NDArray, level: float) -> NDArray:
    """Return low and high of each row, `(n_rows, 2)`; NaN values of a row are left out."""
    interval = np.full((len(rows), 2), np.nan)
    done = np.isfinite(rows)
    n_done = done.sum(axis=1)
    tail = (1 - level) / 2
    # Rows with equal numbers of values are resampled together, with the same random numbers.
    for n in np.unique(n_done[n_done >= 3]).tolist():
        (chosen,) = np.nonzero(n_done == n)
        if n > _MOST_RESAMPLED:
            mean, spread = np.nanmean(rows[chosen], axis=1), np.nanstd(rows[chosen], axis=1, ddof=1)
            half = _student_quantile(1 - tail, n - 1) * spread / np.sqrt(n)
            interval[chosen] = np.stack([mean - half, mean + half], axis=1)
            continue
        for start in range(0, len(chosen), _MAX_HELD // _N_RESAMPLES):
            some = chosen[start : start + _MAX_HELD // _N_RESAMPLES]
            values = rows[some][done[some]].reshape(-1, n)
            mean = values.mean(axis=1, keepdims=True)
            means = mean + _widening(n, level) * _deviations_of_resamples(values - mean)
            interval[some] = np.quantile(means, [tail, 1 - tail], axis=1).T
    return interval


def _deviations_of_resamples(deviations: NDArray) -> NDArray:
    """Return the mean of each resample of rows of deviations, `(n_rows, _N_RESAMPLES)`.

    Resamples are drawn some at a time: a generator's successive draws are those of one call.
    """
    n = deviations.shape[1]
    generator, share = np.random.default_rng(n), np.full(n, 1 / n)
    means = np.empty((len(deviations), _N_RESAMPLES))
    step = max(1, _MAX_HELD // n)
    for start in range(0, _N_RESAMPLES, step):
        block = means[:, start : start + step]
        draws = generator.multinomial(n, share, block.shape[1]) / n
        block[:] = deviations @ draws.T
    return means


def _widening(n: int, level: float) -> float:
    """Return the correction factor for the spread of means of n resampled values."""
    tail = (1 + level) / 2
    return np.sqrt(n / (n - 1)) * _student_quantile(tail, n - 1) / NormalDist().inv_cdf(tail)


def _student_quantile(probability: float, freedom: int) -> float:
    """Return the quantile of Student's t for a probability above 1/2.

    With t = sqrt(freedom) tan(angle) the density is cos(angle)^(freedom - 1).
    """
    angle = np.linspace(0, np.pi / 2, 20_001)
    density = np.cos(angle) ** (freedom - 1)
    cumulative = np.concatenate([[0], np.cumsum(density[1:] + density[:-1])])
    found = np.interp(2 * probability - 1, cumulative / cumulative[-1], angle)
    return float(np.sqrt(freedom) * np.tan(found))
