"""Masquelier, Guyonneau & Thorpe 2008: a repeating pattern is found, and its begin."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis import parameter
from tests.papers.finding import Change, Finding, Paper

_DURATION = 50.0
_LATE = 0.75  # of the run, from which on what was learnt is assessed
_REPLICATION = "Hathway & Goodman 2018, ReScience 4(1):6, of Masquelier et al. 2008"
_OURS = (
    "all pairs of spikes count here, where the paper takes each spike once, with its nearest "
    "neighbour (in the replication no other rule finds the pattern in a stable way); the neuron is "
    "another, and the amplitude a twentieth"
)


def _responses(dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return hit rate, share of output spikes in the pattern, and latency [ms], each (seed).

    Of the last quarter of the run: presentations with an output spike, spikes within one, and the
    median time from the begin of one to its first spike.
    """
    begin = _LATE * float(parameter(dataset, "simulation.duration"))
    found: dict[str, list[float]] = {"hits": [], "inside": [], "latency": []}
    for seed in dataset["seed"].values:
        one = dataset.sel(seed=seed)
        onsets, spikes = (one[name].values for name in ("stimulus_time", "spike_time"))
        onsets, spikes = onsets[onsets >= begin], spikes[spikes >= begin]
        number = np.searchsorted(onsets, spikes, "right") - 1
        after = spikes - onsets[number]
        inside = (number >= 0) & (after < _DURATION)
        _, first = np.unique(number[inside], return_index=True)
        found["hits"].append(first.size / onsets.size)
        found["inside"].append(float(inside.mean()) if inside.size else 0.0)
        found["latency"].append(float(np.median(after[inside][first])) if first.size else np.nan)
    return {name: xr.DataArray(values, dims="seed") for name, values in found.items()}


def _success(dataset: xr.Dataset) -> xr.DataArray:
    """Return 1 where the criteria of the paper are met, else 0, (seed)."""
    found = _responses(dataset)
    met = (found["hits"] > 0.98) & (found["inside"] == 1) & (found["latency"] < 10)
    return met.astype(float)


def _of_selective(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return a number of the seeds of which nine in ten spikes are in the pattern, (seed)."""
    found = _responses(dataset)
    return found[name][(found["inside"] > 0.9).values]


def _check(dataset: xr.Dataset) -> None:
    """Nearly all late output spikes fall into the pattern, soon after its begin."""
    found = _responses(dataset)
    assert (found["inside"] > 0.9).all()
    assert (found["hits"] > 0.9).all()
    assert (found["latency"] < 15).all()


PAPERS = (
    Paper(
        "masquelier2008",
        "Masquelier, Guyonneau & Thorpe 2008, PLoS ONE 3:e1377",
        (
            Finding(
                "figure 5",
                "seeds that succeed: hit rate above 0.98, no spike outside, latency below 10 ms",
                "> 0.95",
                f"{_REPLICATION} (at a time step of 0.1 ms)",
                _success,
                _OURS,
            ),
            Finding(
                "figure 3",
                "share of output spikes in the pattern, of seeds that find it",
                "1.00",
                _REPLICATION,
                lambda dataset: _of_selective(dataset, "inside"),
                _OURS,
            ),
            Finding(
                "figure 3",
                "latency (ms), of seeds that find it",
                "< 10",
                _REPLICATION,
                lambda dataset: _of_selective(dataset, "latency"),
                "one seed in seven fires at a later part of the pattern",
            ),
        ),
        _check,
        (
            Change("no plasticity", ("stdp.A_plus=0",)),
            Change("the pattern's spikes jittered by 100 ms", ("input.pattern_jitter=100",)),
        ),
    ),
)
