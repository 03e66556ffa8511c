"""Figures of single runs: data drawn, labels and limits."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

import pipeline
from analysis.measures import spike_trains, weights
from analysis.measures.measured import MeasuredDataset
from analysis.measures.traces import ltd_trace, ltp_trace, synaptic_conductance
from analysis.reading.dataset import label
from tests.support.drawn import HISTORY, captioned, drawn, legend_text, title_of


def begun(run):
    """Return the history of weights of a run with the initial weight before it."""
    history = run["weight_history"]
    first = xr.full_like(history.isel(sample_time=[0]), 7 / 12).assign_coords(sample_time=[0.0])
    return xr.concat([first, history], "sample_time").assign_attrs(history.attrs)


def test_weights_against_time_have_their_mean_and_the_histogram_of_one_sample(sweep):
    """All of 40 synapses thin, their mean thick, the time dotted; the nearest sample's shares."""
    dataset = sweep({}, *HISTORY)
    figure = drawn(dataset, "weights_in_time", at=203.0)["weights_in_time_at=203"]
    left, right = figure.axes
    history = begun(dataset)
    *thin, thick, moment = left.lines
    np.testing.assert_allclose([line.get_ydata() for line in thin], history.T)
    np.testing.assert_allclose(thick.get_ydata(), history.mean("synapse"), rtol=1e-5)
    assert [thin[0].get_linewidth(), thick.get_linewidth()] == [0.4, 2]
    assert moment.get_xdata() == [0.2, 0.2]
    np.testing.assert_allclose(thick.get_xdata(), history["sample_time"] / 1000)
    assert (left.get_xlabel(), left.get_ylabel()) == ("Simulated time (s)", label(history))
    assert legend_text(figure)[1] == ["Thick: mean of 40; thin: all of them"]
    assert right.get_title(loc="left") == "At 0.2 s"
    assert right.get_xlabel() == "Share of synapses"
    found = right.patches[0].get_data().values
    np.testing.assert_allclose(found, weights.weight_histogram(dataset, at=200.0))


def test_of_many_synapses_fifty_are_drawn(sweep):
    """Evenly spread, the first and the last among them; the mean is that of all."""
    dataset = sweep({}, *HISTORY, "input.n_synapses=99")
    figure = drawn(dataset, "weights_in_time")["weights_in_time"]
    history = begun(dataset)
    *thin, thick, _ = figure.axes[0].lines
    np.testing.assert_allclose([line.get_ydata() for line in thin], history[:, ::2].T)
    np.testing.assert_allclose(thick.get_ydata(), history.mean("synapse"), rtol=1e-5)
    assert legend_text(figure)[1] == ["Thick: mean of 99; thin: 50 of them"]


def test_groups_of_synapses_have_their_own_mean_and_histogram(sweep):
    """Of a coordinate with group names, in the order of appearance, in one colour each."""
    dataset = sweep({}, *HISTORY)
    names = ["correlated"] * 10 + ["others"] * 30
    dataset = dataset.assign_coords(group=("synapse", names))
    figure = drawn(dataset, "groups")["groups"]
    left, right = figure.axes
    assert legend_text(figure)[1] == ["Correlated, mean", "Others, mean"]
    means = [line for line in left.lines if line.get_linewidth() == 2]
    groups = (slice(10), slice(10, None))
    for line, bars, group in zip(means, right.patches, groups, strict=True):
        members = dataset.isel(synapse=group)
        mean = begun(members).mean("synapse")
        np.testing.assert_allclose(line.get_ydata(), mean, rtol=1e-5)
        np.testing.assert_allclose(bars.get_data().values, weights.weight_histogram(members))
        assert bars.get_facecolor()[:3] == pytest.approx(colour_of(line))


def test_the_first_seed_that_is_done_is_drawn(sweep):
    """At each point of a sweep that was extended; title and data are that seed's."""
    dataset = sweep({"input.rate_hz": [20, 40], "seed": [1, 2]}, *HISTORY)
    dataset["status"][:] = [[0, 2], [2, 0]]
    made = list(drawn(dataset, "weights_in_time").values())
    titles = [title_of(figure).splitlines()[0] for figure in made]
    assert titles == ["Input rate: 20 Hz, Seed 1", "Input rate: 40 Hz, Seed 2"]
    for i, figure in enumerate(made):
        mean = begun(dataset[{"rate_hz": i, "seed": i}]).mean("synapse")
        np.testing.assert_allclose(figure.axes[0].lines[40].get_ydata(), mean, rtol=1e-5)


def test_a_shorter_run_is_drawn_without_padding(sweep):
    """With a swept duration each run ends at its own last sample."""
    dataset = sweep({"simulation.duration": [500, 1000]}, "record.weight_interval=100")
    made = list(drawn(dataset, "weights_in_time").values())
    assert [figure.axes[1].get_title(loc="left") for figure in made] == ["At 0.5 s", "At 1 s"]
    for i, n in enumerate((5, 10)):
        line = made[i].axes[0].lines[3]
        np.testing.assert_allclose(line.get_xdata(), 0.1 * np.arange(n + 1))
        np.testing.assert_allclose(line.get_ydata()[1:], dataset["weight_history"][i, :n, 3])
        assert made[i].axes[0].get_xlim() == (0, n / 10)


