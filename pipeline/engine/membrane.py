"""Compiled functions of conductances and membrane potential, with and without inhibition.

The conductances of a step, `g` below, are the excitatory one alone or, with inhibition, a pair: so
without it the machine code is that of a model that does not know it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba import njit, types, uint64
from numba.extending import intrinsic

from pipeline.engine.unrolled import inlined
from pipeline.model.features import Features

# ruff: noqa: ANN001, ANN202 - numba infers the types

#: Unsigned indices avoid numba's check for negative ones.
_ONE = uint64(1)

#: The constants of the membrane, without and with inhibition.
Membrane = namedtuple("Membrane", "V_th V_reset E_L E_ex dt_over_tau_m g_max decay_ex")
InhibitedMembrane = namedtuple(
    "InhibitedMembrane", "V_th V_reset E_L E_ex dt_over_tau_m g_max decay_ex E_in g_in decay_in"
)


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
        Return the potential after a step with these conductances.
    total : callable
        Return the sum of the conductances.
    can_exceed : callable
        Whether some input spikes may take the sum of the conductances above the largest one.
    """

    constants_of: Callable[..., Any]
    conductances_of: Callable[..., Any]
    keep: Callable[..., Any]
    conducted: Callable[..., Any]
    potential: Callable[..., Any]
    total: Callable[..., Any]
    can_exceed: Callable[..., Any]

    @classmethod
    def of(cls, features: Features) -> MembraneFunctions:
        """Return the functions of a membrane with some features."""
        functions = _INHIBITED if features.inhibition else _EXCITED
        return cls(*[inlined(function) for function in functions])


def _constants(constants):
    return Membrane(
        constants.V_th,
        constants.V_reset,
        constants.E_L,
        constants.E_ex,
        constants.dt_over_tau_m,
        constants.g_max,
        constants.decay_ex,
    )


def _conductance_of(state):
    return state.g_ex


def _keep(state, g):
    state.g_ex = g


def _conducted(m, g, arriving, inhibition, row):
    return _fma(g, m.decay_ex, m.g_max * arriving)


def _potential(m, v, g):
    a = m.dt_over_tau_m
    return _fma(v, 1 - a - a * g, a * m.E_L + a * m.E_ex * g)


def _total(g):
    return g


def _can_exceed(m, g, largest_g, n_events):
    # No weight is > 1. The margin is for rounding.
    return (g + m.g_max * n_events) * (1 + 1e-6) > largest_g


_EXCITED = (_constants, _conductance_of, _keep, _conducted, _potential, _total, _can_exceed)


def _constants_inhibited(constants):
    return InhibitedMembrane(
        constants.V_th,
        constants.V_reset,
        constants.E_L,
        constants.E_ex,
        constants.dt_over_tau_m,
        constants.g_max,
        constants.decay_ex,
        constants.E_in,
        constants.g_in,
        constants.decay_in,
    )


def _conductances_of(state):
    return state.g_ex, state.g_in


def _keep_both(state, g):
    state.g_ex, state.g_in = g


def _both_conducted(m, g, arriving, inhibition, row):
    n_spikes = inhibition.n_spikes[row]
    inhibition.n_spikes[row] = 0.0
    g_ex = _fma(g[0], m.decay_ex, m.g_max * arriving)
    return g_ex, _fma(g[1], m.decay_in, m.g_in * n_spikes)


def _potential_inhibited(m, v, g):
    a = m.dt_over_tau_m
    target = a * m.E_L + a * m.E_ex * g[0] + a * m.E_in * g[1]
    return _fma(v, 1 - a - a * g[0] - a * g[1], target)


def _total_of_both(g):
    return g[0] + g[1]


def _always(m, g, largest_g, n_events):
    return True  # to follow the sum costs less than to bound the inhibitory spikes to come


_INHIBITED = (
    _constants_inhibited,
    _conductances_of,
    _keep_both,
    _both_conducted,
    _potential_inhibited,
    _total_of_both,
    _always,
)


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

        @inlined
        def integrate(m, v, g, arriving, inhibition, row, n, n_refractory):
            j = 0
            while j < n_refractory:
                g = conducted(m, g, arriving[row], inhibition, row)
                arriving[row] = 0.0
                v = potential(m, m.V_reset, g)
                j += 1
                row += _ONE
            while j < n and not v >= m.V_th:
                g = conducted(m, g, arriving[row], inhibition, row)
                arriving[row] = 0.0
                v = potential(m, v, g)
                j += 1
                row += _ONE
            return j, v, g

        @njit(error_model="numpy")
        def integrate_and_track(m, v, g, largest_g, arriving, inhibition, row, n, n_refractory):
            j = 0
            while j < n_refractory or (j < n and not v >= m.V_th):
                g = conducted(m, g, arriving[row], inhibition, row)
                largest_g = max(largest_g, total(g))
                arriving[row] = 0.0
                v = potential(m, m.V_reset if j < n_refractory else v, g)
                j += 1
                row += _ONE
            return j, v, g, largest_g

        return cls(integrate, integrate_and_track)
