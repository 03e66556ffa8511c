"""Weights by what the file says of each synapse: its group, its rate, its latency, its index."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analysis.measures.seeds import HIGHEST, LOWEST
from analysis.reading.dataset import axes

#: The coordinate with the group of each synapse, and its value where it is in none.
GROUP, NO_GROUP = "group", -1

_OTHERS = ("synapse", GROUP)

#: The dimension of `branches`, and what is along it.
BRANCH, BRANCHES = "branch", ("stronger", "all", "weaker", "SD of all")

#: Number of bins of a mean over synapses.
N_BINS = 20


def coordinates_of_synapses(dataset: xr.Dataset) -> list[str]:
    """Return the coordinates along `synapse` whose numbers differ between synapses.

    Parameters
    ----------
    dataset : Dataset
        Results, with coordinates (..., synapse) in any unit.

    Returns
    -------
    list of str
        Without `group` and the index of the synapse.
    """
    numbers = [
        str(name)
        for name, values in dataset.coords.items()
        if "synapse" in values.dims
        and name not in ("synapse", GROUP)
        and values.dtype.kind in "fiu"
    ]
    return [name for name in numbers if _differs(dataset[name]).any()]


def _differs(values: xr.DataArray) -> xr.DataArray:
    """Return where numbers (..., synapse) differ between synapses, (...)."""
    return values.max("synapse") > values.min("synapse")


def differing(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Return where a coordinate differs between the synapses that a point has.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless, NaN beyond the synapses of a point.
    name : str
        A coordinate (..., synapse) of numbers or names.

    Returns
    -------
    DataArray of bool, (...)
        Without `synapse`, dimensionless.
    """
    values = dataset[name].reset_coords(drop=True)
    if values.dtype.kind not in "fiu":
        _, numbers = np.unique(values.values, return_inverse=True)
        values = values.copy(data=numbers.reshape(values.shape))
    return _differs(values.where(dataset["weight"].notnull()))


def group_names(dataset: xr.Dataset) -> list:
    """Return the groups of synapses; empty without groups.

    Parameters
    ----------
    dataset : Dataset
        Results, perhaps with a coordinate `group` (..., synapse): numbers or names.

    Returns
    -------
    list
        In rising order of numbers, or in the order of the synapses.
    """
    if GROUP not in dataset.coords or "synapse" not in dataset[GROUP].dims:
        return []
    found = list(dict.fromkeys(dataset[GROUP].values.ravel().tolist()))
    return sorted(one for one in found if one != NO_GROUP) if _are_numbers(found) else found


def _are_numbers(names: list) -> bool:
    return all(isinstance(one, int | float) for one in names)


def has_groups(dataset: xr.Dataset) -> xr.DataArray:
    """Return where synapses are in groups.

    Parameters
    ----------
    dataset : Dataset
        Results with the coordinate `group` (..., synapse): numbers or names.

    Returns
    -------
    DataArray of bool, (...)
        Dimensionless, along the axes that change the groups.
    """
    return (dataset[GROUP].reset_coords(drop=True) != NO_GROUP).any("synapse")


def of_group(dataset: xr.Dataset, name: object) -> xr.DataArray:
    """Return the weights of the synapses of one group, NaN for the others.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless, and `group` (..., synapse).
    name : object
        The group.

    Returns
    -------
    DataArray, (..., synapse)
        Fraction of `g_max`, dimensionless.
    """
    belongs = dataset[GROUP].reset_coords(drop=True) == name
    weight = dataset["weight"].reset_coords(drop=True)
    return weight.where(belongs).transpose(*weight.dims)


