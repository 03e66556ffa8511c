"""Files and displays of one's own: provenance, names of what is made of a file, notebooks."""

import html
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import xarray as xr

import pipeline
from analysis import open_results, show
from analysis.__main__ import main
from analysis.figures.registry import supported
from analysis.measures.measured import MeasuredDataset
from pipeline.experiment import run
from pipeline.system import host

pytestmark = pytest.mark.long


@pytest.fixture
def two_files(configure, tmp_path):
    """Write `a.nc` and `b.nc` of one folder; return the folder."""
    for name, seed in (("a", 1), ("b", 2)):
        pipeline.simulate(configure(f"seed={seed}")).to_netcdf(tmp_path / f"{name}.nc")
    return tmp_path


def test_figures_and_reports_of_two_files_are_kept_apart(two_files):
    """They are named after the file, and those of results.nc as ever."""
    for name in ("a", "b"):
        assert main([str(two_files / f"{name}.nc"), "--figure", "weights"]) == 0
        assert main([str(two_files / f"{name}.nc"), "--report"]) == 0
    for name, other in (("a", "b"), ("b", "a")):
        figures = {file.name for file in (two_files / f"{name}_figures").iterdir()}
        assert figures == {"weights.png", "weights.txt"}
        report = (two_files / f"{name}_report.html").read_text()
        assert f"<h1>{name}</h1>" in report
        assert f"<h1>{other}</h1>" not in report
    assert not (two_files / "figures").exists()
    (two_files / "a.nc").rename(two_files / "results.nc")
    assert main([str(two_files), "--report"]) == 0
    assert (two_files / "report.html").is_file()


def test_a_file_of_simulate_says_what_made_it(two_files):
    """Commit, versions, host and date are attributes, as in a file of a sweep."""
    with xr.open_dataset(two_files / "a.nc") as dataset:
        about = dataset.attrs
    commit = subprocess.run(
        ["git", "-C", host.CODE, "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    assert about["git_commit"] in (commit, "unknown")
    assert about["created"][:2] == "20"
    assert about["engine"] == "compiled"
    assert '"numpy"' in about["packages"]
    assert {"git_dirty", "python", "platform", "processor", "host", "command"} <= about.keys()


def test_provenance_is_captured_once_per_process(configure, monkeypatch):
    """A further simulation asks neither git nor the file system."""
    pipeline.simulate(configure())

    def refuse(*arguments, **options):
        raise AssertionError("captured again")

    monkeypatch.setattr(host, "_git", refuse)
    monkeypatch.setattr(host, "packages", refuse)
    assert "git_commit" in pipeline.simulate(configure("seed=7")).attrs


def test_show_without_a_name_shows_all(two_files):
    """All figures that the dataset supports, as the command draws."""
    with open_results(two_files / "a.nc") as dataset:
        names = supported(MeasuredDataset(dataset))
        assert len(names) > 1
        assert len(show(dataset)) == sum(len(show(dataset, name)) for name in names)


@pytest.mark.parametrize("in_notebook", [True, False])
def test_a_notebook_shows_the_progress_of_a_sweep(configure, monkeypatch, capfd, in_notebook):
    """Its kernel writes into no terminal: without a word of ours the bar would be hidden."""
    shell = SimpleNamespace(kernel="a kernel") if in_notebook else SimpleNamespace()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    run_points = run.run_points

    def slow(*arguments):
        time.sleep(1.1)  # shorter sweeps show nothing
        yield from run_points(*arguments)

    monkeypatch.setattr(run, "run_points", slow)
    pipeline.sweep(configure(), {"seed": [1, 2]}, backend="sequential")
    assert ("2/2" in capfd.readouterr().err) == in_notebook


def test_a_configuration_is_a_table_in_a_notebook(configure):
    """Every parameter with its value, its unit and its meaning."""
    table = configure("input.rate_hz=13", "stdp.A_minus=null")._repr_html_()
    cells = ["input.rate_hz", "13.0", "Hz", "input rate"]
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    assert row.lower() in table.lower()
    assert "null (ltd_ratio" in html.unescape(table)
    assert table.count("<tr>") == 1 + len(list(configure()._rows()))
