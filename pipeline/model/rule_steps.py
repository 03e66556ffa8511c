"""Weight changes of a rule by each of its traces alone, and how much a weight is moved in all."""

from __future__ import annotations

import contextlib
import functools

import numpy as np
from numpy.typing import NDArray

from pipeline.model.plasticity import PRE, Rule

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
