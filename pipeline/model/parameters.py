"""Configuration of one simulation: all of its parameters, by section.

Values are defined in `conf/`; there are no defaults here. Times are in ms, potentials in mV,
conductances relative to the leak conductance; weights are fractions of `g_max` in [0, 1].
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.model.checks import MOST_CELLS, refuse_contradictions
from pipeline.model.contents import HASHED_KEYS
from pipeline.model.errors import RequestError
from pipeline.model.inhibition import Inhibition
from pipeline.model.inputs import (
    SEED_POLICIES,
    Cells,
    InputProcess,
    bernoulli_cells,
    cells_from,
    checked_cells,
)
from pipeline.model.lattice import arriving_cells
from pipeline.model.looks import sample_times
from pipeline.model.plasticity import Rule
from pipeline.model.quantity import (
    Quantity,
    Section,
    override_text,
    overrides_by_key,
    quantity,
    refuse_unknown_keys,
    unknown_key,
    written,
)
from pipeline.model.sections import Neuron, Record, Settle, Simulation, Synapse, steps
from pipeline.model.state import UNKNOWN, EndState
from pipeline.model.streams import point_seed

#: Part of every point's key; raise it when a change of the model changes any number.
MODEL_VERSION = 4

#: Keys of `conf/config.yaml` that say where and how a sweep runs.
_OF_A_SWEEP = ("study", "name", "outputs", "dry_run", "run")


@dataclass(frozen=True)
class Configuration(Section):
    """All parameters that determine the results of one run."""

    section: ClassVar[str] = ""
    title: ClassVar[str] = "configuration"

    neuron: Neuron
    synapse: Synapse
    stdp: Rule
    input: InputProcess
    simulation: Simulation
    record: Record
    seed: int = quantity("random seed", kind=int, at_least=0, at_most=2**32 - 1)
    settle: Settle = dataclasses.field(default_factory=Settle)
    inhibition: Inhibition = dataclasses.field(default_factory=Inhibition)
    #: The overrides it was composed from; they are applied again when a group is swept.
    overrides: tuple[str, ...] = dataclasses.field(default=(), compare=False, repr=False)
    #: The identifiers within `${...}` of each value that refers to others, by its key.
    references: Mapping[str, frozenset[str]] = dataclasses.field(
        default_factory=dict, compare=False, repr=False
    )
    #: The user's folder that it was composed from, and the content of its files by path.
    conf: Path | None = dataclasses.field(default=None, compare=False, repr=False)
    own_files: Mapping[str, str] = dataclasses.field(
        default_factory=dict, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_contradictions(self)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Configuration:
        """Build a configuration from nested plain values, as in `conf/`.

        Raises
        ------
        RequestError
            If a key is unknown or missing, or a value is not allowed.
        """
        mapping = completed(mapping) if isinstance(mapping, Mapping) else mapping
        refuse_unknown_keys(cls, mapping)
        sections: dict[str, Any] = {
            name: section.from_mapping(mapping[name]) for name, section in SECTIONS.items()
        }
        return cls(**sections, seed=mapping["seed"])

    def to_mapping(self) -> dict[str, Any]:
        """Return nested plain values, as in `conf/`."""
        sections = {name: getattr(self, name).to_mapping() for name in SECTIONS}
        return sections | {"seed": self.seed}

    def input_events(self, start: EndState | None = None) -> Iterator[Cells]:
        """Yield the input events in time order, in chunks, as they arrive at the synapses.

        Parameters
        ----------
        start : EndState, optional
            The state of a run: those before it are left out.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice; indices, dimensionless.
        """
        dt, inputs = self.simulation.dt, self.input
        # Of a run that goes on from a state: of as many steps again, at most.
        n_steps = self.simulation.n_steps + (start.step if start else 0)
        if inputs.bernoulli and start and start.n_events != UNKNOWN:
            p, position = inputs.spike_probability(dt), (start.n_events, start.next_cell)
            return bernoulli_cells(p, inputs.n_synapses, n_steps, self.input_seed, *position)
        events, n_cells = inputs.events(dt, n_steps, self.input_seed), n_steps * inputs.n_synapses
        if not inputs.bernoulli:
            events = checked_cells(events, n_cells, inputs.name)
        if self.axonal_cells:
            events = arriving_cells(events, self.axonal_cells, n_cells)
        return cells_from(events, start.step * inputs.n_synapses) if start else events

    def inhibitory_events(self, start: EndState | None = None) -> Iterator[Cells]:
        """Yield the spikes of the inhibitory population in time order, in chunks, without end.

        Parameters
        ----------
        start : EndState, optional
            The state of a run: those before it are left out.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice of steps and inhibitory synapses; indices, dimensionless.
        """
        inhibition, dt = self.inhibition, self.simulation.dt
        position = (start.n_inhibitory, start.next_inhibitory_cell) if start else (0, 0)
        n_steps = MOST_CELLS // max(1, inhibition.n_synapses)
        return inhibition.events(dt, n_steps, self.input_seed, *position)

    @property
    def axonal_cells(self) -> int:
        """The axonal delay in cells of the lattice: so much later do input spikes arrive."""
        return self.synapse.delay_steps(self.simulation.dt)[0] * self.input.n_synapses

    @property
    def input_seed(self) -> int:
        """Seed of the input events and of the inhibitory ones; see `input.seed_policy`.

        Where it is independent, on the seed and on all values that determine results without
        what ends a run and the recording: a longer run has the events of a shorter one.
        """
        if self.input.seed_policy == SEED_POLICIES[0]:
            return self.seed
        others = [name for name in SECTIONS if name not in ("record", "settle")]
        keyed = {name: getattr(self, name).key_values() for name in others}
        values = {name: own for name, own in keyed.items() if own}  # as if unknown where neutral
        values["simulation"] = {"dt": self.simulation.dt}
        return point_seed(self.seed, str(values))

    @property
    def largest_stable_conductance(self) -> float:
        """Sum of conductances, relative to the leak, at which the Euler step reaches its target.

        By a larger one the potential passes the value that it tends to: dt (1 + g) / tau_m is > 1.
        """
        return self.neuron.tau_m / self.simulation.dt - 1

    @property
    def n_samples(self) -> int:
        """Number of samples of the weights: those that are not after the end of the run."""
        interval = self.record.weight_interval
        if interval is None:
            return 0
        if self.simulation.ends_when_settled:
            return sample_times(self.simulation.duration, interval).size
        return math.floor(round(self.simulation.duration / interval, 6))

    def sample_steps(self) -> NDArray[np.int64]:
        """Return the numbers of steps after which the weights of a fixed duration are sampled.

        Returns
        -------
        ndarray of int64, (n_samples,)
            Rising, dimensionless.
        """
        interval = self.record.weight_interval
        if interval is None:
            return np.empty(0, dtype=np.int64)
        spacing = steps(interval, self.simulation.dt)
        return spacing * np.arange(1, self.n_samples + 1)

    def sample_intervals(self) -> NDArray[np.float64]:
        """Return the times from each sample of the weights to the next.

        Returns
        -------
        ndarray, (n_samples,)
            Up to each sample [ms].
        """
        interval = self.record.weight_interval
        if interval is None or not self.simulation.ends_when_settled:
            return np.full(self.n_samples, interval, dtype=np.float64)
        return np.diff(sample_times(self.simulation.duration, interval), prepend=0)

    @property
    def keeps_state(self) -> bool:
        """Whether the end state is kept, by default where a weight history is recorded."""
        if self.record.state is not None:
            return self.record.state
        return self.record.weight_interval is not None or self.simulation.ends_when_settled

    @property
    def can_go_on(self) -> bool:
        """Whether a longer run begins with what was recorded of a shorter one."""
        return not (self.input.needs_duration or self.record.traces)

    def with_seed(self, seed: int) -> Configuration:
        """Return the same configuration with another seed; only the seed is validated.

        Raises
        ------
        RequestError
            If the seed is not allowed.
        """
        return self.with_admitted(seed=self.quantities()["seed"].admit("seed", seed))

    def replaced(self, values: Mapping[str, Any]) -> Configuration:
        """Return the same configuration with other values of some keys, validated.

        It is what `pipeline.configure` returns with the values as further overrides, without
        composing. Like overrides, the values hold for every choice of a group that is swept later.

        Parameters
        ----------
        values : mapping
            Values by key, such as `{"stdp.A_plus": 0.004, "seed": 3}`.

        Returns
        -------
        Configuration
            A new one.

        Raises
        ------
        RequestError
            If a key is unknown, chooses a rule, a process or a group, or is referred to by `${...}`
            of a value that is not replaced as well; or if a value is not allowed or has no effect.
        """
        if not isinstance(values, Mapping):
            raise RequestError(f"{written('values', values)}: must map keys to values")
        references = {key: names for key, names in self.references.items() if key not in values}
        given: dict[str, dict[str, Any]] = {}
        for key, value in values.items():
            section, name = self.replaceable(key, value, references)
            given.setdefault(section, {})[name] = value
        changed: dict[str, Any] = {
            section: dataclasses.replace(getattr(self, section), **fields)
            for section, fields in given.items()
            if section
        }
        made = dataclasses.replace(self, **given.get("", {}), **changed)
        own = {f"{key}=": override_text(key, made._value(key)) for key in values}
        kept = [text for text in self.overrides if not text.startswith(tuple(own))]
        overrides = (*kept, *own.values())
        typed = {key: written(key, value) for key, value in values.items()}
        made.stdp.refuse_replaced(overrides_by_key(kept) | typed)
        return made.with_admitted(overrides=overrides, references=references)

    def _value(self, key: str) -> Any:
        """Return the value of a key, such as `stdp.A_plus`."""
        section, _, name = key.rpartition(".")
        return getattr(getattr(self, section) if section else self, name)

    def replaceable(
        self, key: Any, value: Any, references: Mapping[str, frozenset[str]]
    ) -> tuple[str, str]:
        """Return section and field of a key that `replaced` may set while some references stay.

        Raises
        ------
        RequestError
            If it may not.
        """
        section, _, name = str(key).rpartition(".")
        if section == "run" or key in _OF_A_SWEEP:
            raise RequestError(
                f"{written(key, value)}: must be an argument of pipeline.simulate or "
                "pipeline.sweep (run settings, directory); a configuration is the model's alone"
            )
        owner = getattr(self, section) if section in SECTIONS else self
        if key in SECTIONS or key in owner.choosing_keys() or key in HASHED_KEYS:
            raise RequestError(f"{written(key, value)}: must be chosen with pipeline.configure")
        if key not in map(owner.key, owner.quantities()):
            parts = [self, *(getattr(self, name) for name in SECTIONS)]
            known = [part.key(field) for part in parts for field in part.quantities()]
            raise unknown_key(str(key), value, known)
        for referring, names in references.items():
            if name in names:
                raise RequestError(
                    f"{written(key, value)}: {referring} refers to it by ${{...}}; replace both, "
                    "or use pipeline.configure"
                )
        return section, name


SECTIONS: dict[str, type[Section]] = {
    section.section: section
    for section in (Neuron, Synapse, Rule, InputProcess, Inhibition, Simulation, Settle, Record)
}


def all_quantities() -> dict[str, Quantity]:
    """Return every quantity of a configuration by its key, such as `stdp.A_plus`.

    Where variants of a section share a field, the quantity is that of the first one.
    """
    return _quantities_of(all_variants())


def all_variants() -> tuple[type[Section], ...]:
    """Return the classes of all sections: each registered rule and process, and the others."""
    return tuple(variant for section in SECTIONS.values() for variant in section.variants())


@functools.lru_cache(maxsize=4)
def _quantities_of(sections: tuple[type[Section], ...]) -> dict[str, Quantity]:
    keyed: dict[str, Quantity] = {}
    every: list[type[Section]] = [*sections, Configuration]
    for section in every:
        for name, declared in section.quantities().items():
            keyed.setdefault(section.key(name), declared)
    return keyed


@functools.lru_cache(maxsize=256)
def short_name(key: str) -> str:
    """Return the name of a key's dimension: its last word, with its section if that is shared."""
    section, _, name = key.rpartition(".")
    earlier = [one.quantities() for one in SECTIONS.values()][: [*SECTIONS, section].index(section)]
    shared = section in SECTIONS and any(name in quantities for quantities in earlier)
    return f"{section}_{name}" if shared else name


