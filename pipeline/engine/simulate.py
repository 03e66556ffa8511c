"""Choice of the engine, and simulation of one configuration."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from pipeline.engine.statistics import isi_cv, late_statistics
from pipeline.model import reference
from pipeline.model.inputs import Cells
from pipeline.model.integration import Recording
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import Rule
from pipeline.model.quantity import multiples
from pipeline.model.sections import steps
from pipeline.model.variables import Result

log = logging.getLogger("pipeline")

#: An engine: a configuration, optional input events and an optional checkpoint to a recording.
Engine = Callable[
    [Configuration, Iterator[Cells] | None, Callable[[], None] | None], Recording
]


#: Whether an engine can run a rule, for those that this process has tried.
_available: dict[tuple[str, type[Rule]], bool] = {}


def available_engine(name: str, points: Iterable[Configuration]) -> str:
    """Return the name of the engine that will run: `name`, or `reference` where that cannot.

    Only the reference records all state variables at every step. It also replaces an engine that
    cannot be loaded, with one warning per process and rule.
    """
    for records_traces, rule in {(point.record.traces, type(point.stdp)) for point in points}:
        if records_traces or not _is_available(name, rule):
            return "reference"
    return name


def _is_available(name: str, rule: type[Rule]) -> bool:
    if (name, rule) not in _available:
        _available[name, rule] = _can_be_loaded(name, rule)
    return _available[name, rule]


def _can_be_loaded(name: str, rule: type[Rule]) -> bool:
    """Whether an engine can run a rule here; warn if it cannot."""
    try:
        load_engine(name, [rule])
    except Exception as error:  # numba and LLVM raise many types; the reference needs neither
        log.warning(
            "run.engine=%s is not available for stdp.rule=%s (%s); using run.engine=reference, "
            "which is hundreds of times slower",
            name,
            rule.name,
            " ".join(str(error).split())[:300],
        )
        return False
    return True


def load_engine(name: str, rules: Iterable[type[Rule]]) -> None:
    """Load what an engine needs for some rules; compile it if no earlier process has."""
    if name == "compiled":
        from pipeline.engine import compiled  # not needed by the reference

        for rule in set(rules):
            compiled.load(rule)


def engine_named(name: str) -> Engine:
    """Return the function that runs a configuration."""
    if name == "reference":
        return reference.run
    from pipeline.engine import compiled

    return compiled.run


def run_point(
    configuration: Configuration,
    engine: Engine,
    cells: Iterator[Cells] | None = None,
    checkpoint: Callable[[], None] | None = None,
) -> Result:
    """Run one configuration on an engine and return its variables, in full precision.

    Parameters
    ----------
    configuration : Configuration
        The parameters of the run.
    engine : callable
        As `engine_named` returns it.
    cells : iterator of ndarray of int64, (n_events,), optional
        Input events in time order, in place of the configured ones: cells of the lattice, indices.
    checkpoint : callable, optional
        Called several times a second; its exceptions end the run.

    Returns
    -------
    dict
        Numbers and arrays by the names in `variables.VARIABLES`, which has dimensions and units.

    Raises
    ------
    FloatingPointError
        If the membrane potential or a weight is infinite or nan at the end.
    """
    started = time.perf_counter()
    recording = engine(configuration, cells, checkpoint)
    mean_weight = recording.weight.sum() / recording.weight.size
    for name, number in (("v", recording.v), ("the mean weight", mean_weight)):
        if not math.isfinite(number):
            raise FloatingPointError(f"{name} is {number} at the end; try a smaller simulation.dt")
    simulation, record = configuration.simulation, configuration.record
    spike_step = recording.spike_step
    stable, g_ex = configuration.largest_stable_conductance, recording.largest_g_ex
    variables: Result = {
        "weight": recording.weight,
        "output_rate": 1000 * spike_step.size / simulation.duration,
        "spike_count": spike_step.size,
        "isi_cv": isi_cv(spike_step),
        **late_statistics(spike_step, simulation.n_steps, simulation.dt),
        "mean_weight": mean_weight,
        "euler_overshoot": (g_ex - stable) / (1 + stable),
        "wall_time": time.perf_counter() - started,
    }
    if record.weight_interval is not None:
        # Where the duration is no whole number of steps, the last one ends after it.
        n_samples = configuration.n_samples
        window = spike_step // steps(record.weight_interval, simulation.dt)
        counts = np.bincount(window, minlength=n_samples)[:n_samples]
        variables["weight_history"] = recording.weight_history
        variables["rate_history"] = 1000 * counts / record.weight_interval
    if record.spike_times:
        variables["spike_time"] = multiples(spike_step, simulation.dt)
    return variables | recording.traces