@pytest.fixture(scope="module")
def until_settled():
    """Two runs with samples at doubling times: of 64 s and of 512 s."""
    base = pipeline.configure(
        "simulation.until=settled", "simulation.duration=520000", "record.weight_interval=1000",
        "input.rate_hz=20", "input.n_synapses=60", "synapse.g_max=0.12", "synapse.w_init=1",
    )  # fmt: skip
    return pipeline.sweep(base, {"stdp.ltd_ratio": [0.9, 1.02]}, backend="sequential")


def test_samples_at_doubling_times_are_drawn_over_logarithmic_time(until_settled):
    """Where their intervals differ by more than ten times: in half of the axis are half of them."""
    short, long = captioned(MeasuredDataset(until_settled), "weights_in_time").values()
    assert until_settled["run_duration"].values.tolist() == [64_000, 512_000]
    assert short.figure.axes[0].get_xscale() == "linear"  # from 1 s to 2 s
    assert "logarithmic" not in short.caption
    left = long.figure.axes[0]
    *_, thick, moment = left.lines
    times = thick.get_xdata()
    assert (times[:2].tolist(), times[-1], moment.get_xdata()[0]) == ([0, 1], 512, 512)
    assert np.diff(times).max() == 16
    assert left.get_xlim() == (0, 512)
    assert left.get_xticks().tolist() == [0, 10, 100]
    assert [text.get_text() for text in left.get_xticklabels()] == ["0", "10", "100"]
    drawn_at = left.transData.transform(np.column_stack([times, 0 * times]))[:, 0]
    ends = left.transData.transform([[0, 0], [512, 0]])[:, 0]
    in_left_half = (drawn_at < ends.mean()).mean()
    assert 0.1 < in_left_half < 0.5  # on a linear axis 0.83
    assert long.caption.endswith("Time is linear up to the first sample, then logarithmic.")


def test_a_cut_history_of_doubling_times_begins_at_its_first_sample(until_settled):
    """Without a linear part; groups likewise."""
    names = ["correlated"] * 20 + ["others"] * 40
    cut = until_settled.isel(ltd_ratio=1, sample_time=slice(5, None))
    one = captioned(MeasuredDataset(cut.assign_coords(group=("synapse", names))), "groups")
    left = one["groups"].figure.axes[0]
    assert left.get_xscale() == "log"
    assert left.get_xlim() == (6, 512)
    assert left.get_xticks().tolist() == [10, 100]
    assert "linear" not in one["groups"].caption


def test_samples_at_equal_intervals_are_drawn_over_linear_time(sweep):
    """However many they are."""
    dataset = sweep({}, "record.weight_interval=5", "simulation.duration=1000")
    assert dataset.sizes["sample_time"] == 200
    left = drawn(dataset, "weights_in_time")["weights_in_time"].axes[0]
    assert left.get_xscale() == "linear"


@pytest.fixture
def recorded(sweep):
    """All state variables at every step of a short run."""
    return sweep({}, "record=everything", "simulation.duration=300")


def spike_marks(dataset, n_synapses=None):
    """Return time and number of synapse of every input spike, `(n_spikes, 2)`."""
    spikes = spike_trains.input_spikes(dataset).isel(synapse=slice(n_synapses))
    step, synapse = np.nonzero(spikes.values)
    return np.column_stack([spikes["time"].values[step], synapse])


def colour_of(line):
    """Return the colour of a line as red, green and blue."""
    return to_rgb(line.get_color())


def test_traces_are_drawn_below_the_input_spikes(recorded):
    """A mark per spike of five synapses in the colour of its P; M below."""
    top, middle, bottom = drawn(recorded, "traces")["traces"].axes
    marks = spike_marks(recorded, 5)
    np.testing.assert_allclose(top.collections[0].get_offsets(), marks)
    of_first = top.collections[0].get_edgecolor()[marks[:, 1] == 0]
    np.testing.assert_allclose(of_first[:, :3] - colour_of(middle.lines[0]), 0, atol=1e-12)
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
    output = [segment[:, 0] for segment in v.collections[0].get_segments()]
    np.testing.assert_allclose(output, np.tile(recorded["spike_time"], (2, 1)).T)
    np.testing.assert_allclose(raster.collections[0].get_offsets(), spike_marks(recorded))
    np.testing.assert_allclose(M.lines[0].get_ydata(), ltd_trace(recorded))
    for axes, expected in ((P, ltp_trace(recorded)), (g, synaptic_conductance(recorded))):
        curves = [line.get_ydata() for line in axes.lines]
        np.testing.assert_allclose(curves, expected.isel(synapse=slice(10)).T)
    np.testing.assert_allclose(g_ex.lines[0].get_ydata(), recorded["g_ex"])
    assert v.get_ylabel() == "Membrane potential\n(mV)"
    assert (M.get_xlabel(), g_ex.get_xlabel()) == ("Time (ms)", "Time (ms)")


