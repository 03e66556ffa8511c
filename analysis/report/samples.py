"""Samples in the report: how they were made, how many are done, what each key of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from analysis.reading.dataset import coordinate_of, long_name
from analysis.reading.metadata import DONE, FAILED, MISSING, Metadata
from analysis.reading.samples import SAMPLE, generator, how_drawn, sampled_keys, tied_keys
from analysis.reading.values import counted, written
from analysis.report.configuration import Row, values_text
from analysis.report.markup import Markup, element, table

#: What gave samples their values, by how the entry `sample_origin` of a run begins.
_ORIGINS = {
    "sweep.table=": "rows of a table",
    "sweep.zip=": "values of swept keys, one by one",
    "samples=": "values from Python",
}


def samples_content(dataset: xr.Dataset, metadata: Metadata) -> list[Markup]:
    """Return what the report says of samples; nothing of an experiment without them.

    Parameters
    ----------
    dataset : Dataset
        The points that are shown, with `status` (...), dimensionless, along all swept axes.
    metadata : Metadata
        Of the whole file.
    """
    if SAMPLE not in dataset.coords:
        return []
    drawn = generator(dataset)
    whole = next(axis for axis in metadata.axes if axis.key == SAMPLE)
    text = [counts_text(dataset, len(whole.values)), how_made(drawn, metadata, len(whole.values))]
    heading = ["Key", "Meaning", "Unit", "Interval", "Different values", "Values"]
    rows = [_row(dataset, key, drawn.get("intervals", {})) for key in sampled_keys(dataset)]
    rows += [_row(dataset, key, {key: "follows the others"}) for key in tied_keys(dataset)]
    if not any(row[3] for row in rows):
        heading, rows = [*heading[:3], *heading[4:]], [[*row[:3], *row[4:]] for row in rows]
    numbers = [heading.index("Different values")]
    return [*(element("p", one) for one in text), table(rows, heading, numbers)]


def counts_text(dataset: xr.Dataset, n_whole: int) -> str:
    """Return how many samples are shown, with how many points each, and how many are done.

    Parameters
    ----------
    dataset : Dataset
        The points that are shown, with `status` (...), dimensionless, along all swept axes.
    n_whole : int
        Number of samples in the file.
    """
    status = dataset["status"]
    if SAMPLE not in status.dims:
        return f"Sample {dataset[SAMPLE].item()} of {n_whole:,}."
    n_samples = status.sizes[SAMPLE]
    shown = "" if n_samples == n_whole else f"{n_samples:,} of "
    n_each = status.size // n_samples
    others = [dim for dim in status.dims if dim != SAMPLE]
    is_done = (status == DONE).all(others)
    states = {"done": is_done}
    for flag, word in ((FAILED, "failed"), (MISSING, "missing")):
        states[word if n_each == 1 else f"with {word} points"] = (status == flag).any(others)
    counts = [f"{int(n):,} {name}" for name, one in states.items() if (n := one.sum())]
    each = f" of {n_each:,} points each ({', '.join(map(str, others))})" if n_each > 1 else ""
    return f"{shown}{counted(n_whole, 'sample')}{each}: {', '.join(counts)}."


def how_made(drawn: Mapping[str, Any], metadata: Metadata, n_whole: int) -> str:
    """Return how samples were drawn or given, with the settings that do it.

    Parameters
    ----------
    drawn : mapping
        As from `generator`.
    metadata : Metadata
        Of the whole file.
    n_whole : int
        Number of samples in the file.
    """
    if drawn:
        settings = ", ".join(f"sweep.{name}={drawn[name]}" for name in ("method", "seed"))
        text = f"{how_drawn(drawn)} ({settings})."
        n_repeated = drawn["samples"] - n_whole
        repeated = (
            f"Of {drawn['samples']:,} drawn, {n_repeated:,} repeated others and are left out."
        )
        return f"{text} {repeated}" if n_repeated else text
    origins = metadata.said("sample_origin")
    known = [
        next((name for start, name in _ORIGINS.items() if one.startswith(start)), "")
        for one in origins
    ]
    texts = [f"{name} ({one})" for name, one in zip(known, origins, strict=True)]
    return f"Given as {' and '.join(texts)}." if texts else "Given value by value, not drawn."


def _row(dataset: xr.Dataset, key: str, intervals: Mapping[str, Any]) -> Row:
    """Return key, meaning, unit, interval, number of different values, and values."""
    found = coordinate_of(dataset, key)
    if found is None:
        return [element("code", key), "", "", _interval(intervals.get(key, "")), "", ""]
    return [
        element("code", key),
        long_name(found),
        found.attrs.get("units", ""),
        _interval(intervals.get(key, "")),
        f"{np.unique(found.values[found.notnull().values]).size:,}",
        values_text(found),
    ]


def _interval(ends: Sequence[Any] | str) -> str:
    """Return an interval as text: "0.001 to 0.1, uniform in the logarithm"."""
    if isinstance(ends, str):
        return ends
    scale = ", uniform in the logarithm" if "log" in ends else ""
    return f"{written(ends[0])} to {written(ends[1])}{scale}"
