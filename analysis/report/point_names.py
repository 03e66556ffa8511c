"""Points of a sweep in words: where on the axes they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from analysis.reading.values import written

#: More points than this are counted, not named.
MOST_NAMED = 10


def named(array: xr.DataArray, place: Mapping[str, int]) -> str:
    """Return where a point lies: "rate_hz = 10 Hz, seed = 3"; "this run" where nothing is swept."""
    words = [f"{dim} = {value_words(array[dim], i)}" for dim, i in place.items()]
    return ", ".join(words) or "this run"


def value_words(coordinate: xr.DataArray, i: int) -> str:
    """Return a value of an axis with all its digits and its unit: "10 Hz"."""
    units = coordinate.attrs.get("units", "")
    return f"{written(coordinate.values[i].item())} {units}".strip()


def places(chosen: xr.DataArray) -> list[dict[str, int]]:
    """Return the places at which something is true, in the order of the sweep."""
    found = np.argwhere(chosen.values) if chosen.ndim else [[]] * int(chosen)
    return [dict(zip(chosen.dims, place, strict=True)) for place in found]


def all_named(chosen: xr.DataArray) -> list[str]:
    """Return in words where something is true, the first ones and how many more there are."""
    found = places(chosen)
    return shortened([named(chosen, place) for place in found[:MOST_NAMED]], len(found))


def shortened(words: Sequence[str], n: int) -> list[str]:
    """Return the first words of a list, and how many more of `n` there are."""
    more = [f"and {n - MOST_NAMED:,} more"] if n > MOST_NAMED else []
    return [*words[:MOST_NAMED], *more]
