"""What a request would do, found out without doing it: points, time, memory."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.engine.cost import estimated_seconds, longest_seconds
from pipeline.engine.simulate import available_engine, engine_named, run_point
from pipeline.execution.pool import useful_workers
from pipeline.model.parameters import Configuration
from pipeline.request.axis import Axis
from pipeline.request.grid import Grid
from pipeline.request.run_settings import RunSettings
from pipeline.storage.arrays import Counts, bytes_per_point, refuse_what_does_not_fit
from pipeline.storage.directory import Directory
from pipeline.storage.state import SweepState

#: Points that are tried, and how long each takes at most, about.
_TRIALS, _SECONDS_PER_TRIAL = 5, 0.1

#: What the pipeline does about each point, from its check to its place in the file.
_SECONDS_AROUND = 6e-5

#: The longest list of values that is shown whole.
_MOST_SHOWN = 8


@dataclass(frozen=True)
class Plan:
    """What a request would do.

    Attributes
    ----------
    axes : tuple of Axis
        Those of the file that would be written.
    asked, everything : Counts
        How many points are done now: of those asked for, and of all in that file.
    engine : str
        The engine that would run.
    n_workers : int
        How many points would run at a time.
    seconds : float
        About how long it would take.
    n_bytes : int
        The memory of the results; the file takes less, by as much as they can be compressed.
    with_spike_times : bool
        Whether spike times come on top, of which nobody knows how many there will be.
    """

    axes: tuple[Axis, ...]
    asked: Counts
    everything: Counts
    engine: str
    n_workers: int
    seconds: float
    n_bytes: int
    with_spike_times: bool

    def __str__(self) -> str:
        n_asked, n_points = sum(self.asked), sum(self.everything)
        lines = [f"points   {n_asked:,}, {self.asked.done:,} of them done"]
        if n_points > n_asked:
            lines[0] += f"; the file has a grid of {n_points:,}"
        lines += [f"axis     {axis.key} = {_values(axis)}" for axis in self.axes]
        workers = f"{self.n_workers} worker{'s' if self.n_workers > 1 else ''}"
        lines.append(f"time     about {_duration(self.seconds)} ({self.engine} engine, {workers})")
        more = "; spike times come on top" if self.with_spike_times else ""
        lines.append(f"memory   {_size(self.n_bytes)} of results, the file about as much{more}")
        return "\n".join(lines)


def plan_grid(grid: Grid, settings: RunSettings, directory: Directory | None = None) -> Plan:
    """Return what a grid would take, from a trial of a few of its points; nothing is written.

    Raises
    ------
    RequestError
        If the request would be refused.
    """
    refuse_what_does_not_fit(grid)
    if directory:
        directory.refuse_unusable()
    state = SweepState(grid, directory, dry=True)
    pending = list(state.pending().values())
    engine = available_engine(settings.engine, grid.points)
    most = useful_workers(len(pending), longest_seconds(pending, engine), settings)
    n_workers = max(1, min(most, len(pending)))
    united = state.arrays.grid
    return Plan(
        axes=united.axes,
        asked=state.arrays.counts(grid.keys),
        everything=state.arrays.counts(),
        engine=engine,
        n_workers=n_workers,
        seconds=_seconds(pending, engine) / n_workers + _SECONDS_AROUND * len(grid.points),
        n_bytes=bytes_per_point(united) * len(united.points),
        with_spike_times=united.record.spike_times,
    )


def _seconds(points: Sequence[Configuration], engine: str) -> float:
    """Return the time of all points: the estimates, corrected by a trial."""
    tried = [_shortened(point, engine) for point in points[:: -(-len(points) // _TRIALS) or 1]]
    run = engine_named(engine)
    took = 0.0
    for point in tried:
        started = time.perf_counter()
        with contextlib.suppress(Exception):  # the run will tell; a trial is for its time
            run_point(point, run)
        took += time.perf_counter() - started
    expected = sum(estimated_seconds(point, engine) for point in tried)
    total = sum(estimated_seconds(point, engine) for point in points)
    return total * took / expected if tried else 0.0


def _shortened(point: Configuration, engine: str) -> Configuration:
    """Return the point with so short a duration that it serves as a trial; nothing is recorded."""
    share = min(1.0, _SECONDS_PER_TRIAL / estimated_seconds(point, engine))
    simulation = point.simulation
    duration = max(simulation.dt, share * simulation.duration)
    return dataclasses.replace(
        point,
        simulation=dataclasses.replace(simulation, duration=duration),
        record=dataclasses.replace(point.record, weight_interval=None, traces=False),
    )


def _values(axis: Axis) -> str:
    values = [str(value) for value in axis.values]
    if len(values) > _MOST_SHOWN:
        values = [*values[:3], "...", values[-1]]
    return f"{', '.join(values)} {axis.quantity.units}".rstrip() + f" ({len(axis.values)})"


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds > 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.2g} s" if seconds >= 1 else "a second"


def _size(n_bytes: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes} bytes"
