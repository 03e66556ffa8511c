"""The figures of one run: what is drawn, not its pixels."""

import numpy as np
import pytest

from analysis.measures import spike_trains, weights
from analysis.measures.traces import ltd_trace, ltp_trace, synaptic_conductance
from tests.support.drawn import HISTORY, drawn, legend_words, title_of


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
    np.testing.assert_allclose(found, weights.weight_histogram(dataset, at=200.0))


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
