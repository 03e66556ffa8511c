"""Spike-timing-dependent plasticity: the interface of rules, shared by both engines.

A rule changes weights at spikes. It depends on the spike history through traces, each of which
jumps at presynaptic or postsynaptic spikes and decays in between by the factor (1 - dt/tau) per
step (Morrison, Diesmann & Gerstner 2008, Biol Cybern 98:459). Two functions give the new weight:

- `potentiate(w, traces, fields)` of every synapse at an output spike,
- `depress(w, traces, fields)` of a synapse at its own input spike.

Both engines clip the returned weights to [0, 1]. The reference applies the functions to arrays; the
compiled engine compiles and inlines them for scalars. They may use arithmetic, numpy functions, and
`where` in place of branches.

An input and an output spike in one time step cause both LTP and LTD: the output spike potentiates
with presynaptic traces after their jump, the input spike depresses with postsynaptic traces after
theirs (see `Trace.before_jump` for the alternative).
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.quantity import quantity, written
from pipeline.model.registry import REGISTRIES, Registry, Variant

PRE, POST = "presynaptic", "postsynaptic"

#: Names of other state variables, and of what the reference calls its traces by.
_NOT_TRACES = ("v", "g_ex", "weight_trace", "step", "values", "of", "weight", "spike_time")


def where(condition: Any, a: Any, b: Any) -> Any:
    """Return `a` where a condition holds and `b` elsewhere.

    Parameters
    ----------
    condition, a, b : array_like or scalar
        Of one shape, or broadcast to one; units are the caller's.

    Returns
    -------
    ndarray or scalar
        Of that shape and unit; a scalar in compiled rules.
    """
    return np.where(condition, a, b)


@dataclass(frozen=True)
class Trace:
    """An exponentially decaying trace of presynaptic or postsynaptic spikes, initially 0.

    Attributes
    ----------
    side : str
        `PRE`: one trace per synapse, jumps at its input spikes. `POST`: one, at output spikes.
    tau : str
        Name of the rule's field that is the time constant.
    sets : bool
        Whether a spike sets it to 1 (only the nearest spike counts) or adds 1 (all spikes count).
    before_jump : bool
        Whether the value before the jump is read in the time step of its own spike.
    """

    side: str
    tau: str
    sets: bool = False
    before_jump: bool = False

    @property
    def read(self) -> str:
        """When it is read in the step of its own spike: `before` or `after` its jump."""
        return "before" if self.before_jump else "after"


@dataclass(frozen=True)
class Rule(Variant):
    """Base of plasticity rules; a rule is a frozen dataclass that defines these class variables.

    Attributes
    ----------
    name : str
        The value of `stdp.rule`.
    traces : mapping of str to Trace
        The traces, by the names that the two functions use.
    followers : mapping of str to tuple of str
        Fields that are derived from others when null, and those others; see `resolved`.
    replaces : mapping of str to tuple of str
        Fields that, where they are not null, take the place of others, and those others; see
        `refuse_replaced`.
    not_in_key : tuple of str
        Fields that affect results only through other fields, in `resolved`.
    choices : str
        Which functions and kinds of traces a `template` has; empty in a class of rules itself.
    theory_gap : str
        Why the equilibrium theory of weights (`analysis.measures.theory`) does not cover the rule;
        empty where it does. It covers rules with one presynaptic and one postsynaptic trace of any
        kind, with LTP at output spikes and LTD at input spikes that are proportional to the trace
        and otherwise dependent on the weight alone.
    """

    registry: ClassVar[Registry]
    section: ClassVar[str] = "stdp"
    title: ClassVar[str] = "STDP rule"
    chosen_by: ClassVar[str] = "rule"
    traces: ClassVar[Mapping[str, Trace]]
    followers: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    replaces: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    not_in_key: ClassVar[tuple[str, ...]] = ()
    choices: ClassVar[str] = ""
    theory_gap: ClassVar[str] = "the rule does not say that the theory covers it"

    rule: str = quantity("plasticity rule", kind=str, neutral="additive")

    @staticmethod
    def potentiate(w: Any, traces: Any, fields: Any) -> Any:
        """Return the weights after an output spike.

        Parameters
        ----------
        w : ndarray or float, (n_synapses,)
            Weights, fraction of `synapse.g_max`, dimensionless.
        traces : namedtuple
            By name: presynaptic ones of shape (n_synapses,), postsynaptic ones scalar,
            dimensionless.
        fields : namedtuple
            The rule's numbers by name, scalars in their units.

        Returns
        -------
        ndarray or float, (n_synapses,)
            Before clipping to [0, 1], dimensionless.
        """
        raise NotImplementedError

    @staticmethod
    def depress(w: Any, traces: Any, fields: Any) -> Any:
        """Return the weights of synapses after their input spike; arguments as `potentiate`.

        Parameters
        ----------
        w : ndarray or float, (n_active,)
            Weights of the synapses that spike, fraction of `synapse.g_max`, dimensionless.
        traces, fields : namedtuple
            As for `potentiate`, presynaptic traces of shape (n_active,), dimensionless.

        Returns
        -------
        ndarray or float, (n_active,)
            Before clipping to [0, 1], dimensionless.
        """
        raise NotImplementedError

    @classmethod
    def label(cls) -> str:
        """Return its name, of a template with its choices."""
        return f"{cls.name} ({cls.choices})" if cls.choices else cls.name

    @property
    def template(self) -> type[Rule]:
        """The class that the engines run: its own, or one with the traces that its values choose.

        Numbers are constants of a run, but kinds of traces are constants of compiled code.
        """
        return type(self)

    def resolved(self) -> Self:
        """Return the same rule with numbers in place of nulls."""
        return self

    def area_ratio(self) -> float:
        """Return the ratio of LTD to LTP area of the STDP window; NaN where it is not defined.

        It is the variable `effective_ltd_ratio` of the file.
        """
        return float("nan")

    def discrete_area_ratio(self, dt: float) -> float:
        """Return the same ratio of the window in time steps of `dt` [ms]; NaN as above.

        It is the variable `discrete_ltd_ratio` of the file.
        """
        return float("nan")

    def value_of(self, name: str) -> Any:
        """Return the value of a field, in place of null the one at which the rule is the same."""
        return getattr(self.resolved(), name)

    def followed(self, name: str) -> tuple[str, ...]:
        """Return the fields that a field of `followers` is derived from."""
        return self.followers[name]

    def refuse_replaced(self, typed: Mapping[str, str]) -> None:
        """Refuse values of fields in whose place another field is set.

        Parameters
        ----------
        typed : mapping of str to str
            What was asked for: overrides by key, as on a command line.

        Raises
        ------
        RequestError
            If one of them has no effect because of a field of `replaces`.
        """
        for name, others in self.replaces.items():
            value = getattr(self, name)
            for key in map(self.key, others):
                if value is not None and key in typed:
                    raise RequestError(
                        f"{typed[key]}: must not be given together with "
                        f"{written(self.key(name), value)}, which replaces it"
                    )

    def key_values(self) -> dict[str, Any]:
        """Return the resolved values, which determine results."""
        return super(Rule, self.resolved()).key_values()

    @classmethod
    @functools.cache
    def _neutral_in_key(cls) -> tuple[list[tuple[str, Any]], bool]:
        fields, has_lists = super()._neutral_in_key()
        return [(name, value) for name, value in fields if name not in cls.not_in_key], has_lists

    def fields(self) -> Any:
        """Return the resolved numbers by name, as `potentiate` and `depress` take them."""
        return self.fields_type()(*self.numbers())

    def numbers(self) -> list[float]:
        """Return the resolved numbers, in the order of `fields_type`; NaN where one is null."""
        resolved = self.resolved()
        values = (getattr(resolved, name) for name in self.fields_type()._fields)
        return [float("nan") if value is None else float(value) for value in values]

    def time_constants(self) -> dict[str, float]:
        """Return the time constant of each trace by its name [ms]."""
        resolved = self.resolved()
        return {name: getattr(resolved, trace.tau) for name, trace in self.traces.items()}

    def shortest_time_scale(self) -> float:
        """Return the shortest time constant of its traces [ms]."""
        return min(self.time_constants().values(), default=0.0)

    @classmethod
    def source_text(cls) -> str:
        """Return the text that the class is written in, with that of functions of other rules."""
        others = (getattr(cls, name).__module__ for name in ("potentiate", "depress"))
        modules = dict.fromkeys(m for m in others if m.startswith(RULES.package))
        borrowed = (inspect.getsource(sys.modules[name]) for name in modules)
        return "\0".join([super().source_text(), cls.choices, *borrowed])

    @classmethod
    @functools.cache
    def fields_type(cls) -> Any:
        """Return the type of the argument `fields`: a namedtuple of all numeric fields."""
        names = [name for name, field in cls.quantities().items() if field.kind is not str]
        return namedtuple(f"{cls.__name__}Fields", names)

    @classmethod
    @functools.cache
    def traces_type(cls) -> Any:
        """Return the type of the argument `traces`: a namedtuple, presynaptic ones first."""
        return namedtuple(f"{cls.__name__}Traces", [*cls.traces_of(PRE), *cls.traces_of(POST)])

    @classmethod
    @functools.cache
    def traces_of(cls, side: str) -> dict[str, Trace]:
        """Return the traces of one side by name."""
        return {name: trace for name, trace in cls.traces.items() if trace.side == side}

    @classmethod
    def check(cls) -> None:
        """Validate traces and functions when the class is registered.

        Raises
        ------
        RequestError
            If a trace has no time constant among the fields, or a name that is taken, or if a
            function does not work on each weight by itself.
        """
        super().check()
        for name, trace in cls.traces.items():
            if trace.side not in (PRE, POST) or trace.tau not in cls.quantities():
                raise RequestError(
                    f"{cls.name}: trace {name} must be on side PRE or POST, and its time constant "
                    f"one of the fields {', '.join(cls.quantities())}"
                )
            if name in _NOT_TRACES or {"x_pre": PRE, "x_post": POST}.get(name) not in (
                None,
                trace.side,
            ):
                raise RequestError(f"{cls.name}: trace {name}: is taken; choose another name")
        for function in (cls.potentiate, cls.depress):
            cls._check_function(function)

    @classmethod
    def _check_function(cls, function: Callable[[Any, Any, Any], Any]) -> None:
        """Refuse a function that gives other numbers for an array than for each of its weights."""
        fields = cls.fields_type()(*[0.5] * len(cls.fields_type()._fields))
        w, x = np.array([0.25, 0.5, 0.75]), np.array([0.0, 0.3, 0.6])
        with np.errstate(all="ignore"):
            together = np.asarray(function(w, cls.traces_type()(*[x] * len(cls.traces)), fields))
            alone = [
                function(one, cls.traces_type()(*[trace] * len(cls.traces)), fields)
                for one, trace in zip(w, x, strict=True)
            ]
        if together.shape != w.shape:
            raise RequestError(
                f"{cls.name}: {function.__name__} must return an array of the weights' shape"
            )
        if together.dtype.kind != "f" or not np.allclose(together, alone, equal_nan=True):
            raise RequestError(
                f"{cls.name}: {function.__name__} must give a real number for each weight by itself"
            )


def clipped(w: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights clipped to [0, 1].

    Parameters
    ----------
    w : ndarray
        Weights of any shape, dimensionless.

    Returns
    -------
    ndarray
        Of the same shape, dimensionless; NaN stays NaN.
    """
    positive = np.maximum(w, 0.0)
    return np.minimum(positive, 1.0, out=positive)


def _vocabulary() -> dict[str, Any]:
    """Return the names that the source of a registered rule may use."""
    return {
        "np": np,
        "dataclass": dataclass,
        "dataclasses": dataclasses,
        "ClassVar": ClassVar,
        "Any": Any,
        "Rule": Rule,
        "Trace": Trace,
        "PRE": PRE,
        "POST": POST,
        "quantity": quantity,
        "where": where,
    }


#: The plasticity rules by name.
RULES = Rule.registry = Registry("stdp.rule", "pipeline.model.rules", _vocabulary)
REGISTRIES[RULES.key] = RULES
