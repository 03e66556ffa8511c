"""The sections of a configuration without variants: neuron, synapse, time grid, recording."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any, ClassVar, SupportsIndex

from pipeline.model.contents import content_of, restored
from pipeline.model.errors import RequestError
from pipeline.model.initial_weights import DISTRIBUTIONS, refuse_impossible_spread
from pipeline.model.quantity import Section, quantity, written

_TAU_THETA = 100.0

#: How weights are scaled, where they are: as in van Rossum, Bi & Turrigiano 2000.
_SCALING = {"scaling_gain": 4e-5, "scaling_interval": 1000.0, "tau_scaling": 100_000.0}

#: What may end a run.
UNTIL = ("duration", "settled")


@dataclass(frozen=True)
class Neuron(Section):
    """Leaky integrate-and-fire neuron."""

    section: ClassVar[str] = "neuron"
    title: ClassVar[str] = "neuron model"

    V_th: float = quantity("spike threshold", "mV", at_least=-1000, at_most=1000)
    V_reset: float = quantity("reset potential", "mV", at_least=-1000, at_most=1000)
    V_init: float = quantity("initial membrane potential", "mV", at_least=-1000, at_most=1000)
    E_L: float = quantity("leak reversal potential", "mV", at_least=-1000, at_most=1000)
    tau_m: float = quantity("membrane time constant", "ms", above=0)
    t_ref: float = quantity("refractory period", "ms", at_least=0, at_most=1e9)
    noise: float = quantity(
        "standard deviation of the potential that membrane noise alone causes",
        "mV",
        at_least=0,
        at_most=1000,
        neutral=0.0,
    )
    theta_plus: float = quantity(
        "rise of the threshold at an output spike", "mV", at_least=0, at_most=1000, neutral=0.0
    )
    tau_theta: float = quantity(
        "time constant of the decay of the threshold's rise", "ms", above=0, neutral=_TAU_THETA
    )

    def refuse_unfit_values(self) -> None:
        """Refuse values that are not allowed together."""
        super().refuse_unfit_values()
        if self.V_reset >= self.V_th:
            raise RequestError(
                f"{written('neuron.V_reset', self.V_reset)}: must be < neuron.V_th={self.V_th} mV"
            )
        if self.tau_theta != _TAU_THETA and not self.theta_plus:
            raise RequestError(
                f"{written('neuron.tau_theta', self.tau_theta)}: must be {_TAU_THETA:g} with "
                "neuron.theta_plus=0: without a rise of the threshold it has no effect"
            )


@dataclass(frozen=True)
class Synapse(Section):
    """Excitatory conductance synapse with exponential decay."""

    section: ClassVar[str] = "synapse"
    title: ClassVar[str] = "synapse model"

    g_max: float = quantity("maximal conductance relative to the leak", at_least=0, at_most=1000)
    w_init: float = quantity("initial weight", at_least=0, at_most=1)
    E_ex: float = quantity("excitatory reversal potential", "mV", at_least=-1000, at_most=1000)
    tau_ex: float = quantity("excitatory synaptic time constant", "ms", above=0)
    w_init_spread: float = quantity(
        "spread of the initial weights", at_least=0, at_most=1, neutral=0.0
    )
    w_init_distribution: str = quantity(
        "distribution of the initial weights",
        kind=str,
        choices=DISTRIBUTIONS,
        neutral=DISTRIBUTIONS[0],
    )
    w_from: str | None = quantity(
        "source of the initial weights",
        kind=str,
        null="synapse.w_init",
        neutral=None,
    )
    w_content: str | None = quantity(
        "hash of the initial weights", kind=str, null="that of synapse.w_from", neutral=None
    )
    axonal_delay: float = quantity(
        "time from an input spike to its arrival at the synapse", "ms", at_least=0, neutral=0.0
    )
    dendritic_delay: float = quantity(
        "time from an output spike to its arrival at the synapses", "ms", at_least=0, neutral=0.0
    )

    scaling_target: float | None = quantity(
        "output rate towards which weights are scaled",
        "Hz",
        at_least=0,
        at_most=1e6,
        null="no scaling",
        neutral=None,
    )
    scaling_gain: float = quantity(
        "relative change of the weights by scaling per time and deviation from the target",
        "1/(s Hz)",
        at_least=0,
        at_most=1e3,
        neutral=_SCALING["scaling_gain"],
    )
    scaling_interval: float = quantity(
        "time between two scalings of the weights",
        "ms",
        above=0,
        neutral=_SCALING["scaling_interval"],
    )
    tau_scaling: float = quantity(
        "time constant of the estimate of the output rate for scaling",
        "ms",
        above=0,
        neutral=_SCALING["tau_scaling"],
    )

    def refuse_unfit_values(self) -> None:
        """Refuse values that are not allowed together."""
        super().refuse_unfit_values()
        refuse_impossible_spread(self)
        if self.w_from is not None and self.w_init_spread:
            raise RequestError(
                f"{written('synapse.w_init_spread', self.w_init_spread)}: must be 0 with "
                f"{written('synapse.w_from', self.w_from)}, which has the weights"
            )
        for name, neutral in _SCALING.items():
            if self.scaling_target is None and getattr(self, name) != neutral:
                raise RequestError(
                    f"{written(self.key(name), getattr(self, name))}: must be {neutral:g} with "
                    "synapse.scaling_target=null: without a target it has no effect"
                )

    def key_values(self) -> dict[str, Any]:
        """Return the values that determine results: of given weights their hash alone."""
        own = super().key_values()
        given = ("w_init", "w_init_distribution") if self.w_content else ()
        return {name: value for name, value in own.items() if name not in ("w_from", *given)}

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """Pickle the section with the weights that it refers to."""
        return restored, (type(self), dict(vars(self)), content_of(self.w_content))

    def delay_steps(self, dt: float) -> tuple[int, int]:
        """Return the axonal and the dendritic delay in time steps of some length [ms]."""
        if not (self.axonal_delay or self.dendritic_delay):  # of most runs, each of which asks
            return 0, 0
        return round(self.axonal_delay / dt), round(self.dendritic_delay / dt)

    def refuse_unfit_delays(self, duration: float, dt: float) -> None:
        """Raise `RequestError` if a delay is no multiple of a time step, or as long as a run [ms].

        Each is rounded to no other value, as the window of plasticity moves with it.
        """
        for name in ("axonal_delay", "dendritic_delay"):
            delay = getattr(self, name)
            if delay and not (is_multiple(delay, dt) and delay < duration):
                raise RequestError(
                    f"{written(self.key(name), delay)}: must be a multiple of simulation.dt="
                    f"{dt:g} ms and < simulation.duration={duration:.15g} ms"
                )

    def refuse_unfit_scaling(self, duration: float, dt: float) -> None:
        """Raise `RequestError` if scalings are not between time steps, or never in a run [ms]."""
        interval = self.scaling_interval
        is_scaled, fits = self.scaling_target is not None, is_multiple(interval, dt)
        if is_scaled and not (fits and round(interval / dt) <= steps(duration, dt)):
            raise RequestError(
                f"{written(self.key('scaling_interval'), interval)}: must be a multiple of "
                f"simulation.dt={dt:g} ms and <= simulation.duration={duration:.15g} ms"
            )


@dataclass(frozen=True)
class Simulation(Section):
    """Time grid."""

    section: ClassVar[str] = "simulation"
    title: ClassVar[str] = "time grid"

    duration: float = quantity("simulated time", "ms", above=0, at_most=1e12)
    dt: float = quantity("time step", "ms", at_least=1e-6)
    until: str = quantity(
        "what ends a run",
        kind=str,
        choices=UNTIL,
        neutral=UNTIL[0],
    )

    @functools.cached_property
    def n_steps(self) -> int:
        """Number of time steps, rounded up; the largest one of a run until it has settled."""
        return steps(self.duration, self.dt)

    @property
    def ends_when_settled(self) -> bool:
        """Whether a run ends when it has settled."""
        return self.until != UNTIL[0]

    def key_values(self) -> dict[str, Any]:
        """Return the values that determine results: not the limit of a run until it has settled."""
        values = super().key_values()
        if self.ends_when_settled:
            del values["duration"]
        return values


@dataclass(frozen=True)
class Settle(Section):
    """When a run has settled, see `simulation.until`."""

    section: ClassVar[str] = "settle"
    title: ClassVar[str] = "criterion of stationarity"

    tolerance: float = quantity(
        "largest change still to come of the mean weight and of the shares of weights",
        above=0,
        at_most=1,
        neutral=0.05,
    )
    minimum: float = quantity(
        "earliest time at which a run may end", "ms", at_least=0, at_most=1e12, neutral=64_000.0
    )


@dataclass(frozen=True)
class Record(Section):
    """What is recorded of a run beside final weights and output statistics."""

    section: ClassVar[str] = "record"
    title: ClassVar[str] = "recording"

    weight_interval: float | None = quantity(
        "interval between weight samples", "ms", above=0, null="no weight history"
    )
    spike_times: bool = quantity("whether output spike times are recorded", kind=bool)
    traces: bool = quantity("whether all state variables are recorded at every step", kind=bool)
    dtype: str = quantity(
        "number type in which weights and traces are stored",
        kind=str,
        choices=("float32", "float64"),
    )
    state: bool | None = quantity(
        "whether end states are kept, for longer runs to go on",
        kind=bool,
        null="with a weight history, or until settled",
        neutral=None,
    )

    def key_values(self) -> dict[str, Any]:
        """Return the values that determine results: all but whether the state is kept."""
        return {name: value for name, value in super().key_values().items() if name != "state"}


def is_multiple(time: float, dt: float) -> bool:
    """Whether a time is one step or several, tolerant of the division's rounding."""
    n_steps = time / dt
    return n_steps > 0.5 and abs(n_steps - round(n_steps)) < 1e-6


def steps(time: float, dt: float) -> int:
    """Return the number of steps in a time, rounded up, tolerant of the division's rounding."""
    return math.ceil(round(time / dt, 6))
