"""The figures of a study: what is drawn, not its pixels."""

import numpy as np
import pytest
from matplotlib.colors import same_color

from analysis.measures import equilibrium, spike_trains, weights
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import confidence_interval
from analysis.measures.stationarity import settling
from analysis.plots import style
from tests.support.drawn import (
    HISTORY,
    drawn,
    drawn_one_by_one,
    legend_words,
    ridge,
    settle,
    title_of,
    unfolded,
)


@pytest.fixture
def settled(sweep):
    """A sweep of two axes and three seeds whose weights have settled."""
    axes = {"input.rate_hz": [40, 30], "stdp.tau_plus": [10, 20], "seed": [1, 2, 3]}
    return settle(sweep(axes, *HISTORY))


def test_the_rate_is_drawn_against_each_axis(sweep):
    """Means over seeds along x, a line per value of the other axis, words from the file."""
    dataset = sweep({"input.rate_hz": [60, 30], "stdp.tau_plus": [10, 20], "seed": [1, 2, 3]})
    made = drawn(dataset, "rates")
    assert list(made) == ["rates_against_rate_hz", "rates_against_tau_plus"]
    figure = made["rates_against_rate_hz"]
    (axes,) = figure.axes
    assert axes.get_xlabel() == "Input rate (Hz)"
    assert axes.get_ylabel() == "Output firing rate (Hz)"
    assert "Over 0.5 s, mean and 95 % interval of 3 seeds" in unfolded(figure)
    assert legend_words(figure) == ("LTP time constant", ["10 ms", "20 ms"])
    line = axes.containers[1].lines[0]
    rates = dataset["output_rate"].sel(tau_plus=20)
    np.testing.assert_allclose(line.get_xdata(), [30, 60])
    np.testing.assert_allclose(line.get_ydata(), rates.mean("seed").sortby("rate_hz"))
    bars = axes.containers[1].lines[2][0].get_segments()
    np.testing.assert_allclose(bars[0][:, 1], confidence_interval(rates).sel(rate_hz=30))


def test_every_number_has_its_figure(settled):
    """Rate, CV and mean weight of settled runs are of the last half; it is short for Fano's."""
    numbers = {
        "rates": equilibrium.late_rate(settled),
        "cv": spike_trains.cv(settled, 1250),
        "fano": spike_trains.fanofactor(settled),
        "mean_weight": settled["mean_weight"],
    }
    labels = {
        "cv": "Coefficient of variation of\noutput interspike intervals",
        "mean_weight": "Mean final weight",
    }
    made = drawn(settled, *numbers)
    for name, expected in numbers.items():
        axes = made[f"{name}_against_tau_plus"].axes[0]
        assert axes.get_ylabel() == labels.get(name, axes.get_ylabel())
        assert axes.get_xlabel() == "LTP time constant (ms)"
        line = axes.containers[0].lines[0].get_ydata()
        np.testing.assert_allclose(line, expected.sel(rate_hz=30).mean("seed"))


def test_shares_have_three_panels_and_the_theorys_line(settled):
    """Below 0.1, above 0.5, above 0.9; dashed what a theory with the same mean weight has."""
    figure = drawn(settled, "shares")["shares_against_rate_hz"]
    titles = [axes.get_title(loc="center") for axes in figure.axes[:3]]
    assert titles == ["Weights below 0.1", "Weights above 0.5", "Weights above 0.9"]
    assert "Dashed: theory with the same mean weight" in title_of(figure)
    shares = weights.weight_shares(settled).mean("seed").sortby("rate_hz").sel(tau_plus=10)
    expected = equilibrium.expected_histogram(settled)["share"].sortby("rate_hz")
    for i, axes in enumerate(figure.axes[:3]):
        line = axes.containers[0].lines[0]
        np.testing.assert_allclose(line.get_ydata(), shares.isel(range=i))
    dashed = [line for line in figure.axes[2].lines if line.get_linestyle() == "--"]
    strong = expected.sel(tau_plus=10).isel(weight_bin=slice(18, None)).sum("weight_bin")
    np.testing.assert_allclose(dashed[0].get_ydata(), strong)


