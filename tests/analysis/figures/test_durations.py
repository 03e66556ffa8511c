"""How long runs took to settle: a map or lines, and what is marked."""

import numpy as np
import pytest
from matplotlib.colors import LogNorm, to_rgb

import pipeline
from analysis.figures.registry import FIGURES
from analysis.measures.measured import MeasuredDataset
from analysis.plots import style
from tests.support.drawn import drawn, legend_text, unfolded

AXES = {"input.rate_hz": [0, 2, 20, 30], "stdp.ltd_ratio": [0.8, 0.9, 1.05], "seed": [0, 1, 2]}


@pytest.fixture(scope="module")
def dataset():
    """Points that cannot fire, do not, settled after 64 or 128 s, and did not within the limit."""
    base = pipeline.configure(
        "simulation.until=settled", "simulation.duration=130000", "input.n_synapses=60",
        "synapse.g_max=0.12", "synapse.w_init=1", "stdp.A_plus=0.02",
    )  # fmt: skip
    return pipeline.sweep(base, AXES, backend="sequential")


def hatched(panel):
    """Return the centres of hatched pixels, by hatch."""
    found = {}
    for one in panel.collections:
        if one.get_hatch():
            corners = one.get_paths()[0].get_extents()
            centre = (corners.x0 + corners.x1) / 2, (corners.y0 + corners.y1) / 2
            found.setdefault(one.get_hatch(), []).append(centre)
    return found


@pytest.mark.parametrize("name", ["durations", "phase_diagram"])
def test_maps_mark_what_has_not_settled_and_what_is_silent(dataset, name):
    """Pixel by pixel, by marks of their own, which a legend names."""
    figure = drawn(dataset, name)[name]
    measured = MeasuredDataset(dataset)
    marks = hatched(figure.axes[0])
    answers = measured.settling["settled"]
    quiet = int(answers.isin(["cannot fire", "no output spike"]).sum())
    n_open = int((answers == "not settled").sum())
    assert quiet >= 3
    assert n_open >= 2
    assert {hatch: len(pixels) for hatch, pixels in marks.items()} == {
        "////": quiet,
        "....": n_open,
    }
    assert legend_text(figure)[1] == ["silent", "not settled"]
    assert f"{n_open} not settled" in unfolded(figure)


def test_the_colour_of_a_map_is_the_time_on_a_logarithmic_scale(dataset):
    """Means over seeds in s, ticks at doublings."""
    figure = drawn(dataset, "durations")["durations"]
    panel, bar = figure.axes
    mesh = panel.collections[0]
    expected = dataset["run_duration"].mean("seed").transpose("ltd_ratio", "rate_hz") / 1000
    np.testing.assert_allclose(mesh.get_array(), expected)
    assert isinstance(mesh.norm, LogNorm)
    assert (mesh.norm.vmin, mesh.norm.vmax) == (64, 128)
    assert [text.get_text() for text in bar.get_xticklabels()] == ["64", "128"]
    assert bar.get_xlabel() == "Simulated time of the run (s)"


def test_along_one_axis_it_is_a_line(dataset):
    """On a logarithmic axis, those not settled pale, those without spikes open."""
    part = dataset.isel(ltd_ratio=[2])
    figure = drawn(part, "durations")["durations_against_rate_hz"]
    panel = figure.axes[0]
    assert panel.get_yscale() == "log"
    faces = [to_rgb(line.get_markerfacecolor()) for line in panel.lines if line.get_marker() == "o"]
    (shade,) = {to_rgb(line.get_color()) for line in panel.lines if line.get_marker() == "o"}
    assert {(1.0, 1.0, 1.0), style.paler(shade)} <= {*faces}
    assert "Pale markers: not settled. Open markers: silent, no output spike" in unfolded(figure)


def test_one_time_for_all_has_a_scale(dataset):
    """All runs took 64 s: half and double of it are the ends."""
    alike = dataset.assign(run_duration=dataset["run_duration"] * 0 + 64_000)
    figure = drawn(alike, "durations")["durations"]
    assert figure.axes[0].collections[0].norm.vmin == 32


def test_runs_of_a_given_duration_have_no_such_figure(sweep):
    """What is missing is named."""
    needs = FIGURES["durations"].needs(MeasuredDataset(sweep({"seed": [1, 2]})))
    assert needs == "simulation.until=settled"


def test_headers_tell_the_range_of_times(dataset):
    """And how many settled; pale histograms are named."""
    made = drawn(dataset, "weights", "rates")
    assert "After 64 to 128 s, until settled, 3 seeds pooled" in unfolded(made["weights"])
    assert "Pale: not settled" in unfolded(made["weights"])
    assert "Over the last half of 64 to 128 s" in unfolded(made["rates_against_rate_hz"])


def test_what_fired_early_and_no_more_is_marked_as_silent(dataset):
    """Not as open: its answer is that no spike came in the last half."""
    answers = MeasuredDataset(dataset).settling["settled"]
    ceased = answers == "no output spike"
    assert ceased.any()
    count = dataset["spike_count"].where(~ceased, 5)
    measured = MeasuredDataset(dataset.assign(spike_count=count))
    assert not (measured.silent & ceased).any()
    assert (measured.quiet | ~ceased).all()
    assert not (measured.unsettled & ceased).any()


def test_mean_weights_are_final_ones_and_say_so(dataset):
    """Also where the file has means over the last half: axis and colour bar name what is drawn."""
    made = drawn(dataset, "mean_weight", "phase_diagram")
    against = made["mean_weight_against_rate_hz"].axes[0]
    assert against.get_ylabel() == "Mean final weight"
    final = dataset["mean_weight"].mean("seed")
    assert (final != dataset["late_mean_weight"].mean("seed")).any()
    heights = [line.get_ydata() for line in against.lines if len(line.get_ydata()) == 4]
    for expected in final.transpose("ltd_ratio", "rate_hz").values:
        assert any(np.allclose(height, expected) for height in heights)
    panel, bar = made["phase_diagram"].axes[0], made["phase_diagram"].axes[3]
    np.testing.assert_allclose(panel.collections[0].get_array(), final.transpose("ltd_ratio", ...))
    assert bar.get_xlabel() == "Mean final weight"
