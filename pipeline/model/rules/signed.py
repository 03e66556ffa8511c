"""Pair-based STDP with amplitudes of any sign, and changes at single spikes.

The linear form of Kempter, Gerstner & van Hemmen 1999, Phys Rev E 59:4498.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pipeline.model.pair_rules import PairedRule, as_of_pairs
from pipeline.model.plasticity import POST, PRE, Trace
from pipeline.model.quantity import quantity


@dataclass(frozen=True)
class Signed(PairedRule):
    """Pairs of spikes change the weight by amounts of any sign, whatever the weight.

    `A_plus` is the change by input before output, `A_minus` that by output before input, with the
    sign of LTD: both negative are anti-Hebbian STDP, a positive and a negative one a window with
    LTP on both sides. `w_in` and `w_out` are changes at every input and output spike.
    """

    name: ClassVar[str] = "signed"
    traces: ClassVar = {"x_pre": Trace(PRE, "tau_plus"), "x_post": Trace(POST, "tau_minus")}
    theory_gap: ClassVar[str] = "the theory covers LTP by pre before post, LTD by post before pre"

    A_plus: float = as_of_pairs("A_plus", at_least=-1)
    A_minus: float = as_of_pairs("A_minus", at_least=-1, at_most=1, null="")
    tau_plus: float = as_of_pairs("tau_plus")
    tau_minus: float = as_of_pairs("tau_minus", null="")
    w_in: float = quantity("weight change at an input spike", at_least=-1, at_most=1, neutral=0.0)
    w_out: float = quantity("weight change at an output spike", at_least=-1, at_most=1, neutral=0.0)

    @staticmethod
    def potentiate(w: Any, traces: Any, fields: Any) -> Any:
        """Return w + A_plus x_pre + w_out."""
        return w + fields.A_plus * traces.x_pre + fields.w_out

    @staticmethod
    def depress(w: Any, traces: Any, fields: Any) -> Any:
        """Return w - A_minus x_post + w_in."""
        return w - fields.A_minus * traces.x_post + fields.w_in
