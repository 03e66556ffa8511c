"""Input spikes of the user's own: events of a file or of arrays, at times and synapses given."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from pipeline.model.contents import content_of, known_content, remember, restored
from pipeline.model.errors import RequestError
from pipeline.model.event_content import EventContent
from pipeline.model.inputs import Cells, InputProcess
from pipeline.model.quantity import quantity, written
from pipeline.model.sections import steps


@dataclass(frozen=True)
class File(InputProcess):
    """Spikes at the times and synapses that a file lists, the same for every seed.

    An event is in the time step nearest to its time. The file has arrays `times` [ms], which rise,
    and `synapses`, indices from 0: npz, netCDF, or CSV with these two columns. It is read in
    blocks, for each run anew: memory does not grow with it.

    Where `bernoulli_cells` takes 2.1 ns an event, each run reads one in 7 ns; to read and check a
    file once takes 30 ns an event of npz, 60 of netCDF and 180 of CSV.
    """

    name: ClassVar[str] = "file"
    stationary: ClassVar[bool] = False
    theory_gap: ClassVar[str] = "the theory covers independent Poisson inputs, and these are given"

    unused: ClassVar[tuple[str, ...]] = ("rate_hz",)

    rate_hz: float | None = quantity(  # type: ignore[assignment]
        "input rate", "Hz", at_least=0, null="that of the events", default=None
    )
    file: str | None = quantity(
        "file of input events", kind=str, null="none, which no run may have", neutral=None
    )
    content: str | None = quantity(
        "hash of the events", kind=str, null="that of the file", neutral=None
    )

    def refuse_unfit_values(self) -> None:
        """Refuse values that are not allowed together."""
        super().refuse_unfit_values()
        if self.rate_hz is not None:
            raise RequestError(
                f"{written(self.key('rate_hz'), self.rate_hz)}: must be null with "
                "input.process=file, where the rate is that of the events"
            )
        events = self._known()
        if events is not None and events.counts.size > self.n_synapses:
            raise RequestError(
                f"{self._written}: synapse {events.counts.size - 1} of an event: must be < "
                f"input.n_synapses={self.n_synapses}"
            )

    def _known(self) -> EventContent | None:
        return content_of(self.content)

    @property
    def _written(self) -> str:
        return written(self.key("file"), self.file)

    def key_values(self) -> dict[str, Any]:
        """Return the values that determine results: the content, and not where it is."""
        own = super().key_values()
        return {name: value for name, value in own.items() if name not in ("file", "rate_hz")}

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Read the events, block by block.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice in time order; indices, dimensionless.
        """
        found = known_content(self.key("file"), self.file, self.content)
        return found.cells(dt, self.n_synapses, n_steps)

    def rates(self, seed: int) -> NDArray[np.float64]:
        """Return the rate of each synapse, up to the last event; see `InputProcess.rates`.

        Returns
        -------
        ndarray, (n_synapses,)
            Mean rates over time [Hz]; NaN where the events are not known.
        """
        rates, events = np.full(self.n_synapses, np.nan), self._known()
        if events is not None:
            rates[:] = 0
            rates[: events.counts.size] = events.counts * 1000 / max(events.last, 1e-9)
        return rates

    def rate_in(self, duration: float) -> float:
        """Return the mean rate [Hz] of all synapses in a run [ms]; NaN where it is not known."""
        events = self._known()
        return 1000 * events.n_events / (self.n_synapses * duration) if events else np.nan

    def spike_probability(self, dt: float) -> float:
        """Return the mean probability of an input spike in one cell of the lattice."""
        events = self._known()
        if events is None:
            return 0.0
        return min(1.0, events.n_events / (self.n_synapses * (events.last / dt + 1)))

    def drawing_seconds(self, n_steps: int) -> float:
        """Return the estimated time [s] of reading all events."""
        events = self._known()
        return 1e-8 * events.n_events if events else 0.0

    def seconds_per_event(self) -> float:
        """Return 0: those of a file are read whatever the duration, see `drawing_seconds`."""
        return 0.0

    def cut_to(self, duration: float, dt: float) -> File:
        """Return the process with the events that are within a run [ms]."""
        events = self._known()
        end = (steps(duration, dt) - 0.5) * dt  # later ones would be in another time step
        if events is None or events.last < end:
            return self
        remember(cut := events.up_to(end))
        return dataclasses.replace(self, content=cut.digest)

    def refuse_unfit_time_step(self, dt: float) -> None:
        """Refuse nothing: an event is in the nearest step, of whatever length [ms]."""

    def refuse_unfit_duration(self, duration: float, dt: float) -> None:
        """Refuse a run [ms] that ends before the last event, or has two in one step [ms]."""
        events = self._known()
        if events is None:
            return
        if np.rint(events.last / dt) >= steps(duration, dt):
            raise RequestError(
                f"{self._written}: an event at {events.last:.15g} ms: its nearest time step must "
                f"be before simulation.duration={duration:.15g} ms, with simulation.dt={dt:.15g} ms"
            )
        duplicate = events.first_duplicate(dt)
        if duplicate is not None:
            time, synapse = duplicate
            raise RequestError(
                f"{self._written}: synapse {synapse} has two events in the time step at "
                f"{time:.15g} ms; must be one with simulation.dt={dt:g} ms"
            )

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """Pickle the process with its events, or the path of their file."""
        return restored, (type(self), dict(vars(self)), self._known())
