"""Figures by synapse and by group, and around stimuli: what is drawn, of which points."""

import numpy as np
import pytest

import pipeline
from analysis import stimulus_responses, weight_by_group
from analysis.figures.registry import FIGURES, supported
from analysis.measures.measured import MeasuredDataset
from analysis.reading.arrange import arranged
from tests.support.drawn import captioned, drawn, legend_text, unfolded

BURSTS = ("input=latency", "input.n_synapses=40", "synapse.g_max=0.2", "record.spike_times=true")


@pytest.fixture(scope="module")
def bursts():
    """Sweep the spread of latencies over two seeds."""
    made = pipeline.configure(*BURSTS, "simulation.duration=4000")
    return pipeline.sweep(made, {"input.latency_sd": [5, 15], "seed": [1, 2]})


@pytest.fixture(scope="module")
def grouped():
    """Sweep an input with groups, one without, and the rate."""
    made = pipeline.configure(
        "simulation.duration=3000", "input.n_synapses=60", "synapse.g_max=0.1"
    )
    axes = {"input": ["poisson", "correlated"], "input.rate_hz": [20, 30, 40], "seed": [1, 2]}
    return arranged(pipeline.sweep(made, axes))


def dots(axes):
    """Return places of the dots of each group, in their order."""
    return [line.get_xydata() for line in axes.lines if line.get_marker() == "o"]


def test_weights_against_latency_are_those_of_all_seeds(bursts):
    """A dot for each synapse and seed, panels for the first axis; and means as a line."""
    ((name, figure),) = drawn(bursts, "by_synapse").items()
    assert name == "by_synapse_against_synapse_latency"
    assert [axes.get_title() for axes in figure.axes] == ["5 ms", "15 ms"]
    for i, axes in enumerate(figure.axes):
        part = bursts.isel(latency_sd=i)
        (places,) = dots(axes)
        assert len(places) == 80
        expected = np.column_stack(
            [part["synapse_latency"].transpose("seed", "synapse").values.ravel()]
            + [part["weight"].transpose("seed", "synapse").values.ravel()]
        )
        rows = [sorted(map(tuple, array.round(6).tolist())) for array in (places, expected)]
        np.testing.assert_allclose(*rows, atol=1e-6)
        (line,) = [line for line in axes.lines if line.get_marker() != "o"]
        assert len(line.get_xdata()) == 20
        assert np.mean(line.get_ydata()) == pytest.approx(float(part["weight"].mean()), abs=1e-6)
    assert figure.get_supxlabel() == "Latency of the synapse (ms)"
    assert "2 seeds" in unfolded(figure) and "Lines: means over synapses" in unfolded(figure)


def test_groups_have_colours_and_synapses_without_one_are_grey(grouped):
    """Against the index where there are groups; a panel without groups has one cloud."""
    made = drawn(grouped.sel(rate_hz=30), "by_synapse")
    assert list(made) == ["by_synapse_against_synapse"]
    left, right = made["by_synapse_against_synapse"].axes
    assert [len(places) for places in dots(left)] == [120]
    assert [len(places) for places in dots(right)] == [100, 20]
    assert legend_text(made["by_synapse_against_synapse"])[1] == ["Group 0", "Group 1"]
    colours = [line.get_color() for line in (*left.lines[:1], *right.lines[::2])]
    assert len(set(colours)) == 3


def test_mean_weights_by_group_are_against_each_axis(grouped):
    """A line for each group, of the slice that the name says; nothing where there is no group."""
    made = drawn(grouped, "mean_weight_by_group")
    assert "mean_weight_by_group_against_rate_hz_input=poisson" not in made
    figure = made["mean_weight_by_group_against_rate_hz_input=correlated"]
    (axes,) = figure.axes
    mean = weight_by_group(grouped).mean("seed").sel(input="correlated")
    for i, container in enumerate(axes.containers):
        np.testing.assert_allclose(container.lines[0].get_ydata(), mean.isel(group=i))
    assert legend_text(figure) == ("Group of synapses", ["0", "1"])
    against_input = made["mean_weight_by_group_against_input_rate_hz=40.0"]
    assert against_input.axes[0].get_ylabel().replace("\n", " ") == "Mean final weight of the group"