def weight_by_group(dataset: xr.Dataset) -> xr.DataArray:
    """Return the mean weight of each group of synapses.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless, and the coordinate `group`
        (..., synapse), numbers or names.

    Returns
    -------
    DataArray, (..., group)
        Fraction of `g_max`, dimensionless, along all axes of the sweep; NaN where a point is not
        done or has no such group.
    """
    names = group_names(dataset)
    means = [of_group(dataset, name).astype(float).mean("synapse") for name in names]
    joined = xr.concat(means, GROUP).assign_coords({GROUP: names})
    joined[GROUP].attrs = {"long_name": "group of synapses"}
    attributes = {"long_name": "mean final weight of the group"}
    return joined.transpose(*axes(dataset), GROUP).assign_attrs(attributes)


def strong_minus_weak(dataset: xr.Dataset) -> xr.DataArray:
    """Return the mean weight of the strongest group of synapses less that of the weakest.

    Which group is the strongest may differ between seeds: so where all groups are alike, it is not
    0 but the range of their means.

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless, and the coordinate `group`
        (..., synapse), numbers or names.

    Returns
    -------
    DataArray, (...)
        Fraction of `g_max`, dimensionless, along all axes of the sweep; NaN where a point is not
        done or has fewer than two groups.
    """
    means = weight_by_group(dataset)
    several = means.notnull().sum(GROUP) > 1
    difference = (means.max(GROUP) - means.min(GROUP)).where(several)
    limits = {LOWEST: 0.0, HIGHEST: 1.0}
    name = "mean weight of the strongest group less that of the weakest"
    return difference.assign_attrs(limits | {"long_name": name})


def branches(dataset: xr.Dataset) -> xr.DataArray:
    """Return mean weights of the stronger and of the weaker synapses, and the spread of all.

    With groups these are the groups of the highest and of the lowest mean weight, at each point;
    else the synapses above and below the mean. Either are branches that part where the symmetry
    between synapses breaks (Gütig et al. 2003, J Neurosci 23:3697).

    Parameters
    ----------
    dataset : Dataset
        Results with `weight` (..., synapse), dimensionless, perhaps with the coordinate `group`
        (..., synapse), numbers or names.

    Returns
    -------
    DataArray, (..., branch)
        `BRANCHES`: mean weight of the stronger synapses, of all, of the weaker ones, and standard
        deviation over all, as fractions of `g_max`, dimensionless; NaN where a point is not done.
    """
    weight = dataset["weight"].reset_coords(drop=True).astype(float)
    mean = weight.mean("synapse")
    if len(group_names(dataset)) > 1:
        of_groups = weight_by_group(dataset)
        strong, weak = of_groups.max(GROUP), of_groups.min(GROUP)
    else:
        strong = weight.where(weight >= mean).mean("synapse")
        weak = weight.where(weight <= mean).mean("synapse")
    parts = [part.reset_coords(drop=True) for part in (strong, mean, weak, weight.std("synapse"))]
    joined = xr.concat(parts, BRANCH).assign_coords({BRANCH: list(BRANCHES)})
    limits = {LOWEST: 0.0, HIGHEST: 1.0}
    joined[BRANCH].attrs = {"long_name": "synapses"}
    attributes = limits | {"long_name": "mean and standard deviation of final weights"}
    return joined.transpose(*axes(dataset), BRANCH).assign_attrs(attributes)


def binned_mean(
    x: NDArray[np.float64], y: NDArray[np.float64], n_bins: int = N_BINS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means in bins of equal numbers of synapses.

    Parameters
    ----------
    x, y : ndarray, (n,)
        Any quantity of synapses, and their weights; finite, in any unit.
    n_bins : int
        Number of bins, at most; synapses with equal `x` are in one bin.

    Returns
    -------
    x, y : ndarray, (n_bins,)
        Means of either in each bin, rising in `x`, in their units.
    """
    edges = np.unique(np.quantile(x, np.linspace(0, 1, n_bins + 1)[1:-1]))
    number = np.searchsorted(edges, x, "right")
    count = np.bincount(number)
    full = count > 0
    x_mean, y_mean = (np.bincount(number, values)[full] / count[full] for values in (x, y))
    return x_mean, y_mean
