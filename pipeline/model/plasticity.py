"""Spike-timing-dependent plasticity in plain numpy: the window and the two weight updates.

The rule is additive and all-to-all with hard bounds (Song, Miller & Abbott 2000). Two traces carry
the spike history: `x_pre` of each synapse and `x_post` of the neuron. Both jump by 1 at a spike and
decay with `tau_plus` and `tau_minus`, so that A_plus x_pre and A_minus x_post sum the window over
all earlier spikes.

A presynaptic and a postsynaptic spike in the same time step count as both LTP and LTD. With traces
that decay by the factor (1 - dt/tau) a step, the two areas of the discrete window are then A tau
exactly, whatever dt is, and their ratio is `effective_ltd_ratio`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.model.parameters import Stdp


def window(time_difference: ArrayLike, stdp: Stdp) -> NDArray[np.float64]:
    """Weight change caused by one pair of spikes.

    Parameters
    ----------
    time_difference : array_like
        t_pre - t_post [ms].
    stdp : Stdp
        Amplitudes and time constants.

    Returns
    -------
    ndarray
        A_plus exp(t / tau_plus) where t <= 0 (pre before post: LTP), and
        -A_minus exp(-t / tau_minus) where t > 0 (LTD); shape of `time_difference`.
    """
    t = np.asarray(time_difference, dtype=float)
    stdp = stdp.resolved()
    ltp = stdp.A_plus * np.exp(np.minimum(t, 0) / stdp.tau_plus)
    ltd = -stdp.A_minus * np.exp(-np.maximum(t, 0) / stdp.tau_minus)
    return np.where(t <= 0, ltp, ltd)


def effective_ltd_ratio(stdp: Stdp) -> float:
    """Area of the LTD half of the window over that of the LTP half; nan without LTP."""
    stdp = stdp.resolved()
    ltp_area = stdp.A_plus * stdp.tau_plus
    return stdp.A_minus * stdp.tau_minus / ltp_area if ltp_area else float("nan")


def potentiate(w: NDArray, x_pre: NDArray, A_plus: float) -> None:
    """Let every weight gain A_plus x_pre at an output spike, up to 1; in place, `(n_synapses,)`."""
    w += A_plus * x_pre
    np.minimum(w, 1.0, out=w)


def depress(w_active: NDArray, x_post: float, A_minus: float) -> NDArray:
    """Return the weights of the synapses that spike, less A_minus x_post, down to 0."""
    return np.maximum(w_active - A_minus * x_post, 0.0)
