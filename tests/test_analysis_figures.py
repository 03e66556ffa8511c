"""The figures: what is drawn, not its pixels."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import pipeline
from analysis import measures, style
from analysis.__main__ import main
from analysis.catalogue import all_figures


@pytest.fixture(autouse=True)
def close_figures():
    """Leave no figure open."""
    yield
    plt.close("all")


def figures_of(dataset):
    """Return all figures of a dataset by name."""
    with style.paper():
        return dict(all_figures(dataset))


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


def test_rate_and_weight_are_drawn_against_each_axis(sweep):
    """Means over seeds along x, a line per value of the other axis, words from the file."""
    dataset = sweep({"input.rate_hz": [60, 30], "stdp.tau_plus": [10, 20], "seed": [1, 2, 3]})
    figures = figures_of(dataset)
    assert set(figures) == {
        "weight_distribution",
        "stdp_window",
        "output_rate_against_rate_hz",
        "output_rate_against_tau_plus",
        "mean_weight_against_rate_hz",
        "mean_weight_against_tau_plus",
    }
    figure = figures["output_rate_against_rate_hz"]
    (axes,) = figure.axes
    assert axes.get_xlabel() == "Input rate (Hz)"
    assert axes.get_ylabel() == "Output firing rate (Hz)"
    assert "Over 0.5 s, mean and SD of 3 seeds" in axes.get_title(loc="left")
    assert legend_words(figure) == ("LTP time constant", ["10 ms", "20 ms"])
    line = axes.containers[1].lines[0]
    expected = dataset["output_rate"].sel(tau_plus=20).mean("seed").sortby("rate_hz")
    np.testing.assert_allclose(line.get_xdata(), [30, 60])
    np.testing.assert_allclose(line.get_ydata(), expected)
    bars = axes.containers[1].lines[2][0].get_segments()
    sd = dataset["output_rate"].sel(tau_plus=20, rate_hz=30).std("seed", ddof=1)
    assert np.ptp(bars[0][:, 1]) == pytest.approx(2 * sd.item())


def test_the_distribution_has_a_row_per_value(sweep):
    """A histogram per value of the first axis, seeds pooled, its value beside it."""
    dataset = sweep({"input.rate_hz": [10, 60], "seed": [1, 2]})
    figure = figures_of(dataset)["weight_distribution"]
    assert len(figure.axes) == 2
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["10 Hz", "60 Hz"]
    assert "Rows: Input rate" in figure.axes[0].get_title(loc="left")
    assert "2 seeds pooled" in figure.axes[0].get_title(loc="left")
    share = measures.weight_histogram(dataset).sel(rate_hz=60)
    np.testing.assert_allclose(figure.axes[1].patches[0].get_data().values, share)
    assert figure.axes[1].get_xlabel() == "Final synaptic weight (share of maximum)"
    assert figure.get_supylabel() == "Share of synapses"


def test_silence_is_marked(sweep):
    """A silent point has an open marker, a pale histogram and the word beside it."""
    figures = figures_of(sweep({"input.rate_hz": [0, 60], "seed": [1, 2]}))
    (axes,) = figures["output_rate_against_rate_hz"].axes
    assert "Open markers: silent" in axes.get_title(loc="left")
    marked = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert [line.get_xdata().tolist() for line in marked] == [[0.0]]
    rows = figures["weight_distribution"].axes
    assert rows[0].texts[0].get_text() == "0 Hz\nsilent"
    assert rows[0].get_ylim()[1] < 1


def test_many_values_make_a_map_and_a_colour_bar(sweep):
    """Beyond eight rows a map, beyond six lines a colour bar with the axis's label."""
    figures = figures_of(sweep({"input.rate_hz": range(10, 100, 10), "stdp.tau_plus": [10, 20]}))
    distribution = figures["weight_distribution"]
    assert len(distribution.axes) == 3
    assert distribution.axes[0].get_ylabel() == "Input rate (Hz)"
    assert distribution.axes[2].get_ylabel() == "Share of synapses"
    against = figures["output_rate_against_tau_plus"]
    assert against.axes[1].get_ylabel() == "Input rate (Hz)"
    assert len(against.axes[0].containers) == 9


def test_a_map_is_in_the_order_of_its_axis(sweep):
    """Values given in any order are drawn by size, silent rows left grey."""
    dataset = sweep({"input.rate_hz": [90, 0, 50, 20, 10, 30, 40, 60, 80]})
    axes = figures_of(dataset)["weight_distribution"].axes[0]
    share = measures.weight_histogram(dataset).sortby("rate_hz")
    mesh = axes.collections[0]
    drawn = np.ma.filled(mesh.get_array(), np.nan).reshape(share.shape)
    np.testing.assert_allclose(drawn[1:], share.values[1:])
    assert np.isnan(drawn[0]).all()
    assert "Grey: silent" in axes.figure.get_suptitle()


def test_a_third_axis_makes_a_figure_per_value(sweep):
    """What a figure cannot show is not pooled in silence but drawn apart and named."""
    axes = {"input.rate_hz": [30, 60], "stdp.tau_plus": [10, 20], "neuron.tau_m": [8, 12]}
    figures = figures_of(sweep(axes))
    first = figures["output_rate_against_rate_hz_tau_m=8.0"]
    assert "Membrane time constant: 8 ms" in first.axes[0].get_title(loc="left")
    assert "weight_distribution_tau_m=12.0" in figures


