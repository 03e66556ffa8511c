"""Histograms of weights: data drawn, theory, labels and titles."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color

from analysis.figures.registry import FIGURES, supported
from analysis.measures import equilibrium, weights
from analysis.measures.measured import MeasuredDataset
from analysis.measures.settling import settling
from analysis.plots import style
from analysis.reading.dataset import label
from tests.support.drawn import (
    HISTORY,
    drawn,
    drawn_one_by_one,
    ridge,
    settle,
    title_of,
    unfolded,
)


def test_the_distribution_has_a_ridge_per_value(settled):
    """In the order of the axis, on one scale, with panels for the second axis."""
    figure = drawn(settled, "weights")["weights"]
    left, right = figure.axes
    assert left.get_ylabel() == "Input rate (Hz)"
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["30", "40"]
    assert (left.get_title(loc="center"), right.get_title(loc="center")) == ("10 ms", "20 ms")
    assert figure.get_supxlabel() == label(settled["weight"])
    assert "3 seeds pooled" in title_of(figure)
    share = weights.weight_histogram(settled)
    scales = []
    for axes, tau in ((left, 10), (right, 20)):
        for i, rate in enumerate((30, 40)):
            found = share.sel(rate_hz=rate, tau_plus=tau).values
            scales.append(ridge(axes, i).max() / found.max())
            np.testing.assert_allclose(ridge(axes, i), scales[-1] * found)
    np.testing.assert_allclose(scales, scales[0])


def test_the_scale_bar_is_as_high_as_its_label_says(settled):
    """A bar of that share has the same height."""
    axes = drawn(settled.isel(tau_plus=0), "weights")["weights"].axes[0]
    (bar,) = (line for line in axes.lines if len(line.get_xdata()) == 2)
    share = float(axes.texts[-1].get_text().split()[0])
    found = weights.weight_histogram(settled).isel(tau_plus=0).sel(rate_hz=30).values
    assert np.ptp(bar.get_ydata()) / share == pytest.approx(ridge(axes, 0).max() / found.max())


def test_a_settled_histogram_has_the_theory_and_its_distance(settled):
    """Dashed; total variation, fitted alpha and beta beside it, and their ranges in the caption."""
    dataset = settled.isel(tau_plus=0)
    with style.paper():
        (one,) = drawn_one_by_one(MeasuredDataset(dataset), ["weights"])
    (axes,) = one.figure.axes
    expected = equilibrium.expected_histogram(dataset).sel(rate_hz=30)
    dashed = [patch.get_data() for patch in axes.patches if patch.get_linestyle() != "solid"]
    scale = ridge(axes, 0).max() / weights.weight_histogram(dataset).sel(rate_hz=30).max().item()
    np.testing.assert_allclose(dashed[0].values, scale * expected["share"])
    alpha, beta = expected["alpha"].item(), expected["beta"].item()
    note = f"TV {expected['total_variation']:.2g}, $\\alpha$ {alpha:.3g} ({beta:.3g})"
    assert axes.texts[0].get_text() == note
    assert "Total variation between histogram and theory 0.0" in one.caption
    assert "\nDashed: theory with the same mean weight\n" in title_of(one.figure)


def test_an_unsettled_histogram_says_so(sweep):
    """Pale, without theory, with a note beside it and a count in the title."""
    settled = settle(sweep({"input.rate_hz": [30, 60]}, *HISTORY))
    settled["weight_history"][1, :, :] = 0.4 + 0.02 * np.arange(25)[:, np.newaxis]
    assert settling(settled)["settled"].values.tolist() == ["settled", "not settled"]
    figure = drawn(settled, "weights")["weights"]
    (axes,) = figure.axes
    assert "1 settled, 1 not settled" in title_of(figure)
    assert axes.texts[1].get_text() == "not settled"
    expected = equilibrium.expected_histogram(settled)["share"].sel(rate_hz=30)
    scale = ridge(axes, 0).max() / weights.weight_histogram(settled).sel(rate_hz=30).max().item()
    (dashed,) = (patch for patch in axes.patches if patch.get_linestyle() != "solid")
    np.testing.assert_allclose(dashed.get_data().values, scale * expected)
    shades = style.colours(settled["rate_hz"])
    filled = [patch.get_facecolor() for patch in axes.patches if patch.get_fill()]
    assert same_color(filled[0], shades[0])
    assert same_color(filled[1], style.paler(shades[1]))


def test_without_history_equilibrium_is_not_assessed(sweep):
    """The title says so, and no theory is drawn."""
    for axes in ({"input.rate_hz": [30, 60]}, {}):
        figure = drawn(sweep(axes), "weights")["weights"]
        text = "Weight history not recorded: equilibrium cannot be assessed"
        assert text in unfolded(figure)
        assert "Dashed" not in title_of(figure)
        styles = {patch.get_linestyle() for axes in figure.axes for patch in axes.patches}
        assert styles == {"solid"}


def test_one_run_has_one_histogram(sweep):
    """Of the shares; with theory, and its distance in the title, if settled."""
    dataset = settle(sweep({}, *HISTORY))
    expected = equilibrium.expected_histogram(dataset)
    figure = drawn(dataset, "weights")["weights"]
    (axes,) = figure.axes
    bars = axes.patches[0].get_data().values
    np.testing.assert_allclose(bars, weights.weight_histogram(dataset))
    np.testing.assert_allclose(axes.patches[-1].get_data().values, expected["share"])
    assert axes.get_ylabel() == "Share of synapses"
    assert axes.get_xlim() == (0, 1)
    distance = f"TV {expected['total_variation']:.2g}, "
    assert "Dashed: theory with the same mean weight." in unfolded(figure)
    assert distance in unfolded(figure)


def test_many_values_make_a_map(sweep):
    """In rising order of the axis, silent rows grey."""
    dataset = sweep({"input.rate_hz": [90, 0, 50, 20, 10, 30, 40, 60, 80, 70, 15]})
    figure = drawn(dataset, "weights")["weights"]
    axes, bar = figure.axes
    share = weights.weight_histogram(dataset).sortby("rate_hz")
    values = np.ma.filled(axes.collections[0].get_array(), np.nan).reshape(share.shape)
    np.testing.assert_allclose(values[1:], share.values[1:])
    assert np.isnan(values[0]).all()
    assert "Grey: silent" in title_of(figure)
    assert bar.get_ylabel() == "Share of synapses"
    assert axes.get_ylabel() == "Input rate (Hz)"
    assert axes.get_ylim() == (-5, 95)


def test_a_map_marks_what_has_not_settled(sweep):
    """By a bar beside each such row, in rising order of the axis; the header says so."""
    rates = [60, 90, 85, 80, 75, 70, 65, 55, 50, 45, 40]
    dataset = settle(sweep({"input.rate_hz": rates, "stdp.ltd_ratio": [1.0, 1.1]}, *HISTORY))
    rising = np.linspace(100, 2000, dataset.sizes["sample_time"])
    dataset["rate_history"].loc[{"rate_hz": [60, 65], "ltd_ratio": 1.1}] = rising
    figure = drawn(dataset, "weights")["weights"]
    bars = [
        [one.get_datalim(axes.transData).intervaly for one in axes.collections[1:]]
        for axes in figure.axes[:2]
    ]
    assert bars[0] == []
    np.testing.assert_allclose(bars[1], [[57.5, 62.5], [62.5, 67.5]])
    assert "Bar at the right: not settled" in unfolded(figure)
    assert "Pale" not in unfolded(figure)
    assert "Bar" not in unfolded(drawn(dataset.sel(ltd_ratio=1.0, drop=True), "weights")["weights"])


@pytest.mark.parametrize("name", ["alpha", "beta", "c", "tau", "kind"])
def test_an_axis_may_have_the_name_of_a_coefficient(sweep, name):
    """Rules have fields called alpha and tau; every figure is drawn, and the fit is kept apart."""
    run = sweep(
        {"stdp.A_plus": [0.005, 0.01], "seed": [1, 2]}, "record=history",
        "record.weight_interval=50",
    )  # fmt: skip
    renamed = run.rename({"A_plus": name})
    renamed[name].attrs["config_key"] = f"stdp.{name}"
    measured = MeasuredDataset.of(renamed)
    for figure in supported(measured):
        for made in FIGURES[figure].drawn(measured):
            plt.close(made.figure)
    if name in equilibrium.COEFFICIENTS:
        assert measured.expected[name].dims == (name,)
        assert measured.expected[f"fitted_{name}"].attrs["long_name"].startswith(f"{name} ")
