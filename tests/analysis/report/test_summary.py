"""Table of measures in the report."""

import csv
import math
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.measures.measured import MeasuredDataset
from analysis.reading.dataset import open_results
from analysis.report import summary as report_summary
from analysis.report.summary import number_text, summary
from tests.conftest import ROOT
from tests.support.drawn import HISTORY, settle
from tests.support.report import report_of

INTERVAL = "95 % interval of the mean"


def test_numbers_are_those_of_the_file(page, experiment):
    """One row per rate: means over the seeds that are done, and whether weights have settled."""
    with open_results(experiment) as dataset:
        rate = dataset["late_output_rate"].sel(rate_hz=60).mean("seed").item()
        weight = dataset["mean_weight"].sel(rate_hz=60).mean("seed").item()
    heading, silent, firing = page.rows["numbers"]
    silent, firing = (dict(zip(heading, row, strict=True)) for row in (silent, firing))
    assert (silent["Input rate (Hz)"], firing["Input rate (Hz)"]) == ("0", "60")
    assert firing["Output firing rate, last half of the run (Hz)"] == f"{rate:.4g}"
    assert firing["Mean final weight"] == f"{weight:.4g}"
    assert firing["Seeds done"] == "2 of 3"
    assert silent["Settled"] == "silent"
    assert firing["Settled"] == "not settled: share of weights above 0.5"


def test_what_is_still_for_want_of_spikes_names_no_quantity(configure):
    """All bounds are within the tolerances: it is plasticity that has hardly happened."""
    configuration = configure(
        "record=history", "simulation.duration=30000", "input.rate_hz=10", "synapse.w_init=1",
        "input.n_synapses=300", "stdp.ltd_ratio=0.8",
    )  # fmt: skip
    dataset = pipeline.sweep(configuration, {"stdp.A_plus": [0.0008]}, backend="sequential")
    measured = MeasuredDataset(dataset)
    assert measured.settling["to_come"].max() <= 1
    _, (row,) = summary(measured)
    assert row[-1] == "not settled: too few output spikes"


def test_a_settling_time_has_two_digits(configure):
    """It is known to a factor only; it is written without exponent, and NaN as a dash."""
    dataset = pipeline.sweep(configure(*HISTORY), {"input.rate_hz": [30, 40]}, backend="sequential")
    measured = MeasuredDataset(settle(dataset))
    assert measured.settling["settling_time"].notnull().all()
    measured.settling["settling_time"][...] = [12_345_678, np.nan]
    heading, rows = summary(measured)
    assert [row[heading.index("Settled after (s)")] for row in rows] == ["12000", "–"]


def test_hundreds_of_combinations_are_listed(configure, monkeypatch):
    """An axis more does not make the table vanish; above the limit it is ranges."""
    axes = {"input.rate_hz": [60, 5], "stdp.tau_plus": range(10, 62)}
    dataset = pipeline.sweep(configure("simulation.duration=20"), axes, backend="sequential")
    measured = MeasuredDataset(dataset)
    _, rows = summary(measured)
    assert [row[:2] for row in rows[:2]] == [["60", "10"], ["60", "11"]]
    assert len(rows) == 104
    monkeypatch.setattr(report_summary, "MAX_ROWS", 103)
    assert summary(measured)[0][1] == "Minimum"


def test_many_combinations_are_summarised_by_ranges(configure):
    """Minimum and maximum of each measure, and where they are."""
    axes = {"input.rate_hz": [60, 5], "stdp.tau_plus": range(10, 36)}
    dataset = pipeline.sweep(configure("simulation.duration=200"), axes, backend="sequential")
    heading, rows = report_summary.ranges(MeasuredDataset(dataset))
    rate = dataset["late_output_rate"]
    row = dict(zip(heading, rows[0], strict=True))
    assert row[""] == "Output firing rate, last half of the run (Hz)"
    assert row["Minimum"] == f"{rate.min():.4g}"
    assert row["Maximum"] == f"{rate.max():.4g}"
    where = re.fullmatch(r"rate_hz = 60 Hz, tau_plus = (\d+) ms", rows[0][4])
    assert rate.sel(rate_hz=60, tau_plus=int(where[1])) == rate.max()


