"""Choice of the engine, and simulation of one configuration."""

from __future__ import annotations

import linecache
import logging
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.engine.statistics import isi_cv, late_statistics
from pipeline.model import reference
from pipeline.model.arithmetic import multiples
from pipeline.model.errors import RequestError
from pipeline.model.features import Features
from pipeline.model.initial_weights import initial_weights
from pipeline.model.inputs import Cells
from pipeline.model.integration import Integration, Phase, Recording, run_to_end
from pipeline.model.parameters import Configuration
from pipeline.model.plasticity import Rule
from pipeline.model.quantity import written
from pipeline.model.state import STATE, Start
from pipeline.model.variables import Result

log = logging.getLogger("pipeline")

#: An engine, such as `reference.run`.
Engine = Callable[..., Recording]


#: Whether an engine can run a rule with some features, for those that this process has tried.
_available: dict[tuple[str, type[Rule], Features], bool] = {}


def available_engine(name: str, points: Iterable[Configuration]) -> str:
    """Return the name of the engine that will run: `name`, or `reference` where that cannot.

    Only the reference records all state variables at every step. It also replaces an engine that
    cannot be loaded, with one warning per process and rule.

    Raises
    ------
    RequestError
        If a rule of the user's cannot be compiled.
    """
    kinds = {(p.record.traces, p.stdp.template, Features.of(p)) for p in points}
    for records_traces, rule, features in kinds:
        if records_traces or not _is_available(name, rule, features):
            return "reference"
    return name


def refuse_uncompilable(name: str, points: Iterable[Configuration]) -> None:
    """Refuse rules of the user's that an engine cannot run, before anything is written.

    Raises
    ------
    RequestError
        If there is one.
    """
    own = [point for point in points if point.stdp.source]
    available_engine(name, own)


def _is_available(name: str, rule: type[Rule], features: Features) -> bool:
    key = name, rule, features
    if key not in _available:
        _available[key] = _can_be_loaded(*key)
    return _available[key]


def _can_be_loaded(name: str, rule: type[Rule], features: Features) -> bool:
    """Whether an engine can run a rule here; warn if it cannot."""
    try:
        load_engine(name, [(rule, features)])
    except Exception as error:  # numba and LLVM raise many types; the reference needs neither
        if rule.source and not isinstance(error, ImportError | OSError | MemoryError):
            raise RequestError(
                f"{written(rule.registry.key, rule.name)}: does not compile "
                f"({_why_not_compiled(error)}); write it with arithmetic, functions of numpy on "
                "numbers, and where, or run it hundreds of times slower with run.engine=reference"
            ) from error
        log.warning(
            "run.engine=%s is not available for stdp.rule=%s (%s); using run.engine=reference, "
            "which is hundreds of times slower",
            name,
            rule.name,
            " ".join(str(error).split())[:300],
        )
        return False
    return True


def _why_not_compiled(error: Exception) -> str:
    """Return the part of numba's message that is about the rule, and the line of its code."""
    if isinstance(error, ValueError):  # of this package
        return str(error).partition(";")[0]
    text = str(error)
    said = [line.strip() for line in text.splitlines()]
    if calls := re.findall(r"^ *>>> (.+)$", text, re.MULTILINE):
        reason = f"no compiled form of {calls[0]}"
    else:
        own = [line for line in said if line and not line.startswith("Failed in")]
        reason = own[0].partition(" Raised from")[0] if own else type(error).__name__
    found = re.search(r"(<[^<>\n]+ [0-9a-f]{32}>)\D+(\d+)", text)
    code = linecache.getline(found[1], int(found[2])).strip() if found else ""
    return reason.rstrip(".")[:200] + (f", in: {code}" if code else "")


