"""The figures: what is drawn, not its pixels."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color

import pipeline
from analysis import equilibrium, measures, spike_trains, style
from analysis.__main__ import main
from analysis.catalogue import KINDS, figures
from analysis.drawing import show
from analysis.load import LoadError
from analysis.seeds import confidence_interval
from analysis.settling import settling
from analysis.study import Study
from analysis.traces import ltd_trace, ltp_trace, synaptic_conductance

#: With a neuron that fires some 20 times a second.
HISTORY = (
    "record.weight_interval=100",
    "record.spike_times=true",
    "simulation.duration=2500",
    "synapse.g_max=0.07",
)


@pytest.fixture(autouse=True)
def close_figures():
    """Leave no figure open."""
    yield
    plt.close("all")


def drawn(dataset, *names, lay_out=False, **more):
    """Return figures of a dataset by name."""
    made = {}
    with style.paper():
        for one in figures(Study(dataset, **more), names):
            made[one.name] = one.figure
            if lay_out:
                one.figure.draw_without_rendering()
            plt.close(one.figure)
    return made


def title_of(figure):
    """Return the words above the axes."""
    return figure.get_suptitle() or figure.axes[0].get_title(loc="left")


def unfolded(figure):
    """Return the words above the axes as one line, however they are folded."""
    return " ".join(title_of(figure).split())


def legend_words(figure):
    """Return title and entries of a figure's legend."""
    (legend,) = figure.legends
    return legend.get_title().get_text(), [text.get_text() for text in legend.get_texts()]


@pytest.fixture
def sweep(configure):
    """Sweep a small configuration in this process."""
    return lambda axes, *overrides: pipeline.sweep(
        configure(*overrides), axes, backend="sequential"
    )


def settle(dataset):
    """Replace the weights by ones that have settled: two piles, another draw at each sample."""
    random = np.random.default_rng(0)
    history = dataset["weight_history"]
    strong = random.random(history.shape[:-2] + history.shape[-1:]) < 0.4
    near = random.exponential(0.04, history.shape).clip(0, 0.4)
    dataset["weight_history"][...] = np.where(strong[..., np.newaxis, :], 1 - near, near)
    dataset["weight"][...] = dataset["weight_history"].isel(sample_time=-1).values
    dataset["mean_weight"][...] = dataset["weight"].mean("synapse").values
    return dataset


@pytest.fixture
def settled(sweep):
    """A sweep of two axes and three seeds whose weights have settled."""
    axes = {"input.rate_hz": [40, 30], "stdp.tau_plus": [10, 20], "seed": [1, 2, 3]}
    return settle(sweep(axes, *HISTORY))


# Numbers against axes


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
    shares = measures.weight_shares(settled).mean("seed").sortby("rate_hz").sel(tau_plus=10)
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


# Distributions


def ridge(axes, i):
    """Return the bars of one ridge, without its foot."""
    bars = [patch.get_data() for patch in axes.patches if patch.get_fill()]
    return [bar.values - i for bar in bars if bar.baseline == i][0]


def test_the_distribution_has_a_ridge_per_value(settled):
    """Ridges in the order of the axis, to one scale, panels for the second axis."""
    figure = drawn(settled, "weights")["weights"]
    left, right = figure.axes
    assert left.get_ylabel() == "Input rate (Hz)"
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["30", "40"]
    assert (left.get_title(loc="center"), right.get_title(loc="center")) == ("10 ms", "20 ms")
    assert figure.get_supxlabel() == "Final synaptic weight (share of maximum)"
    assert "3 seeds pooled" in title_of(figure)
    share = measures.weight_histogram(settled)
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
    found = measures.weight_histogram(settled).isel(tau_plus=0).sel(rate_hz=30).values
    assert np.ptp(bar.get_ydata()) / share == pytest.approx(ridge(axes, 0).max() / found.max())


