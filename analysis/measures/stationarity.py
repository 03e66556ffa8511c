"""Stationarity of one run: what is still to come of its output rate and of its weights.

The means over the last half of a run, from T/2 to T, are compared with those over the quarter
before, from T/4 to T/2. Weights drift ever more slowly, over decades of time: a change that looks
small between two windows of one length may go on for a hundred times that length. Between windows
that double, such a drift keeps its size. What is still to come is therefore bounded by the last
change, without what is expected of it by chance, carried on over the next four doublings, plus
one and a half times its sampling error. A run has settled if this bound is within the tolerance
for each of `QUANTITIES`.

Rate and weights need not go one way, and at a turning point two windows are alike. The window
before them, from T/8 to T/4, must therefore differ from the last one by the tolerance at most, too.

The sampling errors are those of batch means (Law 2015, Simulation Modeling and Analysis, section
9.5.3), of a process with long memory (Beran 1994, Statistics for Long-Memory Processes, chapter 1).

This module uses numpy only, and one run at a time: a simulation can call it as well as an analysis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

SETTLED = "settled"
NOT_SETTLED = "not settled"
UPPER_BOUND = "at the upper bound"
LOWER_BOUND = "at the lower bound"
FROZEN = "frozen"
CANNOT_FIRE = "cannot fire"
NO_SPIKE = "no output spike"
NOT_RECORDED = "not recorded"

#: Answers at which nothing changes any more.
STATIONARY = (SETTLED, UPPER_BOUND, LOWER_BOUND, FROZEN)

#: What is judged: the five first columns of the statistics, and the total variation of the rest.
QUANTITIES = (
    "output rate",
    "mean weight",
    "share of weights below 0.1",
    "share of weights above 0.5",
    "share of weights above 0.9",
    "histogram of weights",
)

#: Largest change still to come of the mean weight and of a share.
TOLERANCE = 0.05

#: The same of the histogram, as total variation.
HISTOGRAM_TOLERANCE = 0.1

#: The same of the output rate, as a fraction of it, and in Hz where the rate is low.
RATE_TOLERANCE = 0.2
RATE_FLOOR = 0.2

#: The last change is carried on over this many doublings.
DOUBLINGS = 4

#: All answers, and what each says of a run.
ANSWERS = {
    SETTLED: "what may still be to come is within the tolerances",
    UPPER_BOUND: "settled, with all weights within 0.1 of the upper bound",
    LOWER_BOUND: "settled, with all weights within 0.1 of the lower bound",
    FROZEN: "the rule changes no weight",
    CANNOT_FIRE: "without input the threshold is out of reach, however long the run",
    NO_SPIKE: "in the last half of the run: a rate below three spikes in that time, no equilibrium",
    NOT_SETTLED: "longer runs or more seeds are needed",
    NOT_RECORDED: "fewer than 16 samples of the weights, or their beginning was cut off",
}

#: Sampling errors that are added.
_N_ERRORS = 1.5

#: The power of the length with which the variance of a mean falls, of each of `QUANTITIES`: at
#: these, 95 % intervals cover the means of later windows (`make settle`).
FALLS = np.array([0.4, 0.6, 1.0, 0.4, 1.0, 1.0])

#: Least standard error of each: weights of which none moved for a time may move later.
_LEAST_ERROR = np.array([0.0, 0.001, 0.001, 0.001, 0.001, 0.001])

#: Gross change per synapse, the sum of the sizes of all steps, without which a window says nothing.
MIN_PLASTICITY = 5.0

#: Share of weights beyond 0.9, or below 0.1, that counts as all.
_ALL = 0.99

MIN_SAMPLES = 16
_N_BATCHES = 8
_N_BINS = 25
_RATE, _MEAN, _WEAK, _UPPER, _STRONG = range(5)
_N_SCALARS = 5

#: Weights are read as integers of this many per unit, with limits between two of them, so that
#: differences by rounding, as between two engines, decide nothing.
_LATTICE = 1_000_000


@dataclass(frozen=True)
class Windows:
    """Means over the last windows of one run, or of several.

    Attributes
    ----------
    means : ndarray, (3, n_statistics)
        Over the last half, the quarter and the eighth before: output rate [Hz]; mean weight, shares
        below 0.1, above 0.5 and above 0.9, and histogram, dimensionless.
    error : ndarray, (n_statistics,)
        Standard error of the first, in the same units.
    errors : ndarray, (2, n_statistics)
        Standard errors of the differences of the first from the other two, in the same units.
    plasticity : float
        Gross weight change per synapse in the last window, dimensionless.
    firing : float
        Fraction of the runs with an output spike in the last window.
    plastic : bool
        Whether the rule changes any weight.
    """

    means: NDArray[np.float64]
    error: NDArray[np.float64]
    errors: NDArray[np.float64]
    plasticity: float
    firing: float
    plastic: bool


@dataclass(frozen=True)
class Judgement:
    """Whether a run has settled.

    Attributes
    ----------
    answer : str
        One of `ANSWERS`.
    to_come : ndarray, (n_quantities,)
        Bound on what is still to come of each of `QUANTITIES`, as a multiple of its tolerance,
        dimensionless; NaN where it was not recorded.
    """

    answer: str
    to_come: NDArray[np.float64]


def weight_statistics(weight: ArrayLike) -> NDArray[np.float64]:
    """Return mean weight, shares and histogram of each sample of the weights.

    Parameters
    ----------
    weight : array_like, (n_samples, n_synapses)
        Weights in [0, 1], dimensionless.

    Returns
    -------
    ndarray, (n_samples, 4 + n_bins)
        Mean, shares below 0.1, above 0.5 and above 0.9, fractions in equal bins over [0, 1],
        dimensionless.
    """
    on_lattice = np.rint(np.asarray(weight, dtype=np.float64) * _LATTICE).astype(np.int32)
    n_samples, n_synapses = on_lattice.shape
    tenths = _LATTICE // 10
    columns = [
        on_lattice.mean(axis=1) / _LATTICE,
        np.count_nonzero(on_lattice < tenths, axis=1) / n_synapses,
        np.count_nonzero(on_lattice > 5 * tenths, axis=1) / n_synapses,
        np.count_nonzero(on_lattice > 9 * tenths, axis=1) / n_synapses,
    ]
    first_bins = _N_BINS * np.arange(n_samples)[:, np.newaxis]
    bins = first_bins + np.minimum(on_lattice * _N_BINS // _LATTICE, _N_BINS - 1)
    counts = np.bincount(bins.ravel(), minlength=n_samples * _N_BINS)
    return np.column_stack([*columns, counts.reshape(n_samples, _N_BINS) / n_synapses])


def compared(
    time: ArrayLike, rate: ArrayLike, weights: NDArray[np.float64], step_per_spike: float
) -> Windows | None:
    """Compare the last half of a run with the quarter before.

    Parameters
    ----------
    time : array_like, (n_samples,)
        Times of the samples [ms], rising, equally spaced within each window.
    rate : array_like, (n_samples,)
        Output rate since the sample before [Hz].
    weights : ndarray, (n_samples, n)
        As of `weight_statistics`, dimensionless.
    step_per_spike : float
        Gross weight change per synapse and output spike, dimensionless: the mean sizes of all
        steps that a synapse makes from one output spike to the next, added up; NaN if unknown.

    Returns
    -------
    Windows or None
        None for fewer than `MIN_SAMPLES` samples, or if the first eighth of the time has none: a
        history that was cut in time may lack a window.
    """
    time = np.asarray(time, dtype=np.float64)
    if time.size < MIN_SAMPLES or time[0] > time[-1] / 8:
        return None
    series = np.column_stack([rate, weights])
    end = time[-1]
    windows = [series[(time > end / 2 ** (i + 1)) & (time <= end / 2**i)] for i in range(3)]
    means, errors = (np.array(each) for each in zip(*map(batch_means, windows), strict=True))
    n_spikes = means[0, _RATE] * end / 2000
    return Windows(
        means,
        errors[0],
        np.hypot(errors[0], errors[1:]),
        step_per_spike * n_spikes,
        firing=float(n_spikes > 0),
        plastic=step_per_spike != 0,  # unknown, NaN, of spikes that were given
    )


def mean_of(runs: Sequence[Windows]) -> Windows:
    """Return the means over several runs that differ by their seeds.

    Parameters
    ----------
    runs : sequence of Windows
        At least one.

    Returns
    -------
    Windows
        Means, with standard errors from those of the runs or from their spread, whichever are
        larger: batches of one run do not show what changes more slowly than the run is long.
    """
    means, errors = np.array([run.means for run in runs]), np.array([run.errors for run in runs])
    return Windows(
        means.mean(axis=0),
        _error_of_mean(means[:, 0], np.array([run.error for run in runs])),
        _error_of_mean(means[:, :1] - means[:, 1:], errors),
        float(np.mean([run.plasticity for run in runs])),
        firing=float(np.mean([run.firing for run in runs])),
        plastic=any(run.plastic for run in runs),
    )


def _error_of_mean(values: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard error of the mean of runs, `(...)`, from `(n_runs, ...)`."""
    n = len(values)
    within = np.sqrt((errors**2).sum(axis=0)) / n
    return np.maximum(within, values.std(axis=0, ddof=1) / math.sqrt(n)) if n > 1 else within