def test_an_interval_needs_three_seeds(configure):
    """With three the interval contains the mean; without swept seeds there is no such column."""
    dataset = pipeline.sweep(configure(), {"seed": range(3)}, backend="sequential")
    heading, (row,) = summary(MeasuredDataset(dataset))
    low, high = map(float, row[heading.index(INTERVAL)].split(" to "))
    assert low < dataset["late_output_rate"].mean() < high
    heading, (row,) = summary(MeasuredDataset(dataset.isel(seed=slice(2))))
    assert row[heading.index(INTERVAL)] == "–"
    heading, _ = summary(MeasuredDataset(dataset.isel(seed=0)))
    assert INTERVAL not in heading


def test_the_spread_over_seeds_is_beside_the_interval_of_the_mean(configure):
    """Two seeds have a standard deviation, and one has none; it is not the interval's."""
    dataset = pipeline.sweep(configure(), {"seed": range(3)}, backend="sequential")
    rate = dataset["late_output_rate"]
    for n_seeds in (3, 2):
        part = dataset.isel(seed=slice(n_seeds))
        heading, (row,) = summary(MeasuredDataset(part))
        column = heading.index("Standard deviation over seeds")
        assert column == heading.index(INTERVAL) + 1
        assert row[column] == f"{np.std(rate.values[:n_seeds], ddof=1):.4g}"
    heading, _ = summary(MeasuredDataset(dataset.isel(seed=[0])))
    assert "Standard deviation over seeds" not in heading


def test_the_effective_ratio_is_a_column_where_it_differs(configure):
    """Beside the axes; it is no column where all have the same one, and no second one if swept."""
    axes = {"stdp.tau_minus": [10, 40], "input.rate_hz": [30, 60]}
    dataset = pipeline.sweep(configure(), axes, backend="sequential")
    heading, rows = summary(MeasuredDataset(dataset))
    assert heading[2] == "Effective LTD ratio"
    assert [row[:3] for row in rows] == [
        ["10", "30", "0.55"],
        ["10", "60", "0.55"],
        ["40", "30", "2.2"],
        ["40", "60", "2.2"],
    ]
    heading, _ = summary(MeasuredDataset(dataset.isel(tau_minus=0)))
    assert "Effective LTD ratio" not in heading
    swept = {"stdp.effective_ltd_ratio": [1.0, 1.1]}
    dataset = pipeline.sweep(configure(), swept, backend="sequential")
    heading, _ = summary(MeasuredDataset(dataset))
    assert heading.count("Effective LTD ratio") == 1


def test_the_command_below_the_table_writes_all_of_it(keep, one_figure, tmp_path):
    """One row per combination of the points that are reported, of each measure its spread."""
    folder = keep("two axes", {"input.rate_hz": [30, 60], "stdp.A_plus": [0.01, 0.02],
                               "seed": range(3)})  # fmt: skip
    _, page = report_of(folder, "--where", "input.rate_hz=60")
    (command,) = re.findall(r"python (-c '.*?')$", page.texts["numbers"], re.MULTILINE)
    subprocess.run(
        [sys.executable, *shlex.split(command)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
    )
    with (tmp_path / "numbers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["A_plus"] for row in rows] == ["0.01", "0.02"]
    with open_results(folder) as dataset:
        rate = dataset["late_output_rate"].sel(rate_hz=60, A_plus=0.02).values
    assert float(rows[1]["late_output_rate"]) == pytest.approx(rate.mean())
    assert float(rows[1]["late_output_rate_spread"]) == pytest.approx(rate.std(ddof=1))
    low, high = float(rows[1]["late_output_rate_low"]), float(rows[1]["late_output_rate_high"])
    assert low < rate.mean() < high
    assert rows[1]["seeds_done"] == "3"


@pytest.mark.parametrize(
    ("value", "text"),
    [(15557.0, "15560"), (9999.9, "10000"), (3.14159e6, "3142000"), (2.5e8, "2.5e+08"),
     (-20480.0, "-20480"), (0.00012345, "0.0001234"), (math.nan, "–")],
)  # fmt: skip
def test_numbers_have_four_digits_and_no_exponent_where_they_can_be_read(value, text):
    """As the simulated times of long runs."""
    assert number_text(value, xr.DataArray(value)) == text
