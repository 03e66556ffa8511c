"""Gütig et al. 2003: symmetry breaking against exponent and correlation."""

from __future__ import annotations

import numpy as np
import xarray as xr

from tests.papers.finding import Change, Finding, Paper
from tests.papers.measures import at, group

_STATED = "Gütig et al. 2003, in words; the bound is ours"

#: Half of the largest difference between two groups.
_PARTED = 0.5


def _difference(dataset: xr.Dataset, **values: float) -> xr.DataArray:
    """Return the absolute difference of the mean weights of both groups, (..., seed)."""
    chosen = at(dataset, **values)
    return abs(group(chosen, 0) - group(chosen, 1))


def _critical_exponent(dataset: xr.Dataset, correlation: float) -> xr.DataArray:
    """Return the exponent at which the difference falls below a half, (seed), dimensionless.

    It is interpolated between the exponents of the experiment, and 0 where it is never above.
    """
    difference = _difference(dataset, group_correlations=correlation).transpose("seed", "mu")
    mu = dataset["mu"].values
    found = []
    for row in difference.values:
        last = np.flatnonzero(row > _PARTED).max(initial=-1)
        inner = 0 <= last < mu.size - 1
        found.append(
            np.interp(_PARTED, row[[last + 1, last]], mu[[last + 1, last]]) if inner else 0.0
        )
    return xr.DataArray(found, dims="seed")


def _growth(dataset: xr.Dataset, low: float, high: float) -> xr.DataArray:
    """Return the critical exponent at one correlation less that at another, (seed)."""
    return _critical_exponent(dataset, high) - _critical_exponent(dataset, low)


def _check(dataset: xr.Dataset) -> None:
    """At a small exponent two equal groups part, at a large one they stay equal."""
    assert (_difference(dataset, mu=0.02) > 0.5).all()
    assert (_difference(dataset, mu=0.4) < 0.1).all()


PAPERS = (
    Paper(
        "gutig2003",
        "Gütig, Aharonov, Rotter & Sompolinsky 2003, J Neurosci 23:3697",
        (
            *(
                Finding(
                    "symmetry breaking",
                    f"difference of the groups at mu = {mu}, correlation {c}",
                    bound,
                    _STATED,
                    lambda dataset, mu=mu, c=c: _difference(dataset, mu=mu, group_correlations=c),
                )
                for mu, bound in ((0.02, "> 0.5"), (0.4, "< 0.1"))
                for c in (0.02, 0.05)
            ),
            Finding(
                "symmetry breaking",
                "critical mu at a correlation of 0.02 less that at 0.01",
                "> 0",
                _STATED,
                lambda dataset: _growth(dataset, 0.01, 0.02),
            ),
            Finding(
                "symmetry breaking",
                "critical mu at a correlation of 0.05 less that at 0.02",
                "> 0",
                _STATED,
                lambda dataset: _growth(dataset, 0.02, 0.05),
            ),
        ),
        _check,
        (
            Change("the correlation removed", ("input.group_correlations=0",)),
            Change("the additive rule at both exponents", ("stdp.mu=0",)),
        ),
    ),
)