def test_a_settled_histogram_has_the_theory_and_its_distance(settled):
    """The dashed histogram has the same mean; total variation and both alphas stand beside it."""
    dataset = settled.isel(tau_plus=0)
    with style.paper():
        (one,) = figures(Study(dataset), ["weights"])
    (axes,) = one.figure.axes
    expected = equilibrium.expected_histogram(dataset).sel(rate_hz=30)
    dashed = [patch.get_data() for patch in axes.patches if patch.get_linestyle() != "solid"]
    scale = ridge(axes, 0).max() / measures.weight_histogram(dataset).sel(rate_hz=30).max().item()
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
    np.testing.assert_allclose(bars, measures.weight_histogram(dataset))
    assert axes.get_ylabel() == "Share of synapses"
    assert "Dashed: theory with the same mean weight\nTV 0." in title_of(figure)


def test_many_values_make_a_map(sweep):
    """In the order of the axis however its values were given, silent rows left grey."""
    dataset = sweep({"input.rate_hz": [90, 0, 50, 20, 10, 30, 40, 60, 80, 70, 15]})
    figure = drawn(dataset, "weights")["weights"]
    axes, bar = figure.axes
    share = measures.weight_histogram(dataset).sortby("rate_hz")
    values = np.ma.filled(axes.collections[0].get_array(), np.nan).reshape(share.shape)
    np.testing.assert_allclose(values[1:], share.values[1:])
    assert np.isnan(values[0]).all()
    assert "Grey: silent" in title_of(figure)
    assert bar.get_ylabel() == "Share of synapses"


# Maps and time


def test_the_phase_diagram_maps_three_numbers(sweep):
    """Mean weight, output rate and bimodality over two axes, silent pixels hatched."""
    dataset = sweep({"input.rate_hz": [60, 0, 30], "stdp.ltd_ratio": [1.0, 1.1, 1.3, 1.2]})
    figure = drawn(dataset, "phase_diagram")["phase_diagram"]
    panels, bars = figure.axes[:3], figure.axes[3:]
    ordered = dataset.sortby(["rate_hz", "ltd_ratio"]).transpose("ltd_ratio", "rate_hz", ...)
    numbers = (ordered["mean_weight"], ordered["output_rate"], measures.bimodality(ordered))
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


def test_weights_are_drawn_in_time_with_the_histogram_of_a_moment(sweep):
    """Up to 50 synapses and the mean of all; the histogram is the chosen sample's."""
    dataset = sweep({}, *HISTORY)
    figure = drawn(dataset, "weights_in_time", at=203.0)["weights_in_time_at=203"]
    left, right = figure.axes
    history = dataset["weight_history"]
    assert len(left.lines) == 40 + 1 + 1  # the synapses, their mean, the moment
    np.testing.assert_allclose(left.lines[7].get_ydata(), history.isel(synapse=7))
    np.testing.assert_allclose(left.lines[40].get_ydata(), history.mean("synapse"), rtol=1e-5)
    np.testing.assert_allclose(left.lines[0].get_xdata(), history["sample_time"] / 1000)
    assert right.get_title(loc="left") == "At 0.2 s"
    found = right.patches[0].get_data().values
    np.testing.assert_allclose(found, measures.weight_histogram(dataset, at=200.0))


def test_groups_of_synapses_are_drawn_apart(sweep):
    """With a coordinate that names them: colours, means and histograms of each."""
    dataset = sweep({}, *HISTORY)
    names = ["correlated"] * 10 + ["others"] * 30
    dataset = dataset.assign_coords(group=("synapse", names))
    figure = drawn(dataset, "groups")["groups"]
    left, right = figure.axes
    assert legend_words(figure)[1] == ["Correlated, mean", "Others, mean"]
    means = [line for line in left.lines if line.get_linewidth() == 2]
    history = dataset["weight_history"]
    for line, group in zip(means, (slice(10), slice(10, None)), strict=True):
        mean = history.isel(synapse=group).mean("synapse")
        np.testing.assert_allclose(line.get_ydata(), mean, rtol=1e-5)
    assert len(right.patches) == 2


# One run, step by step


@pytest.fixture
def recorded(sweep):
    """Every state variable of every step of a short run."""
    return sweep({}, "record=everything", "simulation.duration=300")


