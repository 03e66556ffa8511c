"""The tutorial (Neuromatch Academy, W2D3, tutorial 4): its runs, with its random numbers."""

from __future__ import annotations

import xarray as xr

from tests.conftest import golden
from tests.papers.finding import Change, Finding, Paper
from tests.papers.measures import at, group

_CITATION = "Neuromatch Academy, computational neuroscience, W2D3, tutorial 4"
_OUTPUT = "output of the notebook's own functions (tests/golden)"
_ALIKE = "functions of the notebook, measured with seed 2020"


def _check_exercise_2(dataset: xr.Dataset) -> None:
    """The output spikes of 200 ms are those of the notebook."""
    expected = golden("exercise_2")["spike_times"]
    assert dataset["spike_time"].values.ravel().tolist() == expected.tolist()


def _check_demo_2(dataset: xr.Dataset) -> None:
    """Twice the input rate: the mean weight falls by half, the output rate stays as it is."""
    slow, fast = (at(dataset, rate_hz=rate) for rate in (15, 30))
    assert fast["mean_weight"].item() < 0.6 * slow["mean_weight"].item()
    assert 0.8 < fast["output_rate"].item() / slow["output_rate"].item() < 1.25


def _check_demo_3(dataset: xr.Dataset) -> None:
    """Correlated synapses end at the maximum, the others below where they began."""
    assert (group(dataset, 0) > 0.95).all()
    assert (group(dataset, 1) < 0.45).all()


def _mean_weight(rate: int) -> Finding:
    value = {15: "0.60378", 30: "0.28809"}[rate]
    return Finding(
        "Demo 2",
        f"mean weight at {rate} Hz after 120 s",
        value,
        _OUTPUT,
        lambda dataset: dataset["mean_weight"].sel(rate_hz=rate),
    )


def _spikes(rate: int) -> Finding:
    value = {15: "1219", 30: "1234"}[rate]
    return Finding(
        "Demo 2",
        f"output spikes at {rate} Hz in 120 s",
        value,
        _OUTPUT,
        lambda dataset: dataset["spike_count"].sel(rate_hz=rate),
    )


PAPERS = (
    Paper(
        "notebook_exercise_2",
        _CITATION,
        (
            Finding(
                "exercise 2",
                "output spikes in 200 ms",
                "7",
                _OUTPUT,
                lambda dataset: dataset["spike_count"],
            ),
            Finding(
                "exercise 2",
                "mean weight after 200 ms",
                "0.9967",
                _OUTPUT,
                lambda dataset: dataset["mean_weight"],
            ),
        ),
        _check_exercise_2,
        (Change("random numbers of this project in place of the notebook's", ("input=poisson",)),),
    ),
    Paper(
        "notebook_demo_2",
        _CITATION,
        (_spikes(15), _mean_weight(15), _spikes(30), _mean_weight(30)),
        _check_demo_2,
        (Change("LTD weaker than LTP", ("stdp.ltd_ratio=0.9",)),),
    ),
    Paper(
        "notebook_demo_3",
        _CITATION,
        (
            Finding(
                "Demo 3",
                "mean weight of the correlated synapses",
                "1.000",
                _ALIKE,
                lambda dataset: group(dataset, 0),
            ),
            Finding(
                "Demo 3",
                "mean weight of the others",
                "0.331",
                _ALIKE,
                lambda dataset: group(dataset, 1),
                "one seed there, and it draws initial weights and one input from the same numbers",
            ),
            Finding(
                "Demo 3",
                "output rate (Hz)",
                "10.0",
                _ALIKE,
                lambda dataset: dataset["output_rate"],
                "one seed there, and it draws initial weights and one input from the same numbers",
            ),
        ),
        _check_demo_3,
        (Change("the correlation removed", ("input.group_correlations=0",)),),
    ),
)
