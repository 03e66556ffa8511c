"""Dry run: number of points, estimated time and size of a request, without running it."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.composition.run_settings import RunSettings
from pipeline.engine.cost import SECONDS_PER_BYTE, estimated_seconds, longest_seconds
from pipeline.engine.simulate import Engine, available_engine, engine_named, run_point
from pipeline.execution.backends import BACKENDS
from pipeline.execution.pool import unlike_in_time
from pipeline.model.looks import first_look, last_look
from pipeline.model.number_lists import value_text
from pipeline.model.parameters import Configuration
from pipeline.model.plain_values import rounded
from pipeline.model.sections import UNTIL, Settle
from pipeline.request.axis import Axis
from pipeline.request.drawn_samples import intervals_of
from pipeline.request.grid import Grid
from pipeline.request.points import Points
from pipeline.request.samples import generator_of
from pipeline.request.size import bytes_per_point
from pipeline.storage.along_axes import LabelledArray
from pipeline.storage.arrays import Counts, refuse_larger_than_memory
from pipeline.storage.directory import Directory
from pipeline.storage.labels import derived_parameters
from pipeline.storage.state import SweepState

#: Number of trial simulations, and the longest time of each [s], approximately.
_TRIALS, _SECONDS_PER_TRIAL = 5, 0.1

#: Overhead per point, from validation to the file [s].
_SECONDS_AROUND = 6e-5

#: Largest number of values that are all shown.
_MOST_SHOWN = 8


@dataclass(frozen=True)
class Plan:
    """Points, estimated time and size of a request.

    Attributes
    ----------
    axes, file_axes : tuple of Axis
        Axes of the request, and of the file that would be written.
    derived : mapping
        Dimensions, values and attributes, by name, of the effective LTD ratio and of parameters
        that follow from others along axes.
    idle : tuple of str
        Keys of the axes of the request that have no effect: all points along them are the same.
    directory : str
        The experiment directory; empty without one.
    durations : tuple of float
        Shortest and longest simulated time of the points requested [ms].
    asked, everything : Counts
        Numbers of points by status: of those requested, and of all in that file.
    engine : str
        The engine that would be used.
    n_workers : int
        Number of points that would run in parallel.
    seconds, seconds_at_most : float
        Estimated wall time [s], and the longest one of runs until they have settled.
    going_on : int
        Number of points that go on from the end of an earlier run.
    until_settled : bool
        Whether runs end when they have settled.
    n_bytes : int
        Size of the results [bytes]; compression makes the file smaller.
    with_spike_times : bool
        Whether spike times are recorded, whose number is not known and not in `n_bytes`.
    shard : str
        The part of the points, as i/n; empty for all.
    """

    axes: tuple[Axis, ...]
    file_axes: tuple[Axis, ...]
    derived: Mapping[str, LabelledArray]
    idle: tuple[str, ...]
    directory: str
    durations: tuple[float, float]
    asked: Counts
    everything: Counts
    engine: str
    n_workers: int
    seconds: float
    seconds_at_most: float
    going_on: int
    until_settled: bool
    n_bytes: int
    with_spike_times: bool
    shard: str = ""

    def __str__(self) -> str:
        n_asked, n_points = sum(self.asked), sum(self.everything)
        lines = [f"points: {n_asked:,}, {self.asked.done:,} of them done"]
        if self.going_on:
            lines[0] += f", {self.going_on:,} go on from an earlier end"
        if self.shard:
            lines[0] += f"; shard {self.shard} of {n_points:,} points"
        elif n_points > n_asked:
            lines[0] += f"; the file has a grid of {n_points:,}"
        lines += [f"axis: {axis.key} = {_values(axis)}" for axis in self.axes]
        if self.file_axes != self.axes:
            lines += [f"axis of the file: {axis.key} = {_values(axis)}" for axis in self.file_axes]
        lines += [_derived(self.file_axes, name, *array) for name, array in self.derived.items()]
        lines += [f"no effect: all points along {key} are the same run" for key in self.idle]
        until = "until it has settled, " if self.until_settled else ""
        lines.append(f"duration: {until}{_durations(*self.durations)}")
        workers = f"{self.n_workers} worker{'s' if self.n_workers > 1 else ''}"
        shortest, longest = _duration(self.seconds), _duration(self.seconds_at_most)
        time = shortest if shortest == longest else f"{shortest} to {longest}"
        lines.append(f"time: about {time} ({self.engine} engine, {workers})")
        except_spikes = ", without spike times" if self.with_spike_times else ""
        lines.append(f"size: about {_size(self.n_bytes)} before compression{except_spikes}")
        if self.directory:
            lines.append(f"directory: {self.directory}")
        return "\n".join(lines)


def plan_grid(grid: Grid, settings: RunSettings, directory: Directory | None = None) -> Plan:
    """Estimate time and size of a grid from trials of a few of its points; write nothing.

    Parameters
    ----------
    grid : Grid
        The requested points.
    settings : RunSettings
        How they would be run.
    directory : Directory, optional
        The experiment directory, whose finished points would not be run.

    Raises
    ------
    RequestError
        If `run_grid` would refuse the request.
    """
    backend = BACKENDS[settings.backend]
    refuse_larger_than_memory(grid, in_memory=directory is None)
    grid.refuse_unknown_contents()
    if directory:
        directory.refuse_unusable()
    state = SweepState(grid, directory, dry=True)
    pending = state.pending()
    engine = available_engine(settings.engine, grid.unlike_models)
    unlike = unlike_in_time(pending)
    longest = longest_seconds([point for point, _ in unlike], engine)
    most = backend.n_workers(len(pending), longest, settings.n_jobs)
    n_workers = max(1, min(most, len(pending)))
    united = state.arrays.grid
    n_bytes = bytes_per_point(united) * (sum(state.counts()) if state.shard else len(united.points))
    around = _SECONDS_AROUND * sum(state.counts()) + SECONDS_PER_BYTE * n_bytes
    shortest, longest_of_all = (
        seconds / n_workers + around for seconds in _seconds(pending, unlike, engine)
    )
    return Plan(
        axes=grid.axes,
        file_axes=united.axes,
        derived=_derived_parameters(united),
        idle=tuple(axis.key for axis in grid.idle_axes()),
        directory=str(directory.path) if directory else "",
        durations=_shortest_and_longest(grid),
        asked=state.counts(),
        everything=state.arrays.counts(),
        engine=engine,
        n_workers=n_workers,
        seconds=shortest,
        seconds_at_most=longest_of_all,
        going_on=state.n_going_on(pending),
        until_settled=grid.points[0].simulation.ends_when_settled,
        n_bytes=n_bytes,
        with_spike_times=united.record.spike_times,
        shard=str(state.shard or ""),
    )


def _derived_parameters(grid: Grid) -> dict[str, LabelledArray]:
    """Return what differs from point to point beside the axes, and the effective LTD ratio."""
    everywhere, somewhere = derived_parameters(grid)
    return {
        name: array
        for name, array in (everywhere | somewhere).items()
        if name != "discrete_ltd_ratio"  # it follows the time step
        and (array[1].dtype.kind not in "fc" or np.isfinite(array[1]).any())
        and (array[1].size > 1 or name == "effective_ltd_ratio")
    }


def _seconds(
    points: Points, unlike: Sequence[tuple[Configuration, float]], engine: str
) -> tuple[float, float]:
    """Return the time of all points [s]: the sum of estimates, scaled by the time of trials.

    Of runs until they have settled it is the shortest and the longest time, else one time twice.
    """
    tried = [_shortened(point, engine) for point in points[:: -(-len(points) // _TRIALS) or 1]]
    run = engine_named(engine)
    for point in tried[:1]:
        _trial(point, run)  # the first run of a process takes longer
    took = sum(_trial(point, run) for point in tried)
    expected = sum(estimated_seconds(point, engine) for point in tried)
    if not tried:
        return 0.0, 0.0
    shortest, longest = (
        sum(number * estimated_seconds(end(point), engine) for point, number in unlike)
        for end in (_at_first_look, _at_limit)
    )
    return shortest * took / expected, longest * took / expected


def _at_first_look(point: Configuration) -> Configuration:
    """Return the point with a fixed duration: that of its first look, if it has one."""
    if not point.simulation.ends_when_settled:
        return point
    return _of_duration(point, first_look(point.settle.minimum))


def _at_limit(point: Configuration) -> Configuration:
    """Return the point with a fixed duration: its limit, if it has one."""
    return _of_duration(point, point.simulation.duration)


def _of_duration(point: Configuration, duration: float) -> Configuration:
    """Return the point with a fixed duration [ms]."""
    simulation = dataclasses.replace(point.simulation, duration=duration, until=UNTIL[0])
    return point.with_admitted(simulation=simulation, settle=Settle())


def _trial(point: Configuration, run: Engine) -> float:
    """Return the time of a run [s]."""
    started = time.perf_counter()
    with contextlib.suppress(Exception):  # the sweep itself reports errors
        run_point(point, run)
    return time.perf_counter() - started


def _shortened(point: Configuration, engine: str) -> Configuration:
    """Return the point with the duration of a trial, without recording."""
    point = _at_limit(point)
    share = min(1.0, _SECONDS_PER_TRIAL / estimated_seconds(point, engine))
    simulation = point.simulation
    shorter = _of_duration(point, max(simulation.dt, share * simulation.duration))
    record = dataclasses.replace(point.record, weight_interval=None, traces=False)
    return shorter.with_admitted(record=record)  # an input may have an end that is later


def _values(axis: Axis) -> str:
    generator = generator_of([axis])
    if generator:
        return f"{generator['samples']:,} by {generator['method']} with seed {generator['seed']}"
    return f"{_listed(axis.values)} {axis.quantity.units}".rstrip() + f" ({len(axis.values)})"


def _derived(
    axes: Sequence[Axis],
    name: str,
    dims: Sequence[str],
    values: NDArray,
    attributes: Mapping[str, Any],
) -> str:
    """Describe values of any shape and unit along axes, sampled or derived."""
    key = attributes.get("config_key", name)
    interval = intervals_of(generator_of(axes)).get(key)
    if sampled := any(key in axis.own_keys for axis in axes):
        key = f"{key} = {interval}" if interval else key
    plain = [rounded(v) if isinstance(v, float) else v for v in values.ravel().tolist()]
    plain = plain[:1] if len(set(plain)) == 1 else plain
    text = f"{_listed(plain)} {attributes.get('units', '')}".rstrip()
    along = f" along {' and '.join(dims)}" if len(plain) > 1 else ""
    return f"{'sampled' if sampled else 'derived'}: {key} = {text}{along}"


def _listed(values: Sequence[Any]) -> str:
    texts = [value_text(value) for value in values]
    return ", ".join(texts if len(texts) <= _MOST_SHOWN else [*texts[:3], "...", texts[-1]])


def _duration(seconds: float) -> str:
    """Return a time in words, to the accuracy of an estimate: "2 minutes", "1.5 hours"."""
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= 0.95 * length * (1 if unit != "minute" else 1.5):
            number = round(seconds / length, 0 if seconds >= 9.5 * length else 1)
            return f"{number:g} {unit}{'s' if number != 1 else ''}"
    number = round(seconds, -1 if seconds >= 20 else 0)
    return f"{number:g} seconds" if number > 1 else "a second"


def _shortest_and_longest(grid: Grid) -> tuple[float, float]:
    one = grid.points[0]
    if one.simulation.ends_when_settled:
        return first_look(one.settle.minimum), last_look(one.simulation.duration)
    _, points = grid.slice_along(["simulation.duration"])
    durations = [point.simulation.duration for point in points]
    return min(durations), max(durations)


def _durations(shortest: float, longest: float) -> str:
    """Return the simulated time of one point, or of all of them: "2 s of model time"."""
    ends = dict.fromkeys([shortest, longest])
    return f"{' to '.join(f'{end / 1000:.15g} s' for end in ends)} of model time per point"


def _size(n_bytes: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:.{0 if n_bytes >= 10 * size else 1}f} {unit}"
    return f"{n_bytes} bytes"
