"""Which figures a file supports, and the command that draws them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from analysis.__main__ import main
from analysis.figures.registry import FIGURES
from analysis.figures.save import show
from analysis.measures import weights
from analysis.reading.dataset import open_results
from analysis.reading.errors import LoadError
from analysis.reading.select import part_of
from tests.support.drawn import HISTORY, drawn, ridge, title_of

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def close_figures():
    """Close all figures after each test."""
    yield
    plt.close("all")


@pytest.mark.parametrize("duration", [1, 100])
def test_a_file_has_the_figures_it_supports(sweep, duration):
    """Histogram and rule alone without axes, history and traces; each of these adds figures."""
    assert set(drawn(sweep({}))) == {"weights", "rule"}
    assert {"weights_in_time", "settling"} <= set(drawn(sweep({}, *HISTORY)))
    full = drawn(sweep({}, "record=everything", f"simulation.duration={duration}"))
    assert {"traces", "run", "correlogram"} <= set(full)


def test_every_figure_of_a_sweep_over_choices_is_laid_out(sweep):
    """Against the names of the choices; without warnings."""
    dataset = sweep({"stdp": ["notebook", "song_abbott_2001"], "input.rate_hz": [20, 60]}, *HISTORY)
    made = drawn(dataset, lay_out=True)
    measures = ("rates", "cv", "mean_weight", "shares")
    against = {f"{name}_against_{axis}" for name in measures for axis in ("stdp", "rate_hz")}
    in_time = {f"settling_rate_hz={rate_hz}" for rate_hz in (20.0, 60.0)}
    rest = {name for name in made if not name.startswith("weights_in_time_stdp=")}
    assert rest == {"weights", "rule"} | against | in_time
    for name in measures:
        axes = made[f"{name}_against_stdp"].axes[0]
        ticks = [tick.get_text() for tick in axes.get_xticklabels()]
        assert ticks == ["notebook", "song_abbott_2001"]


def test_missing_points_are_left_out_of_every_figure(sweep):
    """Their values are NaN in curves and maps; without warnings."""
    holes = sweep({"input.rate_hz": [20, 40, 60], "neuron.tau_m": [8, 10, 12]}, *HISTORY)
    holes["status"][1] = 2
    for name in ("weight", "weight_history", "rate_history", "late_output_rate", "mean_weight"):
        holes[name][1] = np.nan
    holes["spike_count"][1] = -1
    made = drawn(holes, lay_out=True)
    for figure in ("rates", "mean_weight"):
        variable = holes["late_output_rate" if figure == "rates" else "mean_weight"]
        containers = made[f"{figure}_against_rate_hz"].axes[0].containers
        curves = [container.lines[0].get_ydata() for container in containers]
        np.testing.assert_allclose(curves, variable.transpose("tau_m", "rate_hz"))
    mesh = made["phase_diagram"].axes[0].collections[0]
    values = np.ma.filled(mesh.get_array(), np.nan).reshape(3, 3)
    np.testing.assert_allclose(values, holes["mean_weight"].transpose("tau_m", "rate_hz"))
    assert "3 of 9 points are missing and not shown" in title_of(made["weights"])
    in_time = [name for name in made if name.startswith("weights_in_time")]
    assert len(in_time) == 3
    assert not [name for name in in_time if "rate_hz=40" in name]


def test_slices_that_are_not_drawn_are_logged(sweep, caplog):
    """Those that fire are drawn, and the message has the words that draw another one."""
    made = drawn(sweep({"input.rate_hz": [20, 30, 40, 50]}, *HISTORY), "weights_in_time")
    assert list(made) == [f"weights_in_time_rate_hz={rate}" for rate in (30.0, 40.0, 50.0)]
    message = "weights_in_time: 3 of 4 slices drawn; choose others as by --figure weights_in_time "
    assert caplog.messages == [f"{message}--where input.rate_hz=20"]


def test_a_notebook_shows_figures_by_name(sweep):
    """`show` returns them; an unknown or unsupported name is an error in one line."""
    dataset = sweep({"input.rate_hz": [20, 60]})
    (figure,) = show(dataset, "rates")
    assert figure.axes[0].get_ylabel() == "Output firing rate, last\nhalf of the run (Hz)"
    line = figure.axes[0].containers[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), dataset["late_output_rate"])
    with pytest.raises(LoadError, match="--figure rate: must be one of weights, rates, cv"):
        show(dataset, "rate")
    with pytest.raises(LoadError, match="dataset: --figure run needs record=everything"):
        show(dataset, "run")


@pytest.fixture
def kept(keep):
    """Directory of an experiment with two rates and two seeds."""
    return keep("one", {"input.rate_hz": [30, 60], "seed": [1, 2]}, *HISTORY)


def test_the_command_draws_all_supported_figures(kept, capsys):
    """Into the folder `figures` of the experiment, as PNG images; the results are not changed."""
    before = (kept / "results.nc").read_bytes()
    assert main([str(kept)]) == 0
    made = {file.name for file in (kept / "figures").glob("*.png")}
    assert {"weights.png", "rates_against_rate_hz.png", "settling.png"} <= made
    printed = capsys.readouterr().out.splitlines()
    assert sorted(printed) == sorted(str(kept / "figures" / name) for name in made)
    for name in made:
        assert np.ptp(plt.imread(kept / "figures" / name)) > 0.5, name
    assert (kept / "results.nc").read_bytes() == before


def test_figures_are_saved_in_the_formats_given(kept):
    """`--figure` and `--format` can be repeated; SVG images contain text as text."""
    options = ["--figure", "rates", "--figure", "rule", "--format", "svg", "--format", "pdf"]
    assert main([str(kept), *options]) == 0
    made = {file.name for file in (kept / "figures").iterdir()}
    assert made == {
        f"{name}.{suffix}"
        for name in ("rates_against_rate_hz", "rule")
        for suffix in ("svg", "pdf", "txt")
    }
    assert "Input rate (Hz)" in (kept / "figures" / "rates_against_rate_hz.svg").read_text()


def test_part_of_a_sweep_is_drawn_and_named(kept):
    """`--where` takes keys or short names; the values are in the file name."""
    assert main([str(kept), "--figure", "weights", "--where", "input.rate_hz=60.0"]) == 0
    assert main([str(kept), "--figure", "rates", "--where", "seed=2"]) == 0
    with open_results(kept) as dataset:
        part = part_of(dataset, ["rate_hz=60", "seed=2"])
        assert part.description == "Input rate 60 Hz, Random seed 2"
        assert part.dataset["status"].dims == ()
        assert part.dataset["weight"].identical(dataset["weight"].sel(rate_hz=60, seed=2))
    made = {file.name for file in (kept / "figures").glob("*.png")}
    assert made == {"weights_rate_hz=60.0.png", "rates_against_rate_hz_seed=2.png"}


@pytest.mark.parametrize(
    ("arguments", "message"),
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
def test_an_invalid_request_is_one_line_and_exit_code_2(kept, capsys, arguments, message):
    """The message says what is allowed; nothing is drawn."""
    assert main([str(kept), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (kept / "figures").exists()


def test_the_list_says_what_a_figure_needs(kept, capsys):
    """One line per figure; for unsupported ones, what is lacking."""
    assert main([str(kept), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(FIGURES)
    line_of = dict(zip(FIGURES, lines, strict=True))
    assert line_of["run"].endswith("needs record=everything, for a short run")
    assert "needs" not in line_of["rates"] + line_of["settling"]


def test_missing_points_are_counted_and_not_drawn(sweep, tmp_path, capsys):
    """The command prints their number; they are NaN in a curve."""
    dataset = sweep({"input.rate_hz": [30, 60], "seed": [1, 2]})
    dataset["status"][0] = 2
    for name in ("weight", "late_output_rate", "mean_weight", "late_isi_cv"):
        dataset[name][0] = np.nan
    dataset["spike_count"][0] = -1
    dataset.to_netcdf(tmp_path / "results.nc")
    assert main([str(tmp_path), "--figure", "rates"]) == 0
    assert "2 of 4 points are missing and not shown\n" in capsys.readouterr().out
    figure = drawn(dataset, "rates")["rates_against_rate_hz"]
    line = figure.axes[0].containers[0].lines[0].get_ydata()
    np.testing.assert_allclose(line, [np.nan, dataset["late_output_rate"].sel(rate_hz=60).mean()])


def test_an_experiment_without_a_finished_point_is_refused(sweep, tmp_path, capsys):
    """In one line, with exit code 2."""
    dataset = sweep({"seed": [1, 2]})
    dataset["status"][:] = 2
    dataset.to_netcdf(tmp_path / "results.nc")
    assert main([str(tmp_path)]) == 2
    assert "no point is done yet" in capsys.readouterr().err


def test_a_path_without_results_is_one_line_and_exit_code_2(tmp_path, capsys):
    """Without a traceback."""
    assert main([str(tmp_path / "nothing")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "must be an experiment directory" in error


def test_one_choice_of_a_group_can_be_selected(sweep):
    """What the choice sets is that of the selected one: rule, rates and histograms."""
    choices = {"stdp": ["notebook", "song_abbott_2001"], "input.rate_hz": [40, 60]}
    dataset = sweep(choices, "record=everything", "simulation.duration=50")
    part = dataset.sel(stdp="song_abbott_2001")
    where = ["stdp=song_abbott_2001"]
    (figure,) = show(dataset, "rule", where=where)
    assert np.max(figure.axes[1].lines[2].get_ydata()) == pytest.approx(0.005)
    (figure,) = show(dataset, "rates", where=where)
    line = figure.axes[0].containers[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), part["late_output_rate"])
    (figure,) = show(dataset, "weights", where=where)
    assert title_of(figure).startswith("STDP rule song_abbott_2001")
    found = ridge(figure.axes[0], 1)
    share = weights.weight_histogram(part.sel(rate_hz=60)).values
    np.testing.assert_allclose(found / found.sum(), share, atol=1e-12)
    low, high = show(dataset, "run", where=where)
    for figure, rate_hz in ((low, 40), (high, 60)):
        v = figure.axes[0].lines[0]
        np.testing.assert_allclose(v.get_ydata(), part["v"].sel(rate_hz=rate_hz))
