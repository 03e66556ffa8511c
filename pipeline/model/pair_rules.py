"""Pair-based STDP rules: what all of them share, and the choices of spike pairing.

At an output spike the weight changes by a function of the weight times `x_pre`, at an input spike
by another one times `x_post`. A rule that derives from `PairRule` defines these two functions only.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from pipeline.model.errors import RequestError
from pipeline.model.plain_values import rounded
from pipeline.model.plasticity import POST, PRE, Rule, Trace
from pipeline.model.quantity import quantity, written

#: `Rule.potentiate` and `Rule.depress`.
Functions = tuple[Callable[..., Any], Callable[..., Any]]

#: Which pairs of an input and an output spike count: all, or only those of neighbouring spikes.
PAIRINGS = ("all_to_all", "nearest")

#: What an input and an output spike in one time step cause.
COINCIDENCES = ("both", "ltp_only", "neither")


@dataclass(frozen=True)
class PairedRule(Rule):
    """Base of rules with a choice of spike pairing and of what coincident spikes cause.

    With `pairing=all_to_all` every spike adds 1 to its traces: all pairs of spikes count. With
    `nearest` it sets them to 1: an output spike pairs with the last input spike, and an input spike
    with the last output spike (symmetric nearest-neighbour pairing, Morrison, Diesmann & Gerstner
    2008, Biol Cybern 98:459, figure 7A). With `coincidence=both` an input and an output spike in
    one time step cause LTP and LTD, with `ltp_only` the pair counts as pre before post, and with
    `neither` not at all.
    """

    #: The traces by which coincident spikes cause LTP, and those by which they cause LTD.
    ltp_traces: ClassVar[tuple[str, ...]] = ("x_pre",)
    ltd_traces: ClassVar[tuple[str, ...]] = ("x_post",)

    pairing: str = quantity(
        "pairs of spikes that count", kind=str, choices=PAIRINGS, neutral=PAIRINGS[0]
    )
    coincidence: str = quantity(
        "what an input and an output spike in one time step cause",
        kind=str,
        choices=COINCIDENCES,
        neutral=COINCIDENCES[0],
    )

    @property
    def template(self) -> type[Rule]:
        """The class whose traces and functions are those of the rule's choices."""
        cls: Any = type(self)  # mypy takes it for unhashable
        return _template(cls, self.pairing, self.coincidence, self.functions())

    def functions(self) -> Functions:
        """Return `potentiate` and `depress`, or faster ones that are equal for these values."""
        return self.potentiate, self.depress


@functools.cache
def _template(cls: Any, pairing: str, coincidence: str, functions: Functions) -> type[Rule]:
    """Return a class of rules with other traces and functions, made once; itself if it has them."""
    late = {
        "both": (),
        "ltp_only": cls.ltd_traces,
        "neither": (*cls.ltd_traces, *cls.ltp_traces),
    }[coincidence]
    traces = {
        name: replace(
            trace,
            sets=trace.sets or pairing == "nearest",
            before_jump=trace.before_jump or name in late,
        )
        for name, trace in cls.traces.items()
    }
    if traces == cls.traces and functions == (cls.potentiate, cls.depress):
        return cls
    choices = ", ".join([pairing, coincidence, *(f.__qualname__ for f in functions)])
    potentiate, depress = map(staticmethod, functions)
    own = {"traces": traces, "potentiate": potentiate, "depress": depress, "choices": choices}
    return type(cls.__name__, (cls,), own)


