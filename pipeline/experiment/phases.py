"""Simulations that go on from the end state of an earlier one, also under other parameters."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.inputs import Cells
from pipeline.model.output_spikes import configured_output_steps
from pipeline.model.parameters import MODEL_VERSION, Configuration
from pipeline.model.quantity import written
from pipeline.model.sections import steps
from pipeline.model.state import STATE, UNKNOWN, EndState, Start

if TYPE_CHECKING:
    import xarray as xr

#: Dimension of the end state, and the attribute with all earlier simulations in their order.
STATE_DIMENSION, EARLIER = "state_byte", "earlier"

#: Attributes of input and of output given by the caller.
GIVEN, GIVEN_OUTPUT = "input", "output"


@dataclasses.dataclass(frozen=True)
class Phase:
    """Where and how a simulation goes on.

    Attributes
    ----------
    start : Start
        The end of the earlier simulation.
    cells : iterator of ndarray of int64, or None
        Input events of the new one, where the engines do not draw them on.
    output_steps : ndarray of int64, (n_spikes,), or None
        Output spikes that the process of the new one prescribes, where it begins anew: steps
        counted from the beginning of the earlier one.
    chain : list of dict
        All earlier simulations: `configuration` (nested plain values), `engine`, `given_spikes`
        and `given_output` (whether their input and output spikes were given by the caller).
    """

    start: Start
    cells: Iterator[Cells] | None
    output_steps: NDArray[np.int64] | None
    chain: list[dict[str, Any]]


def phase_from(configuration: Configuration, earlier: Any) -> Phase:
    """Return how a configuration goes on from a dataset.

    Raises
    ------
    RequestError
        If the dataset has no end state, or one that does not fit.
    """
    before, state = _configuration_of(earlier), _state_of(earlier)
    _refuse_unfit(configuration, before)
    kept = state.spike_step >= _first_kept(configuration, state)
    start = dataclasses.replace(state, spike_step=state.spike_step[kept], samples=np.empty((0, 0)))
    start = _with_traces_for(configuration, before, start)
    output_steps = None
    if not _goes_on(configuration, before):
        output_steps = configured_output_steps(configuration)
        output_steps = None if output_steps is None else output_steps + start.step
    start = _with_inhibition_for(configuration, before, start)
    start = _with_adaptation_for(configuration, before, start)
    start, cells = _with_events_for(configuration, before, start)
    last = {
        "configuration": before.to_mapping(),
        "engine": earlier.attrs.get("engine"),
        "given_spikes": GIVEN in earlier.attrs,
        "given_output": GIVEN_OUTPUT in earlier.attrs,
    }
    chain = [*json.loads(earlier.attrs.get(EARLIER, "[]")), last]
    return Phase(Start(start, begins_anew=True), cells, output_steps, chain)


def _state_of(earlier: xr.Dataset) -> EndState:
    if STATE not in earlier.variables:
        raise RequestError(
            "state: must have an end state, as simulate records it with record.state=true"
        )
    try:
        return EndState.from_bytes(np.asarray(earlier[STATE].values, np.uint8).tobytes())
    except ValueError as error:
        raise RequestError(f"state: must be complete ({error})") from error


def _configuration_of(earlier: Any) -> Configuration:
    attributes = getattr(earlier, "attrs", None)
    if not isinstance(attributes, Mapping) or "configuration" not in attributes:
        raise RequestError(
            f"{written('state', type(earlier).__name__)}: must be a dataset of pipeline.simulate"
        )
    if attributes["model_version"] != MODEL_VERSION:
        raise RequestError(
            f"state: made by model version {attributes['model_version']}, and this is version "
            f"{MODEL_VERSION}, with other results"
        )
    return Configuration.from_mapping(json.loads(attributes["configuration"]))


def _refuse_unfit(configuration: Configuration, before: Configuration) -> None:
    """Refuse parameters that a state fixes."""
    for key, here, there in (
        ("input.n_synapses", configuration.input.n_synapses, before.input.n_synapses),
        ("simulation.dt", configuration.simulation.dt, before.simulation.dt),
        *(
            (f"synapse.{name}", getattr(configuration.synapse, name), getattr(before.synapse, name))
            for name in ("axonal_delay", "dendritic_delay")  # of spikes that are on their way
        ),
    ):
        if here != there:
            raise RequestError(f"{written(key, here)}: must be {there:g}, as it is in the state")
    if configuration.stdp.traces != before.stdp.traces:
        raise RequestError(
            f"{written('stdp.rule', configuration.stdp.name)}: must have the traces of "
            f"{before.stdp.name}, which are in the state"
        )


def _first_kept(configuration: Configuration, state: EndState) -> int:
    """Return the step from which on output spikes of the earlier simulation still have an effect.

    They are on their way to the synapses, or after the last scaling.
    """
    synapse, dt = configuration.synapse, configuration.simulation.dt
    first = state.step - synapse.delay_steps(dt)[1]
    if synapse.scaling_target is not None:
        every = steps(synapse.scaling_interval, dt)
        first = min(first, max(0, state.step - 1) // every * every)
    return first


def _with_adaptation_for(
    configuration: Configuration, before: Configuration, state: EndState
) -> EndState:
    """Return the state with the threshold's rise and the rate estimate that the new one needs.

    An adaptive threshold goes on, and so does the estimate by which weights are scaled; without
    either there is none. An estimate begins at the target.
    """
    synapse = configuration.synapse
    theta = state.theta if configuration.neuron.theta_plus else 0.0
    rate = state.rate_estimate if synapse.scaling_target is not None else 0.0
    if synapse.scaling_target is not None and before.synapse.scaling_target is None:
        rate = synapse.scaling_target
    return dataclasses.replace(state, theta=theta, rate_estimate=rate)


def _with_traces_for(
    configuration: Configuration, before: Configuration, state: EndState
) -> EndState:
    """Return the state with traces over the scales of the time constants of another rule."""
    there, here = before.stdp.time_constants(), configuration.stdp.time_constants()
    if here == there:
        return state
    decays = [1 - before.simulation.dt / tau for tau in there.values()]
    scales = np.array(decays) ** (state.step - 1 - state.base)
    n_pre = len(state.pre)
    by_name = dict(zip(there, scales.tolist(), strict=True))
    names = before.stdp.traces_type()._fields
    factors = np.array([by_name[name] for name in names])
    pre, post = state.pre * factors[:n_pre, np.newaxis], state.post * factors[n_pre:]
    return dataclasses.replace(state, pre=pre, post=post, base=max(0, state.step - 1))


def _with_events_for(
    configuration: Configuration, before: Configuration, state: EndState
) -> tuple[EndState, Iterator[Cells] | None]:
    """Return the state from which the events of the new input go on, or the events.

    The same input goes on. Another rate of the same random numbers continues with those that were
    not used; other events begin anew.
    """
    inputs, n_synapses = configuration.input, configuration.input.n_synapses
    first = state.step * n_synapses
    if _goes_on(configuration, before):
        return state, None
    same_seed = configuration.input_seed == before.input_seed
    if not inputs.bernoulli:
        return state, (chunk + first for chunk in configuration.input_events())
    goes_on = same_seed and state.n_events != UNKNOWN
    n_used = state.n_events + 1 if goes_on else 0  # the last gap reaches beyond the end
    return dataclasses.replace(state, n_events=n_used, next_cell=first), None


def _with_inhibition_for(
    configuration: Configuration, before: Configuration, state: EndState
) -> EndState:
    """Return the state from which the spikes of the inhibitory population go on.

    The same population goes on. Another one continues with the random numbers that were not used,
    and takes over the conductance, which decays with its own time constant; without inhibitory
    synapses there is none.
    """
    inhibition = configuration.inhibition
    if not inhibition.is_present:
        return dataclasses.replace(state, n_inhibitory=0, next_inhibitory_cell=0, g_in=0.0)
    dt, same_seed = configuration.simulation.dt, configuration.input_seed == before.input_seed
    same_spikes = (inhibition.n_synapses, inhibition.spike_probability(dt)) == (
        before.inhibition.n_synapses,
        before.inhibition.spike_probability(dt),
    )
    if same_seed and same_spikes:
        return state
    was_used = same_seed and before.inhibition.is_present
    n_used = state.n_inhibitory + 1 if was_used else 0  # the last gap reaches beyond the end
    first = state.step * inhibition.n_synapses
    return dataclasses.replace(state, n_inhibitory=n_used, next_inhibitory_cell=first)


def _goes_on(configuration: Configuration, before: Configuration) -> bool:
    """Whether an input goes on as if it had not ended; one that changes in time begins anew."""
    inputs = configuration.input
    same = inputs == before.input and configuration.input_seed == before.input_seed
    return same and inputs.stationary and not inputs.needs_duration


def with_state(dataset: xr.Dataset, content: bytes, chain: list[dict[str, Any]]) -> xr.Dataset:
    """Return the dataset of a simulation with its end state, and what came before it.

    Parameters
    ----------
    dataset : Dataset
        Variables of one point, in their units.
    content : bytes
        The state; empty where it is not kept.
    chain : list of dict
        All earlier simulations, as of `Phase`.

    Returns
    -------
    Dataset, (synapse, ...)
        The same, with `state` (state_byte), dimensionless.
    """
    if chain:
        dataset.attrs[EARLIER] = json.dumps(chain)
    if not content:
        return dataset
    state: NDArray[np.uint8] = np.frombuffer(content, np.uint8)
    attributes = {"long_name": "end state, from which pipeline.simulate goes on"}
    return dataset.assign({STATE: ((STATE_DIMENSION,), state, attributes)})