def test_traces_are_drawn_below_the_input_spikes(recorded):
    """A mark per spike of five synapses; P jumps with them, M with the output."""
    top, middle, bottom = drawn(recorded, "traces")["traces"].axes
    spikes = spike_trains.input_spikes(recorded).isel(synapse=slice(5))
    step, synapse = np.nonzero(spikes.values)
    marks = top.collections[0].get_offsets()
    np.testing.assert_allclose(marks, np.column_stack([recorded["time"].values[step], synapse]))
    for line, i in zip(middle.lines, range(5), strict=True):
        np.testing.assert_allclose(line.get_ydata(), ltp_trace(recorded).isel(synapse=i))
    np.testing.assert_allclose(bottom.lines[0].get_ydata(), ltd_trace(recorded))
    assert "LTP trace" in middle.get_ylabel()
    assert bottom.get_xlabel() == "Time (ms)"


def test_exercise_2_has_six_panels(recorded):
    """Potential with output spikes, raster of all, M, P and g of ten synapses, g_ex."""
    figure = drawn(recorded, "run")["run"]
    v, P, raster, g, M, g_ex = figure.axes
    np.testing.assert_allclose(v.lines[0].get_ydata(), recorded["v"])
    assert len(v.collections[0].get_segments()) == recorded["spike_count"]
    assert len(raster.collections[0].get_offsets()) == spike_trains.input_spikes(recorded).sum()
    np.testing.assert_allclose(M.lines[0].get_ydata(), ltd_trace(recorded))
    assert (len(P.lines), len(g.lines)) == (10, 10)
    conductance = synaptic_conductance(recorded).isel(synapse=3)
    np.testing.assert_allclose(g.lines[3].get_ydata(), conductance)
    np.testing.assert_allclose(g_ex.lines[0].get_ydata(), recorded["g_ex"])
    assert v.get_ylabel() == "Membrane potential\n(mV)"


def test_of_long_runs_one_second_is_drawn(sweep):
    """From the chosen moment on; the raster has no spike that is none, at its first step either."""
    dataset = sweep({}, "record=everything", "simulation.duration=1500")
    figure = drawn(dataset, "run", at=400.0)["run_at=400"]
    v, _, raster, *_ = figure.axes
    assert "0.4 to 1.4 s of 1.499 s" in title_of(figure)
    assert v.lines[0].get_xdata()[[0, -1]].tolist() == [400.0, 1400.0]
    spikes = spike_trains.input_spikes(dataset).sel(time=slice(400, 1400))
    assert len(raster.collections[0].get_offsets()) == spikes.sum()


def test_the_correlogram_shows_what_comes_before_an_output_spike(recorded):
    """Input rate against lag for weak and strong synapses, the rate of the input dotted."""
    figure = drawn(recorded, "correlogram")["correlogram"]
    (axes,) = figure.axes
    rates = spike_trains.input_rate_around_output(recorded)
    shown = [rate for rate in rates if rate.notnull().any()]
    for line, rate in zip(axes.lines[2:], shown, strict=True):
        np.testing.assert_allclose(line.get_ydata(), rate)
    assert axes.lines[0].get_ydata()[0] == 40
    assert axes.get_ylabel() == "Input rate around output spikes (Hz)"
    assert f"{recorded['spike_count'].item()} output spikes" in title_of(figure)


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


def test_each_point_of_a_grown_sweep_is_drawn(sweep):
    """The run that is drawn is of the first seed that is done at that point."""
    dataset = sweep({"input.rate_hz": [20, 40], "seed": [1, 2]}, *HISTORY)
    dataset["status"][:] = [[0, 2], [2, 0]]
    made = drawn(dataset, "weights_in_time")
    titles = [title_of(figure).splitlines()[0] for figure in made.values()]
    assert titles == ["Input rate: 20 Hz, Seed 1", "Input rate: 40 Hz, Seed 2"]


def test_runs_of_other_lengths_end_where_they_end(sweep):
    """With a swept duration the shorter run is drawn up to its own last sample."""
    dataset = sweep({"simulation.duration": [500, 1000]}, "record.weight_interval=100")
    made = list(drawn(dataset, "weights_in_time").values())
    assert [figure.axes[1].get_title(loc="left") for figure in made] == ["At 0.5 s", "At 1 s"]
    lines = [figure.axes[0].lines[0].get_xdata() for figure in made]
    assert [len(line) for line in lines] == [5, 10]


