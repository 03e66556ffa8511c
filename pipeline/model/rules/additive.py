"""Additive, all-to-all STDP with hard bounds (Song, Miller & Abbott 2000, Nat Neurosci 3:919)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.model.plasticity import POST, PRE, Rule, Trace
from pipeline.model.quantity import quantity, rounded


@dataclass(frozen=True)
class Additive(Rule):
    """Every pair of spikes changes the weight by an amount independent of the weight.

    `A_minus` and `tau_minus`, if null, are derived from `A_plus` and `tau_plus`, also along a swept
    axis. With traces that decay by (1 - dt/tau) per step and coincidences that cause both LTP and
    LTD, the areas of the discrete window are exactly A tau for any dt.
    """

    name: ClassVar[str] = "additive"
    traces: ClassVar = {"x_pre": Trace(PRE, "tau_plus"), "x_post": Trace(POST, "tau_minus")}
    followers: ClassVar = {"A_minus": ("A_plus", "ltd_ratio"), "tau_minus": ("tau_plus",)}
    not_in_key: ClassVar = ("ltd_ratio",)  # its effect is that of the resolved A_minus
    theory_gap: ClassVar[str] = ""

    A_plus: float = quantity("LTP amplitude", at_least=0, at_most=1)
    ltd_ratio: float = quantity("ratio of LTD to LTP amplitude", at_least=0, at_most=1000)
    A_minus: float | None = quantity(
        "LTD amplitude", at_least=0, at_most=1000, null="ltd_ratio * A_plus"
    )
    tau_plus: float = quantity("LTP time constant", "ms", above=0)
    tau_minus: float | None = quantity("LTD time constant", "ms", above=0, null="tau_plus")

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
        A_minus = rounded(self.ltd_ratio * self.A_plus) if self.A_minus is None else self.A_minus
        tau_minus = self.tau_plus if self.tau_minus is None else self.tau_minus
        return self.with_admitted(A_minus=A_minus, tau_minus=tau_minus)

    def effective_ltd_ratio(self) -> float:
        """Return A_minus tau_minus / (A_plus tau_plus); NaN without LTP."""
        rule = self.fields()
        ltp_area = rule.A_plus * rule.tau_plus
        return rule.A_minus * rule.tau_minus / ltp_area if ltp_area else float("nan")
