"""Masquelier, Guyonneau & Thorpe 2008: a repeating pattern is found, and its begin."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis import parameter
from tests.papers.finding import Change, Finding, Paper

_DURATION = 50.0
_LATE = 2 / 3  # of the run, from which on what was learnt is assessed: 150 of 450 s
_REPLICATION = "Hathway & Goodman 2018, ReScience 4(1):6, of Masquelier et al. 2008"
_INPUT = (
    "rates are constant here and the whole rate of the pattern repeats, where in the paper rates "
    "vary, no afferent is silent for longer than 50 ms, and 10 of 64 Hz are noise; the "
    "after-potential is a reset of 5 ms"
)


def _responses(dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return measures of the output spikes, each (seed).

    Of the last third of the run: `hits`, the share of presentations with an output spike; `inside`,
    that of spikes within one; `latency`, the median time from the begin of one to its first spike
    [ms]; `rate` [Hz]. Of the whole run: `early_rate`, that of the first second [Hz], and `found`,
    the time of the last spike outside of the pattern [s].
    """
    duration = float(parameter(dataset, "simulation.duration"))
    begin = _LATE * duration
    rows = []
    for seed in dataset["seed"].values:
        one = dataset.sel(seed=seed)
        onsets, spikes = (
            values[np.isfinite(values)]
            for values in (one[name].values for name in ("stimulus_time", "spike_time"))
        )
        number = np.searchsorted(onsets, spikes, "right") - 1
        after = spikes - onsets[number]
        inside, late = (number >= 0) & (after < _DURATION), spikes >= begin
        _, first = np.unique(number[inside & late], return_index=True)
        rows.append(
            {
                "hits": first.size / (onsets >= begin).sum(),
                "inside": inside[late].mean() if late.any() else 0.0,
                "latency": np.median(after[inside & late][first]) if first.size else np.nan,
                "rate": late.sum() / (duration - begin) * 1000,
                "early_rate": (spikes < 1000).sum(),
                "found": spikes[~inside].max(initial=0) / 1000,
            }
        )
    return {name: xr.DataArray([float(row[name]) for row in rows], dims="seed") for name in rows[0]}


def _success(dataset: xr.Dataset) -> xr.DataArray:
    """Return 1 where the criteria of the paper are met, else 0, (seed)."""
    found = _responses(dataset)
    met = (found["hits"] > 0.98) & (found["inside"] == 1) & (found["latency"] < 10)
    return met.astype(float)


def _check(dataset: xr.Dataset) -> None:
    """All late output spikes fall into the pattern, soon after its begin."""
    found = _responses(dataset)
    assert (found["inside"] > 0.98).all()
    assert (found["hits"] > 0.9).all()
    assert (found["latency"] < 15).all()


def _row(figure: str, quantity: str, published: str, measure: str, source: str = "") -> Finding:
    return Finding(
        figure,
        quantity,
        published,
        source or _REPLICATION,
        lambda dataset: _responses(dataset)[measure],
        _INPUT,
    )


PAPERS = (
    Paper(
        "masquelier2008",
        "Masquelier, Guyonneau & Thorpe 2008, PLoS ONE 3:e1377",
        (
            Finding(
                "figure 5",
                "seeds that succeed: hit rate above 0.98, no spike outside, latency below 10 ms",
                "> 0.95",
                _REPLICATION,
                _success,
                "one seed has a hit rate of 0.977 and meets the other criteria",
            ),
            _row(
                "figure 4",
                "share of presentations with an output spike, last 150 s",
                "> 0.98",
                "hits",
            ),
            _row("figure 4", "share of output spikes in the pattern, last 150 s", "1.00", "inside"),
            _row("figure 4", "latency (ms), last 150 s", "< 10", "latency"),
            _row("text", "output rate (Hz) of the first second", "63", "early_rate"),
            _row("text", "output rate (Hz), last 150 s", "5", "rate"),
            _row("figure 4", "time (s) of the last output spike outside", "13.5", "found"),
        ),
        _check,
        (
            Change("no plasticity", ("stdp.A_plus=0",)),
            Change("the pattern's spikes jittered by 100 ms", ("input.pattern_jitter=100",)),
            Change(
                "all pairs of spikes",
                ("stdp=notebook", "stdp.A_plus=0.03125", "stdp.ltd_ratio=0.85"),
            ),
        ),
    ),
)
