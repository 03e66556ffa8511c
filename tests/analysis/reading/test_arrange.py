"""Datasets that a user rearranged: transposed, selected, joined, cut, in other formats."""

import logging

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pipeline
from analysis import LoadError, open_results, parameter, show
from analysis.__main__ import main
from analysis.figures.registry import supported
from analysis.measures.measured import MeasuredDataset
from analysis.reading.arrange import arranged
from pipeline.reproduce import main as reproduce

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def dataset(configure):
    """A sweep with everything recorded."""
    base = configure("record=everything", "record.weight_interval=100")
    axes = {"input.rate_hz": [30, 60], "seed": [1, 2]}
    return pipeline.sweep(base, axes, backend="sequential")


@pytest.fixture
def joined(configure):
    """Join two sweeps along a dimension, as a user does."""

    def join(dim, *choices):
        parts = [
            pipeline.sweep(configure(choice), {"seed": [1, 2]}, backend="sequential")
            for choice in choices
        ]
        return xr.concat(parts, dim=dim)

    return join


def test_a_transposed_dataset_is_arranged_as_a_file(dataset):
    """Axes first, in the order that the dataset gives them; then time, then synapses."""
    back = arranged(dataset.transpose())
    assert back["weight_history"].dims == ("seed", "rate_hz", "sample_time", "synapse")
    assert back["weight_trace"].dims == ("seed", "rate_hz", "time", "synapse")
    xr.testing.assert_equal(back.transpose(*dataset.dims), dataset.transpose(*dataset.dims))
    assert {n: v.dims for n, v in arranged(dataset).variables.items()} == {
        n: v.dims for n, v in dataset.variables.items()
    }


@pytest.mark.parametrize(
    "rearrange",
    [
        lambda dataset: dataset.transpose(),
        lambda dataset: dataset.reset_coords(drop=True),
        lambda dataset: dataset.sel(rate_hz=slice(40, 70)),
        lambda dataset: dataset.sel(time=slice(100, None)),
        lambda dataset: dataset.assign_coords(
            group=("synapse", np.array(["a"] * 20 + [None] * 20, object))
        ),
        lambda dataset: dataset.assign_coords(group=("synapse", np.repeat([1.0, np.nan], 20))),
    ],
    ids=["transposed", "dropped", "selected", "cut", "None", "NaN"],
)
def test_rearranged_datasets_are_drawn(dataset, rearrange):
    """Every figure that they support."""
    rearranged = rearrange(dataset)
    names = supported(MeasuredDataset.of(rearranged))
    assert {"weights", "weights_in_time", "traces", "correlogram", "rule"} <= set(names)
    assert len(show(rearranged)) >= len(names)


def test_synapses_without_a_group_are_a_group(dataset):
    """None and NaN are labelled in words."""
    labelled = dataset.assign_coords(group=("synapse", np.array(["a"] * 20 + [None] * 20, object)))
    assert set(arranged(labelled)["group"].values.tolist()) == {"a", "no group"}


def test_a_dataset_in_chunks_is_read():
    """Measures are computed in memory."""
    pytest.importorskip("dask.array", reason="dask is an extra")
    base = pipeline.configure("simulation.duration=100")
    dataset = pipeline.sweep(base, {"seed": [1, 2]}, backend="sequential")
    assert not arranged(dataset.chunk()).chunks
    assert show(dataset.chunk(), "weights")


@pytest.mark.parametrize(
    ("rearrange", "message"),
    [
        (lambda d: d.sel(rate_hz=slice(100, 200)), "nothing is left along rate_hz"),
        (lambda d: d.sel(time=slice(9000, None)), "nothing is left along time"),
        (lambda d: d.drop_vars("seed"), "the axis seed has no values; keep its coordinate"),
        (lambda d: d.stack(p=("rate_hz", "seed")), r"stacks several; use dataset.unstack\('p'\)"),
        (lambda d: d.isel(time=slice(None, None, 5)), "must be consecutive steps"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(dataset, rearrange, message):
    """Never an error of numpy, xarray or pandas."""
    with pytest.raises(LoadError, match=message) as refused:
        show(rearrange(dataset), "correlogram")
    assert "\n" not in str(refused.value)


def test_an_axis_of_the_name_of_a_key_is_that_key(joined):
    """Also where the axis was selected from; the constant of the first dataset is not used."""
    dim = pd.Index([0.004, 0.008], name="A_plus")
    dataset = joined(dim, "stdp.A_plus=0.004", "stdp.A_plus=0.008")
    assert parameter(dataset, "stdp.A_plus").values.tolist() == [0.004, 0.008]
    assert parameter(dataset.isel(A_plus=1), "stdp.A_plus") == 0.008
    (figure,) = show(dataset, "window")
    highest = sorted({np.nanmax(line.get_ydata()) for line in figure.axes[0].lines[-4:]})
    assert highest[-1] == pytest.approx(0.008, rel=0.02)


def test_an_axis_that_does_not_state_its_values_is_refused(joined):
    """A dimension without coordinate, or names of choices without their settings."""
    choices = "stdp.A_plus=0.004", "stdp.A_plus=0.008"
    with pytest.raises(LoadError, match="the axis A_plus was made by hand and does not state"):
        parameter(joined("A_plus", *choices), "stdp.A_plus")
    with pytest.raises(LoadError, match="the axis stdp was made by hand and does not state"):
        parameter(joined(pd.Index(["a", "b"], name="stdp"), *choices), "stdp.A_plus")


def test_an_axis_that_is_no_parameter_is_not_silent(joined, caplog):
    """What differs along it is not known: a warning says which constants are taken."""
    dataset = joined(pd.Index(["a", "b"], name="trial"), "input.rate_hz=30", "input.rate_hz=60")
    with caplog.at_level(logging.WARNING):
        show(dataset, "rates")
    assert "the axis trial is no parameter" in caplog.text


@pytest.mark.parametrize("file_format", ["NETCDF4_CLASSIC", "NETCDF3_64BIT"])
def test_a_classic_file_is_that_of_the_sweep(keep, tmp_path, file_format, capsys):
    """Words along an axis are arrays of characters there: same configuration, same results."""
    made = keep("made", {"input": ["poisson", "notebook"], "seed": [1, 2]})
    classic = tmp_path / "classic.nc"
    with open_results(made) as dataset:
        dataset.to_netcdf(classic, format=file_format)
    assert main(["diff", str(made), str(classic)]) == 0
    assert "configuration: same" in capsys.readouterr().out
    assert main([str(classic), "--report"]) == 0
    report = (tmp_path / "classic_report.html").read_text()
    assert "poisson" in report
    assert "notebook" in report
    assert reproduce([str(classic)]) == 0