def test_the_homeostatic_rate_is_drawn_where_it_is_known(settled, monkeypatch):
    """Dashed, in the colour of its line; no word of it where nothing is known."""
    known = settled["output_rate"].mean("seed") + 1
    monkeypatch.setattr(equilibrium, "homeostatic_rate", lambda *_: known)
    figure = drawn(settled, "rates")["rates_against_rate_hz"]
    assert "Dashed: homeostatic rate" in title_of(figure)
    (axes,) = figure.axes
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(dashed[0].get_ydata(), known.sel(tau_plus=10).sortby("rate_hz"))
    assert same_color(dashed[0].get_color(), axes.containers[0].lines[0].get_color())
    monkeypatch.setattr(equilibrium, "homeostatic_rate", lambda *_: known * np.nan)
    assert "Dashed" not in title_of(drawn(settled, "rates")["rates_against_rate_hz"])


def test_many_values_make_a_colour_bar_and_are_thinned_out(sweep):
    """Beyond six lines a colour bar with the axis's label, beyond twelve only some of them."""
    dataset = sweep({"input.rate_hz": range(10, 25), "stdp.tau_plus": [10, 20]})
    figure = drawn(dataset, "rates")["rates_against_tau_plus"]
    assert figure.axes[1].get_ylabel() == "Input rate (Hz)"
    assert len(figure.axes[0].containers) == 12
    assert "12 of 15 values of Input rate (Hz)" in title_of(figure)


def test_a_third_axis_makes_a_figure_per_value(sweep):
    """What a figure cannot show is not pooled in silence but drawn apart and named."""
    axes = {"input.rate_hz": [30, 60], "stdp.tau_plus": [10, 20], "neuron.tau_m": [8, 12]}
    made = drawn(sweep(axes), "rates", "weights")
    first = made["rates_against_rate_hz_tau_m=8.0"]
    assert "Membrane time constant: 8 ms" in title_of(first)
    assert "weights_tau_m=12.0" in made


def test_named_values_stand_side_by_side(sweep):
    """Choices of a group are ticks with their names, not joined by lines."""
    dataset = sweep({"stdp": ["notebook", "song_abbott_2001"], "seed": [1, 2]})
    (axes,) = drawn(dataset, "rates")["rates_against_stdp"].axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["notebook", "song_abbott_2001"]
    assert axes.containers[0].lines[0].get_linestyle() == "None"


def test_ticks_stand_at_the_swept_values(sweep):
    """Few values are ticks; values that span decades make a logarithmic axis."""
    few = drawn(sweep({"stdp.A_plus": [0.004, 0.008]}), "rates")["rates_against_A_plus"].axes[0]
    assert [tick.get_text() for tick in few.get_xticklabels()] == ["0.004", "0.008"]
    wide = drawn(sweep({"stdp.A_plus": [0.001, 0.01, 0.1]}), "mean_weight")
    assert wide["mean_weight_against_A_plus"].axes[0].get_xscale() == "log"
    even = drawn(sweep({"input.rate_hz": range(2, 82, 10)}), "mean_weight")
    assert even["mean_weight_against_rate_hz"].axes[0].get_xscale() == "linear"


def test_seeds_alone_are_drawn_against_seeds(sweep):
    """A point each, with the interval of their mean in words."""
    dataset = sweep({"seed": range(4)})
    figure = drawn(dataset, "rates", "shares")["rates_against_seed"]
    (axes,) = figure.axes
    assert axes.get_xlabel() == "Random seed"
    low, high = confidence_interval(dataset["output_rate"]).values
    assert f"95 % interval {low:.3g} to {high:.3g}" in unfolded(figure)
    np.testing.assert_allclose(axes.containers[0].lines[0].get_ydata(), dataset["output_rate"])