def test_named_values_stand_side_by_side(sweep):
    """Choices of a group are ticks with their names, not joined by lines."""
    figures = figures_of(sweep({"stdp": ["notebook", "song_abbott_2001"], "seed": [1, 2]}))
    (axes,) = figures["output_rate_against_stdp"].axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["notebook", "song_abbott_2001"]
    assert axes.containers[0].lines[0].get_linestyle() == "None"


def test_one_run_and_seeds_alone_have_figures_too(sweep):
    """A single point has a histogram and a window; a sweep of seeds is drawn against them."""
    assert set(figures_of(sweep({}))) == {"weight_distribution", "stdp_window"}
    figures = figures_of(sweep({"seed": range(4)}))
    (axes,) = figures["output_rate_against_seed"].axes
    assert axes.get_xlabel() == "Random seed"
    assert "SD " in axes.get_title(loc="left")


def test_the_window_is_red_before_and_blue_after(sweep):
    """LTP at negative t_pre - t_post, LTD at positive, the effective ratio in the title."""
    figure = figures_of(sweep({"seed": [1]}))["stdp_window"]
    (axes,) = figure.axes
    ltp, ltd = axes.lines[-2:]
    assert (ltp.get_xdata() <= 0).all()
    assert (ltp.get_ydata() > 0).all()
    assert (ltd.get_xdata() >= 0).all()
    assert (ltd.get_ydata() < 0).all()
    assert legend_words(figure)[1] == ["LTP", "LTD"]
    assert axes.get_title(loc="left") == "Effective LTD ratio 1.1"
    assert axes.get_xlabel() == r"Time difference $t_\mathrm{pre} - t_\mathrm{post}$ (ms)"


def test_points_that_are_not_done_are_left_out(sweep, tmp_path, capsys):
    """A file with holes is drawn, and the holes are counted aloud."""
    dataset = sweep({"input.rate_hz": [30, 60], "seed": [1, 2]})
    dataset["status"][0] = 2
    for name in ("weight", "output_rate", "mean_weight", "isi_cv"):
        dataset[name][0] = np.nan
    dataset["spike_count"][0] = -1
    dataset.to_netcdf(tmp_path / "results.nc")
    assert main([str(tmp_path)]) == 0
    assert "2 of 4 points are not done and left out" in capsys.readouterr().out
    (axes,) = figures_of(dataset)["output_rate_against_rate_hz"].axes
    drawn = axes.containers[0].lines[0].get_ydata()
    assert np.isnan(drawn[0])
    assert "2 of 4 points are not done" in axes.get_title(loc="left")
    assert drawn[1] == dataset["output_rate"].sel(rate_hz=60).mean()


def test_titles_count_the_seeds_that_are_done(sweep):
    """Where seeds are missing, the title says how many there are, not how many were asked for."""
    dataset = sweep({"input.rate_hz": [30, 60], "seed": [1, 2, 3]})
    dataset["status"][1, 0] = 2
    dataset["output_rate"][1, 0] = np.nan
    (axes,) = figures_of(dataset)["output_rate_against_rate_hz"].axes
    assert "mean and SD of 2 to 3 seeds" in axes.get_title(loc="left")


def test_nothing_done_is_nothing_to_draw(sweep, tmp_path, capsys):
    """A file without a finished point is refused in one line."""
    dataset = sweep({"seed": [1, 2]})
    dataset["status"][:] = 2
    dataset.to_netcdf(tmp_path / "results.nc")
    assert main([str(tmp_path)]) == 2
    assert "no point is done yet" in capsys.readouterr().err


def test_ticks_stand_at_the_swept_values(sweep):
    """Few values are ticks; values that span decades make a logarithmic axis."""
    few = figures_of(sweep({"stdp.A_plus": [0.004, 0.008]}))["output_rate_against_A_plus"].axes[0]
    assert [tick.get_text() for tick in few.get_xticklabels()] == ["0.004", "0.008"]
    wide = figures_of(sweep({"stdp.A_plus": [0.001, 0.01, 0.1]}))["mean_weight_against_A_plus"]
    assert wide.axes[0].get_xscale() == "log"
    even = figures_of(sweep({"input.rate_hz": range(2, 82, 10)}))["mean_weight_against_rate_hz"]
    assert even.axes[0].get_xscale() == "linear"


def test_the_command_draws_png_and_pdf(sweep, tmp_path, capsys):
    """Figures go to the experiment's own folder; the file itself stays as it was."""
    sweep({"input.rate_hz": [30, 60]}).to_netcdf(tmp_path / "results.nc")
    before = (tmp_path / "results.nc").read_bytes()
    assert main([str(tmp_path)]) == 0
    made = {file.name for file in (tmp_path / "figures").iterdir()}
    assert {
        f"{name}.{suffix}"
        for name in ("stdp_window", "weight_distribution")
        for suffix in ("png", "pdf")
    } <= made
    assert str(tmp_path / "figures" / "weight_distribution.png") in capsys.readouterr().out
    assert (tmp_path / "results.nc").read_bytes() == before


def test_a_wrong_path_is_one_line_and_exit_code_2(tmp_path, capsys):
    """No directory, no figure, no traceback."""
    assert main([str(tmp_path / "nothing")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "must be an experiment directory" in error
