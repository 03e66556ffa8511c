"""Pair-based STDP in which each spike pairs once: the reduced nearest-neighbour rule.

Masquelier, Guyonneau & Thorpe 2008, PLoS ONE 3:e1377.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.model.pair_rules import as_of_pairs
from pipeline.model.plasticity import POST, PRE, Rule, Trace, where

#: Two traces of one time constant are of spikes in the same step if they are as close as this.
#: They are computed in different ways; a step apart they differ by dt/tau.
_ROUNDING = 1 + 1e-9


@dataclass(frozen=True)
class ReducedNearest(Rule):
    """Each output spike pairs with the last input spike, and the other way round, but only once.

    An output spike causes LTP if there is an input spike since the output spike before it; an input
    spike causes LTD if there is an output spike since the input spike of its synapse before it. So
    LTP and LTD alternate, however different both rates are (Morrison, Diesmann & Gerstner 2008,
    Biol Cybern 98:459, figure 7C). `stdp.pairing=nearest` of other rules uses every spike instead:
    inputs that fire between output spikes are depressed each time. Changes do not depend on the
    weight. Coincident spikes cause LTP and LTD, once.

    The time of a spike is known from traces that are set to 1: of two traces of one time constant
    the larger is that of the later spike.
    """

    name: ClassVar[str] = "reduced_nearest"
    traces: ClassVar = {
        "x_pre": Trace(PRE, "tau_plus", sets=True),
        "x_post": Trace(POST, "tau_minus", sets=True),
        "earlier_pre": Trace(PRE, "tau_minus", sets=True, before_jump=True),
        "earlier_post": Trace(POST, "tau_plus", sets=True, before_jump=True),
    }
    theory_gap: ClassVar[str] = "the theory covers rules in which all pairs, or all nearest, count"

    A_plus: float = as_of_pairs("A_plus")
    A_minus: float = as_of_pairs("A_minus", at_most=1, null="")
    tau_plus: float = as_of_pairs("tau_plus")
    tau_minus: float = as_of_pairs("tau_minus", null="")

    @staticmethod
    def potentiate(w: Any, traces: Any, fields: Any) -> Any:
        """Return w + A_plus x_pre if there is an input spike since the last output spike."""
        first = traces.x_pre > traces.earlier_post * _ROUNDING
        return w + where(first, fields.A_plus * traces.x_pre, 0.0)

    @staticmethod
    def depress(w: Any, traces: Any, fields: Any) -> Any:
        """Return w - A_minus x_post if there is an output spike since the last input spike."""
        first = traces.x_post > traces.earlier_pre * _ROUNDING
        return w - where(first, fields.A_minus * traces.x_post, 0.0)
