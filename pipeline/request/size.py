"""Sizes of results: lengths of dimensions and bytes of a point, known before any run."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pipeline.model.parameters import Configuration
from pipeline.model.variables import VARIABLES, recorded
from pipeline.request.grid import Grid


def lengths(grid: Grid) -> dict[str, int]:
    """Return the lengths of the dimensions of variables, the longest of all points.

    The numbers of spikes and stimuli are not known in advance: these dimensions have length 0.
    """
    _, unlike_synapses = grid.slice_along(["input.n_synapses"])
    _, unlike_times = grid.slice_along(["simulation."])
    longest = _longest(unlike_times)
    return longest | {"synapse": _longest(unlike_synapses)["synapse"]}


def bytes_per_point(grid: Grid) -> int:
    """Return the size of a point's results in memory [bytes], without its spike times.

    The file has this size before compression.
    """
    return _bytes(grid.points[0], lengths(grid))


def largest_bytes(points: Iterable[Configuration]) -> int:
    """Return the size of the largest results of some points [bytes], without spike times."""
    return max((_bytes(point, lengths_of(point)) for point in points), default=0)


def _bytes(point: Configuration, sizes: dict[str, int]) -> int:
    return sum(
        dtype.itemsize * math.prod(sizes[dim] for dim in VARIABLES[name].dims)
        for name, dtype in recorded(point).items()
    )


def lengths_of(point: Configuration) -> dict[str, int]:
    """Return the lengths of the dimensions of the variables of one point, as of `lengths`."""
    return _longest([point])


def _longest(points: Iterable[Configuration]) -> dict[str, int]:
    sizes = [
        {
            "synapse": point.input.n_synapses,
            "time": point.simulation.n_steps,
            "sample_time": point.n_samples,
            "spike": 0,
            "stimulus": 0,
        }
        for point in points
    ]
    return {dim: max(size[dim] for size in sizes) for dim in sizes[0]}