def declarations(key: str) -> list[Quantity]:
    """Return the quantities that the variants of a section declare under a key."""
    section, _, name = key.rpartition(".")
    variants = SECTIONS[section].variants() if section in SECTIONS else [Configuration]
    return list(dict.fromkeys(v.quantities()[name] for v in variants if name in v.quantities()))


def neutral_mapping() -> dict[str, Any]:
    """Return the neutral values of all fields that have one, nested as in `conf/`."""
    neutral: dict[str, Any] = {name: {} for name in SECTIONS}
    for name, section in SECTIONS.items():
        for variant in section.variants():
            neutral[name] |= variant.neutral_values()
    return neutral


def completed(nested: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested plain values, neutral ones filled in where a field or section is missing.

    A configuration written before a field existed thus keeps its meaning.

    Raises
    ------
    RequestError
        If a section names a variant that does not exist.
    """
    filled = dict(nested)
    for name, section in SECTIONS.items():
        only_neutral = len(section.neutral_values()) == len(section.quantities())
        given = nested.get(name, {} if only_neutral else None)
        if isinstance(given, Mapping):
            filled[name] = section.variant(given).neutral_values() | dict(given)
    return filled


def by_key(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted key, such as `stdp.A_plus`."""
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        key = f"{prefix}{name}"
        flat |= by_key(value, f"{key}.") if isinstance(value, Mapping) else {key: value}
    return flat
