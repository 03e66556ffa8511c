"""Figures of samples: against each parameter, over pairs of them, in the order of weights."""

import numpy as np
import pytest

import pipeline
from analysis.figures import sample_figures
from analysis.figures.registry import FIGURES
from analysis.measures.measured import MeasuredDataset
from analysis.measures.samples import means_in_bins
from analysis.plots.samples import spans_decades
from analysis.report.summary import by_combination
from tests.conftest import SMALL
from tests.support.drawn import captioned, unfolded

N = 40
RATES = np.round(20 + 40 * (0.618 * np.arange(N) % 1), 3)
AMPLITUDES = np.round(10.0 ** (-3 + 2 * (0.755 * np.arange(N) % 1)), 6)


@pytest.fixture(scope="module")
def sampled():
    """Two parameters of 40 samples at three seeds; weights rise with the rate alone."""
    samples = {"input.rate_hz": RATES, "stdp.A_plus": AMPLITUDES}
    configuration = pipeline.configure(*SMALL, "simulation.duration=50")
    dataset = pipeline.sweep(
        configuration, {"seed": [1, 2, 3]}, samples=samples, backend="sequential"
    )
    noise = 0.01 * np.array([-1, 0, 1])
    weight = RATES[:, None] / 100 + noise
    dataset["mean_weight"][...] = weight
    dataset["weight"][...] = weight[..., None]
    dataset["spike_count"][...] = 1
    return dataset


def test_a_measure_is_drawn_against_each_parameter(sampled):
    """A panel each, with all samples at their values, intervals of seeds, and a mean of alike."""
    (one,) = captioned(MeasuredDataset(sampled), "mean_weight").values()
    assert one.name == "mean_weight_against_samples"
    of_rate, of_amplitude = one.figure.axes
    assert of_rate.get_xlabel() == "Input rate (Hz)"
    assert (of_rate.get_xscale(), of_amplitude.get_xscale()) == ("linear", "log")
    for axes, values in ((of_rate, RATES), (of_amplitude, AMPLITUDES)):
        points = [line for line in axes.lines if line.get_marker() == "o"]
        drawn = np.concatenate([line.get_xydata() for line in points])
        order = np.argsort(drawn[:, 1])
        np.testing.assert_allclose(drawn[order, 0], values[np.argsort(RATES)])
        np.testing.assert_allclose(drawn[order, 1], np.sort(RATES) / 100)
        assert len(axes.collections[0].get_segments()) == N
    assert "40 samples, mean and 95 % interval of 3 seeds" in unfolded(one.figure)
    assert "Against what samples set: input rate, LTP amplitude." in one.caption


def test_the_mean_of_alike_samples_is_the_main_effect(sampled):
    """It rises with what decides, and is level along what does not."""
    rate, amplitude = (
        means_in_bins(sampled["mean_weight"], name) for name in ("rate_hz", "A_plus")
    )
    np.testing.assert_allclose(rate["mean"], rate["centre"] / 100, rtol=1e-6)
    assert np.ptp(rate["mean"].values) > 0.25
    assert np.ptp(amplitude["mean"].values) < 0.15
    assert means_in_bins(sampled["mean_weight"].isel(sample=slice(20)), "rate_hz") is None


def test_pairs_have_the_measure_as_colour(sampled):
    """One panel for two parameters; its colours are the means over seeds, in a common scale."""
    made = captioned(MeasuredDataset(sampled), "pairs")
    assert list(made) == ["pairs_mean_weight", "pairs_output_rate"]
    panel, bar = made["pairs_mean_weight"].figure.axes
    (dots,) = panel.collections
    np.testing.assert_allclose(dots.get_array(), np.sort(RATES) / 100)
    np.testing.assert_allclose(dots.get_offsets()[:, 0], np.sort(RATES))
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("Input rate (Hz)", "LTP amplitude")
    assert bar.get_ylabel() == "Mean final weight"


def test_more_samples_than_can_be_told_apart_are_thinned(sampled, monkeypatch):
    """The header says how many are drawn; bins are of all."""
    monkeypatch.setattr(sample_figures, "MAX_DRAWN", 10)
    one = captioned(MeasuredDataset(sampled), "mean_weight")["mean_weight_against_samples"]
    assert "10 of 40 samples" in unfolded(one.figure)
    (line,) = [line for line in one.figure.axes[0].lines if line.get_linestyle() == "-"]
    assert len(line.get_xdata()) == means_in_bins(sampled["mean_weight"], "rate_hz").sizes["bin"]