@dataclass(frozen=True)
class PairRule(PairedRule):
    """Base of pair-based rules with amplitudes and time constants of LTP and LTD.

    `A_minus` and `tau_minus`, if null, are derived from `A_plus` and `tau_plus`, also along a swept
    axis. `effective_ltd_ratio` may be given in place of `ltd_ratio` and `A_minus`.
    """

    traces: ClassVar = {"x_pre": Trace(PRE, "tau_plus"), "x_post": Trace(POST, "tau_minus")}
    followers: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "A_minus": ("A_plus", "ltd_ratio"),
        "tau_minus": ("tau_plus",),
    }
    replaces: ClassVar = {"effective_ltd_ratio": ("ltd_ratio", "A_minus")}
    #: Their effect is that of the resolved A_minus.
    not_in_key: ClassVar[tuple[str, ...]] = ("ltd_ratio", "effective_ltd_ratio")
    theory_gap: ClassVar[str] = ""

    A_plus: float = quantity("LTP amplitude", at_least=0, at_most=1)
    ltd_ratio: float | None = quantity(
        "ratio of LTD to LTP amplitude",
        at_least=0,
        at_most=1000,
        null="where effective_ltd_ratio or A_minus is given",
    )
    A_minus: float | None = quantity(
        "LTD amplitude", at_least=0, at_most=1000, null="ltd_ratio * A_plus"
    )
    tau_plus: float = quantity("LTP time constant", "ms", above=0)
    tau_minus: float | None = quantity("LTD time constant", "ms", above=0, null="tau_plus")
    effective_ltd_ratio: float | None = quantity(
        "effective LTD ratio", at_least=0, at_most=1000, null="from A_minus", neutral=None
    )

    def refuse_unfit_values(self) -> None:
        """Refuse values that are not allowed together."""
        super().refuse_unfit_values()
        if self.effective_ltd_ratio is not None:
            vars(self).update(ltd_ratio=None, A_minus=None)  # of the parameter set
        elif self.ltd_ratio is None and self.A_minus is None:
            raise RequestError(
                f"{written(self.key('ltd_ratio'), None)}: needs a value where neither stdp.A_minus "
                "nor stdp.effective_ltd_ratio is given"
            )

    def resolved(self) -> Self:
        """Return the same rule with numbers in place of nulls."""
        if self.A_minus is not None and self.tau_minus is not None:
            return self
        tau_minus = self.tau_plus if self.tau_minus is None else self.tau_minus
        if self.A_minus is not None:
            A_minus = self.A_minus
        elif self.effective_ltd_ratio is not None:
            A_minus = self.effective_ltd_ratio * self.A_plus * (self.tau_plus / tau_minus)
        else:
            A_minus = (self.ltd_ratio or 0.0) * self.A_plus
        return self.with_admitted(A_minus=rounded(A_minus), tau_minus=tau_minus)

    def value_of(self, name: str) -> Any:
        """Return the value of a field, in place of null the one at which the rule is the same."""
        if name == "effective_ltd_ratio" and self.effective_ltd_ratio is None:
            return rounded(self.area_ratio())
        return super().value_of(name)

    def followed(self, name: str) -> tuple[str, ...]:
        """Return the fields that a field of `followers` is derived from."""
        if name == "A_minus" and self.effective_ltd_ratio is not None:
            return "A_plus", "effective_ltd_ratio", "tau_plus", "tau_minus"
        return super().followed(name)

    def area_ratio(self) -> float:
        """Return A_minus tau_minus / (A_plus tau_plus), or what is given; NaN without LTP."""
        if self.effective_ltd_ratio is not None:
            return self.effective_ltd_ratio
        rule = self.fields()
        ltp_area = rule.A_plus * rule.tau_plus
        return rule.A_minus * rule.tau_minus / ltp_area if ltp_area else float("nan")

    def discrete_area_ratio(self, dt: float) -> float:
        """Return the ratio of the areas of the window in time steps of `dt` [ms]; NaN without LTP.

        The sums over lags of (1 - dt/tau)^lag begin at lag 0 where coincident spikes count, which
        gives tau/dt for any dt, and at lag 1 where they do not.
        """
        tau = self.time_constants()
        ratio = self.area_ratio()
        if self.coincidence != "both":
            ratio *= 1 - dt / tau["x_post"]
        if self.coincidence == "neither":
            ratio /= 1 - dt / tau["x_pre"]
        return ratio


def as_of_pairs(name: str, **changed: Any) -> Any:
    """Declare a field of another rule as that of `PairRule`, with some arguments changed."""
    return quantity(**{**vars(PairRule.quantities()[name]), **changed})
