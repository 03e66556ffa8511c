"""Pair-based plasticity rules: drift and diffusion of a weight, in continuous and discrete time.

See `theory` for the equations and their sources.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class PairRule:
    """Amplitudes, time constants and weight dependence of a pair-based rule.

    Attributes
    ----------
    A_plus, A_minus : float
        Amplitudes, dimensionless, as fractions of `g_max`.
    tau_plus, tau_minus : float
        Time constants of the drift [ms]: areas of the two halves of the window, per amplitude.
    tau_plus_variance, tau_minus_variance : float
        Time constants of the diffusion [ms].
    mu_plus, mu_minus : float
        Exponents of the weight dependence: 0, 0 additive; 1, 1 multiplicative (Rubin et al. 2001);
        0, 1 van Rossum et al. 2000; mu, mu Guetig et al. 2003 (J. Neurosci. 23:3697).
    coincidence : float
        Time within which two spikes coincide [ms]. A coincidence is LTP and LTD at once, which
        nearly cancel. 0 in continuous time.
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
        """Return the rule in time steps of dt [ms], with Euler traces and coincidences counted."""
        return cls(
            A_plus,
            A_minus,
            step_area(tau_plus, dt),
            step_area(tau_minus, dt),
            step_variance(tau_plus, dt),
            step_variance(tau_minus, dt),
            mu_plus,
            mu_minus,
            coincidence=dt,
        )

    @property
    def ratio(self) -> float:
        """B, the area of the LTD half of the window over that of the LTP half."""
        return self.A_minus * self.tau_minus / (self.A_plus * self.tau_plus)

    def drift(self, w: ArrayLike, c_over_rho: float = 0.0) -> NDArray[np.float64]:
        """Return the drift A(w) / (r rho).

        Parameters
        ----------
        w : array_like, (...)
            Weights in [0, 1], dimensionless.
        c_over_rho : float
            Excess postsynaptic spikes per presynaptic spike at w = 1 over the output rate [ms].

        Returns
        -------
        ndarray, (...)
            Drift per pair of rates [ms].
        """
        w = np.asarray(w, dtype=float)
        f_plus, f_minus = (1 - w) ** self.mu_plus, w**self.mu_minus
        independent = self.A_plus * self.tau_plus * f_plus - self.A_minus * self.tau_minus * f_minus
        return independent + self.A_plus * f_plus * c_over_rho * w

    def diffusion(self, w: ArrayLike) -> NDArray[np.float64]:
        """Return the diffusion D(w) / (r rho).

        A coincidence changes the weight by the difference of LTP and LTD. The square of that has a
        mixed product, which the equation for continuous time lacks.

        Parameters
        ----------
        w : array_like, (...)
            Weights in [0, 1], dimensionless.

        Returns
        -------
        ndarray, (...)
            Diffusion per pair of rates [ms].
        """
        w = np.asarray(w, dtype=float)
        ltp = self.A_plus * (1 - w) ** self.mu_plus
        ltd = self.A_minus * w**self.mu_minus
        pairs = ltp**2 * self.tau_plus_variance + ltd**2 * self.tau_minus_variance
        return pairs / 2 - 2 * self.coincidence * ltp * ltd

    def alpha(self) -> float:
        """Return alpha of the additive density, the coefficient of depression.

        4 (B - 1) / [A_plus (1 + B^2)] for equal time constants in continuous time.
        """
        return -2 * float(self.drift(0.0)) / float(self.diffusion(0.0))

    def beta(self, c_over_rho: float) -> float:
        """Return beta of the additive density, the coefficient of the synapse's own influence.

        2 c / [rho A_plus tau_plus (1 + B^2)] for equal time constants in continuous time, with
        c / rho in ms.
        """
        return self.A_plus * c_over_rho / float(self.diffusion(0.0))


def step_area(tau: float, dt: float, euler: bool = True, coincident: bool = True) -> float:
    """Return the time constant [ms] of the drift in time steps of dt [ms].

    The sum of q^k over lags k from 0, or from 1 if coincident spikes do not count, times dt, where
    q is (1 - dt/tau) for Euler traces, which gives tau itself, or exp(-dt/tau).
    """
    q = _decay(tau, dt, euler)
    return dt * (1 if coincident else q) / (1 - q)


def step_variance(tau: float, dt: float, euler: bool = True, coincident: bool = True) -> float:
    """Return the time constant [ms] of the diffusion in time steps of dt [ms].

    Twice the sum of q^2k over the lags, times dt; see `step_area`.
    """
    q = _decay(tau, dt, euler)
    return 2 * dt * (1 if coincident else q**2) / (1 - q**2)


def _decay(tau: float, dt: float, euler: bool) -> float:
    return 1 - dt / tau if euler else float(np.exp(-dt / tau))


def nearest_neighbour_tau(tau: float, rate_hz: float) -> float:
    """Return the effective time constant [ms] of a trace that each spike sets to 1.

    tau / (1 + rate tau) for a Poisson process of the given rate [Hz]: a pair counts only if no
    other spike lies between (Izhikevich & Desai 2003, Neural Comput. 15:1511).
    """
    return tau / (1 + rate_hz * tau / 1000)