def test_histograms_of_samples_are_in_the_order_of_their_weights(sampled):
    """The order of arrival says nothing: row by row the peak moves up with the mean weight."""
    (one,) = captioned(MeasuredDataset(sampled), "weights").values()
    axes = one.figure.axes[0]
    assert axes.get_ylabel() == "Rank of the sample by mean weight"
    shares = axes.collections[0].get_array().reshape(N, -1)
    assert (np.diff(shares.argmax(axis=1)) >= 0).all()


def test_of_many_samples_a_part_of_all_ranks_is_drawn(sampled, monkeypatch):
    """From the least to the greatest mean weight, and the header says how many."""
    monkeypatch.setattr(sample_figures, "MAX_DRAWN", 14)
    (one,) = captioned(MeasuredDataset(sampled), "weights").values()
    assert f"14 of {N} samples" in unfolded(one.figure)
    axes = one.figure.axes[0]
    assert axes.collections[0].get_array().size % 14 == 0
    few, _ = sample_figures.by_mean_weight(MeasuredDataset(sampled))
    np.testing.assert_array_equal(few.dataset["rate_hz"][[0, -1]], [RATES.min(), RATES.max()])
    assert few.dataset["sample"][-1] == N - 1


def test_a_further_axis_of_few_values_has_colours(sampled):
    """And one of many values, or a measure in ranges, a figure for each."""
    configuration = pipeline.configure(*SMALL, "simulation.duration=50")
    samples = {"input.rate_hz": RATES[:9], "stdp.A_plus": AMPLITUDES[:9]}
    mixed = pipeline.sweep(
        configuration, {"neuron.tau_m": [8, 10]}, samples=samples, backend="sequential"
    )
    made = captioned(MeasuredDataset(mixed), "rates", "shares")
    rates = made["rates_against_samples"].figure
    assert [text.get_text() for text in rates.legends[0].get_texts()] == ["8 ms", "10 ms"]
    against_axis = [name for name in made if name.startswith("rates_against_tau_m_sample=")]
    assert against_axis
    assert "Input rate: " in unfolded(made[against_axis[0]].figure)
    assert {name for name in made if name.startswith("shares_against_samples")} == {
        "shares_against_samples_tau_m=8.0",
        "shares_against_samples_tau_m=10.0",
    }
    alike = captioned(MeasuredDataset(mixed.isel(sample=[0, 0])), "mean_weight")
    assert not [name for name in alike if "samples" in name]


def test_scales_follow_the_samples(sampled):
    """Logarithmic where half of them lie below the geometric middle of decades."""
    assert spans_decades(sampled["A_plus"])
    assert not spans_decades(sampled["rate_hz"])
    assert not spans_decades(sampled["A_plus"].copy(data=np.linspace(0.001, 0.1, N)))


def test_the_report_lists_what_samples_set(sampled):
    """A column for each parameter beside the number of the sample."""
    heading, rows = by_combination(MeasuredDataset(sampled.isel(sample=slice(3))))
    assert heading[:3] == ["Sample", "Input rate (Hz)", "LTP amplitude"]
    assert rows[2][:3] == ["2", f"{RATES[2]:g}", f"{AMPLITUDES[2]:g}"]


def test_names_have_a_panel_too():
    """Samples of a table may choose a rule by name: one place for each name, and no mean."""
    samples = {"stdp": ["notebook", "multiplicative"] * 15, "input.rate_hz": RATES[:30]}
    configuration = pipeline.configure(*SMALL, "simulation.duration=50")
    dataset = pipeline.sweep(configuration, samples=samples, backend="sequential")
    made = captioned(MeasuredDataset(dataset), "mean_weight", "pairs")
    of_rule, of_rate = made["mean_weight_against_samples"].figure.axes
    assert [tick.get_text() for tick in of_rule.get_xticklabels()] == ["multiplicative", "notebook"]
    assert [len(axes.lines) for axes in (of_rule, of_rate)] == [
        len(of_rule.lines),
        len(of_rule.lines) + 1,  # the mean of alike samples
    ]
    assert "pairs_mean_weight" in made


