"""Masquelier, Guyonneau & Thorpe 2008: a repeating pattern is found, and its begin."""

from __future__ import annotations

import numpy as np
import xarray as xr

from analysis import parameter
from tests.papers.finding import Change, Finding, Paper

_DURATION = 50.0
_LATE = 0.75  # of the run, from which on what was learnt is assessed
_STATED = "Masquelier, Guyonneau & Thorpe 2008"
_OURS = (
    "the neuron is another, all pairs of spikes count, and the amplitude is a twentieth; in one "
    "of eight seeds the pattern is not found"
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
                "results",
                "share of seeds that find the pattern: more than 98 % of output spikes inside",
                "0.96",
                f"{_STATED}: 96 % of 100 simulations",
                lambda dataset: (_responses(dataset)["inside"] > 0.9).astype(float),
                _OURS,
            ),
            Finding(
                "results",
                "hit rate, of seeds that find it",
                "> 0.98",
                f"{_STATED}: the criterion of success",
                lambda dataset: _found(dataset, "hits"),
                _OURS,
            ),
            Finding(
                "figure 4",
                "latency (ms), of seeds that find it",
                "< 10",
                f"{_STATED}: a few milliseconds; the bound is ours",
                lambda dataset: _found(dataset, "latency"),
            ),
        ),
        _check,
        (
            Change("no plasticity", ("stdp.A_plus=0",)),
            Change("the pattern's spikes jittered by 100 ms", ("input.pattern_jitter=100",)),
        ),
    ),
)


def _found(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return a number of the seeds that find the pattern, (seed)."""
    found = _responses(dataset)
    return found[name][(found["inside"] > 0.9).values]
