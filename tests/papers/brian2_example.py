"""The example of STDP in the documentation of Brian 2."""

from __future__ import annotations

import xarray as xr

from tests.papers.finding import Change, Finding, Paper
from tests.papers.measures import at_bounds, strong_share

_BRIAN = "the example itself, run with Brian 2.9, four seeds: mean and standard error"


def _check(dataset: xr.Dataset) -> None:
    """After 100 s many weights are near either bound."""
    assert (at_bounds(dataset) > 0.35).all()
    assert (abs(strong_share(dataset) - 0.5) < 0.15).all()


PAPERS = (
    Paper(
        "brian2_example",
        "Brian 2, examples: synapses, STDP",
        (),
        _check,
        (Change("steps proportional to the distance from the bounds", ("stdp=multiplicative",)),),
    ),
)
