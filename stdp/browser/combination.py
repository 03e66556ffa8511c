"""What a page shows of one parameter combination: histogram, numbers, words, courses in time.

All of it comes from the functions behind figures and report, so that no two of them differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.figures import titles
from analysis.figures.histories import mean_histories
from analysis.measures.measured import MeasuredDataset
from analysis.measures.numbers import (
    RATIO,
    is_statistic,
    quantities,
    seeds_done,
    varying_ratio,
)
from analysis.measures.seeds import SEED, confidence_interval, mean_over_seeds
from analysis.measures.stationarity import NOT_RECORDED, SETTLED
from analysis.measures.weights import weight_histogram
from analysis.plots.scales import bin_edges
from analysis.plots.style import SAME_MEAN
from analysis.reading.dataset import label
from analysis.report.summary import in_seconds, interval_text, number_text, settled_text

#: Names of the courses in time, in the order of `mean_histories`.
COURSES = ("mean", "weak", "rate", "strong")


class Number(NamedTuple):
    """A measure: label with unit, mean over seeds, 95 % interval of the mean ("" without seeds)."""

    label: str
    mean: str
    interval: str


@dataclass(frozen=True)
class Histogram:
    """A histogram of weights.

    Attributes
    ----------
    edges : ndarray, (n_bins + 1,)
        Edges of the bins, dimensionless.
    share, expected : ndarray, (n_bins,)
        Share of synapses in each bin, measured and in theory, dimensionless; NaN without theory.
    is_settled : bool
        Whether the weights have settled: else drawn pale.
    note : str
        What is dashed, and how well it agrees; "" without theory.
    """

    edges: NDArray[np.float64]
    share: NDArray[np.float64]
    expected: NDArray[np.float64]
    is_settled: bool = False
    note: str = ""


@dataclass(frozen=True)
class Combination:
    """One parameter combination, over one seed or several.

    Attributes
    ----------
    answer : str
        Whether it has settled, or "silent", or "not done".
    numbers : tuple of Number
        Measures with the names and definitions of the report; none where no seed is done.
    seeds : str
        How many seeds are done, such as "3 of 4"; "" where seeds were not swept.
    histogram : Histogram
        Of the final weights.
    """

    answer: str
    histogram: Histogram
    numbers: tuple[Number, ...] = ()
    seeds: str = ""

    @property
    def state(self) -> str:
        """The answer as it stands alone, where "not recorded" would be said of the weights."""
        return f"whether settled: {self.answer}" if self.answer == NOT_RECORDED else self.answer

    @property
    def short_state(self) -> str:
        """The same without the reason, for which a title has no room."""
        return self.state if self.answer == NOT_RECORDED else self.answer.partition(":")[0]


def combination(measured: MeasuredDataset) -> Combination:
    """Return what a page shows of a dataset of one parameter combination.

    Parameters
    ----------
    measured : MeasuredDataset
        Without axes other than `seed`.
    """
    answer = settled_text(measured, {})
    seeds = ""
    if measured.has_seeds:
        seeds = f"{int(seeds_done(measured))} of {measured.dataset.sizes[SEED]}"
    if not measured.done:
        return Combination(answer, _no_histogram(), seeds=seeds)
    return Combination(answer, _histogram(measured), tuple(_numbers(measured)), seeds)


def _no_histogram() -> Histogram:
    nothing = np.full(1, np.nan)
    return Histogram(np.array([0.0, 1.0]), nothing, nothing)


def _histogram(measured: MeasuredDataset) -> Histogram:
    share = weight_histogram(measured.dataset)
    edges, without = bin_edges(share), np.full(share.size, np.nan)
    at_equilibrium = bool(measured.at_equilibrium)
    if measured.settling["settled"].item() != SETTLED:  # no theory is drawn, which takes long
        return Histogram(edges, share.values, without, at_equilibrium)
    expected = measured.expected
    fit = titles.fit_caption(titles.fit_of(expected))
    note = f"Dashed: {SAME_MEAN}. {fit}" if fit else ""
    return Histogram(edges, share.values, expected["share"].values, at_equilibrium, note)


def _numbers(measured: MeasuredDataset) -> list[Number]:
    ratio = varying_ratio(measured)
    found = ({} if ratio is None else {RATIO: ratio}) | quantities(measured)
    rows = []
    for name, one in found.items():
        shown = in_seconds(one) if one.attrs.get("units") == "ms" else one
        interval = ""
        if SEED in shown.dims and shown.sizes[SEED] > 1 and is_statistic(name):
            interval = interval_text(confidence_interval(shown).values)
        mean = number_text(mean_over_seeds(shown).item(), shown)
        rows.append(Number(label(shown), mean, interval))
    return rows


def courses(measured: MeasuredDataset) -> dict[str, xr.DataArray]:
    """Return weights and output rate in time; nothing without a history, or where none is done.

    Parameters
    ----------
    measured : MeasuredDataset
        Without axes other than `seed`.

    Returns
    -------
    dict of DataArray, (sample_time,)
        Means over synapses and seeds by the names in `COURSES`, dimensionless and [Hz], with the
        time of the samples [s].
    """
    if "weight_history" not in measured.dataset or not measured.done:
        return {}
    histories = [
        one.assign_coords(sample_time=in_seconds(one["sample_time"]))
        for one in mean_histories(measured)
    ]
    return dict(zip(COURSES, histories, strict=True))
