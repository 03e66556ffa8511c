"""Variables of a point in `results.nc`: names, dimensions, attributes, and when recorded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.model.sections import Record

if TYPE_CHECKING:
    from pipeline.model.parameters import Configuration

#: The variables of one point, by name.
Result = dict[str, Any]

#: The variables of several points, by name: arrays with the point as first dimension.
Columns = dict[str, NDArray]

#: Version of the names and meanings in `results.nc`, raised when one of them changes. Files without
#: it are of version 0: their rules were evaluated in another order of operations.
SCHEMA_VERSION = 1

#: Values of `status`.
DONE, FAILED, MISSING = 0, 1, 2

#: The value of an integer variable where a point is not done.
NO_COUNT = -1

#: Answer of a run that gets no input: it is silent, however long it lasts.
CANNOT_FIRE = "cannot fire"

#: Answers by the value of `settled`; but for `CANNOT_FIRE` those of
#: `analysis.measures.stationarity`.
FLAGS = (
    "settled",
    "at the upper bound",
    "at the lower bound",
    "frozen",
    CANNOT_FIRE,
    "no output spike",
    "not settled",
)

#: The first of `FLAGS` that another answer may follow, in a longer run.
_FIRST_OPEN = FLAGS.index("no output spike")

#: Statistics of the last half of a run until it has settled, in the order of
#: `stationarity.compared`, each with a standard error.
LATE_STATISTICS = {
    "late_output_rate": "output firing rate",
    "late_mean_weight": "mean weight",
    "late_weak_share": "share of weights below 0.1",
    "late_upper_share": "share of weights above 0.5",
    "late_strong_share": "share of weights above 0.9",
}


def is_open(flag: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return whether a longer run may have another answer.

    Parameters
    ----------
    flag : ndarray of int, (...)
        Values of `settled`, dimensionless.

    Returns
    -------
    ndarray of bool, (...)
        Dimensionless.
    """
    return flag >= _FIRST_OPEN


def _always(point: Configuration) -> bool:
    return True


def _with_history(point: Configuration) -> bool:
    return point.record.weight_interval is not None


def _with_spike_times(point: Configuration) -> bool:
    return point.record.spike_times


def _with_stimuli(point: Configuration) -> bool:
    return point.record.spike_times and point.input.has_stimuli()


def _with_traces(point: Configuration) -> bool:
    return point.record.traces


def _with_inhibition(point: Configuration) -> bool:
    return point.record.traces and point.inhibition.is_present


def _with_adaptive_threshold(point: Configuration) -> bool:
    return point.record.traces and point.neuron.theta_plus > 0


def _until_settled(point: Configuration) -> bool:
    return point.simulation.ends_when_settled


def _with_initial_weights(point: Configuration) -> bool:
    return bool(point.synapse.w_init_spread or point.synapse.w_content)


@dataclass(frozen=True)
class Variable:
    """A variable of `results.nc`: attributes, dimensions beside the axes, and when recorded."""

    long_name: str
    units: str = ""
    dims: tuple[str, ...] = ()
    comment: str = ""
    when: Callable[[Configuration], bool] = _always
    #: "stored" stands for `record.dtype`.
    dtype: str = "float64"
    #: Whether there are files of this schema version, or points in them, without it: NaN there.
    later: bool = False


_FRACTION = "fraction of synapse.g_max"


def _late_statistics() -> dict[str, Variable]:
    """Return the statistics of the last half of a run until it has settled, and their errors."""
    variables = {}
    for name, what in LATE_STATISTICS.items():
        units, comment = ("Hz", "") if "rate" in name else ("", _FRACTION if "mean" in name else "")
        long_name = f"{what}, last half of the run"
        if name != "late_output_rate":  # which every run has
            variables[name] = Variable(long_name, units, (), comment, _until_settled)
        variables[f"{name}_error"] = Variable(
            f"standard error of the {long_name}",
            units,
            (),
            "from means of batches in time; NaN without an output spike"
            if "rate" in name
            else "from means of batches in time",
            _until_settled,
        )
    return variables


