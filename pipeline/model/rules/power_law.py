"""Power-law STDP (Morrison, Aertsen & Diesmann 2007, Neural Comput 19:1437)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.model.pair_rules import Functions, PairRule
from pipeline.model.quantity import quantity
from pipeline.model.rules.multiplicative import Multiplicative


@dataclass(frozen=True)
class PowerLaw(PairRule):
    """LTP grows with the power mu of the weight, LTD in proportion to it.

    In the paper, LTP is lambda w_0^(1 - mu) w^mu x_pre and LTD lambda alpha w x_post: A_plus is
    lambda, ltd_ratio is alpha, and w_0 the weight at which LTP and LTD are lambda w and lambda
    alpha w, here as a fraction of g_max. The paper has no upper bound; weights gather around
    w_0 B^(-1 / (1 - mu)), B the ratio of the areas of LTD and LTP. A weight of 0 stays 0.
    """

    name: ClassVar[str] = "power_law"

    mu: float = quantity("exponent of the weight dependence", at_least=0, at_most=100)
    w_0: float = quantity("reference weight", above=0, at_most=1000)

    @staticmethod
    def potentiate(w: Any, traces: Any, fields: Any) -> Any:
        """Return w + A_plus w_0 (w / w_0)^mu x_pre."""
        return w + fields.A_plus * fields.w_0 * (w / fields.w_0) ** fields.mu * traces.x_pre

    depress = staticmethod(Multiplicative.depress)

    def functions(self) -> Functions:
        """Return an LTP without a power where the exponent is 0 or 1."""
        ltp, ltd = super().functions()
        if ltp is PowerLaw.potentiate:  # not of a class derived from this one
            ltp = {0.0: _constant, 1.0: _proportional}.get(self.mu, ltp)
        return ltp, ltd


def _constant(w: Any, traces: Any, fields: Any) -> Any:
    """Return w + A_plus w_0 x_pre."""
    return w + fields.A_plus * fields.w_0 * traces.x_pre


def _proportional(w: Any, traces: Any, fields: Any) -> Any:
    """Return w + A_plus w_0 (w / w_0) x_pre."""
    return w + fields.A_plus * fields.w_0 * (w / fields.w_0) * traces.x_pre
