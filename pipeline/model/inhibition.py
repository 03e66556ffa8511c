"""Fixed inhibition: a population of Poisson inputs whose conductance no plasticity changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from pipeline.model.errors import RequestError
from pipeline.model.inputs import Cells, bernoulli_cells
from pipeline.model.quantity import Section, quantity, written

#: Number (spawn key) of the random stream of the inhibitory spikes, beside `INPUT_STREAM`.
INHIBITION_STREAM = 1


@dataclass(frozen=True)
class Inhibition(Section):
    """Inhibitory Poisson population with one exponential conductance; none by default.

    At each step its conductance decays by (1 - dt/tau_in) and gains `g` for each inhibitory spike.
    """

    section: ClassVar[str] = "inhibition"
    title: ClassVar[str] = "inhibition"

    n_synapses: int = quantity(
        "number of inhibitory synapses", kind=int, at_least=0, at_most=10_000_000, neutral=0
    )
    rate_hz: float = quantity("inhibitory input rate", "Hz", at_least=0, neutral=0.0)
    g: float = quantity(
        "inhibitory conductance of one spike relative to the leak",
        at_least=0,
        at_most=1000,
        neutral=0.0,
    )
    E_in: float = quantity(
        "inhibitory reversal potential", "mV", at_least=-1000, at_most=1000, neutral=-70.0
    )
    tau_in: float = quantity("inhibitory synaptic time constant", "ms", above=0, neutral=5.0)

    def refuse_unfit_values(self) -> None:
        """Refuse values that are not allowed together."""
        super().refuse_unfit_values()
        if self.is_present:
            return
        for name, neutral in self.neutral_values().items():
            value = getattr(self, name)
            if value != neutral:
                raise RequestError(
                    f"{written(self.key(name), value)}: must be {neutral:g} with "
                    "inhibition.n_synapses=0: without synapses it has no effect"
                )

    @property
    def is_present(self) -> bool:
        """Whether there are inhibitory synapses."""
        return self.n_synapses > 0

    def spike_probability(self, dt: float) -> float:
        """Return the probability of a spike in one cell of its lattice, for a time step [ms]."""
        return min(1.0, self.rate_hz * dt / 1000)

    def events(
        self, dt: float, n_steps: int, seed: int, first: int = 0, cell: int = 0
    ) -> Iterator[Cells]:
        """Yield its spikes in time order, in chunks; see `inputs.bernoulli_cells`.

        Parameters
        ----------
        dt : float
            Time step [ms].
        n_steps : int
            Number of time steps.
        seed : int
            Random seed.
        first, cell : int
            Number of spikes that are left out, and the cell after the last of them.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells `step * n_synapses + synapse`, rising; indices, dimensionless.
        """
        p = self.spike_probability(dt)
        return bernoulli_cells(
            p, self.n_synapses, n_steps, seed, first, cell, stream_number=INHIBITION_STREAM
        )

    def refuse_unfit_time_step(self, dt: float) -> None:
        """Raise `RequestError` if a time step [ms] is too long for rate or time constant."""
        if not self.is_present:
            return
        if dt >= self.tau_in:
            raise RequestError(
                f"{written('simulation.dt', dt)}: the time step must be < "
                f"inhibition.tau_in={self.tau_in:g} ms"
            )
        if self.rate_hz * dt > 1000 * (1 + 1e-12):  # 1000 / dt is allowed, however it was rounded
            raise RequestError(
                f"{written('inhibition.rate_hz', self.rate_hz)}: with simulation.dt={dt:g} ms "
                f"inhibitory input rate must be <= {1000 / dt:g} Hz (one spike per step at each "
                "synapse)"
            )
