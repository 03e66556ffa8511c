"""Values of an axis as arrays of numpy, pandas and xarray."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import pipeline
from pipeline.model.errors import RequestError
from pipeline.request.overrides import grid_of_mapping

RATES = [20.0, 30.0]
ARRAYS = [
    np.array(RATES),
    xr.DataArray(RATES, dims="rate_hz"),
    pd.Series(RATES),
    pd.Index(RATES),
    [np.array(20.0), xr.DataArray(30.0)],
    [np.float32(20), np.int64(30)],
]


@pytest.mark.parametrize("values", ARRAYS, ids=lambda values: type(values).__name__)
def test_an_array_of_values_is_an_axis(configure, values):
    """As the list of its numbers."""
    (axis,) = grid_of_mapping(configure(), {"input.rate_hz": values}).axes
    assert axis.values == tuple(RATES)
    assert [type(value) for value in axis.values] == [float, float]


def test_the_coordinate_of_an_earlier_sweep_is_an_axis(sweep, configure):
    """Rates, seeds and names of choices of a dataset, in another sweep."""
    axes = {"input.rate_hz": RATES, "seed": [1, 2], "stdp": ["notebook", "song_abbott_2001"]}
    earlier = sweep(axes)
    again = sweep({"input.rate_hz": earlier.rate_hz, "seed": earlier.seed, "stdp": earlier.stdp})
    np.testing.assert_array_equal(again["mean_weight"], earlier["mean_weight"])


@pytest.mark.parametrize("value", [20.0, np.array(20.0), np.float64(20), xr.DataArray(20.0)])
def test_a_single_number_is_no_axis(configure, value):
    """An array without dimensions gets the sentence that a number gets."""
    with pytest.raises(RequestError, match=r"^input.rate_hz=20.0: an axis needs a list of values$"):
        pipeline.sweep(configure(), {"input.rate_hz": value})


def test_a_matrix_is_no_axis(configure):
    """Its rows are no numbers."""
    with pytest.raises(RequestError, match=r"^input.rate_hz=\[20,30\]: input rate must be"):
        pipeline.sweep(configure(), {"input.rate_hz": np.array([RATES])})


def test_a_parameter_can_be_replaced_by_an_array_of_one_value(configure):
    """As it comes from a dataset."""
    assert configure().replaced({"stdp.A_plus": xr.DataArray(0.004)}).stdp.A_plus == 0.004


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_numbers_of_lower_precision_are_the_decimals_they_show(configure, dtype):
    """0.1 of 32 bits is 0.1 on an axis and not 0.100000001490116, as a list, array or one value."""
    decimals = np.array([0.1, 0.004], dtype)
    for values in (decimals, list(decimals), xr.DataArray(decimals), pd.Series(decimals)):
        (axis,) = grid_of_mapping(configure(), {"stdp.A_plus": values}).axes
        assert axis.values == (0.1, 0.004)
    assert configure().replaced({"stdp.A_plus": xr.DataArray(decimals[0])}).stdp.A_plus == 0.1


@pytest.mark.parametrize("dtype", [float, np.float32])
def test_a_masked_number_is_no_value(configure, dtype):
    """What is behind the mask is neither simulated nor taken as a parameter."""
    rates = np.ma.masked_array(np.array(RATES, dtype), [False, True])
    with pytest.raises(RequestError, match=r"^input.rate_hz=null: must be a value on an axis$"):
        grid_of_mapping(configure(), {"input.rate_hz": rates})
    with pytest.raises(RequestError, match="input rate must be a finite number"):
        configure().replaced({"input.rate_hz": rates[1]})


def test_bytes_are_no_list_of_seeds(configure):
    """b"12" is text, and not the seeds 49 and 50."""
    with pytest.raises(RequestError, match="an axis needs a list of values"):
        grid_of_mapping(configure(), {"seed": b"12"})
