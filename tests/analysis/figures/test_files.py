"""Files of figures: their bytes and names, and what a user's matplotlib settings change."""

import os
import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
import xarray as xr
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from analysis import show
from analysis.__main__ import main
from analysis.figures.save import draw, file_name
from analysis.plots import style
from analysis.reading.errors import LoadError
from tests.conftest import ROOT

pytestmark = pytest.mark.long


@pytest.fixture
def experiment(keep):
    """Two rates and two seeds."""
    return keep("one", {"input.rate_hz": [30, 60], "seed": [1, 2]})


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_a_file_is_the_same_at_each_drawing(experiment, suffix):
    """No dates and no random identifiers, so that figures can be under version control."""
    contents = []
    for _ in range(2):
        draw(experiment, ["rates"], [suffix])
        (path,) = (experiment / "figures").glob(f"*.{suffix}")
        contents.append(path.read_bytes())
        path.unlink()
    assert contents[0] == contents[1]


def test_a_failed_drawing_leaves_the_earlier_file(experiment, monkeypatch):
    """A full disk after some bytes: the message has the reason, and no other file is left."""
    draw(experiment, ["rates"])
    (path,) = (experiment / "figures").glob("*.png")
    before = path.read_bytes()

    def fill_disk(figure, file, **options):
        file.write_bytes(b"some")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", fill_disk)
    reason = r"rates_against_rate_hz\.png: cannot be written \(No space left on device\)"
    with pytest.raises(LoadError, match=reason):
        draw(experiment, ["rates"])
    assert set((experiment / "figures").iterdir()) == {path, path.with_suffix(".txt")}
    assert path.read_bytes() == before


def test_one_figure_that_cannot_be_written_stops_no_other(experiment, capsys):
    """All others are drawn; the error names the one and its reason, and the exit code is 1."""
    assert main([str(experiment)]) == 0
    everything = {file.name for file in (experiment / "figures").iterdir()}
    for file in (experiment / "figures").iterdir():
        file.unlink()
    blocked = experiment / "figures" / "rates_against_rate_hz.png"
    blocked.mkdir()
    capsys.readouterr()
    assert main([str(experiment)]) == 1
    assert {file.name for file in (experiment / "figures").iterdir()} == everything
    captured = capsys.readouterr()
    assert captured.err == f"error: {blocked}: cannot be written (Is a directory)\n"
    assert str(blocked) not in captured.out
    images = [name for name in everything if name.endswith(".png")]
    assert len(captured.out.splitlines()) == len(images) - 1


def test_a_folder_that_cannot_be_made_is_reported_once(experiment, capsys):
    """A file of that name: one line, exit code 2, nothing drawn."""
    (experiment / "figures").write_text("")
    assert main([str(experiment)]) == 2
    captured = capsys.readouterr()
    assert captured.err == f"error: {experiment / 'figures'}: cannot be made (File exists)\n"
    assert not captured.out


def test_a_value_with_a_slash_makes_a_file_name(keep):
    """Such as that of a parameter set in a folder of its own; all figures are drawn."""
    path = keep("named", {"stdp": ["notebook", "song_abbott_2001"]}, "record=history",
                "record.weight_interval=100")  # fmt: skip
    with xr.open_dataset(path / "results.nc") as file:
        dataset = file.load()
    named = dataset.assign_coords(stdp=["notebook", "mine/strong"])
    named["stdp"].attrs = dataset["stdp"].attrs | {
        "settings": dataset["stdp"].attrs["settings"].replace("song_abbott_2001", "mine/strong")
    }
    named.to_netcdf(path / "results.nc")
    draw(path)
    names = {file.name for file in (path / "figures").iterdir()}
    assert "weights_in_time_stdp=mine%2Fstrong.png" in names
    assert "shares_against_stdp.png" in names
    assert file_name("rates_a=1.5") == "rates_a=1.5"
    assert len({file_name(name) for name in ("a/b", "a-b", "a:b", "a%2Fb")}) == 4


def test_a_users_matplotlib_settings_do_not_change_figures(sweep):
    """LaTeX, which may be missing, dark colours and another layout; they hold again afterwards."""
    dataset = sweep({"input.rate_hz": [30, 60]})
    own = {
        "text.usetex": True,
        "axes.facecolor": "black",
        "text.color": "white",
        "lines.marker": "x",
        "axes.grid": True,
        "figure.autolayout": True,
    }
    (expected,) = show(dataset, "rates")
    with mpl.rc_context(own):
        (figure,) = show(dataset, "rates")
        assert {name: mpl.rcParams[name] for name in own} == own
    for one in (expected, figure):
        one.canvas.draw()
    assert not any(text.get_usetex() for text in figure.findobj(mpl.text.Text))
    assert to_hex(figure.axes[0].get_facecolor()) == "#ffffff"
    assert figure.get_layout_engine().__class__ is expected.get_layout_engine().__class__
    markers = [[line.get_marker() for line in one.axes[0].lines] for one in (expected, figure)]
    assert markers[0] == markers[1]
    plt.close("all")


@pytest.mark.parametrize("words", [("--figure", "rates"), ("--report",)])
def test_the_command_needs_none_of_the_users_backends(experiment, words):
    """Such as that of a notebook, which a command started there inherits."""
    environment = os.environ | {"MPLBACKEND": "module://ipympl.backend_nbagg"}
    command = [sys.executable, "-m", "analysis", str(experiment), *words]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(("rates_against_rate_hz.png\n", "report.html\n"))


@pytest.mark.parametrize("n", [6, 7, 15])
def test_named_values_have_colours_of_their_own(n):
    """However many, each is drawn in another colour."""
    names = xr.DataArray([f"rule {i}" for i in range(n)], dims="stdp")
    assert len({to_hex(colour) for colour in style.colours(names)}) == n
