"""What the equations say without a simulation: the window, equilibrium densities, output rate.

A weight w in [0, 1] is moved by the pairs of input spikes, of rate r, and output spikes, of rate
rho. Its density in equilibrium follows from the Fokker-Planck equation with no flux through the
bounds (van Rossum, Bi & Turrigiano 2000, J. Neurosci. 20:8812; Rubin, Lee & Sompolinsky 2001,
Phys. Rev. Lett. 86:364):

    P(w) = N / D(w) exp(2 int A/D dw)
    A(w) = r rho [A_plus tau_plus f_plus - A_minus tau_minus f_minus] + r A_plus f_plus c w
    D(w) = r rho [A_plus^2 tau_plus f_plus^2 + A_minus^2 tau_minus f_minus^2] / 2

with f_plus = (1 - w)^mu_plus and f_minus = w^mu_minus. c is what the synapse itself adds: output
spikes per input spike at w = 1, each weighted with exp(-lag / tau_plus). r cancels. In time steps
tau stands for a sum over lags: see `step_area` and `step_variance`.

Not covered: correlated input, and amplitudes so large that single pairs move a weight far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from analysis.reading.dataset import parameter

#: Weights at which densities are computed: fine against the piles at the bounds.
WEIGHTS = np.linspace(0, 1, 2001)


@dataclass(frozen=True)
class PairRule:
    """A pair rule as the theory sees it: areas, variances and weight dependence.

    Attributes
    ----------
    A_plus, A_minus : float
        Amplitudes.
    tau_plus, tau_minus : float
        Time constants in the drift [ms]: areas of the two halves of the window, per amplitude.
    tau_plus_variance, tau_minus_variance : float
        Time constants in the diffusion [ms].
    coincidence : float
        Time in which two spikes coincide, and are LTP and LTD at once, which nearly cancel [ms]: 0
        in continuous time.
    mu_plus, mu_minus : float
        Exponents: 0, 0 additive; 1, 1 multiplicative (Rubin et al. 2001); 0, 1 van Rossum et al.
        2000; mu, mu Guetig et al. 2003 (J. Neurosci. 23:3697).
    """

    A_plus: float
    A_minus: float
    tau_plus: float
    tau_minus: float
    tau_plus_variance: float
    tau_minus_variance: float
    mu_plus: float = 0.0
    mu_minus: float = 0.0
    coincidence: float = 0.0

    @classmethod
    def in_steps(
        cls,
        A_plus: float,
        A_minus: float,
        tau_plus: float,
        tau_minus: float,
        dt: float,
        mu_plus: float = 0.0,
        mu_minus: float = 0.0,
    ) -> PairRule:
        """Return the rule as it acts in steps of dt, with Euler traces and coincidences counted."""
        taus = tau_plus, tau_minus
        areas = (step_area(tau, dt) for tau in taus)
        variances = (step_variance(tau, dt) for tau in taus)
        return cls(A_plus, A_minus, *areas, *variances, mu_plus, mu_minus, coincidence=dt)

    @property
    def ratio(self) -> float:
        """B, the area of the LTD half of the window over that of the LTP half."""
        return self.A_minus * self.tau_minus / (self.A_plus * self.tau_plus)

    def drift(self, w: ArrayLike, c_over_rho: float = 0.0) -> NDArray:
        """Return A(w) / (r rho), with c / rho in ms."""
        w = np.asarray(w, dtype=float)
        f_plus, f_minus = (1 - w) ** self.mu_plus, w**self.mu_minus
        independent = self.A_plus * self.tau_plus * f_plus - self.A_minus * self.tau_minus * f_minus
        return independent + self.A_plus * f_plus * c_over_rho * w

    def diffusion(self, w: ArrayLike) -> NDArray:
        """Return D(w) / (r rho).

        A coincidence moves the weight by the difference of LTP and LTD: the square of that has a
        product which the equation for continuous time does not have.
        """
        w = np.asarray(w, dtype=float)
        ltp = self.A_plus * (1 - w) ** self.mu_plus
        ltd = self.A_minus * w**self.mu_minus
        pairs = ltp**2 * self.tau_plus_variance + ltd**2 * self.tau_minus_variance
        return pairs / 2 - 2 * self.coincidence * ltp * ltd

    def density(self, c_over_rho: float = 0.0) -> NDArray:
        """Return the density in equilibrium at `WEIGHTS`, whatever the weight dependence."""
        return fokker_planck(self.drift(WEIGHTS, c_over_rho), self.diffusion(WEIGHTS))

    def alpha(self) -> float:
        """Return alpha of the additive density: the pull towards 0.

        4 (B - 1) / [A_plus (1 + B^2)] where the time constants are equal and time is continuous.
        """
        return -2 * float(self.drift(0.0)) / float(self.diffusion(0.0))

    def beta(self, c_over_rho: float) -> float:
        """Return beta of the additive density: what strong synapses gain as causes of spikes.

        2 c / [rho A_plus tau_plus (1 + B^2)] with equal time constants, in continuous time.
        """
        return self.A_plus * c_over_rho / float(self.diffusion(0.0))


def step_area(tau: float, dt: float, euler: bool = True, coincident: bool = True) -> float:
    """Return what stands for tau in a drift when time goes in steps of dt [ms].

    The sum of q^k over lags k from 0, or from 1 if coincident spikes do not count, times dt; q is
    (1 - dt/tau) for Euler traces, which gives tau itself, or exp(-dt/tau).
    """
    q = _decay(tau, dt, euler)
    return dt * (1 if coincident else q) / (1 - q)


def step_variance(tau: float, dt: float, euler: bool = True, coincident: bool = True) -> float:
    """Return what stands for tau in a diffusion when time goes in steps of dt [ms].

    Twice the sum of q^2k over the lags, times dt; see `step_area`.
    """
    q = _decay(tau, dt, euler)
    return 2 * dt * (1 if coincident else q**2) / (1 - q**2)


def _decay(tau: float, dt: float, euler: bool) -> float:
    return 1 - dt / tau if euler else float(np.exp(-dt / tau))


def nearest_neighbour_tau(tau: float, rate_hz: float) -> float:
    """Return the time constant [ms] of a trace that is set to 1 at a spike, in place of tau.

    tau / (1 + rate tau): a pair counts only if no other spike came between (Izhikevich & Desai
    2003, Neural Comput. 15:1511).
    """
    return tau / (1 + rate_hz * tau / 1000)


def fokker_planck(drift: NDArray, diffusion: NDArray) -> NDArray:
    """Return the density at `WEIGHTS` of which drift and diffusion there are given.

    P(w) = N / D(w) exp(2 int A/D dw), no flux through 0 and 1; its integral is 1. Gardiner 2009,
    Stochastic Methods, equation 5.2.6.
    """
    slope = 2 * drift / diffusion
    potential = _integral(slope) - np.log(diffusion)
    return _normalised(np.exp(potential - potential.max()))


def additive_density(alpha: float, beta: float) -> NDArray:
    """Return P(w) = N exp(-alpha w + beta w^2) at `WEIGHTS`, the additive rule's equilibrium."""
    exponent = -alpha * WEIGHTS + beta * WEIGHTS**2
    return _normalised(np.exp(exponent - exponent.max()))


