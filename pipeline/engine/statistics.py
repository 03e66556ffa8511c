"""Statistics of an output spike train, as numbers of a point."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

#: Length of the windows in which spikes are counted for the Fano factor [ms].
FANO_WINDOW = 1000.0


def late_statistics(spike_step: NDArray[np.integer], n_steps: int, dt: float) -> dict[str, float]:
    """Return the statistics of the output over the last half of a run.

    Parameters
    ----------
    spike_step : ndarray of int, (n_spikes,)
        Time steps of the output spikes, rising [dt].
    n_steps : int
        Time steps of the run. The last half begins with step `n_steps // 2`.
    dt : float
        Time step [ms].

    Returns
    -------
    dict of float
        By the names in `variables.VARIABLES`: rate [Hz], coefficient of variation of the interspike
        intervals and Fano factor, dimensionless.
    """
    first = n_steps // 2
    late = (
        spike_step[np.searchsorted(spike_step, first) :] - first if spike_step.size else spike_step
    )
    return {
        "late_output_rate": 1000 * late.size / ((n_steps - first) * dt),
        "late_isi_cv": isi_cv(late),
        "late_fano_factor": fano_factor(late, n_steps - first, round(FANO_WINDOW / dt)),
    }


def isi_cv(spike_step: NDArray[np.integer]) -> float:
    """Return the coefficient of variation of the interspike intervals.

    Parameters
    ----------
    spike_step : ndarray of int, (n_spikes,)
        Time steps of the output spikes, rising [dt].

    Returns
    -------
    float
        Standard deviation over mean, dimensionless; NaN below two intervals.
    """
    intervals = spike_step[1:] - spike_step[:-1]
    if intervals.size < 2:
        return math.nan
    mean = (spike_step[-1] - spike_step[0]) / intervals.size
    # No dot product: for long trains it would start BLAS threads, which compete with the workers.
    return math.sqrt(((intervals - mean) ** 2).sum() / intervals.size) / mean


def fano_factor(spike_step: NDArray[np.integer], n_steps: int, window: int) -> float:
    """Return the Fano factor of spike counts in consecutive windows.

    Unbiased variance over mean of the counts, whose expectation is 1 for a Poisson process: given
    their sum, the counts are multinomial.

    Parameters
    ----------
    spike_step : ndarray of int, (n_spikes,)
        Time steps of the spikes, rising, from the start of the first window [dt].
    n_steps : int
        Time steps from the start of the first window to the end; an incomplete window at the end is
        left out.
    window : int
        Time steps of a window.

    Returns
    -------
    float
        Dimensionless; NaN for fewer than two windows and without a spike.
    """
    n_windows = n_steps // window if window else 0
    if n_windows < 2 or not spike_step.size or spike_step[0] >= n_windows * window:
        return math.nan
    counts = np.bincount(spike_step // window, minlength=n_windows)[:n_windows]
    return float(counts.var(ddof=1) / counts.mean())
