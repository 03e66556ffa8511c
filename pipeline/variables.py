"""The variables of one point, as in `results.nc`: names, dimensions and attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.parameters import Configuration

#: The variables of one point, by name.
Record = dict[str, Any]

#: Values of `status`.
DONE, FAILED, MISSING = 0, 1, 2

#: The value of an integer variable where a point is not done.
NO_COUNT = -1


@dataclass(frozen=True)
class Variable:
    """A variable of `results.nc`: its own dimensions behind those of the axes, and attributes."""

    long_name: str
    units: str = ""
    dims: tuple[str, ...] = ()
    comment: str = ""
    #: Stored as `record.dtype`; the others keep full precision.
    bulky: bool = False

    def attributes(self) -> dict[str, str]:
        """Return the attributes that are set."""
        named = {"long_name": self.long_name, "units": self.units, "comment": self.comment}
        return {name: text for name, text in named.items() if text}


_SHARE = "share of synapse.g_max"
VARIABLES = {
    "weight": Variable(
        "final synaptic weight (share of maximum)", "", ("synapse",), _SHARE, bulky=True
    ),
    "output_rate": Variable("output firing rate", "Hz", (), "output spikes over simulated time"),
    "spike_count": Variable("number of output spikes", "", (), f"{NO_COUNT} where not done"),
    "isi_cv": Variable(
        "coefficient of variation of output interspike intervals", "", (), "NaN below 3 spikes"
    ),
    "mean_weight": Variable("mean final weight (share of maximum)", "", (), _SHARE),
    "weight_history": Variable(
        "synaptic weight", "", ("sample_time", "synapse"), _SHARE, bulky=True
    ),
    "rate_history": Variable(
        "output firing rate", "Hz", ("sample_time",), "over the interval that ends at sample_time"
    ),
    "spike_time": Variable("output spike time", "ms", ("spike",), "padded with NaN"),
    "v": Variable("membrane potential", "mV", ("time",), "after the reset", bulky=True),
    "g_ex": Variable(
        "excitatory conductance relative to the leak",
        "",
        ("time",),
        "at the step's start",
        bulky=True,
    ),
    "x_post": Variable("postsynaptic trace", "", ("time",), "after its jump", bulky=True),
    "x_pre": Variable("presynaptic trace", "", ("time", "synapse"), "after its jump", bulky=True),
    "weight_trace": Variable(
        "synaptic weight", "", ("time", "synapse"), f"{_SHARE}; after LTP, before LTD", bulky=True
    ),
}
COUNTS = {"spike_count"}
DIMENSIONS = {dim for variable in VARIABLES.values() for dim in variable.dims}


def stored(record: Record, dtype: str) -> Record:
    """Return a record with its bulky variables in the number type of the file."""
    return {
        name: value.astype(dtype) if VARIABLES[name].bulky else value
        for name, value in record.items()
    }


def recorded(configuration: Configuration) -> list[str]:
    """Return the names of the variables that `record` asks for."""
    record = configuration.record
    wanted = ["weight", "output_rate", "spike_count", "isi_cv", "mean_weight"]
    if record.weight_interval is not None:
        wanted += ["weight_history", "rate_history"]
    if record.spike_times:
        wanted += ["spike_time"]
    if record.traces:
        wanted += ["v", "g_ex", "x_post", "x_pre", "weight_trace"]
    return wanted
