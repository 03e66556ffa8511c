"""The dimension `sample`, along which several parameters change in step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import xarray as xr

#: The dimension; its coordinate is the order of arrival.
SAMPLE = "sample"

#: Methods of drawing samples, as the key `sweep.method` names them.
_METHODS = {
    "sobol": "a scrambled Sobol sequence",
    "lhs": "a Latin hypercube",
    "random": "independent random numbers",
}


def sampled_parameters(dataset: xr.Dataset | xr.DataArray) -> list[str]:
    """Return the parameters that samples set.

    Parameters
    ----------
    dataset : Dataset or DataArray
        Results, or a variable of them, (sample, ...): of each parameter they have a coordinate
        (sample) in its unit, such as [ms], with the attribute `config_key`.

    Returns
    -------
    list of str
        Names of coordinates that were asked for, without those that follow them; empty without
        samples.
    """
    if SAMPLE not in dataset.coords:
        return []
    along = {
        one.attrs["config_key"]: str(name)
        for name, one in dataset.coords.items()
        if one.dims == (SAMPLE,) and name != SAMPLE and "config_key" in one.attrs
    }
    return [along[key] for key in sampled_keys(dataset) or along if key in along]


def sampled_keys(dataset: xr.Dataset | xr.DataArray) -> list[str]:
    """Return the keys that samples set, by which they were asked for; empty without samples.

    Parameters
    ----------
    dataset : Dataset or DataArray
        Results, or a variable of them, (sample, ...), or of one sample, in any unit.
    """
    return _listed(dataset, "sampled")


def tied_keys(dataset: xr.Dataset | xr.DataArray) -> list[str]:
    """Return the keys that follow those of samples by `${...}`; empty without samples.

    Parameters
    ----------
    dataset : Dataset or DataArray
        Results, or a variable of them, (sample, ...), or of one sample, in any unit.
    """
    return _listed(dataset, "tied")


def generator(dataset: xr.Dataset | xr.DataArray) -> dict[str, Any]:
    """Return what has drawn the samples: method, seed, their number, intervals by key.

    Parameters
    ----------
    dataset : Dataset or DataArray
        Results, or a variable of them, (sample, ...), or of one sample, in any unit.

    Returns
    -------
    dict
        An interval is a list of its ends in the unit of the key, such as [ms], followed by "log"
        where its logarithm is uniform. Empty where samples were given, or there are none.
    """
    return json.loads(_attribute(dataset, "generator", "{}"))


def how_drawn(drawn: Mapping[str, Any]) -> str:
    """Return how samples were drawn, as `generator` has it; "" where they were given."""
    if not drawn:
        return ""
    return f"Drawn from intervals by {_METHODS.get(drawn['method'], drawn['method'])}"


def _listed(dataset: xr.Dataset | xr.DataArray, name: str) -> list[str]:
    return json.loads(_attribute(dataset, name, "[]"))


def _attribute(dataset: xr.Dataset | xr.DataArray, name: str, default: str) -> str:
    return dataset[SAMPLE].attrs.get(name, default) if SAMPLE in dataset.coords else default