def test_the_choice_of_a_group_is_a_part_like_any_other(sweep):
    """What only the choice sets is read of that choice: its window, its threshold, its rates."""
    choices = {"stdp": ["notebook", "song_abbott_2001"], "input.rate_hz": [40, 60]}
    dataset = sweep(choices, "record=everything", "simulation.duration=50")
    (figure,) = show(dataset, "window", where=["stdp=song_abbott_2001"])
    assert np.max(figure.axes[0].lines[2].get_ydata()) == pytest.approx(0.005)
    for name in ("rates", "weights", "run"):
        assert show(dataset, name, where=["stdp=song_abbott_2001"])


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


# Which figures there are


def test_a_file_has_the_figures_it_supports(sweep):
    """Without axes, history and traces there is a histogram and a window; each adds its own."""
    assert set(drawn(sweep({}))) == {"weights", "window"}
    assert {"weights_in_time", "settling"} <= set(drawn(sweep({}, *HISTORY)))
    full = drawn(sweep({}, "record=everything", "simulation.duration=100"))
    assert {"traces", "run", "correlogram"} <= set(full)


def test_every_figure_is_drawn_of_every_kind_of_sweep(sweep):
    """Words, holes, grown grids: nothing warns, nothing breaks."""
    words = sweep({"stdp": ["notebook", "song_abbott_2001"], "input.rate_hz": [20, 60]}, *HISTORY)
    holes = sweep({"input.rate_hz": [20, 40, 60], "neuron.tau_m": [8, 10, 12]}, *HISTORY)
    holes["status"][1] = 2
    for name in ("weight", "weight_history", "rate_history", "output_rate", "mean_weight"):
        holes[name][1] = np.nan
    holes["spike_count"][1] = -1
    for dataset in (words, holes):
        assert len(drawn(dataset, lay_out=True)) > 8


def test_a_notebook_shows_figures_by_name(sweep):
    """`show` returns them; an unheard name, or one the file cannot have, is told in one line."""
    dataset = sweep({"input.rate_hz": [20, 60]})
    (figure,) = show(dataset, "rates")
    assert figure.axes[0].get_ylabel() == "Output firing rate (Hz)"
    with pytest.raises(LoadError, match="--figure rate: must be one of weights, rates, cv"):
        show(dataset, "rate")
    with pytest.raises(LoadError, match="dataset: --figure run needs record=everything"):
        show(dataset, "run")


# The command


@pytest.fixture
def kept(keep):
    """An experiment of two rates and two seeds on disk."""
    return keep("one", {"input.rate_hz": [30, 60], "seed": [1, 2]}, *HISTORY)


def test_the_command_draws_what_there_is(kept, capsys):
    """Figures go to the experiment's own folder; the file itself stays as it was."""
    before = (kept / "results.nc").read_bytes()
    assert main([str(kept)]) == 0
    made = {file.name for file in (kept / "figures").iterdir()}
    assert {"weights.png", "rates_against_rate_hz.png", "settling.png"} <= made
    assert {name.rpartition(".")[2] for name in made} == {"png"}
    assert str(kept / "figures" / "weights.png") in capsys.readouterr().out
    assert (kept / "results.nc").read_bytes() == before


def test_one_figure_in_one_format(kept):
    """`--figure` and `--format` can be given several times; svg keeps text as text."""
    words = ["--figure", "rates", "--figure", "window", "--format", "svg", "--format", "pdf"]
    assert main([str(kept), *words]) == 0
    made = {file.name for file in (kept / "figures").iterdir()}
    assert made == {
        f"{name}.{suffix}"
        for name in ("rates_against_rate_hz", "window")
        for suffix in ("svg", "pdf")
    }
    assert "Input rate (Hz)" in (kept / "figures" / "rates_against_rate_hz.svg").read_text()


