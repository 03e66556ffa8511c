"""Which figures a file has, and the command that draws them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from analysis.__main__ import main
from analysis.figures.registry import FIGURES
from analysis.figures.save import show
from analysis.reading.dataset import open_results
from analysis.reading.errors import LoadError
from analysis.reading.select import part_of
from tests.support.drawn import (
    HISTORY,
    drawn,
)


@pytest.fixture(autouse=True)
def close_figures():
    """Leave no figure open."""
    yield
    plt.close("all")


def test_a_file_has_the_figures_it_supports(sweep):
    """Without axes, history and traces there is a histogram and a window; each adds its own."""
    assert set(drawn(sweep({}))) == {"weights", "window"}
    assert {"weights_in_time", "settling"} <= set(drawn(sweep({}, *HISTORY)))
    full = drawn(sweep({}, "record=everything", "simulation.duration=100"))
    assert {"traces", "run", "correlogram"} <= set(full)


def test_every_figure_is_drawn_of_every_kind_of_sweep(sweep):
    """Words, holes, grown grids: nothing warns, nothing breaks."""
    words = sweep({"stdp": ["notebook", "song_abbott_2001"], "input.rate_hz": [20, 60]}, *HISTORY)
    holes = sweep({"input.rate_hz": [20, 40, 60], "neuron.tau_m": [8, 10, 12]}, *HISTORY)
    holes["status"][1] = 2
    for name in ("weight", "weight_history", "rate_history", "output_rate", "mean_weight"):
        holes[name][1] = np.nan
    holes["spike_count"][1] = -1
    for dataset in (words, holes):
        assert len(drawn(dataset, lay_out=True)) > 8


def test_a_notebook_shows_figures_by_name(sweep):
    """`show` returns them; an unheard name, or one the file cannot have, is told in one line."""
    dataset = sweep({"input.rate_hz": [20, 60]})
    (figure,) = show(dataset, "rates")
    assert figure.axes[0].get_ylabel() == "Output firing rate (Hz)"
    with pytest.raises(LoadError, match="--figure rate: must be one of weights, rates, cv"):
        show(dataset, "rate")
    with pytest.raises(LoadError, match="dataset: --figure run needs record=everything"):
        show(dataset, "run")


@pytest.fixture
def kept(keep):
    """An experiment of two rates and two seeds on disk."""
    return keep("one", {"input.rate_hz": [30, 60], "seed": [1, 2]}, *HISTORY)


def test_the_command_draws_what_there_is(kept, capsys):
    """Figures go to the experiment's own folder; the file itself stays as it was."""
    before = (kept / "results.nc").read_bytes()
    assert main([str(kept)]) == 0
    made = {file.name for file in (kept / "figures").iterdir()}
    assert {"weights.png", "rates_against_rate_hz.png", "settling.png"} <= made
    assert {name.rpartition(".")[2] for name in made} == {"png"}
    assert str(kept / "figures" / "weights.png") in capsys.readouterr().out
    assert (kept / "results.nc").read_bytes() == before


def test_one_figure_in_one_format(kept):
    """`--figure` and `--format` can be given several times; svg keeps text as text."""
    words = ["--figure", "rates", "--figure", "window", "--format", "svg", "--format", "pdf"]
    assert main([str(kept), *words]) == 0
    made = {file.name for file in (kept / "figures").iterdir()}
    assert made == {
        f"{name}.{suffix}"
        for name in ("rates_against_rate_hz", "window")
        for suffix in ("svg", "pdf")
    }
    assert "Input rate (Hz)" in (kept / "figures" / "rates_against_rate_hz.svg").read_text()


def test_part_of_a_sweep_is_drawn_and_named(kept):
    """`--where` takes keys or last words; the part stands in the title."""
    assert main([str(kept), "--figure", "weights", "--where", "input.rate_hz=60.0"]) == 0
    assert main([str(kept), "--figure", "rates", "--where", "seed=2"]) == 0
    with open_results(kept) as dataset:
        part = part_of(dataset, ["rate_hz=60", "seed=2"])
        assert part.description == "Input rate 60 Hz, Random seed 2"
        assert part.dataset["status"].dims == ()
        assert part.dataset["weight"].identical(dataset["weight"].sel(rate_hz=60, seed=2))
    made = {file.name for file in (kept / "figures").iterdir()}
    assert made == {"weights_rate_hz=60.0.png", "rates_against_rate_hz_seed=2.png"}


@pytest.mark.parametrize(
    ("words", "message"),
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
def test_a_wrong_request_is_one_line_and_exit_code_2(kept, capsys, words, message):
    """It names what is allowed, and nothing is drawn."""
    assert main([str(kept), *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (kept / "figures").exists()


def test_the_list_tells_what_a_figure_would_need(kept, capsys):
    """One line a figure; those that the file cannot have say what it would need."""
    assert main([str(kept), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(FIGURES)
    told = dict(zip(FIGURES, lines, strict=True))
    assert told["run"].endswith("needs record=everything, for a short run")
    assert "needs" not in told["rates"] + told["settling"]


def test_points_that_are_not_done_are_left_out(sweep, tmp_path, capsys):
    """A file with holes is drawn, and the holes are counted aloud."""
    dataset = sweep({"input.rate_hz": [30, 60], "seed": [1, 2]})
    dataset["status"][0] = 2
    for name in ("weight", "output_rate", "mean_weight", "isi_cv"):
        dataset[name][0] = np.nan
    dataset["spike_count"][0] = -1
    dataset.to_netcdf(tmp_path / "results.nc")
    assert main([str(tmp_path), "--figure", "rates"]) == 0
    assert "2 of 4 points are not done and left out" in capsys.readouterr().out
    figure = drawn(dataset, "rates")["rates_against_rate_hz"]
    line = figure.axes[0].containers[0].lines[0].get_ydata()
    assert np.isnan(line[0])
    assert line[1] == dataset["output_rate"].sel(rate_hz=60).mean()


def test_nothing_done_is_nothing_to_draw(sweep, tmp_path, capsys):
    """A file without a finished point is refused in one line."""
    dataset = sweep({"seed": [1, 2]})
    dataset["status"][:] = 2
    dataset.to_netcdf(tmp_path / "results.nc")
    assert main([str(tmp_path)]) == 2
    assert "no point is done yet" in capsys.readouterr().err


def test_a_wrong_path_is_one_line_and_exit_code_2(tmp_path, capsys):
    """No directory, no figure, no traceback."""
    assert main([str(tmp_path / "nothing")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "must be an experiment directory" in error


def test_the_choice_of_a_group_is_a_part_like_any_other(sweep):
    """What only the choice sets is read of that choice: its window, its threshold, its rates."""
    choices = {"stdp": ["notebook", "song_abbott_2001"], "input.rate_hz": [40, 60]}
    dataset = sweep(choices, "record=everything", "simulation.duration=50")
    (figure,) = show(dataset, "window", where=["stdp=song_abbott_2001"])
    assert np.max(figure.axes[0].lines[2].get_ydata()) == pytest.approx(0.005)
    for name in ("rates", "weights", "run"):
        assert show(dataset, name, where=["stdp=song_abbott_2001"])