VARIABLES = {
    "weight": Variable(
        "final synaptic weight (fraction of g_max)", "", ("synapse",), _FRACTION, dtype="stored"
    ),
    "initial_weight": Variable(
        "initial synaptic weight (fraction of g_max)",
        "",
        ("synapse",),
        f"{_FRACTION}; NaN where all are synapse.w_init, neither drawn nor given",
        _with_initial_weights,
        dtype="stored",
        later=True,
    ),
    "output_rate": Variable("output firing rate", "Hz", (), "output spikes over simulated time"),
    "spike_count": Variable(
        "number of output spikes", "", (), f"{NO_COUNT} where not done", dtype="int64"
    ),
    "isi_cv": Variable(
        "coefficient of variation of output interspike intervals", "", (), "NaN below 3 spikes"
    ),
    "late_output_rate": Variable(
        "output firing rate, last half of the run",
        "Hz",
        (),
        "from step n_steps // 2 on",
        later=True,
    ),
    "late_isi_cv": Variable(
        "coefficient of variation of output interspike intervals, last half of the run",
        "",
        (),
        "NaN below 3 spikes there",
        later=True,
    ),
    "late_fano_factor": Variable(
        "Fano factor of output spike counts in 1 s, last half of the run",
        "",
        (),
        "unbiased variance over mean; NaN without a spike there, and for runs below 4 s",
        later=True,
    ),
    "mean_weight": Variable("mean final weight", "", (), _FRACTION),
    "euler_overshoot": Variable(
        "largest overshoot of the membrane potential in a step of unstable integration",
        "",
        (),
        "as a fraction of the distance to the potential that it tends to: the largest "
        "simulation.dt (1 + g) / neuron.tau_m - 1 of any step, g the sum of all conductances "
        "relative to the leak; 0 where no step is unstable",
        later=True,
    ),
    "run_duration": Variable(
        "simulated time of the run",
        "ms",
        (),
        "at which it had settled, or the last at which it was looked at",
        _until_settled,
    ),
    "settled": Variable(
        "why the run ended", "", (), f"{NO_COUNT} where not done", _until_settled, "int8"
    ),
    **_late_statistics(),
    "wall_time": Variable("wall time of the run", "s", (), "measured; differs from run to run"),
    "weight_history": Variable(
        "synaptic weight", "", ("sample_time", "synapse"), _FRACTION, _with_history, "stored"
    ),
    "rate_history": Variable(
        "output firing rate in time",
        "Hz",
        ("sample_time",),
        "over the interval that ends at sample_time",
        _with_history,
    ),
    "spike_time": Variable(
        "output spike time", "ms", ("spike",), "padded with NaN", _with_spike_times
    ),
    "stimulus_time": Variable(
        "time of the stimulus",
        "ms",
        ("stimulus",),
        "of a trial, or the begin of a presentation of the pattern; padded with NaN",
        _with_stimuli,
        later=True,
    ),
    "stimulus_count": Variable(
        "number of stimuli",
        "",
        (),
        f"trials, or presentations of the pattern; {NO_COUNT} where not done or none",
        _with_stimuli,
        dtype="int64",
        later=True,
    ),
    "v": Variable("membrane potential", "mV", ("time",), "after the reset", _with_traces, "stored"),
    "g_ex": Variable(
        "excitatory conductance relative to the leak",
        "",
        ("time",),
        "at the step's start",
        _with_traces,
        "stored",
    ),
    "g_in": Variable(
        "inhibitory conductance relative to the leak",
        "",
        ("time",),
        "at the step's start",
        _with_inhibition,
        "stored",
    ),
    "theta": Variable(
        "rise of the threshold",
        "mV",
        ("time",),
        "after its jump",
        _with_adaptive_threshold,
        "stored",
    ),
    "x_post": Variable(
        "postsynaptic trace", "", ("time",), "after its jump", _with_traces, "stored"
    ),
    "x_pre": Variable(
        "presynaptic trace", "", ("time", "synapse"), "after its jump", _with_traces, "stored"
    ),
    "weight_trace": Variable(
        "synaptic weight",
        "",
        ("time", "synapse"),
        f"{_FRACTION}; after LTP, before LTD",
        _with_traces,
        "stored",
    ),
}
#: Dimensions whose length is not known in advance, and what counts them at a point.
COUNTS = {"spike": "spike_count", "stimulus": "stimulus_count"}
#: Variables about the runs that computed a point; not results, since they differ from run to run.
ABOUT_RUNS = ("wall_time", "made_by")
#: Names of dimensions, which no axis may have.
DIMENSIONS = {dim for variable in VARIABLES.values() for dim in variable.dims} | {
    "trace",
    "weight_grid",
    "group_number",
}
#: Names of the file that no axis may be called after.
FILE_NAMES = DIMENSIONS | {
    *VARIABLES,
    *("status", "made_by", "weight_step", "trace_time_constant", "trace_kind"),
    *("group", "synapse_rate", "synapse_phase", "synapse_latency"),
}


def recorded(point: Configuration) -> dict[str, np.dtype]:
    """Return the stored number type of each variable that is recorded of a point, by name."""
    return {
        name: _number_type(variable, point.record)
        for name, variable in VARIABLES.items()
        if variable.when(point)
    }


def _number_type(variable: Variable, record: Record) -> np.dtype:
    return np.dtype(record.dtype if variable.dtype == "stored" else variable.dtype)


def stacked(results: Sequence[Result], record: Record) -> Columns:
    """Stack the variables of some points, in their stored number types.

    Parameters
    ----------
    results : sequence of dict
        The variables of each point, arrays of shape and unit as in `VARIABLES`.
    record : Record
        What is recorded, and in which number type.

    Returns
    -------
    dict of ndarray, (n_points, ...)
        By name, units as in `VARIABLES`. Where points differ in size, the shorter arrays are padded
        with NaN.
    """
    return {
        name: _padded([result.get(name, _fill(dtype)) for result in results], dtype)
        for name, dtype in _number_types(record).items()
        if any(name in result for result in results)
    }


def _fill(dtype: np.dtype) -> float:
    """Return the value of a variable that a point does not have."""
    return NO_COUNT if dtype.kind == "i" else np.nan


@functools.cache
def _number_types(record: Record) -> dict[str, np.dtype]:
    return {name: _number_type(variable, record) for name, variable in VARIABLES.items()}


def _padded(values: list[Any], dtype: np.dtype) -> NDArray:
    shapes = {getattr(value, "shape", ()) for value in values}
    if len(shapes) == 1:
        return np.array(values, dtype)
    shapes.discard(())  # of points without the variable
    padded = np.full((len(values), *np.max(list(shapes), axis=0)), np.nan, dtype)
    for row, array in zip(padded, values, strict=True):
        if np.ndim(array):
            row[tuple(slice(length) for length in array.shape)] = array
    return padded
