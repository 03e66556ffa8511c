"""Additive STDP with hard bounds (Song, Miller & Abbott 2000, Nat Neurosci 3:919)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.model.pair_rules import PairRule


@dataclass(frozen=True)
class Additive(PairRule):
    """Every pair of spikes changes the weight by an amount independent of the weight.

    With traces that decay by (1 - dt/tau) per step and coincidences that cause both LTP and LTD,
    the areas of the discrete window are exactly A tau for any dt.
    """

    name: ClassVar[str] = "additive"

    @staticmethod
    def potentiate(w: Any, traces: Any, fields: Any) -> Any:
        """Return w + A_plus x_pre."""
        return w + fields.A_plus * traces.x_pre

    @staticmethod
    def depress(w: Any, traces: Any, fields: Any) -> Any:
        """Return w - A_minus x_post."""
        return w - fields.A_minus * traces.x_post
