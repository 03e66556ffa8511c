"""The model with one convention of NEST's: an input spike sends its weight after its LTD."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.model.reference import ReferenceIntegration


class SentAfterDepression(ReferenceIntegration):
    """The reference engine, with conductances that jump by the weight after its depression."""

    def _receive(self, step: int, active: NDArray[np.int64], w: NDArray[np.float64]) -> float:
        super()._receive(step, active, w)
        return float(w[active].sum())
