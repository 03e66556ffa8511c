"""Read `results.nc` back: what was asked for, and which runs made it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.model.variables import DONE


def request_in(file: Any) -> dict[str, Any]:
    """Return the request that an open netCDF file answers, as `request.request_of` gave it.

    Raises
    ------
    KeyError, ValueError
        If it is no file of the pipeline.
    """
    request = json.loads(file.getncattr("configuration"))
    axes = {}
    for name in file["status"].dimensions:
        coordinate = file[name]
        attributes = coordinate.__dict__
        values = np.asarray(coordinate[...]).tolist()
        settings = json.loads(attributes.get("settings", "null"))
        axes[attributes["config_key"]] = (
            values if settings is None else dict(zip(values, settings, strict=True))
        )
    return {"model_version": int(file.getncattr("model_version"))} | request | {"axes": axes}


def n_done_in(file: Any) -> int:
    """Return how many points of an open netCDF file are done."""
    return int((np.asarray(file["status"][...]) == DONE).sum())


def runs_in(file: Any) -> list[dict[str, Any]]:
    """Return the runs that an open netCDF file is made of; see `provenance`."""
    return json.loads(file.getncattr("runs"))


def from_results(path: Path, read: Any) -> Any:
    """Return what `read` finds in a results.nc, or None where there is no such file to be read."""
    import netCDF4

    try:
        with netCDF4.Dataset(path) as file:
            return read(file)
    except Exception:  # not there, damaged in whatever way, or of something else
        return None
