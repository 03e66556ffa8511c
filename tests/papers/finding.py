"""What a paper found, as data: a published value with its source, and how it is measured here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

#: Coverage of the interval of a mean over seeds.
LEVEL = 0.95

AGREES, DIFFERS = "agrees", "differs"

_WRITTEN = re.compile(r"(?P<sign>[<>] )?(?P<value>-?\d*\.?\d+)(?: ± (?P<error>\d*\.?\d+))?")


@dataclass(frozen=True)
class Published:
    """A published value.

    Attributes
    ----------
    value : float
        In the unit of the finding.
    error : float
        Its published error, or half of its last digit; 0 for a bound.
    bound : str
        `<` or `>` where the value is a limit, else empty.
    """

    value: float
    error: float
    bound: str = ""

    @classmethod
    def read(cls, text: str) -> Published:
        """Read it as it is written: `0.6`, `0.14 ± 0.1`, `< 0.1`.

        Raises
        ------
        ValueError
            If it is written otherwise.
        """
        found = _WRITTEN.fullmatch(text)
        if not found:
            raise ValueError(f"{text}: must be a number, with an error (±) or a bound (< or >)")
        value = found["value"]
        decimals = len(value.partition(".")[2])
        error = float(found["error"]) if found["error"] else 0.5 * 10**-decimals
        bound = (found["sign"] or "").strip()
        return cls(float(value), 0.0 if bound else error, bound)

    def verdict(self, measured: Measured) -> str:
        """Return whether a measured value agrees with it.

        It does if the published value is not further from the mean than the half-width of the
        mean's interval and the published error, added in quadrature; below or above a bound, if the
        whole interval is.
        """
        distance = measured.mean - self.value
        if self.bound == "<":
            agrees = distance + measured.half_width < 0
        elif self.bound == ">":
            agrees = distance - measured.half_width > 0
        else:  # numbers of the file have seven digits
            reach = math.hypot(self.error, measured.half_width)
            agrees = abs(distance) <= reach * (1 + 1e-9) + 1e-6 * abs(self.value)
        return AGREES if agrees else DIFFERS


@dataclass(frozen=True)
class Measured:
    """Mean of a measure over seeds, with its standard error.

    Attributes
    ----------
    mean, error : float
        In the unit of the finding; the error is 0 where one run is all that there can be.
    n : int
        Number of seeds.
    """

    mean: float
    error: float
    n: int

    @classmethod
    def over(cls, values: NDArray[np.float64]) -> Measured:
        """Return it of values of all seeds.

        Parameters
        ----------
        values : ndarray, (n_seeds,)
            In the unit of the finding.

        Raises
        ------
        ValueError
            If a value is missing.
        """
        if not values.size or not np.isfinite(values).all():
            raise ValueError(f"{values}: must be a number for each seed")
        n = values.size
        error = float(np.std(values, ddof=1) / math.sqrt(n)) if n > 1 else 0.0
        return cls(float(np.mean(values)), error, n)

    @property
    def half_width(self) -> float:
        """Half of the width of Student's interval of the mean."""
        if self.n < 2:
            return 0.0
        return float(stats.t.ppf((1 + LEVEL) / 2, self.n - 1)) * self.error


@dataclass(frozen=True)
class Finding:
    """A number of a figure.

    Attributes
    ----------
    figure : str
        Which figure, table or sentence of the paper it is.
    quantity : str
        What it is, with its unit.
    published : str
        As `Published.read` takes it.
    source : str
        Where the value is from.
    measure : callable
        The same of a dataset: one value per seed (seed), or one (), in the unit of the finding.
    cause : str
        The likely cause of a difference.
    """

    figure: str
    quantity: str
    published: str
    source: str
    measure: Callable[[xr.Dataset], xr.DataArray]
    cause: str = ""

    def of(self, dataset: xr.Dataset) -> Measured:
        """Return the measured value of a dataset."""
        values = self.measure(dataset)
        if set(values.dims) - {"seed"}:
            raise ValueError(f"{self.quantity}: must be one value per seed, not {values.dims}")
        return Measured.over(np.atleast_1d(values.values).astype(float))


@dataclass(frozen=True)
class Change:
    """A change of the experiment that undoes its finding.

    Attributes
    ----------
    does : str
        What it does, in words.
    overrides : tuple of str
        In the form of the command line.
    """

    does: str
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Paper:
    """An experiment of `conf/experiment`, and what is asserted of it.

    Attributes
    ----------
    experiment : str
        Its name.
    citation : str
        Authors, year, journal.
    findings : tuple of Finding
        Numbers, measured of the whole experiment.
    check : callable
        Asserts the direction of the finding for `+size=quick`; its docstring states it.
    changes : tuple of Change
        Under each of these `check` fails.
    """

    experiment: str
    citation: str
    findings: tuple[Finding, ...]
    check: Callable[[xr.Dataset], None]
    changes: tuple[Change, ...]