def test_silence_is_marked(sweep):
    """A silent point has an open marker, and the word in place of a histogram."""
    made = drawn(sweep({"input.rate_hz": [0, 60], "seed": [1, 2]}), "rates", "weights")
    figure = made["rates_against_rate_hz"]
    assert "Open markers: silent" in title_of(figure)
    marked = [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata().tolist() for line in marked] == [[0.0]]
    words = [text.get_text() for text in made["weights"].axes[0].texts]
    assert words[0] == "silent"


def test_titles_count_the_seeds_that_are_done(sweep):
    """Where seeds are missing, the title says how many there are, not how many were asked for."""
    dataset = sweep({"input.rate_hz": [30, 60], "seed": [1, 2, 3, 4]})
    dataset["status"][1, 0] = 2
    dataset["output_rate"][1, 0] = np.nan
    figure = drawn(dataset, "rates")["rates_against_rate_hz"]
    assert "95 % interval of 3 to 4 seeds" in unfolded(figure)
    assert "1 of 8 points are not done" in title_of(figure)


def test_the_distribution_has_a_ridge_per_value(settled):
    """Ridges in the order of the axis, to one scale, panels for the second axis."""
    figure = drawn(settled, "weights")["weights"]
    left, right = figure.axes
    assert left.get_ylabel() == "Input rate (Hz)"
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["30", "40"]
    assert (left.get_title(loc="center"), right.get_title(loc="center")) == ("10 ms", "20 ms")
    assert figure.get_supxlabel() == "Final synaptic weight (share of maximum)"
    assert "3 seeds pooled" in title_of(figure)
    share = weights.weight_histogram(settled)
    scales = []
    for axes, tau in ((left, 10), (right, 20)):
        for i, rate in enumerate((30, 40)):
            found = share.sel(rate_hz=rate, tau_plus=tau).values
            scales.append(ridge(axes, i).max() / found.max())
            np.testing.assert_allclose(ridge(axes, i), scales[-1] * found)
    np.testing.assert_allclose(scales, scales[0])


def test_the_scale_bar_has_the_height_that_it_says(settled):
    """The bar beside the ridges is as high as its share is drawn."""
    axes = drawn(settled.isel(tau_plus=0), "weights")["weights"].axes[0]
    (bar,) = (line for line in axes.lines if len(line.get_xdata()) == 2)
    share = float(axes.texts[-1].get_text().split()[0])
    found = weights.weight_histogram(settled).isel(tau_plus=0).sel(rate_hz=30).values
    assert np.ptp(bar.get_ydata()) / share == pytest.approx(ridge(axes, 0).max() / found.max())


def test_a_settled_histogram_has_the_theory_and_its_distance(settled):
    """The dashed histogram has the same mean; total variation and both alphas stand beside it."""
    dataset = settled.isel(tau_plus=0)
    with style.paper():
        (one,) = drawn_one_by_one(MeasuredDataset(dataset), ["weights"])
    (axes,) = one.figure.axes
    expected = equilibrium.expected_histogram(dataset).sel(rate_hz=30)
    dashed = [patch.get_data() for patch in axes.patches if patch.get_linestyle() != "solid"]
    scale = ridge(axes, 0).max() / weights.weight_histogram(dataset).sel(rate_hz=30).max().item()
    np.testing.assert_allclose(dashed[0].values, scale * expected["share"])
    words = axes.texts[0].get_text()
    alpha, beta = expected["alpha"].item(), expected["beta"].item()
    assert words == f"TV {expected['total_variation']:.2g}, $\\alpha$ {alpha:.3g} ({beta:.3g})"
    assert "Total variation between histogram and theory 0.0" in one.caption
    assert title_of(one.figure).endswith("Settled\nDashed: theory with the same mean weight")


