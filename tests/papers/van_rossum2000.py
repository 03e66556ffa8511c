"""Van Rossum, Bi & Turrigiano 2000: LTD proportional to the weight."""

from __future__ import annotations

import xarray as xr

from tests.papers.finding import Change, Finding, Paper
from tests.papers.measures import at, at_bounds, group, spread

_STATED = "van Rossum, Bi & Turrigiano 2000, in words; the bound is ours"
_THEORY = "Fokker-Planck equation of the paper for output independent of the input"
_CAUSE = (
    "inputs cause output spikes, which adds to LTP, and output intervals are regular (CV 0.45): "
    "with a Poisson train of the same rate in place of the output spikes the mean is 0.499 and the "
    "deviation 0.034; with the output spikes of another seed 0.499 and 0.026"
)


def _without(dataset: xr.Dataset) -> xr.Dataset:
    return at(dataset, group_correlations=0.0)


def _effect_on_others(dataset: xr.Dataset) -> xr.DataArray:
    """Return the mean weight of the others with a correlation of 0.1 less without, (seed)."""
    return group(at(dataset, group_correlations=0.1), 1) - group(_without(dataset), 1)


def _effect_on_correlated(dataset: xr.Dataset) -> xr.DataArray:
    """Return the mean weight of the correlated inputs at 0.1 less without, (seed)."""
    return group(at(dataset, group_correlations=0.1), 0) - group(_without(dataset), 0)


def _check(dataset: xr.Dataset) -> None:
    """One peak; correlated inputs become stronger and others stay: there is no competition."""
    assert (spread(_without(dataset)) < 0.1).all()
    assert (_effect_on_correlated(dataset) > 0.1).all()
    assert (abs(_effect_on_others(dataset)) < 0.03).all()


PAPERS = (
    Paper(
        "van_rossum2000",
        "van Rossum, Bi & Turrigiano 2000, J Neurosci 20:8812",
        (
            Finding(
                "figure 2",
                "mean weight: A_plus tau_plus / (A_minus tau_minus)",
                "0.50",
                _THEORY,
                lambda dataset: _without(dataset)["mean_weight"],
                _CAUSE,
            ),
            Finding(
                "figure 2",
                "standard deviation of the weights",
                "0.035",
                _THEORY,
                lambda dataset: spread(_without(dataset)),
                _CAUSE,
            ),
            Finding(
                "figure 2",
                "share of weights within 0.1 of a bound",
                "< 0.01",
                _STATED,
                lambda dataset: at_bounds(_without(dataset)),
            ),
            Finding(
                "figure 4",
                "change of correlated weights by a correlation of 0.1",
                "> 0.05",
                _STATED,
                _effect_on_correlated,
            ),
            Finding(
                "figure 4",
                "change of the other weights by it",
                "0.00",
                "van Rossum, Bi & Turrigiano 2000: no competition",
                _effect_on_others,
                "at a higher output rate what inputs add to LTP is a smaller part of it",
            ),
        ),
        _check,
        (
            Change("LTD independent of the weight", ("stdp=additive",)),
            Change("the correlation removed", ("input.group_correlations=0",)),
        ),
    ),
)
