"""Figures of pairing protocols: what is along x, what lines are, and theory beside them."""

import numpy as np
import pytest
from matplotlib.colors import same_color

import pipeline
from analysis import pairing_change
from analysis.figures.registry import FIGURES, supported
from analysis.measures.measured import MeasuredDataset
from tests.support.drawn import drawn, legend_text, unfolded

LAGS = np.arange(-60.0, 61, 20)


@pytest.fixture(scope="module")
def paired():
    """Sweep a protocol of 5 pairs."""

    def swept(axes, *overrides):
        usual = ["input.n_pairs=5", "simulation.duration=5000", "synapse.w_init=0.5"]
        made = pipeline.configure("input=pairing_protocol", *usual, "input.rate_hz=2", *overrides)
        return pipeline.sweep(made, axes)

    return swept


def markers(axes, n=0):
    """Return the values of a line of data in a panel."""
    return axes.containers[n].lines[0]


def dashed(axes):
    """Return the lines of theory in a panel."""
    return [line for line in axes.lines if line.get_linestyle() == "--"]


def test_a_window_is_drawn_as_measured_and_by_the_steps_of_the_rule(paired):
    """Markers without lines; dashed on either side of 0, through them; both signs are seen."""
    dataset = paired({"input.post_minus_pre": LAGS})
    ((name, figure),) = drawn(dataset, "pairing").items()
    assert name == "pairing_against_post_minus_pre"
    (axes,) = figure.axes
    assert "t_\\mathrm{post} - t_\\mathrm{pre}" in axes.get_xlabel()
    assert axes.get_ylabel().replace("\n", " ") == "Weight change relative to the initial weight"
    assert unfolded(figure) == (
        "5 pairs at 2 Hz, initial weight 0.5 Dashed: the STDP window of the rule, pair by pair"
    )
    np.testing.assert_array_equal(markers(axes).get_xdata(), LAGS)
    np.testing.assert_allclose(markers(axes).get_ydata(), pairing_change(dataset))
    assert markers(axes).get_linestyle() == "None"
    before, after = dashed(axes)
    assert before.get_xdata()[[0, -1]] == pytest.approx([-60, -1])
    assert after.get_xdata()[[0, -1]] == pytest.approx([1, 60])
    for half, chosen in ((before, LAGS < 0), (after, LAGS > 0)):
        there = np.interp(LAGS[chosen], half.get_xdata(), half.get_ydata())
        np.testing.assert_allclose(there, pairing_change(dataset).values[chosen], rtol=2e-3)
    low, high = axes.get_ylim()
    assert low < before.get_ydata().min() < 0 < after.get_ydata().max() < high


def test_each_rule_has_its_markers_and_its_theory(paired):
    """In one colour, for a sweep over choices of the group `stdp`."""
    rules = ["notebook", "song_abbott_2001"]
    dataset = paired({"stdp": rules, "input.post_minus_pre": LAGS})
    (figure,) = drawn(dataset, "pairing").values()
    (axes,) = figure.axes
    assert legend_text(figure) == ("STDP rule", rules)
    for n, rule in enumerate(rules):
        measured = pairing_change(dataset).sel(stdp=rule)
        np.testing.assert_allclose(markers(axes, n).get_ydata(), measured)
        before, after = dashed(axes)[2 * n : 2 * n + 2]
        assert same_color(before.get_color(), markers(axes, n).get_color())
        there = np.interp(LAGS[LAGS > 0], after.get_xdata(), after.get_ydata())
        np.testing.assert_allclose(there, measured.values[LAGS > 0], rtol=2e-3)


def test_a_frequency_curve_has_a_line_for_each_time_difference(paired):
    """Of two time differences there is no figure against them; there is no theory."""
    dataset = paired({"input.post_minus_pre": [10, -10], "input.rate_hz": [2, 20, 50]})
    ((name, figure),) = drawn(dataset, "pairing").items()
    assert name == "pairing_against_rate_hz"
    (axes,) = figure.axes
    assert axes.get_xlabel() == "Frequency of pairs (Hz)"
    title, entries = legend_text(figure)
    assert title == r"Time difference $t_\mathrm{post} - t_\mathrm{pre}$"
    assert entries == ["-10 ms", "10 ms"]
    assert unfolded(figure) == "5 pairs, initial weight 0.5"
    for n, lag in enumerate([-10, 10]):
        measured = pairing_change(dataset).sel(post_minus_pre=lag)
        np.testing.assert_allclose(markers(axes, n).get_ydata(), measured)
        assert markers(axes, n).get_linestyle() == "-"
    assert not dashed(axes)


