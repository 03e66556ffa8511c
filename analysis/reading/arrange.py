"""Bring a rearranged dataset into the form of `results.nc`, or refuse it in one line."""

from __future__ import annotations

import logging

import xarray as xr

from analysis.reading.dataset import axes, constants
from analysis.reading.errors import LoadError
from analysis.reading.metadata import flat, short_name
from analysis.reading.words import with_words

log = logging.getLogger("analysis")

#: Dimensions of variables beside the axes, in the order of a file; others stand between them.
_FIRST, _LAST = ("sample_time", "time", "trace"), ("synapse",)

#: Label of the synapses that a coordinate `group` labels None or NaN.
_NO_GROUP = "no group"


def arranged(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset with the order of dimensions of a file, in memory if it was in Dask chunks.

    Parameters
    ----------
    dataset : Dataset
        Results, possibly transposed, selected or chunked, with `status` (...), dimensionless, along
        all swept axes in any order.

    Returns
    -------
    Dataset, (axes, further dimensions of each variable)
        The same values in the same units; synapses without a group are of the group "no group".

    Raises
    ------
    LoadError
        If a dimension is empty, or an axis has no values or stacks several.
    """
    swept = axes(dataset)
    for name in (*swept, "synapse", "time", "sample_time"):
        if dataset.sizes.get(name) == 0:
            raise LoadError(f"dataset: nothing is left along {name}; select values that it has")
    for name in swept:
        if name not in dataset.coords:
            raise LoadError(f"dataset: the axis {name} has no values; keep its coordinate")
        if dataset.indexes[name].nlevels > 1:
            raise LoadError(
                f"dataset: the axis {name} stacks several; use dataset.unstack({name!r}) first"
            )
    _warn_of_other_axes(dataset)
    others = [name for name in map(str, dataset.dims) if name not in {*swept, *_FIRST, *_LAST}]
    dataset = dataset.transpose(*swept, *_FIRST, *others, *_LAST, missing_dims="ignore")
    if dataset.chunks:
        dataset = dataset.compute()
    group = dataset.coords.get("group")
    if group is not None and (unlabelled := group.isnull()).any():
        names = group.astype(object).where(~unlabelled, _NO_GROUP)
        dataset = dataset.assign_coords(group=names.astype(str))
    return with_words(dataset)


def _warn_of_other_axes(dataset: xr.Dataset) -> None:
    """Warn of an axis that is no parameter: nothing states what differs along it."""
    short_names = {short_name(key) for key in flat(constants(dataset))}
    for name in axes(dataset):
        if "config_key" not in dataset[name].attrs and name not in short_names:
            log.warning(
                "the axis %s is no parameter: every point along it is taken to have the constants "
                "of this dataset",
                name,
            )
