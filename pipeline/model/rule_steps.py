"""Weight changes of a rule: by each of its traces, by a pair of spikes, and in all."""

from __future__ import annotations

import contextlib
import functools

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.model.plasticity import POST, PRE, Rule

#: Weights at which the steps of a rule are computed.
WEIGHTS = np.linspace(0, 1, 101)


def weight_steps(cls: type[Rule], numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight changes at a spike when one trace is 1 and all others are 0.

    Parameters
    ----------
    cls : type
        A class of rules.
    numbers : ndarray, (n_rules, n_fields)
        The numbers of several rules, as of `Rule.numbers`, in their units.

    Returns
    -------
    ndarray, (n_rules, n_traces, n_weights)
        Fractions of `g_max` at the weights `WEIGHTS`.
    """
    fields = cls.fields_type()(*numbers.T[:, :, np.newaxis])
    zero, one = np.float64(0), np.float64(1)  # which divide without an exception
    names = cls.traces_type()._fields
    silent = cls.traces_type()(*[zero] * len(names))
    steps = np.full((len(numbers), len(cls.traces), WEIGHTS.size), np.nan)
    for column, (name, trace) in enumerate(cls.traces.items()):
        change = cls.potentiate if trace.side == PRE else cls.depress
        alone = silent._replace(**{name: one})
        # Whatever a user's own functions do here, results that are computed are written.
        with np.errstate(all="ignore"), contextlib.suppress(Exception):
            steps[:, column] = change(WEIGHTS, alone, fields) - change(WEIGHTS, silent, fields)
    return steps


def time_constants(cls: type[Rule], numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the time constants of the traces of several rules.

    Parameters
    ----------
    cls : type
        A class of rules.
    numbers : ndarray, (n_rules, n_fields)
        The numbers of several rules, as of `Rule.numbers`, in their units.

    Returns
    -------
    ndarray, (n_rules, n_traces)
        [ms].
    """
    names = cls.fields_type()._fields
    return numbers[:, [names.index(trace.tau) for trace in cls.traces.values()]]


#: Bits of the kind of a trace: a spike sets it to 1, and it is read before the jump at its own.
SETS, BEFORE_JUMP = 1, 2


def trace_kinds(cls: type[Rule], numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the kinds of the traces of several rules.

    Parameters
    ----------
    cls : type
        A class of rules.
    numbers : ndarray, (n_rules, n_fields)
        The numbers of several rules, as of `Rule.numbers`, in their units.

    Returns
    -------
    ndarray, (n_rules, n_traces)
        Sums of the bits `SETS` and `BEFORE_JUMP`, dimensionless.
    """
    kinds = [t.sets * SETS + t.before_jump * BEFORE_JUMP for t in cls.traces.values()]
    return np.tile(np.array(kinds, dtype=float), (len(numbers), 1))


@functools.lru_cache(maxsize=1024)
def gross_step_per_spike(rule: Rule, rate_hz: float) -> float:
    """Return the sizes of all weight changes per synapse and output spike, added up.

    The mean of a trace is the rate of its spikes times its time constant. A presynaptic trace is
    read at each output spike; a postsynaptic one at each input spike, but as it is proportional to
    the output rate, both contribute rate_hz tau |step| per output spike: of steps that depend on
    the weight their mean over all weights.

    Parameters
    ----------
    rule : Rule
        The rule.
    rate_hz : float
        Mean input rate of a synapse [Hz].

    Returns
    -------
    float
        Fraction of `g_max`, dimensionless.
    """
    numbers = np.array([rule.numbers()])
    sizes = np.abs(weight_steps(type(rule), numbers)).mean(axis=2)
    return rate_hz / 1000 * float((sizes * time_constants(type(rule), numbers)).sum())


def steps_at(w: ArrayLike, rule: Rule) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weight changes of an isolated pair of spikes in the limit of zero lag.

    Parameters
    ----------
    w : array_like
        Weights of any shape, fraction of `synapse.g_max`, dimensionless.
    rule : Rule
        The rule, with its parameters.

    Returns
    -------
    potentiation, depression : ndarray
        Changes at the output spike just after an input spike, and at the input spike just after an
        output spike, before clipping; both of the shape of `w`, dimensionless.
    """
    return stdp_window(0.0, rule, w), stdp_window(np.nextafter(0.0, 1.0), rule, w)


def stdp_window(time_difference: ArrayLike, rule: Rule, w: ArrayLike = 0.5) -> NDArray[np.float64]:
    """Return the STDP window: the weight change at the second spike of an isolated pair.

    Parameters
    ----------
    time_difference : array_like
        t_pre - t_post [ms], of any shape; 0 counts as the input spike coming first.
    rule : Rule
        The rule, with its parameters.
    w : array_like
        Weights before the change, of a shape that broadcasts against that of `time_difference`,
        dimensionless.

    Returns
    -------
    ndarray
        Change before clipping, of the broadcast shape, dimensionless. For the additive rule it is
        A_plus exp(t / tau_plus) where t <= 0 and -A_minus exp(-t / tau_minus) where t > 0
        (Song, Miller & Abbott 2000).
    """
    t, w = np.broadcast_arrays(np.asarray(time_difference, float), np.asarray(w, float))
    fields, tau = rule.fields(), rule.time_constants()
    last = {PRE: t > 0, POST: t <= 0}  # whether that spike is the second of the pair
    values = {
        name: np.where(
            last[trace.side],
            0.0 if trace.before_jump else 1.0,
            np.exp(-np.abs(t) / tau[name]),
        )
        for name, trace in rule.traces.items()
    }
    traces = rule.traces_type()(**values)
    changed = np.where(t <= 0, rule.potentiate(w, traces, fields), rule.depress(w, traces, fields))
    return changed - w
