"""Compiled functions of conductances, threshold and membrane potential, by the features of a run.

What decays from step to step, `g` below, is the excitatory conductance alone; with inhibition a
pair of conductances; with an adaptive threshold a pair of these and its rise. So without them the
machine code is that of a model that does not know them.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba import njit, types, uint64
from numba.extending import intrinsic

from pipeline.engine.unrolled import inlined, tuple_of
from pipeline.model.features import Features

# ruff: noqa: ANN001, ANN202 - numba infers the types

#: Unsigned indices avoid numba's check for negative ones.
_ONE = uint64(1)

#: The constants of the membrane by the feature that needs them.
_CONSTANTS = ("V_th", "V_reset", "E_L", "E_ex", "dt_over_tau_m", "g_max", "decay_ex")
_OF_INHIBITION = ("E_in", "g_in", "decay_in")
_OF_THRESHOLD = ("theta_plus", "decay_theta")


def _generate_fma(context, a, b, c):
    """Return the processor's fused multiply-add, `arithmetic.fma`."""

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


_fma: Any = intrinsic(_generate_fma)


@dataclass(frozen=True)
class MembraneFunctions:
    """Compiled functions of the membrane.

    Attributes
    ----------
    constants_of : callable
        Return local copies of the constants, which stay in registers: no store to an array can
        alias them.
    conductances_of, keep : callable
        Read the conductances from the state, and store them there.
    conducted : callable
        Return the conductances after a step, from the sum of the weights that arrive in it and from
        its inhibitory spikes, whose number is reset to 0.
    potential : callable
        Return the potential after a step with these conductances, and its noise.
    total : callable
        Return the sum of the conductances.
    can_exceed : callable
        Whether some input spikes may take the sum of the conductances above the largest one.
    reached : callable
        Whether the potential is at threshold.
    fired : callable
        Return what decays, after an output spike.
    """

    constants_of: Callable[..., Any]
    conductances_of: Callable[..., Any]
    keep: Callable[..., Any]
    conducted: Callable[..., Any]
    potential: Callable[..., Any]
    total: Callable[..., Any]
    can_exceed: Callable[..., Any]
    reached: Callable[..., Any]
    fired: Callable[..., Any]

    @classmethod
    def of(cls, features: Features) -> MembraneFunctions:
        """Return the functions of a membrane with some features."""
        functions = _INHIBITED if features.inhibition else _EXCITED
        conductances_of, keep, conducted, target_of, total, can_exceed = [
            inlined(function) for function in functions
        ]
        made = [conductances_of, keep, conducted, _potential_of(target_of, features)]
        made += [total, can_exceed, inlined(_reached), inlined(_unchanged)]
        if features.adaptive_threshold:
            made = _with_adaptive_threshold(*made[:-2])
        return cls(_constants_of(features), *made)


def _constants_of(features: Features) -> Any:
    """Return the compiled function that copies the constants of a membrane."""
    names = (
        *_CONSTANTS,
        *(_OF_INHIBITION if features.inhibition else ()),
        *(_OF_THRESHOLD if features.adaptive_threshold else ()),
    )
    Membrane = namedtuple("Membrane", names)  # type: ignore[misc]  # noqa: N806 - a type
    values_of = tuple_of("constants", [f"constants.{name}" for name in names])

    @inlined
    def constants_of(constants):
        return Membrane(*values_of(constants))

    return constants_of


def _conductance_of(state):
    return state.g_ex


def _keep(state, g):
    state.g_ex = g


def _conducted(m, g, arriving, inhibition, row):
    return _fma(g, m.decay_ex, m.g_max * arriving)


def _target(m, g):
    a = m.dt_over_tau_m
    return 1 - a - a * g, a * m.E_L + a * m.E_ex * g


def _total(g):
    return g


def _can_exceed(m, g, largest_g, n_events):
    # No weight is > 1. The margin is for rounding.
    return (g + m.g_max * n_events) * (1 + 1e-6) > largest_g


_EXCITED = (_conductance_of, _keep, _conducted, _target, _total, _can_exceed)


def _conductances_of(state):
    return state.g_ex, state.g_in


def _keep_both(state, g):
    state.g_ex, state.g_in = g