def test_inhibition_and_an_adaptive_threshold_are_drawn_where_there_are_any(sweep):
    """g_in beside g_ex, the threshold with its rise; both in words below, in a sweep over both."""
    inhibited = ["inhibition=song_miller_abbott_2000", "neuron.theta_plus=2"]
    dataset = sweep({}, "record=everything", "synapse.w_init=1", *inhibited)
    figure = drawn(dataset, "run")["run"]
    v, g_ex = figure.axes[0], figure.axes[-1]
    assert dataset["theta"].max() > 1
    np.testing.assert_allclose(v.lines[1].get_ydata(), -55 + dataset["theta"])
    assert dataset["g_in"].max() > 0.05
    np.testing.assert_allclose(
        [line.get_ydata() for line in g_ex.lines], [dataset["g_ex"], dataset["g_in"]]
    )
    assert g_ex.get_ylabel() == "Conductances relative\nto the leak"
    caption = captioned(MeasuredDataset(dataset), "run")["run"].caption
    assert "Bars: output spikes, which raise the dotted threshold" in caption
    assert "g_ex in grey, g_in in blue" in caption


def test_of_long_runs_one_second_is_drawn(sweep):
    """From the chosen time on, with the spikes of this second alone."""
    dataset = sweep({}, "record=everything", "simulation.duration=1500")
    figure = drawn(dataset, "run", at=400.0)["run_at=400"]
    v, _, raster, *_ = figure.axes
    assert "0.4 to 1.4 s of 1.5 s" in title_of(figure)
    assert v.lines[0].get_xdata()[[0, -1]].tolist() == [400.0, 1400.0]
    marks = spike_marks(dataset)
    shown = (marks[:, 0] >= 400) & (marks[:, 0] <= 1400)
    np.testing.assert_allclose(raster.collections[0].get_offsets(), marks[shown])


def test_the_second_that_is_drawn_has_both_its_ends(sweep):
    """Of steps of 0.1 ms, also where the beginning is computed: 1499.9 - 1000 is above 499.9."""
    dataset = sweep({}, "record=everything", "simulation.duration=1500", "simulation.dt=0.1")
    figure = drawn(dataset, "run", at=1500.0)["run_at=1500"]
    times = figure.axes[0].lines[0].get_xdata()
    assert times[[0, -1]].tolist() == [499.9, 1499.9]
    assert times.size == 10_001


def test_the_correlogram_shows_the_input_rate_around_output_spikes(recorded):
    """Against the lag for weak and strong synapses; the mean input rate dotted."""
    figure = drawn(recorded, "correlogram")["correlogram"]
    (axes,) = figure.axes
    rates = spike_trains.input_rate_around_output(recorded)
    shown = [rate for rate in rates if rate.notnull().any()]
    for line, rate in zip(axes.lines[2:], shown, strict=True):
        np.testing.assert_allclose(line.get_ydata(), rate)
        np.testing.assert_allclose(line.get_xdata(), rates["lag"])
    assert axes.lines[0].get_ydata()[0] == 40
    assert axes.get_ylabel() == "Input rate around output\nspikes (Hz)"
    assert axes.get_xlabel() == label(rates["lag"])
    assert axes.get_ylim()[0] == 0
    assert f"{recorded['spike_count'].item()} output spikes" in title_of(figure)
    names = ["weak, w \N{LESS-THAN OR EQUAL TO} 0.5", "strong, w > 0.5"]
    drawn_names = [name for name, rate in zip(names, rates, strict=True) if rate.notnull().any()]
    assert legend_text(figure) == ("Synapses by weight", drawn_names)


def test_colours_of_synapses_are_in_the_legend(recorded):
    """Of traces and of the six panels: each number in the colour of its P."""
    for name, n, i in (("traces", 5, 1), ("run", 10, 1)):
        figure = drawn(recorded, name)[name]
        assert legend_text(figure) == ("Synapse", [str(number) for number in range(n)])
        shown = [colour_of(line) for line in figure.legends[0].get_lines()]
        assert shown == [colour_of(line) for line in figure.axes[i].lines]
        assert len(set(shown)) == n


def test_a_run_of_one_step_has_markers(sweep):
    """A line of one point would not be seen."""
    made = drawn(sweep({}, "record=everything", "simulation.duration=1"), "run", "traces")
    for figure in made.values():
        lines = [line for axes in figure.axes for line in axes.lines if len(line.get_xdata()) == 1]
        assert len(lines) >= 6
        assert {line.get_marker() for line in lines} == {"o"}


def test_the_header_keeps_clear_of_the_panels(sweep):
    """It stands above the title of the second panel, however long it is."""
    dataset = sweep(
        {"input.rate_hz": [40], "stdp.ltd_ratio": [1.1], "neuron.tau_m": [10]}, *HISTORY
    )
    (figure,) = drawn(dataset, "weights_in_time", lay_out=True).values()
    below = figure.axes[1].title.get_window_extent().y1
    assert "Ratio of LTD to LTP amplitude: 1.1" in title_of(figure)
    assert figure._suptitle.get_window_extent().y0 > below
