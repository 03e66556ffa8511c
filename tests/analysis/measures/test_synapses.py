"""Weights by group and by what else synapses have, counted anew."""

import numpy as np
import xarray as xr

from analysis import weight_by_group
from analysis.measures.synapses import binned_mean, coordinates_of_synapses, group_names, has_groups


def dataset(group, dims=("synapse",)):
    """Return weights of four synapses at two values of an axis, with groups."""
    weight = [[0.1, 0.3, 0.5, 0.9], [0.2, 0.2, 1.0, np.nan]]
    return xr.Dataset(
        {"status": ("x", [0, 0]), "weight": (("x", "synapse"), weight)},
        {
            "x": [1, 2],
            "group": (dims, group),
            "synapse_rate": ("synapse", [5.0, 5.0, 5.0, 5.0]),
            "synapse_latency": (("x", "synapse"), [[1.0] * 4, [1.0, 2.0, np.nan, 3.0]]),
        },
    )


def test_the_mean_weight_of_a_group_is_that_of_its_synapses():
    """Groups are numbers in rising order, or names; they may differ along an axis."""
    found = weight_by_group(dataset([1, 0, 0, 1]))
    assert found["group"].values.tolist() == [0, 1]
    np.testing.assert_allclose(found, [[0.4, 0.5], [0.6, 0.2]])
    named = weight_by_group(dataset(["late", "early", "early", "late"]))
    assert named["group"].values.tolist() == ["late", "early"]
    np.testing.assert_allclose(named, [[0.5, 0.4], [0.2, 0.6]])
    differing = dataset([[0, 0, 2, 2], [-1, -1, -1, -1]], ("x", "synapse"))
    np.testing.assert_allclose(weight_by_group(differing), [[0.2, 0.7], [np.nan, np.nan]])
    assert has_groups(differing).values.tolist() == [True, False]


def test_coordinates_are_those_in_which_synapses_differ():
    """Not the group and not the index; somewhere along the axes is enough."""
    assert coordinates_of_synapses(dataset([0, 0, 1, 1])) == ["synapse_latency"]
    assert group_names(dataset([0, 0, 1, 1]).drop_vars("group")) == []
    assert group_names(dataset([-1] * 4)) == []


def test_means_are_over_equal_numbers_of_synapses_and_equal_values_stay_together():
    """The means of the bins, weighted by their sizes, are the mean of all."""
    x, y = np.arange(40.0)[::-1], np.arange(40.0) ** 2
    mean_x, mean_y = binned_mean(x, y, 4)
    np.testing.assert_allclose(mean_x, [4.5, 14.5, 24.5, 34.5])
    np.testing.assert_allclose(
        mean_y, [(y[30:]).mean(), y[20:30].mean(), y[10:20].mean(), y[:10].mean()]
    )
    mean_x, mean_y = binned_mean(np.repeat([1.0, 2.0], 10), np.arange(20.0))
    np.testing.assert_allclose(mean_x, [1, 2])
    np.testing.assert_allclose(mean_y, [4.5, 14.5])
    assert [part.tolist() for part in binned_mean(np.ones(3), np.ones(3))] == [[1], [1]]