def test_an_unsettled_histogram_says_so(sweep):
    """Pale, without theory, with words beside it and in the title."""
    settled = settle(sweep({"input.rate_hz": [30, 60]}, *HISTORY))
    settled["weight_history"][1, :, :] = 0.4 + 0.02 * np.arange(25)[:, np.newaxis]
    assert settling(settled)["settled"].values.tolist() == ["yes", "no"]
    figure = drawn(settled, "weights")["weights"]
    (axes,) = figure.axes
    assert "Settled: 1 of 2 points" in title_of(figure)
    assert axes.texts[1].get_text() == "not settled"
    dashed = [patch for patch in axes.patches if patch.get_linestyle() != "solid"]
    assert len(dashed) == 1
    filled = [patch.get_facecolor() for patch in axes.patches if patch.get_fill()]
    assert sum(filled[1][:3]) > sum(filled[0][:3])


def test_points_that_have_not_settled_are_pale_among_others(sweep):
    """In a curve, where other points have settled; the title says so."""
    dataset = settle(sweep({"input.rate_hz": [30, 40]}, *HISTORY))
    dataset["weight_history"][1, :, :] = 0.4 + 0.02 * np.arange(25)[:, np.newaxis]
    figure = drawn(dataset, "mean_weight")["mean_weight_against_rate_hz"]
    assert "Pale markers: not settled" in title_of(figure)
    pale = [line for line in figure.axes[0].lines if line.get_markerfacecolor() != style.LTD]
    assert [line.get_xdata().tolist() for line in pale if len(line.get_xdata()) == 1] == [[40.0]]


def test_without_history_nobody_knows(sweep):
    """A file without weight history is never drawn as an equilibrium."""
    for axes in ({"input.rate_hz": [30, 60]}, {}):
        figure = drawn(sweep(axes), "weights")["weights"]
        assert "Equilibrium or not: no weight history to tell" in unfolded(figure)
        assert "Dashed" not in title_of(figure)


def test_one_run_has_one_histogram(sweep):
    """Its bars are the shares; a settled one has the theory, with its distance in the title."""
    dataset = settle(sweep({}, *HISTORY))
    figure = drawn(dataset, "weights")["weights"]
    (axes,) = figure.axes
    bars = axes.patches[0].get_data().values
    np.testing.assert_allclose(bars, weights.weight_histogram(dataset))
    assert axes.get_ylabel() == "Share of synapses"
    assert "Dashed: theory with the same mean weight\nTV 0." in title_of(figure)


def test_many_values_make_a_map(sweep):
    """In the order of the axis however its values were given, silent rows left grey."""
    dataset = sweep({"input.rate_hz": [90, 0, 50, 20, 10, 30, 40, 60, 80, 70, 15]})
    figure = drawn(dataset, "weights")["weights"]
    axes, bar = figure.axes
    share = weights.weight_histogram(dataset).sortby("rate_hz")
    values = np.ma.filled(axes.collections[0].get_array(), np.nan).reshape(share.shape)
    np.testing.assert_allclose(values[1:], share.values[1:])
    assert np.isnan(values[0]).all()
    assert "Grey: silent" in title_of(figure)
    assert bar.get_ylabel() == "Share of synapses"