def test_intervals_of_group_means_are_those_of_weights(grouped):
    """Between 0 and 1, where the group that wins is another one in another seed."""
    seeds = grouped["weight"].isel(seed=[0, 0, 0, 0]).assign_coords(seed=range(4))
    wins = (seeds["seed"] + grouped["group"]) % 2
    parted = grouped.isel(seed=[0, 0, 0, 0]).assign_coords(seed=range(4))
    parted["weight"] = (0 * seeds + wins).transpose(*grouped["weight"].dims)
    figure = drawn(parted, "mean_weight_by_group")[
        "mean_weight_by_group_against_rate_hz_input=correlated"
    ]
    for container in figure.axes[0].containers:
        (bars,) = container.lines[2]
        ends = np.array(bars.get_segments())[..., 1]
        assert ends.min() == 0 and ends.max() == 1


def test_a_long_label_of_the_horizontal_axis_fits_the_figure():
    """It is folded; on one line it is wider than the figure."""
    made = pipeline.configure(
        *("input=modulated", "simulation.duration=200", "input.group_sizes=[100]"),
        "input.group_rate_correlations=0.5",
    )
    dataset = arranged(pipeline.sweep(made, {"input.correlation_time": [10, 20]}))
    figure = drawn(dataset, "mean_weight_by_group")["mean_weight_by_group_against_correlation_time"]
    figure.draw_without_rendering()
    shown = figure.axes[0].xaxis.label.get_window_extent()
    assert shown.x1 < figure.bbox.x1 and shown.x0 > 0


def test_histograms_by_group_are_ridges(grouped):
    """A ridge for each group, a panel for each value of the first axis."""
    figure = drawn(grouped, "weights_by_group")["weights_by_group_rate_hz=40.0"]
    assert [axes.get_title() for axes in figure.axes] == ["poisson", "correlated"]
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ["0", "1"]
    assert figure.axes[0].get_ylabel() == "Group of synapses"


def test_weights_in_time_by_group_leave_out_points_without_groups():
    """Also where the groups differ along an axis."""
    made = pipeline.configure("simulation.duration=500", "record.weight_interval=100")
    axes = {"input": ["poisson", "correlated"]}
    dataset = arranged(pipeline.sweep(made, axes))
    assert list(drawn(dataset, "groups")) == ["groups_input=correlated"]


def test_output_spikes_around_stimuli_are_drawn_by_their_number(bursts):
    """Of the first seed; the caption has the median of the first spikes; rates are in Hz."""
    made = captioned(MeasuredDataset(bursts), "response")
    assert list(made) == ["response_latency_sd=5.0", "response_latency_sd=15.0"]
    one = next(iter(made.values()))
    raster, rates = one.figure.axes
    run = bursts.isel(latency_sd=0, seed=0)
    places = raster.lines[0].get_xydata()
    spikes = run["spike_time"].dropna("spike").values
    for time, number in places[::7]:
        onset = run["stimulus_time"].values[int(number) - 1]
        assert np.abs(spikes - (onset + time)).min() < 1e-9
    first = stimulus_responses(run)["first_spike"][:2].median()
    assert f"First 2 stimuli: 100 % with an output spike, median of the first {first:.1f} ms" in (
        one.caption
    )
    (line, _) = [line for line in rates.lines if line.get_drawstyle() == "steps-post"]
    width = np.diff(line.get_xdata())[0]
    in_window = (places[:, 1] <= 2).sum()
    assert (line.get_ydata()[:-1] * width / 1000 * 2).sum() == pytest.approx(in_window)
    assert "Seed 1" in unfolded(one.figure) and "20 stimuli" in unfolded(one.figure)


def test_datasets_without_what_they_need_do_not_support_them(grouped):
    """The reason names what to run."""
    plain = MeasuredDataset(
        grouped.isel(input=0).drop_vars(["group", "synapse_rate"], errors="ignore")
    )
    names = {"by_synapse", "weights_by_group", "mean_weight_by_group", "response"}
    assert not names & set(supported(plain))
    assert FIGURES["response"].needs(plain) == (
        "input=latency or input=patterns, record.spike_times=true"
    )
    assert "input=groups" in FIGURES["weights_by_group"].needs(plain)
    assert "latencies" in FIGURES["by_synapse"].needs(plain)
