"""Pair-based plasticity rules: drift and diffusion of a weight, exactly in discrete time.

An input spike in step j and an output spike in step k change a weight through the traces of the
rule. At a weight that is held, the sums over all pairs follow from the statistics of the two spike
trains, here a Bernoulli process (input) and one with a minimum interval (output), independent of
each other: their generating functions (Cox 1962, Renewal Theory, chapter 4; Feller 1968, An
Introduction to Probability Theory, chapter XIII) give mean, variance and covariances of the traces
in closed form. In the limit of short steps, low rates and no minimum interval, drift and diffusion
are those of van Rossum, Bi & Turrigiano 2000 (J Neurosci 20:8812); see `theory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.reading.model import BEFORE_JUMP, SETS

#: Weights at which steps and densities are computed, (n_weights,): the middles of equal cells, fine
#: enough for the peaks at the bounds, where some densities are infinite.
WEIGHTS = (np.arange(2000) + 0.5) / 2000

#: Largest product of rate and minimum interval.
_MAX_DUTY = 0.9


@dataclass(frozen=True)
class SpikeTrain:
    """A spike train in time steps: after a minimum interval, spikes come at a constant chance.

    Attributes
    ----------
    chance : float
        Mean number of spikes per step.
    minimum : float
        Minimum interval [steps]: 1 for a Bernoulli process.
    """

    chance: float
    minimum: float = 1.0

    @classmethod
    def of(cls, rate_hz: float, dt: float, dead_time: float = 0.0) -> SpikeTrain:
        """Return a train of a rate [Hz] in steps of dt [ms]; dead time [ms] up to 0.9 / rate."""
        chance = rate_hz * dt / 1000
        longest = _MAX_DUTY / chance if chance else np.inf
        return cls(chance, max(1.0, min(dead_time / dt, longest)))

    def interval(self, z: float) -> float:
        """Return the sum over intervals I of their probability times z^I."""
        hazard = self.chance / (1 - self.chance * (self.minimum - 1))
        return hazard * z**self.minimum / (1 - (1 - hazard) * z)

    def survival(self, z: float) -> float:
        """Return the sum over n >= 0 of z^n times the probability of an interval above n."""
        return (1 - self.interval(z)) / (1 - z)

    def excess(self, z: float) -> float:
        """Return the sum over lags n > 0 of z^n (m(n) - chance), m(n) the chance after a spike."""
        interval = self.interval(z)
        return interval / (1 - interval) - self.chance * z / (1 - z)


@dataclass(frozen=True)
class Trace:
    """A trace of a spike train, as a rule reads it.

    Attributes
    ----------
    spikes : SpikeTrain
        The spikes.
    decay : float
        Factor per step, 1 - dt/tau.
    sets : bool
        Whether a spike sets it to 1 (only the nearest spike counts) or adds 1 (all spikes count).
    before_jump : bool
        Whether the value before the jump is read in the step of its own spike: a pair of spikes in
        one step does not count.
    """

    spikes: SpikeTrain
    decay: float
    sets: bool = False
    before_jump: bool = False

    @property
    def read(self) -> float:
        """What is read over the value after the last step: the decay, where no jump is seen."""
        return self.decay if self.before_jump else 1.0

    @property
    def mean(self) -> float:
        """Mean over the chance of a spike [steps]."""
        after = self.spikes.survival(self.decay) if self.sets else 1 / (1 - self.decay)
        return self.read * after

    @property
    def variance(self) -> float:
        """Variance over the chance of a spike [steps]."""
        q, chance = self.decay, self.spikes.chance
        if self.sets:
            after = self.spikes.survival(q**2) - chance * self.spikes.survival(q) ** 2
        else:
            after = (1 - chance + 2 * self.spikes.excess(q)) / (1 - q**2)
        return self.read**2 * after

    @property
    def persistence(self) -> float:
        """Chance that a step leaves what is in it of earlier spikes, of a Bernoulli process."""
        return 1 - self.spikes.chance if self.sets else 1.0

    @property
    def correlation(self) -> float:
        """Autocorrelation at a lag of one step, of a trace of a Bernoulli process."""
        return self.decay * self.persistence

    @property
    def response(self) -> float:
        """What a spike of a Bernoulli process adds to it on average, after its jump."""
        occupied = self.spikes.chance / (1 - self.correlation) if self.sets else self.spikes.chance
        return 1 - occupied

    def before_spike(self, z: float) -> tuple[float, float]:
        """Return its covariance with a spike that comes later, summed over lags.

        Parameters
        ----------
        z : float
            Between 0 and 1.

        Returns
        -------
        total : float
            Sum over lags n >= 0 of z^n Cov(trace, spike n steps later), over the chance of a spike.
        at_once : float
            Its first term, in the step of the spike.
        """
        q, spikes = self.decay, self.spikes
        if abs(z - q) < 1e-5:  # avoids 0 / 0 below
            z = max(q, 1e-9) * (1 - 1e-5)
        if self.sets:
            mean = spikes.chance * spikes.survival(q)
            waiting = z * (spikes.interval(z) - spikes.interval(q)) / (z - q)
            later = waiting / (1 - spikes.interval(z))
            if self.before_jump:
                return q / z * later - q * mean / (1 - z), spikes.interval(q) - q * mean
            return 1 + later - mean / (1 - z), 1 - mean
        later = z * (spikes.excess(z) - spikes.excess(q)) / (z - q)
        if self.before_jump:
            return q / z * later, spikes.excess(q)
        at_once = 1 - spikes.chance + spikes.excess(q)
        return at_once + later, at_once


@dataclass(frozen=True)
class PairRule:
    """Steps of a pair-based rule, and the traces by which they are scaled.

    The weight changes by `potentiation` times the presynaptic trace at an output spike, and by
    -`depression` times the postsynaptic trace at an input spike.

    Attributes
    ----------
    potentiation, depression : ndarray, (n_weights,)
        Steps at `WEIGHTS`, fraction of `g_max`.
    pre, post : Trace
        Of the input spikes, a Bernoulli process, and of the output spikes.
    dt : float
        Time step [ms].
    """

    potentiation: NDArray[np.float64]
    depression: NDArray[np.float64]
    pre: Trace
    post: Trace
    dt: float

    @classmethod
    def of(
        cls,
        steps: Sequence[ArrayLike],
        taus: Sequence[float],
        dt: float,
        rates_hz: Sequence[float] = (0.0, 0.0),
        kinds: Sequence[int] = (0, 0),
        dead_time: float = 0.0,
    ) -> PairRule:
        """Return the rule with given steps at weights from 0 to 1.

        Parameters
        ----------
        steps : sequence of array_like, (n,) or ()
            Changes at an output spike and at an input spike, when the trace is 1, at equidistant
            weights from 0 to 1, or at all weights.
        taus : sequence of float
            Time constants of the presynaptic and the postsynaptic trace [ms].
        dt : float
            Time step [ms].
        rates_hz : sequence of float
            Input and output rate [Hz]; 0 is the limit of low rates.
        kinds : sequence of int
            Sums of the bits `SETS` and `BEFORE_JUMP`.
        dead_time : float
            Minimum interval between output spikes [ms].
        """
        trains = SpikeTrain.of(rates_hz[0], dt), SpikeTrain.of(rates_hz[1], dt, dead_time)
        pre, post = (
            Trace(train, 1 - dt / tau, bool(kind & SETS), bool(kind & BEFORE_JUMP))
            for train, tau, kind in zip(trains, taus, kinds, strict=True)
        )
        return cls(at_weights(steps[0]), -at_weights(steps[1]), pre, post, dt)

    @property
    def areas(self) -> tuple[float, float]:
        """Areas of the two halves of the window, for steps of 1 [ms]: the traces' means per rate.

        The time constants, in continuous time if all spikes count.
        """
        return self.dt * self.pre.mean, self.dt * self.post.mean

    @property
    def ratio(self) -> float:
        """B, the area of the LTD half of the window over that of the LTP half, at weight 0."""
        ltp, ltd = self.areas
        return float(self.depression[0] * ltd / (self.potentiation[0] * ltp))

    def drift(self, c_over_rho: float = 0.0) -> NDArray[np.float64]:
        """Return the drift A(w) / (r rho).

        Parameters
        ----------
        c_over_rho : float
            Excess postsynaptic spikes per presynaptic spike at w = 1 over the output rate [ms].

        Returns
        -------
        ndarray, (n_weights,)
            Drift per pair of rates, at `WEIGHTS` [ms].
        """
        ltp, ltd = self.areas
        independent = self.potentiation * ltp - self.depression * ltd
        return independent + self.potentiation * c_over_rho * WEIGHTS

    @cached_property
    def diffusion(self) -> NDArray[np.float64]:
        """Diffusion D(w) / (r rho), of a weight among others with the same output.

        The variance of the changes in a long time, over this time and both rates, of which each
        output train has its own mean: this part moves all weights alike and widens no histogram.

        Returns
        -------
        ndarray, (n_weights,)
            Diffusion per pair of rates, at `WEIGHTS` [ms].
        """
        pre, post = self.pre, self.post
        p, rho, z = pre.spikes.chance, post.spikes.chance, pre.correlation
        # Covariances of the changes over all lags, per pair of spikes: LTP, LTD, and both. The
        # terms with `rho` in front are fluctuations of the number of input spikes.
        counts = pre.variance * (1 + z) / (1 - z)
        ltp = pre.variance * (1 - rho + 2 * post.spikes.excess(z)) + rho * counts
        ltd = (1 - p) * (post.variance + rho * post.mean**2)
        total, at_once = post.before_spike(z)
        near = (total - at_once) / pre.persistence if pre.before_jump else total
        both = pre.response * (near + rho * post.mean * pre.read / (1 - z))
        up, down = self.potentiation, self.depression
        return self.dt * (up**2 * ltp + down**2 * ltd - 2 * up * down * both)

    def alpha(self) -> float:
        """Return alpha of the density of an additive rule, the coefficient of depression.

        4 (B - 1) / [A_plus (1 + B^2)] for equal time constants in continuous time.
        """
        return float(-2 * self.drift()[0] / self.diffusion[0])

    def beta(self, c_over_rho: float) -> float:
        """Return beta of the density of an additive rule, that of the synapse's own influence.

        2 c / [rho A_plus tau_plus (1 + B^2)] for equal time constants in continuous time, with
        c / rho in ms.
        """
        return float(self.potentiation[0] * c_over_rho / self.diffusion[0])


def at_weights(steps: ArrayLike, weights: NDArray[np.float64] = WEIGHTS) -> NDArray[np.float64]:
    """Interpolate steps of a rule.

    Linearly, but beside a bound at which a step vanishes by the power of the distance that the two
    nearest steps give: powers of the weight below 1 are steep there.

    Parameters
    ----------
    steps : array_like, (..., n) or ()
        At equidistant weights from 0 to 1, or at all weights; fraction of `g_max`.
    weights : ndarray, (n_weights,)
        Between 0 and 1, rising and symmetrical about 1/2, dimensionless.

    Returns
    -------
    ndarray, (..., n_weights)
        At these weights, fraction of `g_max`.
    """
    steps = np.asarray(steps, dtype=float)
    if not steps.ndim:
        return np.full(weights.size, steps)
    n_cells = steps.shape[-1] - 1
    before = (weights * n_cells).astype(int)
    share = weights * n_cells - before
    values = steps[..., before] * (1 - share) + steps[..., before + 1] * share
    if n_cells < 2:
        return values
    first = weights[before == 0] * n_cells  # distances from a bound, in cells of the steps
    for near, cell in (
        (steps[..., :3], values[..., : first.size]),
        (steps[..., :-4:-1], values[..., : -first.size - 1 : -1]),
    ):
        at_bound, one, two = np.moveaxis(near, -1, 0)
        is_power = (at_bound == 0) & (one * two > 0) & (abs(two) > abs(one))
        exponent = np.log2(two[is_power] / one[is_power])[..., np.newaxis]
        cell[is_power] = one[is_power][..., np.newaxis] * first**exponent
    return values
