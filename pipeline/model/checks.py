"""Values that are allowed one by one and not together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.model.errors import RequestError
from pipeline.model.initial_weights import refuse_unfit_weights
from pipeline.model.looks import SAMPLE_SPACING, first_look
from pipeline.model.quantity import written
from pipeline.model.sections import is_multiple

if TYPE_CHECKING:
    from pipeline.model.parameters import Configuration

#: Raises `RequestError` if some values of a configuration are not allowed together.
Check = Callable[["Configuration"], None]

#: Most cells (steps times synapses): cell indices, summed over a chunk of gaps, must fit in int64.
MOST_CELLS = 2**48


def refuse_contradictions(configuration: Configuration) -> None:
    """Raise `RequestError` if some values of a configuration are not allowed together."""
    for _, check in CHECKS:
        check(configuration)


def _refuse_unfit_input(configuration: Configuration) -> None:
    simulation, inputs = configuration.simulation, configuration.input
    inputs.refuse_unfit_time_step(simulation.dt)
    inputs.refuse_unfit_duration(simulation.duration, simulation.dt)


def _refuse_unfit_inhibition(configuration: Configuration) -> None:
    configuration.inhibition.refuse_unfit_time_step(configuration.simulation.dt)


def _refuse_unfit_synapse(configuration: Configuration) -> None:
    simulation, synapse = configuration.simulation, configuration.synapse
    synapse.refuse_unfit_delays(simulation.duration, simulation.dt)
    synapse.refuse_unfit_scaling(simulation.duration, simulation.dt)


def _refuse_until(configuration: Configuration) -> None:
    """Refuse what contradicts `simulation.until`."""
    simulation, settle = configuration.simulation, configuration.settle
    if not simulation.ends_when_settled:
        for name, neutral in settle.neutral_values().items():
            if getattr(settle, name) != neutral:
                raise RequestError(
                    f"{written(settle.key(name), getattr(settle, name))}: must be {neutral:g} "
                    "without simulation.until=settled, which it belongs to"
                )
        return
    until = written("simulation.until", simulation.until)
    if configuration.record.traces:
        raise RequestError(
            f"{until}: must be duration with record.traces=true, which records every step"
        )
    for part in (configuration.stdp, configuration.input):
        if not part.stationary:
            raise RequestError(
                f"{until}: must be duration with {part.key(part.chosen_by)}={part.name}, whose "
                "statistics change in time"
            )
    key, longest = configuration.input.longest_time_scale()
    if longest > SAMPLE_SPACING:
        raise RequestError(
            f"{until}: must be duration with {key}, a time scale of {longest:.4g} ms, above "
            f"{SAMPLE_SPACING:g} ms: its windows are too short for slower changes of the input"
        )
    if configuration.input.needs_duration:
        raise RequestError(
            f"{until}: must be duration with input.process={configuration.input.name}, whose "
            "events depend on the duration"
        )
    if simulation.dt > SAMPLE_SPACING:
        raise RequestError(
            f"{written('simulation.dt', simulation.dt)}: must be <= {SAMPLE_SPACING:g} ms with "
            "simulation.until=settled, the shortest time between two samples"
        )
    first = first_look(settle.minimum)
    if simulation.duration < first:
        raise RequestError(
            f"{written('simulation.duration', simulation.duration)}: the limit of a run until it "
            f"has settled must be >= {first:.15g} ms, the first time from settle.minimum="
            f"{settle.minimum:.15g} ms on at which it is looked at"
        )


def _refuse_time_step(configuration: Configuration) -> None:
    simulation, record = configuration.simulation, configuration.record
    dt = simulation.dt
    stdp, neuron = configuration.stdp, configuration.neuron
    for section, name in (
        (neuron, "tau_m"),
        *([(neuron, "tau_theta")] if neuron.theta_plus else ()),
        (configuration.synapse, "tau_ex"),
        *[(stdp, trace.tau) for trace in stdp.traces.values()],
    ):
        tau = getattr(section, name)
        if tau is not None and dt >= tau:
            raise RequestError(
                f"{written('simulation.dt', dt)}: the time step must be < "
                f"{section.key(name)}={tau:g} ms"
            )
    if simulation.duration < dt:
        raise RequestError(
            f"{written('simulation.duration', simulation.duration)}: simulated time must be at "
            f"least one step, simulation.dt={dt:g} ms"
        )
    interval = record.weight_interval
    if interval is None:
        return
    if not (is_multiple(interval, dt) and dt <= interval <= simulation.duration):
        raise RequestError(
            f"{written('record.weight_interval', interval)}: must be a multiple of "
            f"simulation.dt={dt:g} ms and <= simulation.duration={simulation.duration:g} ms"
        )


def _refuse_size(configuration: Configuration) -> None:
    duration = configuration.simulation.duration
    n_synapses = max(configuration.input.n_synapses, configuration.inhibition.n_synapses)
    if configuration.simulation.n_steps * n_synapses > MOST_CELLS:
        raise RequestError(
            f"{written('simulation.duration', duration)}: steps times synapses must be <= 2**48"
        )


#: Each check, and the sections that it reads: it holds for all points that share these.
CHECKS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset({"neuron", "synapse", "stdp", "simulation", "record"}), _refuse_time_step),
    (frozenset({"input", "simulation"}), _refuse_unfit_input),
    (frozenset({"inhibition", "simulation"}), _refuse_unfit_inhibition),
    (frozenset({"input", "inhibition", "simulation"}), _refuse_size),
    (frozenset({"stdp", "input", "simulation", "settle", "record"}), _refuse_until),
    (frozenset({"synapse", "simulation"}), _refuse_unfit_synapse),
    (frozenset({"synapse", "input"}), refuse_unfit_weights),
)
