"""Theory of the equilibrium: weight densities and the homeostatic output rate.

A weight w in [0, 1] is moved by the pairs of input spikes, of rate r, and output spikes, of rate
rho. Its density in equilibrium follows from the Fokker-Planck equation with no flux through the
bounds (van Rossum, Bi & Turrigiano 2000, J. Neurosci. 20:8812; Rubin, Lee & Sompolinsky 2001,
Phys. Rev. Lett. 86:364):

    P(w) = N / D(w) exp(2 int A/D dw)
    A(w) = r rho [tau_plus p(w) - tau_minus d(w)] + r p(w) c w
    D(w) = r rho [tau_plus p(w)^2 + tau_minus d(w)^2] / 2

p(w) and d(w) are the steps of potentiation and depression, such as A_plus (1 - w)^mu_plus and
A_minus w^mu_minus. c is the causal contribution of the synapse itself: excess postsynaptic spikes
per presynaptic spike at w = 1, weighted by exp(-lag / tau_plus). r cancels. `pair_rule` has drift
and diffusion in time steps, for any pairing and coincidence, and with a minimum interval between
output spikes.

Not covered: correlated input, and steps so large that single pairs move a weight far; see
`coverage`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.measures.pair_rule import WEIGHTS, PairRule

#: Width of a cell around each of `WEIGHTS`.
_CELL = 1 / WEIGHTS.size

#: Number of halvings of the interval in which a coefficient is sought.
_N_HALVINGS = 50

#: Number of doublings of the interval after which no coefficient is expected: far beyond it, sums
#: of exponents lose their small terms.
_N_DOUBLINGS = 20


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
    return fokker_planck(rule.drift(c_over_rho), rule.diffusion)


def fokker_planck(drift: NDArray, diffusion: NDArray) -> NDArray[np.float64]:
    """Return the stationary solution of a Fokker-Planck equation with reflecting bounds.

    P(w) = N / D(w) exp(2 int A/D dw) (Gardiner 2009, Stochastic Methods, equation 5.2.6).

    Parameters
    ----------
    drift, diffusion : ndarray, (..., n_weights)
        A and D in the middles of equal cells between 0 and 1, as `WEIGHTS` are, both in the same
        unit, such as [1/ms].

    Returns
    -------
    ndarray, (..., n_weights)
        Density at these weights, dimensionless, with integral 1.
    """
    slope = 2 * drift / diffusion
    rises = (slope[..., 1:] + slope[..., :-1]) / 2 / slope.shape[-1]
    potential = -np.log(diffusion)
    potential[..., 1:] += np.cumsum(rises, axis=-1)
    return _normalised(np.exp(potential - potential.max(axis=-1, keepdims=True)))


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
    ltp, ltd = _areas_of_amplitudes(rule, 1.0, 1.0)
    w = ltp / (ltp + ltd)
    return w, _diffusion_at(w, rule) / (2 * (ltp + ltd))


def van_rossum_moments(rule: PairRule) -> tuple[float, float]:
    """Return mean and variance of the weights under the rule of van Rossum et al. 2000, for c = 0.

    w* = 1 / B; the variance is D(w*) / (2 |A'(w*)|): A_plus (1 + B^2 w*^2) / (4 B) for equal time
    constants, in continuous time.
    """
    ltp, ltd = _areas_of_amplitudes(rule, 0.0, 1.0)
    w = ltp / ltd
    return w, _diffusion_at(w, rule) / (2 * ltd)


def gutig_mean(rule: PairRule, mu: float) -> float:
    """Return the weight of zero drift under the rule of Guetig et al. 2003, for c = 0.

    w* = 1 / (1 + B^(1/mu)).
    """
    ltp, ltd = _areas_of_amplitudes(rule, mu, mu)
    return float(1 / (1 + (ltd / ltp) ** (1 / mu)))


def _areas_of_amplitudes(rule: PairRule, mu_plus: float, mu_minus: float) -> tuple[float, float]:
    """Return A_plus tau_plus and A_minus tau_minus [ms] of a rule with powers of the weight."""
    A_plus = rule.potentiation[0] / (1 - WEIGHTS[0]) ** mu_plus
    A_minus = rule.depression[-1] / WEIGHTS[-1] ** mu_minus
    return float(A_plus * rule.areas[0]), float(A_minus * rule.areas[1])


def _diffusion_at(w: float, rule: PairRule) -> float:
    return float(np.interp(w, WEIGHTS, rule.diffusion))


def homeostatic_rate(c: ArrayLike, tau_plus: ArrayLike, ratio: ArrayLike) -> NDArray[np.float64]:
    """Return the stationary output rate of the additive rule, at which alpha equals beta.

    rho* = c / [2 tau_plus (B - 1)]. Above it weights decrease, below it they increase (Song, Miller
    & Abbott 2000, Nat. Neurosci. 3:919, describe the balance).

    Parameters
    ----------
    c : array_like, (...)
        Excess postsynaptic spikes per presynaptic spike at w = 1, dimensionless.
    tau_plus : array_like, (...)
        LTP time constant, or the area of the LTP half of the window over A_plus [ms].
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
    ends = np.linspace(0, 1, WEIGHTS.size + 1)
    below = np.concatenate([[0.0], np.cumsum(density) * _CELL])
    return np.diff(np.interp(np.linspace(0, 1, n_bins + 1), ends, below))


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
    return float(density @ WEIGHTS * _CELL)


def standard_deviation(density: NDArray) -> NDArray[np.float64]:
    """Return the standard deviation of densities, which are constant within a cell of the grid.

    Parameters
    ----------
    density : ndarray, (..., n_weights)
        Densities in the middles of equal cells between 0 and 1, as `WEIGHTS` are, dimensionless.

    Returns
    -------
    ndarray, (...)
        Standard deviation, dimensionless.
    """
    n = density.shape[-1]
    w = (np.arange(n) + 0.5) / n
    mean, square = density @ w / n, density @ w**2 / n
    return np.sqrt(square - mean**2 + 1 / (12 * n**2))


def alpha_of_mean(mean: float, beta: float) -> float:
    """Return the alpha of the additive density with a given mean weight and beta, by bisection.

    Raises
    ------
    ValueError
        If the mean is not inside (0, 1).
    """
    return -_coefficient(lambda minus: additive_density(-minus, beta), mean, -beta, 1e4)


def c_of_mean(rule: PairRule, mean: float) -> float:
    """Return the c / rho [ms] at which the density of a rule has a given mean weight, by bisection.

    Raises
    ------
    ValueError
        If the mean is not inside (0, 1), or no c gives it, as where weights are not potentiated.
    """
    scale = np.abs(rule.drift()).max() / max(rule.potentiation.max(), 1e-300)
    return _coefficient(lambda c: equilibrium_density(rule, c), mean, 0.0, scale)


def _coefficient(
    density: Callable[[float], NDArray], mean: float, middle: float, reach: float
) -> float:
    """Return the coefficient that gives a density its mean weight, which increases with it.

    It is sought within `reach` around `middle`, and then farther away.

    Raises
    ------
    ValueError
        If the mean is not inside (0, 1), or there is none.
    """
    if not 0 < mean < 1:
        raise ValueError(f"mean weight {mean}: must be > 0 and < 1")
    low, high = middle - reach, middle + reach
    for _ in range(_N_DOUBLINGS):
        is_low, is_high = mean_weight(density(low)) <= mean, mean_weight(density(high)) >= mean
        if is_low and is_high:
            break
        low, high = (low, high + (high - low)) if is_low else (low - (high - low), high)
    else:
        raise ValueError(f"mean weight {mean}: no coefficient gives it")
    for _ in range(_N_HALVINGS):
        tried = (low + high) / 2
        if mean_weight(density(tried)) > mean:
            high = tried
        else:
            low = tried
    return tried


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
    return density / density.mean(axis=-1, keepdims=True)
