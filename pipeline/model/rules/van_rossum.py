"""STDP with additive LTP and multiplicative LTD (van Rossum, Bi & Turrigiano 2000)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pipeline.model.pair_rules import PairRule
from pipeline.model.rules.additive import Additive
from pipeline.model.rules.multiplicative import Multiplicative


@dataclass(frozen=True)
class VanRossum(PairRule):
    """LTP does not depend on the weight, LTD is proportional to it.

    Weights gather around w* = 1 / B, B the ratio of the areas of LTD and LTP (van Rossum, Bi &
    Turrigiano 2000, J Neurosci 20:8812, without its noise of single changes).
    """

    name: ClassVar[str] = "van_rossum"

    potentiate = staticmethod(Additive.potentiate)
    depress = staticmethod(Multiplicative.depress)
