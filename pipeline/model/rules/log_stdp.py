"""STDP with logarithmic LTD, for long-tailed weights (Gilson & Fukai 2011, PLoS ONE 6:e25339)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pipeline.model.pair_rules import PairRule
from pipeline.model.plasticity import where
from pipeline.model.quantity import quantity


@dataclass(frozen=True)
class LogStdp(PairRule):
    """LTD is proportional to small weights and grows with the logarithm of large ones.

    LTP decreases slowly with the weight. Both scale with the reference weight w_0, here a fraction
    of g_max; the paper has no upper bound, and noise of single changes, which is not included.
    """

    name: ClassVar[str] = "log_stdp"

    w_0: float = quantity("reference weight", above=0, at_most=1000)
    alpha: float = quantity("saturation of LTD beyond the reference weight", above=0)
    beta: float = quantity("decrease of LTP, in reference weights", above=0)

    @staticmethod
    def potentiate(w: Any, traces: Any, fields: Any) -> Any:
        """Return w + A_plus exp(-w / (beta w_0)) x_pre."""
        return w + fields.A_plus * np.exp(-w / (fields.beta * fields.w_0)) * traces.x_pre

    @staticmethod
    def depress(w: Any, traces: Any, fields: Any) -> Any:
        """Return w - A_minus f(w / w_0) x_post.

        f(u) is u up to 1, and 1 + log(1 + alpha (u - 1)) / alpha beyond.
        """
        u = w / fields.w_0
        beyond = np.log(1 + fields.alpha * where(u > 1, u - 1, 0.0)) / fields.alpha
        return w - fields.A_minus * (where(u > 1, 1.0, u) + beyond) * traces.x_post
