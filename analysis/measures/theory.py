"""Theory of the equilibrium: weight densities, homeostatic output rate; and the STDP window.

A weight w in [0, 1] is moved by the pairs of input spikes, of rate r, and output spikes, of rate
rho. Its density in equilibrium follows from the Fokker-Planck equation with no flux through the
bounds (van Rossum, Bi & Turrigiano 2000, J. Neurosci. 20:8812; Rubin, Lee & Sompolinsky 2001,
Phys. Rev. Lett. 86:364):

    P(w) = N / D(w) exp(2 int A/D dw)
    A(w) = r rho [A_plus tau_plus f_plus - A_minus tau_minus f_minus] + r A_plus f_plus c w
    D(w) = r rho [A_plus^2 tau_plus f_plus^2 + A_minus^2 tau_minus f_minus^2] / 2

with f_plus = (1 - w)^mu_plus and f_minus = w^mu_minus. c is the causal contribution of the synapse
itself: excess postsynaptic spikes per presynaptic spike at w = 1, weighted by exp(-lag / tau_plus).
r cancels. In time steps, sums over lags replace tau: see `pair_rule`.

Not covered: correlated input, and amplitudes so large that single pairs move a weight far.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from analysis.measures.pair_rule import PairRule
from analysis.measures.spike_trains import TIME_DIFFERENCE
from analysis.reading.model import (
    POSTSYNAPTIC,
    PRESYNAPTIC,
    shown_steps,
    trace_side,
    trace_time_constant,
)

#: Weights at which densities are computed, (n_weights,): fine enough for the peaks at the bounds.
WEIGHTS = np.linspace(0, 1, 2001)


def equilibrium_density(rule: PairRule, c_over_rho: float = 0.0) -> NDArray[np.float64]:
    """Return the density of weights in equilibrium, for any weight dependence.

    Parameters
    ----------
    rule : PairRule
        The plasticity rule.
    c_over_rho : float
        Excess postsynaptic spikes per presynaptic spike at w = 1 over the output rate [ms].

    Returns
    -------
    ndarray, (n_weights,)
        Density at `WEIGHTS`, dimensionless, with integral 1.
    """
    return fokker_planck(rule.drift(WEIGHTS, c_over_rho), rule.diffusion(WEIGHTS))


def fokker_planck(drift: NDArray, diffusion: NDArray) -> NDArray[np.float64]:
    """Return the stationary solution of a Fokker-Planck equation with reflecting bounds.

    P(w) = N / D(w) exp(2 int A/D dw) (Gardiner 2009, Stochastic Methods, equation 5.2.6).

    Parameters
    ----------
    drift, diffusion : ndarray, (n_weights,)
        A and D at `WEIGHTS`, both in the same unit, such as [1/ms].

    Returns
    -------
    ndarray, (n_weights,)
        Density at `WEIGHTS`, dimensionless, with integral 1.
    """
    slope = 2 * drift / diffusion
    potential = _integral(slope) - np.log(diffusion)
    return _normalised(np.exp(potential - potential.max()))


def additive_density(alpha: float, beta: float) -> NDArray[np.float64]:
    """Return the equilibrium density of the additive rule, P(w) = N exp(-alpha w + beta w^2).

    Parameters
    ----------
    alpha, beta : float
        Coefficients, dimensionless; see `PairRule.alpha` and `PairRule.beta`.

    Returns
    -------
    ndarray, (n_weights,)
        Density at `WEIGHTS`, dimensionless, with integral 1.
    """
    exponent = -alpha * WEIGHTS + beta * WEIGHTS**2
    return _normalised(np.exp(exponent - exponent.max()))


def normal_density(mean: float, variance: float) -> NDArray[np.float64]:
    """Return a normal density truncated at the bounds, as of a rule with one peak between them.

    Parameters
    ----------
    mean, variance : float
        Of the normal distribution before truncation, dimensionless.

    Returns
    -------
    ndarray, (n_weights,)
        Density at `WEIGHTS`, dimensionless, with integral 1.
    """
    return _normalised(np.exp(-((WEIGHTS - mean) ** 2) / (2 * variance)))


def multiplicative_moments(rule: PairRule) -> tuple[float, float]:
    """Return mean and variance of the weights under the multiplicative rule, for c = 0.

    w* = 1 / (1 + B); the variance is D(w*) / (2 |A'(w*)|) (Rubin et al. 2001).
    """
    w = 1 / (1 + rule.ratio)
    slope = rule.A_plus * rule.tau_plus + rule.A_minus * rule.tau_minus
    return w, float(rule.diffusion(w)) / (2 * slope)


def van_rossum_moments(rule: PairRule) -> tuple[float, float]:
    """Return mean and variance of the weights under the rule of van Rossum et al. 2000, for c = 0.

    w* = 1 / B; the variance is D(w*) / (2 |A'(w*)|): A_plus (1 + B^2 w*^2) / (4 B) for equal time
    constants, in continuous time.
    """
    w = 1 / rule.ratio
    return w, float(rule.diffusion(w)) / (2 * rule.A_minus * rule.tau_minus)


def gutig_mean(rule: PairRule) -> float:
    """Return the weight of zero drift under the rule of Guetig et al. 2003, for c = 0.

    w* = 1 / (1 + B^(1/mu)).
    """
    return 1 / (1 + rule.ratio ** (1 / rule.mu_plus))


def homeostatic_rate(c: ArrayLike, tau_plus: ArrayLike, ratio: ArrayLike) -> NDArray[np.float64]:
    """Return the stationary output rate of the additive rule, at which alpha equals beta.

    rho* = c / [2 tau_plus (B - 1)]. Above it weights decrease, below it they increase (Song, Miller
    & Abbott 2000, Nat. Neurosci. 3:919, describe the balance).

    Parameters
    ----------
    c : array_like, (...)
        Excess postsynaptic spikes per presynaptic spike at w = 1, dimensionless.
    tau_plus : array_like, (...)
        LTP time constant [ms].
    ratio : array_like, (...)
        B, area of LTD over that of LTP, dimensionless.

    Returns
    -------
    ndarray, (...)
        Rate [Hz]; NaN for B <= 1, where no rate is stationary.
    """
    excess = np.asarray(ratio, dtype=float) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = 1000 * np.asarray(c) / (2 * np.asarray(tau_plus) * excess)
    return np.where(excess > 1e-9, rate, np.nan)


def refractory_share(rule: PairRule, rho: float, dead_time: float) -> float:
    """Return the factor by which refractoriness of the output reduces the diffusion.

    Two output spikes at a distance u contribute to the variance of a weight through the
    autocorrelation of the window at u. For a Poisson process with dead time and the conditional
    rate m(u) at time u after a spike, D is multiplied by 1 + 2 int k(u) (m(u) - rho) du, where k is
    the autocorrelation of the additive rule's window, normalised to 1 at 0. Our own derivation; m
    is from renewal theory (Cox 1962, Renewal Theory, chapter 4), through its Laplace transform, as
    k is a sum of exponentials.

    Parameters
    ----------
    rule : PairRule
        Amplitudes and time constants.
    rho : float
        Output rate [Hz].
    dead_time : float
        Minimum interval between output spikes [ms]; limited to 0.9 / rho.

    Returns
    -------
    float
        Between 0 and 1.
    """
    if rho <= 0:
        return 1.0
    rate = rho / 1000
    dead_time = min(dead_time, 0.9 / rate)
    hazard = rate / (1 - rate * dead_time)

    def excess(s: float) -> float:
        """Return the Laplace transform of m(u) - rho."""
        interval = hazard / (hazard + s) * np.exp(-s * dead_time)
        return interval / (1 - interval) - rate / s

    plus, minus = 1 / rule.tau_plus, 1 / rule.tau_minus
    if np.isclose(plus, minus, rtol=1e-5):  # avoids 0 / 0 below
        plus, minus = plus * (1 + 1e-5), minus * (1 - 1e-5)
    ltp, ltd = rule.A_plus**2 * rule.tau_plus, rule.A_minus**2 * rule.tau_minus
    same = ltp * excess(plus) + ltd * excess(minus)
    # One output spike before the input spike and one after it: the signs of the halves differ.
    unlike = rule.A_plus * rule.A_minus * (excess(plus) - excess(minus)) / (minus - plus)
    return 1 + (same - 2 * unlike) / float(rule.diffusion(0.0))


def shares_in_bins(density: NDArray, n_bins: int) -> NDArray[np.float64]:
    """Return the fraction of weights in equal bins over [0, 1].

    Parameters
    ----------
    density : ndarray, (n_weights,)
        Density at `WEIGHTS`, dimensionless.
    n_bins : int
        Number of bins.

    Returns
    -------
    ndarray, (n_bins,)
        Fractions, dimensionless.
    """
    return np.diff(np.interp(np.linspace(0, 1, n_bins + 1), WEIGHTS, _integral(density)))


def mean_weight(density: NDArray) -> float:
    """Return the mean weight of a density.

    Parameters
    ----------
    density : ndarray, (n_weights,)
        Density at `WEIGHTS`, dimensionless.

    Returns
    -------
    float
        Mean weight, dimensionless.
    """
    return float(_integral(density * WEIGHTS)[-1])


def alpha_of_mean(mean: float, beta: float) -> float:
    """Return the alpha of the additive density with a given mean weight and beta, by bisection.

    Raises
    ------
    ValueError
        If the mean is not inside (0, 1).
    """
    if not 0 < mean < 1:
        raise ValueError(f"mean weight {mean}: must be > 0 and < 1")
    low, high = beta - 1e4, beta + 1e4
    for _ in range(80):
        alpha = (low + high) / 2
        if mean_weight(additive_density(alpha, beta)) > mean:
            low = alpha
        else:
            high = alpha
    return alpha


def total_variation(one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """Return the total variation distance of two histograms, half the sum of differences.

    Parameters
    ----------
    one, other : array_like, (..., n_bins)
        Fractions in bins, dimensionless.

    Returns
    -------
    ndarray, (...)
        Between 0 and 1, dimensionless.
    """
    return np.abs(np.asarray(one) - np.asarray(other)).sum(axis=-1) / 2


def _normalised(density: NDArray) -> NDArray:
    return density / _integral(density)[-1]


def _integral(values: NDArray) -> NDArray:
    """Return the integral from 0 to each of `WEIGHTS`, by the trapezoidal rule."""
    steps = (values[1:] + values[:-1]) / 2 * np.diff(WEIGHTS)
    return np.concatenate([[0.0], np.cumsum(steps)])


def stdp_window(dataset: xr.Dataset, n_points: int = 400) -> xr.DataArray:
    """Return the STDP window: the weight change per isolated pair of spikes.

    The sum over presynaptic traces of step exp(t / tau) for t = t_pre - t_post <= 0, and over
    postsynaptic traces of step exp(-t / tau) for t > 0, with the steps of the file, at w = 0.5 if
    they depend on the weight. Of the additive rule it is A_plus exp(t / tau_plus) and -A_minus
    exp(-t / tau_minus) (Song, Miller & Abbott 2000, Nat. Neurosci. 3:919). It lacks changes that
    are not proportional to one trace, as by triplets of spikes.

    Parameters
    ----------
    dataset : Dataset
        Results with `status` (...), dimensionless, along all swept axes.
    n_points : int
        Number of time differences; half of them on either side.

    Returns
    -------
    DataArray, (..., time_difference)
        Weight change, dimensionless, along the swept axes that the window depends on and
        `time_difference` [ms] up to five times the longest time constant of a trace with a step. 0
        occurs twice, as the window is discontinuous there. The long name says the weight where
        steps depend on it.
    """
    (steps, at), side, tau = shown_steps(dataset), trace_side(dataset), trace_time_constant(dataset)
    reach = 5 * float(tau.where(steps != 0).max())
    reach = reach if np.isfinite(reach) else 5 * float(tau.max())
    before = np.linspace(-reach, 0, n_points // 2)
    halves = [
        (steps * np.exp(-abs(xr.DataArray(t, dims="time_difference")) / tau))
        .where(side == of_side)
        .sum("trace")
        for t, of_side in ((before, PRESYNAPTIC), (-before[::-1], POSTSYNAPTIC))
    ]
    window = xr.concat(halves, "time_difference", coords="minimal", compat="override")
    window = window.reset_coords(drop=True).transpose(..., "time_difference")
    times = ("time_difference", np.concatenate([before, -before[::-1]]), TIME_DIFFERENCE)
    window.attrs = {"long_name": f"weight change per pair of spikes{at}"}
    return window.assign_coords(time_difference=times)