def normal_density(mean: float, variance: float) -> NDArray:
    """Return a normal density at `WEIGHTS`, cut off at the bounds: of a rule with one soft peak."""
    return _normalised(np.exp(-((WEIGHTS - mean) ** 2) / (2 * variance)))


def multiplicative_moments(rule: PairRule) -> tuple[float, float]:
    """Return mean and variance of the multiplicative rule's weights, c = 0.

    w* = 1 / (1 + B); the variance is D(w*) / (2 |A'(w*)|) (Rubin et al. 2001).
    """
    w = 1 / (1 + rule.ratio)
    pull = rule.A_plus * rule.tau_plus + rule.A_minus * rule.tau_minus
    return w, float(rule.diffusion(w)) / (2 * pull)


def van_rossum_moments(rule: PairRule) -> tuple[float, float]:
    """Return mean and variance of the weights of van Rossum et al. 2000, c = 0.

    w* = 1 / B; the variance is D(w*) / (2 |A'(w*)|): A_plus (1 + B^2 w*^2) / (4 B) for equal time
    constants, in continuous time.
    """
    w = 1 / rule.ratio
    return w, float(rule.diffusion(w)) / (2 * rule.A_minus * rule.tau_minus)


def gutig_mean(rule: PairRule) -> float:
    """Return where drift is 0 in the rule of Guetig et al. 2003, c = 0: 1 / (1 + B^(1/mu))."""
    return 1 / (1 + rule.ratio ** (1 / rule.mu_plus))


def homeostatic_rate(c: ArrayLike, tau_plus: ArrayLike, ratio: ArrayLike) -> NDArray | float:
    """Return the output rate [Hz] at which both piles of the additive rule hold their own.

    rho* = c / [2 tau_plus (B - 1)]: beta = alpha. Above it weights fall, below it they rise. NaN
    for B <= 1, where nothing holds the rate. Song, Miller & Abbott 2000 describe the balance.
    """
    excess = np.asarray(ratio, dtype=float) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = 1000 * np.asarray(c) / (2 * np.asarray(tau_plus) * excess)
    return np.where(excess > 1e-9, rate, np.nan)


