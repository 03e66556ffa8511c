"""Figures of broken symmetry: the winning group is that of each seed, branches part and join."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from analysis.figures.registry import FIGURES
from analysis.measures.measured import MeasuredDataset
from analysis.measures.synapses import BRANCHES, branches, strong_minus_weak
from tests.support.drawn import captioned, drawn, legend_text, unfolded


@pytest.fixture(scope="module")
def parted():
    """Two groups of 20 synapses, which part at an exponent of 0; another one wins in each seed."""
    words = "stdp=gutig", "input=correlated", "input.n_synapses=40", "input.group_sizes=[20,20]"
    made = pipeline.configure(*words, "simulation.duration=200", "synapse.g_max=0.1")
    axes = {
        "stdp.mu": [0, 0.1, 0.4],
        "input.group_correlations": [0.02, 0.05],
        "seed": [1, 2, 3, 4],
    }
    dataset = pipeline.sweep(made, axes, n_jobs=1)
    first = np.where(np.array([1, 2, 3, 4]) % 2, 0.9, 0.1)  # of seeds
    means = np.stack([first, 1 - first])  # (group, seed)
    half = np.array([1, 0.25, 0])[:, None, None]  # (mu, ...): how far apart they are
    means = 0.4 + half * (means - 0.5)
    shape = {"mu": 3, "group_correlations": 2, "seed": 4, "synapse": 40}
    within = np.where(np.arange(40) % 2, 0.02, -0.02)  # around the mean of the group
    groups = means[:, (dataset["group"].values >= 1).astype(int)]  # (mu, synapse, seed)
    of_all = groups.transpose(0, 2, 1)[:, None] + within
    weight = xr.DataArray(np.broadcast_to(of_all, tuple(shape.values())), dims=list(shape))
    dataset["weight"][...] = weight.transpose(*dataset["weight"].dims).values
    return dataset


def lines_of(axes):
    """Return the heights of the markers of each line."""
    return np.array([container.lines[0].get_ydata() for container in axes.containers])


def test_the_difference_is_that_of_each_seed(parted):
    """Another group wins in each seed: the means over seeds of both groups are alike."""
    difference = strong_minus_weak(parted)
    assert (abs(difference.std("seed")) < 1e-6).all()
    assert difference.attrs["valid_min"] == 0
    made = captioned(MeasuredDataset(parted), "strong_minus_weak")
    assert list(made) == [
        "strong_minus_weak_against_mu",
        "strong_minus_weak_against_group_correlations",
    ]
    one = made["strong_minus_weak_against_mu"]
    (axes,) = one.figure.axes
    np.testing.assert_allclose(lines_of(axes), [[0.8, 0.2, 0]] * 2, atol=1e-6)
    assert legend_text(one.figure)[1] == ["0.02", "0.05"]
    assert "Which group is the strongest is found for each seed" in one.caption


def test_branches_part_and_join(parted):
    """Groups of the highest and the lowest mean, with mean and spread of all synapses."""
    figure = drawn(parted, "bifurcation")["bifurcation_against_mu"]
    assert [axes.get_title() for axes in figure.axes] == ["0.02", "0.05"]
    assert "Columns: Correlation of two inputs of each group" in unfolded(figure)
    assert legend_text(figure)[1] == list(BRANCHES)
    spread = [np.hypot(half, 0.02) for half in (0.4, 0.1, 0)]
    expected = [[0.8, 0.5, 0.4], [0.4, 0.4, 0.4], [0, 0.3, 0.4], spread]
    for axes in figure.axes:
        np.testing.assert_allclose(lines_of(axes), expected, atol=1e-6)


def test_without_groups_branches_are_above_and_below_the_mean(parted):
    """So that the modes of one population show; the difference of groups needs groups."""
    alone = parted.drop_vars("group")
    parts = branches(alone).sel(mu=0.4).mean(["seed", "group_correlations"])
    np.testing.assert_allclose(parts, [0.42, 0.4, 0.38, 0.02], atol=1e-6)
    measured = MeasuredDataset(alone)
    assert "two groups" in FIGURES["strong_minus_weak"].needs(measured)
    assert FIGURES["bifurcation"].needs(measured) == ""
    assert FIGURES["bifurcation"].needs(MeasuredDataset(alone.isel(mu=0))) == (
        "two groups of synapses or an axis stdp.mu"
    )


def test_a_point_with_one_group_has_no_difference(parted):
    """Not 0, which would say that nothing parts."""
    one = parted.isel(synapse=slice(0, 20))
    assert strong_minus_weak(one).isnull().all()
    assert strong_minus_weak(parted).notnull().all()


def test_theory_gives_branches_of_one_population(parted):
    """Means above and below the mean of the expected histogram, and its spread, as dashes."""
    alone = MeasuredDataset(parted.drop_vars("group").isel(group_correlations=0))
    bins = xr.DataArray([0.1, 0.3, 0.5, 0.7], dims="weight_bin")
    share = xr.DataArray([0.25, 0.25, 0.25, 0.25], {"weight_bin": bins}, "weight_bin")
    known = share * xr.ones_like(alone.done, dtype=float)
    vars(alone)["expected"] = xr.Dataset({"share": known})
    (figure,) = [one.figure for one in captioned(alone, "bifurcation").values()]
    (axes,) = figure.axes
    dashed = [line.get_ydata() for line in axes.lines if line.get_linestyle() == "--"]
    heights = [line[0] for line in dashed if np.isfinite(line).all()]
    assert heights == pytest.approx([0.6, 0.2, np.sqrt(0.05)])  # in the order of the legend


@pytest.mark.parametrize("name", ["mean_weight_by_group", "strong_minus_weak"])
def test_a_single_run_with_groups_has_no_axis(parted, name):
    """A sweep over seeds alone has one: each seed is a point."""
    run = parted.isel(mu=0, group_correlations=0)
    assert FIGURES[name].needs(MeasuredDataset(run.isel(seed=0))) == "a swept axis"
    assert list(drawn(run, name)) == [f"{name}_against_seed"]