def test_the_phase_diagram_maps_three_numbers(sweep):
    """Mean weight, output rate and bimodality over two axes, silent pixels hatched."""
    dataset = sweep({"input.rate_hz": [60, 0, 30], "stdp.ltd_ratio": [1.0, 1.1, 1.3, 1.2]})
    figure = drawn(dataset, "phase_diagram")["phase_diagram"]
    panels, bars = figure.axes[:3], figure.axes[3:]
    ordered = dataset.sortby(["rate_hz", "ltd_ratio"]).transpose("ltd_ratio", "rate_hz", ...)
    numbers = (ordered["mean_weight"], ordered["output_rate"], weights.bimodality(ordered))
    for axes, number in zip(panels, numbers, strict=True):
        values = np.ma.filled(axes.collections[0].get_array(), np.nan).reshape(4, 3)
        np.testing.assert_allclose(values, number.transpose("ltd_ratio", "rate_hz"))
        hatched = [patch for patch in axes.collections if patch.get_hatch()]
        assert len(hatched) == 4
        assert all(patch.get_datalim(axes.transData).x1 <= 15 for patch in hatched)
    assert bars[1].get_xlabel() == "Output firing rate (Hz)"
    assert panels[0].get_ylabel() == "Ratio of LTD to LTP amplitude"
    assert figure.get_supxlabel() == "Input rate (Hz)"
    assert legend_words(figure)[1] == ["silent"]
    assert any(len(axes.texts) for axes in panels)  # numbers on contours


def test_the_approach_to_equilibrium_is_drawn_in_time(settled):
    """Mean weight, weak and strong shares and output rate in seconds, a dot where it settled."""
    figure = drawn(settled.isel(tau_plus=[0]), "settling")["settling_tau_plus=10.0"]
    weight, weak, rate, strong = figure.axes
    dataset = settled.isel(tau_plus=0)
    history = dataset["weight_history"]
    first = weight.lines[0]
    np.testing.assert_allclose(first.get_xdata(), dataset["sample_time"] / 1000)
    expected = history.sel(rate_hz=30).mean(("seed", "synapse"))
    np.testing.assert_allclose(first.get_ydata(), expected, rtol=1e-5)
    below = (history.sel(rate_hz=30) < 0.1).mean(("seed", "synapse"))
    np.testing.assert_allclose(weak.lines[0].get_ydata(), below)
    assert rate.get_ylabel() == "Output firing rate\n(Hz)"
    assert strong.get_xlabel() == "Simulated time (s)"
    assert "dots: settled from here on" in title_of(figure)
    dot = weight.lines[1]
    time = settling(dataset)["settling_time"].sel(rate_hz=30).item() / 1000
    assert dot.get_xdata() == pytest.approx([time])


def test_the_window_is_red_before_and_blue_after(sweep):
    """LTP at negative t_pre - t_post, LTD at positive, the effective ratio in the title."""
    figure = drawn(sweep({"seed": [1]}), "window")["window"]
    (axes,) = figure.axes
    ltp, ltd = axes.lines[-2:]
    assert (ltp.get_xdata() <= 0).all()
    assert (ltp.get_ydata() > 0).all()
    assert (ltd.get_xdata() >= 0).all()
    assert (ltd.get_ydata() < 0).all()
    assert legend_words(figure)[1] == ["LTP", "LTD"]
    assert title_of(figure) == "Effective LTD ratio 1.1"
    assert axes.get_xlabel() == r"Time difference $t_\mathrm{pre} - t_\mathrm{post}$ (ms)"


def test_windows_of_a_sweep_are_a_family(sweep):
    """A line for each value of the axis that shapes it."""
    figure = drawn(sweep({"stdp.A_plus": [0.004, 0.008, 0.016]}), "window")["window"]
    assert legend_words(figure)[1] == ["0.004", "0.008", "0.016"]
    highest = [np.max(line.get_ydata()) for line in figure.axes[0].lines[2:]]
    np.testing.assert_allclose(highest[::2], [0.004, 0.008, 0.016])


def test_what_is_drawn_lies_inside_the_figure(settled):
    """Dashed lines are inside of the axes, titles inside of the figure."""
    for figure in drawn(settled, "cv", "rates", "shares", "weights", lay_out=True).values():
        width = figure.bbox.width
        for text in figure.findobj(lambda one: hasattr(one, "get_text") and one.get_text()):
            assert text.get_window_extent().x1 <= width + 1, text
        for axes in figure.axes:
            for line in axes.lines:
                if line.get_linestyle() == "--":
                    assert np.nanmax(line.get_ydata()) <= axes.get_ylim()[1]
