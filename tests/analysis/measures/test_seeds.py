"""Statistics over seeds: mean, standard deviation, and the coverage of confidence intervals."""

import tracemalloc

import numpy as np
import pytest
import xarray as xr

from analysis.measures import seeds
from analysis.measures.seeds import (
    confidence_interval,
    mean_over_seeds,
    paired_difference,
    spread_over_seeds,
)


def test_mean_and_spread_over_seeds():
    """Sample standard deviation; a missing seed is left out; one seed has no spread."""
    values = xr.DataArray([[1.0, 3.0], [5.0, np.nan]], dims=("rate_hz", "seed"))
    np.testing.assert_allclose(mean_over_seeds(values), [2, 5])
    np.testing.assert_allclose(spread_over_seeds(values), [np.sqrt(2), np.nan])
    for one_seed in (values.isel(seed=[0]), values.isel(seed=0, drop=True)):
        spread = spread_over_seeds(one_seed)
        assert spread.dims == ("rate_hz",)
        assert spread.isnull().all()


def samples(n_rows, n_seeds):
    """Return rows of normal samples of mean 3 and standard deviation 2."""
    values = np.random.default_rng(n_seeds).normal(3, 2, (n_rows, n_seeds))
    return xr.DataArray(values, dims=("rate_hz", "seed"))


@pytest.mark.parametrize(
    ("n_seeds", "least"), [(3, 0.90), (4, 0.92), (5, 0.92), (10, 0.93), (30, 0.93)]
)
def test_the_interval_holds_the_true_mean_about_as_often_as_it_says(n_seeds, least):
    """Of 1,500 intervals of normal samples, about 95 % contain the mean."""
    low, high = confidence_interval(samples(1500, n_seeds)).transpose("bound", ...).values
    inside = ((low < 3) & (high > 3)).mean()
    assert least < inside < 0.98


def test_the_interval_is_as_wide_as_the_standard_error_says():
    """For 40 seeds it is the mean +- 2.02 standard errors, Student's interval."""
    rows = samples(200, 40)
    interval = confidence_interval(rows)
    error = spread_over_seeds(rows) / np.sqrt(40)
    half = (interval.sel(bound="high") - interval.sel(bound="low")) / 2
    assert (half / error).mean().item() == pytest.approx(2.023, abs=0.03)
    middle = interval.mean("bound") - mean_over_seeds(rows)
    assert (abs(middle) < 0.25 * error).all()


def test_a_lower_level_makes_it_narrower():
    """The interval of 50 % lies inside that of 95 %, and contains half of the means."""
    rows = samples(1000, 20)
    wide, narrow = (confidence_interval(rows, level) for level in (0.95, 0.5))
    assert (narrow.sel(bound="low") > wide.sel(bound="low")).all()
    assert (narrow.sel(bound="high") < wide.sel(bound="high")).all()
    inside = (narrow.sel(bound="low") < 3) & (narrow.sel(bound="high") > 3)
    assert inside.mean().item() == pytest.approx(0.5, abs=0.06)


def test_missing_seeds_are_left_out():
    """A row with missing seeds has the interval of those that are done; below three it is NaN."""
    nan = np.nan
    rows = xr.DataArray(
        [[1.0, nan, 2.0, 4.0, 8.0], [1.0, 2.0, 4.0, 8.0, nan], [1.0, nan, nan, nan, 2.0]],
        dims=("rate_hz", "seed"),
    )
    interval = confidence_interval(rows)
    np.testing.assert_array_equal(interval[0], interval[1])
    alone = xr.DataArray([1.0, 2.0, 4.0, 8.0], dims="seed")
    np.testing.assert_allclose(interval[0], confidence_interval(alone))
    assert interval[2].isnull().all()
    assert confidence_interval(rows.isel(seed=[0, 2, 3]))[2].isnull().all()


def test_the_interval_is_the_same_every_time():
    """The random numbers are fixed and the same for all points: intervals shift with the values."""
    rows = samples(3, 6)
    first = confidence_interval(rows)
    assert first.identical(confidence_interval(rows))
    np.testing.assert_allclose(confidence_interval(rows + 10), first + 10)
    np.testing.assert_allclose(confidence_interval(rows[[1]]), first[[1]])


def test_equal_values_have_an_interval_of_no_width():
    """If all seeds agree, both bounds are the mean."""
    rows = xr.DataArray(np.full((2, 4), 0.25), dims=("rate_hz", "seed"))
    np.testing.assert_allclose(confidence_interval(rows), 0.25)


def test_the_interval_keeps_axes_and_labels():
    """The dimension `seed` may stand anywhere; `bound` comes last."""
    values = xr.DataArray(
        np.random.default_rng(0).random((2, 5, 3)),
        {"rate_hz": [10.0, 20.0], "tau_plus": [1.0, 2.0, 3.0]},
        ("rate_hz", "seed", "tau_plus"),
        attrs={"units": "Hz"},
    )
    interval = confidence_interval(values)
    assert interval.dims == ("rate_hz", "tau_plus", "bound")
    assert interval["bound"].values.tolist() == ["low", "high"]
    assert interval["tau_plus"].values.tolist() == [1, 2, 3]
    assert interval.attrs["units"] == "Hz"
    one = confidence_interval(values.isel(rate_hz=1, tau_plus=2))
    np.testing.assert_allclose(interval[1, 2], one)


