"""Gilson et al. 2009: of two pools of inputs the correlated one becomes strong."""

from __future__ import annotations

import xarray as xr

from tests.papers.finding import Change, Finding, Paper
from tests.papers.measures import at, group

_STATED = "Gilson et al. 2009, in words; the bound is ours"
_NONE, _MOST = "[0,0]", "[0.05,0]"


def _difference(dataset: xr.Dataset, correlations: str) -> xr.DataArray:
    """Return the mean weight of the first pool less that of the second, (seed)."""
    chosen = at(dataset, group_correlations=correlations)
    return group(chosen, 0) - group(chosen, 1)


def _check(dataset: xr.Dataset) -> None:
    """The correlated pool becomes strong; without correlation both stay equal."""
    assert (_difference(dataset, _MOST) > 0.3).all()
    assert (abs(_difference(dataset, _NONE)) < 0.1).all()


PAPERS = (
    Paper(
        "gilson2009",
        "Gilson, Burkitt, Grayden, Thomas & van Hemmen 2009, Biol Cybern 101:81",
        (
            Finding(
                "two pools",
                "first less second pool, without correlation",
                "0.0",
                "Gilson et al. 2009: the same statistics",
                lambda dataset: _difference(dataset, _NONE),
            ),
            *(
                Finding(
                    "two pools",
                    f"correlated less other pool, correlation {c}",
                    "> 0.3",
                    _STATED,
                    lambda dataset, c=c: _difference(dataset, f"[{c},0]"),
                )
                for c in (0.01, 0.02, 0.05)
            ),
        ),
        _check,
        (Change("the correlation removed", ("input.group_correlations=0",)),),
    ),
)
