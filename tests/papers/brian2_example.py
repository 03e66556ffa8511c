"""The example of STDP in the documentation of Brian 2."""

from __future__ import annotations

from collections.abc import Callable

import xarray as xr

from tests.papers.finding import Change, Finding, Paper
from tests.papers.measures import at_bounds, spread, strong_share

_BRIAN = "the example itself, run with Brian 2.9, eight seeds: mean and standard error"


def _check(dataset: xr.Dataset) -> None:
    """After 100 s many weights are near either bound."""
    assert (at_bounds(dataset) > 0.35).all()
    assert (abs(strong_share(dataset) - 0.5) < 0.15).all()


def _row(quantity: str, published: str, measure: Callable[[xr.Dataset], xr.DataArray]) -> Finding:
    return Finding("weights after 100 s", quantity, published, _BRIAN, measure)


PAPERS = (
    Paper(
        "brian2_example",
        "Brian 2, examples: synapses, STDP",
        (
            _row("output rate (Hz)", "25.6 ± 0.5", lambda dataset: dataset["output_rate"]),
            _row(
                "output rate of the last 50 s (Hz)",
                "22.9 ± 0.3",
                lambda dataset: dataset["late_output_rate"],
            ),
            _row("mean weight", "0.4726 ± 0.0009", lambda dataset: dataset["mean_weight"]),
            _row("standard deviation of the weights", "0.3575 ± 0.0010", spread),
            _row("share of weights above 0.5", "0.470 ± 0.002", strong_share),
            _row("share of weights within 0.1 of a bound", "0.426 ± 0.007", at_bounds),
        ),
        _check,
        (Change("steps proportional to the distance from the bounds", ("stdp=multiplicative",)),),
    ),
)
