"""Drawing the events of each input process, against Poisson events, on one core.

Events are drawn and thrown away; a run of the compiled engine is compared with its estimated time,
by which sweeps are divided into batches. All are processor times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import pipeline
from pipeline import Configuration
from pipeline.engine import compiled
from pipeline.engine.cost import estimated_seconds
from tests.benchmarks.contest import one_core
from tests.benchmarks.plan import Plan
from tests.benchmarks.table import Row, ratio_text, time_text

#: Choices of the group `input`.
CHOICES = {
    "poisson": ("poisson",),
    "notebook": ("notebook",),
    "groups, two": ("groups",),
    "groups, log-normal rates": ("log_normal",),
    "correlated, 50 of 300": ("correlated",),
    "correlated, ten groups of 30": (
        "correlated",
        "input.group_sizes=[30,30,30,30,30,30,30,30,30,30]",
    ),
    "modulated, 150 of 300": ("modulated",),
    "modulated, no groups": ("modulated", "input.group_sizes=null",
                             "input.group_rate_correlations=null"),
    "oscillating": ("oscillating",),
    "oscillating, two rates": ("oscillating", "input.group_sizes=[150]",
                               "input.group_rates_hz=[25]"),
    "latency": ("latency",),
    "latency, with a background": ("latency", "input.rate_hz=5"),
    "patterns": ("patterns",),
    "patterns, no jitter": ("patterns", "input.pattern_jitter=0"),
    "file, npz": ("file",),
    "pairing_protocol, 100 synapses": (
        "pairing_protocol", "input.n_synapses=100", "input.rate_hz=40", "input.n_pairs=4000",
    ),
}  # fmt: skip

_RUNS_A_TURN = 3


def processes(plan: Plan) -> Iterator[Row]:
    """Yield a row for each process, with the time per event in place of that of a run."""
    base = _configured(("poisson",), plan)
    compiled.run(_configured(("groups",), plan))  # from here on variates are in machine code
    for name, choice in CHOICES.items():
        configuration = _configured(choice, plan)
        compiled.run(configuration)
        turns = []
        with one_core():
            for _ in range(plan.repeats):
                turns.append([_per_event(one) for one in (configuration, base)])
            run = _shortest(lambda one=configuration: compiled.run(one))
        ours, other = np.min(turns, axis=0)
        estimate = estimated_seconds(configuration, "compiled")
        yield Row(
            f"Time per event: {name}",
            "poisson",
            f"{1e9 * ours:.1f} ns",
            f"{1e9 * other:.1f} ns",
            ratio_text(other / ours),
            f"a run of {configuration.simulation.duration / 1000:g} s: {time_text(run)}, "
            f"estimated as {time_text(estimate)}",
        )


def _configured(choice: tuple[str, ...], plan: Plan) -> Configuration:
    name, *values = choice
    if name == "file":
        values += [f"input.file={_events_file(plan)}"]
    return pipeline.configure(f"input={name}", *values, f"simulation.duration={plan.duration}")


def _events_file(plan: Plan) -> Path:
    """Write the events of the Poisson process to a file, and return it."""
    configuration, path = _configured(("poisson",), plan), plan.folder / "events.npz"
    cells = np.concatenate([*configuration.input_events()])
    step, synapse = np.divmod(cells, configuration.input.n_synapses)
    np.savez(path, times=step * configuration.simulation.dt, synapses=synapse)
    return path


def _per_event(configuration: Configuration) -> float:
    """Return the shortest time of drawing all events, over their number [s]."""
    n_events = sum(cells.size for cells in configuration.input_events())
    return _shortest(lambda: [None for _ in configuration.input_events()]) / n_events


def _shortest(call: Callable[[], object]) -> float:
    """Return the shortest processor time, which other processes hardly change [s]."""

    def seconds() -> float:
        started = time.thread_time()
        call()
        return time.thread_time() - started

    return min(seconds() for _ in range(_RUNS_A_TURN))