def judged(windows: Windows | None, tolerance: float = TOLERANCE) -> Judgement:
    """Tell whether one run has settled, or the mean of several.

    Parameters
    ----------
    windows : Windows or None
        As from `compared` or `mean_of`.
    tolerance : float
        Of the mean weight and the shares, dimensionless; the others are in proportion to it.

    Returns
    -------
    Judgement
        Its answer and the bounds on what is still to come.
    """
    if windows is None:
        return Judgement(NOT_RECORDED, np.full(len(QUANTITIES), np.nan))
    to_come = _to_come(windows) * (TOLERANCE / tolerance)
    return Judgement(_answer(windows, to_come), to_come)


def _answer(windows: Windows, to_come: NDArray[np.float64]) -> str:
    if windows.firing == 0:
        return NO_SPIKE
    if not windows.plastic:
        return FROZEN
    if windows.firing < 1 or windows.plasticity < MIN_PLASTICITY:  # False if it is unknown
        return NOT_SETTLED
    if to_come.max() > 1:
        return NOT_SETTLED
    for answer, column in ((UPPER_BOUND, _STRONG), (LOWER_BOUND, _WEAK)):
        if windows.means[:2, column].min() >= _ALL:
            return answer
    return SETTLED


def _to_come(windows: Windows) -> NDArray[np.float64]:
    """Return the bounds on what is still to come, as multiples of the tolerances."""
    last, *others = windows.means
    change, error = _without_chance(last - others[0], windows.errors[0])
    turn, _ = _without_chance(last - others[1], windows.errors[1])
    return np.maximum(DOUBLINGS * change + _N_ERRORS * error, turn) / tolerances(last)


