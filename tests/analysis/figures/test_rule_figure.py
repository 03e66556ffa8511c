"""Figure of the rule: steps against the weight, STDP window, and what is said of both."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color

import pipeline
from analysis import show
from analysis.figures.registry import EARLIER_NAMES, FIGURES
from analysis.measures.measured import MeasuredDataset
from analysis.plots import style
from tests.support.drawn import captioned, drawn, legend_text, title_of
from tests.support.unlike_rules import registered, sweep_over_rules

W = np.linspace(0, 1, 101)
BRIEF = "simulation.duration=20"


def curves(axes, n_points=2):
    """Return the lines of a panel that have more points."""
    return [line for line in axes.lines if len(line.get_xdata()) > n_points]


def run(*overrides):
    """Run shortly; return the dataset."""
    return pipeline.simulate(pipeline.configure(BRIEF, *overrides), engine="reference")


def test_the_window_has_a_half_of_ltp_and_a_half_of_ltd(sweep):
    """A_plus exp(t / tau_plus) for t <= 0, -A_minus exp(-t / tau_minus) for t >= 0."""
    figure = drawn(sweep({"seed": [1]}), "rule")["rule"]
    left, right = figure.axes
    (ltp, ltd), (potentiated, depressed) = curves(right), curves(left)
    before, after = ltp.get_xdata(), ltd.get_xdata()
    assert before.max() == after.min() == 0
    np.testing.assert_allclose(ltp.get_ydata(), 0.008 * np.exp(before / 20))
    np.testing.assert_allclose(ltd.get_ydata(), -0.0088 * np.exp(-after / 20))
    np.testing.assert_allclose(potentiated.get_ydata(), 0.008)
    np.testing.assert_allclose(depressed.get_ydata(), -0.0088)
    np.testing.assert_allclose(potentiated.get_xdata(), W)
    for one, other in ((ltp, ltd), (potentiated, depressed)):
        assert (one.get_color(), other.get_color()) == (style.LTP, style.LTD)
    assert legend_text(figure)[1] == ["LTP, input before output", "LTD, output before input"]
    assert title_of(figure) == "Effective LTD ratio 1.1"
    assert right.get_xlabel() == r"Time difference $t_\mathrm{pre} - t_\mathrm{post}$ (ms)"
    assert left.get_xlabel() == "Synaptic weight (fraction of g_max)"
    label = " ".join(figure.get_supylabel().split())
    assert label == "Weight change per pair of spikes (fraction of g_max)"
    assert left.get_ylim() == right.get_ylim()


def test_steps_that_depend_on_the_weight_have_windows_at_several():
    """At 0.1, 0.5 and 0.9, dashed unlike each other and unlike theory, and marked on the left."""
    figure = drawn(run("stdp=multiplicative"), "rule")["rule"]
    left, right = figure.axes
    potentiated, depressed = curves(left)
    np.testing.assert_allclose(potentiated.get_ydata(), 0.008 * (1 - W))
    np.testing.assert_allclose(depressed.get_ydata(), -0.0088 * W)
    windows = curves(right)
    assert len(windows) == 6
    dashes = [line.get_linestyle() for line in windows]
    assert dashes[:3] == dashes[3:]
    assert len(set(dashes)) == 3
    assert "--" not in dashes
    for w, ltp, ltd in zip((0.1, 0.5, 0.9), windows[:3], windows[3:], strict=True):
        assert np.max(ltp.get_ydata()) == pytest.approx(0.008 * (1 - w))
        assert np.min(ltd.get_ydata()) == pytest.approx(-0.0088 * w)
    marks = [line for line in left.lines if np.ptp(line.get_xdata()) == 0]
    assert [line.get_xdata()[0] for line in marks] == [0.1, 0.5, 0.9]
    assert [line.get_linestyle() for line in marks] == dashes[:3]
    assert legend_text(figure)[1][2:] == ["$w$ = 0.1", "$w$ = 0.5", "$w$ = 0.9"]


def test_a_sweep_has_a_line_per_value(sweep):
    """Of the axis that changes the rule; the maximum of each is its A_plus, in both panels."""
    figure = drawn(sweep({"stdp.A_plus": [0.004, 0.008, 0.016]}), "rule")["rule"]
    assert legend_text(figure)[1] == ["0.004", "0.008", "0.016"]
    left, right = (curves(axes) for axes in figure.axes)
    for one, other in zip(left[::2], right[:3], strict=True):
        assert same_color(one.get_color(), other.get_color())
    for highest in (left[::2], right[:3]):
        np.testing.assert_allclose(
            [np.max(line.get_ydata()) for line in highest], [0.004, 0.008, 0.016]
        )


def test_rows_are_of_the_second_axis_that_changes_the_rule(sweep):
    """Also where one of them changes the window alone."""
    axes = {"stdp.tau_plus": [10, 20], "input.rate_hz": [20, 40], "stdp.A_plus": [0.004, 0.016]}
    figure = drawn(sweep(axes), "rule")["rule"]
    assert "Rows: LTP amplitude" in title_of(figure)
    assert legend_text(figure)[1] == ["10 ms", "20 ms"]
    assert len(figure.axes) == 4
    for (left, right), A_plus in zip(np.reshape(figure.axes, (2, 2)), (0.004, 0.016), strict=True):
        for lines in (curves(left)[::2], curves(right)[:2]):
            np.testing.assert_allclose([np.max(line.get_ydata()) for line in lines], A_plus)


def test_rules_have_one_line_each_and_the_window_at_one_weight():
    """Of ten choices; what is drawn at one weight says so, and no ratio is NaN."""
    choices = "additive multiplicative van_rossum gutig power_law log_stdp anti_hebbian symmetric "
    choices = [*choices.split(), "triplet", "triplet_nearest"]
    dataset = pipeline.sweep(
        pipeline.configure(BRIEF), {"stdp": choices}, backend="sequential", engine="reference"
    )
    made = captioned(MeasuredDataset.of(dataset), "rule")["rule"]
    left, right = made.figure.axes
    assert legend_text(made.figure)[1] == choices
    assert right.get_title() == "At w\xa0=\xa00.5"
    assert len(curves(left)) == len(curves(right)) == 20
    assert "Isolated pairs of spikes" in title_of(made.figure)
    assert "nan" not in (made.caption + title_of(made.figure)).lower()
    multiplicative = choices.index("multiplicative")
    assert np.max(curves(right)[multiplicative].get_ydata()) == pytest.approx(0.004)


@pytest.mark.parametrize(
    ("overrides", "ratio", "counted"),
    [
        ([], "Effective LTD ratio 1.1", "count as pairs of both orders"),
        (
            ["stdp.coincidence=ltp_only", "stdp.tau_minus=10", "stdp.pairing=nearest"],
            "Effective LTD ratio 0.55, in time steps 0.495",
            "count as input before output",
        ),
        (["stdp.coincidence=neither"], "Effective LTD ratio 1.1", "do not count"),
        (
            ["stdp=symmetric", "stdp.coincidence=neither"],
            "Isolated pairs of spikes",
            "do not count",
        ),
        (["stdp=triplet"], "Isolated pairs of spikes", "count as pairs of both orders"),
    ],
)
def test_what_is_said_of_coincidences_and_ratios(overrides, ratio, counted):
    """The ratio in time steps stands beside the nominal one where it is another."""
    made = captioned(MeasuredDataset.of(run(*overrides)), "rule")["rule"]
    assert title_of(made.figure) == ratio
    assert f"Spikes in one time step {counted}." in made.caption
    assert "Weight changes by isolated pairs of spikes." in made.caption
    assert ("more than two, if any, are not shown" in made.caption) == ("Isolated" in ratio)


def test_choices_that_change_no_window_are_no_lines(sweep):
    """Pairing and coincidence; as what coincidences count is told of all of them."""
    axes = {"stdp.pairing": ["all_to_all", "nearest"], "stdp.coincidence": ["both", "ltp_only"]}
    made = captioned(MeasuredDataset.of(sweep(axes)), "rule")["rule"]
    assert len(curves(made.figure.axes[1])) == 2
    assert title_of(made.figure) == "Effective LTD ratio 1.1, in time steps 1.045 to 1.1"
    counted = "count as pairs of both orders or count as input before output"
    assert f"Spikes in one time step {counted}." in made.caption


def test_the_rule_of_a_user_is_drawn():
    """With square roots and a branch, from the file alone."""
    with registered():
        dataset = sweep_over_rules("toy_branch", BRIEF)
    potentiated, depressed = curves(drawn(dataset, "rule")["rule"].axes[0])
    np.testing.assert_allclose(potentiated.get_ydata(), 0.05 * np.where(W > 0.6, 1 - W, 0.4))
    np.testing.assert_allclose(depressed.get_ydata(), -0.05 * np.sqrt(W), atol=1e-15)


def test_the_earlier_name_is_understood(sweep):
    """`window`, of which the figure is a part; no figure has an earlier name of another."""
    dataset = sweep({})
    for name in ("window", "rule"):
        (figure,) = show(dataset, name)
        assert len(figure.axes) == 2
        plt.close(figure)
    assert not EARLIER_NAMES.keys() & FIGURES.keys()
    assert set(EARLIER_NAMES.values()) <= FIGURES.keys()