def refractory_share(rule: PairRule, rho: float, dead_time: float) -> float:
    """Return the share of the diffusion that is left when output spikes keep a distance.

    Two output spikes that are close in time add to the variance of a weight, by the autocorrelation
    of the window at their distance u. Where the output is a Poisson process with a dead time, with
    m(u) spikes at u after a spike, D is multiplied with 1 + 2 int k(u) (m(u) - rho) du, k being the
    autocorrelation of the additive rule's window over its value at 0. Our own derivation; m from
    renewal theory (Cox 1962, Renewal Theory, chapter 4), by its Laplace transform, as k is made of
    exponentials.

    Parameters
    ----------
    rule : PairRule
        Amplitudes and time constants.
    rho : float
        Output rate [Hz].
    dead_time : float
        Time after an output spike in which no other can follow [ms]; at most 0.9 / rho is taken.
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
    if np.isclose(plus, minus, rtol=1e-5):  # the difference below becomes a derivative
        plus, minus = plus * (1 + 1e-5), minus * (1 - 1e-5)
    ltp, ltd = rule.A_plus**2 * rule.tau_plus, rule.A_minus**2 * rule.tau_minus
    same = ltp * excess(plus) + ltd * excess(minus)
    # One output spike before the input and one after it: halves of unlike signs.
    unlike = rule.A_plus * rule.A_minus * (excess(plus) - excess(minus)) / (minus - plus)
    return 1 + (same - 2 * unlike) / float(rule.diffusion(0.0))


def shares_in_bins(density: NDArray, n_bins: int) -> NDArray:
    """Return the shares of weights in equal bins, of a density at `WEIGHTS`."""
    return np.diff(np.interp(np.linspace(0, 1, n_bins + 1), WEIGHTS, _integral(density)))


def mean_weight(density: NDArray) -> float:
    """Return the mean of a density at `WEIGHTS`."""
    return float(_integral(density * WEIGHTS)[-1])


def alpha_of_mean(mean: float, beta: float) -> float:
    """Return the alpha with which the additive density of a beta has a mean weight; by bisection.

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


def total_variation(one: ArrayLike, other: ArrayLike) -> NDArray | float:
    """Return half the sum of differences of two histograms, over the last dimension: 0 to 1."""
    return np.abs(np.asarray(one) - np.asarray(other)).sum(axis=-1) / 2


def _normalised(density: NDArray) -> NDArray:
    return density / _integral(density)[-1]


def _integral(values: NDArray) -> NDArray:
    """Return the integral of values at `WEIGHTS` from 0 to each of them."""
    steps = (values[1:] + values[:-1]) / 2 * np.diff(WEIGHTS)
    return np.concatenate([[0.0], np.cumsum(steps)])


def stdp_window(dataset: xr.Dataset, n_points: int = 400) -> xr.DataArray:
    """Weight change per pair of spikes, for the parameters of a file.

    Song, Miller & Abbott 2000: A_plus exp(t / tau_plus) for t = t_pre - t_post <= 0, and
    -A_minus exp(-t / tau_minus) for t > 0.

    Returns
    -------
    DataArray, (..., time_difference)
        The swept axes that shape the window, then t over five of the longest time constants on
        either side; both signs of t = 0 are in it, as the window jumps there.
    """
    names = ("A_plus", "A_minus", "tau_plus", "tau_minus")
    A_plus, A_minus, tau_plus, tau_minus = (parameter(dataset, f"stdp.{name}") for name in names)
    reach = 5 * max(float(tau_plus.max()), float(tau_minus.max()))
    before = np.linspace(-reach, 0, n_points // 2)
    after = -before[::-1]
    attributes = {"long_name": r"time difference $t_\mathrm{pre} - t_\mathrm{post}$", "units": "ms"}
    t_ltp = xr.DataArray(before, dims="time_difference")
    t_ltd = xr.DataArray(after, dims="time_difference")
    halves = [A_plus * np.exp(t_ltp / tau_plus), -A_minus * np.exp(-t_ltd / tau_minus)]
    window = xr.concat(xr.broadcast(*halves, exclude=["time_difference"]), "time_difference")
    times = ("time_difference", np.concatenate([before, after]), attributes)
    window.attrs = {"long_name": "weight change per pair of spikes"}
    return window.assign_coords(time_difference=times)
