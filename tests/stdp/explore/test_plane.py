"""What a map or a line shows: means over seeds in rising order of the values."""

import numpy as np
import pytest

from analysis import bimodality, confidence_interval
from stdp.browser.combination import combination
from stdp.explore.plane import MEASURES, measures_of, plane


@pytest.fixture
def rising(dataset):
    """The results, with the values in rising order."""
    return dataset.sortby(["rate_hz", "tau_plus", "seed"])


def test_a_map_has_the_means_over_seeds(experiment, rising):
    """At each cell; silent where the rate is 0, which is said by itself."""
    drawn = plane(experiment, "Output rate", experiment.axes, experiment.first)
    np.testing.assert_allclose(drawn.values, rising["late_output_rate"].mean("seed"))
    assert drawn.label == "Output firing rate, last half of the run (Hz)"
    np.testing.assert_array_equal(drawn.silent, rising["spike_count"].sum("seed") == 0)
    assert drawn.silent.any(axis=1).tolist() == [True, False, False, False]
    one = plane(experiment, "Output rate", experiment.axes[::-1], experiment.first, seed=1)
    np.testing.assert_array_equal(one.values, rising["late_output_rate"].isel(seed=1).T)


def test_a_cell_has_the_number_beside_it(experiment):
    """The mean of the map is the mean in the table of the chosen combination."""
    drawn = plane(experiment, "Output rate", experiment.axes, experiment.first)
    for index in np.ndindex(drawn.values.shape):
        chosen = {axis.name: i for axis, i in zip(experiment.axes, index, strict=True)}
        rate = next(
            one for one in combination(experiment.at(chosen)).numbers if "firing rate" in one.label
        )
        assert rate.mean == f"{drawn.values[index]:.4g}"


def test_a_line_has_the_interval_of_the_mean(experiment, rising):
    """Along one axis, at the chosen value of the other."""
    chosen = {"rate_hz": 0, "tau_plus": 1}
    drawn = plane(experiment, "Mean weight", experiment.axes[:1], chosen)
    here = rising["mean_weight"].sel(tau_plus=15)
    np.testing.assert_allclose(drawn.values, here.mean("seed"))
    interval = confidence_interval(here)
    np.testing.assert_array_equal(drawn.low, interval.sel(bound="low"))
    np.testing.assert_array_equal(drawn.high, interval.sel(bound="high"))


def test_bimodality_is_that_of_the_figures(experiment, rising):
    """Of the weights of the plane alone, which are read when it is asked for."""
    drawn = plane(experiment, "Bimodality of weights", experiment.axes, experiment.first)
    np.testing.assert_allclose(drawn.values, bimodality(rising).mean("seed"), rtol=1e-6)


def test_all_measures_have_a_map(experiment):
    """None is as long as it fails; limits hold the values."""
    assert set(measures_of(experiment)) <= set(MEASURES)
    for measure in measures_of(experiment):
        drawn = plane(experiment, measure, experiment.axes, experiment.first)
        assert drawn.values.shape == (4, 3)
        known = drawn.values[np.isfinite(drawn.values)]
        assert ((known >= drawn.limits[0] - 1e-9) & (known <= drawn.limits[1] + 1e-9)).all()
