"""Figures along an axis: lines of theory, dots of seeds, marks and names of many values."""

import itertools

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import same_color

from analysis.measures import equilibrium
from analysis.measures.measured import MeasuredDataset
from analysis.plots import style
from tests.support.drawn import HISTORY, captioned, drawn, legend_text, settle, unfolded


@pytest.mark.parametrize("known", [True, False])
def test_the_caption_explains_theory_where_it_is_drawn(sweep, monkeypatch, known):
    """The formula of the homeostatic rate stands below figures that show it."""
    dataset = settle(sweep({"input.rate_hz": [20, 40]}, *HISTORY))
    rates = dataset["late_output_rate"].where(known)
    monkeypatch.setattr(equilibrium, "homeostatic_rate", lambda *_: rates)
    made = captioned(MeasuredDataset(dataset), "rates")
    assert ("The homeostatic rate is" in made["rates_against_rate_hz"].caption) == known


@pytest.mark.parametrize("known", [[1, 0, 1, 1], [0, 1, 0, 1], [1, 0, 0, 0]])
def test_theory_is_a_line_where_neighbours_have_none(sweep, monkeypatch, known):
    """Dashed as all of it; an isolated value extends half way to each neighbour."""
    dataset = settle(sweep({"input.rate_hz": [20, 40, 50, 80]}, *HISTORY))
    rates = dataset["late_output_rate"].where(np.array(known, dtype=bool))
    monkeypatch.setattr(equilibrium, "homeostatic_rate", lambda *_: rates)
    (axes,) = drawn(dataset, "rates")["rates_against_rate_hz"].axes
    assert not [line for line in axes.lines if line.get_marker() == "_"]
    whole, *pieces = [line for line in axes.lines if line.get_linestyle() == "--"]
    np.testing.assert_allclose(whole.get_ydata(), rates)
    ends = {20: (20, 30), 40: (30, 45), 80: (65, 80)}
    alone = {(1, 0, 1, 1): [20], (0, 1, 0, 1): [40, 80], (1, 0, 0, 0): [20]}[tuple(known)]
    assert [tuple(line.get_xdata()) for line in pieces] == [ends[rate] for rate in alone]
    for line, rate in zip(pieces, alone, strict=True):
        assert set(line.get_ydata()) == {rates.sel(rate_hz=rate).item()}


def test_each_seed_is_a_dot_on_request(sweep):
    """In figures along an axis, in the colour of its line; limits and header know them."""
    axes = {"input.rate_hz": [30, 60], "stdp.tau_plus": [10, 20], "seed": [1, 2, 3]}
    dataset = sweep(axes, *HISTORY)
    names = ("rates", "cv", "mean_weight", "shares")
    made = captioned(MeasuredDataset.of(dataset, each_seed=True), *names)
    assert len(made) == 2 * len(names)
    for one in made.values():
        assert "Dots: each seed" in unfolded(one.figure)
        for panel in one.figure.axes:
            assert len([line for line in panel.lines if line.get_ms() == 1.8]) == 6
    (panel,) = made["rates_against_rate_hz"].figure.axes
    dots = [line for line in panel.lines if line.get_ms() == 1.8]
    expected = dataset["late_output_rate"].transpose("tau_plus", "seed", "rate_hz")
    np.testing.assert_allclose([dot.get_ydata() for dot in dots], expected.values.reshape(6, 2))
    assert same_color(dots[0].get_color(), panel.containers[0].lines[0].get_color())
    assert panel.get_ylim()[1] > dataset["late_output_rate"].max()
    without = captioned(MeasuredDataset.of(dataset), *names)
    assert not [one for one in without.values() if "Dots: each seed" in unfolded(one.figure)]


