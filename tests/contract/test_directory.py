"""Files of the experiment directory that `analysis` reads and writes; status of points."""

import csv
import json
import shutil

import pytest

import pipeline
from analysis.__main__ import main
from analysis.experiments import find
from analysis.measures.measured import MeasuredDataset
from analysis.reading import metadata
from analysis.reading.dataset import open_results
from analysis.report.page import REPORT
from pipeline.model import variables
from pipeline.model.errors import RequestError

WRITTEN = {"results.nc", "configuration.yaml", "provenance.json", "sweep.log", "points", ".lock"}


@pytest.fixture
def holes(configure, fail_for_seed, tmp_path):
    """An experiment with done, failed and missing points: a grid of which two rows were asked."""
    path = tmp_path / "holes"
    fail_for_seed(3, FloatingPointError("a weight is NaN"))
    base = configure("simulation.duration=50")
    for axes in ({"seed": [1, 3], "input.rate_hz": [30]}, {"seed": [2], "input.rate_hz": [40]}):
        pipeline.sweep(base, axes, path, backend="sequential")
    return path


def test_status_has_the_same_flags_on_both_sides(holes):
    """DONE, FAILED, MISSING, by their meanings in the file, counted alike."""
    flags = (metadata.DONE, metadata.FAILED, metadata.MISSING)
    assert flags == (variables.DONE, variables.FAILED, variables.MISSING)
    with open_results(holes) as dataset:
        attributes = dataset["status"].attrs
        assert attributes["flag_meanings"].split() == ["done", "failed", "missing"]
        assert tuple(attributes["flag_values"]) == flags
        counts = tuple(int((dataset["status"] == flag).sum()) for flag in flags)
        assert dataset["weight"].isnull().all("synapse").sum() == counts[1] + counts[2]
        not_done = dataset["status"].values != metadata.DONE
        assert (dataset["spike_count"].values[not_done] == -1).all()
        assert MeasuredDataset.of(dataset).done.sum() == counts[0]
    assert counts == metadata.read_metadata(holes / "results.nc").points == (2, 1, 3)


def test_the_report_finds_why_a_point_failed(holes):
    """In `failures.csv`, by the keys of the axes and the column `reason`."""
    with (holes / "failures.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert {"seed", "input.rate_hz", "reason"} <= row.keys()
    assert main([str(holes), "--report"]) == 0
    report = (holes / "report.html").read_text()
    assert row["reason"] in report
    assert "1 of 6 points" in report
    assert "3 of 6 points" in report


def test_the_directory_has_the_files_that_the_analysis_names(experiment):
    """No others; `provenance.json` keeps the uncommitted changes, as the report says."""
    assert {file.name for file in experiment.iterdir()} - {"figures", "report.html"} == WRITTEN
    assert {metadata.RESULTS} <= WRITTEN
    runs = json.loads((experiment / "provenance.json").read_text())["runs"]
    assert "git_diff" in runs[-1] or str(runs[-1]["git_dirty"]) != "true"


def test_the_folders_of_an_experiment_hold_no_experiment(experiment, configure):
    """`analysis` skips them in its search; `pipeline` refuses one there, but for a shard."""
    assert {*find._OWN} == {"points", "figures", "shards"}
    for folder in ("points", "figures"):
        with pytest.raises(RequestError, match=f"must not be inside the {folder} of another"):
            pipeline.sweep(configure(), {"seed": [1]}, experiment / folder / "x")


def test_an_experiment_is_found_before_it_has_results(experiment, tmp_path):
    """By the request that is written first, and by its folder of batches."""
    shutil.copytree(experiment, tmp_path / "begun")
    (tmp_path / "begun" / metadata.RESULTS).unlink()
    (found,) = find.experiments(tmp_path)
    assert (found.name, found.note) == ("begun", "no results.nc yet")
    (tmp_path / "begun" / "configuration.yaml").unlink()
    assert [one.name for one in find.experiments(tmp_path)] == ["begun"]


def test_a_sweep_goes_on_in_a_directory_with_figures_and_report(configure, keep, capsys):
    """What `analysis` writes is no other content to `pipeline`, which changes none of it."""
    path = keep("kept", {"seed": [1]}, "simulation.duration=50")
    assert main([str(path), "--figure", "rule"]) == 0
    assert main([str(path), "--report"]) == 0
    own = [path / "figures" / "rule.png", path / REPORT]
    before = [file.read_bytes() for file in own]
    keep("kept", {"seed": [1, 2]}, "simulation.duration=50")
    assert [file.read_bytes() for file in own] == before
    assert metadata.read_metadata(path / metadata.RESULTS).points == (2, 0, 0)
    assert {file.name for file in path.iterdir()} == WRITTEN | {"figures", REPORT}
