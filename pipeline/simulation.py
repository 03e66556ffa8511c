"""One configuration in, its named results out; the one place that picks the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline import reference
from pipeline.inputs import Cells, given_cells, spike_cells
from pipeline.parameters import Configuration, steps
from pipeline.variables import Record

if TYPE_CHECKING:
    import xarray

ENGINES: dict[str, Callable[[Configuration, Iterator[Cells]], reference.Recording]] = {
    "reference": reference.run,
}


def simulate(configuration: Configuration, spikes: ArrayLike | None = None) -> xarray.Dataset:
    """Run one neuron and return what it did, labelled, in full precision.

    Parameters
    ----------
    configuration : Configuration
        The parameters; see `pipeline.configure`.
    spikes : array_like, optional
        Input spikes to use in place of the configured process: 0 or 1, `(n_synapses, n_steps)`.

    Returns
    -------
    xarray.Dataset
        The variables of `results.nc` for one point.

    Raises
    ------
    RequestError
        If `spikes` does not fit the configuration.
    """
    from pipeline.gather import Gather
    from pipeline.grid import Grid

    n_synapses, n_steps = configuration.input.n_synapses, configuration.simulation.n_steps
    cells = None if spikes is None else given_cells(spikes, n_synapses, n_steps)
    gathered = Gather(Grid(configuration), dtype="float64")
    gathered.add(gathered.grid.keys[0], measure(configuration, cells=cells))
    attributes = {} if spikes is None else {"input": "spikes given by the caller"}
    return gathered.dataset(attributes)


def measure(
    configuration: Configuration,
    engine: str = "reference",
    cells: Iterator[Cells] | None = None,
) -> Record:
    """Run one configuration on an engine and return its variables, in full precision."""
    cells = spike_cells(configuration) if cells is None else cells
    recording = ENGINES[engine](configuration, cells)
    simulation, record = configuration.simulation, configuration.record
    spike_time = recording.spike_step * simulation.dt
    variables: Record = {
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