def test_figures_along_an_axis_say_that_points_share_their_seeds(sweep):
    """In the caption, where they do and there are several points."""
    shared = "All points share their seeds: neighbouring points move together"
    for policy, rates, seeds, expected in (
        ("shared", [30, 60], [1, 2], shared),
        ("shared", [30, 60], [1], shared),
        ("independent", [30, 60], [1, 2], ""),
        ("shared", [30], [1, 2], ""),
    ):
        axes = {"input.rate_hz": rates, "seed": seeds}
        dataset = sweep(axes, f"input.seed_policy={policy}")
        (one,) = captioned(MeasuredDataset(dataset), "rates").values()
        assert ("share their seeds" in one.caption) == bool(expected), (policy, rates, seeds)
    alone = sweep({"input.rate_hz": [30, 60]})
    (one,) = captioned(MeasuredDataset(alone), "rates").values()
    assert "All points have the same seed" in one.caption


def test_more_names_than_colours_differ_in_marker_and_dash(sweep):
    """Of seven named values no two that follow each other share either; few names have one."""
    names = xr.DataArray([f"rule {i}" for i in range(7)], dims="stdp")
    for kinds in (style.markers(names), style.dashes(names)):
        assert all(one != after for one, after in itertools.pairwise(kinds))
    assert set(style.markers(names[:6])) == {"o"}
    assert set(style.dashes(names[:6])) == {"-"}
    parts = [sweep({"input.rate_hz": [30, 60]}, f"stdp.A_plus={i / 1000}") for i in range(7)]
    axis = xr.DataArray(names.values, dims="rule", name="rule")
    dataset = xr.concat(parts, axis, combine_attrs="override")
    (axes,) = drawn(dataset, "mean_weight")["mean_weight_against_rate_hz"].axes
    lines = [container.lines[0] for container in axes.containers]
    assert [line.get_marker() for line in lines] == style.markers(names)
    assert [line.get_linestyle() for line in lines] == style.dashes(names)


def test_values_have_as_many_digits_as_tell_them_apart(sweep):
    """In legends, ticks, columns, ridges and the titles of slices; six where that will do."""
    values = [20.0000001, 20.0000002]
    texts = [str(value) for value in values]
    axes = {"stdp.tau_plus": values, "input.rate_hz": [30, 60]}
    made = drawn(sweep(axes, *HISTORY))
    units = [f"{text} ms" for text in texts]
    assert legend_text(made["rates_against_rate_hz"])[1] == units
    ticks = made["rates_against_tau_plus"].axes[0].get_xticklabels()
    assert [tick.get_text() for tick in ticks] == texts
    assert [tick.get_text() for tick in made["weights"].axes[0].get_yticklabels()] == texts
    run = made["weights_in_time_tau_plus=20.0000002_rate_hz=30.0"]
    assert "LTP time constant: 20.0000002 ms" in unfolded(run)
    turned = drawn(sweep(dict(reversed(axes.items()))), "weights")["weights"]
    assert [panel.get_title(loc="center") for panel in turned.axes] == units
    third = sweep({"stdp.A_plus": [0.1 / 3, 0.2 / 3], "input.rate_hz": [30, 60]})
    assert legend_text(drawn(third, "rates")["rates_against_rate_hz"])[1] == [
        "0.0333333",
        "0.0666667",
    ]


@pytest.mark.parametrize(
    ("weights", "ends"),
    [((0.5, 0.503), (0.4515, 0.5515)), ((0.995, 0.998), (0.9, 1.0)), ((0.2, 0.8), (0.17, 0.83))],
)
def test_an_axis_of_mean_weights_is_not_stretched_over_noise(sweep, weights, ends):
    """It spans 0.1 at least, as far as weights are possible; the caption says so."""
    dataset = sweep({"input.rate_hz": [30, 60]})
    dataset["mean_weight"][...] = np.array(weights)
    (one,) = captioned(MeasuredDataset(dataset), "mean_weight").values()
    assert one.figure.axes[0].get_ylim() == pytest.approx(ends)
    assert "The vertical axis spans at least 0.1" in one.caption
