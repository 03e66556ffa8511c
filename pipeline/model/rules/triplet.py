"""Triplet STDP (Pfister & Gerstner 2006, J Neurosci 26:9673)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.model.pair_rules import PairedRule, as_of_pairs
from pipeline.model.plasticity import POST, PRE, Trace
from pipeline.model.quantity import quantity


@dataclass(frozen=True)
class Triplet(PairedRule):
    """LTP and LTD by pairs of spikes are modulated by slow traces of earlier spikes of one side.

    LTP grows with the output spikes before the one that causes it, LTD with the input spikes
    before: the slow traces are read before the jump of their own spike. This gives the dependence
    on the frequency of pairing that pair rules lack. The paper has no bounds of the weight.
    """

    name: ClassVar[str] = "triplet"
    traces: ClassVar = {
        "x_pre": Trace(PRE, "tau_plus"),
        "x_pre_slow": Trace(PRE, "tau_x", before_jump=True),
        "x_post": Trace(POST, "tau_minus"),
        "x_post_slow": Trace(POST, "tau_y", before_jump=True),
    }
    theory_gap: ClassVar[str] = "the theory covers pairs of spikes only, and the rule has triplets"

    A2_plus: float = quantity("LTP amplitude of pairs", at_least=0, at_most=1)
    A3_plus: float = quantity("LTP amplitude of triplets", at_least=0, at_most=1)
    A2_minus: float = quantity("LTD amplitude of pairs", at_least=0, at_most=1)
    A3_minus: float = quantity("LTD amplitude of triplets", at_least=0, at_most=1)
    tau_plus: float = as_of_pairs("tau_plus")
    tau_minus: float = as_of_pairs("tau_minus", null="")
    tau_x: float = quantity("time constant of the slow presynaptic trace", "ms", above=0)
    tau_y: float = quantity("time constant of the slow postsynaptic trace", "ms", above=0)

    @staticmethod
    def potentiate(w: Any, traces: Any, fields: Any) -> Any:
        """Return w + x_pre (A2_plus + A3_plus x_post_slow)."""
        return w + traces.x_pre * (fields.A2_plus + fields.A3_plus * traces.x_post_slow)

    @staticmethod
    def depress(w: Any, traces: Any, fields: Any) -> Any:
        """Return w - x_post (A2_minus + A3_minus x_pre_slow)."""
        return w - traces.x_post * (fields.A2_minus + fields.A3_minus * traces.x_pre_slow)