def test_without_seeds_there_is_no_interval():
    """A single run and a sweep of one seed have NaN for both bounds."""
    plain = xr.DataArray([1.0, 2.0], {"rate_hz": [10.0, 20.0]}, "rate_hz")
    interval = confidence_interval(plain)
    assert interval.dims == ("rate_hz", "bound")
    assert interval["bound"].values.tolist() == ["low", "high"]
    assert interval.isnull().all()
    assert confidence_interval(plain.expand_dims(seed=[7])).isnull().all()
    assert confidence_interval(xr.DataArray(1.0)).dims == ("bound",)


def test_paired_differences_are_those_of_each_seed():
    """From the value before or a reference; a seed that is missing at one value is left out."""
    values = xr.DataArray(
        [[1.0, 2.0, 4.0, np.nan], [2.0, 4.0, 7.0, 5.0], [2.0, 5.0, 9.0, 6.0]],
        {"A_plus": [0.1, 0.2, 0.3], "seed": range(4)},
        ("A_plus", "seed"),
        attrs={"long_name": "output firing rate", "units": "Hz"},
    )
    found = paired_difference(values, "A_plus")
    assert found["A_plus"].values.tolist() == [0.2, 0.3]
    np.testing.assert_allclose(found["difference"], [(1 + 2 + 3) / 3, (0 + 1 + 2 + 1) / 4])
    assert found["difference"].attrs["long_name"].startswith("difference of output firing rate")
    assert found["difference"].attrs["units"] == "Hz"
    by_hand = xr.DataArray([[1.0, 2, 3, np.nan], [0, 1, 2, 1]], dims=("A_plus", "seed"))
    np.testing.assert_allclose(found["interval"], confidence_interval(by_hand))
    from_first = paired_difference(values.transpose(), "A_plus", reference=0.1)
    np.testing.assert_allclose(from_first["difference"], [0, 2, 3])
    with pytest.raises(KeyError, match="rate_hz: must be one of A_plus, seed"):
        paired_difference(values, "rate_hz")


def test_paired_differences_profit_from_shared_seeds(sweep):
    """Neighbouring amplitudes, same seeds: narrower than with the seeds of one in another order."""
    axes = {"stdp.A_plus": [0.008, 0.0084], "seed": range(24)}
    weight = sweep(axes, "simulation.duration=2000")["mean_weight"]

    def width(variable):
        interval = paired_difference(variable, "A_plus")["interval"]
        return (interval.sel(bound="high") - interval.sel(bound="low")).item()

    unpaired = weight.copy()
    unpaired[1] = weight[1].roll(seed=7).values
    assert width(weight) < width(unpaired) / 2


def test_resamples_are_those_of_one_draw(monkeypatch):
    """Drawn in blocks, for some rows at a time, the intervals are those of all draws at once."""
    rows = samples(30, 12)
    rows[3, :5] = np.nan
    at_once = confidence_interval(rows)
    draws = np.random.default_rng(12).multinomial(12, np.full(12, 1 / 12), 2000)
    deviations = (rows - rows.mean("seed")).values[:3]
    expected = np.quantile(deviations @ draws.T / 12, [0.025, 0.975], axis=1)
    widening = np.sqrt(12 / 11) * 2.200985 / 1.959964  # Student's quantile for 11 degrees
    found = (at_once - rows.mean("seed")).values[:3].T
    np.testing.assert_allclose(found, widening * expected, rtol=1e-4)
    monkeypatch.setattr(seeds, "_MAX_HELD", 7 * 2000)
    np.testing.assert_allclose(confidence_interval(rows), at_once, rtol=1e-12)
    monkeypatch.setattr(seeds, "_MAX_HELD", 2000)
    np.testing.assert_allclose(confidence_interval(rows), at_once, rtol=1e-12)


@pytest.mark.parametrize("shape", [(1, 20_000), (5_000, 3)])
def test_many_seeds_and_many_points_take_little_memory(shape):
    """Of 20,000 seeds, or of 5,000 points, the resamples are never all in memory."""
    rows = samples(*shape)
    tracemalloc.start()
    try:
        confidence_interval(rows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100e6


def test_intervals_keep_within_the_possible_values():
    """Of rates, which are not negative, and of shares, which are at most 1."""
    near_zero = xr.DataArray([0.0, 0.0, 9.0], dims="seed")
    assert confidence_interval(near_zero).sel(bound="low") < 0
    rate = near_zero.assign_attrs(valid_min=0.0)
    interval = confidence_interval(rate)
    assert interval.sel(bound="low") == 0
    assert interval.sel(bound="high") == confidence_interval(near_zero).sel(bound="high")
    share = xr.DataArray([1.0, 1.0, 0.5], dims="seed", attrs={"valid_max": 1.0})
    assert confidence_interval(share).sel(bound="high") == 1
    both = xr.concat([rate, rate + 1], "x").assign_attrs(valid_min=0.0)
    difference = paired_difference(both, "x")
    assert not {"valid_min", "valid_max"} & set(difference["difference"].attrs)


def test_of_many_seeds_the_interval_is_students():
    """It goes on from that of resampled seeds, and takes no time: here 1,000 and 1,001 seeds."""
    numbers = np.random.default_rng(0).normal(size=1001)
    widths = []
    for n in (1000, 1001):
        interval = confidence_interval(xr.DataArray(numbers[:n], dims="seed"))
        widths.append(float(interval[1] - interval[0]))
        error = numbers[:n].std(ddof=1) / n**0.5
        assert float(interval.mean()) == pytest.approx(numbers[:n].mean(), abs=0.1 * error)
        assert widths[-1] == pytest.approx(2 * 1.962 * error, rel=0.05)
    assert widths[1] == pytest.approx(2 * 1.9623 * error, rel=1e-3)
