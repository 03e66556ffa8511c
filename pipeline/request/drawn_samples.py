"""Samples drawn from intervals: a scrambled Sobol sequence, a Latin hypercube, or at random.

The first samples of a Sobol sequence, and of random numbers, do not depend on how many follow.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.composition.known_keys import known_keys
from pipeline.composition.sweep_settings import SweepSettings
from pipeline.model.errors import RequestError
from pipeline.model.parameters import all_quantities
from pipeline.model.plain_values import whole_as_int
from pipeline.model.quantity import unknown_key
from pipeline.request.axis import (
    SWEPT_GROUPS,
    admitted_by_any,
    declared_without_null,
    refuse_too_many,
)
from pipeline.request.sample_source import SampleSource
from pipeline.request.samples import Samples
from pipeline.system.words import counted

log = logging.getLogger("pipeline")

#: Decimal digits of a number drawn: of the width of an interval, or of a number on a log scale.
_DIGITS = 9

#: Word of an interval whose logarithm is uniform.
LOG = "log"


@dataclass(frozen=True)
class Interval:
    """The interval of a key.

    Attributes
    ----------
    start, end : float
        Its ends, in the unit of the key; a whole number may be either.
    log : bool
        Whether the logarithm is uniform, instead of the value.
    """

    start: float
    end: float
    log: bool = False

    def __str__(self) -> str:
        scale = f",{LOG}" if self.log else ""
        return f"interval({self.start:.15g},{self.end:.15g}{scale})"

    def plain(self) -> list[Any]:
        """Return the interval as plain values, as in `configuration.yaml`."""
        return [self.start, self.end, *([LOG] if self.log else [])]

    def at(self, shares: NDArray[np.float64], whole: bool) -> list[Any]:
        """Return the numbers at some shares of the interval.

        Parameters
        ----------
        shares : ndarray of float, (n_samples,)
            From 0 to 1, without 1; dimensionless.
        whole : bool
            Whether the numbers are whole, both ends included.

        Returns
        -------
        list of number
            In the unit of the key, rounded to decimals that stand for themselves.
        """
        start, end = float(self.start), float(self.end) + (1 if whole else 0)
        if self.log:
            numbers = start * np.exp(shares * math.log(end / start))
        else:
            numbers = start + shares * (end - start)
        if whole:
            return np.clip(np.floor(numbers), self.start, self.end).astype(np.int64).tolist()
        if self.log:
            rounded = [float(f"{number:.{_DIGITS}g}") for number in numbers.tolist()]
        else:
            digits = _DIGITS - 1 - math.floor(math.log10(end - start))
            rounded = [round(number, digits) for number in numbers.tolist()]
        return np.clip(rounded, start, end).tolist()


def refuse_unfit_interval(key: str, interval: Interval) -> None:
    """Refuse an interval of a key that cannot be sampled, or with ends that are not allowed.

    Raises
    ------
    RequestError
        If the key is unknown or not a number, or an end is not a value of it, or not below the
        other.
    """
    text = f"{key}={interval}"
    quantity = all_quantities().get(key)
    if key in SWEPT_GROUPS or (quantity and quantity.kind not in (int, float)):
        raise RequestError(f"{text}: must be the values themselves; only a number has an interval")
    numbers = [
        name
        for name, one in all_quantities().items()
        if one.kind in (int, float) and not name.startswith("record.")
    ]
    if quantity is None or key not in numbers:
        why = "cannot be sampled" if key in known_keys() else "unknown key"
        raise unknown_key(key, str(interval), numbers, why)
    declared = declared_without_null(key)
    for end in (interval.start, interval.end):
        try:
            admitted_by_any(declared, key, whole_as_int(end) if quantity.kind is int else end)
        except RequestError as error:
            raise RequestError(f"{text}: {error}") from error
    if not interval.start < interval.end:
        raise RequestError(f"{text}: the first end must be below the second one")
    if interval.log and interval.start <= 0:
        raise RequestError(f"{text}: both ends must be > 0 on a log scale")


def drawn(intervals: Mapping[str, Interval], settings: SweepSettings) -> Samples:
    """Return samples of keys from their intervals.

    Parameters
    ----------
    intervals : mapping of str to Interval
        By key.
    settings : SweepSettings
        Number, method and seed.

    Raises
    ------
    RequestError
        If an interval is not allowed, there are too many samples, or scipy is not installed.
    """
    for key, interval in intervals.items():
        refuse_unfit_interval(key, interval)
    number = settings.samples or 0
    given = settings.given()
    refuse_too_many(given["samples"], number)
    if settings.method == "sobol" and number & (number - 1):
        log.warning(
            "sweep.samples=%d: a Sobol sequence is balanced for powers of two, such as %d",
            number,
            2 ** max(1, round(math.log2(number))),
        )
    shares, packages = _SHARES[settings.method](number, len(intervals), settings.seed)
    quantities = all_quantities()
    columns = {
        key: interval.at(column, quantities[key].kind is int)
        for (key, interval), column in zip(intervals.items(), shares.T, strict=True)
    }
    rows = list(dict.fromkeys(zip(*columns.values(), strict=True)))
    if len(rows) < number:
        same = number - len(rows)
        are = "is the same as another" if same == 1 else "are the same as others"
        log.warning("%d of %s %s", same, counted(number, "sample"), are)
        columns = dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))
    generator = {
        "method": settings.method,
        "seed": settings.seed,
        "samples": number,
        "intervals": {key: interval.plain() for key, interval in intervals.items()},
        **packages,
    }
    asked = [given["samples"], *(f"{key}={interval}" for key, interval in intervals.items())]
    return Samples(columns, generator, SampleSource(" ".join(asked)))


def intervals_of(generator: Mapping[str, Any]) -> dict[str, Interval]:
    """Return the intervals of samples that were drawn, by key, from `SampleSettings.generator`."""
    found = generator.get("intervals", {}).items()
    return {key: Interval(ends[0], ends[1], LOG in ends) for key, ends in found}


#: Shares of intervals, (n_samples, n_keys), and the versions of the packages that made them.
_Drawn = tuple[NDArray[np.float64], dict[str, str]]


def _sobol(number: int, n_keys: int, seed: int) -> _Drawn:
    qmc, packages = _scipy("sobol")
    if n_keys > qmc.Sobol.MAXDIM:
        raise RequestError(f"sweep.method=sobol: {n_keys} intervals; must be <= {qmc.Sobol.MAXDIM}")
    engine = qmc.Sobol(n_keys, scramble=True, rng=np.random.default_rng(seed))
    # In blocks of powers of two, which are not warned of, the first ones those of a shorter one.
    return engine.random_base2(max(0, math.ceil(math.log2(number))))[:number], packages


def _latin_hypercube(number: int, n_keys: int, seed: int) -> _Drawn:
    qmc, packages = _scipy("lhs")
    return qmc.LatinHypercube(n_keys, rng=np.random.default_rng(seed)).random(number), packages


def _random(number: int, n_keys: int, seed: int) -> _Drawn:
    return np.random.default_rng(seed).random((number, n_keys)), {"numpy": np.__version__}


_SHARES: dict[str, Callable[[int, int, int], _Drawn]] = {
    "sobol": _sobol,
    "lhs": _latin_hypercube,
    "random": _random,
}


def _scipy(method: str) -> tuple[Any, dict[str, str]]:
    """Return `scipy.stats.qmc`, and the versions of what it draws with.

    Raises
    ------
    RequestError
        If scipy is not installed.
    """
    try:
        import scipy
        from scipy.stats import qmc
    except ImportError as error:
        raise RequestError(
            f"sweep.method={method}: needs scipy, pip install 'stdp-pipeline[samples]'; "
            "sweep.method=random does without"
        ) from error
    return qmc, {"scipy": scipy.__version__, "numpy": np.__version__}
