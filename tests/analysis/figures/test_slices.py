"""Figures of a part of the points: which are drawn, and that they speak of no other points."""

import re

import numpy as np
import pytest

from analysis.figures import facets
from analysis.figures.registry import FIGURES
from analysis.measures.measured import MeasuredDataset
from tests.support.drawn import HISTORY, captioned, settle, unfolded

#: Axes of which every figure but `window` and those of one run shows two.
AXES = {
    "input.rate_hz": [30, 40, 50],
    "stdp.ltd_ratio": [1.0, 1.1, 1.2],
    "neuron.tau_m": [8, 10, 12],
}


@pytest.fixture
def uneven(sweep):
    """Three axes: the first third of tau_m has settled, the second not, the last is incomplete."""
    dataset = settle(sweep(AXES, *HISTORY))
    moving = 0.4 + 0.02 * np.arange(25)
    dataset["weight_history"][:, :, 1] = moving[:, np.newaxis]
    dataset["status"][:, 1:, 2] = 2
    for name in ("weight", "weight_history", "rate_history", "late_output_rate", "mean_weight"):
        dataset[name][:, 1:, 2] = np.nan
    dataset["late_isi_cv"][:, 1:, 2] = np.nan
    dataset["spike_count"][:, 1:, 2] = -1
    return dataset


@pytest.mark.long
def test_no_heading_speaks_of_points_outside_of_the_figure(uneven, monkeypatch):
    """Each equals that of the figure which `--where` draws of these points alone."""
    monkeypatch.setattr(facets, "MAX_SLICES", 2)
    found = captioned(MeasuredDataset(uneven))
    sliced = [one for one in found.values() if one.where]
    assert len({one.name.partition("_against_")[0] for one in sliced}) > 6
    for one in sliced:
        name = next(name for name in sorted(FIGURES, key=len)[::-1] if one.name.startswith(name))
        alone = captioned(MeasuredDataset.of(uneven, one.where), name)[one.name]
        counts = r"\d+ of \d+ points|[Ss]ettled|Run too short|silent|\d+ seeds|[\d.]+ s\b"
        headings = [re.findall(counts, unfolded(figure.figure)) for figure in (one, alone)]
        assert headings[0] == headings[1], one.name


def test_settled_and_missing_points_are_counted_in_the_slice(uneven):
    """Of all points some have: all of the first slice, none of the second; the third lacks six."""
    found = captioned(MeasuredDataset(uneven), "phase_diagram", "shares")
    titles = {
        tau_m: [
            unfolded(one.figure) for name, one in found.items() if name.endswith(f"tau_m={tau_m}")
        ]
        for tau_m in (8.0, 10.0, 12.0)
    }
    assert [len(texts) for texts in titles.values()] == [3, 3, 3]
    for texts in titles.values():
        assert not [text for text in texts if " of 27 " in text]
    assert not [text for text in titles[8.0] if "missing" in text or "Not settled" in text]
    assert all("Not settled" in text and "missing" not in text for text in titles[10.0])
    assert all("6 of 9 points are missing" in text for text in titles[12.0])


def test_a_figure_of_a_slice_has_the_words_that_select_it(uneven):
    """`where` has the key and the value of each sliced axis; the words draw the same figure."""
    found = captioned(MeasuredDataset(uneven), "phase_diagram", "weights_in_time")
    assert found["phase_diagram_tau_m=8.0"].where == ("neuron.tau_m=8",)
    assert not captioned(MeasuredDataset(uneven.isel(tau_m=0)), "phase_diagram")[
        "phase_diagram"
    ].where
    runs = [one for name, one in found.items() if name.startswith("weights_in_time")]
    assert {len(one.where) for one in runs} == {3}
    for one in runs:
        (alone,) = captioned(MeasuredDataset.of(uneven, one.where), "weights_in_time").values()
        assert alone.name == one.name
        lines = [figure.figure.axes[0].lines[0].get_ydata() for figure in (one, alone)]
        np.testing.assert_array_equal(*lines)


def test_slices_with_settled_weights_are_drawn_first(sweep):
    """Then those in which the neuron fires, of which those in the middle of the axis."""
    rates = [0, 20, 40, 50, 60, 70, 80]
    dataset = settle(sweep({"input.rate_hz": rates}, *HISTORY))
    dataset["weight_history"][:-1] = 0.4 + 0.02 * np.arange(25)[:, np.newaxis]
    names = list(captioned(MeasuredDataset(dataset), "weights_in_time"))
    assert names == [f"weights_in_time_rate_hz={rate}" for rate in (40.0, 50.0, 80.0)]