def test_both_axes_have_a_figure_per_rule(paired):
    """Theory, which does not depend on the frequency, is black; lines join what is measured."""
    axes = {"stdp": ["notebook", "song_abbott_2001"], "input.post_minus_pre": LAGS}
    dataset = paired(axes | {"input.rate_hz": [2, 20, 50]})
    made = drawn(dataset, "pairing")
    assert list(made) == [
        "pairing_against_post_minus_pre_stdp=notebook",
        "pairing_against_post_minus_pre_stdp=song_abbott_2001",
        "pairing_against_rate_hz_stdp=notebook",
        "pairing_against_rate_hz_stdp=song_abbott_2001",
    ]
    first = made["pairing_against_post_minus_pre_stdp=notebook"]
    assert legend_text(first) == ("Frequency of pairs", ["2 Hz", "20 Hz", "50 Hz"])
    assert all(same_color(line.get_color(), "black") for line in dashed(first.axes[0]))
    assert markers(first.axes[0]).get_linestyle() == "-"


def test_seeds_and_other_axes(paired):
    """Means over seeds with dots on request; a sweep of neither axis is drawn against its own."""
    dataset = paired({"input.n_pairs": [1, 5], "seed": [1, 2]})
    ((name, figure),) = drawn(dataset, "pairing", each_seed=True).items()
    assert name == "pairing_against_n_pairs"
    assert unfolded(figure) == "Pairs at 2 Hz, initial weight 0.5 Mean of 2 seeds"
    assert len([line for line in figure.axes[0].lines if line.get_ms() == 1.8]) == 2


def test_only_protocols_have_the_figure(paired):
    """And only where an axis is swept; the message says what is lacking."""
    other = pipeline.sweep(pipeline.configure("simulation.duration=200"), {"input.rate_hz": [1, 2]})
    assert "pairing" not in supported(MeasuredDataset(other))
    needs = FIGURES["pairing"].needs
    assert needs(MeasuredDataset(other)) == "input=pairing_protocol"
    assert needs(MeasuredDataset(paired({"seed": [1]}).isel(seed=0))) == "a swept axis"
    mixed = pipeline.sweep(
        pipeline.configure("simulation.duration=6000"), {"input": ["poisson", "pairing_protocol"]}
    )
    assert needs(MeasuredDataset(mixed)) == ""
    (figure,) = drawn(mixed, "pairing").values()
    assert np.isfinite(markers(figure.axes[0]).get_ydata()).tolist() == [False, True]


@pytest.mark.parametrize(("lags", "n_halves"), [([0.0], 0), ([0, 20, 40], 1), ([-9, -5, -1], 1)])
def test_theory_is_drawn_on_the_sides_that_were_swept(paired, lags, n_halves):
    """None at 0 alone."""
    dataset = paired({"input.post_minus_pre": lags})
    (figure,) = drawn(dataset, "pairing").values()
    halves = [line.get_xdata() for line in dashed(figure.axes[0]) if len(line.get_xdata())]
    assert len(halves) == n_halves
    for half in halves:
        assert min(lags) <= half.min() < half.max() <= max(lags)


def test_a_file_without_steps_has_the_data_alone(paired):
    """As of a rule whose steps could not be computed."""
    dataset = paired({"input.post_minus_pre": LAGS})
    unknown = dataset.assign(weight_step=dataset["weight_step"] * np.nan)
    (figure,) = drawn(unknown, "pairing").values()
    assert not dashed(figure.axes[0])
    assert "Dashed" not in unfolded(figure)
    assert markers(figure.axes[0]).get_linestyle() == "-"
