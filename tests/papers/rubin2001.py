"""Rubin, Lee & Sompolinsky 2001: steps proportional to the distance from the bounds."""

from __future__ import annotations

import xarray as xr

from tests.papers.finding import Change, Finding, Paper
from tests.papers.measures import at, group, spread

_THEORY = "Fokker-Planck equation of the paper for output independent of the input"
_STATED = "Rubin, Lee & Sompolinsky 2001, in words; the bound is ours"
_CAUSE = (
    "inputs cause output spikes, which adds to LTP, and output intervals are regular (CV 0.54): "
    "with a Poisson train of the same rate in place of the output spikes the mean is 0.488 and the "
    "deviation 0.017; with the output spikes of another seed 0.488 and 0.014"
)


def _without(dataset: xr.Dataset, rate: float = 10) -> xr.Dataset:
    return at(dataset, group_correlations=0.0, rate_hz=rate)


def _effect_of_rate(dataset: xr.Dataset) -> xr.DataArray:
    """Return the mean weight at 12 Hz of input less that at 10 Hz, (seed)."""
    return _without(dataset, 12)["mean_weight"] - _without(dataset, 10)["mean_weight"]


def _correlated(dataset: xr.Dataset, low: float, high: float) -> xr.DataArray:
    """Return the mean weight of the correlated inputs at one correlation less another, (seed)."""
    weak, strong = (
        group(at(dataset, group_correlations=one, rate_hz=10), 0) for one in (low, high)
    )
    return strong - weak


def _check(dataset: xr.Dataset) -> None:
    """One narrow peak, in one place whatever the rates; correlated inputs become stronger."""
    assert (spread(_without(dataset)) < 0.1).all()
    assert (abs(_effect_of_rate(dataset)) < 0.02).all()
    assert (_correlated(dataset, 0.0, 0.1) > 0.03).all()


PAPERS = (
    Paper(
        "rubin2001",
        "Rubin, Lee & Sompolinsky 2001, Phys Rev Lett 86:364",
        (
            Finding(
                "equilibrium",
                "mean weight: 1 / (1 + ratio of LTD to LTP)",
                "0.488",
                _THEORY,
                lambda dataset: _without(dataset)["mean_weight"],
                _CAUSE,
            ),
            Finding(
                "equilibrium",
                "standard deviation of the weights",
                "0.018",
                _THEORY,
                lambda dataset: spread(_without(dataset)),
                _CAUSE,
            ),
            Finding(
                "equilibrium",
                "mean weight at 12 Hz of input less that at 10 Hz",
                "0.00",
                "Rubin, Lee & Sompolinsky 2001: invariant to the rates",
                _effect_of_rate,
                "at a higher output rate what inputs add to LTP is a smaller part of it",
            ),
            *(
                Finding(
                    "synchrony",
                    f"correlated weights at a correlation of {high} less those at {low}",
                    "> 0",
                    _STATED,
                    lambda dataset, low=low, high=high: _correlated(dataset, low, high),
                )
                for low, high in ((0.0, 0.05), (0.05, 0.1), (0.1, 0.2))
            ),
        ),
        _check,
        (
            Change("steps independent of the weight", ("stdp=additive",)),
            Change("the correlation removed", ("input.group_correlations=0",)),
        ),
    ),
)
