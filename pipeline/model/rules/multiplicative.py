"""Multiplicative STDP (Rubin, Lee & Sompolinsky 2001, Phys Rev Lett 86:364)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.model.pair_rules import PairRule


@dataclass(frozen=True)
class Multiplicative(PairRule):
    """LTP is proportional to the distance to the upper bound, LTD to the weight.

    Weights gather around w* = 1 / (1 + B), B the ratio of the areas of LTD and LTP.
    """

    name: ClassVar[str] = "multiplicative"

    @staticmethod
    def potentiate(w: Any, traces: Any, fields: Any) -> Any:
        """Return w + A_plus (1 - w) x_pre."""
        return w + fields.A_plus * (1 - w) * traces.x_pre

    @staticmethod
    def depress(w: Any, traces: Any, fields: Any) -> Any:
        """Return w - A_minus w x_post."""
        return w - fields.A_minus * w * traces.x_post
