"""One run on one core, including input generation: this project against each contestant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pipeline
from pipeline import Configuration
from tests.benchmarks.contest import side_by_side
from tests.benchmarks.contestants import OTHERS, compiled_engine, lasting
from tests.benchmarks.plan import Plan
from tests.benchmarks.table import Row
from tests.support.peers import AbsentError

#: Too slow, or too large in memory, for a full run at dt 0.1 ms.
_DENSE = ("reference", "notebook", "naive", "brian2_cython")

_SONG = tuple(f"{group}=song_abbott_2001" for group in ("neuron", "synapse", "stdp", "input"))


def dt_1(plan: Plan) -> Iterator[Row]:
    """Yield the rows of 300 synapses, dt 1 ms."""
    configuration = lasting(pipeline.configure(), plan.duration)
    return _rows(configuration, plan, dict.fromkeys(OTHERS, plan.duration))


def dt_01(plan: Plan) -> Iterator[Row]:
    """Yield the rows of 300 synapses, dt 0.1 ms."""
    configuration = lasting(pipeline.configure("simulation.dt=0.1"), plan.duration)
    durations = dict.fromkeys(OTHERS, plan.duration) | dict.fromkeys(_DENSE, plan.short)
    return _rows(configuration, plan, durations)


def song(plan: Plan) -> Iterator[Row]:
    """Yield the rows of 1,000 synapses, Song & Abbott's values, dt 0.1 ms."""
    configuration = lasting(pipeline.configure(*_SONG, "simulation.dt=0.1"), plan.duration)
    durations = dict.fromkeys(("c", "brian2_cpp", "brian2_cpp_usual"), plan.duration)
    durations |= {"nest": plan.short}
    return _rows(configuration, plan, durations, "Song & Abbott 2001, ")


def _rows(
    configuration: Configuration, plan: Plan, durations: Mapping[str, float], values: str = ""
) -> Iterator[Row]:
    """Yield a row for each contestant, with the given model times [ms]."""
    simulation, inputs = configuration.simulation, configuration.input
    what = (
        f"One run of {simulation.duration / 1000:g} s: {values}{inputs.n_synapses:,} synapses, "
        f"{inputs.rate_hz:g} Hz, dt {simulation.dt:g} ms"
    )
    for name, duration in durations.items():
        try:
            other = OTHERS[name](lasting(configuration, duration), plan.folder)
            yield side_by_side(what, compiled_engine, configuration, other, plan.repeats)
        except AbsentError as error:
            yield Row(what, name.replace("_", " "), other=str(error))
