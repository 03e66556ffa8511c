"""Prescribed output spikes, which replace those that the neuron fires at threshold.

At each of them the potential is reset and weights change as at a spike of the neuron's own. There
is no refractory period.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.model.arithmetic import multiples
from pipeline.model.errors import RequestError

if TYPE_CHECKING:
    from pipeline.model.parameters import Configuration
    from pipeline.model.state import EndState

Steps = NDArray[np.int64]

#: First step in which an output spike may be prescribed. No trace has moved before it, as none
#: moves in step 0.
FIRST = 1


def configured_output_steps(
    configuration: Configuration, start: EndState | None = None
) -> Steps | None:
    """Return the output spikes that the input process prescribes; None if the neuron fires itself.

    Parameters
    ----------
    configuration : Configuration
        The parameters of the run.
    start : EndState, optional
        The state from which it goes on.

    Returns
    -------
    ndarray of int64, (n_spikes,), or None
        Steps from the beginning, those before the state too; rising indices, dimensionless.

    Raises
    ------
    ValueError
        If the process gives other than whole numbers that rise from 1 to below the number of steps.
    """
    inputs = configuration.input
    if not inputs.prescribes_output():
        return None
    n_steps = configuration.simulation.n_steps + (start.step if start else 0)
    given = inputs.output_steps(configuration.simulation.dt, n_steps, configuration.input_seed)
    return None if given is None else _checked(given, n_steps, inputs.name)


def _checked(given: Any, n_steps: int, process: str) -> Steps:
    """Return the output steps of a process, (n_spikes,), as an array."""
    found = np.asarray(given)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise ValueError(f"input.process={process}: output steps must be an array of whole numbers")
    found = found.astype(np.int64)
    if found.size and (found[0] < FIRST or found[-1] >= n_steps or (np.diff(found) <= 0).any()):
        raise ValueError(
            f"input.process={process}: output steps must rise, each once, from {FIRST} to below "
            "n_steps"
        )
    return found


def given_output_steps(times: ArrayLike, dt: float, n_steps: int, first: int = FIRST) -> Steps:
    """Convert times of output spikes to steps, each the nearest one.

    Parameters
    ----------
    times : array_like, (n_spikes,)
        Times [ms], rising.
    dt : float
        Time step [ms].
    n_steps : int
        Number of time steps. The last one has no next state: no spike may be in it.
    first : int
        The first step that may have one.

    Returns
    -------
    ndarray of int64, (n_spikes,)
        Rising; indices, dimensionless.

    Raises
    ------
    RequestError
        If they are not finite numbers in rising order, two are in one step, or one is in a step
        that may have none.
    """
    found = _as_times(times)
    if not found.size:
        return np.empty(0, dtype=np.int64)
    _refuse_disorder(found)
    nearest, last = np.rint(found / dt), n_steps - 2
    if last < first:
        raise RequestError(
            f"output_spikes: must be empty, as simulation.duration has {n_steps} steps and no "
            "spike may be in the first or the last one"
        )
    for i in (0, -1):
        if not first <= nearest[i] <= last:
            low, high = multiples(np.array([first, last]), dt).tolist()
            reason = "the first step or the last one" if first else "the last step"
            raise RequestError(
                f"output_spikes: {found[i]:.15g} ms: must be >= {low:.15g} and <= {high:.15g} ms, "
                f"as no spike may be in {reason} of simulation.duration"
            )
    steps = nearest.astype(np.int64)
    same = np.flatnonzero(np.diff(steps) == 0)
    if same.size:
        before, after = found[same[0] : same[0] + 2]
        raise RequestError(
            f"output_spikes: {before:.15g} and {after:.15g} ms: must be in two time steps of "
            f"simulation.dt={dt:g} ms, which each have one spike at most"
        )
    return steps


def _as_times(times: ArrayLike) -> NDArray[np.float64]:
    """Return times as an array [ms], (n_spikes,).

    Raises
    ------
    RequestError
        If they are no list of finite numbers.
    """
    try:
        array = np.asanyarray(times)
    except ValueError:  # rows of unlike lengths
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "iuf":
        raise RequestError("output_spikes: must be a list of numbers, times in ms")
    if array.ndim != 1:
        raise RequestError(
            f"output_spikes of shape {array.shape}: must be a list of times in ms, (n_spikes,)"
        )
    found = np.where(np.ma.getmaskarray(array), np.nan, np.asarray(array, dtype=np.float64))
    if not np.isfinite(found).all():
        wrong = found[~np.isfinite(found)][0]
        raise RequestError(f"output_spikes: {wrong:g}: every time must be a finite number of ms")
    return found


def _refuse_disorder(times: NDArray[np.float64]) -> None:
    """Raise `RequestError` unless times, (n_spikes,) [ms], rise."""
    wrong = np.flatnonzero(np.diff(times) <= 0)
    if wrong.size:
        before, after = times[wrong[0] : wrong[0] + 2]
        relation = "is given twice" if before == after else f"comes after {before:.15g} ms"
        raise RequestError(f"output_spikes: {after:.15g} ms {relation}; times must rise")