def test_silent_samples_are_not_among_the_ranks(sampled):
    """Their weights are the initial ones: they come last, above those that fire."""
    dataset = sampled.copy(deep=True)
    quiet = np.argsort(RATES)[N // 2 : N // 2 + 5]
    dataset["spike_count"][quiet] = 0
    ranked, how_many = sample_figures.by_mean_weight(MeasuredDataset(dataset))
    assert how_many == ""
    np.testing.assert_array_equal(ranked.silent, [False] * (N - 5) + [True] * 5)
    assert (np.diff(ranked.dataset["rate_hz"][: N - 5]) > 0).all()


def test_curves_of_the_rule_are_coloured_by_what_samples_set(sampled):
    """By the amplitude, in its order, not by the number of the sample; bar and title name it."""
    one = captioned(MeasuredDataset(sampled), "rule")["rule"]
    assert one.figure.axes[-1].get_ylabel() == "LTP amplitude"
    assert "12 of 40 values of LTP amplitude" in unfolded(one.figure)
    lines = [line for line in one.figure.axes[1].lines if len(line.get_xdata()) > 2]
    heights = [line.get_ydata().max() for line in lines[:12]]  # of the half with LTP
    assert heights == sorted(heights)
    greens = [line.get_color()[1] for line in lines[:12]]  # rise along the colour scale
    assert greens == sorted(greens)


def test_curves_of_rules_by_name_are_drawn_once():
    """Of many samples of two rules there are two curves, named in the legend."""
    samples = {"stdp": ["notebook", "multiplicative"] * 3, "input.rate_hz": RATES[:6]}
    configuration = pipeline.configure(*SMALL, "simulation.duration=50")
    dataset = pipeline.sweep(configuration, samples=samples, backend="sequential")
    figure = captioned(MeasuredDataset(dataset), "rule")["rule"].figure
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "notebook",
        "multiplicative",
    ]
    several = {"stdp.A_plus": [0.01, 0.01, 0.02], "stdp.tau_plus": [10, 20, 10]}
    dataset = pipeline.sweep(configuration, samples=several, backend="sequential")
    one = captioned(MeasuredDataset(dataset), "rule")["rule"]
    assert "Samples also differ in LTP time constant." in one.caption


def test_pairs_are_not_drawn_of_few_samples(sampled):
    """Two dots in a panel say nothing; a request for them says how many it needs."""
    few, enough = (MeasuredDataset(sampled.isel(sample=slice(n))) for n in (7, 8))
    assert FIGURES["pairs"].needs(few) == "8 samples or more"
    assert FIGURES["pairs"].needs(enough) == ""


def test_groups_and_histories_of_samples_are_drawn_by_what_samples_set():
    """The number of a sample is neither an axis nor a colour: of any figure of any experiment."""
    samples = {"input.rate_hz": RATES[:8], "stdp.ltd_ratio": np.linspace(0.9, 1.3, 8)}
    history = ("record=history", "record.weight_interval=100", "input=groups")
    configuration = pipeline.configure(*SMALL, "input.group_sizes=[20,20]", *history)
    dataset = pipeline.sweep(configuration, samples=samples, backend="sequential")
    measured = MeasuredDataset(dataset)
    made = captioned(measured, "mean_weight_by_group", "strong_minus_weak", "bifurcation")
    of_branches = made["bifurcation_against_samples"].caption
    assert "Stronger and weaker: groups of highest and lowest mean weight, of each" in of_branches
    for name in ("mean_weight_by_group", "strong_minus_weak", "bifurcation"):
        panels = made.pop(f"{name}_against_samples").figure.axes
        labels = ["Input rate (Hz)", "Ratio of LTD to LTP amplitude"]
        assert [axes.get_xlabel() for axes in panels] == labels
    assert made == {}
    (one,) = captioned(measured, "settling").values()
    assert one.figure.axes[-1].get_ylabel() == "Input rate (Hz)"
    assert "Samples also differ in Ratio of LTD to LTP amplitude." in one.caption


def test_theory_that_is_the_same_for_all_samples_is_one_dashed_line(sampled):
    """Marks of many samples would run together as a solid one."""
    one = captioned(MeasuredDataset(sampled), "cv")["cv_against_samples"]
    assert "Dashed: Poisson process" in unfolded(one.figure)
    for axes in one.figure.axes:
        (line,) = [line for line in axes.lines if line.get_linestyle() == "--"]
        np.testing.assert_array_equal(line.get_ydata(), [1, 1])
    (label,) = {axes.get_ylabel() for axes in one.figure.axes} - {""}
    assert label.count("\n") < 2
