"""STDP with a power of the weight (Gütig, Aharonov, Rotter & Sompolinsky 2003)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pipeline.model.pair_rules import Functions, PairRule
from pipeline.model.quantity import quantity
from pipeline.model.rules.additive import Additive
from pipeline.model.rules.multiplicative import Multiplicative

_MU = "exponent of the weight dependence"


@dataclass(frozen=True)
class Gutig(PairRule):
    """LTP is proportional to (1 - w)^mu_plus, LTD to w^mu_minus (J Neurosci 23:3697).

    `mu` sets both exponents where they are null. 0 is the additive rule, 1 the multiplicative one,
    mu_plus 0 with mu_minus 1 that of van Rossum et al. 2000; no power is computed for these. In
    between, weights gather in one peak or two, depending on mu and on the correlation of the input.
    """

    name: ClassVar[str] = "gutig"
    followers: ClassVar = {**PairRule.followers, "mu_plus": ("mu",), "mu_minus": ("mu",)}
    #: The effect of mu is that of the resolved exponents.
    not_in_key: ClassVar = (*PairRule.not_in_key, "mu")

    mu: float = quantity(_MU, at_least=0, at_most=100)
    mu_plus: float | None = quantity(
        f"{_MU}, LTP", at_least=0, at_most=100, null="mu", neutral=None
    )
    mu_minus: float | None = quantity(
        f"{_MU}, LTD", at_least=0, at_most=100, null="mu", neutral=None
    )

    @staticmethod
    def potentiate(w: Any, traces: Any, fields: Any) -> Any:
        """Return w + A_plus (1 - w)^mu_plus x_pre."""
        return w + fields.A_plus * (1 - w) ** fields.mu_plus * traces.x_pre

    @staticmethod
    def depress(w: Any, traces: Any, fields: Any) -> Any:
        """Return w - A_minus w^mu_minus x_post."""
        return w - fields.A_minus * w**fields.mu_minus * traces.x_post

    def functions(self) -> Functions:
        """Return the functions of the rules without a power where an exponent is 0 or 1."""
        rules: dict[float | None, type[PairRule]] = {0: Additive, 1: Multiplicative}
        exponents, (ltp, ltd) = self.resolved(), super().functions()
        # A class derived from this one may have functions of its own.
        if ltp is Gutig.potentiate and exponents.mu_plus in rules:
            ltp = rules[exponents.mu_plus].potentiate
        if ltd is Gutig.depress and exponents.mu_minus in rules:
            ltd = rules[exponents.mu_minus].depress
        return ltp, ltd

    def resolved(self) -> Self:
        """Return the same rule with numbers in place of nulls."""
        pair = super().resolved()
        mu = {"mu_plus": self.mu_plus, "mu_minus": self.mu_minus}
        values = {name: self.mu if value is None else value for name, value in mu.items()}
        return pair if values == mu else pair.with_admitted(**values)
