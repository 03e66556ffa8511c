"""Plasticity rules and an input process that are defined outside the package, as a user would."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.model.inputs import INPUT_STREAM, Cells, InputProcess, random_generator
from pipeline.model.plasticity import POST, PRE, Rule, Trace, where
from pipeline.model.quantity import quantity


@dataclass(frozen=True)
class SoftOrHard(Rule):
    """LTP by 1 - w above a weight and constant below it; LTD in proportion to w."""

    name: ClassVar[str] = "toy_branch"
    theory_gap: ClassVar[str] = "the rule is a toy"
    traces: ClassVar = {"x_pre": Trace(PRE, "tau_plus"), "x_post": Trace(POST, "tau_minus")}

    A_plus: float = quantity("LTP amplitude", at_least=0, at_most=1)
    A_minus: float = quantity("LTD amplitude", at_least=0, at_most=1000)
    tau_plus: float = quantity("LTP time constant", "ms", above=0)
    tau_minus: float = quantity("LTD time constant", "ms", above=0)
    w_soft: float = quantity("weight above which LTP is soft", at_least=0, at_most=1)

    @staticmethod
    def potentiate(w, traces, fields):
        """Return the weight after LTP."""
        room = where(w > fields.w_soft, 1 - w, 1 - fields.w_soft)
        return w + fields.A_plus * room * traces.x_pre

    @staticmethod
    def depress(w, traces, fields):
        """Return the weight after LTD."""
        return w - fields.A_minus * np.sqrt(w) * traces.x_post


@dataclass(frozen=True)
class ToyTriplet(Rule):
    """Pairs and triplets (Pfister & Gerstner 2006): the slow traces are read before their jump."""

    name: ClassVar[str] = "toy_triplet"
    theory_gap: ClassVar[str] = "the rule is a toy"
    traces: ClassVar = {
        "r1": Trace(PRE, "tau_plus"),
        "r2": Trace(PRE, "tau_x", before_jump=True),
        "o1": Trace(POST, "tau_minus"),
        "o2": Trace(POST, "tau_y", before_jump=True),
    }

    A2_plus: float = quantity("pair LTP amplitude", at_least=0, at_most=1)
    A3_plus: float = quantity("triplet LTP amplitude", at_least=0, at_most=1)
    A2_minus: float = quantity("pair LTD amplitude", at_least=0, at_most=1)
    A3_minus: float = quantity("triplet LTD amplitude", at_least=0, at_most=1)
    tau_plus: float = quantity("LTP time constant", "ms", above=0)
    tau_minus: float = quantity("LTD time constant", "ms", above=0)
    tau_x: float = quantity("slow presynaptic time constant", "ms", above=0)
    tau_y: float = quantity("slow postsynaptic time constant", "ms", above=0)

    @staticmethod
    def potentiate(w, traces, fields):
        """Return the weight after LTP."""
        return w + traces.r1 * (fields.A2_plus + fields.A3_plus * traces.o2)

    @staticmethod
    def depress(w, traces, fields):
        """Return the weight after LTD."""
        return w - traces.o1 * (fields.A2_minus + fields.A3_minus * traces.r2)


@dataclass(frozen=True)
class AntiHebbian(Rule):
    """Pre before post depresses, post before pre potentiates; only the nearest spikes count."""

    name: ClassVar[str] = "toy_anti_hebbian"
    theory_gap: ClassVar[str] = "the rule is a toy"
    traces: ClassVar = {
        "near_pre": Trace(PRE, "tau_plus", sets=True),
        "near_post": Trace(POST, "tau_plus", sets=True, before_jump=True),
    }

    A_plus: float = quantity("LTP amplitude", at_least=0, at_most=1)
    tau_plus: float = quantity("LTP time constant", "ms", above=0)

    @staticmethod
    def potentiate(w, traces, fields):
        """Return the weight after an output spike: lower."""
        return w - fields.A_plus * traces.near_pre

    @staticmethod
    def depress(w, traces, fields):
        """Return the weight after an input spike: higher."""
        return w + 0.9 * fields.A_plus * traces.near_post


@dataclass(frozen=True)
class NoTrace(Rule):
    """A rule without traces, with fields of every kind; null is NaN for its functions."""

    name: ClassVar[str] = "toy_no_trace"
    traces: ClassVar = {}

    n_steps_up: int = quantity("steps of LTP", kind=int, at_least=0)
    is_on: bool = quantity("whether LTD is on", kind=bool)
    flavour: str = quantity("flavour", kind=str, choices=("sweet", "sour"))
    floor: float | None = quantity("lowest weight", at_least=0, at_most=1, null="none")

    @staticmethod
    def potentiate(w, traces, fields):
        """Return the weight after LTP."""
        return w + 0.01 * fields.n_steps_up

    @staticmethod
    def depress(w, traces, fields):
        """Return the weight after LTD."""
        lower = w - 0.02 * fields.is_on
        return where(lower < fields.floor, fields.floor, lower)


@dataclass(frozen=True)
class Regular(InputProcess):
    """Every synapse spikes periodically, with a different phase."""

    name: ClassVar[str] = "toy_regular"

    phases: float = quantity("range of the phases, fraction of a period", at_least=0, at_most=1)

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Yield one chunk for each second."""
        period = max(1, round(1000 / (self.rate_hz * dt)))
        random = random_generator(seed, INPUT_STREAM)
        phase = np.floor(random.random(self.n_synapses) * self.phases * period)
        for start in range(0, n_steps, 1000):
            steps = np.arange(start, min(start + 1000, n_steps))
            spikes = (steps[:, np.newaxis] + phase) % period == 0
            yield start * self.n_synapses + np.flatnonzero(spikes)


#: Values of each rule's own fields.
VALUES = {
    "toy_branch": {
        "A_plus": 0.05,
        "A_minus": 0.05,
        "tau_plus": 18.0,
        "tau_minus": 25.0,
        "w_soft": 0.6,
    },
    "toy_triplet": {
        "A2_plus": 0.01,
        "A3_plus": 0.05,
        "A2_minus": 0.02,
        "A3_minus": 0.01,
        "tau_plus": 16.8,
        "tau_minus": 33.7,
        "tau_x": 101.0,
        "tau_y": 125.0,
    },
    "toy_anti_hebbian": {"A_plus": 0.03, "tau_plus": 20.0},
}
