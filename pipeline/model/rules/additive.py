"""Additive, all-to-all STDP with hard bounds (Song, Miller & Abbott 2000, Nat Neurosci 3:919)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.model.errors import RequestError
from pipeline.model.plasticity import POST, PRE, Rule, Trace
from pipeline.model.quantity import quantity, rounded, written


@dataclass(frozen=True)
class Additive(Rule):
    """Every pair of spikes changes the weight by an amount independent of the weight.

    `A_minus` and `tau_minus`, if null, are derived from `A_plus` and `tau_plus`, also along a swept
    axis. `effective_ltd_ratio` may be given in place of `ltd_ratio` and `A_minus`. With traces that
    decay by (1 - dt/tau) per step and coincidences that cause both LTP and LTD, the areas of the
    discrete window are exactly A tau for any dt.
    """

    name: ClassVar[str] = "additive"
    traces: ClassVar = {"x_pre": Trace(PRE, "tau_plus"), "x_post": Trace(POST, "tau_minus")}
    followers: ClassVar = {"A_minus": ("A_plus", "ltd_ratio"), "tau_minus": ("tau_plus",)}
    replaces: ClassVar = {"effective_ltd_ratio": ("ltd_ratio", "A_minus")}
    #: Their effect is that of the resolved A_minus.
    not_in_key: ClassVar = ("ltd_ratio", "effective_ltd_ratio")
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.effective_ltd_ratio is not None:
            vars(self).update(ltd_ratio=None, A_minus=None)  # of the parameter set
        elif self.ltd_ratio is None and self.A_minus is None:
            raise RequestError(
                f"{written(self.key('ltd_ratio'), None)}: needs a value where neither stdp.A_minus "
                "nor stdp.effective_ltd_ratio is given"
            )

    @staticmethod
    def potentiate(w: Any, traces: Any, fields: Any) -> Any:
        """Return w + A_plus x_pre."""
        return w + fields.A_plus * traces.x_pre

    @staticmethod
    def depress(w: Any, traces: Any, fields: Any) -> Any:
        """Return w - A_minus x_post."""
        return w - fields.A_minus * traces.x_post

    def resolved(self) -> Additive:
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
