"""The dimension `sample`, along which several parameters change in step."""

from __future__ import annotations

import json

import xarray as xr

#: The dimension; its coordinate is the order of arrival.
SAMPLE = "sample"


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
    asked = json.loads(dataset[SAMPLE].attrs.get("sampled", "[]"))
    return [along[key] for key in asked or along if key in along]