def test_part_of_a_sweep_is_drawn_and_named(kept):
    """`--where` takes keys or last words; the part stands in the title."""
    assert main([str(kept), "--figure", "weights", "--where", "input.rate_hz=60.0"]) == 0
    assert main([str(kept), "--figure", "rates", "--where", "seed=2"]) == 0
    from analysis.load import open_results
    from analysis.selection import part_of

    with open_results(kept) as dataset:
        part = part_of(dataset, ["rate_hz=60", "seed=2"])
        assert part.words == "Input rate 60 Hz, Random seed 2"
        assert part.dataset["status"].dims == ()
        assert part.dataset["weight"].identical(dataset["weight"].sel(rate_hz=60, seed=2))
    made = {file.name for file in (kept / "figures").iterdir()}
    assert made == {"weights_rate_hz=60.0.png", "rates_against_rate_hz_seed=2.png"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--figure", "nothing"], "--figure nothing: must be one of weights, rates"),
        (["--figure", "run"], "--figure run needs record=everything, for a short run"),
        (["--figure", "phase_diagram"], "needs two axes of three or more numbers"),
        (["--where", "seed=7"], "--where seed=7: seed must be one of 1,2"),
        (["--where", "rate"], "rate: must be KEY=VALUE with one of the axes input.rate_hz, seed"),
        (["--where", "dt=1"], "--where dt=1: must be KEY=VALUE with one of the axes"),
        (["--where", "seed=1", "--where", "seed=2"], "--where seed=2: seed was given twice"),
        (["--at", "nan"], "--at nan: must be >= 0 and <= 2500 ms, the duration"),
        (["--at", "-1"], "--at -1: must be >= 0 and <= 2500 ms, the duration"),
        (["--at", "2600"], "--at 2600: must be >= 0 and <= 2500 ms, the duration"),
        (["--at", "soon"], "argument --at: invalid float value: 'soon'; see python -m analysis"),
        (["--at", "5", "--figure", "rates"], "--at 5: only weights_in_time, groups, traces, run"),
        (["--format", "gif"], "argument --format: invalid choice: 'gif'"),
        (["--report", "--figure", "rates"], "--figure: has no effect with --report"),
        (["--list", "--where", "seed=1"], "--where: has no effect with --list"),
        (["other"], "unrecognized arguments: other"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(kept, capsys, words, message):
    """It names what is allowed, and nothing is drawn."""
    assert main([str(kept), *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (kept / "figures").exists()


def test_the_list_tells_what_a_figure_would_need(kept, capsys):
    """One line a figure; those that the file cannot have say what it would need."""
    assert main([str(kept), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(KINDS)
    told = dict(zip(KINDS, lines, strict=True))
    assert told["run"].endswith("needs record=everything, for a short run")
    assert "needs" not in told["rates"] + told["settling"]


def test_points_that_are_not_done_are_left_out(sweep, tmp_path, capsys):
    """A file with holes is drawn, and the holes are counted aloud."""
    dataset = sweep({"input.rate_hz": [30, 60], "seed": [1, 2]})
    dataset["status"][0] = 2
    for name in ("weight", "output_rate", "mean_weight", "isi_cv"):
        dataset[name][0] = np.nan
    dataset["spike_count"][0] = -1
    dataset.to_netcdf(tmp_path / "results.nc")
    assert main([str(tmp_path), "--figure", "rates"]) == 0
    assert "2 of 4 points are not done and left out" in capsys.readouterr().out
    figure = drawn(dataset, "rates")["rates_against_rate_hz"]
    line = figure.axes[0].containers[0].lines[0].get_ydata()
    assert np.isnan(line[0])
    assert line[1] == dataset["output_rate"].sel(rate_hz=60).mean()


def test_nothing_done_is_nothing_to_draw(sweep, tmp_path, capsys):
    """A file without a finished point is refused in one line."""
    dataset = sweep({"seed": [1, 2]})
    dataset["status"][:] = 2
    dataset.to_netcdf(tmp_path / "results.nc")
    assert main([str(tmp_path)]) == 2
    assert "no point is done yet" in capsys.readouterr().err


def test_a_wrong_path_is_one_line_and_exit_code_2(tmp_path, capsys):
    """No directory, no figure, no traceback."""
    assert main([str(tmp_path / "nothing")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "must be an experiment directory" in error