def _without_chance(difference: NDArray, error: NDArray) -> tuple[NDArray, NDArray]:
    """Return the size of each quantity's difference beyond what chance gives, and its error."""
    # Squares of differences contain those of their errors, which carried on would exceed all else.
    size = by_quantity(np.abs(difference), variation)
    by_chance = by_quantity(error, variation_by_chance)
    return np.sqrt(np.maximum(size**2 - by_chance**2, 0)), by_chance


def tolerances(last: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the tolerance of each of `QUANTITIES`.

    Parameters
    ----------
    last : ndarray, (n_statistics,)
        Means over the last window, as of `Windows` [Hz, dimensionless].

    Returns
    -------
    ndarray, (n_quantities,)
        In their units [Hz, dimensionless].
    """
    of_rate = max(RATE_TOLERANCE * float(last[_RATE]), RATE_FLOOR)
    return np.array([of_rate, *[TOLERANCE] * (_N_SCALARS - 1), HISTOGRAM_TOLERANCE])


def by_quantity(
    statistics: NDArray[np.float64], of_bins: Callable[[NDArray[np.float64]], float]
) -> NDArray[np.float64]:
    """Return the scalars, and one number for the histogram.

    Parameters
    ----------
    statistics : ndarray, (n_statistics,)
        As of `Windows`, in their units.
    of_bins : callable
        Of the histogram.

    Returns
    -------
    ndarray, (n_quantities,)
        Of each of `QUANTITIES`, in its unit.
    """
    return np.append(statistics[:_N_SCALARS], of_bins(statistics[_N_SCALARS:]))


def variation(difference: NDArray[np.float64]) -> float:
    """Return the total variation between two histograms.

    Parameters
    ----------
    difference : ndarray, (n_bins,)
        Sizes of their differences, dimensionless.
    """
    return float(difference.sum()) / 2


def variation_by_chance(error: NDArray[np.float64]) -> float:
    """Return the total variation by chance: half the mean sizes of normal deviates.

    Parameters
    ----------
    error : ndarray, (n_bins,)
        Standard errors of the differences, dimensionless.
    """
    return float(error.sum()) / math.sqrt(2 * math.pi)


def batch_means(
    series: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the means of a series, and their standard errors, from the means of batches in time.

    Rate and weights fluctuate on all time scales: of such a process the variance of a mean falls
    more slowly than with the length, as its power -beta. The variance between n batches of a window
    lacks what changes more slowly than the window is long, and is that of a batch times
    1 - n^-beta, that of the window's mean times n^beta - 1.

    Parameters
    ----------
    series : ndarray, (n_samples, n_statistics)
        Output rate [Hz], then statistics of the weights, dimensionless; two samples or more. Of
        fewer samples than batches, each is one.

    Returns
    -------
    mean, error : ndarray, (n_statistics,)
        In the units of the series.
    """
    n_batches = min(_N_BATCHES, len(series))
    size = len(series) // n_batches
    kept = series[len(series) - size * n_batches :]
    batches = np.add.reduce(kept.reshape(n_batches, size, -1), axis=1) / size
    mean = np.add.reduce(batches, axis=0) / n_batches
    variance = np.add.reduce((batches - mean) ** 2, axis=0) / n_batches
    n_bins = series.shape[1] - _N_SCALARS
    falls, least = np.repeat([FALLS, _LEAST_ERROR], [1] * _N_SCALARS + [n_bins], axis=1)
    least[_N_SCALARS:] /= max(n_bins, 1)
    return mean, np.hypot(np.sqrt(variance / (n_batches**falls - 1)), least)