def load_engine(name: str, kernels: Iterable[tuple[type[Rule], Features]]) -> None:
    """Load what an engine needs for rules with features; compile it if no earlier process has."""
    if name == "compiled":
        from pipeline.engine import compiled  # not needed by the reference

        for rule, features in set(kernels):
            compiled.load(rule, features=features)


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
    start: Start | None = None,
    output_steps: NDArray[np.int64] | None = None,
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
    start : Start, optional
        Where the run goes on.
    output_steps : ndarray of int64, (n_spikes,), optional
        Output spikes in place of the neuron's own or those of the process: rising steps, counted
        from the beginning of the earlier run where it goes on; indices, dimensionless.

    Returns
    -------
    dict
        Numbers and arrays by the names in `variables.VARIABLES`, which has dimensions and units,
        and `STATE`, the end state as bytes, where it is kept.

    Raises
    ------
    FloatingPointError
        If the membrane potential or a weight is infinite or nan at the end.
    """
    started = time.perf_counter()
    state = start.state if start else None
    drive = _driver_of(configuration, start)
    recording = engine(configuration, cells, checkpoint, state, drive, output_steps)
    mean_weight = recording.weight.sum() / recording.weight.size
    for name, number in (("v", recording.v), ("the mean weight", mean_weight)):
        if not math.isfinite(number):
            raise FloatingPointError(f"{name} is {number} at the end; try a smaller simulation.dt")
    simulation, spike_step = configuration.simulation, recording.spike_step
    stable, g_ex = configuration.largest_stable_conductance, recording.largest_g
    duration = recording.further.get("run_duration", simulation.duration)
    variables: Result = {
        "weight": recording.weight,
        "output_rate": 1000 * spike_step.size / duration,
        "spike_count": spike_step.size,
        "isi_cv": isi_cv(spike_step),
        **late_statistics(spike_step, recording.n_steps, simulation.dt),
        "mean_weight": mean_weight,
        "euler_overshoot": (g_ex - stable) / (1 + stable),
        "wall_time": time.perf_counter() - started,
    }
    if configuration.record.weight_interval is not None:
        variables |= _histories(configuration, recording, start)
    if configuration.synapse.w_init_spread or configuration.synapse.w_content:
        begins_anew = start is not None and start.begins_anew
        first = start.state.weight if start and begins_anew else initial_weights(configuration)
        variables["initial_weight"] = first
    if configuration.record.spike_times:
        variables["spike_time"] = multiples(spike_step, simulation.dt)
        if configuration.input.has_stimuli():
            goes_on = cells is None and start is not None and start.begins_anew
            begin = start.state.step if start and goes_on else 0
            times = _stimulus_times(configuration, begin, recording.n_steps)
            variables |= {"stimulus_time": times, "stimulus_count": times.size}
    if recording.state is not None:
        variables[STATE] = recording.state.to_bytes()
    return variables | recording.traces | recording.further


def _stimulus_times(configuration: Configuration, first: int, n_steps: int) -> NDArray[np.float64]:
    """Return the times of stimuli in some steps from a first one on, from which they count."""
    dt, seed = configuration.simulation.dt, configuration.input_seed
    times = configuration.input.stimulus_times(dt, first + n_steps, seed)
    if times is None:
        return np.empty(0)
    if not first:
        return times
    steps = np.floor(times / dt + 0.5).astype(np.int64) - first
    return multiples(steps[steps >= 0], dt)


def _driver_of(
    configuration: Configuration, start: Start | None
) -> Callable[[Integration, Configuration], Recording]:
    """Return what advances a run to its end."""
    drive = run_to_end
    if configuration.simulation.ends_when_settled:
        from pipeline.engine.until import run_until_settled  # of the analysis: rarely needed

        drive = run_until_settled
    if start is None or not start.begins_anew:
        return drive
    return lambda whole, configuration: drive(Phase(whole), configuration)


def _histories(
    configuration: Configuration, recording: Recording, start: Start | None
) -> dict[str, NDArray[np.float64]]:
    """Return weights and output rate at the samples of the run, of an earlier part too."""
    steps_of_samples, weights = recording.sample_step, recording.weight_history
    counts = np.diff(np.searchsorted(recording.spike_step, steps_of_samples), prepend=0)
    intervals = configuration.sample_intervals()[: counts.size]
    n_before = len(steps_of_samples) - len(weights)
    if n_before and start is not None:
        earlier = start.weight_history[:n_before]
        weights = np.concatenate([earlier, weights])
    return {"weight_history": weights, "rate_history": 1000 * counts / intervals}