def _both_conducted(m, g, arriving, inhibition, row):
    n_spikes = inhibition.n_spikes[row]
    inhibition.n_spikes[row] = 0.0
    g_ex = _fma(g[0], m.decay_ex, m.g_max * arriving)
    return g_ex, _fma(g[1], m.decay_in, m.g_in * n_spikes)


def _target_inhibited(m, g):
    a = m.dt_over_tau_m
    return 1 - a - a * g[0] - a * g[1], a * m.E_L + a * m.E_ex * g[0] + a * m.E_in * g[1]


def _total_of_both(g):
    return g[0] + g[1]


def _always(m, g, largest_g, n_events):
    return True  # to follow the sum costs less than to bound the inhibitory spikes to come


_INHIBITED = (
    _conductances_of,
    _keep_both,
    _both_conducted,
    _target_inhibited,
    _total_of_both,
    _always,
)


def _potential_of(target_of, features: Features) -> Any:
    """Return the compiled Euler step, by what conductances make of it."""

    @inlined
    def potential(m, v, g, noise, row):
        factor, target = target_of(m, g)
        return _fma(v, factor, target)

    @inlined
    def noisy(m, v, g, noise, row):
        factor, target = target_of(m, g)
        return _fma(v, factor, target + noise.added[row])

    return noisy if features.noise else potential


def _reached(m, v, g):
    return v >= m.V_th


def _unchanged(m, g):
    return g


def _with_adaptive_threshold(conductances_of, keep, conducted, potential, total, can_exceed):
    """Return the functions of a membrane whose `g` has the rise of the threshold as well."""

    def of_state(state):
        return conductances_of(state), state.theta

    def keep_all(state, g):
        keep(state, g[0])
        state.theta = g[1]

    def decayed(m, g, arriving, inhibition, row):
        return conducted(m, g[0], arriving, inhibition, row), g[1] * m.decay_theta

    def potential_of(m, v, g, noise, row):
        return potential(m, v, g[0], noise, row)

    def total_of(g):
        return total(g[0])

    def can_exceed_with(m, g, largest_g, n_events):
        return can_exceed(m, g[0], largest_g, n_events)

    def reached(m, v, g):
        return v >= m.V_th + g[1]

    def fired(m, g):
        return g[0], g[1] + m.theta_plus

    made = (of_state, keep_all, decayed, potential_of, total_of, can_exceed_with, reached, fired)
    return [inlined(function) for function in made]


@dataclass(frozen=True)
class IntegrationFunctions:
    """Compiled loops over the steps of a block, whose input spikes were received.

    Attributes
    ----------
    integrate : callable
        Integrate up to `n` steps, until threshold is reached; return how many, and the state. The
        sums of arriving weights are reset to 0.
    integrate_and_track : callable
        The same, and return the largest sum of conductances. Not inlined: it is rarely called
        without inhibition, and would slow the loops around it.
    """

    integrate: Callable[..., Any]
    integrate_and_track: Callable[..., Any]

    @classmethod
    def of(cls, membrane: MembraneFunctions) -> IntegrationFunctions:
        """Return the loops of a membrane."""
        conducted, potential, total = membrane.conducted, membrane.potential, membrane.total
        reached = membrane.reached

        @inlined
        def integrate(m, v, g, arriving, inhibition, noise, row, n, n_refractory):
            j = 0
            while j < n_refractory:
                g = conducted(m, g, arriving[row], inhibition, row)
                arriving[row] = 0.0
                v = potential(m, m.V_reset, g, noise, row)
                j += 1
                row += _ONE
            while j < n and not reached(m, v, g):
                g = conducted(m, g, arriving[row], inhibition, row)
                arriving[row] = 0.0
                v = potential(m, v, g, noise, row)
                j += 1
                row += _ONE
            return j, v, g

        @njit(error_model="numpy")
        def integrate_and_track(
            m, v, g, largest_g, arriving, inhibition, noise, row, n, n_refractory
        ):
            j = 0
            while j < n_refractory or (j < n and not reached(m, v, g)):
                g = conducted(m, g, arriving[row], inhibition, row)
                largest_g = max(largest_g, total(g))
                arriving[row] = 0.0
                v = potential(m, m.V_reset if j < n_refractory else v, g, noise, row)
                j += 1
                row += _ONE
            return j, v, g, largest_g

        return cls(integrate, integrate_and_track)
