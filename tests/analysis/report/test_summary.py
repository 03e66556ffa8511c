"""Table of measures in the report."""

import re

import pipeline
from analysis.measures.measured import MeasuredDataset
from analysis.reading.dataset import open_results
from analysis.report.summary import summary


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
    assert (silent["Settled"], firing["Settled"]) == ("silent", "no")


def test_many_cells_are_summarised_by_ranges(configure):
    """Minimum and maximum of each measure, and their points."""
    axes = {"input.rate_hz": [60, 5], "stdp.tau_plus": range(10, 36)}
    dataset = pipeline.sweep(configure("simulation.duration=200"), axes, backend="sequential")
    heading, rows = summary(MeasuredDataset(dataset))
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
    low, high = map(float, row[heading.index("95 % interval")].split(" to "))
    assert low < dataset["late_output_rate"].mean() < high
    heading, (row,) = summary(MeasuredDataset(dataset.isel(seed=slice(2))))
    assert row[heading.index("95 % interval")] == "–"
    heading, _ = summary(MeasuredDataset(dataset.isel(seed=0)))
    assert "95 % interval" not in heading
