"""Pfister & Gerstner 2006: pairs of spikes against their frequency, by the triplet rule."""

from __future__ import annotations

import xarray as xr

from analysis import pairing_change
from tests.papers.finding import Change, Finding, Paper

_FREQUENCIES = (0.1, 10.0, 20.0, 40.0, 50.0)

#: Sjöström, Turrigiano & Nelson 2001, by time difference [ms].
_DATA = {
    10: ("-0.04 ± 0.05", "0.14 ± 0.10", "0.29 ± 0.14", "0.53 ± 0.11", "0.56 ± 0.26"),
    -10: ("-0.29 ± 0.08", "-0.41 ± 0.11", "-0.34 ± 0.10", "0.56 ± 0.32", "0.75 ± 0.19"),
}
_SOURCE = "Sjöström, Turrigiano & Nelson 2001, as Pfister & Gerstner 2006 quote them"


def _check(dataset: xr.Dataset) -> None:
    """Output before input: LTD up to 20 Hz, LTP from 40 Hz on. Input first: LTP that grows."""
    first, last = (pairing_change(dataset).sel(post_minus_pre=one) for one in (10, -10))
    assert (last.sel(rate_hz=[0.1, 10, 20]) < -0.2).all()
    assert (last.sel(rate_hz=[40, 50]) > 0.2).all()
    assert (first.diff("rate_hz") > 0).all()


PAPERS = (
    Paper(
        "pfister2006",
        "Pfister & Gerstner 2006, J Neurosci 26:9673",
        tuple(
            Finding(
                "figure 7",
                f"change of weight by pairs at {frequency:g} Hz, t_post - t_pre = {lag:+d} ms",
                published,
                _SOURCE,
                lambda dataset, lag=lag, frequency=frequency: pairing_change(dataset).sel(
                    post_minus_pre=lag, rate_hz=frequency
                ),
            )
            for lag, row in _DATA.items()
            for frequency, published in zip(_FREQUENCIES, row, strict=True)
        ),
        _check,
        (
            Change("LTP by triplets removed", ("stdp.A3_plus=0",)),
            Change("LTD by pairs removed", ("stdp.A2_minus=0",)),
        ),
    ),
)
