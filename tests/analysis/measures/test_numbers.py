"""The table of measures that `analysis.numbers` returns."""

import numpy as np
import pytest
import xarray as xr

import analysis
from analysis import numbers, open_results
from analysis.reading.errors import ConditionError


@pytest.fixture
def dataset(sweep):
    """Two time constants, two rates, of which one is silent, and three seeds."""
    axes = {"stdp.tau_minus": [10, 40], "input.rate_hz": [0, 60], "seed": range(3)}
    return sweep(axes, "simulation.duration=1000")


def test_rows_are_combinations_in_the_order_of_the_sweep(dataset):
    """The table has the axes as its index, and columns without dimensions of their own."""
    found = numbers(dataset)
    assert found.sizes == {"tau_minus": 2, "rate_hz": 2}
    table = found.to_dataframe()
    assert [*table.index] == [(10, 0), (10, 60), (40, 0), (40, 60)]
    assert [*table["effective_ltd_ratio"].round(3)] == [0.55, 0.55, 2.2, 2.2]
    names = {"late_output_rate", "late_output_rate_spread", "mean_weight", "settled"}
    assert names <= {*table.columns}


def test_spread_and_interval_are_those_of_the_seeds_that_are_done(dataset):
    """The mean is over them, too, and `seeds_done` counts them."""
    dataset["status"][0, 1, 2] = 1
    for name in ("late_output_rate", "mean_weight", "weight"):
        dataset[name][0, 1, 2] = np.nan
    found = numbers(dataset)
    rate = dataset["late_output_rate"][0, 1, :2].values
    here = {"tau_minus": 0, "rate_hz": 1}
    assert found["late_output_rate"][here] == pytest.approx(rate.mean())
    assert found["late_output_rate_spread"][here] == pytest.approx(rate.std(ddof=1))
    assert np.isnan(found["late_output_rate_low"][here])
    assert found["seeds_done"].values.tolist() == [[3, 2], [3, 3]]


def test_units_and_long_names_are_those_of_the_file(dataset):
    """The mean and its neighbours are in the unit of the variable."""
    found = numbers(dataset)
    for suffix in ("", "_spread", "_low", "_high"):
        assert found[f"late_output_rate{suffix}"].attrs["units"] == "Hz"
    assert found["late_output_rate"].attrs["long_name"].endswith("last half of the run")


def test_one_name_is_one_quantity(sweep):
    """A measure with the name of a variable of the file, or of `settling`, has its values."""
    dataset = sweep(
        {"stdp.ltd_ratio": [0.8], "seed": range(2)},
        "record=history", "record.weight_interval=10", "simulation.duration=20000",
        "input.rate_hz=40", "synapse.w_init=1",
    )  # fmt: skip
    found = numbers(dataset)
    for name in {*found.data_vars} & {*dataset.data_vars} - {"effective_ltd_ratio"}:
        xr.testing.assert_allclose(found[name], dataset[name].mean("seed"), check_dim_order=False)
    assert {"late_output_rate", "late_isi_cv", "late_fano_factor"} <= {*found}
    time = analysis.settling(dataset)["settling_time"]
    xr.testing.assert_identical(found["settling_time"].drop_attrs(), time.drop_attrs())
    assert time.notnull().all()
    assert found["settling_time"].attrs["units"] == time.attrs["units"] == "ms"


def test_of_whole_runs_the_measures_have_the_names_of_those(dataset):
    """Files of earlier versions without spike times know the rate of the whole run alone."""
    earlier = dataset.drop_vars(["late_output_rate", "late_isi_cv", "late_fano_factor"])
    found = numbers(earlier)
    assert "late_output_rate" not in found
    xr.testing.assert_allclose(found["output_rate"], earlier["output_rate"].mean("seed"))


def test_without_several_seeds_there_is_neither_spread_nor_interval(dataset):
    """One seed has a value; it is also the mean."""
    found = numbers(dataset, ["seed=1"])
    assert not [name for name in found if "spread" in name or "_low" in name]
    xr.testing.assert_allclose(
        found["mean_weight"].reset_coords(drop=True),
        dataset["mean_weight"].sel(seed=1).reset_coords(drop=True),
    )
    assert (found["seeds_done"] == 1).all()


def test_a_sweep_over_seeds_alone_has_one_row(sweep):
    """It has no axis for the index of a table, and neither has a single run."""
    dataset = sweep({"seed": range(3)}, "simulation.duration=1000")
    for part, n in ((dataset, 3), (dataset.isel(seed=0), 1)):
        table = numbers(part).to_dataframe()
        assert [*table["seeds_done"]] == [n]
        assert [*table["mean_weight"]] == [pytest.approx(part["mean_weight"].mean().item())]


def test_conditions_select_points(dataset, tmp_path):
    """As --where does; an unknown value is refused."""
    dataset.to_netcdf(tmp_path / "results.nc")
    with open_results(tmp_path) as opened:
        found = numbers(opened, ["input.rate_hz=60"])
        assert found.sizes == {"tau_minus": 2}
        with pytest.raises(ConditionError, match="rate_hz=7: rate_hz must be one of 0,60"):
            analysis.numbers(opened, ["input.rate_hz=7"])
