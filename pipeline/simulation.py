"""One configuration in, its named results out; the one place that picks the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline import reference
from pipeline.inputs import Cells, spike_cells
from pipeline.parameters import Configuration, steps
from pipeline.variables import Result

ENGINES: dict[str, Callable[[Configuration, Iterator[Cells]], reference.Recording]] = {
    "reference": reference.run,
}


def measure(
    configuration: Configuration,
    engine: str = "reference",
    cells: Iterator[Cells] | None = None,
) -> Result:
    """Run one configuration on an engine and return its variables, in full precision."""
    cells = spike_cells(configuration) if cells is None else cells
    recording = ENGINES[engine](configuration, cells)
    simulation, record = configuration.simulation, configuration.record
    spike_time = recording.spike_step * simulation.dt
    variables: Result = {
        "weight": recording.weight,
        "output_rate": 1000 * spike_time.size / simulation.duration,
        "spike_count": spike_time.size,
        "isi_cv": isi_cv(spike_time),
        "mean_weight": recording.weight.mean(),
    }
    if record.weight_interval is not None:
        n_samples = len(recording.weight_history)
        window = recording.spike_step // steps(record.weight_interval, simulation.dt)
        counts = np.bincount(window, minlength=n_samples)[:n_samples]
        variables["weight_history"] = recording.weight_history
        variables["rate_history"] = 1000 * counts / record.weight_interval
    if record.spike_times:
        variables["spike_time"] = spike_time
    return variables | recording.traces


def isi_cv(spike_time: NDArray[np.float64]) -> float:
    """Coefficient of variation of the interspike intervals; nan below two intervals."""
    intervals = np.diff(spike_time)
    return float(intervals.std() / intervals.mean()) if intervals.size >= 2 else float("nan")
