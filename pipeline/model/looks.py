"""Times at which a run until it has settled is looked at, and its weights are sampled.

They are the same for all runs, whatever their limit: powers of 2 times the first, with equally
spaced samples in between. The number of samples grows with the logarithm of the time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

#: The first time [ms].
FIRST_LOOK = 16_000.0

#: Samples of the weights from one time to the next.
SAMPLES_PER_LOOK = 16

#: Shortest time from one sample to the next [ms].
SAMPLE_SPACING = FIRST_LOOK / SAMPLES_PER_LOOK


def last_look(limit: float) -> float:
    """Return the last time [ms] that is not after a limit [ms], 0 where there is none."""
    return max(looks_until(limit), default=0.0)


def first_look(minimum: float) -> float:
    """Return the first time [ms] that is not before another [ms]."""
    return next(look for look in _looks() if look >= minimum)


def looks_until(limit: float) -> list[float]:
    """Return the times [ms] that are not after a limit [ms], rising."""
    return list(itertools.takewhile(lambda look: look <= limit, _looks()))


def sample_times(limit: float, interval: float = 0.0) -> NDArray[np.float64]:
    """Return the times of samples up to the last look.

    Parameters
    ----------
    limit : float
        Longest duration of a run [ms].
    interval : float
        Least interval between samples [ms].

    Returns
    -------
    ndarray, (n_samples,)
        Rising [ms]: multiples of the interval, rounded up to a power of 2 times the shortest one.
    """
    spacing = SAMPLE_SPACING
    times = [spacing * np.arange(1, SAMPLES_PER_LOOK + 1)]
    for look in looks_until(limit)[1:]:
        times.append(look / 2 + look / 2 / SAMPLES_PER_LOOK * np.arange(1, SAMPLES_PER_LOOK + 1))
    while spacing < interval:
        spacing *= 2
    joined = np.concatenate(times)
    return joined[joined % spacing == 0]


def _looks() -> Iterator[float]:
    return (FIRST_LOOK * 2.0**k for k in itertools.count())
