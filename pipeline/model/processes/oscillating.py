"""Poisson inputs whose rates oscillate, with a phase for each synapse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.model.errors import RequestError
from pipeline.model.grouped import GroupedProcess
from pipeline.model.inputs import INPUT_STREAM, Cells, cells_of_stream
from pipeline.model.quantity import quantity, written
from pipeline.model.streams import stream_of
from pipeline.model.superposition import superposed_cells
from pipeline.model.thinning import SinusoidalRates

#: Number, within the stream of the input, of the stream that chooses among candidates.
_CHOICES = 1


@dataclass(frozen=True)
class Oscillating(GroupedProcess):
    """Independent spike trains with sinusoidal rates of one frequency.

    A synapse has the rate r (1 + m sin(2 pi (f t + phase))) at the begin of a time step: r is the
    rate of its group, f `frequency_hz`, and m `modulation`, or the group's in `group_modulations`.

    Phases are in cycles. The n synapses of a group have those from that of the group, in
    `group_phases`, over `phase_spread` in equal steps: phase + phase_spread * i / n for i from 0 to
    n - 1. With the spread 0 they are alike, with 1 all phases of a cycle are there, and the sum of
    all rates does not oscillate. Which synapse has which phase makes no difference to the neuron,
    so that random phases are none of the choices.

    The phase of each synapse is `synapse_phase` in the file.

    Where `bernoulli_cells` takes 2.1 ns an event, these take 6.4 ns with m = 0.5 and 8.3 with 1: of
    1 + m candidates, with two random numbers each, one is a spike. With unlike rates they take 13.

    References
    ----------
    Gerstner W, Kempter R, van Hemmen JL & Wagner H 1996, A neuronal learning rule for
    sub-millisecond temporal coding, Nature 383:76-78 (phase-locked Poisson inputs).
    Lewis PAW & Shedler GS 1979, Simulation of nonhomogeneous Poisson processes by thinning, Naval
    Research Logistics Quarterly 26:403-413.
    """

    name: ClassVar[str] = "oscillating"
    theory_gap: ClassVar[str] = "the theory covers inputs of constant rates, and these oscillate"

    frequency_hz: float = quantity(
        "frequency of the input rates", "Hz", at_least=1e-6, at_most=1_000_000
    )
    modulation: float = quantity("amplitude of input rates over their mean", at_least=0, at_most=1)
    phase_spread: float = quantity(
        "range over which the phases of a group spread (cycles)", at_least=0, at_most=1, neutral=0.0
    )
    group_phases: float | tuple[float, ...] | None = quantity(
        "phase of the input rate of each group (cycles)",
        at_least=0,
        at_most=1,
        per_group=True,
        null="0",
        neutral=None,
    )
    group_modulations: float | tuple[float, ...] | None = quantity(
        "amplitude of the input rates of each group over their mean",
        at_least=0,
        at_most=1,
        per_group=True,
        null="input.modulation",
        neutral=None,
    )

    def events(self, dt: float, n_steps: int, seed: int) -> Iterator[Cells]:
        """Draw trains of the highest rate, and thin them.

        Yields
        ------
        ndarray of int64, (n_events,)
            Cells of the lattice in time order; indices, dimensionless.
        """
        rates = SinusoidalRates(
            self.frequency_hz * dt / 1000,
            0.25 - self.synapse_phases(),
            np.repeat(self._depths(), self.all_sizes),
            stream_of(seed, INPUT_STREAM, _CHOICES),
        )
        p = np.minimum(np.repeat(self.rates_of_groups(), self.all_sizes) * dt / 1000, 1)
        p *= rates.highest
        stream, n_before = stream_of(seed, INPUT_STREAM), 0
        if (p == p[0]).all():
            candidates = cells_of_stream(stream, float(p[0]), n_steps * p.size)
        else:
            candidates = superposed_cells(stream, p, n_steps)
        for cells in candidates:
            yield rates.kept(cells, n_before)
            n_before += cells.size

    def _depths(self) -> NDArray[np.float64]:
        """Return the amplitude of each group, (n_groups,), over its mean rate."""
        return self.of_groups("group_modulations", self.modulation)

    def synapse_phases(self) -> NDArray[np.float64]:
        """Return the phase of the rate of each synapse; see `InputProcess.synapse_phases`.

        Returns
        -------
        ndarray, (n_synapses,)
            From 0 to below 1 [cycles], dimensionless.
        """
        within = np.concatenate([np.arange(size) / size for size in self.all_sizes])
        first = np.repeat(self.of_groups("group_phases", 0.0), self.all_sizes)
        return (first + self.phase_spread * within) % 1

    def seconds_per_event(self) -> float:
        """Return the estimated drawing time [s] of an event, of unlike rates more."""
        return 8e-9 if self.group_rates_hz is None else 1.8e-8

    def shortest_time_scale(self) -> float:
        """Return the period [ms]."""
        return 1000 / self.frequency_hz

    def longest_time_scale(self) -> tuple[str, float]:
        """Return the period [ms] with the key of the frequency."""
        return self.key("frequency_hz"), 1000 / self.frequency_hz

    def refuse_unfit_time_step(self, dt: float) -> None:
        """Refuse a time step [ms] above half a period, or too long for the highest rate."""
        super().refuse_unfit_time_step(dt)
        if self.frequency_hz * dt > 500 * (1 + 1e-12):
            raise RequestError(
                f"{written(self.key('frequency_hz'), self.frequency_hz)}: must be <= "
                f"{500 / dt:g} Hz with simulation.dt={dt:g} ms, two steps per period"
            )
        rates, depths = self.rates_of_groups(), self._depths()
        highest = float(rates[np.argmax(rates)])
        depth = float(depths.max())
        if highest * (1 + depth) * dt > 1000 * (1 + 1e-12):
            name = "group_modulations" if self.group_modulations is not None else "modulation"
            raise RequestError(
                f"{written(self.key(name), getattr(self, name))}: with simulation.dt={dt:g} ms and "
                f"an input rate of {highest:g} Hz must be <= {1000 / (highest * dt) - 1:.3g} (one "
                "spike per step at each synapse)"
            )
