"""Figures of a sweep: data drawn, labels, limits and titles."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.contour import QuadContourSet

from analysis.measures import equilibrium, spike_trains, weights
from analysis.measures.measured import MeasuredDataset
from analysis.measures.seeds import confidence_interval
from analysis.measures.settling import settling
from analysis.plots import style
from analysis.reading.dataset import label
from tests.support.drawn import (
    HISTORY,
    captioned,
    drawn,
    legend_text,
    ridge,
    settle,
    title_of,
    unfolded,
)


def test_the_rate_is_drawn_against_each_axis(sweep):
    """Means over seeds along x with intervals, a line per value of the other axis."""
    dataset = sweep({"input.rate_hz": [60, 30], "stdp.tau_plus": [10, 20], "seed": [1, 2, 3]})
    made = drawn(dataset, "rates")
    assert list(made) == ["rates_against_rate_hz", "rates_against_tau_plus"]
    figure = made["rates_against_rate_hz"]
    (axes,) = figure.axes
    assert axes.get_xlabel() == "Input rate (Hz)"
    assert axes.get_ylabel() == "Output firing rate, last\nhalf of the run (Hz)"
    assert "Over the last half of 0.5 s, mean and 95 % interval of 3 seeds" in unfolded(figure)
    assert legend_text(figure) == ("LTP time constant", ["10 ms", "20 ms"])
    line = axes.containers[1].lines[0]
    rates = dataset["late_output_rate"].sel(tau_plus=20)
    np.testing.assert_allclose(line.get_xdata(), [30, 60])
    np.testing.assert_allclose(line.get_ydata(), rates.mean("seed").sortby("rate_hz"))
    bars = axes.containers[1].lines[2][0].get_segments()
    interval = confidence_interval(rates).sortby("rate_hz")
    np.testing.assert_allclose([bar[:, 1] for bar in bars], interval)
    assert axes.get_ylim()[0] == 0
    assert axes.get_ylim()[1] > float(confidence_interval(dataset["late_output_rate"]).max())


def test_every_measure_is_drawn_with_its_label(settled):
    """Rate and CV over the last half of the runs, the mean weight after them."""
    half = "Over the last half of 2.5 s"
    expected = {
        "rates": (
            spike_trains.mean_firing_rate(settled, 1250),
            half,
            "Output firing rate, last half of the run (Hz)",
        ),
        "cv": (
            spike_trains.cv(settled, 1250),
            half,
            "Coefficient of variation of output interspike intervals, last half of the run",
        ),
        "mean_weight": (settled["mean_weight"], "After 2.5 s", "Mean final weight"),
    }
    made = drawn(settled, *expected)
    for name, (variable, period, ylabel) in expected.items():
        figure = made[f"{name}_against_tau_plus"]
        axes = figure.axes[0]
        assert axes.get_ylabel().replace("\n", " ") == ylabel
        assert axes.get_xlabel() == "LTP time constant (ms)"
        assert unfolded(figure).startswith(period)
        for container, rate in zip(axes.containers, (30, 40), strict=True):
            line = container.lines[0]
            np.testing.assert_allclose(line.get_xdata(), [10, 20])
            np.testing.assert_allclose(line.get_ydata(), variable.sel(rate_hz=rate).mean("seed"))


def test_the_poisson_process_is_drawn_beside_cv_and_fano_factor(sweep):
    """Dashed at 1, for each line."""
    axes = {"input.rate_hz": [40, 60], "stdp.tau_plus": [10, 20], "seed": [1, 2]}
    made = drawn(sweep(axes, "simulation.duration=20000"), "cv", "fano")
    for name in ("cv", "fano"):
        figure = made[f"{name}_against_rate_hz"]
        assert "Dashed: Poisson process" in unfolded(figure)
        dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
        np.testing.assert_allclose([line.get_ydata() for line in dashed], np.ones((2, 2)))


def test_shares_have_three_panels_with_theory(settled):
    """Below 0.1, above 0.5, above 0.9; dashed, the theory with the same mean weight."""
    figure = drawn(settled, "shares")["shares_against_rate_hz"]
    titles = [axes.get_title(loc="center") for axes in figure.axes[:3]]
    assert titles == ["Weights below 0.1", "Weights above 0.5", "Weights above 0.9"]
    assert "Dashed: theory with the same mean weight" in unfolded(figure)
    shares = weights.weight_shares(settled).mean("seed").sortby("rate_hz").sel(tau_plus=10)
    expected = equilibrium.expected_histogram(settled)["share"].sortby("rate_hz")
    for i, axes in enumerate(figure.axes[:3]):
        line = axes.containers[0].lines[0]
        np.testing.assert_allclose(line.get_ydata(), shares.isel(range=i))
    dashed = [line for line in figure.axes[2].lines if line.get_linestyle() == "--"]
    strong = expected.sel(tau_plus=10).isel(weight_bin=slice(18, None)).sum("weight_bin")
    np.testing.assert_allclose(dashed[0].get_ydata(), strong)


def test_the_homeostatic_rate_is_drawn_where_it_is_known(settled, monkeypatch):
    """Dashed, in the colour of its line; not in the title where it is not known."""
    known = settled["late_output_rate"].mean("seed") + 1
    monkeypatch.setattr(equilibrium, "homeostatic_rate", lambda *_: known)
    figure = drawn(settled, "rates")["rates_against_rate_hz"]
    assert "Dashed: homeostatic rate" in unfolded(figure)
    (axes,) = figure.axes
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(dashed[0].get_ydata(), known.sel(tau_plus=10).sortby("rate_hz"))
    assert same_color(dashed[0].get_color(), axes.containers[0].lines[0].get_color())
    monkeypatch.setattr(equilibrium, "homeostatic_rate", lambda *_: known * np.nan)
    assert "Dashed" not in title_of(drawn(settled, "rates")["rates_against_rate_hz"])


def test_many_lines_are_thinned_out_and_have_a_colour_bar(sweep):
    """Beyond six lines a colour bar over the range of values; beyond twelve some of them."""
    dataset = sweep({"input.rate_hz": range(10, 25), "stdp.tau_plus": [10, 20]})
    figure = drawn(dataset, "rates")["rates_against_tau_plus"]
    axes, bar = figure.axes
    assert bar.get_ylabel() == "Input rate (Hz)"
    assert bar.get_ylim() == (10, 24)
    assert "12 of 15 values of Input rate (Hz)" in unfolded(figure)
    kept = [10, 11, 12, 13, 15, 16, 17, 18, 20, 21, 22, 24]
    lines = [container.lines[0].get_ydata() for container in axes.containers]
    np.testing.assert_allclose(lines, dataset["late_output_rate"].sel(rate_hz=kept))


def test_a_third_axis_makes_a_figure_per_value(sweep):
    """Each shows the data of its value, which is in its name and title."""
    axes = {"input.rate_hz": [30, 60], "stdp.tau_plus": [10, 20], "neuron.tau_m": [8, 12]}
    dataset = sweep(axes)
    made = drawn(dataset, "rates", "weights")
    for tau_m in (8.0, 12.0):
        part = dataset.sel(tau_m=tau_m)
        figure = made[f"rates_against_rate_hz_tau_m={tau_m}"]
        assert f"Membrane time constant: {tau_m:g} ms" in unfolded(figure)
        line = figure.axes[0].containers[1].lines[0]
        np.testing.assert_allclose(line.get_ydata(), part["late_output_rate"].sel(tau_plus=20))
        figure = made[f"weights_tau_m={tau_m}"]
        assert f"Membrane time constant: {tau_m:g} ms" in unfolded(figure)
        share = weights.weight_histogram(part).sel(rate_hz=30, tau_plus=10).values
        found = ridge(figure.axes[0], 0)
        np.testing.assert_allclose(found / found.sum(), share, atol=1e-12)


def test_choices_of_a_group_are_ticks_with_names(sweep):
    """Not joined by a line; a value each."""
    dataset = sweep({"stdp": ["notebook", "song_abbott_2001"], "seed": [1, 2]})
    (axes,) = drawn(dataset, "rates")["rates_against_stdp"].axes
    assert axes.get_xlabel() == "STDP rule"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["notebook", "song_abbott_2001"]
    line = axes.containers[0].lines[0]
    assert line.get_linestyle() == "None"
    np.testing.assert_allclose(line.get_ydata(), dataset["late_output_rate"].mean("seed"))


def test_ticks_stand_at_the_swept_values(sweep):
    """Few values are ticks; values over decades have a logarithmic scale."""
    few = drawn(sweep({"stdp.A_plus": [0.004, 0.008]}), "rates")["rates_against_A_plus"].axes[0]
    assert [tick.get_text() for tick in few.get_xticklabels()] == ["0.004", "0.008"]
    wide = drawn(sweep({"stdp.A_plus": [0.001, 0.01, 0.1]}), "mean_weight")
    assert wide["mean_weight_against_A_plus"].axes[0].get_xscale() == "log"
    even = drawn(sweep({"input.rate_hz": range(2, 82, 10)}), "mean_weight")
    assert even["mean_weight_against_rate_hz"].axes[0].get_xscale() == "linear"


def test_seeds_alone_are_drawn_against_seeds(sweep):
    """One point each; the title has the interval of the mean."""
    dataset = sweep({"seed": range(4)})
    figure = drawn(dataset, "rates", "shares")["rates_against_seed"]
    (axes,) = figure.axes
    assert axes.get_xlabel() == "Random seed"
    assert axes.containers[0].lines[0].get_xdata().tolist() == [0, 1, 2, 3]
    low, high = confidence_interval(dataset["late_output_rate"]).values
    assert f"95 % interval {low:.3g} to {high:.3g}" in unfolded(figure)
    np.testing.assert_allclose(axes.containers[0].lines[0].get_ydata(), dataset["late_output_rate"])


def test_silence_is_marked(sweep):
    """A silent point has an open marker, and a note in place of a histogram."""
    made = drawn(sweep({"input.rate_hz": [0, 60], "seed": [1, 2]}), "rates", "weights")
    figure = made["rates_against_rate_hz"]
    assert "Open markers: silent" in unfolded(figure)
    marked = [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata().tolist() for line in marked] == [[0.0]]
    (axes,) = made["weights"].axes
    assert axes.texts[0].get_text() == "silent"
    baselines = {np.max(patch.get_data().baseline) for patch in axes.patches}
    assert baselines == {1}  # the ridge of 60 Hz alone has bars


def test_titles_count_the_seeds_that_enter_a_mean(sweep):
    """Of eight seeds those whose run has a CV: none, one or several, by the input rate."""
    overrides = "synapse.g_max=0.024", "input.n_synapses=300", "simulation.duration=3000"
    dataset = sweep({"input.rate_hz": [12, 13, 14], "seed": range(8)}, *overrides)
    n = dataset["late_isi_cv"].notnull().sum("seed").values
    low, high = n[n > 0].min(), n.max()
    assert high < 8
    number = f"{high}" if low == high else f"{low} to {high}"
    made = drawn(dataset, "cv", "rates")
    assert f"of {number} seeds" in unfolded(made["cv_against_rate_hz"])
    assert "of 8 seeds" in unfolded(made["rates_against_rate_hz"])


def test_titles_count_the_seeds_that_are_done(sweep):
    """Not those that were requested; missing points are counted too."""
    dataset = sweep({"input.rate_hz": [30, 60], "seed": [1, 2, 3, 4]})
    dataset["status"][1, 0] = 2
    dataset["late_output_rate"][1, 0] = np.nan
    figure = drawn(dataset, "rates")["rates_against_rate_hz"]
    assert "95 % interval of 3 to 4 seeds" in unfolded(figure)
    assert "1 of 8 points are missing and not shown" in unfolded(figure)


def test_unsettled_points_are_pale_among_settled_ones(sweep):
    """At their own value and height; the title explains the markers."""
    dataset = settle(sweep({"input.rate_hz": [30, 40]}, *HISTORY))
    dataset["weight_history"][1, :, :] = 0.4 + 0.02 * np.arange(25)[:, np.newaxis]
    figure = drawn(dataset, "mean_weight")["mean_weight_against_rate_hz"]
    assert "Pale markers: not settled" in unfolded(figure)
    pale = [line for line in figure.axes[0].lines if line.get_markerfacecolor() != style.LTD]
    (marker,) = (line for line in pale if len(line.get_xdata()) == 1)
    assert marker.get_xdata().tolist() == [40.0]
    assert marker.get_ydata() == [dataset["mean_weight"].sel(rate_hz=40).item()]
    assert same_color(marker.get_markerfacecolor(), style.paler(style.LTD))


def test_the_phase_diagram_maps_three_measures(sweep):
    """Mean weight, output rate and bimodality over two axes; silent pixels hatched."""
    dataset = sweep({"input.rate_hz": [60, 0, 30], "stdp.ltd_ratio": [1.0, 1.1, 1.3, 1.2]})
    figure = drawn(dataset, "phase_diagram")["phase_diagram"]
    panels, bars = figure.axes[:3], figure.axes[3:]
    ordered = dataset.sortby(["rate_hz", "ltd_ratio"]).transpose("ltd_ratio", "rate_hz", ...)
    numbers = (ordered["mean_weight"], ordered["late_output_rate"], weights.bimodality(ordered))
    for axes, number in zip(panels, numbers, strict=True):
        values = np.ma.filled(axes.collections[0].get_array(), np.nan).reshape(4, 3)
        np.testing.assert_allclose(values, number.transpose("ltd_ratio", "rate_hz"))
        hatched = [patch for patch in axes.collections if patch.get_hatch()]
        corners = [patch.get_datalim(axes.transData).extents for patch in hatched]
        ratios = np.array([0.95, 1.05, 1.15, 1.25, 1.35])
        silent = np.column_stack([np.full(4, -15), ratios[:-1], np.full(4, 15), ratios[1:]])
        np.testing.assert_allclose(corners, silent)
    labels = [bar.get_xlabel().replace("\n", " ") for bar in bars]
    assert labels == [label(number) for number in numbers]
    assert panels[0].get_ylabel() == "Ratio of LTD to LTP amplitude"
    assert figure.get_supxlabel() == "Input rate (Hz)"
    assert legend_text(figure)[1] == ["silent"]
    assert "After 0.5 s" in unfolded(figure)


@pytest.mark.parametrize("n_settled", [0, 8])
def test_what_has_not_settled_is_marked_beside_what_has(sweep, n_settled):
    """Dots on maps, pale histograms, and a legend or header says so; not where nothing has."""
    rates = [30, 40, 60]
    dataset = settle(sweep({"input.rate_hz": rates, "stdp.ltd_ratio": [1.0, 1.1, 1.2]}, *HISTORY))
    rising = np.linspace(100, 2000, dataset.sizes["sample_time"])
    dataset["rate_history"].values.reshape(9, -1)[n_settled:] = rising
    made = captioned(MeasuredDataset(dataset), "phase_diagram", "weights")
    figure = made["phase_diagram"].figure
    for panel in figure.axes[:3]:
        dotted = [one for one in panel.collections if one.get_hatch() == "...."]
        corners = [one.get_datalim(panel.transData).extents.tolist() for one in dotted]
        assert corners == ([pytest.approx([50, 1.15, 70, 1.25])] if n_settled else [])
    names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert names == (["not settled"] if n_settled else [])
    assert ("Pale: not settled" in unfolded(made["weights"].figure)) == bool(n_settled)


def test_contours_have_the_levels_of_their_labels(sweep):
    """Of the mean weight at its own levels, within the range of the points that fire."""
    dataset = sweep({"input.rate_hz": [60, 20, 30], "stdp.ltd_ratio": [1.0, 1.1, 1.3, 1.2]})
    panel = drawn(dataset, "phase_diagram")["phase_diagram"].axes[0]
    (contours,) = (one for one in panel.collections if isinstance(one, QuadContourSet))
    low, high = float(dataset["mean_weight"].min()), float(dataset["mean_weight"].max())
    labels = [float(text.get_text()) for text in panel.texts]
    assert labels
    assert set(labels) <= {float(f"{level:.3g}") for level in contours.levels}
    assert all(low <= level <= high for level in labels)


def test_slices_share_their_colours(sweep):
    """Of each map of a phase diagram, and of the maps of weights."""
    rates = [20, 30, 40, 50, 55, 60, 65, 70, 75, 80, 90]
    axes = {"input.rate_hz": rates, "stdp.ltd_ratio": [1.0, 1.3, 1.6], "neuron.tau_m": [8, 20]}
    dataset = sweep(axes)
    for name, mapped in (
        ("phase_diagram", ["mean_weight", "late_output_rate"]),
        ("weights", []),
    ):
        made = drawn(dataset, name)
        ends = {
            tuple(one.collections[0].get_clim() for one in figure.axes if one.collections)
            for figure in made.values()
        }
        assert len(made) == 2
        assert len(ends) == 1
        for variable, (low, high) in zip(mapped, *ends, strict=False):
            found = dataset[variable]
            assert (low, high) == pytest.approx((found.min().item(), found.max().item()))


def test_colours_are_not_stretched_over_noise(sweep):
    """Mean weights of 0.995 to 0.998 have one shade and no contours; the caption has the span."""
    dataset = sweep({"input.rate_hz": [30, 40, 60], "stdp.ltd_ratio": [1.0, 1.1, 1.2]})
    dataset["mean_weight"][...] = 0.995 + 0.003 * np.linspace(0, 1, 9).reshape(3, 3)
    (one,) = captioned(MeasuredDataset(dataset), "phase_diagram").values()
    panel = one.figure.axes[0]
    assert panel.collections[0].get_clim() == pytest.approx((0.9, 1.0))
    assert not [one for one in panel.collections if isinstance(one, QuadContourSet)]
    assert "A colour scale spans at least 0.1 (mean weight), 2 Hz (output rate)" in one.caption


def test_the_approach_to_equilibrium_is_drawn_in_time(settled):
    """Histories of mean weight, weak and strong shares and output rate; a dot at settling time."""
    figure = drawn(settled.isel(tau_plus=[0]), "settling")["settling_tau_plus=10.0"]
    weight, weak, rate, strong = figure.axes
    dataset = settled.isel(tau_plus=0)
    history = dataset["weight_history"]
    first = weight.lines[0]
    np.testing.assert_allclose(first.get_xdata(), [0, *(dataset["sample_time"] / 1000)])
    expected = history.sel(rate_hz=30).mean(("seed", "synapse"))
    np.testing.assert_allclose(first.get_ydata()[1:], expected, rtol=1e-5)
    below = (history.sel(rate_hz=30) < 0.1).mean(("seed", "synapse"))
    np.testing.assert_allclose(weak.lines[0].get_ydata()[1:], below)
    assert rate.get_ylabel() == "Output firing rate in\ntime (Hz)"
    output = dataset["rate_history"].sel(rate_hz=30).mean("seed")
    np.testing.assert_allclose(rate.lines[0].get_ydata(), output)
    above = (history.sel(rate_hz=30) > 0.9).mean(("seed", "synapse"))
    np.testing.assert_allclose(strong.lines[0].get_ydata()[1:], above)
    assert (weak.get_ylim(), strong.get_ylim()) == ((0, 1), (0, 1))
    assert strong.get_xlabel() == "Simulated time (s)"
    assert "Dots: settling time" in unfolded(figure)
    dot = weight.lines[1]
    time = settling(dataset)["settling_time"].sel(rate_hz=30)
    nearest = dataset["sample_time"].sel(sample_time=time, method="nearest").item() / 1000
    assert dot.get_xdata() == pytest.approx([nearest])


def test_weights_in_time_begin_at_the_initial_weight(sweep):
    """In every figure with weights against time: at t = 0, with the w_init of each point."""
    axes = {"synapse.w_init": [0.05, 0.5, 0.95], "seed": [1, 2]}
    dataset = sweep(axes, *HISTORY).assign_coords(group=("synapse", ["a"] * 20 + ["b"] * 20))
    made = drawn(dataset)
    begins = {
        name: [
            line.get_xydata()[0].tolist() for line in figure.axes[0].lines if line.get_lw() > 0.7
        ]
        for name, figure in made.items()
        if name.startswith(("settling", "weights_in_time", "groups"))
    }
    assert len(begins) == 7
    assert begins.pop("settling") == [[0, 0.05], [0, 0.5], [0, 0.95]]
    for name, points in begins.items():
        w_init = float(name.rpartition("=")[2])
        assert points == [pytest.approx([0, w_init])] * (2 if "groups" in name else 1)
    _, weak, rate, strong = made["settling"].axes
    for axes, expected in ((weak, [1, 0, 0]), (strong, [0, 0, 1])):
        assert [line.get_ydata()[0] for line in axes.lines] == expected
    assert rate.lines[0].get_xdata()[0] == 0.1
    cut = dataset.sel(sample_time=slice(1000, None))
    assert drawn(cut, "settling")["settling"].axes[0].lines[0].get_xdata()[0] == 1


def test_what_is_drawn_lies_inside_the_figure(settled):
    """Dashed lines lie within the limits of y, texts within the width of the figure."""
    for figure in drawn(settled, "cv", "rates", "shares", "weights", lay_out=True).values():
        width = figure.bbox.width
        for text in figure.findobj(lambda one: hasattr(one, "get_text") and one.get_text()):
            assert text.get_window_extent().x1 <= width + 1, text
        for axes in figure.axes:
            for line in axes.lines:
                if line.get_linestyle() == "--":
                    assert np.nanmin(line.get_ydata()) >= axes.get_ylim()[0]
                    assert np.nanmax(line.get_ydata()) <= axes.get_ylim()[1]
